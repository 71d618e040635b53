//! `cargo xtask test`: every check of the workspace, by group.

pub mod app;
mod cluster;
mod each;
mod house;
mod krew;
mod lint;
mod tally;
mod unit;

use std::collections::VecDeque;
use std::process::{Command, ExitCode};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use clap::ValueEnum;
use rustix::process::setpriority_process;

use crate::process::{self, say};
use tally::Tally;

/// What to test.
#[derive(clap::Args)]
pub struct Args {
    /// The groups to run; if none is named, all but drawn, portable and advisories
    groups: Vec<Group>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Group {
    /// Formatting, lints and documentation
    Lint,
    /// Tests of the Rust code, the manifests among them
    Unit,
    /// What people install, and the real krew that installs it
    Krew,
    /// The exchange: backend, page, images, and the guards of its data
    App,
    /// The test cluster itself, with faults; takes it up and down
    Testbed,
    /// The plugin on a real cluster
    Cluster,
    /// The plugin on a real cluster whose nodes and servers fail
    Exclusive,
    /// Faults on a real cluster: doctor names each, and what it hints at helps
    Faults,
    /// The lesson by hand: kubectl and the manifests on a real cluster
    Lesson,
    /// The commands of the README and of docs/lesson.md, as they stand there
    Docs,
    /// persistence-demo in twenty states, and kubeconfigs, drawn by chance; only if it is named
    Drawn,
    /// The plugin on a cluster of yours, that of KUBECONFIG; only if it is named
    Portable,
    /// Known weaknesses of the libraries; only if it is named, as it asks github.com for the list of them
    Advisories,
}

impl Group {
    /// Those that run if none is named.
    const USUAL: [Self; 10] = [
        Self::Lint,
        Self::Unit,
        Self::Krew,
        Self::App,
        Self::Testbed,
        Self::Cluster,
        Self::Exclusive,
        Self::Faults,
        Self::Lesson,
        Self::Docs,
    ];

    fn needs_cluster(self) -> bool {
        matches!(self, Self::Cluster | Self::Exclusive | Self::Faults | Self::Lesson | Self::Docs | Self::Drawn)
    }

    /// Whether it is held to no deadline and mostly compiles.
    fn at_leisure(self) -> bool {
        matches!(self, Self::Lint | Self::Krew)
    }

