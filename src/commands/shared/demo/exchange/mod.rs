//! The exchange's database as a subject: its rows, its server, and its name as applications use it.

mod by_name;
mod confirm;
pub mod load;
mod members;
pub(super) mod moment;
mod page;
pub mod preflight;
pub mod rows;
mod whole_node;
mod why;

use std::future::pending;
use std::time::Duration;

use kube::ResourceExt;
use serde_json::json;
use tokio::join;
use tokio::time::Instant;

use super::node::{self, Commands};
use super::subject::{After, Set, Subject};
use super::watched::{Seen, Watched};
use super::{Args, level_one, view};
use crate::commands::shared::page::Page;
use crate::commands::shared::primary::primary;
use crate::context::Ctx;
use crate::dns;
use crate::error::Error;
use crate::exchange::{names, psql};
use crate::kubernetes::Object;
use crate::kubernetes::act::{Act, Patch, command};
use crate::observe::{Reading, Snapshot};
use crate::persistence::How;
use crate::persistence::contrast::Contrast;
use crate::persistence::evidence::{DataAsked, Evidence, Moment, NameAnswer};
use crate::persistence::identity::PodSeen;
use crate::persistence::load::FIRST;
use crate::persistence::proof::{ANNOTATION, Proof};
use crate::persistence::rows::Run;
use crate::persistence::verdict::{Verdict, not_shown};
use by_name::{Asking, Question, Way};
use load::{Task, Writer};
use members::Back;
use moment::{PATIENCE, describe};
use preflight::Ready;
use rows::Marked;

pub use rows::clean;

/// Refuses what cannot be done, before anything is.
pub fn check(args: &Args, ctx: &Ctx) -> Result<(), Error> {
    node::check(args, ctx)?;
    level_one::check(args)?;
    page::check(args, ctx)
}

/// The exchange, and what a run has in it.
pub struct Exchange<'a> {
    args: &'a Args,
    /// What stops the server's node, if that is how it is stopped.
    node: Option<Commands>,
    ready: Ready,
    page: Option<Page>,
    marked: Marked<'a>,
    /// The writer of this turn, if there is to be one.
    writer: Option<Writer>,
    /// The number of the first row that the next writer writes.
    first: u32,
    /// Whether the marked rows are written.
    is_written: bool,
    asking: Asking,
}

impl<'a> Exchange<'a> {
    /// What the run starts from, once the user has confirmed it.
    ///
    /// # Errors
    /// If a pod may not be stopped.
    pub async fn ready(args: &'a Args, ctx: &Ctx, run: &'a Run) -> anyhow::Result<Self> {
        let ready = Box::pin(preflight::check(ctx, args.how)).await?;
        if ready.is_replicated && args.contrast {
            let hint = ctx.own_command("persistence-demo --contrast").to("omit --contrast; with one server");
            return Err(Error::new("not started: Level 1 is compared with one server", hint).into());
        }
        confirm::all(args, ctx, &ready).await?;
        Ok(Self {
            args,
            node: Commands::of(args),
            ready,
            page: page::listen(args, ctx).await?,
            marked: Marked::new(run, args.rows, args.keep),
            writer: None,
            first: FIRST,
            is_written: false,
            asking: Asking::default(),
        })
    }

    /// Starts the writer, if there is to be one.
    async fn start_writer(&self, ctx: &Ctx) -> anyhow::Result<Option<Writer>> {
        if !self.args.under_load {
            return Ok(None);
        }
        let Some(backend) = &self.ready.backend else {
            let hint = ctx.own_command("status");
            return Err(Error::new("nothing was deleted: there is no backend pod to write from", hint).into());
        };
        let limit = self.args.timeout + PATIENCE * 2;
        let task = Task {
            pod: backend,
            mark: &self.marked.mark,
            first: self.first,
            pause: load::PAUSE,
            limit,
            otherwise: Some("omit --under-load"),
        };
        Ok(Some(load::start(ctx, &task).await?))
    }
}

