//! Who may register, and how mail reaches people.

use std::net::{IpAddr, SocketAddr};

use lettre::message::Mailbox;
use reqwest::Url;

use super::Secret;
use super::reader::Reader;

/// `REGISTRATION`: who may register.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Registration {
    /// Everybody.
    #[default]
    Open,
    /// Nobody.
    Closed,
    /// Who has an invitation of an admin.
    Invite,
}

/// `EMAIL_VERIFICATION`: what an address that nobody has verified is good for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EmailVerification {
    /// Everything.
    #[default]
    Optional,
    /// Nothing: its owner cannot sign in.
    Required,
}

/// Registration and mail.
#[derive(Debug, Clone)]
pub struct PeopleConfig {
    /// `REGISTRATION`
    pub registration: Registration,
    /// `EMAIL_VERIFICATION`
    pub email_verification: EmailVerification,
    /// `PUBLIC_URL`: what links in mails begin with; without a slash at its end.
    pub public_url: String,
    /// `SMTP_URL`, `MAIL_FROM`, `SMTP_CA_FILE`; absent: mails wait for the operator.
    pub mail: Option<MailConfig>,
}

/// How mail is sent.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// `SMTP_URL`: may hold a password.
    pub smtp_url: Secret,
    /// `MAIL_FROM`
    pub from: Mailbox,
    /// `SMTP_CA_FILE`: certificates (PEM) that are trusted beside the system's.
    pub certificates: Option<Vec<u8>>,
}

pub(super) fn read(reader: &mut Reader<'_>, listen: SocketAddr) -> PeopleConfig {
    let registration = reader.parse("REGISTRATION", "open, closed or invite", |text| match text {
        "open" => Some(Registration::Open),
        "closed" => Some(Registration::Closed),
        "invite" => Some(Registration::Invite),
        _ => None,
    });
    let verification =
        reader.parse("EMAIL_VERIFICATION", "required or optional", |text| match text {
            "required" => Some(EmailVerification::Required),
            "optional" => Some(EmailVerification::Optional),
            _ => None,
        });
    let public_url = reader.parse("PUBLIC_URL", "a URL as in https://gate.example.com", |text| {
        let url = Url::parse(text).ok()?;
        let plain = url.query().is_none() && url.fragment().is_none();
        let usable = matches!(url.scheme(), "http" | "https") && url.has_host() && plain;
        usable.then(|| text.trim_end_matches('/').to_owned())
    });
    PeopleConfig {
        registration: registration.unwrap_or_default(),
        email_verification: verification.unwrap_or_default(),
        public_url: public_url.unwrap_or_else(|| format!("http://{listen}")),
        mail: mail(reader),
    }
}

fn mail(reader: &mut Reader<'_>) -> Option<MailConfig> {
    let given = reader.text("SMTP_URL").is_some();
    let expected = "a URL as in smtps://user:password@mail.example.com or \
         smtp://user:password@mail.example.com:587?tls=required; a password needs one of them";
    let smtp_url = reader.parse_secret("SMTP_URL", expected, smtp_url);
    let from = reader.parse("MAIL_FROM", "an address as in Tollgate <gate@example.com>", |text| {
        text.parse::<Mailbox>().ok()
    });
    if given && reader.text("MAIL_FROM").is_none() {
        let problem = "it is absent, but SMTP_URL is given";
        reader.refuse("MAIL_FROM", problem, "write an address as in Tollgate <gate@example.com>");
    }
    let pem = "the name of a file with certificates in PEM";
    let certificates = reader.parse("SMTP_CA_FILE", pem, |file| {
        let text = std::fs::read(file).ok()?;
        memchr::memmem::find(&text, b"-----BEGIN CERTIFICATE-----").map(|_| text)
    });
    Some(MailConfig { smtp_url: smtp_url?, from: from?, certificates })
}

fn smtp_url(text: &str) -> Option<Secret> {
    let url = Url::parse(text).ok()?;
    let host = url.host_str()?;
    let tls = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value);
    let encrypted = match (url.scheme(), tls.as_deref()) {
        ("smtps", _) | ("smtp", Some("required")) => true,
        // "opportunistic" is what somebody on the way can turn off.
        ("smtp", None | Some("opportunistic")) => false,
        _ => return None,
    };
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let local = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    (encrypted || local || url.password().is_none()).then(|| Secret::new(text))
}
