//! What this run has created and must delete, or stopped and must start again, whichever way it ends.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{FutureExt, LocalBoxFuture};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;

use crate::error::Interrupted;
use crate::output::Printer;

/// How long all of it may take together.
const LIMIT: Duration = Duration::from_secs(10);

/// How long nothing is said of that.
const QUIET: Duration = Duration::from_secs(2);

type Undo = Rc<dyn Fn() -> LocalBoxFuture<'static, anyhow::Result<()>>>;

/// What is to be deleted, the newest last. An entry is pushed *before* the thing is made, so deleting something that
/// is not there must succeed.
#[derive(Default)]
pub struct Cleanup {
    entries: RefCell<Vec<Entry>>,
    pushed: Cell<u64>,
    longer: Cell<Duration>,
}

/// Names an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "what is gone before the run ends is forgotten by its ticket; else drop it"]
pub struct Ticket(u64);

#[derive(Clone)]
struct Entry {
    ticket: Ticket,
    remedy: Remedy,
    undo: Undo,
}

/// A command for a person who has to do it instead, and what is said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    command: String,
    /// What is so until then; none if something is still there that was created.
    left: Option<String>,
    /// What the command is for.
    purpose: String,
}

impl Remedy {
    /// For something other than an object that was created: what is so until then, and what the command is for.
    #[must_use]
    pub fn of(command: String, left: String, purpose: String) -> Self {
        Self { command, left: Some(left), purpose }
    }
}

/// The kubectl command that deletes what was created.
impl From<String> for Remedy {
    fn from(command: String) -> Self {
        Self { command, left: None, purpose: "delete it yourself".to_owned() }
    }
}

impl Cleanup {
    /// How something is deleted, and a command for a person who has to do it instead.
    pub fn push<F, U>(&self, remedy: impl Into<Remedy>, undo: F) -> Ticket
    where
        F: Fn() -> U + 'static,
        U: Future<Output = anyhow::Result<()>> + 'static,
    {
        let ticket = Ticket(self.pushed.replace(self.pushed.get() + 1));
        let undo: Undo = Rc::new(move || undo().boxed_local());
        self.entries.borrow_mut().push(Entry { ticket, remedy: remedy.into(), undo });
        ticket
    }

    /// Lets all of it take that much longer: something that was made may have to be waited for.
    pub fn allow(&self, longer: Duration) {
        self.longer.set(self.longer.get().max(longer));
    }

    /// The command for a person who takes this away; none if it is gone.
    #[must_use]
    pub fn command(&self, ticket: Ticket) -> Option<String> {
        self.entries.borrow().iter().find(|entry| entry.ticket == ticket).map(|entry| entry.remedy.command.clone())
    }

    /// Takes one thing away before the run ends. It stays an entry until it is gone.
    ///
    /// # Errors
    /// If it cannot be deleted. Then it is tried again at the end.
    pub async fn run_now(&self, ticket: Ticket) -> anyhow::Result<()> {
        let entry = self.entries.borrow().iter().find(|entry| entry.ticket == ticket).cloned();
        if let Some(entry) = entry {
            (entry.undo)().await?;
            self.forget(ticket);
        }
        Ok(())
    }

    /// Forgets what was never made, or is gone.
    pub fn forget(&self, ticket: Ticket) {
        self.entries.borrow_mut().retain(|entry| entry.ticket != ticket);
    }