impl Subject for Exchange<'_> {
    const ANSWERS: bool = true;
    const IS_SHOWN: bool = true;
    const NAME_LIMIT: Option<Duration> = Some(dns::SETTLED);

    async fn watch(&self, ctx: &Ctx, pod: &str) -> anyhow::Result<(Watched, PodSeen)> {
        let (watched, seen) = Watched::begin(ctx, pod, Instant::now() + PATIENCE).await?;
        if !seen.ready {
            let why = format!("not started: pod/{pod} is not ready");
            return Err(Error::new(why, ctx.own_command("status --wait")).into());
        }
        Ok((watched, seen))
    }

    async fn before(&mut self, ctx: &Ctx, pod: &PodSeen) -> anyhow::Result<Moment> {
        self.asking = Asking::default();
        let cluster = ctx.cluster().await?;
        let before = if self.is_written {
            ctx.show(|| psql::script(&pod.name, &describe()).kubectl(cluster.place()));
            moment::read(cluster, pod).await?
        } else {
            let before = moment::read_by(cluster, pod, self.marked.write(ctx, &pod.name, &describe())).await?;
            let (run, mark) = (self.marked.run.as_str(), &self.marked.mark);
            ctx.printer.note(format!("run {run}: {} marked rows written, {mark}…", self.args.rows));
            self.is_written = true;
            before
        };
        self.writer = self.start_writer(ctx).await?;
        Ok(before)
    }

    async fn named(
        &self,
        ctx: &Ctx,
        before: &Moment,
        _seen: Seen,
        deadline: Instant,
    ) -> anyhow::Result<Reading<NameAnswer>> {
        let Some(backend) = &self.ready.backend else { return Ok(Reading::NotAsked) };
        let question = Question {
            from: backend,
            about: &before.pod.name,
            before: before.data.database().map_or("", |database| &database.server.start),
            way: if self.ready.is_replicated { Way::Primary } else { Way::Server },
        };
        by_name::show(ctx, question, deadline).await?;
        Ok(by_name::ask(ctx.cluster().await?, question, deadline, &self.asking).await)
    }

    fn has_others(&self) -> bool {
        self.ready.is_replicated
    }

    fn node(&self) -> Option<&Commands> {
        self.node.as_ref()
    }

    async fn promoted(&self, ctx: &Ctx, stopped: &PodSeen) -> anyhow::Result<String> {
        if self.ready.is_replicated { members::promoted(ctx, stopped).await } else { pending().await }
    }

    fn unnamed(&self) -> Reading<NameAnswer> {
        self.asking.given_up()
    }

    fn name_error(&self) -> Option<String> {
        self.asking.error()
    }

    async fn explain_server(&self, ctx: &Ctx) {
        why::no_server_yet(ctx).await;
    }

    async fn explain_name(&self, ctx: &Ctx) {
        why::no_name_yet(ctx, &self.asking).await;
    }

    async fn after(&mut self, ctx: &Ctx, before: &Moment, back: Option<&PodSeen>) -> anyhow::Result<After> {
        let cluster = ctx.cluster().await?;
        let load = match self.writer.take() {
            Some(writer) => writer.stop(cluster).await,
            None => Reading::NotAsked,
        };
        self.first = load.present().map_or(self.first, |load| load.last + 1);
        if let Some(pod) = back.filter(|_| self.ready.is_replicated) {
            let Back { takeover, moment } =
                Box::pin(members::read(cluster, self.ready.backend.as_deref(), before, pod)).await;
            return Ok(After { moment, log: Reading::NotAsked, load, takeover });
        }
        let (moment, log) = match back {
            Some(pod) => {
                ctx.show(|| command(cluster.place(), &["logs", &pod.name]));
                join!(moment::read_patiently(cluster, pod), moment::log(cluster, &pod.name))
            }
            None => (Reading::Absent, Reading::NotAsked),
        };
        Ok(After { moment, log, load, takeover: Reading::NotAsked })
    }
}

