//! Text from the cluster is hostile: a label or a row may carry escape sequences that rewrite a terminal.

use std::borrow::Cow;

/// Characters that a terminal acts on, or that reorder what stands around them.
fn is_hostile(character: char) -> bool {
    let reorders =
        matches!(character, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks_lines = matches!(character, '\u{2028}' | '\u{2029}');
    (character.is_control() && !matches!(character, '\n' | '\t')) || reorders || breaks_lines
}

/// The text without control characters but newline and tab, and without characters that reorder text.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.contains(is_hostile) {
        Cow::Owned(text.chars().filter(|character| !is_hostile(*character)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// Clean, and on one line.
#[must_use]
pub fn one_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// As many characters of what somebody else says as people read. Programs get all.
const MOST: usize = 500;

/// On one line, and no longer than people read.
#[must_use]
pub fn brief(text: &str) -> String {
    shortened(&one_line(text), MOST).into_owned()
}

/// The text, cut after so many characters.
#[must_use]
pub fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_that_a_terminal_acts_on_remains(text in any::<String>()) {
            let cleaned = clean(&text);
            prop_assert!(cleaned.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()));
            prop_assert_eq!(clean(&cleaned), cleaned.as_ref());
            prop_assert!(!one_line(&text).contains(['\n', '\t', '\r']));
        }

        #[test]
        fn harmless_text_is_left_alone(text in "[a-zA-Z0-9 äßñ中🙂.,:/-]*") {
            prop_assert!(matches!(clean(&text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn sequences_lose_their_teeth() {
        assert_eq!(clean("a\u{1b}[2Jb\rc\u{9b}31md\u{7f}e\u{202e}f"), "a[2Jbc31mdef");
        assert_eq!(one_line(" a\r\nb\tc "), "a b c");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(shortened("äöü", 3), "äöü");
        assert_eq!(shortened("äöü", 2), "äö…");
    }
}
