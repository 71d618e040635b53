//! What a run can be about, and what differs between them.

use std::time::Duration;

use tokio::time::Instant;

use super::node::Commands;
use super::watched::{Seen, Watched};
use crate::context::Ctx;
use crate::observe::Reading;
use crate::persistence::How;
use crate::persistence::contrast::Contrast;
use crate::persistence::evidence::{Evidence, Moment, NameAnswer, Takeover};
use crate::persistence::identity::PodSeen;
use crate::persistence::load::Load;
use crate::persistence::verdict::Verdict;

/// What a pod is stopped by, and for how long it is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Stop {
    pub how: How,
    /// How long the pod may take to be there again.
    pub timeout: Duration,
}

/// What a turn of a pod is about: a database of the exchange, a pod of which nothing is known, Level 1.
pub trait Subject {
    /// Whether its server can be asked in its pod. Else it is there again when it is ready.
    const ANSWERS: bool;
    /// Whether the user reads along.
    const IS_SHOWN: bool;
    /// How long its name may take once the server is there again; none if the asking has an end of its own.
    const NAME_LIMIT: Option<Duration>;

    /// Begins to watch the pod, which must be ready.
    async fn watch(&self, ctx: &Ctx, pod: &str) -> anyhow::Result<(Watched, PodSeen)>;

    /// Everything before. What goes on while the pod is stopped begins here.
    async fn before(&mut self, ctx: &Ctx, pod: &PodSeen) -> anyhow::Result<Moment>;

    /// The container in which commands are run.
    fn container(&self, _pod: &str) -> Option<String> {
        None
    }

    /// What its names lead to, once they lead to the new pod.
    async fn named(
        &self,
        ctx: &Ctx,
        before: &Moment,
        seen: Seen,
        deadline: Instant,
    ) -> anyhow::Result<Reading<NameAnswer>>;

    /// What is known of its names if that has not ended in time.
    fn unnamed(&self) -> Reading<NameAnswer> {
        Reading::NotAsked
    }

    /// Why its names did not lead there, the last time.
    fn name_error(&self) -> Option<String> {
        None
    }

    /// Whether another pod can take its place meanwhile. Then its server is started again by its own container, if that is
    /// there, so that nothing is seen of that on the pod.
    fn has_others(&self) -> bool {
        false
    }

    /// What stops its node and starts it again; none if that is not how it is stopped.
    fn node(&self) -> Option<&Commands> {
        None
    }

    /// Ends with the pod that takes writes instead of the one that is stopped. Never ends where there is no other one.
    async fn promoted(&self, _ctx: &Ctx, _stopped: &PodSeen) -> anyhow::Result<String> {
        std::future::pending().await
    }

    /// Says why it takes so long. Never ends.
    async fn explain_server(&self, _ctx: &Ctx) {
        std::future::pending::<()>().await;
    }

    /// Says why the name takes so long. Never ends.
    async fn explain_name(&self, _ctx: &Ctx) {
        std::future::pending::<()>().await;
    }

    /// Everything after, if it is back. What began before the stop ends here.
    async fn after(&mut self, ctx: &Ctx, before: &Moment, back: Option<&PodSeen>) -> anyhow::Result<After>;
}

/// What a subject has read after.
pub struct After {
    pub moment: Reading<Moment>,
    pub log: Reading<Vec<String>>,
    pub load: Reading<Load>,
    pub takeover: Reading<Takeover>,
}

/// A set that a run is about: what is done around its turns.
pub trait Set: Subject {
    /// What the run starts with.
    fn evidence(&self) -> Evidence;

    /// Told whether the run is known to be the only one in its namespace.
    fn is_alone(&mut self, _is_alone: bool) {}

    /// The label selector of its pods.
    fn selector(&self) -> String;

    /// What is done before the first turn.
    async fn prepare(&mut self, ctx: &Ctx) -> anyhow::Result<()>;

    /// Waits until it is as it was, before the next turn. Gives the pod to stop: the one that was planned, unless it is known
    /// only now which one that is.
    async fn again(&self, ctx: &Ctx, planned: &str) -> anyhow::Result<String>;

    /// What is done with a verdict, once there is one.
    async fn leave(&self, ctx: &Ctx, verdict: &Verdict);

    /// What is to be added to the commands that do the same by hand.
    async fn by_hand(&self, ctx: &Ctx) -> anyhow::Result<Vec<String>>;

    /// What the contrast is while it is not known yet; not asked if there is to be none.
    fn contrast_begun(&self) -> Reading<Contrast>;

    /// Level 1 beside it, if that is asked for.
    async fn contrast(&self, ctx: &Ctx, evidence: &Evidence) -> Reading<Contrast>;

    /// What is said at the end.
    async fn end(&self, ctx: &Ctx, verdict: &Verdict, contrast: &Reading<Contrast>) -> anyhow::Result<()>;
}
