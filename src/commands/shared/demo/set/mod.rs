//! Any `StatefulSet` as a subject: of its program nothing is known but what the user's commands write and read.

mod command;
mod confirm;
mod container;
mod name;
mod preflight;

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::storage::claimed;
use super::subject::{After, Set, Subject};
use super::watched::{Seen, Watched, replaced, until_seen};
use super::{node, view};
use crate::commands::shared::target;
use crate::context::Ctx;
use crate::error::Error;
use crate::kubernetes::act;
use crate::observe::{Reading, Reason};
use crate::persistence::How;
use crate::persistence::contrast::Contrast;
use crate::persistence::evidence::{Data, DataAsked, Evidence, Moment, NameAnswer};
use crate::persistence::identity::{PodSeen, claims};
use crate::persistence::output::Output;
use crate::persistence::rows::Run;
use crate::persistence::verdict::{NOT_SHOWN, Verdict};
use container::Wanted;
use preflight::{Member, Ready};

/// How long what is ready again may take to be read, and to have its data again.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(500);

/// The label by which a set's pods are told from each other.
const POD_NAME: &str = "statefulset.kubernetes.io/pod-name";

/// What is asked about any set.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Any StatefulSet")]
#[group(skip)]
pub struct Args {
    /// Delete the pods of any StatefulSet, one after another
    ///
    /// Each must be ready again before the next one is deleted. The checks work for any program: names, owners, claims,
    /// volumes, DNS, and that the old server ended before the new one started.
    #[arg(long, value_name = "statefulset/NAME", value_parser = target::set_name)]
    #[arg(conflicts_with_all = ["rows", "keep", "clean", "under_load", "contrast", "open"])]
    target: Option<String>,

    /// Command that writes data in a pod, before the pod is deleted
    ///
    /// It runs with `sh -c` in each pod, in the container that --container names, and must succeed. `$KUBECOIN_RUN` is the id
    /// of the run. The data is not deleted afterwards. Reports show the command: take passwords from the pod's environment.
    #[arg(long, value_name = "CMD", requires = "read")]
    write: Option<String>,

    /// Command that reads the data in a pod, before and after
    ///
    /// It runs like --write. As long as the data is the same, it must print the same bytes, at the latest 30 s after the pod
    /// is ready.
    #[arg(long, value_name = "CMD", requires = "target")]
    read: Option<String>,

    /// Container in which both commands run
    ///
    /// [default: the pod's annotation kubectl.kubernetes.io/default-container, like kubectl exec; else the only container, or
    /// the only one that mounts a claim]
    #[arg(long, value_name = "NAME", requires = "read")]
    container: Option<String>,
}

impl Args {
    /// The name of the set, if one is named.
    pub fn set(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// In which container commands are to be run.
    fn wanted(&self) -> Wanted<'_> {
        match (&self.container, &self.read) {
            (Some(name), _) => Wanted::Named(name),
            (None, Some(_)) => Wanted::OfTheData,
            (None, None) => Wanted::Any,
        }
    }
}

/// Refuses what cannot be done, before anything is.
pub fn check(args: &super::Args, ctx: &Ctx) -> Result<(), Error> {
    node::check(args, ctx)?;
    if args.how == How::Node {
        let why = "not started: --how node stops the node of the exchange's database, and --target names another set";
        return Err(Error::new(why, "omit --target, or use delete, kill, evict or force"));
    }
    if args.how == How::Crash {
        let why = "not started: --how crash uses pg_ctl, which only PostgreSQL has";
        return Err(Error::new(why, "use delete, kill, evict or force"));
    }
    Ok(())
}

/// The set, and what a run does in it.
pub struct AnySet<'a> {
    args: &'a super::Args,
    run: &'a Run,
    write: Option<&'a str>,
    read: Option<&'a str>,
    ready: Ready,
}

