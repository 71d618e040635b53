//! What a page of the documentation asks to type, and what it says is shown then.

/// A block of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// Lines for a shell.
    Commands(String),
    /// Lines that these show, among others.
    Shown(String),
}

/// The blocks of a page that are marked as commands (`sh`) and as output (`text`).
pub fn blocks(page: &str) -> Vec<Block> {
    let block = |(mark, text): (&str, &str)| match mark {
        "sh" => Some(Block::Commands(text.to_owned())),
        "text" => Some(Block::Shown(text.to_owned())),
        _ => None,
    };
    marked(page).filter_map(block).collect()
}

/// A chapter of a page, and the page without it. It is not the last one.
pub fn chapter(page: &str, heading: &str) -> (String, String) {
    let found = page.split_once(&format!("\n## {heading}\n"));
    let (before, rest) = found.unwrap_or_else(|| panic!("no {heading:?}"));
    let (chapter, after) = rest.split_once("\n## ").unwrap_or_else(|| panic!("nothing after {heading:?}"));
    (chapter.to_owned(), format!("{before}\n## {after}"))
}

/// The blocks of a page, each with its mark.
pub fn marked(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.split("\n```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap_or((block, "")))
}

/// The rows of the table below a heading, without its head: the cells of each.
pub fn table(page: &str, heading: &str) -> Vec<Vec<String>> {
    let (_, below) = page.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no {heading:?}"));
    let section = below.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|')).skip(2);
    rows.map(|row| row.split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// The words that are marked as code in a text.
pub fn code(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
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
fn a_chapter_ends_where_the_next_one_begins() {
    let page = "# a\n\n## b\n\none\n\n## c\n\ntwo\n";
    assert_eq!(chapter(page, "b"), ("\none\n".to_owned(), "# a\n\n## c\n\ntwo\n".to_owned()));
}

#[test]
fn a_table_is_that_below_its_heading() {
    let page = "# a\n\n## b\n\n| x | y |\n|---|---|\n| 1 | `2`, 3 `4` |\n\n## c\n\n| z |\n|---|\n| 5 |\n";
    assert_eq!(table(page, "b"), [["1", "`2`, 3 `4`"]]);
    assert_eq!(table(page, "c"), [["5"]]);
    assert_eq!(code("`2`, 3 `4`"), ["2", "4"]);
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
