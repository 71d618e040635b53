//! The rights that `docs/security.md` names, and users who have them and no others.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::kubectl;
use super::wait::until;
use crate::docs::{markdown, page};

/// The page, which has the rights as YAML and as tables.
pub const PAGE: &str = "docs/security.md";

/// A right: to do this to objects of that kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    pub verb: String,
    /// As kubectl names it, with its group: `leases.coordination.k8s.io`.
    pub resource: String,
}

impl Right {
    /// Waits until the server knows that a user has it: in a namespace, or else everywhere.
    pub fn counts(&self, user: &str, namespace: Option<&str>) {
        let Self { verb, resource } = self;
        let place = namespace.map_or_else(String::new, |namespace| format!("-n {namespace}"));
        until("the right counts", Duration::from_mins(1), || {
            let ended = kubectl::run(&format!("auth can-i {verb} {resource} --as {user} {place}"));
            if ended.succeeded { Ok(()) } else { Err(format!("{}{}", ended.stdout, ended.stderr)) }
        });
    }
}

pub type Rights = BTreeSet<Right>;

/// The rights that the page gives by a `Role` or a `ClusterRole`.
pub fn of_page(kind: &str) -> Rights {
    let page = page(PAGE);
    let blocks = markdown::marked(&page).filter(|(mark, _)| *mark == "yaml");
    let mut roles = blocks.map(|(_, yaml)| serde_saphyr::from_str::<Value>(yaml).expect("YAML"));
    of_role(&roles.find(|role| role["kind"] == kind).expect("a block of this kind"))
}

/// Those that a role gives.
pub fn of_role(role: &Value) -> Rights {
    let list = |rule: &Value, of: &str| -> Vec<String> {
        let words = rule[of].as_array().into_iter().flatten();
        words.map(|word| word.as_str().expect("a word").to_owned()).collect()
    };
    let mut rights = Rights::new();
    for rule in role["rules"].as_array().expect("rules") {
        for group in list(rule, "apiGroups") {
            let suffix = if group.is_empty() { String::new() } else { format!(".{group}") };
            for resource in list(rule, "resources") {
                let resource = format!("{resource}{suffix}");
                rights.extend(list(rule, "verbs").into_iter().map(|verb| Right { verb, resource: resource.clone() }));
            }
        }
    }
    rights
}

/// Rights of users, for as long as this lives. Those in a namespace end with it too.
pub struct Granted {
    label: String,
    objects: Vec<Value>,
    /// The last one in a namespace, and the last one everywhere.
    last: BTreeMap<bool, (String, Option<String>, Right)>,
}

impl Granted {
    /// Nothing yet. The label finds what was made, also after a run that was killed.
    pub fn new(label: &str) -> Self {
        let granted = Self { label: label.to_owned(), objects: Vec::new(), last: BTreeMap::new() };
        granted.delete();
        granted
    }

    /// Gives a user these rights: in a namespace, or else everywhere.
    pub fn give(&mut self, user: &str, namespace: Option<&str>, rights: &Rights) {
        let kind = if namespace.is_some() { "Role" } else { "ClusterRole" };
        let metadata = json!({ "name": user, "namespace": namespace, "labels": { "kubecoin-test": self.label } });
        let rules: Vec<Value> = rights.iter().map(rule).collect();
        let group = "rbac.authorization.k8s.io";
        let version = format!("{group}/v1");
        self.objects.push(json!({ "apiVersion": version, "kind": kind, "metadata": metadata, "rules": rules }));
        self.objects.push(json!({
            "apiVersion": version, "kind": format!("{kind}Binding"), "metadata": metadata,
            "roleRef": { "apiGroup": group, "kind": kind, "name": user },
            "subjects": [{ "apiGroup": group, "kind": "User", "name": user }],
        }));
        let right = rights.first().expect("a right").clone();
        self.last.insert(namespace.is_some(), (user.to_owned(), namespace.map(str::to_owned), right));
    }

    /// Makes it so. The server learns of the roles of each kind one after the other, so whoever waits for the last ones has
    /// waited for all.
    pub fn apply(&mut self) {
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": self.objects });
        let made = kubectl::command(&["create", "-f", "-"], &list.to_string());
        assert!(made.succeeded, "{}", made.stderr);
        for (user, namespace, right) in self.last.values() {
            right.counts(user, namespace.as_deref());
        }
    }

    fn delete(&self) {
        kubectl::run(&format!("delete clusterroles,clusterrolebindings -l kubecoin-test={} --wait=false", self.label));
    }
}

impl Drop for Granted {
    fn drop(&mut self) {
        self.delete();
    }
}

fn rule(Right { verb, resource }: &Right) -> Value {
    let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
    json!({ "apiGroups": [group], "resources": [resource], "verbs": [verb] })
}
