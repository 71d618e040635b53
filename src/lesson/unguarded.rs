//! Question 2 without the guards: two servers on one data directory, in a practice set that is made for this.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::question::{Choice, Question};
use crate::observe::Reading;
use crate::persistence::verdict::{Check, CheckName, Holds, words};
use crate::text::{brief, seconds};

/// The question.
pub const QUESTION: Question = Question {
    number: 2,
    title: "two replicas without guards",
    asks: "What happens if two database servers run on one data directory?",
    choices: &[
        Choice {
            says: "The second server does not start, because PostgreSQL locks its data directory.",
            why: "PostgreSQL's own lock file has the number of a process. In a container each server is process 1, so each \
                  takes the file for its own.",
            is_right: false,
        },
        Choice {
            says: "Both servers have the same rows, because they read the same files.",
            why: "Each server keeps what it has read in its own memory. It does not read a file again because another server \
                  has written to it.",
            is_right: false,
        },
        Choice {
            says: "Both servers start and accept rows, and then rows are lost.",
            why: "Each server writes its own copy of a page to the volume, and so overwrites what the other server has \
                  written. Nobody is told.",
            is_right: true,
        },
        Choice {
            says: "Kubernetes sees it and stops one of the two pods.",
            why: "Kubernetes sees two pods that are Ready. All pods of one node may use a ReadWriteOnce volume, and Kubernetes \
                  does not look at the files.",
            is_right: false,
        },
    ],
    does: "creates another set with two database servers on one claim and no lock, writes rows to both, stops both, starts \
           one again and reads the rows",
    seconds: 30,
    room: Some("room for 2 more pods and one more claim, and a StorageClass that creates volumes"),
    answer: "Both servers start and accept rows, but each overwrites what the other has written, so rows are lost that were \
             acknowledged. ReadWriteOnce does not prevent this on one node: that is why the exchange has ReadWriteOncePod, \
             and a lock beside the data.",
    not_shown: &["two nodes, where ReadWriteOnce keeps the second pod away"],
    topic: "pv-pvc",
    recorded: Some(include_str!("recorded/2-without-guards.json")),
};

/// Rows by the pod whose server wrote them: their numbers.
pub type Rows = BTreeMap<String, BTreeSet<u32>>;

/// Everything that the verdict rests on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// The practice set.
    pub set: String,
    /// The claim that all of its pods name.
    pub claim: String,
    /// How long after the first pod was created both were Ready at once, in milliseconds; none if they never were.
    pub both_ready_ms: Option<u64>,
    /// The servers, in the order of their pods.
    pub servers: Vec<Server>,
    /// The rows that one server read, after both had ended and it had started anew.
    pub after: Reading<Rows>,
    /// What servers have said by which their data is damaged.
    pub damage: Vec<Damage>,
    /// Why it was not done to the end.
    pub broke_off: Option<String>,
}

/// One of the servers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    /// Its pod's name.
    pub pod: String,
    /// Its pod's UID.
    pub uid: String,
    /// Its pod's node.
    pub node: Option<String>,
    /// The system identifier of its database: made once, with the data directory.
    pub system: String,
    /// The numbers of the rows that it acknowledged.
    pub acknowledged: BTreeSet<u32>,
    /// Its words, if it refused a row.
    pub refused: Option<String>,
    /// The rows that it read, once both servers had written.
    pub sees: Reading<Rows>,
}

/// Words of a server by which its data is damaged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Damage {
    /// The server's pod.
    pub pod: String,
    /// The line of its log, or what it answered.
    pub says: String,
}

/// What is damage in the words of a server: that all of its processes end at once; that a page is not what it should be (the
/// codes of class XX, which psql shows if it is asked to); that a table is not there.
const DAMAGE: [&str; 3] = ["PANIC:", "ERROR:  XX", "ERROR:  42P01"];

