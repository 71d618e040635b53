//! `explain`: an idea of the lesson with the objects that are there, or what a finding means. A finding needs no cluster, and
//! a topic is shown with a recorded example where there is none.

mod finding;
mod live;
mod page;
mod spoils;
mod topic;

use serde::Serialize;

use super::shared::cause;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::findings::{self, Cause};
use crate::lesson::topics::{self, Topic};
use crate::output::{Column, Format, Line, Table};
use finding::Explanation;

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin explain                 # list all topics and codes
  kubectl kubecoin explain headless        # an idea, with your own objects
  kubectl kubecoin explain pv-pvc -n alice
  kubectl kubecoin explain KC010           # a finding
  kubectl kubecoin explain claim-unbound   # the same, by its name
  kubectl kubecoin explain KC010 -o json | jq -r .text

It changes nothing. A finding needs no cluster and no rights. Without a cluster, a topic
shows a recorded example.";

/// What `explain` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Topic such as headless, or code of a finding such as KC010 or claim-unbound [default: list all]
    #[arg(value_name = "TOPIC|CODE")]
    topic_or_code: Option<String>,

    /// Output format: table, wide, json or yaml
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t, hide_possible_values = true)]
    output: Format,
}

/// What can be explained.
#[derive(Debug)]
enum Subject {
    Topic(&'static Topic),
    Finding(&'static Cause),
}

/// Explains a topic or a finding, or lists all.
///
/// # Errors
/// If there is no such topic or code.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let Some(name) = &args.topic_or_code else { return list(args.output, ctx) };
    match subject(name, ctx)? {
        Subject::Topic(topic) => {
            let objects = live::read(ctx).await?;
            // Programs that read it have nothing to predict.
            if matches!(args.output, Format::Table | Format::Wide) && !spoils::is_welcome(ctx, topic, &objects).await? {
                return Ok(Outcome::Holds);
            }
            let explained = topic::Explained::new(topic, &objects, &ctx.by_hand);
            answer(args.output, ctx, "Topic", &explained, |width| explained.lines(width))
        }
        Subject::Finding(cause) => {
            let explanation = Explanation::of(cause);
            answer(args.output, ctx, "Explanation", &explanation, |width| finding::lines(&explanation, width))
        }
    }
}

/// Prints it for programs, or in lines for people.
fn answer<T: Serialize>(
    output: Format,
    ctx: &Ctx,
    kind: &'static str,
    explained: &T,
    lines: impl FnOnce(usize) -> Vec<Line>,
) -> anyhow::Result<Outcome> {
    match output.text(kind, explained)? {
        Some(text) => ctx.printer.out_text(&text)?,
        None => lines(page::width()).into_iter().try_for_each(|line| ctx.printer.out(line))?,
    }
    Ok(Outcome::Holds)
}

/// What has this name.
fn subject(name: &str, ctx: &Ctx) -> Result<Subject, Error> {
    let topic = topics::find(name).map(Subject::Topic);
    topic.or_else(|| cause::find(name).map(Subject::Finding)).ok_or_else(|| {
        let meant = similar(name).map(|name| format!(": did you mean {name}?")).unwrap_or_default();
        let hint = ctx.own_command("explain").to("list all topics and codes");
        Error::new(format!("there is no topic or finding {name:?}{meant}"), hint)
    })
}

/// The topic, code or name that somebody who typed this may have meant.
fn similar(name: &str) -> Option<&'static str> {
    cause::similar(name, topics::ALL.into_iter().map(|topic| topic.name).chain(cause::names()))
}

/// All that can be explained, as programs are told it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explanations {
    topics: Vec<Listed>,
    /// The findings.
    items: Vec<&'static Cause>,
}

/// A topic in the list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    name: &'static str,
    title: &'static str,
    question: Option<u8>,
}

fn list(output: Format, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let topics = topics::ALL.map(|Topic { name, title, question, .. }| Listed { name, title, question: *question });
    let all = Explanations { topics: topics.into(), items: findings::by_id() };
    let text = output.text("ExplanationList", &all)?;
    ctx.printer.out_text(&text.unwrap_or_else(|| tables(&all, output.is_wide())))?;
    Ok(Outcome::Holds)
}

/// The topics, and below them the findings.
fn tables(all: &Explanations, wide: bool) -> String {
    let mut topics = Table::new(&[Column::always("TOPIC"), Column::always("TITLE")], wide);
    for topic in &all.topics {
        topics.row([topic.name, topic.title].map(str::to_owned));
    }
    topics.text() + "\n" + &finding::table(&all.items, wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_to_one_thing() {
        for topic in topics::ALL {
            assert!(cause::find(topic.name).is_none(), "{topic:?}");
        }
    }

    #[test]
    fn what_is_nearly_right_is_suggested_whatever_it_is_of() {
        assert_eq!(similar("headles"), Some("headless"));
        assert_eq!(similar("StorageClass"), Some("storage-class"));
        assert_eq!(similar("claim-unbund"), Some("claim-unbound"));
        assert_eq!(similar("something else"), None);
    }
}
