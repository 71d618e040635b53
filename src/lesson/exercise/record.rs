//! What is kept while an exercise runs: all that it takes to undo it, and whether an answer is right. It does not tell the answer.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ConfigMap;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fault::Fault;
use super::part::{ALL, Part};
use super::path::{Difference, Path, differences};
use crate::exchange::names;
use crate::observe::saved::may_be_secret;
use crate::text::hex;

/// The key of the `ConfigMap` under which all but the objects is.
const KEY: &str = "exercise";

/// What `kubectl rollout restart` writes: it changes nothing but the time of a pod's start.
const RESTARTED: &str = "spec.template.metadata.annotations";

/// An exercise that runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The exercise's number.
    pub number: u8,
    pub started_at: Timestamp,
    /// The codes of what `doctor` found before.
    pub known: Vec<String>,
    /// The UID of the claim that counts.
    pub claim: String,
    /// Whether the fault was made, and is seen.
    pub made: bool,
    /// Whether the right answer was given.
    pub answered: bool,
    /// How many hints were given.
    pub hints: u8,
    /// What is hashed before all else, so that equal answers do not look equal.
    salt: String,
    /// The hash of the object whose field is wrong.
    object: String,
    /// The hashes of the right answers.
    answers: Vec<String>,
    /// The hashes of the fields that the fault changes, also for a while.
    paths: Vec<String>,
    /// The hashes of these fields with the values that the fault gives them.
    values: Vec<String>,
    /// The objects as they were before, by `Part::key`.
    #[serde(skip)]
    pub before: BTreeMap<String, Kept>,
}

/// An object as it was before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    pub uid: String,
    /// `Part::fields`.
    pub fields: Value,
    /// Who has set which field, as `metadata.managedFields` has it.
    pub managed: Value,
}

impl Kept {
    /// What is kept of an object as the server has it.
    #[must_use]
    pub fn of(part: Part, object: &Value) -> Self {
        Self {
            uid: object["metadata"]["uid"].as_str().unwrap_or_default().to_owned(),
            fields: part.fields(object),
            managed: object["metadata"]["managedFields"].clone(),
        }
    }
}

/// The objects as they are: none for one that is not there. One that may not be read is not among them.
pub type Live = Vec<(Part, Option<Value>)>;

impl Record {
    /// That of a fault that will be made.
    #[must_use]
    pub fn new(
        number: u8,
        fault: &Fault,
        live: &Live,
        known: Vec<String>,
        salt: String,
        started_at: Timestamp,
    ) -> Self {
        let before: BTreeMap<String, Kept> = live
            .iter()
            .filter_map(|(part, object)| Some((part.key().to_owned(), Kept::of(*part, object.as_ref()?))))
            .collect();
        let claim = before.get(Part::Claim.key()).map(|kept| kept.uid.clone()).unwrap_or_default();
        let mut record = Self {
            number,
            started_at,
            known,
            claim,
            made: false,
            answered: false,
            hints: 0,
            salt,
            object: String::new(),
            answers: Vec::new(),
            paths: Vec::new(),
            values: Vec::new(),
            before,
        };
        record.object = record.hash(&[fault.part.key()]);
        record.answers = fault.fields.iter().map(|field| record.hash_of(fault.part, field)).collect();
        for part in ALL {
            let Some(kept) = record.before.get(part.key()) else { continue };
            let states = fault.states(part, &kept.fields);
            for difference in states.iter().flat_map(|state| differences(&kept.fields, state)) {
                let (path, value) = (record.hash_of(part, &difference.path), record.hash_of_value(part, &difference));
                if !record.values.contains(&value) {
                    record.paths.push(path);
                    record.values.push(value);
                }
            }
        }
        record
    }

