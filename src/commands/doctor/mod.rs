//! `doctor`: finds the cause of what is wrong, and says what helps.

mod case;
mod everywhere;
mod fix;
mod junit;
mod report;
mod view;

use std::path::PathBuf;
use std::slice;
use std::time::Duration;

use clap::ValueEnum;
use tokio::join;
use tokio::time::{Instant, sleep};

use super::shared::cause;
use super::shared::exercise;
use super::shared::look::{Look, Scope, look};
use super::shared::target;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::exchange::names;
use crate::findings::{self, Cause, Depth, Health};
use crate::flags::duration;
use crate::kubernetes::ByHand;
use crate::text::json;
use report::{Asked, Doctor};

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin doctor
  kubectl kubecoin doctor --evidence            # show what each finding was judged by
  kubectl kubecoin doctor --only KC010          # look for one cause
  kubectl kubecoin doctor --wait                # wait until nothing is wrong
  kubectl kubecoin doctor --fix KC041           # run what mends this, after asking
  kubectl kubecoin doctor -A                    # every exchange in the cluster
  kubectl kubecoin doctor --target statefulset/redis   # any StatefulSet
  kubectl kubecoin doctor --save case.json      # write what was read, without secrets
  kubectl kubecoin doctor --from case.json      # judge it again, without a cluster
  kubectl kubecoin doctor -o json | jq -r '.findings[].id'
  kubectl kubecoin explain KC010                # what a finding means, and how to mend it

It changes nothing in the cluster, unless you use --fix.
While an exercise runs, it shows symptoms, and no causes unless you add --spoil.
Exit code 0 if nothing is wrong; 1 if something is; 2 if it could not look. Warnings do not change it.";

/// What the answer is called by programs.
const KIND: &str = "Doctor";

/// The pause before it is looked at again.
const PAUSE: Duration = Duration::from_millis(500);

/// How the findings are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// What is wrong, and what helps
    #[default]
    Table,
    /// With the title of each cause
    Wide,
    /// Everything, as JSON
    Json,
    /// Everything, as YAML
    Yaml,
    /// A test case for each cause, as `JUnit` XML
    Junit,
}

/// What `doctor` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags")]
pub struct Args {
    /// Output format: table, wide, json, yaml or junit
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t, hide_possible_values = true)]
    output: Format,

    /// Show what each finding was judged by
    #[arg(long)]
    evidence: bool,

    /// Look for this cause only, such as KC010 or claim-unbound; can be repeated
    #[arg(long, value_name = "CODE")]
    only: Vec<String>,

    /// Mend what this cause finds: show the kubectl command, ask, run it, and check again. It never deletes data
    #[arg(long, value_name = "CODE", conflicts_with_all = ["only", "output", "evidence", "wait", "all_namespaces"])]
    fix: Option<String>,

    /// Run the command without asking
    #[arg(short, long, requires = "fix")]
    yes: bool,

    /// Check every exchange in the cluster
    #[arg(short = 'A', long, conflicts_with = "wait")]
    all_namespaces: bool,

    /// Check any StatefulSet, its pods, claims, volumes and headless Service, instead of the exchange
    #[arg(long, value_name = "statefulset/NAME", value_parser = target::set_name)]
    #[arg(conflicts_with_all = ["all_namespaces", "case"])]
    target: Option<String>,

    /// Wait until nothing is wrong
    #[arg(long)]
    wait: bool,

    /// How long to wait, with --wait or --fix
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration)]
    timeout: Duration,

    /// Write what was read to a file, for --from; without passwords, values of Secrets, and logs
    #[arg(long, value_name = "FILE", conflicts_with_all = ["all_namespaces", "only", "fix"])]
    save: Option<PathBuf>,

    /// Write the containers' logs to the file too
    #[arg(long, requires = "save")]
    with_logs: bool,

    /// Judge a file that --save wrote, without a cluster; - reads stdin
    #[arg(long = "from", value_name = "FILE", conflicts_with_all = ["save", "wait", "all_namespaces", "fix"])]
    case: Option<PathBuf>,

    /// Show causes although an exercise runs
    #[arg(long)]
    spoil: bool,
}

impl Args {
    /// What is looked for.
    fn scope<'a>(&'a self, causes: &'a [&'static Cause]) -> Scope<'a> {
        Scope { target: self.target.as_deref(), depth: Depth::Around, causes }
    }

    /// What is told of these causes.
    fn asked(&self, causes: &[&'static Cause]) -> Asked {
        let only = if self.only.is_empty() { Vec::new() } else { causes.iter().map(|cause| cause.id).collect() };
        Asked { only, evidence: self.evidence }
    }

    /// The number of the exercise whose cause is not to be told. Another set is none of an exercise.
    async fn untold(&self, ctx: &Ctx) -> anyhow::Result<Option<u8>> {
        let is_another = self.target.as_deref().is_some_and(|name| name != names::POSTGRES);
        exercise::untold(ctx, self.spoil || is_another).await
    }

    /// Makes sure that nothing is asked that would tell the cause of an exercise that runs.
    async fn tell_nothing(&self, ctx: &Ctx) -> anyhow::Result<()> {
        let flags = [
            ("--fix", self.fix.is_some()),
            ("--only", !self.only.is_empty()),
            ("--evidence", self.evidence),
            ("--save", self.save.is_some()),
            ("--target", self.target.is_some()),
        ];
        let Some((flag, _)) = flags.into_iter().find(|(_, is_given)| *is_given) else { return Ok(()) };
        let Some(number) = self.untold(ctx).await? else { return Ok(()) };
        let says = format!("exercise {number} runs, and {flag} would show its cause");
        let hint = ctx.own_command("exercise hint").to("see where to look");
        Err(Error::new(says, hint.and("or add --spoil to see the cause")).into())
    }
}

