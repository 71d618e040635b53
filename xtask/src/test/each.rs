//! The tests of one program, each in a process of its own: so each has its time, and some run side by side.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::tally::Tally;
use super::{Outcome, Report};
use crate::paths;
use crate::process::{self, cargo};

/// Tests that are begun in this order, so many side by side.
pub struct Queue {
    pub tests: Vec<String>,
    pub side_by_side: usize,
}

/// A program of tests, as `cargo test` builds it.
#[derive(Clone)]
pub struct Program {
    path: PathBuf,
    environment: Vec<(OsString, OsString)>,
}

impl Program {
    /// The tests of this target of a package, which are built the first time.
    pub fn of(package: &str, target: &'static str) -> Result<Self> {
        static BUILT: Mutex<BTreeMap<&str, Program>> = Mutex::new(BTreeMap::new());
        let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(program) = built.get(target) {
            return Ok(program.clone());
        }
        let mut task = cargo(&["test", "--locked", "--package", package, "--test", target, "--no-run"]);
        task.args(["--message-format", "json"]);
        let said = process::step(&format!("building the tests: {target}"), || process::output(&mut task))?;
        let path = said.lines().find_map(|line| executable(line, target));
        let path = path.with_context(|| format!("cargo built no tests: {target}"))?;
        let program = Self { path, environment: Vec::new() };
        built.insert(target, program.clone());
        Ok(program)
    }

    /// Gives its tests the environment of this command.
    pub fn with_environment_of(mut self, command: &Command) -> Self {
        let given = command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
        self.environment.extend(given);
        self
    }

    /// The names of its tests, without those that are ignored.
    pub fn tests(&self) -> Result<Vec<String>> {
        let said = process::output(self.command().args(["--list", "--format", "terse"]))?;
        Ok(said.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
    }

    /// The tests whose names begin so.
    pub fn room(&self, name: &str) -> Result<Vec<String>> {
        let tests: Vec<String> = self.tests()?.into_iter().filter(|test| test.starts_with(name)).collect();
        ensure!(!tests.is_empty(), "no test is called {name}…");
        Ok(tests)
    }

    /// These tests in one process, which shows what they print.
    pub fn together(&self, tests: &[String]) -> Command {
        let mut command = self.command();
        command.args(["--exact", "--nocapture"]).args(tests);
        command
    }

    /// Runs queues of tests beside each other. What each test prints comes in one piece.
    pub fn run(&self, report: &mut Report, queues: Vec<Queue>) -> Result<()> {
        let (send, ended) = mpsc::channel();
        let mut workers = Vec::new();
        for Queue { tests, side_by_side } in queues {
            ensure!(!tests.is_empty(), "{}: there is no test to run", self.path.display());
            let waiting = Arc::new(Mutex::new(VecDeque::from(tests)));
            workers.extend(std::iter::repeat_n(waiting, side_by_side));
        }
        thread::scope(|scope| {
            for waiting in workers {
                let send = send.clone();
                scope.spawn(move || {
                    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    while let Some(name) = next() {
                        let mut lines = Vec::new();
                        let mut test = self.command();
                        test.args(["--exact", &name, "--nocapture"]);
                        let outcome = Outcome::of(&mut test, Tally::of_cargo, |line| lines.push(line.to_owned()));
                        let _ = send.send((name, lines, outcome));
                    }
                });
            }
            drop(send);
            for (name, lines, outcome) in ended {
                report.end_test(&name, &lines, outcome?);
            }
            Ok(())
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.current_dir(paths::workspace());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// The program that cargo says it has built of a target, in a line of its JSON.
fn executable(line: &str, target: &str) -> Option<PathBuf> {
    let value: Value = serde_json::from_str(line).ok()?;
    let is_it = value["reason"] == "compiler-artifact" && value["target"]["name"] == target;
    value["executable"].as_str().filter(|_| is_it).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program that lists three tests, of which one fails, and says when each begins and ends.
    fn program(folder: &std::path::Path) -> Result<Program> {
        use std::os::unix::fs::PermissionsExt as _;
        let path = folder.join("tests");
        std::fs::write(
            &path,
            "#!/bin/sh
            case $1 in
            --list) echo 'a::one: test'; echo 'b::two: test'; echo 'b::bad: test'; echo 'c: benchmark';;
            *)  echo \"test $2 $GIVEN\"
                [ \"$2\" != b::bad ] || { echo 'test result: FAILED. 0 passed; 1 failed'; exit 1; }
                echo 'test result: ok. 1 passed; 0 failed';;
            esac",
        )?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        Ok(Program { path, environment: Vec::new() }.with_environment_of(Command::new("true").env("GIVEN", "given")))
    }

    #[test]
    fn each_test_is_run_once_and_timed() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let program = program(folder.path())?;
        let tests = program.tests()?;
        assert_eq!(tests, ["a::one", "b::two", "b::bad"]);
        for side_by_side in [1, 2, 8] {
            let mut report = Report::beside();
            program.run(&mut report, vec![Queue { tests: tests.clone(), side_by_side }])?;
            assert_eq!((report.total.passed, report.total.failed), (2, 1));
            let [failure] = &report.failures[..] else { panic!("one fails: {:?}", report.failures) };
            assert_eq!((failure.name.as_str(), &failure.last_lines[0]), ("b::bad", &"test b::bad given".to_owned()));
            let mut timed: Vec<&str> = report.times.iter().map(|(name, _)| name.as_str()).collect();
            timed.sort_unstable();
            assert_eq!(timed, ["a::one", "b::bad", "b::two"]);
        }
        let mut report = Report::beside();
        let queues = [(&tests[..1], 1), (&tests[1..], 2)];
        let queue = |(tests, side_by_side): (&[String], usize)| Queue { tests: tests.to_vec(), side_by_side };
        program.run(&mut report, queues.map(queue).into())?;
        assert_eq!((report.total.passed, report.total.failed), (2, 1));
        let nothing = Queue { tests: Vec::new(), side_by_side: 1 };
        assert!(program.run(&mut report, vec![nothing]).is_err(), "nothing to run is a mistake");
        Ok(())
    }

    #[test]
    fn a_program_is_found_in_what_cargo_says() {
        let line = |name: &str| {
            format!(r#"{{"reason":"compiler-artifact","target":{{"name":"{name}"}},"executable":"/t/deps/cluster-1"}}"#)
        };
        assert_eq!(executable(&line("cluster"), "cluster"), Some(PathBuf::from("/t/deps/cluster-1")));
        assert_eq!(executable(&line("api"), "cluster"), None);
        assert_eq!(executable("no JSON", "cluster"), None);
    }
}
