//! The figures as a table in Markdown: what docs/performance.md holds is what a command has printed.

use super::statistics::Spread;

/// A figure, what it is compared with, and what it has to reach.
#[derive(Debug)]
pub struct Row {
    /// What was measured.
    pub what: String,
    /// What came out.
    pub measured: Spread,
    /// What was measured in turns with it, and what came out.
    pub beside: Option<(String, Spread)>,
    /// What is to be reached.
    pub aim: Aim,
}

/// What a median has to reach.
#[derive(Clone, Copy, Debug)]
pub enum Aim {
    /// At most so many times the median beside it.
    Times(f64),
    /// At most so much above the median beside it.
    Above(f64),
    /// At most so much, whatever stands beside it.
    AtMost(f64),
}

const HEADINGS: [&str; 7] =
    ["", "min / median / max", "beside it", "min / median / max", "comes to", "at most", "reached"];

impl Row {
    /// Whether it reaches its aim. What is to be compared and has nothing beside it does not.
    pub fn is_reached(&self) -> bool {
        match (self.aim, &self.beside) {
            (Aim::AtMost(most), _) => self.measured.median <= most,
            (Aim::Times(times), Some((_, beside))) => self.measured.median <= times * beside.median,
            (Aim::Above(more), Some((_, beside))) => self.measured.median <= beside.median + more,
            (_, None) => false,
        }
    }

    fn cells(&self) -> [String; 7] {
        let unit = self.measured.unit();
        let beside = self.beside.as_ref();
        let (figure, aim) = match (self.aim, beside) {
            (Aim::AtMost(most), _) => (self.measured.middle(), unit.shown(most)),
            (Aim::Times(times), Some((_, beside))) => {
                (format!("{:.2} times", self.measured.median / beside.median), format!("{times} times"))
            }
            (Aim::Above(more), Some((_, beside))) => {
                (format!("+{}", unit.shown(self.measured.median - beside.median)), format!("+{}", unit.shown(more)))
            }
            (_, None) => Default::default(),
        };
        [
            self.what.clone(),
            self.measured.shown(),
            beside.map(|(what, _)| what.clone()).unwrap_or_default(),
            beside.map(|(_, beside)| beside.shown()).unwrap_or_default(),
            figure,
            aim,
            if self.is_reached() { "yes" } else { "**no**" }.to_owned(),
        ]
    }
}

/// The rows with their headings.
pub fn of_rows(rows: &[Row]) -> String {
    markdown(&HEADINGS, &rows.iter().map(Row::cells).collect::<Vec<_>>())
}

/// Cells under headings, each column as wide as its widest cell.
pub fn markdown<const N: usize>(headings: &[&str; N], rows: &[[String; N]]) -> String {
    let widths: [usize; N] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([headings[column].chars().count(), 3]).max().unwrap_or_default()
    });
    let line = |cells: [&str; N]| -> String {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!(" {cell:<width$} |"));
        format!("|{}\n", padded.collect::<String>())
    };
    let rule = widths.map(|width| "-".repeat(width + 2)).join("|");
    let rows: String = rows.iter().map(|row| line(row.each_ref().map(String::as_str))).collect();
    format!("{}|{rule}|\n{rows}", line(*headings))
}

#[cfg(test)]
mod tests {
    use super::super::statistics::Unit;
    use super::*;

    fn row(measured: f64, beside: Option<f64>, aim: Aim) -> Option<Row> {
        let spread = |value| Spread::of(Unit::Seconds, [value]);
        let beside = beside.and_then(spread).map(|spread| ("`kubectl get`".to_owned(), spread));
        Some(Row { what: "`status`".to_owned(), measured: spread(measured)?, beside, aim })
    }

    #[test]
    fn an_aim_is_reached_up_to_its_limit() {
        for (measured, beside, aim, reached) in [
            (0.125, Some(1.0), Aim::Times(0.125), true),
            (0.126, Some(1.0), Aim::Times(0.125), false),
            (0.0625, Some(0.0375), Aim::Above(0.025), true),
            (0.066, Some(0.04), Aim::Above(0.025), false),
            (0.003, None, Aim::AtMost(0.003), true),
            (0.0031, Some(9.0), Aim::AtMost(0.003), false),
            (0.1, None, Aim::Times(0.125), false),
        ] {
            assert_eq!(row(measured, beside, aim).map(|row| row.is_reached()), Some(reached), "{measured} {aim:?}");
        }
    }

    #[test]
    fn a_row_says_what_it_comes_to_and_what_was_wanted() {
        let cells = |measured, beside, aim| row(measured, beside, aim).map(|row| row.cells()[4..].join(" | "));
        assert_eq!(cells(0.5, Some(1.0), Aim::Times(0.125)), Some("0.50 times | 0.125 times | **no**".to_owned()));
        assert_eq!(cells(0.06, Some(0.04), Aim::Above(0.025)), Some("+20 ms | +25 ms | yes".to_owned()));
        assert_eq!(cells(0.002, None, Aim::AtMost(0.003)), Some("2.0 ms | 3.0 ms | yes".to_owned()));
    }

    #[test]
    fn columns_are_aligned() {
        let rows = [["reads".to_owned(), "1".to_owned()], ["a".to_owned(), "10 ms".to_owned()]];
        let expected = "|       | p50   |\n|-------|-------|\n| reads | 1     |\n| a     | 10 ms |\n";
        assert_eq!(markdown(&["", "p50"], &rows), expected);
    }
}
