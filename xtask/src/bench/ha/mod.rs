//! The checker of the replicated database, in the manner of Jepsen's: writers in the cluster write rows, and each
//! acknowledgement is kept outside. Then the primary is disturbed, and once all members follow again, the rows that the database
//! has are held against what was acknowledged.

mod container;
mod control;
mod cut;
mod disturbance;
mod exchange;
mod history;
mod outcome;
mod writer;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::ValueEnum;
use clap::builder::PossibleValue;

use self::disturbance::{Disturbance, SOON};
use self::exchange::{Exchange, Kind, Pod, restarts};
use self::history::{Verdict, judge, longest_gap};
use self::outcome::{Aim, Outcome, Round};
use self::writer::{APPLICATION, Task, Writers};
use crate::process::{self, say};
use crate::{plugin, testbed};

/// What is checked, and how often.
#[derive(clap::Args)]
pub struct Args {
    /// How often each disturbance is made
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    times: u16,

    /// Only these; else all
    #[arg(long, value_delimiter = ',', value_name = "WHAT")]
    only: Vec<Part>,

    /// The namespace; that of the single server has `-one` behind it. What is there is deleted
    #[arg(long, default_value = "kc-bench-ha")]
    namespace: String,

    /// Deploy with this file, instead of building the plugin as people get it
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
}

/// A part of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// A disturbance of the replicated database.
    Of(Disturbance),
    /// The negative control.
    Control,
    /// The recovery of one server, for comparison.
    OneServer,
}

impl ValueEnum for Part {
    fn value_variants<'a>() -> &'a [Self] {
        use Disturbance as D;
        const ALL: [Part; 13] = [
            Part::Of(D::Deleted),
            Part::Of(D::Killed),
            Part::Of(D::Frozen),
            Part::Of(D::PatroniFrozen),
            Part::Of(D::NodeAway),
            Part::Of(D::NodeOff),
            Part::Of(D::CutFromMembers),
            Part::Of(D::CutFromApi),
            Part::Of(D::CutFromBoth),
            Part::Of(D::ApiAway),
            Part::Of(D::AllThree),
            Part::Control,
            Part::OneServer,
        ];
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Self::Of(disturbance) => disturbance.to_possible_value(),
            Self::Control => {
                Some(PossibleValue::new("control").help("Rows are lost on purpose, and that must be seen"))
            }
            Self::OneServer => {
                Some(PossibleValue::new("one-server").help("The recovery of one server, for comparison"))
            }
        }
    }
}

/// How many members there are.
const MEMBERS: u8 = 3;

/// The nodes of the cluster that is brought up if none is.
const NODES: u8 = 3;

