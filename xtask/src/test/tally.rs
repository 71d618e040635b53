//! Counts of tests, read from the closing lines of the runners.

use std::fmt::{self, Display, Formatter};

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
}

impl Tally {
    /// What a line of a runner's output adds: the closing line of `cargo test`, pytest or Vitest. An error outside a test
    /// counts as failed.
    pub fn of_line(line: &str) -> Option<Self> {
        Self::of_cargo(line).or_else(|| {
            let line = line.trim();
            Self::of_counts(line.strip_prefix("Tests  ").or_else(|| {
                let (counts, _) = line.strip_prefix('=')?.trim_matches(['=', ' ']).rsplit_once(" in ")?;
                Some(counts)
            })?)
        })
    }

    /// What a line of a program of Rust tests adds. Such a test may print what another runner said.
    pub fn of_cargo(line: &str) -> Option<Self> {
        Self::of_counts(line.trim().strip_prefix("test result: ")?)
    }

    fn of_counts(summary: &str) -> Option<Self> {
        let words: Vec<&str> = summary.split([' ', ',', ';', '.', '|']).filter(|word| !word.is_empty()).collect();
        let count = |labels: &[&str]| -> Option<u64> {
            words.windows(2).filter(|pair| labels.contains(&pair[1])).map(|pair| pair[0].parse::<u64>().ok()).sum()
        };
        let tally = Self { passed: count(&["passed"])?, failed: count(&["failed", "error", "errors"])? };
        (tally != Self::default()).then_some(tally)
    }

    /// What the closing line of these tasks adds, where they are run by themselves.
    pub fn of_close(line: &str) -> Option<Self> {
        let (passed, failed) = line.strip_suffix(" failed")?.split_once(" passed, ")?;
        Some(Self { passed: passed.parse().ok()?, failed: failed.parse().ok()? })
    }
}

/// The closing line of these tasks.
impl Display for Tally {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passed, {} failed", self.passed, self.failed)
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_lines_of_the_runners_are_counted() {
        let cases = [
            ("test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s", 5, 0),
            ("test result: FAILED. 4 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s", 4, 1),
            ("========================= 57 passed in 12.30s =========================", 57, 0),
            ("============ 2 failed, 55 passed, 1 error, 3 warnings in 72.01s (0:01:12) ============", 55, 3),
            ("      Tests  40 passed (40)", 40, 0),
            ("      Tests  1 failed | 39 passed (40)", 39, 1),
        ];
        for (line, passed, failed) in cases {
            let tally = Some(Tally { passed, failed });
            assert_eq!(Tally::of_line(line), tally, "{line}");
            assert_eq!(Tally::of_cargo(line), tally.filter(|_| line.starts_with("test result")), "{line}");
        }
    }

    #[test]
    fn the_own_closing_line_is_read_as_it_is_written() {
        let tally = Tally { passed: 21, failed: 2 };
        assert_eq!(Tally::of_close(&tally.to_string()), Some(tally));
        for line in
            ["  test result: FAILED. 0 passed; 1 failed; 0 ignored", "  21 passed, 2 failed", "21 passed, 2 failed."]
        {
            assert_eq!(Tally::of_close(line), None, "{line}");
        }
    }

    #[test]
    fn other_lines_count_nothing() {
        for line in [
            "",
            "running 5 tests",
            "=== FAILURES ===",
            "5 passed",
            " Test Files  3 passed (3)",
            "=== no tests ran in 0.01s ===",
        ] {
            assert_eq!(Tally::of_line(line), None, "{line}");
        }
    }
}
