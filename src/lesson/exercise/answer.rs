//! An answer as people type it: an object in each of kubectl's ways, a field in each of those that its tools show. And whether it
//! is right.

use serde_json::Value;

use super::part::{ALL, Part};
use super::path::{Path, Step};
use super::record::Record;
use super::{Exercise, find};
use crate::text::nearest;

/// What an answer comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// This field of this object is wrong.
    Right,
    /// The object is, but by another field.
    RightObject,
    Wrong,
}

/// Judges an answer.
#[must_use]
pub fn judge(record: &Record, part: Part, path: &Path) -> Judged {
    if record.is_answer(part, path) || record.is_answer(part, &without_places(path)) {
        Judged::Right
    } else if record.is_object(part) {
        Judged::RightObject
    } else {
        Judged::Wrong
    }
}

/// The list itself, where a path leads to one of its items that has no name: a word of a command.
fn without_places(path: &Path) -> Path {
    let is_place = |step: &Step| matches!(step, Step::Item(name) if name.parse::<usize>().is_ok());
    let end = path.0.iter().rposition(|step| !is_place(step)).map_or(0, |last| last + 1);
    Path(path.0[..end].to_vec())
}

/// Whether one of two fields is the other, or in it.
#[must_use]
pub fn is_of(one: &Path, other: &Path) -> bool {
    one.0.starts_with(&other.0) || other.0.starts_with(&one.0)
}

/// The field that was wrong, once somebody has said so.
#[must_use]
pub fn given(record: &Record) -> Option<(Part, Path)> {
    let exercise: &Exercise = find(record.number).filter(|_| record.answered)?;
    let right = |part, fields: Vec<Path>| fields.into_iter().find(|field| record.is_answer(part, field));
    (exercise.faults)().into_iter().find_map(|fault| Some((fault.part, right(fault.part, fault.fields)?)))
}

/// Why an answer is none, and what would be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{says}")]
pub struct NotUnderstood {
    pub says: String,
    pub hint: String,
}

impl NotUnderstood {
    fn new(says: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { says: says.into(), hint: hint.into() }
    }
}

/// A kind with kubectl's short name for it, its plural, and its group.
struct Kind {
    name: &'static str,
    short: &'static str,
    plural: &'static str,
    group: &'static str,
}

/// The kinds of the objects that exercises touch.
const KINDS: [Kind; 6] = [
    Kind { name: "service", short: "svc", plural: "services", group: "" },
    Kind { name: "statefulset", short: "sts", plural: "statefulsets", group: "apps" },
    Kind { name: "deployment", short: "deploy", plural: "deployments", group: "apps" },
    Kind { name: "pod", short: "po", plural: "pods", group: "" },
    Kind { name: "persistentvolumeclaim", short: "pvc", plural: "persistentvolumeclaims", group: "" },
    Kind { name: "persistentvolume", short: "pv", plural: "persistentvolumes", group: "" },
];

impl Kind {
    /// The kind with this name, short name or plural, with its group and version or without: `statefulsets.v1.apps`.
    fn find(text: &str) -> Option<&'static Self> {
        let text = text.to_ascii_lowercase();
        let (name, rest) = text.split_once('.').unwrap_or((&text, ""));
        let group = rest.strip_prefix("v1").map_or(rest, |rest| rest.trim_start_matches('.'));
        KINDS.iter().find(|kind| {
            [kind.name, kind.short, kind.plural].contains(&name) && (group.is_empty() || group == kind.group)
        })
    }
}

/// Splits the words of an answer in those for the object and those for the field: `service/x FIELD`, or `service x FIELD`.
#[must_use]
pub fn split(words: &[String]) -> (String, String) {
    let of_object =
        if words.first().is_some_and(|word| word.contains('/') || Kind::find(word).is_none()) { 1 } else { 2 };
    let (object, field) = words.split_at(of_object.min(words.len()));
    (object.join(" "), field.join(" "))
}