impl Set for Exchange<'_> {
    fn evidence(&self) -> Evidence {
        Evidence {
            run: self.marked.run.clone(),
            set: self.ready.set.clone(),
            how: self.args.how,
            node: self.node.as_ref().map(Commands::asked),
            planned: vec![self.ready.pod.name.clone(); self.args.times as usize],
            data: DataAsked::Postgres {
                marked: self.args.rows,
                max_gap_ms: self.args.max_gap.map(|gap| gap.as_millis().try_into().unwrap_or(u64::MAX)),
                is_replicated: self.ready.is_replicated,
            },
            turns: Vec::new(),
        }
    }

    fn is_alone(&mut self, is_alone: bool) {
        self.marked.is_alone = is_alone;
    }

    fn selector(&self) -> String {
        names::selector()
    }

    async fn prepare(&mut self, ctx: &Ctx) -> anyhow::Result<()> {
        if let Some(page) = self.page.take() {
            page::show(ctx, page, self.args.how, &self.ready.pod).await?;
        } else if !self.args.keep && view::on_terminal() {
            ctx.printer.note(ctx.own_command("open").to("tip: watch the page meanwhile, in a second terminal"));
        }
        Ok(())
    }

    /// The next one to stop is whichever takes writes by then.
    async fn again(&self, ctx: &Ctx, planned: &str) -> anyhow::Result<String> {
        let is_of_node = self.args.how == How::Node;
        if !self.ready.is_replicated && !is_of_node {
            return Ok(planned.to_owned());
        }
        let mut snapshot = Snapshot::glance(ctx.cluster().await?).await?;
        if self.ready.is_replicated {
            snapshot = members::settled(ctx, snapshot).await?;
        }
        if let Some(pod) = snapshot.primary().filter(|_| is_of_node) {
            whole_node::again(ctx, &snapshot, pod, self.ready.backend.as_deref()).await?;
        }
        Ok(snapshot.primary().map_or(planned.to_owned(), ResourceExt::name_any))
    }

    /// That it cannot be left changes nothing of it.
    async fn leave(&self, ctx: &Ctx, verdict: &Verdict) {
        let proof = Proof::now(verdict.holds, self.args.how);
        let left = async {
            let namespace = ctx.cluster().await?.namespace().to_owned();
            let body = json!({ "metadata": { "annotations": { ANNOTATION: serde_json::to_string(&proof)? } } });
            let object = Object {
                resource: kube::api::ApiResource::erase::<k8s_openapi::api::apps::v1::StatefulSet>(&()),
                name: names::POSTGRES.to_owned(),
                namespace: Some(namespace),
                body,
            };
            ctx.perform(&Patch { object }).await
        };
        if let Err(error) = left.await {
            ctx.printer.warning(&format!("the verdict could not be written to the StatefulSet: {error:#}"));
        }
    }

    async fn by_hand(&self, ctx: &Ctx) -> anyhow::Result<Vec<String>> {
        if self.args.keep {
            return Ok(Vec::new());
        }
        let cluster = ctx.cluster().await?;
        let pod = if self.ready.is_replicated { primary(ctx).await?.pod } else { self.ready.pod.name.clone() };
        Ok(vec![rows::removal(&pod, self.marked.run).kubectl(cluster.place())])
    }

    fn contrast_begun(&self) -> Reading<Contrast> {
        if self.args.contrast { level_one::interrupted() } else { Reading::NotAsked }
    }

    async fn contrast(&self, ctx: &Ctx, evidence: &Evidence) -> Reading<Contrast> {
        level_one::contrast(self.args, ctx, evidence).await
    }

    async fn end(&self, ctx: &Ctx, verdict: &Verdict, contrast: &Reading<Contrast>) -> anyhow::Result<()> {
        level_one::help(ctx, contrast);
        if self.args.is_lesson {
            return why::help(ctx, verdict).await;
        }
        if self.node.is_some() && !self.ready.is_replicated {
            let says =
                "one server depends on its node: until that is back, nobody answers; to deploy several that go on";
            ctx.printer.out(ctx.by_hand.elsewhere().own("deploy --ha --create-namespace").to(says))?;
        }
        let not_shown = not_shown(self.args.how, self.ready.is_replicated);
        ctx.printer.out(format!("not shown: {}", not_shown.join(", ")))?;
        if self.args.keep {
            let clean = ctx.own_command(["persistence-demo", "--clean", self.marked.run.as_str()]);
            ctx.printer.out(clean.to("the marked rows are kept; delete them"))?;
        }
        view::see_for_yourself(ctx, ctx.own_command("psql -c 'SELECT * FROM wallets'").line())?;
        why::help(ctx, verdict).await
    }
}
