//! What PostgreSQL's log says of a start: after a clean shutdown, or after a crash, and from where to where it recovered.

/// How the server's last start began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// After a clean shutdown, at that time by the server's clock.
    Clean(String),
    /// After a crash, with what was done again.
    Recovered(String),
    /// With a directory that was empty.
    Initialised,
    /// The log does not say.
    Unsaid,
}

/// Words of the lines that say how a server started.
const TELLING: [&str; 9] = [
    "database system was shut down at ",
    "database system was shut down in recovery",
    "database system was interrupted",
    "was not properly shut down",
    "redo starts at ",
    "redo done at ",
    "redo is not required",
    "PostgreSQL init process complete",
    "another server still runs on this volume",
];

/// The lines of a log that say how the server started.
#[must_use]
pub fn telling(log: &str) -> Vec<String> {
    log.lines().filter(|line| TELLING.iter().any(|words| line.contains(words))).map(str::to_owned).collect()
}

/// How the server started, by those lines.
#[must_use]
pub fn start(lines: &[String]) -> Start {
    let after = |words: &str| lines.iter().rev().find_map(|line| Some(line.split_once(words)?.1.trim()));
    let said = |words: &str| lines.iter().any(|line| line.contains(words));
    if said("PostgreSQL init process complete") {
        return Start::Initialised;
    }
    if said("was not properly shut down") || said("database system was interrupted") || said("shut down in recovery") {
        let position = |text: &str| text.split_whitespace().next().unwrap_or_default().to_owned();
        return Start::Recovered(match (after("redo starts at "), after("redo done at ")) {
            (Some(from), Some(to)) => format!("from {} to {}", position(from), position(to)),
            (Some(from), None) => format!("from {}", position(from)),
            _ => "nothing had to be redone".to_owned(),
        });
    }
    match after("database system was shut down at ") {
        Some(at) => Start::Clean(at.to_owned()),
        None => Start::Unsaid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(log: &str) -> Start {
        start(&telling(log))
    }

    #[test]
    fn each_kind_of_start_is_told_from_the_others() {
        let clean = "2026-11-24 02:00:05.1 UTC [1] LOG:  starting PostgreSQL 17\n\
                     2026-11-24 02:00:05.2 UTC [29] LOG:  database system was shut down at 2026-11-24 02:00:03 UTC\n";
        assert_eq!(of(clean), Start::Clean("2026-11-24 02:00:03 UTC".to_owned()));
        let crash = "x LOG:  database system was interrupted; last known up at 2026-11-24 02:00:03 UTC\n\
                     x LOG:  database system was not properly shut down; automatic recovery in progress\n\
                     x LOG:  redo starts at 0/1A2B3C8\n\
                     x LOG:  invalid record length at 0/1A2C000: expected at least 24, got 0\n\
                     x LOG:  redo done at 0/1A2BFD8 system usage: CPU: user: 0.00 s\n";
        assert_eq!(of(crash), Start::Recovered("from 0/1A2B3C8 to 0/1A2BFD8".to_owned()));
        let fresh = "PostgreSQL init process complete; ready for start up.\n\
                     x LOG:  database system was shut down at 2026-11-24 02:00:03 UTC\n";
        assert_eq!(of(fresh), Start::Initialised);
        assert_eq!(of("hello"), Start::Unsaid);
    }
}