/// The object that is named: `service/x`, `svc/x` or `services x`.
///
/// # Errors
/// If no exercise touches such an object, with those that are meant perhaps.
pub fn parse_object(text: &str, namespace: &str) -> Result<Part, NotUnderstood> {
    let text = unquoted(text.trim());
    let Some((kind, name)) = text.split_once('/').or_else(|| text.split_once(char::is_whitespace)) else {
        return Err(without_kind(text, namespace));
    };
    let (kind, name) = (kind.trim(), name.trim());
    let Some(found) = Kind::find(kind) else {
        let names = KINDS.iter().flat_map(|kind| [kind.name, kind.short]);
        let near = nearest(kind, names).first().map(|near| format!("perhaps {near}; ")).unwrap_or_default();
        let known: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
        let hint = format!("{near}exercises change objects of these kinds: {}", known.join(", "));
        return Err(NotUnderstood::new(format!("no exercise changes an object of kind {kind:?}"), hint));
    };
    let of_kind = |part: &Part| part.resource().kind.eq_ignore_ascii_case(found.name);
    ALL.into_iter().filter(of_kind).find(|part| part.name(namespace) == name).ok_or_else(|| {
        let says = format!("no exercise changes {}/{name}", found.name);
        NotUnderstood::new(says, perhaps(name, namespace, ALL.into_iter().filter(of_kind)))
    })
}

/// A kind without a name, or a name without a kind.
fn without_kind(text: &str, namespace: &str) -> NotUnderstood {
    if let Some(kind) = Kind::find(text) {
        let of_kind = ALL.into_iter().filter(|part| part.resource().kind.eq_ignore_ascii_case(kind.name));
        return NotUnderstood::new(format!("which {} is it?", kind.name), perhaps("", namespace, of_kind));
    }
    NotUnderstood::new(format!("{text:?} names no object: its kind is missing"), perhaps(text, namespace, ALL))
}

/// Which objects may be meant, the nearest name first.
fn perhaps(name: &str, namespace: &str, parts: impl IntoIterator<Item = Part>) -> String {
    let references: Vec<String> = parts.into_iter().map(|part| part.reference(namespace)).collect();
    let of = |reference: &'_ str| reference.split_once('/').map_or(String::new(), |(_, name)| name.to_owned());
    let names: Vec<String> = references.iter().map(|reference| of(reference)).collect();
    let near = nearest(name, names.iter().map(String::as_str));
    let mut sorted: Vec<&String> = references.iter().collect();
    sorted.sort_by_key(|reference| near.iter().position(|near| *near == of(reference)).unwrap_or(near.len()));
    let shown: Vec<_> = sorted.into_iter().take(3).map(String::as_str).collect();
    format!("one of these may be meant: {}", shown.join(", "))
}

/// A text without the quotes around it.
fn unquoted(text: &str) -> &str {
    let between = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    between('"').or_else(|| between('\'')).unwrap_or(text)
}

/// The fields whose keys are free texts: they may hold dots and slashes.
const FREE_KEYS: [&str; 4] = ["labels", "annotations", "matchLabels", "nodeSelector"];

/// What an object begins with.
const ROOTS: [&str; 5] = ["spec", "metadata", "status", "kind", "apiVersion"];

/// The field that is named, with the names of items in the place of their numbers, as far as the object has them.
///
/// # Errors
/// If it is no field, or it is open which item of a list is meant.
pub fn parse_field(text: &str, object: Option<&Value>) -> Result<Path, NotUnderstood> {
    let text = unquoted(text.trim());
    let text = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text).trim();
    let text = text.strip_prefix('$').unwrap_or(text);
    let mut tokens = tokens(text)?;
    // `kubectl explain` has the kind before the field.
    if let [Token::Field(kind), _, ..] = tokens.as_slice()
        && Kind::find(kind).is_some()
    {
        tokens.remove(0);
    }
    match tokens.first() {
        Some(Token::Field(root)) if ROOTS.iter().any(|it| it.eq_ignore_ascii_case(root)) => {}
        _ => {
            let says = format!("{text:?} is no field of an object");
            return Err(NotUnderstood::new(says, "a field begins with spec or metadata: spec.replicas"));
        }
    }
    let mut path = Path::default();
    for token in tokens {
        let at = object.and_then(|object| path.get(object));
        step(&mut path, at, token)?;
    }
    Ok(path)
}