/// The first line that says that data is damaged.
#[must_use]
pub fn damage(says: &str) -> Option<String> {
    says.lines().find(|line| DAMAGE.iter().any(|words| line.contains(words))).map(brief)
}

/// Rows, as lines of `pod|number`. None if they are something else.
#[must_use]
pub fn rows(text: &str) -> Option<Rows> {
    let mut rows = Rows::new();
    for line in text.lines() {
        let (pod, number) = line.split_once('|')?;
        rows.entry(pod.to_owned()).or_default().insert(number.parse().ok()?);
    }
    Some(rows)
}

impl Server {
    /// How many of its rows are not among these.
    fn lost(&self, rows: &Rows) -> usize {
        let there = rows.get(&self.pod);
        self.acknowledged.iter().filter(|number| !there.is_some_and(|there| there.contains(number))).count()
    }

    /// Which rows of the other server it does not see.
    fn misses(&self, other: &Self) -> usize {
        self.sees.present().map_or(0, |rows| other.lost(rows))
    }
}

impl Seen {
    /// What is checked.
    #[must_use]
    pub fn checks(&self) -> Vec<Check> {
        [(CheckName::TwoServers, self.two_servers()), (CheckName::RowsLost, self.rows_lost())]
            .map(|(name, (holds, evidence))| Check::new(name, holds, evidence))
            .into()
    }

    /// Whether two servers ran on one data directory, and both took rows.
    fn two_servers(&self) -> (Holds, String) {
        let [one, other] = self.servers.as_slice() else { return (Holds::Unknown, self.why_not()) };
        let Some(both_ready_ms) = self.both_ready_ms else { return (Holds::Unknown, self.why_not()) };
        if one.system != other.system {
            let says = |server: &Server| format!("pod/{} has database {}", server.pod, server.system);
            return (Holds::No, format!("{}, {}: these are two data directories", says(one), says(other)));
        }
        if let Some(server) = self.servers.iter().find(|server| server.acknowledged.is_empty()) {
            let why = server.refused.as_deref().map(|words| format!(": {}", brief(words))).unwrap_or_default();
            return (Holds::Unknown, format!("pod/{} acknowledged no row{why}", server.pod));
        }
        let took = |server: &Server| format!("pod/{} acknowledged {} rows", server.pod, server.acknowledged.len());
        let (after, system) = (seconds(both_ready_ms), &one.system);
        let says = format!("both Ready after {after} on claim {}, both with database {system}", self.claim);
        (Holds::Yes, format!("{says}; {}, {}", took(other), took(one)))
    }

    /// Whether rows were lost that were acknowledged, or a server has said that its data is damaged. That neither was seen
    /// proves nothing: the next row may be lost.
    fn rows_lost(&self) -> (Holds, String) {
        if let Some(Damage { pod, says }) = self.damage.first() {
            return (Holds::Yes, format!("the server of pod/{pod} says that its data is damaged: {says}"));
        }
        let rows = match &self.after {
            Reading::Present(rows) => rows,
            Reading::Unknown(reason) => return (Holds::Unknown, words(reason).to_owned()),
            Reading::Absent | Reading::NotAsked => return (Holds::Unknown, self.why_not()),
        };
        let lost: Vec<String> = self.servers.iter().filter_map(|server| lost(server, rows)).collect();
        if lost.is_empty() {
            return (
                Holds::Unknown,
                "no row was lost and no server stopped this time, which proves nothing".to_owned(),
            );
        }
        (Holds::Yes, format!("after both servers ended and one started again: {}", lost.join("; ")))
    }

    fn why_not(&self) -> String {
        self.broke_off.clone().unwrap_or_else(|| "it was not done".to_owned())
    }

