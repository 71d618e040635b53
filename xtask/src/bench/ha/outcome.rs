//! What came of a disturbance that was made several times, and whether that is what it has to be.

use super::history::Verdict;
use crate::bench::statistics::{Spread, Unit};
use crate::bench::table;

/// What came of one time.
#[derive(Clone, Debug, Default)]
pub struct Round {
    /// The longest time between two acknowledgements of the application's writer, in seconds.
    pub gap: f64,
    /// How many rows were acknowledged.
    pub acknowledged: usize,
    /// What is wrong with the rows.
    pub verdict: Verdict,
    /// How many containers were started again that should not have been.
    pub restarts: u64,
}

/// What is to come of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aim {
    /// No row is lost.
    Safe,
    /// The same, and the median of the gaps is below so many seconds; of fewer than [`ENOUGH`] it is only shown.
    Within(f64),
    /// Each time rows are lost, and the older timeline acknowledges some: a checker that does not see that sees nothing.
    Loses,
}

/// A row of the table.
#[derive(Debug)]
pub struct Outcome {
    /// What was done.
    pub what: &'static str,
    /// What came of each time; none if it was left out.
    pub rounds: Vec<Round>,
    /// What is to come of it.
    pub aim: Aim,
}

/// How many times make a median that counts: one alone says more of what else the machine does.
const ENOUGH: usize = 5;

const HEADINGS: [&str; 9] = [
    "",
    "times",
    "longest gap, median",
    "worst",
    "rows acknowledged",
    "lost",
    "twice",
    "by the older timeline",
    "restarts",
];

impl Outcome {
    /// What is not as it has to be, a sentence each.
    pub fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut is_not = |holds: bool, why: String| {
            if !holds {
                wrong.push(format!("{}: {why}", self.what));
            }
        };
        if self.aim == Aim::Loses {
            let unseen = |of: fn(&Verdict) -> usize| self.rounds.iter().filter(|it| of(&it.verdict) == 0).count();
            let (lost, stale) = (unseen(|it| it.lost.len()), unseen(|it| it.stale.len()));
            is_not(lost == 0, format!("a loss was not seen {lost} time(s)"));
            is_not(stale == 0, format!("what the older timeline acknowledged was not seen {stale} time(s)"));
            return wrong;
        }
        let [lost, twice, stale] = self.counts();
        is_not(lost == 0, format!("{lost} row(s) lost"));
        is_not(twice == 0, format!("{twice} row(s) twice"));
        is_not(stale == 0, format!("{stale} row(s) acknowledged by the older timeline"));
        let restarts = self.restarts();
        is_not(restarts == 0, format!("{restarts} container(s) started again"));
        if let (Aim::Within(most), Some(gaps)) = (self.aim, self.gaps())
            && self.rounds.len() >= ENOUGH
        {
            is_not(gaps.median < most, format!("the median of {} is not below {most} s", gaps.middle()));
        }
        wrong
    }

    fn counts(&self) -> [usize; 3] {
        let sum = |of: fn(&Verdict) -> usize| self.rounds.iter().map(|round| of(&round.verdict)).sum();
        [sum(|it| it.lost.len()), sum(|it| it.twice.len()), sum(|it| it.stale.len())]
    }

    fn restarts(&self) -> u64 {
        self.rounds.iter().map(|round| round.restarts).sum()
    }

    fn gaps(&self) -> Option<Spread> {
        Spread::of(Unit::Seconds, self.rounds.iter().map(|round| round.gap))
    }

    fn cells(&self) -> [String; 9] {
        let times = self.rounds.len();
        let (Some(gaps), Some(worst)) = (self.gaps(), self.rounds.iter().map(|round| round.gap).reduce(f64::max))
        else {
            return std::array::from_fn(|column| match column {
                0 => self.what.to_owned(),
                1 => "left out".to_owned(),
                _ => String::new(),
            });
        };
        let [lost, twice, stale] = self.counts();
        let acknowledged: usize = self.rounds.iter().map(|round| round.acknowledged).sum();
        [
            self.what.to_owned(),
            times.to_string(),
            gaps.middle(),
            Unit::Seconds.shown(worst),
            acknowledged.to_string(),
            lost.to_string(),
            twice.to_string(),
            stale.to_string(),
            self.restarts().to_string(),
        ]
    }
}