/// A piece of a field's name, as it was typed.
#[derive(Debug, PartialEq)]
enum Token {
    /// `.spec`, and what stands quoted in brackets.
    Field(String),
    /// `[0]`, `[http]`.
    Item(String),
    /// `[name=http]`, `[?(@.name=="http")]`.
    Where(String, String),
    /// `[*]`, `[]`.
    Any,
}

/// Takes a text apart.
fn tokens(text: &str) -> Result<Vec<Token>, NotUnderstood> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let end = end_of_brackets(inside).ok_or_else(|| {
                NotUnderstood::new(format!("{text:?} has a [ without a ]"), "an item of a list: spec.ports[http]")
            })?;
            found.push(in_brackets(inside[..end].trim()));
            rest = &inside[end + 1..];
            continue;
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
        let (name, after) = name(rest, keys_are_free(&found, rest));
        if name.is_empty() && !after.starts_with('[') {
            return Err(NotUnderstood::new(format!("{text:?} is no field"), "for example: spec.replicas"));
        }
        if !name.is_empty() {
            found.push(Token::Field(name));
        }
        rest = after;
    }
    Ok(found)
}

/// Whether what follows is a single key, whatever dots it has.
fn keys_are_free(before: &[Token], rest: &str) -> bool {
    match before.last() {
        Some(Token::Field(name)) if FREE_KEYS.contains(&name.as_str()) => true,
        // A Service's selector has keys, a workload's fields.
        Some(Token::Field(name)) => name == "selector" && !rest.starts_with("match"),
        _ => false,
    }
}

/// The name at the beginning of a text, and what follows. A backslash makes a dot part of the name.
fn name(text: &str, is_free: bool) -> (String, &str) {
    let mut name = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => name.extend(letters.next().map(|(_, letter)| letter)),
            '[' => return (name, &text[at..]),
            '.' if !is_free => return (name, &text[at..]),
            _ => name.push(letter),
        }
    }
    (unquoted(&name).to_owned(), "")
}

/// Where the brackets end: what is quoted does not end them.
fn end_of_brackets(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (None, ']') => return Some(at),
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), letter) if open == letter => quote = None,
            _ => {}
        }
    }
    None
}

fn in_brackets(text: &str) -> Token {
    let filter = text.strip_prefix("?(").and_then(|text| text.strip_suffix(')')).unwrap_or(text).trim();
    if unquoted(filter) != filter {
        return Token::Field(unquoted(filter).to_owned());
    }
    if let Some((key, value)) = filter.split_once("==").or_else(|| filter.split_once('=')) {
        let key = key.trim().trim_start_matches('@').trim_start_matches('.');
        return Token::Where(key.to_owned(), unquoted(value.trim()).to_owned());
    }
    match text {
        "" | "*" => Token::Any,
        _ => Token::Item(text.to_owned()),
    }
}

/// Goes one step on, from a value that is there or is not.
fn step(path: &mut Path, at: Option<&Value>, token: Token) -> Result<(), NotUnderstood> {
    match (at, token) {
        (Some(Value::Array(items)), Token::Item(item)) => path.0.push(by_name_or_place(path, items, &item)?),
        (Some(Value::Array(items)), Token::Where(key, value)) => path.0.push(by_key(path, items, &key, &value)?),
        (Some(Value::Array(items)), Token::Any) => path.0.push(only(path, items)?),
        (Some(Value::Array(items)), Token::Field(field)) => {
            // `kubectl explain` has no items; and an item may be quoted.
            if let Some(place) = items.iter().position(|item| item["name"] == field.as_str()) {
                path.0.push(item(items, place));
            } else {
                path.0.push(only(path, items)?);
                path.0.push(Step::Field(field));
            }
        }
        (at, Token::Field(field) | Token::Item(field)) if at.is_some_and(Value::is_object) => {
            path.0.push(Step::Field(as_it_is_there(at, field)));
        }
        (_, Token::Field(field)) => path.0.push(Step::Field(field)),
        // The list is not there to be asked.
        (_, Token::Item(item) | Token::Where(_, item)) => path.0.push(Step::Item(item)),
        (_, Token::Any) => {}
    }
    Ok(())
}