    /// Runs it, with the cluster there that it needs.
    fn run(self, report: &mut Report) -> Result<()> {
        match self {
            Self::Lint => lint::run(report),
            Self::Unit => unit::run(report),
            Self::Krew => krew::run(report),
            Self::App => app::at_leisure(report),
            Self::Testbed => cluster::testbed(report),
            Self::Cluster => cluster::shared(report),
            Self::Exclusive => cluster::exclusive(report),
            Self::Faults => cluster::faults(report),
            Self::Lesson => cluster::lesson(report),
            Self::Docs => cluster::docs(report),
            Self::Drawn => cluster::drawn(report),
            Self::Portable => cluster::portable(report),
            Self::Advisories => lint::advisories(report),
        }
    }
}

/// Runs the groups and closes with the number of tests passed and failed.
pub fn run(args: &Args) -> Result<ExitCode> {
    let groups = if args.groups.is_empty() { &Group::USUAL[..] } else { &args.groups };
    let has = |group: Group| groups.contains(&group);
    // Last, while the exclusive tests wait more than they work.
    let (leisure, groups): (Vec<Group>, Vec<Group>) =
        groups.iter().partition(|group| group.at_leisure() && has(Group::Exclusive));
    let (on_cluster, without): (Vec<Group>, Vec<Group>) = groups.iter().partition(|group| group.needs_cluster());
    let mut report = Report::new();
    thread::scope(|scope| {
        // Its tests wait for most of their time, so compilers run beside them; what is held to deadlines does not.
        if has(Group::Testbed) {
            // Or it would wait until all others are.
            cluster::of_it()?;
        }
        let testbed = has(Group::Testbed).then(|| {
            report.say("\n> testbed, beside what follows");
            aside(scope, |report| Group::Testbed.run(report))
        });
        if has(Group::Unit) {
            unit::build()?;
        }
        let built = (!on_cluster.is_empty()).then(|| aside(scope, |_| at_leisure(cluster::on_it).map(drop)));
        let others = without.iter().filter(|group| **group != Group::Testbed);
        others.copied().try_for_each(|group| group.run(&mut report))?;
        built.into_iter().chain(testbed).try_for_each(|beside| report.take_up(beside))?;
        if has(Group::App) {
            app::in_time(&mut report)?;
        }
        on_clusters(scope, &mut report, &on_cluster, leisure)
    })?;
    Ok(report.close())
}

/// Runs the groups that need a cluster, and then what is done at leisure. The tests that share one keep all processors busy. The
/// exclusive ones wait more than they work, and have the rest beside them, on another cluster.
fn on_clusters<'scope>(
    scope: &'scope Scope<'scope, '_>,
    report: &mut Report,
    groups: &[Group],
    leisure: Vec<Group>,
) -> Result<()> {
    if groups.is_empty() {
        return Ok(());
    }
    let _up = cluster::Cluster::up()?;
    let (shared, rest): (Vec<Group>, Vec<Group>) = groups.iter().partition(|group| **group == Group::Cluster);
    shared.into_iter().try_for_each(|group| group.run(report))?;
    let (elsewhere, here): (Vec<Group>, Vec<Group>) =
        rest.iter().partition(|group| **group == Group::Exclusive && rest.len() > 1);
    let elsewhere = elsewhere.first().map(|_| cluster::elsewhere("exclusive")).transpose()?;
    let elsewhere = elsewhere.map(|mut exclusive| {
        report.say("\n> exclusive, beside what follows");
        aside(scope, move |report| report.passes_by("exclusive", &mut exclusive, Tally::of_close).map(drop))
    });
    here.into_iter().try_for_each(|group| group.run(report))?;
    let last = || at_leisure(|| leisure.into_iter().try_for_each(|group| group.run(report)));
    thread::scope(|scope| scope.spawn(last).join()).map_err(|_| anyhow!("what is done at leisure panicked"))??;
    elsewhere.map_or(Ok(()), |elsewhere| report.take_up(elsewhere))
}

/// What runs beside others, with a report of its own.
type Aside<'scope> = ScopedJoinHandle<'scope, Result<Report>>;

/// Begins what runs beside others.
fn aside<'scope>(
    scope: &'scope Scope<'scope, '_>,
    run: impl FnOnce(&mut Report) -> Result<()> + Send + 'scope,
) -> Aside<'scope> {
    scope.spawn(|| {
        let mut report = Report::beside();
        run(&mut report)?;
        Ok(report)
    })
}

/// Has all else go before what this thread does from now on, and what it starts.
fn at_leisure<T>(act: impl FnOnce() -> Result<T>) -> Result<T> {
    setpriority_process(None, LAST)?;
    act()
}

/// The niceness of what others go before.
const LAST: i32 = 19;

/// How many of a failed check's last lines are shown once more at the end: what runs later buries them.
const LAST_LINES: usize = 60;

/// How many of the slowest tests are named at the end.
const SLOWEST: usize = 20;

/// What has run so far.
pub struct Report {
    total: Tally,
    failures: Vec<Failure>,
    /// How long each test took of those that were timed one by one.
    times: Vec<(String, Duration)>,
    say: Say,
}

/// What becomes of a line.
enum Say {
    /// It is printed.
    Now,
    /// It is kept, for it comes beside the lines of another report.
    Later(Vec<String>),
}

/// A check that failed.
#[derive(Debug, PartialEq, Eq)]
struct Failure {
    name: String,
    last_lines: Vec<String>,
}

impl Report {
    /// Nothing has. Lines are printed at once.
    fn new() -> Self {
        Self { total: Tally::default(), failures: Vec::new(), times: Vec::new(), say: Say::Now }
    }

    /// Nothing has. Lines are kept until another report takes this one up.
    fn beside() -> Self {
        Self { say: Say::Later(Vec::new()), ..Self::new() }
    }

    /// Waits for the end of what runs beside, and adds it.
    fn take_up(&mut self, other: Aside<'_>) -> Result<()> {
        let other = other.join().map_err(|_| anyhow!("what ran beside others panicked"))??;
        if let Say::Later(lines) = other.say {
            for line in &lines {
                self.say(line);
            }
        }
        self.total += other.total;
        self.failures.extend(other.failures);
        self.times.extend(other.times);
        Ok(())
    }