    /// A variable of a container whose value stands in plain text and may be a secret, as `DB_PASSWORD of deployment/backend`;
    /// none if there is none.
    #[must_use]
    pub fn in_plain_text(&self) -> Option<String> {
        let may_be_one = |variable: &&Value| {
            let is_given = variable["value"].as_str().is_some_and(|value| !value.is_empty());
            is_given && may_be_secret(variable["name"].as_str().unwrap_or_default())
        };
        ALL.into_iter().find_map(|part| {
            let kept = self.before.get(part.key())?;
            let containers = kept.fields.pointer("/spec/template/spec/containers")?.as_array()?;
            let variables = containers.iter().filter_map(|container| container["env"].as_array()).flatten();
            let name = variables.filter(may_be_one).find_map(|variable| variable["name"].as_str())?;
            Some(format!("{name} of {}", part.reference("")))
        })
    }

    fn hash(&self, words: &[&str]) -> String {
        // No word has a newline.
        hex(digest(&SHA256, [&[self.salt.as_str()], words].concat().join("\n").as_bytes()).as_ref())
    }

    fn hash_of(&self, part: Part, path: &Path) -> String {
        self.hash(&[part.key(), &path.to_string()])
    }

    fn hash_of_value(&self, part: Part, difference: &Difference) -> String {
        let value = difference.now.as_ref().map(Value::to_string).unwrap_or_default();
        self.hash(&[part.key(), &difference.path.to_string(), &value])
    }

    /// Whether a field is one that the fault changes, or has such a one in it, or is in one: a field that was deleted may take
    /// what is around it along.
    fn is_of_fault(&self, part: Part, Difference { path, before, now }: &Difference) -> bool {
        let around = (1..path.0.len()).map(|end| Path(path.0[..end].to_vec()));
        let below = [before, now].into_iter().flatten().flat_map(|value| path.with_all_below(value));
        around.chain(below).any(|path| self.paths.contains(&self.hash_of(part, &path)))
    }

    /// Whether this is the object whose field is wrong.
    #[must_use]
    pub fn is_object(&self, part: Part) -> bool {
        self.object == self.hash(&[part.key()])
    }

    /// Whether this is the field that is wrong.
    #[must_use]
    pub fn is_answer(&self, part: Part, field: &Path) -> bool {
        self.answers.contains(&self.hash_of(part, field))
    }

    /// Whether an object has all fields as before, but for a restart of its pods.
    #[must_use]
    pub fn is_as_before(&self, part: Part, object: &Value) -> bool {
        let standing = self.standing(&vec![(part, Some(object.clone()))]);
        standing.gone.is_empty() && standing.changes().all(|change| standing.restarted.contains(change))
    }

    /// What has become of the objects since.
    #[must_use]
    pub fn standing(&self, live: &Live) -> Standing {
        let of = |part| live.iter().find(|(of, _)| *of == part).and_then(|(_, object)| object.as_ref());
        let is_reserved =
            of(Part::Volume).zip(of(Part::Claim)).is_some_and(|(volume, claim)| is_reserved(volume, claim));
        let mut standing = Standing { is_reserved, ..Standing::default() };
        for (part, object) in live {
            let Some(kept) = self.before.get(part.key()) else { continue };
            let Some(object) = object else {
                // The set makes another pod.
                if *part != Part::Pod {
                    standing.gone.push(*part);
                }
                continue;
            };
            if !part.may_be_replaced() && object["metadata"]["uid"] != kept.uid.as_str() {
                standing.gone.push(*part);
                continue;
            }
            for difference in differences(&kept.fields, &part.fields(object)) {
                let change = Change { part: *part, difference };
                // Also where the fault itself has restarted them.
                if change.difference.path.to_string().starts_with(RESTARTED) {
                    standing.restarted.push(change);
                } else if self.values.contains(&self.hash_of_value(*part, &change.difference)) {
                    standing.wrong.push(change);
                } else if self.is_of_fault(*part, &change.difference) {
                    standing.tried.push(change);
                } else {
                    standing.foreign.push(change);
                }
            }
        }
        standing
    }

    /// As it is kept: the data of the `ConfigMap`.
    ///
    /// # Errors
    /// If it has no form in JSON, which is a mistake of this program.
    pub fn data(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let mut data = BTreeMap::from([self.entry()?]);
        for (key, kept) in &self.before {
            data.insert(key.clone(), serde_json::to_string(kept)?);
        }
        Ok(data)
    }

