//! Tables as kubectl's: NAME first, AGE last, no lines, `<none>` for what is empty.

use std::io;

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table as Grid};

use crate::text::{one_line, shortened};

/// A column: its heading, without spaces, and whether only the wide table has it.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    heading: &'static str,
    wide: bool,
}

impl Column {
    /// A column of every table.
    #[must_use]
    pub const fn always(heading: &'static str) -> Self {
        Self { heading, wide: false }
    }

    /// A column of the wide table.
    #[must_use]
    pub const fn wide(heading: &'static str) -> Self {
        Self { heading, wide: true }
    }
}

/// The longest cell: as long as the longest name.
const LONGEST: usize = 253;

/// A table being filled.
pub struct Table {
    grid: Grid,
    shown: Vec<bool>,
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(columns: &[Column], wide: bool) -> Self {
        let shown: Vec<bool> = columns.iter().map(|column| wide || !column.wide).collect();
        let mut grid = Grid::new();
        grid.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        grid.set_header(columns.iter().zip(&shown).filter(|(_, shown)| **shown).map(|(column, _)| column.heading));
        for column in grid.column_iter_mut() {
            column.set_padding((0, 3));
        }
        Self { grid, shown }
    }

    /// Adds a row with a cell for every column, also for those that are not shown.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells = cells.into_iter().zip(&self.shown).filter(|(_, shown)| **shown).map(|(cell, _)| {
            let cell = one_line(&cell);
            if cell.is_empty() { "<none>".to_owned() } else { shortened(&cell, LONGEST).into_owned() }
        });
        self.grid.add_row(cells);
    }

    /// The table as text; the last line ends with a newline.
    #[must_use]
    pub fn text(&self) -> String {
        self.grid.trim_fmt() + "\n"
    }
}

/// Longer lines are hard to read.
const WIDEST: u16 = 100;

/// How wide a table of sentences is where there is no terminal.
const USUAL: u16 = 80;

/// Sentences beside each other, each below its heading and broken between words. As wide as the terminal, within reason.
#[must_use]
pub fn beside(headings: &[&str], sentences: &[&str]) -> String {
    let width = terminal_size::terminal_size_of(io::stdout()).map_or(USUAL, |(width, _)| width.0.min(WIDEST));
    beside_within(headings, sentences, width)
}

fn beside_within(headings: &[&str], sentences: &[&str], width: u16) -> String {
    let mut grid = Grid::new();
    grid.load_style(NOTHING).set_content_arrangement(ContentArrangement::DynamicFullWidth).set_width(width);
    grid.set_header(headings);
    let last = headings.len().saturating_sub(1);
    for (number, column) in grid.column_iter_mut().enumerate() {
        column.set_padding((0, if number == last { 0 } else { 3 }));
    }
    grid.add_row(sentences.iter().map(|sentence| one_line(sentence)));
    grid.trim_fmt() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [Column::always("NAME"), Column::wide("NODE"), Column::always("AGE")];

    fn table(wide: bool) -> String {
        let mut table = Table::new(&COLUMNS, wide);
        table.row(["postgres-0", "node\u{1b}[2J-1", "5s"].map(str::to_owned));
        table.row(["a", "", "\n"].map(str::to_owned));
        table.text()
    }

    #[test]
    fn sentences_stand_beside_each_other() {
        let text = beside_within(&["YOU SAID", "OBSERVED"], &["one two three four five", "six"], 26);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("YOU SAID") && lines[0].ends_with("OBSERVED"), "{text}");
        assert!(lines.len() == 3 && lines[1].ends_with("six") && !lines[2].contains("six"), "{text}");
        assert!(lines.iter().all(|line| line.chars().count() <= 26), "{text}");
    }

    #[test]
    fn the_wide_table_has_more() {
        assert_eq!(table(false), "NAME         AGE\npostgres-0   5s\na            <none>\n");
        assert!(table(true).contains("postgres-0   node[2J-1   5s\n"), "{}", table(true));
    }
}
