//! A topic with the objects that it is shown with.

use serde::Serialize;

use super::live::Objects;
use super::page::{self, CODE, POINT};
use crate::kubernetes::ByHand;
use crate::lesson::topics::{Fact, Field, Look, Shown, Topic};
use crate::output::{Column, Line, Role, Table};

/// A topic, as programs are told it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explained {
    name: &'static str,
    title: &'static str,
    /// The question of the lesson that it answers.
    question: Option<u8>,
    /// A sentence each.
    idea: [&'static str; 3],
    namespace: String,
    /// Whether the objects are those of the recorded example.
    recorded: bool,
    shows: Vec<Shown>,
    not_shown: Vec<String>,
    by_hand: Vec<Command>,
}

/// A command, and what it is for.
#[derive(Serialize)]
struct Command {
    to: &'static str,
    command: String,
}

impl Command {
    fn new(look: &Look, by_hand: &ByHand) -> Self {
        let command = if look.in_namespace { ByHand::kubectl } else { ByHand::kubectl_of_cluster };
        Self { to: look.to, command: command(by_hand, look.words).line() }
    }
}

impl Explained {
    pub fn new(topic: &Topic, objects: &Objects, by_hand: &ByHand) -> Self {
        let Objects { live, recorded } = objects;
        Self {
            name: topic.name,
            title: topic.title,
            question: topic.question,
            idea: topic.idea,
            namespace: live.namespace.clone(),
            recorded: *recorded,
            shows: (topic.shows)(live),
            not_shown: (topic.not_shown)(live),
            by_hand: topic.by_hand.iter().map(|look| Command::new(look, by_hand)).collect(),
        }
    }

    /// The same for people.
    pub fn lines(&self, width: usize) -> Vec<Line> {
        let mut lines = heading(self.title);
        lines.extend(page::wrapped(&self.idea.join(" "), "", width));
        lines.push(Line::default());
        lines.extend(heading(&self.place()));
        for (number, shown) in self.shows.iter().enumerate() {
            if number > 0 && matches!(self.shows[number - 1], Shown::Table(_)) {
                lines.push(Line::default());
            }
            lines.extend(of_shown(shown, width));
        }
        if !self.not_shown.is_empty() {
            lines.push(Line::default());
            lines.extend(heading(if self.recorded {
                "What this example cannot show"
            } else {
                "What this cluster cannot show"
            }));
            lines.extend(self.not_shown.iter().flat_map(|it| page::wrapped(&without_marks(it), POINT, width)));
        }
        lines.push(Line::default());
        lines.extend(heading(if self.recorded {
            "See it by yourself, in an exchange of your own"
        } else {
            "See it by yourself"
        }));
        for Command { to, command } in &self.by_hand {
            lines.extend(page::wrapped(&format!("{to}:"), POINT, width));
            lines.push(page::command(command));
        }
        lines
    }

    fn place(&self) -> String {
        let what = if self.recorded { "In the recorded example" } else { "In this cluster" };
        format!("{what}, namespace {}", self.namespace)
    }
}

fn heading(title: &str) -> Vec<Line> {
    vec![Line::default().and(Role::Title, title), Line::default()]
}

fn of_shown(shown: &Shown, width: usize) -> Vec<Line> {
    match shown {
        Shown::Fact(fact) => page::wrapped(&sentence(fact), POINT, width),
        Shown::Table(all) => {
            let columns: Vec<Column> = all.columns.iter().copied().map(Column::always).collect();
            let mut table = Table::new(&columns, false);
            for row in &all.rows {
                table.row(row.clone());
            }
            table.text().lines().map(Line::from).collect()
        }
    }
}

/// A fact in words, with its fields as code.
fn sentence(fact: &Fact) -> String {
    let Fact { object, says, because } = fact;
    let mut text = format!("{} {}", without_marks(object), without_marks(says));
    for (number, field) in because.iter().enumerate() {
        text += if number == 0 { ", because " } else { " and " };
        text += &equation(field);
    }
    text
}

fn equation(Field { path, value }: &Field) -> String {
    match value.as_deref() {
        None => format!("{CODE}{path}{CODE} is not set"),
        Some("") => format!("{CODE}{path} = \"\"{CODE}"),
        Some(value) => format!("{CODE}{path} = {}{CODE}", without_marks(value)),
    }
}

/// What comes from a cluster has no marks of code.
fn without_marks(text: &str) -> String {
    text.replace(CODE, "'")
}

#[cfg(test)]
mod tests {
    use super::page::{INDENT, WIDEST};
    use super::*;
    use crate::kubernetes::by_hand_tests::{assert_leads, hostile};
    use crate::lesson::topics::{self, Live};
    use crate::text::Hint;

    fn explained(topic: &Topic) -> Explained {
        let objects = Objects { live: Live::recorded().unwrap(), recorded: true };
        Explained::new(topic, &objects, &ByHand::default())
    }

    #[test]
    fn no_topic_has_marks_or_is_too_wide() {
        for topic in topics::ALL {
            for line in explained(topic).lines(WIDEST).iter().map(Line::plain) {
                let is_command = line.starts_with(INDENT);
                assert!(is_command || line.chars().count() <= WIDEST, "{topic:?}: {line}");
                assert!(is_command || !line.contains(['`', '#', '*', '[']), "{topic:?}: {line}");
            }
        }
    }

    #[test]
    fn each_command_leads_where_the_run_leads() {
        for look in topics::ALL.into_iter().flat_map(|topic| topic.by_hand) {
            let command = if look.in_namespace { ByHand::kubectl } else { ByHand::kubectl_of_cluster };
            let hint: Hint = command(&hostile(), look.words).to(look.to);
            assert_eq!(assert_leads(&hint, &hostile()), 1);
        }
    }

    #[test]
    fn a_fact_names_its_fields() {
        let fact = Fact::new("pvc/a", "asks for no class").because("spec.storageClassName", "").because_unset("spec.b");
        assert_eq!(
            sentence(&fact),
            "pvc/a asks for no class, because `spec.storageClassName = \"\"` and `spec.b` is not set"
        );
        assert_eq!(sentence(&Fact::new("a`b", "is `c`")), "a'b is 'c'");
    }

    #[test]
    fn programs_are_told_the_same() {
        let value = serde_json::to_value(explained(topics::find("headless").unwrap())).unwrap();
        assert_eq!(
            (&value["name"], &value["question"], &value["recorded"]),
            (&"headless".into(), &3.into(), &true.into())
        );
        assert_eq!(value["shows"][0]["table"]["rows"][0][0], "postgres-headless");
        assert_eq!(value["shows"][1]["fact"]["because"][0]["value"], "None");
        assert!(value["byHand"][0]["command"].as_str().unwrap().starts_with("kubectl get services"));
    }
}
