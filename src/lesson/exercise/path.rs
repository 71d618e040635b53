//! Where a field is in an object, and where two objects differ.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

use serde_json::{Map, Value};

use crate::observe::saved::without_secrets;
use crate::text::{one_line, shortened};

/// As many characters of a value as are shown.
const MOST: usize = 80;

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A field: `.spec`.
    Field(String),
    /// An item of a list, by its name: `[backend]`; by its place where items have no names: `[0]`.
    Item(String),
}

/// The way from an object to one of its fields: `spec.template.spec.containers[backend].env[DB_HOST].value`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(pub Vec<Step>);

impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if at == 0 => write!(f, "{name}")?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Item(name) => write!(f, "[{name}]")?,
            }
        }
        Ok(())
    }
}

impl Path {
    /// A path as it is written, of fields whose names have no dots, and items by their names.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut steps = Vec::new();
        for part in text.split(['.', '[']) {
            match part.strip_suffix(']') {
                Some(item) => steps.push(Step::Item(item.to_owned())),
                None => steps.push(Step::Field(part.to_owned())),
            }
        }
        Self(steps)
    }

    /// Whether it leads into the `spec`.
    #[must_use]
    pub fn is_of_spec(&self) -> bool {
        self.0.first() == Some(&Step::Field("spec".to_owned()))
    }

    fn then(&self, step: Step) -> Self {
        Self(self.0.iter().cloned().chain([step]).collect())
    }

    /// This path and those of all that a value there has in it.
    #[must_use]
    pub fn with_all_below(&self, value: &Value) -> Vec<Self> {
        let below: Vec<(Step, &Value)> = match value {
            Value::Object(fields) => fields.iter().map(|(name, field)| (Step::Field(name.clone()), field)).collect(),
            Value::Array(items) if have_names(items) => {
                let name = |item: &Value| item["name"].as_str().unwrap_or_default().to_owned();
                items.iter().map(|item| (Step::Item(name(item)), item)).collect()
            }
            _ => Vec::new(),
        };
        let below = below.into_iter().flat_map(|(step, value)| self.then(step).with_all_below(value));
        [self.clone()].into_iter().chain(below).collect()
    }

    /// The value there, if there is one.
    #[must_use]
    pub fn get<'a>(&self, object: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(object, |at, step| match step {
            Step::Field(name) => at.get(name),
            Step::Item(name) => at.get(place(at, name)?),
        })
    }

    /// Sets the value there, and the fields on the way that are missing; none deletes it. Gives whether that was possible.
    pub fn set(&self, object: &mut Value, value: Option<Value>) -> bool {
        let Some((last, way)) = self.0.split_last() else { return false };
        let mut at = object;
        for step in way {
            let next = match step {
                Step::Field(name) => at
                    .as_object_mut()
                    .map(|fields| fields.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()))),
                Step::Item(name) => place(at, name).and_then(|place| at.get_mut(place)),
            };
            let Some(next) = next else { return false };
            at = next;
        }
        match (last, value) {
            (Step::Field(name), Some(value)) => {
                let Some(fields) = at.as_object_mut() else { return false };
                fields.insert(name.clone(), value);
            }
            (Step::Field(name), None) => {
                at.as_object_mut().map(|fields| fields.remove(name));
            }
            (Step::Item(name), Some(value)) => {
                let Some(item) = place(at, name).and_then(|place| at.get_mut(place)) else { return false };
                *item = value;
            }
            (Step::Item(_), None) => return false,
        }
        true
    }
}

/// The place of an item in its list.
fn place(list: &Value, name: &str) -> Option<usize> {
    let items = list.as_array()?;
    items.iter().position(|item| item["name"] == name).or_else(|| name.parse().ok().filter(|at| *at < items.len()))
}

/// A field in which two objects differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    pub path: Path,
    /// None if the field was not there.
    pub before: Option<Value>,
    /// None if it is not there any more.
    pub now: Option<Value>,
}

impl Difference {
    /// It in a sentence: `spec.selector.app is web, and was frontend`. Values are short, and hold no secret.
    #[must_use]
    pub fn words(&self) -> String {
        let shown = |value: &Value| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            shortened(&without_secrets(&one_line(&text)), MOST).into_owned()
        };
        match (&self.before, &self.now) {
            (Some(before), Some(now)) => format!("{} is {}, and was {}", self.path, shown(now), shown(before)),
            (Some(before), None) => format!("{} is missing, and was {}", self.path, shown(before)),
            (None, Some(now)) => format!("{} is {}, and was not there", self.path, shown(now)),
            (None, None) => format!("{} is as it was", self.path),
        }
    }
}

/// Where two objects differ. A field that only one of them has is one difference with all that is in it.
#[must_use]
pub fn differences(before: &Value, now: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(Some(before), Some(now), &Path::default(), &mut found);
    found
}