    /// Does the work until it ends or a signal stops it, and then deletes what is left. Another signal stops that too,
    /// and the commands that are left to run are printed.
    ///
    /// # Errors
    /// Those of the work, and `Interrupted`.
    pub async fn around<T>(
        &self,
        work: impl Future<Output = anyhow::Result<T>>,
        printer: Printer,
    ) -> anyhow::Result<T> {
        let mut signals = Signals::new();
        // The work is dropped here: nothing of it goes on while it is deleted.
        let (outcome, is_interrupted) = tokio::select! {
            outcome = work => (outcome, false),
            () = signals.next() => (Err(Interrupted.into()), true),
        };
        // A first signal that comes while the work's own end is cleaned up would only be too late for the work.
        let enough = async {
            if !is_interrupted {
                signals.next().await;
            }
            signals.next_of_somebody().await;
        };
        let limit = LIMIT + self.longer.get();
        let left = self.take_away(enough, limit, |error, remedy| {
            printer.warning(&format!("{error:#}"));
            printer.hint(format!("{}: {}", remedy.purpose, remedy.command));
        });
        let left = told_if_slow(QUIET, left, || {
            let limit = limit.as_secs();
            match self.newest().and_then(|entry| entry.remedy.left) {
                Some(left) => printer.note(format!("waiting up to {limit} s: {left}")),
                None => printer.note(format!("waiting up to {limit} s until what this run created is deleted")),
            }
        });
        tell_left(&left.await, printer);
        outcome
    }

    fn newest(&self) -> Option<Entry> {
        self.entries.borrow().last().cloned()
    }

    /// Takes everything away, the newest first. What fails is told and left. Gives what is left to do when it is
    /// stopped, or when its time is over.
    async fn take_away(
        &self,
        stop: impl Future<Output = ()>,
        limit: Duration,
        failed: impl Fn(&anyhow::Error, &Remedy),
    ) -> Vec<Remedy> {
        let all = async {
            while let Some(entry) = self.newest() {
                if let Err(error) = (entry.undo)().await {
                    failed(&error, &entry.remedy);
                }
                self.forget(entry.ticket);
            }
        };
        tokio::select! { biased;
            () = all => {}
            () = stop => {}
            () = sleep(limit) => {}
        }
        self.entries.borrow().iter().rev().map(|entry| entry.remedy.clone()).collect()
    }
}

/// Says what is left for a person to do.
fn tell_left(left: &[Remedy], printer: Printer) {
    let (created, others): (Vec<_>, Vec<_>) = left.iter().partition(|remedy| remedy.left.is_none());
    for Remedy { command, left, purpose } in others {
        printer.warning(&format!("{}; {purpose}:", left.as_deref().unwrap_or_default()));
        printer.command(command);
    }
    if !created.is_empty() {
        printer.warning("not everything that this run created was deleted; run these commands:");
        for remedy in created {
            printer.command(&remedy.command);
        }
    }
}

/// Waits for something, and says so if it takes a while.
async fn told_if_slow<T>(quiet: Duration, work: impl Future<Output = T>, tell: impl FnOnce()) -> T {
    let mut work = pin!(work);
    tokio::select! { biased;
        done = &mut work => return done,
        () = sleep(quiet) => tell(),
    }
    work.await
}

/// The signals by which the user or the system asks this program to stop. None if there can be no handler: then the signal
/// itself ends the program.
struct Signals(Option<[Signal; 3]>);

impl Signals {
    fn new() -> Self {
        match [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal) {
            [Ok(interrupt), Ok(terminate), Ok(hangup)] => Self(Some([interrupt, terminate, hangup])),
            _ => Self(None),
        }
    }

    /// Ends with the next signal of somebody who wants no more. A terminal that is closed says so more than once, and after
    /// that there is nobody to be told what is left.
    async fn next_of_somebody(&mut self) {
        let Some([interrupt, terminate, _]) = &mut self.0 else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }

