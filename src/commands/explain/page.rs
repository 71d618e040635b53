//! The text of a finding for a terminal: its Markdown, without the marks.

use super::Explanation;
use crate::findings::Cause;
use crate::kubernetes::ByHand;
use crate::output::{Line, Role, terminal};

/// Longer lines are hard to read.
const WIDEST: usize = 90;

/// What stands before a command.
const INDENT: &str = "    ";

/// What stands before a point of a list, in the text and here.
const POINT: &str = "- ";

/// What is said of a cause that is not of the exchange alone.
fn any_set() -> String {
    let look = ByHand::default().own("doctor --target statefulset/NAME");
    format!(
        "Any StatefulSet can have it, not only the exchange, whose names the text has. To look for it: `{}`",
        look.line()
    )
}

/// How wide the text may be here.
pub fn width() -> usize {
    terminal::size().map_or(WIDEST, |(columns, _)| WIDEST.min(columns.into()))
}

/// All that is said of a finding.
pub fn lines(explanation: &Explanation, width: usize) -> Vec<Line> {
    let Explanation { cause, text, any_stateful_set, explains, explained_by } = explanation;
    let mut lines = vec![Line::default().and(Role::Title, format!("{} {}: {}", cause.id, cause.slug, cause.title))];
    lines.push(Line::default());
    lines.extend(of_text(text, width));
    for (words, others) in [("It explains", explains), ("It is explained by", explained_by)] {
        if !others.is_empty() {
            lines.push(Line::default());
            lines.extend(wrapped(&format!("{words}: {}", named(others)), "", width));
        }
    }
    if *any_stateful_set {
        lines.push(Line::default());
        lines.extend(wrapped(&any_set(), "", width));
    }
    lines
}

fn named(causes: &[&Cause]) -> String {
    let names: Vec<String> = causes.iter().map(|cause| format!("{} {}", cause.id, cause.slug)).collect();
    names.join(", ")
}

/// Headings, paragraphs, lists of one level and blocks of commands: the texts have nothing else.
fn of_text(text: &str, width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    // Lines of a paragraph or of a point, put together.
    let mut open = String::new();
    let mut is_code = false;
    for line in text.lines() {
        let is_fence = line.starts_with("```");
        let heading = line.strip_prefix("## ").filter(|_| !is_code);
        let ends = is_fence || line.is_empty() || heading.is_some() || line.starts_with(POINT);
        if ends && !open.is_empty() {
            lines.extend(paragraph(&open, width));
            open.clear();
        }
        if is_fence {
            is_code = !is_code;
        } else if is_code {
            lines.push(Line::default().and(Role::Plain, INDENT).and(Role::Command, line));
        } else if let Some(heading) = heading {
            lines.push(Line::default().and(Role::Title, heading));
        } else if line.is_empty() {
            lines.push(Line::default());
        } else {
            open += line.trim();
            open.push(' ');
        }
    }
    if !open.is_empty() {
        lines.extend(paragraph(&open, width));
    }
    lines
}

fn paragraph(text: &str, width: usize) -> Vec<Line> {
    match text.strip_prefix(POINT) {
        Some(point) => wrapped(point, POINT, width),
        None => wrapped(text, "", width),
    }
}

/// The text in lines that are no wider than that, the first of them after this point.
fn wrapped(text: &str, point: &str, width: usize) -> Vec<Line> {
    // The marks of code are not shown.
    let shown = |text: &str| text.chars().filter(|character| *character != CODE).count();
    let mut rows = vec![String::new()];
    for word in text.split_whitespace() {
        let before = rows.last().map_or(0, |row| shown(row));
        if before > 0 && point.len() + before + 1 + shown(word) > width {
            rows.push(String::new());
        }
        if let Some(row) = rows.last_mut() {
            if !row.is_empty() {
                row.push(' ');
            }
            row.push_str(word);
        }
    }
    let mut is_code = false;
    let indents = [point.to_owned()].into_iter().chain(std::iter::repeat(" ".repeat(point.len())));
    rows.iter().zip(indents).map(|(row, indent)| pieces(row, &indent, &mut is_code)).collect()
}

/// What stands before and after code in a text.
const CODE: char = '`';

/// A line without the marks of code, which may begin in one line and end in the next.
fn pieces(row: &str, indent: &str, is_code: &mut bool) -> Line {
    let mut line = Line::default();
    if !indent.is_empty() {
        line = line.and(Role::Plain, indent);
    }
    for (number, piece) in row.split(CODE).enumerate() {
        *is_code ^= number > 0;
        if !piece.is_empty() {
            line = line.and(if *is_code { Role::Command } else { Role::Plain }, piece);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings;

    const TEXT: &str = "\
## What it means

One `two
three` four.

- five six seven
  eight
- nine

```console
get `pods` --all   # and more
```
";

    #[test]
    fn marks_are_gone_and_code_keeps_its_own() {
        let plain = |text: &str| Line::default().and(Role::Plain, text);
        let expected = [
            Line::default().and(Role::Title, "What it means"),
            Line::default(),
            plain("One ").and(Role::Command, "two"),
            Line::default().and(Role::Command, "three").and(Role::Plain, " four."),
            Line::default(),
            plain("- ").and(Role::Plain, "five six"),
            plain("  ").and(Role::Plain, "seven"),
            plain("  ").and(Role::Plain, "eight"),
            plain("- ").and(Role::Plain, "nine"),
            Line::default(),
            plain("    ").and(Role::Command, "get `pods` --all   # and more"),
        ];
        assert_eq!(of_text(TEXT, 11), expected);
    }

    #[test]
    fn no_text_has_other_marks_or_is_too_wide() {
        for cause in findings::every() {
            let explanation = Explanation::of(cause);
            let all: Vec<String> = lines(&explanation, WIDEST).iter().map(Line::plain).collect();
            for line in &all[1..] {
                let is_command = line.starts_with(INDENT);
                assert!(is_command || line.chars().count() <= WIDEST, "{cause:?}: {line}");
                assert!(is_command || !line.contains(['`', '#', '*', '[']), "{cause:?}: {line}");
            }
        }
    }
}
