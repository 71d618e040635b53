//! The steps as people see them: which of how many, the command before it runs, and how long each took.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::process::{self, say};

/// The steps of a demo.
pub struct Steps {
    total: usize,
    done: usize,
    begin: Instant,
}

impl Steps {
    /// None done yet.
    pub fn new(total: usize) -> Self {
        say(&format!(
            "From nothing to a running exchange, in {total} steps. Each shows its command, and how long it took."
        ));
        Self { total, done: 0, begin: Instant::now() }
    }

    /// Does the next step.
    pub fn next(&mut self, what: &str, act: impl FnOnce() -> Result<()>) -> Result<()> {
        self.done += 1;
        say(&format!("\n[{}/{}] {what}", self.done, self.total));
        let begin = Instant::now();
        act()?;
        say(&format!("[{}/{}] done in {}", self.done, self.total, shown(begin.elapsed())));
        Ok(())
    }

    /// Says how it has ended, and what one may do now.
    pub fn close(&self, afterwards: &[(&'static str, String)]) {
        say(&format!("\nThe exchange runs, after {}.", shown(self.begin.elapsed())));
        let width = afterwards.iter().map(|(what, _)| what.len()).max().unwrap_or_default();
        for (what, line) in afterwards {
            say(&format!("  {what:<width$}  {line}"));
        }
    }
}

/// Shows a command as it is typed, and runs it.
pub fn run(command: &mut Command, line: &str) -> Result<()> {
    say(&format!("$ {line}"));
    process::run(command)
}

fn shown(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 60.. => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_people_do() {
        assert_eq!(shown(Duration::from_millis(1_340)), "1.3 s");
        assert_eq!(shown(Duration::from_millis(61_900)), "1 min 1 s");
        assert_eq!(shown(Duration::from_mins(31)), "31 min 0 s");
    }
}
