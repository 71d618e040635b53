//! The negative control: without a synchronous standby, a failover loses rows that were acknowledged, and a server without
//! Patroni goes on acknowledging beside the new primary. A checker that does not see both sees nothing.

use anyhow::{Context as _, Result, bail};

use super::cut::Cut;
use super::disturbance::{SOON, members};
use super::exchange::{Exchange, PATIENCE};
use super::writer::{APPLICATION, Writers};
use crate::process;
use crate::testbed::wait::{self, Deadline};

/// Cuts the standbys off from the primary while rows are acknowledged, freezes the primary until another member takes writes,
/// lets its server go on until it acknowledges again, and then everything. Returns once all members follow again; the rows are then to be judged, and only after that the database is
/// to be [made safe](Asynchronous::end) again.
pub fn make<'a>(exchange: &'a Exchange, writers: &Writers) -> Result<Asynchronous<'a>> {
    let asynchronous = Asynchronous::begin(exchange)?;
    let primary = exchange.settled_asynchronously()?;
    let container = primary.container()?;
    let network = container.network()?;
    let cut = Cut::from_addresses(&members(exchange, &primary)?, |words| Ok(network.program(words)))?;
    let is_primarys = |pod: &str| pod == primary.name;
    let place = writers.place();
    writers.acknowledges("the primary alone", place, SOON, |row| row.key.0 == APPLICATION && is_primarys(&row.pod))?;
    let frozen = container.freeze()?;
    let place = writers.place();
    writers.acknowledges("another primary", place, SOON, |row| row.key.0 == APPLICATION && !is_primarys(&row.pod))?;
    let others = writers.since(place).into_iter().filter(|row| !is_primarys(&row.pod));
    let taken = others.map(|row| row.at).min().context("another primary acknowledged nothing")?;
    // Not before: what the primary has sent already is in its kernel, and would still reach them.
    drop(cut);
    let place = writers.place();
    frozen.server_goes_on()?;
    // It finds what was sent before first.
    writers.acknowledges("the older primary", place, SOON, |row| is_primarys(&row.pod) && row.sent > taken)?;
    drop(frozen);
    exchange.settled_asynchronously()?;
    let place = writers.place();
    writers.application_writes(place, SOON)?;
    Ok(asynchronous)
}

/// A database whose primary acknowledges rows alone, until this ends.
pub struct Asynchronous<'a> {
    exchange: &'a Exchange,
    ended: bool,
}

impl<'a> Asynchronous<'a> {
    fn begin(exchange: &'a Exchange) -> Result<Self> {
        exchange.settled()?;
        let asynchronous = Self { exchange, ended: false };
        asynchronous.set(false)?;
        Ok(asynchronous)
    }

    /// A row is acknowledged by two members again.
    pub fn end(mut self) -> Result<()> {
        self.ended = true;
        self.set(true)?;
        self.exchange.settled().map(drop)
    }

    fn set(&self, synchronous: bool) -> Result<()> {
        let setting = format!("synchronous_mode={synchronous}");
        let Some(pod) = self.exchange.servers()?.into_keys().next() else { bail!("the database has no pod") };
        let patroni = ["patronictl", "-c", "/tmp/patroni", "edit-config", "postgres", "--force", "--quiet", "--set"];
        let exec = ["exec", &pod, "--container=postgres", "--"];
        self.exchange.kubectl(&[&exec[..], &patroni[..], &[&setting]].concat())?;
        wait::until(Deadline::after(PATIENCE), || {
            const STANDBYS: &str = "COPY (SELECT current_setting('synchronous_standby_names')) TO STDOUT";
            let standbys = self.exchange.sql(STANDBYS).unwrap_or_else(|error| format!("{error:#}"));
            let is_set = standbys.trim().is_empty() != synchronous;
            Ok(if is_set { Ok(()) } else { Err(format!("{setting}, but the standbys are {standbys:?}")) })
        })
    }
}

impl Drop for Asynchronous<'_> {
    fn drop(&mut self) {
        if !self.ended
            && let Err(error) = self.set(true)
        {
            process::say(&format!("error: the database still has no synchronous standby: {error:#}"));
        }
    }
}
