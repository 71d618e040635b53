//! Question 4 by experiment: a practice set of three pods is created, scaled down and up again, and deleted.

use std::time::Duration;

use anyhow::Context as _;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::time::{Instant, timeout_at};

use crate::commands::shared::practice::{self, Wish};
use crate::context::Ctx;
use crate::exchange::practice::{Practice, Storage, sleeper};
use crate::kubernetes::act::command;
use crate::lesson::order::{Change, Event, Following, Kind, Seen, Step, step};
use crate::observe::live;
use crate::output::{Line, Role};
use crate::persistence::identity::PodSeen;
use crate::persistence::rows::Run;
use crate::text::seconds;

/// As many as show an order.
const PODS: u8 = 3;

/// How long a step may take: another node may have to pull the image.
const LIMIT: Duration = Duration::from_mins(1);

/// How long the first list of the pods may take.
const FIRST_LIST: Duration = Duration::from_secs(30);

/// Does it, and gives what was seen. Whatever was created is deleted.
///
/// # Errors
/// `NoRoom` if there is none, before anything is created; or if it cannot be done.
pub async fn observe(ctx: &Ctx, run: &Run) -> anyhow::Result<Seen> {
    let wish = Wish { purpose: "order", pods: PODS, in_order: true, pod: sleeper, storage: Storage::None };
    let practice = practice::set_of(ctx, run, wish).await?;
    practice::room(ctx, &practice).await?;
    let mut watch = Watch::begin(ctx, &practice).await?;
    let made = watch.through(Step::Up, practice::create(ctx, &practice)).await?;
    for step in [Step::Down, Step::UpAgain, Step::Deleted] {
        if watch.following.seen.is_broken() {
            break;
        }
        let act = async {
            match step {
                Step::Down => made.scale(ctx, 0).await,
                Step::Up | Step::UpAgain => made.scale(ctx, PODS).await,
                Step::Deleted => made.delete_set(ctx).await,
            }
        };
        watch.through(step, act).await?;
    }
    let deleted = made.delete(ctx).await;
    // A server that is away ends the watch too: then it is deleted at the end of the run.
    if !watch.following.seen.is_broken() {
        deleted?;
    }
    Ok(watch.following.seen)
}

/// The pods of the set as they change, shown as they do.
struct Watch<'a> {
    ctx: &'a Ctx,
    changes: BoxStream<'static, live::Change>,
    began: Instant,
    following: Following,
    /// How many events of the newest step are shown.
    shown: usize,
}

impl<'a> Watch<'a> {
    /// Begins before the set is there, so that nothing of it is missed.
    async fn begin(ctx: &'a Ctx, practice: &Practice) -> anyhow::Result<Self> {
        let cluster = ctx.cluster().await?;
        let selector = practice.selector();
        ctx.show(|| command(cluster.place(), &["get", "pods", "-l", &selector, "--watch"]));
        let mut changes = live::pods(cluster, &selector);
        match timeout_at(Instant::now() + FIRST_LIST, changes.next()).await {
            Ok(Some(live::Change::Pods(_))) => {}
            Ok(Some(live::Change::Lost(why))) => anyhow::bail!("the pods cannot be watched: {why}"),
            _ => anyhow::bail!("the pods cannot be watched: no answer in {} s", FIRST_LIST.as_secs()),
        }
        ctx.printer.note("\"told to end\" is what kubectl shows as Terminating");
        let following = Following::new(practice.name(), PODS);
        Ok(Self { ctx, changes, began: Instant::now(), following, shown: 0 })
    }

    /// Does something to the set, and follows its pods until they have done what that makes them do, the watch breaks off, or
    /// time is over.
    async fn through<T>(&mut self, step: Step, act: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        self.shown = 0;
        self.ctx.printer.out(Line::default().and(Role::Title, self.heading(step)))?;
        self.take(Change::Asked(step))?;
        let (done, ()) = tokio::try_join!(act, self.until_complete())?;
        Ok(done)
    }

    async fn until_complete(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + LIMIT;
        while !self.following.seen.is_complete() && !self.following.seen.is_broken() {
            let change = match timeout_at(deadline, self.changes.next()).await {
                Ok(Some(live::Change::Pods(pods))) => Change::Pods(pods.iter().map(PodSeen::from).collect()),
                Ok(Some(live::Change::Lost(why))) => Change::Lost(why),
                Ok(Some(_)) => continue,
                // Watches do not end.
                Ok(None) => Change::Lost("it ended".to_owned()),
                Err(_) => Change::Late,
            };
            self.take(change)?;
        }
        Ok(())
    }

    /// Takes in a change, and shows what is new.
    fn take(&mut self, change: Change) -> anyhow::Result<()> {
        let at_ms = self.began.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
        self.following = step(self.following.clone(), change, at_ms);
        let seen = &self.following.seen;
        let phase = seen.phases.last().context("nothing was asked yet")?;
        for event in &phase.events[self.shown..] {
            self.ctx.printer.out(line(event, phase.asked_ms, &seen.set))?;
        }
        self.shown = phase.events.len();
        Ok(())
    }

    /// What is done now.
    fn heading(&self, step: Step) -> String {
        let set = &self.following.seen.set;
        match step {
            Step::Up => format!("create statefulset/{set} with {PODS} pods"),
            Step::Down => "scale it down to 0 pods".to_owned(),
            Step::UpAgain => format!("scale it up to {PODS} pods"),
            Step::Deleted => format!("delete statefulset/{set}"),
        }
    }
}

/// An event, by how long after its step was asked for.
fn line(event: &Event, from: u64, set: &str) -> Line {
    let at = format!("+{}", seconds(event.at_ms.saturating_sub(from)));
    let role = if event.kind == Kind::Ready { Role::Good } else { Role::Plain };
    let rest = format!(" pod/{set}-{}", event.pod);
    Line::from(format!("{at:>10}  ")).and(role, format!("{:<12}", event.kind.name())).and(Role::Plain, rest)
}