    /// What was seen, in a sentence or two.
    #[must_use]
    pub fn observed(&self) -> String {
        let ([one, other], Holds::Yes) = (self.servers.as_slice(), self.two_servers().0) else {
            return format!("{}.", self.two_servers().1);
        };
        let acknowledged = one.acknowledged.len() + other.acknowledged.len();
        let sees = match one.misses(other) + other.misses(one) {
            0 => String::new(),
            all if all == acknowledged => " Each server read only its own rows.".to_owned(),
            some => format!(" {some} of them were read by only one server."),
        };
        let lost = match (self.rows_lost(), self.after.present()) {
            ((Holds::Yes, _), Some(rows)) if self.damage.is_empty() => {
                let lost: usize = self.servers.iter().map(|server| server.lost(rows)).sum();
                format!("After both ended and one started again, {lost} rows were gone.")
            }
            ((_, evidence), _) => format!("Then {evidence}."),
        };
        format!("Both pods were Ready, and their servers acknowledged {acknowledged} rows.{sees} {lost}")
    }

    /// The same with one thing changed so that it must not hold any more, and what that is.
    #[must_use]
    pub fn with_something_changed(&self) -> Option<(Self, String)> {
        if self.two_servers().0 != Holds::Yes {
            return None;
        }
        let mut changed = self.clone();
        let server = changed.servers.last_mut()?;
        server.system.insert_str(0, "not ");
        let what = format!("with another database in pod/{}", server.pod);
        Some((changed, what))
    }
}