/// The table of all.
pub fn table(outcomes: &[Outcome]) -> String {
    table::markdown(&HEADINGS, &outcomes.iter().map(Outcome::cells).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn outcome(aim: Aim, rounds: &[Round]) -> Outcome {
        Outcome { what: "deleted", rounds: rounds.to_vec(), aim }
    }

    fn round(gap: f64) -> Round {
        Round { gap, acknowledged: 100, ..Round::default() }
    }

    fn losing(gap: f64) -> Round {
        let verdict = Verdict { lost: BTreeSet::from([(0, 1), (0, 2)]), ..Verdict::default() };
        Round { verdict, ..round(gap) }
    }

    #[test]
    fn nothing_is_wrong_with_rows_that_are_all_there_and_a_median_below_its_aim() {
        let rounds = [1.0, 2.0, 4.9, 30.0, 30.0].map(round);
        assert_eq!(outcome(Aim::Within(5.0), &rounds).wrong(), [""; 0]);
        assert_eq!(outcome(Aim::Within(5.0), &[round(30.0)]).wrong(), [""; 0], "one is no median");
        assert_eq!(outcome(Aim::Safe, &[round(60.0)]).wrong(), [""; 0]);
        assert_eq!(outcome(Aim::Within(5.0), &[]).wrong(), [""; 0], "what was left out");
    }

    #[test]
    fn each_thing_that_is_wrong_is_said() {
        let one = || BTreeSet::from([(0, 1)]);
        let stale = Round { verdict: Verdict { stale: one(), ..Verdict::default() }, ..round(1.0) };
        let twice = Round { verdict: Verdict { twice: one(), ..Verdict::default() }, ..round(1.0) };
        let restarted = Round { restarts: 1, ..round(1.0) };
        for (round, says) in [
            (losing(1.0), "deleted: 2 row(s) lost"),
            (twice, "deleted: 1 row(s) twice"),
            (stale, "deleted: 1 row(s) acknowledged by the older timeline"),
            (restarted, "deleted: 1 container(s) started again"),
        ] {
            assert_eq!(outcome(Aim::Within(5.0), &[round]).wrong(), [says]);
        }
        let slow = outcome(Aim::Within(5.0), &[1.0, 2.0, 5.0, 6.0, 7.0].map(round));
        assert_eq!(slow.wrong(), ["deleted: the median of 5.00 s is not below 5 s"]);
    }

    #[test]
    fn a_control_of_which_something_is_not_seen_fails() {
        let mut seen = losing(1.0);
        seen.verdict.stale = seen.verdict.lost.clone();
        assert_eq!(outcome(Aim::Loses, &[seen.clone(), seen.clone()]).wrong(), [""; 0]);
        let half = outcome(Aim::Loses, &[seen.clone(), losing(1.0)]).wrong();
        assert_eq!(half, ["deleted: what the older timeline acknowledged was not seen 1 time(s)"]);
        let blind = outcome(Aim::Loses, &[seen, round(1.0)]).wrong();
        assert_eq!((blind.len(), blind[0].as_str()), (2, "deleted: a loss was not seen 1 time(s)"));
    }

    #[test]
    fn the_table_has_the_median_the_worst_and_all_rows() {
        let table = table(&[outcome(Aim::Safe, &[round(1.0), losing(4.0), round(2.0)]), outcome(Aim::Safe, &[])]);
        let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split('|').map(str::trim).collect()).collect();
        assert_eq!(lines[2][1..10], ["deleted", "3", "2.00 s", "4.00 s", "300", "2", "0", "0", "0"]);
        assert_eq!(lines[3][1..4], ["deleted", "left out", ""]);
    }
}
