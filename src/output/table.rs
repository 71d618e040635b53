//! Tables as kubectl's: NAME first, AGE last, no lines, `<none>` for what is empty.

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
    fn the_wide_table_has_more() {
        assert_eq!(table(false), "NAME         AGE\npostgres-0   5s\na            <none>\n");
        assert!(table(true).contains("postgres-0   node[2J-1   5s\n"), "{}", table(true));
    }
}