/// Looks, and says what is wrong.
///
/// # Errors
/// If it could not look.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    if let Some(code) = &args.fix {
        return Box::pin(fix::run(args, code, ctx)).await;
    }
    let causes = causes(args, ctx)?;
    let scope = args.scope(&causes);
    if args.all_namespaces {
        return everywhere::run(args, scope, ctx).await;
    }
    if let Some(path) = &args.case {
        let (place, look, source) = case::open(path, scope)?;
        if look.health == Health::Unreadable {
            let says = format!("{} has nothing of the exchange: who saved it may not read it", source.file);
            let hint = ctx.by_hand.own("doctor --save case.json").to("save it as a user who may read the exchange");
            return Err(Error::new(says, hint).into());
        }
        let doctor = Doctor { source: Some(source), ..Doctor::new(&place, &look, args.asked(&causes)) };
        return tell(args, &causes, &doctor, ctx);
    }
    if let Some(path) = &args.save {
        case::check(path)?;
    }
    args.tell_nothing(ctx).await?;
    let (look, exercise) = Box::pin(read(args, scope, ctx)).await?;
    let place = ctx.cluster().await?.place();
    if look.health == Health::Unreadable {
        let says = format!("you may not read the exchange ({})", place.in_words());
        return Err(Error::new(says, ctx.by_hand.check_permissions()).into());
    }
    let doctor = Doctor::new(place, &look, args.asked(&causes)).without_causes(exercise, &look);
    let told = tell(args, &causes, &doctor, ctx);
    if let Some(path) = &args.save {
        case::save(path, args.with_logs, look, place, ctx)?;
    }
    told
}

/// Shows what was found.
fn tell(args: &Args, causes: &[&'static Cause], doctor: &Doctor, ctx: &Ctx) -> anyhow::Result<Outcome> {
    match args.output {
        Format::Junit => ctx.printer.out_text(&junit::text(slice::from_ref(doctor), causes)?)?,
        Format::Json => ctx.printer.out_text(&json::text(KIND, doctor)?)?,
        Format::Yaml => ctx.printer.out_text(&json::yaml(KIND, doctor)?)?,
        Format::Table | Format::Wide => {
            for line in view::lines(doctor, args.output == Format::Wide) {
                ctx.printer.out_wrapped(line, 2)?;
            }
            if doctor.symptoms.is_some() {
                ctx.printer.hint(exercise::what_helps(ctx, "doctor", doctor.health.holds()));
            }
        }
    }
    Ok(doctor.outcome())
}

/// Looks once; with `--wait` again and again, until nothing is wrong or the time is over. Gives also the exercise whose cause is
/// not to be told.
async fn read(args: &Args, scope: Scope<'_>, ctx: &Ctx) -> anyhow::Result<(Look, Option<u8>)> {
    let deadline = Instant::now() + args.timeout;
    loop {
        let (look, exercise) = join!(Box::pin(look(ctx, scope)), args.untold(ctx));
        let (look, exercise) = (look?, exercise?);
        let is_bad = look.diagnoses.iter().any(|it| it.finding.weight.is_bad());
        if !args.wait || !is_bad {
            return Ok((look, exercise));
        }
        if Instant::now() >= deadline {
            ctx.printer.error(&format!("something was still wrong after {:?}", args.timeout));
            return Ok((look, exercise));
        }
        sleep(PAUSE).await;
    }
}

/// The causes that are asked for: all that there can be, if none is named.
fn causes(args: &Args, ctx: &Ctx) -> anyhow::Result<Vec<&'static Cause>> {
    let all: &[&Cause] = if args.target.is_some() { &findings::OF_ANY_SET } else { &findings::EVERY };
    if args.only.is_empty() {
        return Ok(all.to_vec());
    }
    args.only.iter().map(|code| asked_for(code, all, ctx)).collect()
}

/// The cause of a code, if it is one that there can be.
fn asked_for(code: &str, all: &[&'static Cause], ctx: &Ctx) -> anyhow::Result<&'static Cause> {
    let cause = cause::named(code, ctx)?;
    if all.contains(&cause) {
        return Ok(cause);
    }
    let says = format!("{} ({}) is a cause of the exchange alone", cause.id, cause.title);
    Err(Error::new(
        says,
        ByHand::default().own("explain").to("list the codes, and which of them any StatefulSet can have"),
    )
    .into())
}