/// Checks, and prints a table. The code is a failure if a row was lost, was there twice or was acknowledged by an older
/// timeline, if a container was started again that should not have been, or if an aim was missed.
pub fn run(args: &Args) -> Result<ExitCode> {
    let plugin = match &args.binary {
        Some(binary) => binary.canonicalize().with_context(|| format!("no {}", binary.display()))?,
        None => plugin::build(None)?,
    };
    let _cluster = Cluster::up()?;
    let parts = if args.only.is_empty() { Part::value_variants() } else { &args.only[..] };
    let mut outcomes = Vec::new();
    let ended = check(args, &plugin, parts, &mut outcomes);
    // What was found before an error is no less true.
    std::io::stdout().write_all(outcome::table(&outcomes).as_bytes()).context("cannot print")?;
    ended?;
    let wrong: Vec<String> = outcomes.iter().flat_map(Outcome::wrong).collect();
    for why in &wrong {
        say(&format!("not as it has to be: {why}"));
    }
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn check(args: &Args, plugin: &Path, parts: &[Part], outcomes: &mut Vec<Outcome>) -> Result<()> {
    if parts.iter().any(|part| *part != Part::OneServer) {
        replicated(args, plugin, parts, outcomes)?;
    }
    if parts.contains(&Part::OneServer) {
        one_server(args, plugin, outcomes)?;
    }
    Ok(())
}

/// All that is done to the replicated database.
fn replicated(args: &Args, plugin: &Path, parts: &[Part], outcomes: &mut Vec<Outcome>) -> Result<()> {
    let exchange = process::step("deploying a replicated database", || {
        Exchange::deploy(plugin, &args.namespace, Kind::Replicated)
    })?;
    let members = (0..MEMBERS).map(|number| Task::member(number + 1, format!("postgres-{number}.postgres-headless")));
    let application = Task::application("postgres-primary,postgres-headless", "read-write");
    let mut checker = Checker::new(exchange, &[application].into_iter().chain(members).collect::<Vec<_>>())?;
    let nodes = usize::from(testbed::nodes()?);
    for part in parts {
        let (what, aim, times) = match part {
            Part::Of(it) if nodes < it.nodes() => (it.name(), Aim::Safe, 0),
            Part::Of(it) => (it.name(), it.aim().map_or(Aim::Safe, Aim::Within), args.times),
            Part::Control => (CONTROL, Aim::Loses, args.times),
            Part::OneServer => continue,
        };
        let mut rounds = Vec::new();
        let ended: Result<()> = (1..=times).try_for_each(|number| {
            rounds.push(said(what, number, times, || match part {
                Part::Of(disturbance) => checker.disturb(*disturbance),
                _ => checker.lose(),
            })?);
            Ok(())
        });
        outcomes.push(Outcome { what, rounds, aim });
        ended?;
    }
    say(&format!("  of {} rows it is not known whether they were written", checker.writers.unknown()));
    Ok(())
}

/// The same to one server, as far as it can come back. In turns: the kubelet waits longer before each restart of the same pod.
fn one_server(args: &Args, plugin: &Path, outcomes: &mut Vec<Outcome>) -> Result<()> {
    let namespace = format!("{}-one", args.namespace);
    let exchange = process::step("deploying one server", || Exchange::deploy(plugin, &namespace, Kind::Single))?;
    let mut checker = Checker::new(exchange, &[Task::application("postgres-headless", "any")])?;
    let turns =
        [("one server: its pod is deleted", Disturbance::Deleted), ("one server: it is killed", Disturbance::Killed)];
    let mut both = [Vec::new(), Vec::new()];
    let ended: Result<()> = (1..=args.times).try_for_each(|number| {
        for (rounds, (what, disturbance)) in both.iter_mut().zip(turns) {
            rounds.push(said(what, number, args.times, || checker.disturb(disturbance))?);
        }
        Ok(())
    });
    outcomes.extend(both.into_iter().zip(turns).map(|(rounds, (what, _))| Outcome { what, rounds, aim: Aim::Safe }));
    ended
}

const CONTROL: &str = "control: asynchronous, standbys cut off, the primary frozen";

/// Makes one round of several, and says what came of it.
fn said(what: &str, number: u16, times: u16, round: impl FnOnce() -> Result<Round>) -> Result<Round> {
    let round = process::step(&format!("{what}, {number} of {times}"), round)?;
    say(&format!("  the application waited {:.2} s; {} rows acknowledged", round.gap, round.acknowledged));
    Ok(round)
}

/// An exchange with its writers, and what was wrong so far.
struct Checker {
    // Before the exchange: they go first.
    writers: Writers,
    exchange: Exchange,
    known: Verdict,
}

impl Checker {
    fn new(exchange: Exchange, tasks: &[Task]) -> Result<Self> {
        exchange.settled()?;
        let writers = Writers::start(&exchange.backend()?.container()?, tasks)?;
        Ok(Self { writers, exchange, known: Verdict::default() })
    }

    /// Disturbs the database once.
    fn disturb(&mut self, disturbance: Disturbance) -> Result<Round> {
        let primary = self.primary_for(disturbance)?;
        let place = self.begin()?;
        let before = self.exchange.servers()?;
        disturbance.make(&self.exchange, &primary, &self.writers)?;
        let settled = self.exchange.settled()?;
        let again = restarts(&before, &self.exchange.servers()?);
        say(&format!("  pod/{} was the primary, and pod/{} is now", primary.name, settled.name));
        let round = self.judged(place)?;
        // One server comes back by a restart of its container.
        let spares = disturbance.spares_containers() && self.exchange.is_replicated();
        Ok(Round { restarts: if spares { again } else { 0 }, ..round })
    }

    /// Loses rows once, on purpose.
    fn lose(&mut self) -> Result<Round> {
        let place = self.begin()?;
        let asynchronous = control::make(&self.exchange, &self.writers)?;
        let judged = judged(&self.writers, &self.exchange, &mut self.known, place)?;
        asynchronous.end()?;
        Ok(judged)
    }

    /// Waits until rows come in, from which on a round is measured. Gives that place in the history.
    fn begin(&self) -> Result<usize> {
        let place = self.writers.place();
        self.writers.application_writes(place, SOON)?;
        Ok(place)
    }

    /// What came of the rows since a place.
    fn judged(&mut self, place: usize) -> Result<Round> {
        self.writers.application_writes(self.writers.place(), SOON)?;
        judged(&self.writers, &self.exchange, &mut self.known, place)
    }

    /// The primary, on a node that can be taken away without the writers and without the names of the cluster.
    fn primary_for(&self, disturbance: Disturbance) -> Result<Pod> {
        /// Each switch goes to the one standby that has every row, which is not always the same.
        const TRIES: usize = 8;
        let mut primary = self.exchange.settled()?;
        if !disturbance.takes_node() {
            return Ok(primary);
        }
        let needed = BTreeSet::from([self.exchange.backend()?.node, self.exchange.node_of_dns()?]);
        for _ in 0..TRIES {
            if !needed.contains(&primary.node) {
                return Ok(primary);
            }
            self.exchange.switch_over()?;
            primary = self.exchange.settled()?;
        }
        anyhow::bail!("the primary is always on one of the nodes {needed:?}, which the writers need")
    }
}

/// Judges all rows so far, and gives what is new, with the times since a place.
fn judged(writers: &Writers, exchange: &Exchange, known: &mut Verdict, place: usize) -> Result<Round> {
    // Before the rows are read: what is acknowledged later may be missing there.
    let acknowledged = writers.since(0);
    let now = judge(&acknowledged, &exchange.rows()?);
    let verdict = now.without(known);
    *known = now;
    let of_round = &acknowledged[place.min(acknowledged.len())..];
    for (what, keys) in [("lost", &verdict.lost), ("twice", &verdict.twice), ("by the older timeline", &verdict.stale)]
    {
        if let (Some(first), Some(last)) = (keys.first(), keys.last()) {
            let told = acknowledged.iter().find(|row| row.key == *first);
            say(&format!(
                "  {what}: {} row(s), from {first:?} to {last:?}; of the first it was said: {told:?}",
                keys.len()
            ));
        }
    }
    let gap = longest_gap(of_round, APPLICATION).context("the application wrote nothing")?.as_secs_f64();
    Ok(Round { gap, acknowledged: of_round.len(), verdict, restarts: 0 })
}

/// The cluster for as long as it is checked: it goes with this, unless it was up before.
struct Cluster {
    borrowed: bool,
}

impl Cluster {
    fn up() -> Result<Self> {
        let cluster = Self { borrowed: testbed::is_up()? };
        if !cluster.borrowed {
            testbed::up(&testbed::Options { nodes: NODES, storage_class: true, ..testbed::Options::default() })?;
        }
        Ok(cluster)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if !self.borrowed
            && let Err(error) = testbed::down()
        {
            say(&format!("error: the cluster is still there: {error:#}"));
        }
    }
}