    fn say(&mut self, line: &str) {
        match &mut self.say {
            Say::Now => say(line),
            Say::Later(lines) => lines.push(line.to_owned()),
        }
    }

    /// Runs one check. Its tests are counted if its runner says how many there were, else it counts as one.
    fn check(&mut self, name: &str, command: &mut Command) -> Result<()> {
        self.passes(name, command).map(drop)
    }

    /// The same. Gives whether it succeeded.
    fn passes(&mut self, name: &str, command: &mut Command) -> Result<bool> {
        self.passes_by(name, command, Tally::of_line)
    }

    /// The same, with what counts the tests in the runner's lines.
    fn passes_by(&mut self, name: &str, command: &mut Command, count: fn(&str) -> Option<Tally>) -> Result<bool> {
        self.begin(name, command);
        let outcome = Outcome::of(command, count, |line| self.say(line))?;
        let succeeded = outcome.succeeded;
        self.end(name, outcome);
        Ok(succeeded)
    }

    /// Runs a check of this program's own, which counts as one. Gives whether it succeeded.
    fn check_here(&mut self, name: &str, check: impl FnOnce() -> Result<()>) -> bool {
        self.say(&format!("\n> {name}"));
        let start = Instant::now();
        let wrong = check().err().map(|error| format!("{error:#}")).unwrap_or_default();
        let last_lines: VecDeque<String> = wrong.lines().map(str::to_owned).collect();
        for line in &last_lines {
            self.say(line);
        }
        let succeeded = wrong.is_empty();
        self.end(name, Outcome { succeeded, took: start.elapsed(), last_lines, ..Outcome::default() });
        succeeded
    }

    /// Runs checks side by side.
    fn check_together(&mut self, checks: Vec<(String, Command)>) -> Result<()> {
        thread::scope(|scope| {
            let check =
                |(name, mut command): (String, Command)| aside(scope, move |report| report.check(&name, &mut command));
            let running: Vec<Aside> = checks.into_iter().map(check).collect();
            running.into_iter().try_for_each(|check| self.take_up(check))
        })
    }

    fn begin(&mut self, name: &str, command: &Command) {
        self.say(&format!("\n> {name}: {}", process::shown(command)));
    }

    fn end(&mut self, name: &str, outcome: Outcome) {
        self.say(&format!("  {name}: {:.1} s", outcome.took.as_secs_f64()));
        self.add(name, outcome);
    }

    /// A test of a program has ended. What it has printed is shown if it failed.
    fn end_test(&mut self, name: &str, lines: &[String], mut outcome: Outcome) {
        let word = if outcome.succeeded { "ok" } else { "FAILED" };
        self.say(&format!("{:>7.1} s  {word:<6}  {name}", outcome.took.as_secs_f64()));
        if !outcome.succeeded {
            for line in lines {
                self.say(line);
            }
            // What a test shows of the cluster comes after its reason.
            if let Some(reason) = lines.iter().position(|line| line.contains("panicked at")) {
                outcome.last_lines = lines.iter().skip(reason).take(LAST_LINES).cloned().collect();
            }
        }
        self.times.push((name.to_owned(), outcome.took));
        self.add(name, outcome);
    }

    fn add(&mut self, name: &str, outcome: Outcome) {
        let mut seen = outcome.seen;
        match outcome.succeeded {
            true if seen == Tally::default() => seen.passed = 1,
            false if seen.failed == 0 => seen.failed = 1,
            _ => {}
        }
        if seen.failed > 0 {
            self.failures.push(Failure { name: name.to_owned(), last_lines: outcome.last_lines.into() });
        }
        self.total += seen;
    }

