//! The last words of containers that crash.

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

use crate::kubernetes::Cluster;
use crate::text::one_line;

/// A run of a container whose log says why it ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Run {
    pub pod: String,
    pub container: String,
    /// Whether it is the run before the last restart.
    pub previous: bool,
}

impl Run {
    /// The words of the kubectl command that reads the end of its log.
    #[must_use]
    pub fn kubectl(&self) -> Vec<String> {
        let mut words = ["logs", &self.pod, "-c", &self.container].map(str::to_owned).to_vec();
        words.extend(self.previous.then(|| "--previous".to_owned()));
        words.extend([format!("--tail={LINES}"), format!("--limit-bytes={BYTES}")]);
        words
    }
}

/// The end of a run's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    pub pod: String,
    pub container: String,
    /// What a terminal may be shown, without empty lines.
    pub lines: Vec<String>,
}

/// As many lines as hold the longest last words: those of the image of PostgreSQL 18.
const LINES: u32 = 40;

/// The most bytes of them.
const BYTES: u32 = 16 << 10;

/// Reads the logs of these runs. Those that may not be read are left out: they explain, they do not decide.
pub async fn read(cluster: &Cluster, runs: impl IntoIterator<Item = Run>) -> Vec<Log> {
    let logs = runs.into_iter().map(|run| async move {
        let written = cluster.last_lines(&run.pod, &run.container, run.previous, LINES, BYTES).await.ok()?;
        Some(Log::new(run.pod, run.container, &written))
    });
    join_all(logs).await.into_iter().flatten().collect()
}

impl Log {
    /// Of what a container has written.
    #[must_use]
    pub fn new(pod: String, container: String, written: &str) -> Self {
        let lines = written.lines().map(one_line).filter(|line| !line.is_empty()).collect();
        Self { pod, container, lines }
    }

    /// The line that says most of why it ended: the last one that tells of an error, or else the last one.
    #[must_use]
    pub fn last_words(&self) -> Option<&str> {
        let is_error =
            |line: &&String| ["FATAL", "PANIC", "ERROR", "Error", "error"].iter().any(|it| line.contains(it));
        self.lines.iter().rev().find(is_error).or(self.lines.last()).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(written: &str) -> Log {
        Log::new("postgres-0".to_owned(), "postgres".to_owned(), written)
    }

    #[test]
    fn the_last_words_are_those_of_an_error_if_there_is_one() {
        let postgres = "LOG:  starting\n\nFATAL:  no \u{1b}[31mdisk\nLOG:  database system is shut down\n \n";
        assert_eq!(log(postgres).last_words(), Some("FATAL: no [31mdisk"));
        assert_eq!(log("starting\nbye\n\n").last_words(), Some("bye"));
        assert_eq!(log("\n").last_words(), None);
    }
}
