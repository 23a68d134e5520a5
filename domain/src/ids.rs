//! Identifiers: `Copy` newtypes over UUIDv7 with a prefix on the wire.
//!
//! The text form is `prefix_` + 26 characters of Crockford base 32 (the TypeID form): sortable by
//! time of creation, short in indexes, and one kind cannot be passed for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// The text is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of the form `{prefix}_…` with 26 base-32 characters")]
pub struct InvalidId {
    /// The prefix that was expected.
    pub prefix: &'static str,
    /// What was given, cut to 64 characters.
    pub text: String,
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 26;

fn encode(uuid: Uuid) -> [u8; LENGTH] {
    let mut value = uuid.as_u128();
    let mut text = [b'0'; LENGTH];
    for slot in text.iter_mut().rev() {
        *slot = ALPHABET[(value & 31) as usize];
        value >>= 5;
    }
    text
}

/// The value of each byte, or 255: an id is decoded several times per event, and looking through
/// the alphabet for every character was a tenth of the audit's work.
const VALUES: [u8; 256] = {
    let mut values = [u8::MAX; 256];
    let mut digit = 0;
    while digit < ALPHABET.len() {
        values[ALPHABET[digit] as usize] = digit as u8;
        digit += 1;
    }
    values
};

fn decode(text: &str) -> Option<Uuid> {
    let bytes = text.as_bytes();
    // 26 characters hold 130 bits: the first may use only three of its five.
    if bytes.len() != LENGTH || bytes[0] > b'7' {
        return None;
    }
    bytes
        .iter()
        .try_fold(0_u128, |value, byte| {
            let digit = VALUES[*byte as usize];
            (digit < 32).then_some((value << 5) | u128::from(digit))
        })
        .map(Uuid::from_u128)
}

macro_rules! registry {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// What stands before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// An id from a UUID that somebody with a clock made.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID behind the id.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!($prefix, "_"))?;
                f.write_str(std::str::from_utf8(&encode(self.0)).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(decode)
                    .map(Self)
                    .ok_or_else(|| InvalidId {
                        prefix: $prefix,
                        text: text.chars().take(64).collect(),
                    })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!("an id that starts with `", $prefix, "_`"))
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    )+};
}

registry! {
    // Alphabetical by prefix, append-only: a prefix once given out is never used for another kind.
    /// A customer's prepaid billing account.
    AccountId = "acct";
    /// An operator's correction.
    AdjustmentId = "adj";
    /// A command, for causation.
    CommandId = "cmd";
    /// Money given.
    GrantId = "grant";
    /// Leave to register.
    InvitationId = "inv";
    /// An API key.
    KeyId = "key";
    /// A link that is mailed to somebody and works once.
    LinkId = "link";
    /// A mail in the outbox.
    MailId = "mail";
    /// An upstream account that we prepay.
    MasterAccountId = "mast";
    /// A remark beside the books, which can be erased.
    NoteId = "note";
    /// A purchase of upstream credits.
    PurchaseId = "purch";
    /// Money back.
    RefundId = "rfnd";
    /// A request as the client sees it.
    RequestId = "req";
    /// Money set aside for one request.
    ReservationId = "rsv";
    /// A signed-in session.
    SessionId = "sess";
    /// Money in.
    TopUpId = "topup";
    /// A person.
    UserId = "usr";
}