    /// Ends with the next signal.
    async fn next(&mut self) {
        let Some([interrupt, terminate, hangup]) = &mut self.0 else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    const SOON: Duration = Duration::from_millis(10);

    /// Held by whoever waits for signals, which reach the whole process.
    static SIGNALS: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

    /// Entries with these names that write down when they are undone; one that is called "stuck" never ends.
    fn entries(names: &[&'static str]) -> (Cleanup, Vec<Ticket>, Rc<RefCell<Vec<&'static str>>>) {
        let (cleanup, done) = (Cleanup::default(), Rc::new(RefCell::new(Vec::new())));
        let push = |name: &'static str| {
            let done = Rc::clone(&done);
            cleanup.push(format!("kubectl delete {name}"), move || {
                done.borrow_mut().push(name);
                async move {
                    match name {
                        "stuck" => pending().await,
                        "fails" => anyhow::bail!("it fails"),
                        _ => Ok(()),
                    }
                }
            })
        };
        let tickets = names.iter().map(|name| push(name)).collect();
        (cleanup, tickets, done)
    }

    #[tokio::test]
    async fn a_signal_that_comes_after_the_work_leaves_nothing_and_two_stop_it() {
        let _alone = SIGNALS.lock().await;
        let printer = Printer::new(crate::output::Color::Never);
        for (signals, is_left) in [(1, false), (2, true)] {
            let (cleanup, done) = (Cleanup::default(), Rc::new(RefCell::new(false)));
            let is_done = Rc::clone(&done);
            let _ = cleanup.push("kubectl delete lease".to_owned(), move || {
                let is_done = Rc::clone(&is_done);
                async move {
                    for _ in 0..signals {
                        nix::sys::signal::raise(nix::sys::signal::Signal::SIGINT)?;
                        sleep(SOON * 10).await;
                    }
                    *is_done.borrow_mut() = true;
                    Ok(())
                }
            });
            let outcome = cleanup.around(async { Ok(7) }, printer).await;
            assert_eq!(outcome.unwrap(), 7, "the work was done");
            assert_eq!(*done.borrow(), !is_left, "{signals} signals");
        }
    }

    #[tokio::test]
    async fn the_newest_goes_first_and_one_that_fails_keeps_none_back() {
        let (cleanup, _, done) = entries(&["a", "fails", "c"]);
        let told = RefCell::new(Vec::new());
        let left = cleanup.take_away(pending(), LIMIT, |error, remedy| {
            told.borrow_mut().push(format!("{error}: {}", remedy.command));
        });
        assert!(left.await.is_empty());
        assert_eq!(*done.borrow(), ["c", "fails", "a"]);
        assert_eq!(*told.borrow(), ["it fails: kubectl delete fails"]);
    }

    #[tokio::test]
    async fn stopped_or_out_of_time_it_says_what_is_left() {
        let (cleanup, _, done) = entries(&["a", "stuck", "c"]);
        let is_left = ["kubectl delete stuck", "kubectl delete a"].map(|command| Remedy::from(command.to_owned()));
        let left = cleanup.take_away(sleep(SOON), LIMIT, |_, _| panic!("nothing fails")).await;
        assert_eq!(left, is_left);
        let left = cleanup.take_away(pending(), SOON, |_, _| panic!("nothing fails")).await;
        assert_eq!(left, is_left);
        assert_eq!(*done.borrow(), ["c", "stuck", "stuck"]);
    }

    #[tokio::test]
    async fn what_takes_a_while_is_told_once() {
        let told = Cell::new(0);
        let tell = || told.set(told.get() + 1);
        assert_eq!(told_if_slow(LIMIT, ready(7), tell).await, 7);
        assert_eq!(told.get(), 0);
        told_if_slow(SOON, sleep(SOON * 5), tell).await;
        assert_eq!(told.get(), 1);
    }

    #[tokio::test]
    async fn what_is_gone_already_is_not_taken_away_again() {
        let (cleanup, tickets, done) = entries(&["a", "b", "fails"]);
        cleanup.run_now(tickets[0]).await.unwrap();
        cleanup.run_now(tickets[0]).await.unwrap();
        cleanup.forget(tickets[1]);
        assert!(cleanup.run_now(tickets[2]).await.is_err());
        assert!(cleanup.take_away(pending(), LIMIT, |_, _| {}).await.is_empty());
        assert_eq!(*done.borrow(), ["a", "fails", "fails"]);
    }

    #[tokio::test]
    async fn it_follows_the_work_however_that_ends() {
        let _alone = SIGNALS.lock().await;
        let printer = Printer::new(crate::output::Color::Never);
        for work in [Ok(3), Err(anyhow::anyhow!("no"))] {
            let (cleanup, _, done) = entries(&["a"]);
            let succeeds = work.is_ok();
            let outcome = cleanup.around(ready(work), printer).await;
            assert_eq!(outcome.is_ok(), succeeds);
            assert_eq!(*done.borrow(), ["a"]);
        }
    }
}