/// What of a server's rows is not among these, in words; none if all are.
fn lost(server: &Server, rows: &Rows) -> Option<String> {
    let (lost, all) = (server.lost(rows), server.acknowledged.len());
    (lost > 0).then(|| format!("{lost} of the {all} rows are gone that pod/{} acknowledged", server.pod))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::observe::Reason;

    fn numbers(of: &[(&str, std::ops::RangeInclusive<u32>)]) -> Rows {
        of.iter().map(|(pod, numbers)| ((*pod).to_owned(), numbers.clone().collect())).collect()
    }

    fn server(pod: &str, sees: Rows) -> Server {
        Server {
            pod: pod.to_owned(),
            uid: format!("uid of {pod}"),
            node: Some("node-1".to_owned()),
            system: "7001".to_owned(),
            acknowledged: (1..=50).collect(),
            refused: None,
            sees: Reading::Present(sees),
        }
    }

    /// As it was seen.
    fn seen() -> Seen {
        Seen {
            set: "a".to_owned(),
            claim: "a".to_owned(),
            both_ready_ms: Some(9200),
            servers: vec![
                server("a-0", numbers(&[("a-0", 0..=50)])),
                server("a-1", numbers(&[("a-0", 0..=0), ("a-1", 1..=50)])),
            ],
            after: Reading::Present(numbers(&[("a-0", 0..=50)])),
            damage: Vec::new(),
            broke_off: None,
        }
    }

    fn holds(seen: &Seen) -> [Holds; 2] {
        [seen.two_servers().0, seen.rows_lost().0]
    }

    #[test]
    fn rows_that_were_acknowledged_are_gone() {
        let seen = seen();
        assert_eq!(holds(&seen), [Holds::Yes; 2]);
        assert!(seen.rows_lost().1.ends_with("50 of the 50 rows are gone that pod/a-1 acknowledged"), "{seen:?}");
        let says = "Both pods were Ready, and their servers acknowledged 100 rows. Each server read only its own rows. After both \
                    ended and one started again, 50 rows were gone.";
        assert_eq!(seen.observed(), says);
        let (changed, what) = seen.with_something_changed().unwrap();
        assert_eq!(holds(&changed)[0], Holds::No, "{what}");
        let again: Seen = serde_json::from_value(json!(seen)).unwrap();
        assert_eq!(again, seen);
    }

    #[test]
    fn that_no_row_was_lost_proves_nothing() {
        let all = numbers(&[("a-0", 0..=50), ("a-1", 1..=50)]);
        let mut seen = Seen { after: Reading::Present(all.clone()), ..seen() };
        assert_eq!(holds(&seen), [Holds::Yes, Holds::Unknown]);
        assert!(
            seen.observed().ends_with("Then no row was lost and no server stopped this time, which proves nothing.")
        );
        for server in &mut seen.servers {
            server.sees = Reading::Present(all.clone());
        }
        assert!(!seen.observed().contains("read"), "{}", seen.observed());
        for after in [Reading::NotAsked, Reading::Absent, Reading::Unknown(Reason::Failed("no answer".to_owned()))] {
            assert_eq!(holds(&Seen { after, ..seen.clone() }), [Holds::Yes, Holds::Unknown]);
        }
    }

    #[test]
    fn one_row_of_a_hundred_is_a_loss() {
        for (pod, number) in [("a-0", 1), ("a-0", 50), ("a-1", 25)] {
            let mut rows = numbers(&[("a-0", 0..=50), ("a-1", 1..=50)]);
            rows.get_mut(pod).unwrap().remove(&number);
            let seen = Seen { after: Reading::Present(rows), ..seen() };
            assert_eq!(holds(&seen), [Holds::Yes; 2]);
            assert!(seen.rows_lost().1.ends_with(&format!("1 of the 50 rows are gone that pod/{pod} acknowledged")));
        }
    }

    #[test]
    fn a_server_may_say_that_its_data_is_damaged() {
        let log = "LOG:  database system was shut down\n2026-11-30 UTC [14] PANIC:  could not locate a valid checkpoint record\n";
        let says = damage(log).unwrap();
        let damage_of = |says: &str| vec![Damage { pod: "a-0".to_owned(), says: says.to_owned() }];
        let broke_off = Some("not all 1 pods were Ready in time".to_owned());
        let seen = Seen { damage: damage_of(&says), after: Reading::NotAsked, broke_off, ..seen() };
        assert_eq!(holds(&seen), [Holds::Yes; 2]);
        assert!(seen.observed().ends_with("PANIC: could not locate a valid checkpoint record."), "{}", seen.observed());
        let read = "pod/a-0: psql:<stdin>:2: ERROR:  XX001: invalid page in block 0 of relation base/16384/16388";
        assert!(
            damage(read).is_some_and(|says| says.ends_with("invalid page in block 0 of relation base/16384/16388"))
        );
        assert!(damage("psql:<stdin>:2: ERROR:  42P01: relation \"practice\" does not exist").is_some());
        for other in
            ["", "LOG:  database system is ready", "ERROR:  57014: canceling statement due to statement timeout"]
        {
            assert_eq!(damage(other), None);
        }
    }

    #[test]
    fn without_two_servers_nothing_is_known() {
        let broke_off = Some("not all 2 pods were Ready in time: pod/a-1 starts".to_owned());
        let late = Seen { both_ready_ms: None, servers: Vec::new(), after: Reading::NotAsked, broke_off, ..seen() };
        assert_eq!(holds(&late), [Holds::Unknown; 2]);
        assert_eq!(late.observed(), "not all 2 pods were Ready in time: pod/a-1 starts.");
        assert!(late.with_something_changed().is_none());
        let mut refused = seen();
        refused.servers[1].acknowledged.clear();
        refused.servers[1].refused = Some("ERROR:  canceling statement due to statement timeout".to_owned());
        assert_eq!(holds(&refused)[0], Holds::Unknown);
        assert!(refused.two_servers().1.starts_with("pod/a-1 acknowledged no row: ERROR:"), "{refused:?}");
        let mut apart = seen();
        apart.servers[0].system = "7002".to_owned();
        assert_eq!(holds(&apart)[0], Holds::No);
    }

    #[test]
    fn rows_are_read_as_psql_shows_them() {
        assert_eq!(rows("a-0|0\na-0|1\na-1|7\n"), Some(numbers(&[("a-0", 0..=1), ("a-1", 7..=7)])));
        assert_eq!(rows(""), Some(Rows::new()));
        for other in ["a-0", "a-0|x", "WARNING: a|b"] {
            assert_eq!(rows(other), None);
        }
    }
}