impl<'a> AnySet<'a> {
    /// What the run starts from, once the user has confirmed it.
    ///
    /// # Errors
    /// If a pod may not be stopped.
    pub async fn ready(args: &'a super::Args, ctx: &Ctx, name: &str, run: &'a Run) -> anyhow::Result<Self> {
        let ready = preflight::check(ctx, name, args.target.wanted()).await?;
        confirm::all(args, ctx, &ready).await?;
        let (write, read) = (args.target.write.as_deref(), args.target.read.as_deref());
        Ok(Self { args, run, write, read, ready })
    }

    /// What is known of a pod of it.
    fn member(&self, pod: &str) -> anyhow::Result<&Member> {
        let found = self.ready.members.iter().find(|member| member.pod == pod);
        found.ok_or_else(|| anyhow::anyhow!("pod/{pod} is none of statefulset/{}", self.ready.set.name))
    }

    /// How kubectl shows a moment.
    async fn show(&self, ctx: &Ctx, member: &Member) -> anyhow::Result<()> {
        let place = ctx.cluster().await?.place();
        if let Some(read) = self.read {
            ctx.show(|| command::kubectl(place, self.run, member, read));
        }
        ctx.show(|| act::command(place, &["get", "pod", &member.pod, "-o", "yaml"]));
        for claim in &member.claims {
            ctx.show(|| act::command(place, &["get", "pvc", claim, "-o", "yaml"]));
        }
        Ok(())
    }

    /// The pod, its claims and its data.
    async fn moment(&self, ctx: &Ctx, member: &Member) -> anyhow::Result<Moment> {
        let cluster = ctx.cluster().await?;
        let data = match self.read {
            Some(read) => Data::Output(command::run(ctx, self.run, member, read).await?),
            None => Data::None,
        };
        // After its data: a pod that was replaced meanwhile is told from the one that is judged.
        let pod = cluster.get(&member.pod).await?.ok_or_else(|| replaced(ctx, &member.pod))?;
        Ok(Moment { claims: claimed(cluster, claims(&pod)).await, pod: PodSeen::from(&pod), data })
    }

    /// The same once it is ready again. Data that comes back later than its program is ready is waited for.
    async fn moment_patiently(&self, ctx: &Ctx, member: &Member, before: &Data) -> Reading<Moment> {
        let deadline = Instant::now() + PATIENCE;
        let mut is_told = false;
        loop {
            match self.moment(ctx, member).await {
                Ok(moment) if Instant::now() > deadline || is_same(&moment.data, before) => {
                    return Reading::Present(moment);
                }
                Err(error) if Instant::now() > deadline => {
                    return Reading::Unknown(Reason::Failed(format!("{error:#}")));
                }
                _ if !std::mem::replace(&mut is_told, true) => {
                    let Member { pod, container, .. } = member;
                    ctx.printer.note(format!(
                        "pod/{pod} does not show its data yet (container {container}): waiting up to {PATIENCE:?}"
                    ));
                }
                _ => {}
            }
            sleep(PAUSE).await;
        }
    }
}

fn is_same(now: &Data, before: &Data) -> bool {
    match (now, before) {
        (Data::Output(Reading::Present(now)), Data::Output(Reading::Present(before))) => now.is_same(before),
        (now, _) => *now == Data::None,
    }
}

fn words(output: &Reading<Output>) -> String {
    match output {
        Reading::Present(output) => output.words(),
        Reading::Unknown(Reason::Forbidden(why) | Reason::Failed(why)) => format!("no answer: {why}"),
        Reading::Absent | Reading::NotAsked => "no answer".to_owned(),
    }
}

/// A command did not do what a proof needs, and so nothing is done to its pod.
fn refused(member: &Member, flag: &str, output: &Reading<Output>) -> Error {
    let why = match output {
        Reading::Present(output) if output.code == 0 => "printed nothing".to_owned(),
        other => format!("failed: {}", words(other)),
    };
    Error::new(
        format!("pod/{} was not deleted: {flag} {why} (container {})", member.pod, member.container),
        "both commands run with sh -c in the pod; --show-commands prints them, so that you can try them",
    )
}

