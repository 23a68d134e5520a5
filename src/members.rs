//! A JSON object whose members stay as the client wrote them.
//!
//! Unknown members pass through byte for byte; only what the gateway must read or change is
//! touched. Numbers never pass through a float.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Members in their order.
#[derive(Debug, Clone, Default)]
pub struct Members<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// More members than any real request has.
const MOST: usize = 1_000;

impl<'a> Members<'a> {
    /// Reads an object. A member that stands there twice is refused: we would price one and the
    /// upstream might obey the other.
    ///
    /// # Errors
    /// Not an object, or not JSON.
    pub fn read(text: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The JSON text of a member; `null` counts as absent.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        (value != "null").then_some(&**value)
    }

    /// The text of a string member.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?).ok()
    }

    /// Whether the member is there, `null` included.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// Puts JSON text in the place of a member, or at the end.
    pub fn set(&mut self, name: &'static str, json: impl Into<Cow<'a, str>>) {
        let json = json.into();
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, value)) => *value = json,
            None => self.0.push((Cow::Borrowed(name), json)),
        }
    }

    /// Every member as name and JSON text, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Replaces the JSON text of every member for which `change` gives another.
    pub fn update(&mut self, mut change: impl FnMut(&str, &str) -> Option<String>) {
        for (name, value) in &mut self.0 {
            if let Some(changed) = change(name, value) {
                *value = Cow::Owned(changed);
            }
        }
    }

    /// Takes a member away.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name);
    }

    /// The object as JSON text.
    #[must_use]
    pub fn write(&self) -> String {
        let length: usize = self.0.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        let mut text = String::with_capacity(length + 2);
        for (place, (name, value)) in self.0.iter().enumerate() {
            text.push(if place == 0 { '{' } else { ',' });
            push_string(&mut text, name);
            text.push(':');
            text.push_str(value);
        }
        if self.0.is_empty() {
            text.push('{');
        }
        text.push('}');
        text
    }
}

/// A JSON string; plain names are written without the serialiser.
fn push_string(into: &mut String, text: &str) {
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        into.push('"');
        into.push_str(text);
        into.push('"');
    } else {
        into.push_str(&serde_json::Value::from(text).to_string());
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Vec<(Cow<'de, str>, Cow<'de, str>)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut members: Self::Value = Vec::with_capacity(16);
                while let Some(Name(name)) = map.next_key()? {
                    if members.iter().any(|(known, _)| *known == name) {
                        return Err(de::Error::custom(format_args!("`{name}` stands there twice")));
                    }
                    if members.len() == MOST {
                        return Err(de::Error::custom("the object has too many members"));
                    }
                    let value: &'de RawValue = map.next_value()?;
                    members.push((name, Cow::Borrowed(value.get())));
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Object).map(Self)
    }
}

/// A member's name, borrowed where it has no escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Cow<'de, str>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }
        deserializer.deserialize_str(Text).map(Name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_touched_stays_as_it_was() {
        let text = r#"{"model":"a","temperature":1.00,"x":{"y": [1, 2]},"ключ":null}"#;
        assert_eq!(Members::read(text).expect("an object").write(), text);
    }

    #[test]
    fn a_member_that_stands_twice_is_refused() {
        assert!(Members::read(r#"{"model":"cheap","model":"dear"}"#).is_err());
        assert!(Members::read(r#"{"model":"cheap","mod\u0065l":"dear"}"#).is_err());
    }

    #[test]
    fn members_are_replaced_added_and_removed() {
        let mut members = Members::read(r#"{"a":1,"b":2}"#).expect("an object");
        members.set("a", "3");
        members.set("c", "4");
        members.remove("b");
        assert_eq!(members.write(), r#"{"a":3,"c":4}"#);
        assert_eq!(Members::default().write(), "{}");
    }

    #[test]
    fn null_counts_as_absent() {
        let members = Members::read(r#"{"max_tokens":null}"#).expect("an object");
        assert_eq!((members.get("max_tokens"), members.has("max_tokens")), (None, true));
    }
}
