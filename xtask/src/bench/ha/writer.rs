//! Writers in the backend's container, and what they say, kept outside the cluster.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::container::Container;
use super::history::Acknowledged;
use crate::testbed::wait::{self, Deadline};

const PROGRAM: &str = include_str!("writer.py");

/// The number of the application's writer.
pub const APPLICATION: u8 = 0;

/// How many rows a writer must have had acknowledged to be taken for one that writes.
const SEVERAL: usize = 10;

/// To whom a writer writes, and how.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its number, of which there is one.
    pub writer: u8,
    /// One name or several, which are tried in this order.
    pub host: String,
    /// Which of their servers are taken, in libpq's words.
    pub attributes: &'static str,
    /// Seconds from one statement to the next.
    pub pause: &'static str,
    /// How many statements may be on their way.
    pub window: &'static str,
    /// For how many seconds an answer is waited for.
    pub patience: &'static str,
}

impl Task {
    /// As the backend writes: one row after the other, to whatever server takes writes.
    pub fn application(host: &str, attributes: &'static str) -> Self {
        Self { writer: APPLICATION, host: host.to_owned(), attributes, pause: "0.02", window: "1", patience: "1" }
    }

    /// To one member whatever becomes of it, also while it does not answer: it finds the statements when it goes on.
    pub fn member(writer: u8, host: String) -> Self {
        Self { writer, host, attributes: "any", pause: "0.1", window: "1000", patience: "90" }
    }
}

/// A line of a writer.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Line {
    Acknowledged { number: u64, sent: u64, acknowledged: u64, pod: String, timeline: u32 },
    Unknown { number: u64, unknown: String },
    Away { away: String },
}

/// What was said so far.
#[derive(Debug, Default)]
struct Said {
    acknowledged: Vec<Acknowledged>,
    unknown: u64,
    /// The last that was not an acknowledgement.
    last: String,
    /// Why there is nothing more to come, or what cannot be read.
    broken: Option<String>,
}

/// Writers that write for as long as this lives.
pub struct Writers {
    said: Arc<Mutex<Said>>,
    children: Vec<Child>,
}

impl Writers {
    /// Starts them in the container, not through the API server.
    pub fn start(container: &Container, tasks: &[Task]) -> Result<Self> {
        let mut writers = Self { said: Arc::default(), children: Vec::new() };
        for task in tasks {
            let number = task.writer.to_string();
            let words = ["python3", "-c", PROGRAM, &number, &task.host, task.attributes, task.pause, task.window];
            let mut command = container.program(&[&words[..], &[task.patience]].concat())?;
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.spawn().context("cannot start a writer")?;
            let pipes = child.stdout.take().zip(child.stderr.take()).context("a writer without a stdout")?;
            writers.children.push(child);
            let (said, writer) = (Arc::clone(&writers.said), task.writer);
            thread::spawn(move || listen(&said, writer, pipes.0, pipes.1));
        }
        Ok(writers)
    }

    /// How many rows were acknowledged so far: a place in the history.
    pub fn place(&self) -> usize {
        self.said().acknowledged.len()
    }

    /// What was acknowledged from a place on, in the order in which it became known.
    pub fn since(&self, place: usize) -> Vec<Acknowledged> {
        self.said().acknowledged.get(place..).unwrap_or_default().to_vec()
    }

    /// Of how many rows it is not known whether they were written.
    pub fn unknown(&self) -> u64 {
        self.said().unknown
    }

    /// Waits until the application's writer has had some rows acknowledged after a place.
    pub fn application_writes(&self, place: usize, limit: Duration) -> Result<()> {
        self.acknowledges("the application writes", place, limit, |row| row.key.0 == APPLICATION)
    }

    /// Waits until several acknowledgements like this have come after a place.
    pub fn acknowledges(
        &self,
        what: &str,
        place: usize,
        limit: Duration,
        like: impl Fn(&Acknowledged) -> bool,
    ) -> Result<()> {
        wait::until(Deadline::after(limit), || {
            let said = self.said();
            if let Some(why) = &said.broken {
                bail!("a writer has ended: {why}");
            }
            let come = said.acknowledged.get(place..).unwrap_or_default().iter().filter(|row| like(row)).count();
            Ok(if come >= SEVERAL { Ok(()) } else { Err(format!("{what}: {come} rows; the last was: {}", said.last)) })
        })
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Reads to the end what a writer says.
fn listen(said: &Mutex<Said>, writer: u8, stdout: impl Read, mut stderr: impl Read) {
    let locked = || said.lock().unwrap_or_else(PoisonError::into_inner);
    for line in BufReader::new(stdout).lines() {
        let line = line.unwrap_or_default();
        let mut said = locked();
        match serde_json::from_str(&line) {
            Ok(Line::Acknowledged { number, sent, acknowledged, pod, timeline }) => {
                let key = (writer, number);
                said.acknowledged.push(Acknowledged { key, sent, at: acknowledged, pod, timeline });
            }
            Ok(Line::Unknown { number, unknown }) => {
                said.unknown += 1;
                said.last = format!("writer {writer}, row {number}: {unknown}");
            }
            Ok(Line::Away { away }) => said.last = format!("writer {writer}: {away}"),
            Err(error) => said.broken = Some(format!("writer {writer} says {line:?}: {error}")),
        }
    }
    let mut why = String::new();
    let _ = stderr.read_to_string(&mut why);
    let why = why.trim().lines().last().unwrap_or("without a word").to_owned();
    locked().broken.get_or_insert(format!("writer {writer}: {why}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(stdout: &str, stderr: &str) -> Said {
        let said = Mutex::default();
        listen(&said, 2, stdout.as_bytes(), stderr.as_bytes());
        said.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    #[test]
    fn only_an_acknowledgement_is_taken_for_one() {
        let said = heard(
            concat!(
                "{\"number\": 7, \"sent\": 10, \"acknowledged\": 12, \"pod\": \"postgres-0\", \"timeline\": 3}\n",
                "{\"number\": 8, \"sent\": 11, \"unknown\": \"canceling the wait\"}\n",
                "{\"away\": \"Connection refused\"}\n",
            ),
            "",
        );
        let only = Acknowledged { key: (2, 7), sent: 10, at: 12, pod: "postgres-0".to_owned(), timeline: 3 };
        assert_eq!((said.acknowledged, said.unknown), (vec![only], 1));
        assert_eq!(said.last, "writer 2: Connection refused");
    }

    #[test]
    fn a_writer_that_ends_or_says_something_else_is_no_writer() {
        assert_eq!(
            heard("", "Traceback\nKeyError: 'DB_PASSWORD'\n").broken.as_deref(),
            Some("writer 2: KeyError: 'DB_PASSWORD'")
        );
        let nonsense = heard("{\"number\": 7}\n", "").broken.unwrap_or_default();
        assert!(nonsense.starts_with("writer 2 says"), "{nonsense}");
    }
}