/// A field's name as the object has it, upper and lower case apart.
fn as_it_is_there(object: Option<&Value>, field: String) -> String {
    let names = object.and_then(Value::as_object);
    match names {
        Some(names) if !names.contains_key(&field) => {
            names.keys().find(|name| name.eq_ignore_ascii_case(&field)).cloned().unwrap_or(field)
        }
        _ => field,
    }
}

/// An item by its name, or by its place where it has none.
fn item(items: &[Value], place: usize) -> Step {
    Step::Item(items[place]["name"].as_str().map_or_else(|| place.to_string(), str::to_owned))
}

fn by_name_or_place(path: &Path, items: &[Value], text: &str) -> Result<Step, NotUnderstood> {
    let by_name = items.iter().position(|item| item["name"] == text);
    let place = by_name.or_else(|| text.parse().ok().filter(|place| *place < items.len()));
    place.map(|place| item(items, place)).ok_or_else(|| no_such_item(path, items, &format!("[{text}]")))
}

fn by_key(path: &Path, items: &[Value], key: &str, value: &str) -> Result<Step, NotUnderstood> {
    let is_it = |item: &Value| match &item[key] {
        Value::String(there) => there == value,
        // A number or a truth value, as it is written.
        there => value.parse::<Value>().is_ok_and(|value| value == *there),
    };
    let place = items.iter().position(is_it);
    place.map(|place| item(items, place)).ok_or_else(|| no_such_item(path, items, &format!("[{key}={value}]")))
}

/// The item of a list that has no other.
fn only(path: &Path, items: &[Value]) -> Result<Step, NotUnderstood> {
    match items.len() {
        1 => Ok(item(items, 0)),
        count => {
            Err(NotUnderstood::new(format!("{path} is a list of {count}: which of them is meant?"), which(path, items)))
        }
    }
}

fn no_such_item(path: &Path, items: &[Value], item: &str) -> NotUnderstood {
    NotUnderstood::new(format!("{path} has no item {item}"), which(path, items))
}