    /// What of it changes while the exercise runs: its key in the data, and its text.
    ///
    /// # Errors
    /// As above.
    pub fn entry(&self) -> anyhow::Result<(String, String)> {
        Ok((KEY.to_owned(), serde_json::to_string(self)?))
    }

    /// Reads it back; none if it is not such a record.
    #[must_use]
    pub fn of(kept: &ConfigMap) -> Option<Self> {
        let data = kept.data.as_ref()?;
        let mut record: Self = serde_json::from_str(data.get(KEY)?).ok()?;
        let objects = ALL
            .iter()
            .filter_map(|part| Some((part.key().to_owned(), serde_json::from_str(data.get(part.key())?).ok()?)));
        record.before = objects.collect();
        Some(record)
    }
}

/// Whether a volume waits for another claim than this one.
#[must_use]
pub fn is_reserved(volume: &Value, claim: &Value) -> bool {
    volume["spec"]["claimRef"]["uid"].as_str().is_some_and(|uid| claim["metadata"]["uid"] != uid)
}

/// The number of the exercise that runs, as the labels of its `ConfigMap` say.
#[must_use]
pub fn running(labels: &BTreeMap<String, String>) -> Option<u8> {
    labels.get(names::EXERCISE_LABEL)?.parse().ok()
}

/// A field that is not as it was before.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub part: Part,
    pub difference: Difference,
}

/// What has become of the objects since the exercise began.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// The fault: fields with the value that it gave them.
    pub wrong: Vec<Change>,
    /// The fault's fields with yet another value.
    pub tried: Vec<Change>,
    /// Pods that somebody has restarted, which does no harm.
    pub restarted: Vec<Change>,
    /// Everything else that was changed: not by the exercise.
    pub foreign: Vec<Change>,
    /// Objects that were deleted, perhaps to be created again.
    pub gone: Vec<Part>,
    /// Whether the volume is reserved for a claim that is not there: what is kept of it does not say for which.
    pub is_reserved: bool,
}

impl Standing {
    /// Whether the fault is still there.
    #[must_use]
    pub fn has_fault(&self) -> bool {
        !self.wrong.is_empty() || self.is_reserved
    }

    /// Every field that is not as it was.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        [&self.wrong, &self.tried, &self.restarted, &self.foreign].into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::exchange::objects::Objects;
    use crate::exchange::settings::{Settings, Storage};
    use crate::kubernetes::Object;

    #[test]
    fn a_value_in_plain_text_is_named_and_what_deploy_applies_is_none() {
        let with = |variable: Value| {
            let container = json!({ "name": "backend", "env": [{ "name": "DB_HOST", "value": "postgres" }, variable] });
            let template = json!({ "spec": { "containers": [container] } });
            let live = vec![(Part::Backend, Some(json!({ "spec": { "template": template } })))];
            let fault = Fault::of_field(Part::Backend, "spec.replicas", 0);
            Record::new(1, &fault, &live, Vec::new(), String::new(), Timestamp::UNIX_EPOCH).in_plain_text()
        };
        let password = json!({ "name": "DB_PASSWORD", "value": "hush" });
        assert_eq!(with(password).as_deref(), Some("DB_PASSWORD of deployment/backend"));
        for exchange in [Storage::Static { host_path: None, hostname: None }, Storage::Dynamic { class: None }] {
            let objects = Objects::new(&Settings::of("default", exchange)).unwrap().in_order().unwrap();
            let body = |part: Part| {
                let of_part =
                    |it: &&Object| it.resource.kind == part.resource().kind && it.name == part.name("default");
                (part, objects.iter().find(of_part).map(|it| it.body.clone()))
            };
            let live: Live = ALL.map(body).into();
            let fault = Fault::of_field(Part::Backend, "spec.replicas", 0);
            let record = Record::new(1, &fault, &live, Vec::new(), String::new(), Timestamp::UNIX_EPOCH);
            assert_eq!((record.before.len(), record.in_plain_text()), (live.iter().flat_map(|it| &it.1).count(), None));
        }
        assert_eq!(with(json!({ "name": "DB_PASSWORD", "valueFrom": { "secretKeyRef": { "name": "s" } } })), None);
    }
}
