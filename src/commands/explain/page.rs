//! Text for a terminal: Markdown without the marks, in lines that are easy to read.

use crate::output::{Line, Role, terminal};

/// Longer lines are hard to read.
pub const WIDEST: usize = 90;

/// What stands before a command.
pub const INDENT: &str = "    ";

/// What stands before a point of a list, in the text and here.
pub const POINT: &str = "- ";

/// How wide the text may be here.
pub fn width() -> usize {
    terminal::size().map_or(WIDEST, |(columns, _)| WIDEST.min(columns.into()))
}

/// Headings, paragraphs, lists of one level and blocks of commands: the texts have nothing else.
pub fn of_text(text: &str, width: usize) -> Vec<Line> {
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
            lines.push(command(line));
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

/// A command on a line of its own.
pub fn command(line: &str) -> Line {
    Line::default().and(Role::Plain, INDENT).and(Role::Command, line)
}

fn paragraph(text: &str, width: usize) -> Vec<Line> {
    match text.strip_prefix(POINT) {
        Some(point) => wrapped(point, POINT, width),
        None => wrapped(text, "", width),
    }
}

/// The text in lines that are no wider than that, the first of them after this point.
pub fn wrapped(text: &str, point: &str, width: usize) -> Vec<Line> {
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
pub const CODE: char = '`';

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
}