    fn close(&mut self) -> ExitCode {
        self.times.sort_by_key(|(_, took)| std::cmp::Reverse(*took));
        for (number, (name, took)) in std::mem::take(&mut self.times).iter().take(SLOWEST).enumerate() {
            if number == 0 {
                self.say("\nthe slowest tests:");
            }
            self.say(&format!("{:>7.1} s  {name}", took.as_secs_f64()));
        }
        for failure in &std::mem::take(&mut self.failures) {
            self.say(&format!("\nfailed: {}", failure.name));
            for line in &failure.last_lines {
                self.say(&format!("  {line}"));
            }
        }
        self.say(&format!("\n{}", self.total));
        if self.total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// What became of a check.
#[derive(Default)]
struct Outcome {
    succeeded: bool,
    seen: Tally,
    took: Duration,
    last_lines: VecDeque<String>,
}

impl Outcome {
    fn of(command: &mut Command, count: fn(&str) -> Option<Tally>, mut show: impl FnMut(&str)) -> Result<Self> {
        let start = Instant::now();
        let (mut seen, mut last_lines) = (Tally::default(), VecDeque::new());
        // Some runners colour the lines that are counted, whether or not a terminal shows them.
        let succeeded = process::watched(command.env("NO_COLOR", "1"), |line| {
            show(line);
            if last_lines.len() == LAST_LINES {
                last_lines.pop_front();
            }
            last_lines.push_back(line.to_owned());
            if let Some(tally) = count(line) {
                seen += tally;
            }
        })?;
        Ok(Self { succeeded, seen, took: start.elapsed(), last_lines })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_without_counts_is_one_and_a_failure_always_counts() {
        let outcome =
            |succeeded, passed| Outcome { succeeded, seen: Tally { passed, failed: 0 }, ..Outcome::default() };
        let mut report = Report::beside();
        report.add("fmt", outcome(true, 0));
        report.add("tests", outcome(true, 3));
        assert_eq!(report.total, Tally { passed: 4, failed: 0 });
        report.add("clippy", outcome(false, 0));
        report.add("crashed after its summary", outcome(false, 2));
        assert_eq!(report.total, Tally { passed: 6, failed: 2 });
        assert_eq!(names(&report), ["clippy", "crashed after its summary"]);
    }

    fn names(report: &Report) -> Vec<&str> {
        report.failures.iter().map(|failure| failure.name.as_str()).collect()
    }

    #[test]
    fn checks_side_by_side_are_counted_like_others() -> Result<()> {
        let shell = |name: &str, script: &str| {
            let mut sh = Command::new("sh");
            sh.args(["-c", script]);
            (name.to_owned(), sh)
        };
        let mut report = Report::beside();
        report.check_together(vec![
            shell("passes", "echo '=== 3 passed in 0.10s ==='"),
            shell("fails", "echo '=== 1 failed, 2 passed in 0.10s ===' >&2; exit 1"),
        ])?;
        assert_eq!(report.total, Tally { passed: 5, failed: 1 });
        assert_eq!(names(&report), ["fails"]);
        Ok(())
    }

    #[test]
    fn what_has_run_beside_is_taken_up_with_its_lines() -> Result<()> {
        let mut report = Report::beside();
        thread::scope(|scope| {
            let beside = aside(scope, |report| {
                let mut sh = Command::new("sh");
                sh.args(["-c", "echo 'test result: FAILED. 2 passed; 1 failed'; exit 1"]);
                report.check("krew", &mut sh)
            });
            assert!(report.check_here("imports", || Ok(())));
            report.take_up(beside)
        })?;
        assert_eq!(report.total, Tally { passed: 3, failed: 1 });
        assert_eq!(names(&report), ["krew"]);
        let Say::Later(lines) = &report.say else { panic!("nothing is printed") };
        let place = |words: &str| lines.iter().position(|line| line.contains(words));
        assert!(place("> imports").is_some() && place("> imports") < place("test result"), "{lines:?}");
        Ok(())
    }

    #[test]
    fn of_a_failure_the_last_lines_are_kept() -> Result<()> {
        let mut report = Report::beside();
        let mut sh = Command::new("sh");
        sh.args(["-c", "seq 100; exit 1"]);
        report.check("counts", &mut sh)?;
        let [failure] = &report.failures[..] else { panic!("one fails: {:?}", report.failures) };
        assert_eq!(failure.last_lines.len(), LAST_LINES);
        assert_eq!(failure.last_lines.last().map(String::as_str), Some("100"));
        Ok(())
    }
}