fn compare(before: Option<&Value>, now: Option<&Value>, path: &Path, found: &mut Vec<Difference>) {
    match (before, now) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            for name in one.keys().chain(other.keys().filter(|name| !one.contains_key(*name))) {
                compare(one.get(name), other.get(name), &path.then(Step::Field(name.clone())), found);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) if have_names(one) && have_names(other) => {
            let find = |items: &[Value], name: &Value| items.iter().find(|item| item["name"] == *name).cloned();
            let names = one.iter().chain(other.iter().filter(|item| find(one, &item["name"]).is_none()));
            for name in names.map(|item| &item["name"]) {
                let step = Step::Item(name.as_str().unwrap_or_default().to_owned());
                compare(find(one, name).as_ref(), find(other, name).as_ref(), &path.then(step), found);
            }
        }
        (before, now) if before == now => {}
        _ => found.push(Difference { path: path.clone(), before: before.cloned(), now: now.cloned() }),
    }
}

/// Whether each item of a list has a name of its own.
fn have_names(items: &[Value]) -> bool {
    let names: BTreeSet<&str> = items.iter().filter_map(|item| item["name"].as_str()).collect();
    names.len() == items.len() && !names.is_empty()
}

/// The merge patch that makes one value of the other; none if nothing differs. Lists go as wholes.
#[must_use]
pub fn merge_patch(from: &Value, to: &Value) -> Option<Value> {
    match (from, to) {
        (from, to) if from == to => None,
        (Value::Object(from), Value::Object(to)) => {
            let gone = from.keys().filter(|name| !to.contains_key(*name)).map(|name| (name.clone(), Value::Null));
            let set = to.iter().filter_map(|(name, value)| match from.get(name) {
                Some(there) => Some((name.clone(), merge_patch(there, value)?)),
                None => Some((name.clone(), value.clone())),
            });
            Some(Value::Object(gone.chain(set).collect()))
        }
        (_, to) => Some(to.clone()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(host: &str) -> Value {
        json!({ "spec": { "containers": [
            { "name": "backend", "env": [{ "name": "DB_HOST", "value": host }, { "name": "DB_PORT", "value": "5432" }] }] } })
    }

    #[test]
    fn a_path_reads_and_sets_by_names_and_places() {
        let path = Path::of("spec.containers[backend].env[DB_HOST].value");
        assert_eq!(path.to_string(), "spec.containers[backend].env[DB_HOST].value");
        let mut object = deployment("one");
        assert_eq!(path.get(&object), Some(&json!("one")));
        assert_eq!(Path::of("spec.containers[0].env[1].value").get(&object), Some(&json!("5432")));
        assert!(path.set(&mut object, Some(json!("two"))));
        assert_eq!(object, deployment("two"));
        assert!(path.set(&mut object, None) && path.get(&object).is_none());
        assert!(Path::of("spec.nodeSelector.disk").set(&mut object, Some(json!("ssd"))));
        assert_eq!(object["spec"]["nodeSelector"], json!({ "disk": "ssd" }));
        assert!(!Path::of("spec.containers[other].env").set(&mut object, Some(json!([]))));
    }

    #[test]
    fn differences_are_as_small_as_they_can_be() {
        let found = differences(&deployment("one"), &deployment("two"));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, Path::of("spec.containers[backend].env[DB_HOST].value"));
        assert_eq!((&found[0].before, &found[0].now), (&Some(json!("one")), &Some(json!("two"))));
        let with = json!({ "a": 1, "b": { "c": [1] } });
        let found = differences(&json!({ "a": 1 }), &with);
        assert_eq!((found[0].path.to_string().as_str(), &found[0].before), ("b", &None));
        assert_eq!(differences(&with, &with), []);
        let mut more = deployment("two");
        more["spec"]["containers"][0]["env"] = json!([{ "name": "DB_HOST", "value": "two" }, { "name": "NEW" }]);
        let found = differences(&deployment("one"), &more);
        let paths: Vec<String> = found.iter().map(|difference| difference.path.to_string()).collect();
        let env = |name: &str| format!("spec.containers[backend].env[{name}]");
        assert_eq!(paths, [env("DB_HOST") + ".value", env("DB_PORT"), env("NEW")]);
        let lists = (json!({ "a": [1, 2] }), json!({ "a": [1] }));
        assert_eq!(differences(&lists.0, &lists.1)[0].path, Path::of("a"));
    }

    #[test]
    fn a_patch_makes_one_of_the_other() {
        let (from, to) = (json!({ "a": { "b": 1, "c": 2 }, "d": [1] }), json!({ "a": { "b": 1 }, "d": [2], "e": {} }));
        assert_eq!(merge_patch(&from, &to), Some(json!({ "a": { "c": null }, "d": [2], "e": {} })));
        assert_eq!(merge_patch(&from, &from), None);
    }
}
