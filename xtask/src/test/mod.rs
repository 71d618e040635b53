//! `cargo xtask test`: every check of the workspace, by group.

pub mod app;
mod cluster;
mod lint;
mod tally;
mod unit;

use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use clap::ValueEnum;

use crate::process::{self, say};
use tally::Tally;

/// What to test.
#[derive(clap::Args)]
pub struct Args {
    /// The groups to run; all of them if none is named
    groups: Vec<Group>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Group {
    /// Formatting, lints and documentation
    Lint,
    /// Tests of the Rust code, the manifests among them
    Unit,
    /// The exchange: backend, page, images, and the guards of its data
    App,
    /// The test cluster itself, with faults; takes it up and down
    Testbed,
    /// The plugin on a real cluster
    Cluster,
    /// The lesson by hand: kubectl and the manifests on a real cluster
    Lesson,
}

impl Group {
    fn needs_cluster(self) -> bool {
        matches!(self, Self::Cluster | Self::Lesson)
    }
}

/// Runs the groups and closes with the number of tests passed and failed.
pub fn run(args: &Args) -> Result<ExitCode> {
    let groups = if args.groups.is_empty() { Group::value_variants() } else { &args.groups };
    let mut report = Report::default();
    let mut up = None;
    for group in groups {
        if group.needs_cluster() && up.is_none() {
            up = Some(cluster::Cluster::up()?);
        }
        match group {
            Group::Lint => lint::run(&mut report),
            Group::Unit => unit::run(&mut report),
            Group::App => app::run(&mut report),
            Group::Testbed => cluster::testbed(&mut report),
            Group::Cluster => cluster::cluster(&mut report),
            Group::Lesson => cluster::lesson(&mut report),
        }?;
    }
    drop(up);
    Ok(report.close())
}

/// What has run so far.
#[derive(Default)]
pub struct Report {
    total: Tally,
    failures: Vec<String>,
}

impl Report {
    /// Runs one check. Its tests are counted if its runner says how many there were, else it counts as one.
    fn check(&mut self, name: &str, command: &mut Command) -> Result<()> {
        begin(name, command);
        let outcome = Outcome::of(command, say)?;
        self.end(name, &outcome);
        Ok(())
    }

    /// Runs checks side by side. What each prints comes in one piece.
    fn check_together(&mut self, checks: Vec<(String, Command)>) -> Result<()> {
        thread::scope(|scope| {
            let running: Vec<_> = checks
                .into_iter()
                .map(|(name, mut command)| {
                    begin(&name, &command);
                    let outcome = scope.spawn(move || {
                        let mut lines = Vec::new();
                        let outcome = Outcome::of(&mut command, |line| lines.push(line.to_owned()))?;
                        anyhow::Ok((lines, outcome))
                    });
                    (name, outcome)
                })
                .collect();
            for (name, outcome) in running {
                let (lines, outcome) = outcome.join().map_err(|_| anyhow!("{name} panicked"))??;
                say(&format!("\n{name}:\n{}", lines.join("\n")));
                self.end(&name, &outcome);
            }
            Ok(())
        })
    }

    fn end(&mut self, name: &str, outcome: &Outcome) {
        say(&format!("  {name}: {:.1} s", outcome.took.as_secs_f64()));
        self.add(name, outcome.succeeded, outcome.seen);
    }

    fn add(&mut self, name: &str, succeeded: bool, mut seen: Tally) {
        match succeeded {
            true if seen == Tally::default() => seen.passed = 1,
            false if seen.failed == 0 => seen.failed = 1,
            _ => {}
        }
        if seen.failed > 0 {
            self.failures.push(name.to_owned());
        }
        self.total += seen;
    }

    fn close(&self) -> ExitCode {
        for name in &self.failures {
            say(&format!("failed: {name}"));
        }
        say(&format!("\n{} passed, {} failed", self.total.passed, self.total.failed));
        if self.total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

fn begin(name: &str, command: &Command) {
    say(&format!("\n> {name}: {}", process::shown(command)));
}

/// What became of a check.
struct Outcome {
    succeeded: bool,
    seen: Tally,
    took: Duration,
}

impl Outcome {
    fn of(command: &mut Command, mut show: impl FnMut(&str)) -> Result<Self> {
        let start = Instant::now();
        let mut seen = Tally::default();
        // Some runners colour the lines that are counted, whether or not a terminal shows them.
        let succeeded = process::watched(command.env("NO_COLOR", "1"), |line| {
            show(line);
            if let Some(tally) = Tally::of_line(line) {
                seen += tally;
            }
        })?;
        Ok(Self { succeeded, seen, took: start.elapsed() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_without_counts_is_one_and_a_failure_always_counts() {
        let mut report = Report::default();
        report.add("fmt", true, Tally::default());
        report.add("tests", true, Tally { passed: 3, failed: 0 });
        assert_eq!(report.total, Tally { passed: 4, failed: 0 });
        report.add("clippy", false, Tally::default());
        report.add("crashed after its summary", false, Tally { passed: 2, failed: 0 });
        assert_eq!(report.total, Tally { passed: 6, failed: 2 });
        assert_eq!(report.failures, ["clippy", "crashed after its summary"]);
    }

    #[test]
    fn checks_side_by_side_are_counted_like_others() -> Result<()> {
        let shell = |name: &str, script: &str| {
            let mut sh = Command::new("sh");
            sh.args(["-c", script]);
            (name.to_owned(), sh)
        };
        let mut report = Report::default();
        report.check_together(vec![
            shell("passes", "echo '=== 3 passed in 0.10s ==='"),
            shell("fails", "echo '=== 1 failed, 2 passed in 0.10s ===' >&2; exit 1"),
        ])?;
        assert_eq!(report.total, Tally { passed: 5, failed: 1 });
        assert_eq!(report.failures, ["fails"]);
        Ok(())
    }
}
