//! `exercise answer`: which field of which object is wrong.

use serde_json::Value;

use crate::commands::shared::exercise::{kept, live};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::lesson::exercise::QUESTION;
use crate::lesson::exercise::answer::{self, Judged, NotUnderstood};
use crate::lesson::exercise::check;
use crate::lesson::exercise::part::Part;
use crate::lesson::exercise::path::{Difference, Path};
use crate::lesson::exercise::record::{Change, Live, Record};
use crate::output::{Line, Role};
use crate::text::brief;

/// An answer that is right in no exercise.
const EXAMPLE: [&str; 4] = ["exercise", "answer", "deployment/frontend", "spec.replicas"];

/// What `exercise answer` is asked.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The object and its field: service/NAME spec.FIELD
    #[arg(value_name = "OBJECT FIELD")]
    words: Vec<String>,
}

/// Judges an answer, and keeps that it was right.
///
/// # Errors
/// If no exercise runs, or it is no answer.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let mut record = kept::of_started(ctx).await?;
    let cluster = ctx.cluster().await?;
    let (object, field) = answer::split(&args.words);
    if object.is_empty() {
        return Err(Error::new(QUESTION, ctx.own_command(EXAMPLE).to("answer like this")).into());
    }
    let part = answer::parse_object(&object, cluster.namespace()).map_err(not_understood)?;
    let reference = part.reference(cluster.namespace());
    if field.is_empty() {
        let example = ["exercise", "answer", &reference, "spec.FIELD"];
        return Err(Error::new(format!("which field of {reference}?"), ctx.own_command(example).to("name it")).into());
    }
    let live = live::read(cluster).await?;
    let there = object_of(&live, part);
    let before = record.before.get(part.key()).map(|kept| &kept.fields);
    let path = match (answer::parse_field(&field, there.or(before)), before) {
        // What it leads through may have been deleted since.
        (Err(error), Some(before)) => answer::parse_field(&field, Some(before)).map_err(|_| error),
        (parsed, _) => parsed,
    };
    let path = path.map_err(not_understood)?;
    match answer::judge(&record, part, &path) {
        Judged::Right => {
            if !record.answered {
                record.answered = true;
                kept::update(ctx, &record).await?;
            }
            right(ctx, &record, &live, (part, &path)).await
        }
        Judged::RightObject => {
            let exists = [there, before].into_iter().flatten().any(|object| path.get(object).is_some());
            let which = if exists {
                format!("; {path} is not its wrong field")
            } else {
                format!(", but it has no field {path}")
            };
            wrong(ctx, &format!("{reference} is the right object{which}"))
        }
        Judged::Wrong if part == Part::Pod && path.is_of_spec() => {
            let set = Part::Set.reference(cluster.namespace());
            wrong(ctx, &format!("that is not it: {reference} has its spec from the template of {set}; look there"))
        }
        Judged::Wrong => wrong(ctx, &format!("that is not it: {}", unchanged(&record, &live, part, &reference))),
    }
}

fn not_understood(NotUnderstood { says, hint }: NotUnderstood) -> Error {
    Error::new(says, hint)
}

fn object_of(live: &Live, part: Part) -> Option<&Value> {
    live.iter().find(|(read, _)| *read == part)?.1.as_ref()
}

/// Says what it is, what it was, and what comes next.
async fn right(ctx: &Ctx, record: &Record, live: &Live, (part, path): (Part, &Path)) -> anyhow::Result<Outcome> {
    let namespace = ctx.cluster().await?.namespace();
    let reference = part.reference(namespace);
    let title = Line::default().and(Role::Good, "right: ");
    ctx.printer.out(title.and(Role::Plain, format!("{path} of {reference} is the wrong field")))?;
    let standing = record.standing(live);
    let is_of_it = |change: &&Change| change.part == part && answer::is_of(&change.difference.path, path);
    let changes: Vec<&Change> = standing.changes().filter(is_of_it).collect();
    for change in &changes {
        ctx.printer.out(format!("  {}", check::words(change, namespace)))?;
    }
    let is_corrected = changes.is_empty() && as_it_is(ctx, record, live, (part, path))?;
    if !is_corrected {
        ctx.printer.note("correct it with edit, patch or set of kubectl");
    }
    let next = ctx.own_command("exercise check");
    ctx.printer.out(Line::from("next: ").and(Role::Command, next.line()))?;
    Ok(Outcome::Holds)
}

/// Says the value of a field that is as it was, or of which nothing was kept. Gives which of both.
fn as_it_is(ctx: &Ctx, record: &Record, live: &Live, (part, path): (Part, &Path)) -> anyhow::Result<bool> {
    let now = object_of(live, part).and_then(|object| path.get(object));
    let before = record.before.get(part.key()).and_then(|kept| path.get(&kept.fields));
    let again = if before.is_some() { " again, as before" } else { "" };
    let says = now.map_or_else(
        || "it is not set".to_owned(),
        |now| format!("it is {}{again}", brief(&check::without_secrets(path, now).to_string())),
    );
    ctx.printer.out(format!("  {says}"))?;
    Ok(now.is_some() && before.is_some())
}

fn wrong(ctx: &Ctx, says: &str) -> anyhow::Result<Outcome> {
    ctx.printer.out(Line::default().and(Role::Bad, says))?;
    ctx.printer.hint(ctx.own_command("exercise hint").to("see where to look"));
    Ok(Outcome::DoesNotHold)
}

/// What shows that it is not this object, as far as that is so.
fn unchanged(record: &Record, live: &Live, part: Part, reference: &str) -> String {
    let standing = record.standing(live);
    let of_it = |changes: &[Change]| changes.iter().any(|change| change.part == part);
    let Some((_, object)) = live.iter().find(|(read, _)| *read == part) else {
        return format!("it is another object; {reference} could not be read");
    };
    if standing.gone.contains(&part) {
        let what = if object.is_some() { "deleted and created again" } else { "deleted" };
        return format!("{reference} was {what}, but not by the exercise");
    }
    if of_it(&standing.wrong) || of_it(&standing.tried) {
        return "another object is wrong".to_owned();
    }
    let others: Vec<_> = standing.foreign.iter().filter(|change| change.part == part).collect();
    match others.as_slice() {
        [] if object.is_none() => format!("{reference} is not there now, and the exercise did not change it"),
        [] => format!("{reference} is as it was before the exercise"),
        [first, rest @ ..] => {
            let more = if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
            let Difference { path, .. } = &first.difference;
            format!("{reference} was changed ({path}{more}), but not by the exercise")
        }
    }
}
