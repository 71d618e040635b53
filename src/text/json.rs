//! Answers for programs: versioned, and as harmless to a terminal as the others.

use std::fmt::Write as _;

use anyhow::Context as _;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The version of all answers.
pub const API_VERSION: &str = "kubecoin.example/v1alpha1";

/// An answer with its version and kind.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Versioned<'a, T> {
    api_version: &'static str,
    kind: &'static str,
    #[serde(flatten)]
    answer: &'a T,
}

/// An answer with its version and kind as JSON, indented, with a newline at the end.
///
/// # Errors
/// If the answer has no form in JSON, which is a mistake of this program.
pub fn text<T: Serialize>(kind: &'static str, answer: &T) -> anyhow::Result<String> {
    let plain = serde_json::to_string_pretty(&Versioned { api_version: API_VERSION, kind, answer })?;
    Ok(escaped(&plain) + "\n")
}

/// Reads such an answer back.
///
/// # Errors
/// If it is not one, or of another kind or version.
pub fn parse<T: DeserializeOwned>(kind: &'static str, text: &str) -> anyhow::Result<T> {
    let value: serde_json::Value = serde_json::from_str(text).context("it is not JSON")?;
    let is = |field: &str, wanted: &str| value[field].as_str() == Some(wanted);
    anyhow::ensure!(is("kind", kind) && is("apiVersion", API_VERSION), "it is not a {kind} of {API_VERSION}");
    serde_json::from_value(value).context("it is not complete")
}

/// Whether a text is an answer of this kind, whatever its version.
#[must_use]
pub fn is_of(kind: &'static str, text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok_and(|value| value["kind"].as_str() == Some(kind))
}

/// The same as YAML.
///
/// # Errors
/// If the answer has no form in YAML, which is a mistake of this program.
pub fn yaml<T: Serialize>(kind: &'static str, answer: &T) -> anyhow::Result<String> {
    // Through a value, whose keys are sorted and whose flattened parts are plain maps.
    let value = serde_json::to_value(Versioned { api_version: API_VERSION, kind, answer })?;
    Ok(serde_saphyr::to_string(&value)?)
}

/// JSON leaves DEL, C1 and characters that reorder text as they are. They stand in strings only, where an escape means
/// the same.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        let hostile = character != '\n' && super::sanitize::clean(character.encode_utf8(&mut [0; 4])).is_empty();
        if hostile {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\u{:04x}", u32::from(character));
        } else {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_survives_as_escapes() {
        #[derive(Serialize)]
        struct Answer {
            text: &'static str,
        }
        let hostile = "a\u{1b}b\u{9b}c\u{7f}d\u{202e}e\"\n";
        let json = text("Test", &Answer { text: hostile }).unwrap();
        assert!(json.chars().all(|c| c == '\n' || !c.is_control()), "{json:?}");
        let back: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(back["text"], hostile);
        assert_eq!(back["kind"], "Test");
        assert_eq!(back["apiVersion"], API_VERSION);
    }
}