impl Subject for AnySet<'_> {
    const ANSWERS: bool = false;
    const IS_SHOWN: bool = true;
    const NAME_LIMIT: Option<Duration> = None;

    async fn watch(&self, ctx: &Ctx, pod: &str) -> anyhow::Result<(Watched, PodSeen)> {
        Watched::begin(ctx, pod, Instant::now() + PATIENCE).await
    }

    /// Written, and read so that it can be read again.
    async fn before(&mut self, ctx: &Ctx, pod: &PodSeen) -> anyhow::Result<Moment> {
        let member = self.member(&pod.name)?;
        if let Some(write) = self.write {
            let place = ctx.cluster().await?.place();
            ctx.show(|| command::kubectl(place, self.run, member, write));
            match command::run(ctx, self.run, member, write).await? {
                Reading::Present(output) if output.code == 0 => {}
                other => return Err(refused(member, "--write", &other).into()),
            }
        }
        self.show(ctx, member).await?;
        let moment = self.moment(ctx, member).await?;
        match &moment.data {
            Data::Output(Reading::Present(output)) if output.is_something() => Ok(moment),
            Data::Output(other) => Err(refused(member, "--read", other).into()),
            Data::None | Data::Postgres(_) => Ok(moment),
        }
    }

    fn container(&self, pod: &str) -> Option<String> {
        let member = self.member(pod).ok()?;
        self.read.map(|_| member.container.clone())
    }

    async fn named(
        &self,
        ctx: &Ctx,
        before: &Moment,
        mut seen: Seen,
        _deadline: Instant,
    ) -> anyhow::Result<Reading<NameAnswer>> {
        let new = until_seen(&mut seen.ready).await?;
        name::ask(ctx, &self.ready, &before.pod.name, &new.addresses).await
    }

    async fn after(&mut self, ctx: &Ctx, before: &Moment, back: Option<&PodSeen>) -> anyhow::Result<After> {
        let moment = if back.is_some() {
            let member = self.member(&before.pod.name)?;
            self.show(ctx, member).await?;
            self.moment_patiently(ctx, member, &before.data).await
        } else {
            Reading::Absent
        };
        Ok(After { moment, log: Reading::NotAsked, load: Reading::NotAsked, takeover: Reading::NotAsked })
    }
}

impl Set for AnySet<'_> {
    fn evidence(&self) -> Evidence {
        let members = (0..self.args.times).flat_map(|_| &self.ready.members);
        Evidence {
            run: self.run.clone(),
            set: self.ready.set.clone(),
            how: self.args.how,
            node: None,
            planned: members.map(|member| member.pod.clone()).collect(),
            data: match self.read {
                Some(read) => DataAsked::Output { write: self.write.map(str::to_owned), read: read.to_owned() },
                None => DataAsked::None,
            },
            turns: Vec::new(),
        }
    }

    fn selector(&self) -> String {
        let pods: Vec<&str> = self.ready.members.iter().map(|member| member.pod.as_str()).collect();
        format!("{POD_NAME} in ({})", pods.join(","))
    }

    async fn prepare(&mut self, _ctx: &Ctx) -> anyhow::Result<()> {
        Ok(())
    }

    async fn again(&self, ctx: &Ctx, planned: &str) -> anyhow::Result<String> {
        preflight::again(ctx, &self.ready, self.args.target.wanted()).await?;
        Ok(planned.to_owned())
    }

    async fn leave(&self, _ctx: &Ctx, _verdict: &Verdict) {}

    async fn by_hand(&self, _ctx: &Ctx) -> anyhow::Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn contrast_begun(&self) -> Reading<Contrast> {
        Reading::NotAsked
    }

    async fn contrast(&self, _ctx: &Ctx, _evidence: &Evidence) -> Reading<Contrast> {
        Reading::NotAsked
    }

    async fn end(&self, ctx: &Ctx, _verdict: &Verdict, _contrast: &Reading<Contrast>) -> anyhow::Result<()> {
        ctx.printer.out(format!("not shown: {}", NOT_SHOWN.join(", ")))?;
        let place = ctx.cluster().await?.place();
        view::see_for_yourself(ctx, act::command(place, &["get", "pods,pvc", "-o", "wide"]))
    }
}
