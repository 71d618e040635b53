//! An exchange in which faults are made, by kubectl, by SQL or on the node.

use serde_json::{Value, json};

use crate::support::deployed::{field, psql, sql};
use crate::support::exchange::Exchange;
use crate::support::kubectl::{self, Ended};
use crate::support::plugin::ends;
use crate::support::scene::testbed;

/// Whether something is so. If not, what is instead.
pub type Seen<T = ()> = Result<T, String>;

/// An exchange, by its namespace.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub namespace: &'a str,
}

/// A script on the node.
pub fn on_node(script: &str) {
    testbed(&["node-exec", "1", "--", "sh", "-ec", script]);
}

impl Place<'_> {
    /// kubectl in the namespace, which must succeed.
    pub fn kubectl(self, words: &str) {
        self.ask(words);
    }

    /// The same. Gives what it says.
    pub fn ask(self, words: &str) -> String {
        kubectl::ok(&format!("{words} -n {}", self.namespace))
    }

    /// What kubectl does with this text as stdin.
    fn given(self, words: &[&str], text: &str) -> Ended {
        kubectl::command(&[&["-n", self.namespace], words].concat(), text)
    }

    fn succeeds(self, words: &[&str], text: &str) {
        let done = self.given(words, text);
        assert!(done.succeeded, "{words:?}: {}", done.stderr);
    }

    /// Changes an object by a merge patch, as kubectl merges it by default.
    pub fn patch(self, object: &str, patch: &Value) {
        self.succeeds(&["patch", object, "-p", &patch.to_string()], "");
    }

    /// Replaces a field of an object.
    pub fn replace(self, object: &str, pointer: &str, value: &Value) {
        let patch = json!([{ "op": "replace", "path": pointer, "value": value }]);
        self.succeeds(&["patch", object, "--type", "json", "-p", &patch.to_string()], "");
    }

    /// Changes the container of a workload.
    pub fn patch_container(self, workload: &str, container: &Value) {
        self.patch(workload, &json!({ "spec": { "template": { "spec": { "containers": [container] } } } }));
    }

    /// An object as somebody could create it again.
    pub fn copy(self, object: &str) -> Value {
        let text = self.ask(&format!("get {object} -o json"));
        let mut copy: Value = serde_json::from_str(&text).expect("an object");
        copy.as_object_mut().expect("an object").remove("status");
        let (name, labels) = (&copy["metadata"]["name"], &copy["metadata"]["labels"]);
        copy["metadata"] = json!({ "name": name, "namespace": self.namespace, "labels": labels });
        copy
    }

    /// Creates an object.
    pub fn create(self, object: &Value) {
        self.succeeds(&["create", "-f", "-"], &object.to_string());
    }

    /// A script in the container of the database. What it leaves running has a moment to begin.
    pub fn in_server(self, script: &str) {
        let script = format!("{script}\nsleep 2");
        self.succeeds(&["exec", "postgres-0", "--", "sh", "-ec", &script], "");
    }

    /// What a command in the container of the database says.
    pub fn of_server(self, words: &[&str]) -> Seen<String> {
        let done = self.given(&[&["exec", "postgres-0", "--"], words].concat(), "");
        if done.succeeded { Ok(done.stdout) } else { Err(done.stderr) }
    }

    /// The directory of the exchange's volume on the node.
    pub fn directory(self) -> String {
        format!("/data/kubecoin/{}", self.namespace)
    }

    /// SQL in the exchange's database.
    pub fn sql(self, statement: &str) {
        sql(self.namespace, statement);
    }

    /// SQL in another database of the server, as another role.
    pub fn sql_as(self, role: &str, database: &str, statement: &str) {
        let psql = ["exec", "-i", "postgres-0", "--", "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", role];
        self.succeeds(&[&psql[..], &["-d", database, "-f", "-"]].concat(), statement);
    }

    /// Whether SQL gives this.
    pub fn sql_gives(self, statement: &str, expected: &str) -> Seen {
        let done = psql(self.namespace, statement);
        if done.succeeded && done.stdout.trim() == expected { Ok(()) } else { Err(done.stdout + &done.stderr) }
    }

    /// Restores all that `deploy` applies.
    pub fn deploy(self) {
        ends(self.namespace, "deploy --force-conflicts --timeout 3m", 0);
    }

    /// The plugin, which must succeed.
    pub fn plugin(self, words: &str) {
        ends(self.namespace, words, 0);
    }

    /// A field of an object by its JSON pointer, as text; empty if there is none.
    pub fn field(self, object: &str, pointer: &str) -> String {
        field(self.namespace, object, pointer)
    }

    /// Whether a field of an object has this value.
    pub fn has(self, object: &str, pointer: &str, expected: &str) -> Seen {
        let value = self.field(object, pointer);
        if value == expected { Ok(()) } else { Err(format!("{object} {pointer} is {value:?}")) }
    }

    /// Whether an object is not there, or not any more.
    pub fn lacks(self, object: &str) -> Seen {
        let found = self.ask(&format!("get {object} -o name --ignore-not-found"));
        if found.is_empty() { Ok(()) } else { Err(format!("there is {found}")) }
    }

    /// Whether a Service has no address behind it.
    pub fn leads_nowhere(self, service: &str) -> Seen {
        let slices = self.list(&format!("endpointslices -l kubernetes.io/service-name={service}"));
        let is_empty = slices.iter().all(|slice| slice["endpoints"].as_array().is_none_or(Vec::is_empty));
        if is_empty { Ok(()) } else { Err(format!("{service} leads to {slices:?}")) }
    }

    /// Whether one of the pods of an app is like this.
    pub fn any_pod(self, app: &str, is: impl Fn(&Value) -> bool) -> Seen {
        let pods = self.list(&format!("pods -l app={app}"));
        let states = || pods.iter().map(|pod| pod["status"].to_string()).collect::<Vec<_>>().join("\n");
        if pods.iter().any(is) { Ok(()) } else { Err(format!("the pods of {app}: {}", states())) }
    }

    /// Whether a container of an app waits, for one of these reasons.
    pub fn waits_for(self, app: &str, reasons: &[&str]) -> Seen {
        self.any_pod(app, |pod| {
            let reason = pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"].as_str();
            reason.is_some_and(|reason| reasons.contains(&reason))
        })
    }

    /// Whether a Deployment has only pods of its newest revision.
    pub fn has_rolled_out(self, deployment: &str) -> Seen {
        let done = self.given(&["rollout", "status", &format!("deployment/{deployment}"), "--timeout", "1s"], "");
        if done.succeeded { Ok(()) } else { Err(done.stdout + &done.stderr) }
    }

    /// Whether an object has an event of this reason.
    pub fn has_event(self, object: &str, reason: &str) -> Seen {
        let uid = self.field(object, "/metadata/uid");
        let selector = format!("--field-selector involvedObject.uid={uid},reason={reason}");
        match self.list(&format!("events {selector}"))[..] {
            [] => Err(format!("{object} has no event {reason}")),
            _ => Ok(()),
        }
    }

    fn list(self, what: &str) -> Vec<Value> {
        let text = self.ask(&format!("get {what} -o json"));
        let mut list: Value = serde_json::from_str(&text).expect("a list");
        list["items"].take().as_array().cloned().unwrap_or_default()
    }

    /// Buys coins as the page does: whether a user's request goes all the way, and writes.
    pub fn buys(self) -> Seen {
        let exchange = Exchange::of(self.namespace);
        let page = exchange.page()?;
        if !page.contains("<div id=\"root\">") {
            return Err(page);
        }
        exchange.buy(WALLET, "0.01").map(drop)
    }

    /// Creates the wallet for which coins are bought.
    pub fn opens_wallet(self) {
        self.sql(&format!("INSERT INTO wallets(id) VALUES ('{WALLET}') ON CONFLICT DO NOTHING;"));
    }
}

const WALLET: &str = "anna";
