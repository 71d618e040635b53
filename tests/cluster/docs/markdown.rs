//! What a page of the documentation asks to type, and what it says is shown then.

/// A block of a page.
#[derive(Debug, PartialEq, Eq)]
pub enum Block {
    /// Lines for a shell.
    Commands(String),
    /// Lines that these show, among others.
    Shown(String),
}

/// The blocks of a page that are marked as commands (`sh`) and as output (`text`).
pub fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    for block in page.split("\n```").collect::<Vec<_>>().chunks(2).filter_map(|pair| pair.get(1)) {
        let (kind, text) = block.split_once('\n').unwrap_or((block, ""));
        match kind {
            "sh" => blocks.push(Block::Commands(text.to_owned())),
            "text" => blocks.push(Block::Shown(text.to_owned())),
            _ => {}
        }
    }
    blocks
}

/// Whether a line is among those that were shown. Blanks count as one, and `…` stands for anything.
pub fn shows(shown: &str, line: &str) -> bool {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let parts: Vec<String> = line.split('…').map(words).collect();
    shown.lines().map(words).any(|shown| {
        let mut rest = shown.as_str();
        parts.iter().enumerate().all(|(number, part)| match rest.find(part.as_str()) {
            Some(at) if number > 0 || at == 0 => {
                rest = &rest[at + part.len()..];
                true
            }
            _ => false,
        }) && (rest.is_empty() || line.trim_end().ends_with('…'))
    })
}

#[test]
fn blocks_are_found_by_their_marks() {
    let page = "a\n\n```sh\none\ntwo\n```\n\nb\n\n```text\n1\n```\n\n```yaml\nx: y\n```\n";
    assert_eq!(blocks(page), [Block::Commands("one\ntwo".to_owned()), Block::Shown("1".to_owned())]);
}

#[test]
fn a_line_is_shown_whatever_its_blanks_and_what_dots_stand_for() {
    let shown = "NAME   READY\r\npod/a  1/1   Running  5s\r\n";
    for line in ["NAME READY", "pod/a 1/1 Running …", "pod/… 1/1 … 5s"] {
        assert!(shows(shown, line), "{line}");
    }
    for line in ["NAME", "READY", "pod/a 1/1 Running", "pod/b …", "… 0/1 …"] {
        assert!(!shows(shown, line), "{line}");
    }
}