/// The items of a list, as they are named in an answer.
fn which(path: &Path, items: &[Value]) -> String {
    let names: Vec<_> =
        (0..items.len()).map(|place| Path([path.0.clone(), vec![item(items, place)]].concat())).collect();
    match names.as_slice() {
        [] => "the list is empty".to_owned(),
        names => format!("one of these: {}", names.iter().map(Path::to_string).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::lesson::exercise::fault::Fault;

    #[test]
    fn an_object_is_named_in_each_of_kubectls_ways() {
        for (text, part) in [
            ("service/backend-service", Part::BackendService),
            ("svc/backend-service", Part::BackendService),
            ("services/backend-service", Part::BackendService),
            ("Service/backend-service", Part::BackendService),
            ("SVC backend-service", Part::BackendService),
            ("service backend-service", Part::BackendService),
            ("service.v1/backend-service", Part::BackendService),
            ("service.v1./backend-service", Part::BackendService),
            ("'svc/frontend-service'", Part::FrontendService),
            ("svc/postgres-headless", Part::SetService),
            ("sts/postgres", Part::Set),
            ("statefulset.apps/postgres", Part::Set),
            ("statefulsets.v1.apps/postgres", Part::Set),
            ("StatefulSet/postgres", Part::Set),
            ("deploy/backend", Part::Backend),
            ("deployment.apps/frontend", Part::Frontend),
            ("deployments frontend", Part::Frontend),
            ("po/postgres-0", Part::Pod),
            ("pods/postgres-0", Part::Pod),
            ("pvc/postgres-pvc", Part::Claim),
            ("persistentvolumeclaims/postgres-pvc", Part::Claim),
            ("pv/postgres-pv-alice", Part::Volume),
        ] {
            assert_eq!(parse_object(text, "alice"), Ok(part), "{text}");
        }
        assert_eq!(parse_object("pv/postgres-pv", "default"), Ok(Part::Volume));
    }

    #[test]
    fn what_is_no_object_of_an_exercise_is_met_with_those_that_are() {
        for (text, says, hint) in [
            ("servce/backend-service", "no exercise changes an object of kind \"servce\"", "perhaps service; "),
            ("cm/kubecoin-exercise", "of kind \"cm\"", "kinds: service, statefulset, deployment, pod"),
            ("service.apps/backend-service", "of kind \"service.apps\"", "exercises change"),
            ("svc/backend", "no exercise changes service/backend", "meant: service/backend-service, "),
            ("po/backend-7d9f", "no exercise changes pod/backend-7d9f", "pod/postgres-0"),
            (
                "pv/postgres-pv",
                "no exercise changes persistentvolume/postgres-pv",
                "persistentvolume/postgres-pv-alice",
            ),
            ("backend-service", "its kind is missing", "service/backend-service, "),
            ("svc", "which service is it?", "service/"),
            ("", "its kind is missing", "may be meant"),
        ] {
            let error = parse_object(text, "alice").unwrap_err();
            assert!(error.says.contains(says) && error.hint.contains(hint), "{text}: {error:?}");
        }
    }

    #[test]
    fn an_answer_is_split_between_object_and_field() {
        for (words, object, field) in [
            (vec!["service/x", "spec.y"], "service/x", "spec.y"),
            (vec!["service", "x", "spec.y"], "service x", "spec.y"),
            (vec!["SVC", "x", "{.spec.y", "}"], "SVC x", "{.spec.y }"),
            (vec!["service/x"], "service/x", ""),
            (vec!["service"], "service", ""),
            (vec!["backend-service", "spec.y"], "backend-service", "spec.y"),
            (vec![], "", ""),
        ] {
            let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
            assert_eq!(split(&words), (object.to_owned(), field.to_owned()), "{words:?}");
        }
    }

    fn object() -> Value {
        json!({
            "metadata": { "labels": { "app.kubernetes.io/part-of": "kubecoin" } },
            "spec": {
                "selector": { "app": "backend" },
                "ports": [{ "name": "http", "port": 80, "targetPort": 3000 }],
                "nodeSelector": { "kubernetes.io/os": "linux" },
                "containers": [
                    { "name": "one", "env": [{ "name": "A", "value": "1" }, { "name": "B", "value": "2" }] },
                    { "name": "two", "command": ["sh", "-c"], "ports": [{ "containerPort": 1 }] },
                ],
            },
        })
    }

    #[test]
    fn a_field_is_named_in_each_way_that_tools_show() {
        let object = object();
        for (text, path) in [
            (".spec.selector.app", "spec.selector.app"),
            ("spec.selector.app", "spec.selector.app"),
            ("{.spec.selector.app}", "spec.selector.app"),
            ("{ .spec.selector.app }", "spec.selector.app"),
            ("$.spec.selector.app", "spec.selector.app"),
            ("'spec.selector.app'", "spec.selector.app"),
            ("\"spec.selector.app\"", "spec.selector.app"),
            ("spec.selector['app']", "spec.selector.app"),
            ("spec['selector'][\"app\"]", "spec.selector.app"),
            ("spec[selector].app", "spec.selector.app"),
            ("service.spec.selector.app", "spec.selector.app"),
            ("spec.Selector.App", "spec.selector.app"),
            ("spec.ports[0].targetPort", "spec.ports[http].targetPort"),
            ("spec.ports[http].targetPort", "spec.ports[http].targetPort"),
            ("spec.ports.[0].targetPort", "spec.ports[http].targetPort"),
            ("spec.ports[name=http].targetPort", "spec.ports[http].targetPort"),
            ("spec.ports[?(@.name==\"http\")].targetPort", "spec.ports[http].targetPort"),
            ("spec.ports[?(@.name == 'http')].targetPort", "spec.ports[http].targetPort"),
            ("spec.ports[?(@.port==80)].targetPort", "spec.ports[http].targetPort"),
            ("spec.ports['http'].targetPort", "spec.ports[http].targetPort"),
            ("spec.ports[*].targetPort", "spec.ports[http].targetPort"),
            ("spec.ports[].targetPort", "spec.ports[http].targetPort"),
            ("spec.ports.targetPort", "spec.ports[http].targetPort"),
            ("spec.ports", "spec.ports"),
            ("spec.nodeSelector[\"kubernetes.io/os\"]", "spec.nodeSelector.kubernetes.io/os"),
            ("spec.nodeSelector.kubernetes.io/os", "spec.nodeSelector.kubernetes.io/os"),
            ("spec.nodeSelector.kubernetes\\.io/os", "spec.nodeSelector.kubernetes.io/os"),
            ("metadata.labels.app\\.kubernetes\\.io/part-of", "metadata.labels.app.kubernetes.io/part-of"),
            ("spec.selector.matchLabels.app", "spec.selector.matchLabels.app"),
            ("spec.containers[0].env[1].value", "spec.containers[one].env[B].value"),
            ("spec.containers[one].env[?(@.name=='B')].value", "spec.containers[one].env[B].value"),
            ("spec.containers[two].command[1]", "spec.containers[two].command[1]"),
            ("spec.containers[two].ports.containerPort", "spec.containers[two].ports[0].containerPort"),
            ("metadata.finalizers", "metadata.finalizers"),
            ("spec.gone[1].value", "spec.gone[1].value"),
        ] {
            let parsed = parse_field(text, Some(&object)).unwrap_or_else(|error| panic!("{text}: {error:?}"));
            assert_eq!(parsed.to_string(), path, "{text}");
        }
        assert_eq!(parse_field("spec.ports[0].targetPort", None).unwrap().to_string(), "spec.ports[0].targetPort");
        let path = parse_field("spec.nodeSelector.kubernetes.io/os", Some(&object)).unwrap();
        assert_eq!(path.get(&object), Some(&json!("linux")));
    }

    #[test]
    fn a_field_that_is_open_is_asked_for() {
        let object = object();
        for (text, says, hint) in [
            (
                "spec.containers.env",
                "spec.containers is a list of 2",
                "one of these: spec.containers[one], spec.containers[two]",
            ),
            (
                "spec.containers[0].env.value",
                "spec.containers[one].env is a list of 2",
                "spec.containers[one].env[A], ",
            ),
            ("spec.containers[*].env", "a list of 2", "spec.containers[two]"),
            ("spec.containers[2].env", "spec.containers has no item [2]", "spec.containers[two]"),
            ("spec.containers[name=three].env", "has no item [name=three]", "spec.containers[two]"),
            ("spec.ports[0", "a [ without a ]", "spec.ports[http]"),
            ("selector.app", "is no field of an object", "spec or metadata"),
            ("", "is no field of an object", "spec or metadata"),
            ("spec..app", "is no field", "spec.replicas"),
            ("spec.", "is no field", "spec.replicas"),
        ] {
            let error = parse_field(text, Some(&object)).unwrap_err();
            assert!(error.says.contains(says) && error.hint.contains(hint), "{text}: {error:?}");
        }
    }

    #[test]
    fn an_answer_is_right_or_of_the_right_object_or_neither() {
        let fault = Fault::of_field(Part::Set, "spec.containers[postgres].command", json!(["false"]))
            .or_named("spec.containers[postgres]");
        let record = Record::new(1, &fault, &Vec::new(), Vec::new(), "salt".to_owned(), Timestamp::UNIX_EPOCH);
        let judged = |part, path| judge(&record, part, &Path::of(path));
        assert_eq!(judged(Part::Set, "spec.containers[postgres].command"), Judged::Right);
        assert_eq!(judged(Part::Set, "spec.containers[postgres]"), Judged::Right);
        assert_eq!(judged(Part::Set, "spec.containers[postgres].command[0]"), Judged::Right);
        assert_eq!(judged(Part::Set, "spec.replicas"), Judged::RightObject);
        assert_eq!(judged(Part::Backend, "spec.containers[postgres].command"), Judged::Wrong);
    }
}
