//! An exchange in a namespace of its own: deployed, asked and deleted as people do it, with the plugin and kubectl.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::container::Container;
use super::history::Rows;
use crate::testbed::wait::{self, Deadline};
use crate::{paths, process, testbed};

/// How long all members may take to follow again: one may have to be copied anew.
pub const PATIENCE: Duration = Duration::from_mins(4);

/// The pause between two looks: one takes the processors from what is measured.
const BETWEEN: Duration = Duration::from_millis(500);

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Three members.
    Replicated,
    /// One server.
    Single,
}

/// An exchange, for as long as this lives.
pub struct Exchange {
    plugin: PathBuf,
    namespace: String,
    kind: Kind,
}

/// A pod, as the API server has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Its node; empty before it has one.
    pub node: String,
    /// Its address; empty before it has one.
    pub address: String,
    /// The runtime's id of its container; empty before that was started.
    pub container: String,
    /// How often its container was started again.
    pub restarts: u64,
    uid: String,
}

impl Exchange {
    /// Deploys one in this namespace, which is emptied first, with the table of the writers.
    pub fn deploy(plugin: &Path, namespace: &str, kind: Kind) -> Result<Self> {
        let exchange = Self { plugin: plugin.to_owned(), namespace: namespace.to_owned(), kind };
        exchange.clear(true)?;
        let ha = if kind == Kind::Replicated { &["--ha"][..] } else { &[] };
        let words = [&["deploy"][..], ha, &["--init-db", "--create-namespace", "--timeout", "5m"]].concat();
        process::output(&mut exchange.plugin(&words)?)?;
        // Without a key, so that a row that is written twice is there twice.
        exchange.sql("CREATE TABLE history (writer integer NOT NULL, number bigint NOT NULL)")?;
        Ok(exchange)
    }

    /// The plugin in this namespace.
    fn plugin(&self, words: &[&str]) -> Result<Command> {
        self.command(Command::new(&self.plugin), words)
    }

    fn command(&self, mut command: Command, words: &[&str]) -> Result<Command> {
        // Before the words: these may end with a command for a pod.
        command.args(words.iter().take(1)).args(["--namespace", &self.namespace]).args(words.iter().skip(1));
        command.current_dir(paths::workspace()).stdin(Stdio::null());
        let folder = self.plugin.parent().context("a file is in a folder")?;
        testbed::environment(&mut command, folder)?;
        Ok(command)
    }

    /// What kubectl says in this namespace; it must succeed.
    pub fn kubectl(&self, words: &[&str]) -> Result<String> {
        process::output(&mut self.command(Command::new("kubectl"), words)?)
    }

    /// Runs SQL on the server that takes writes, as the exchange's role. Gives what psql prints.
    pub fn sql(&self, sql: &str) -> Result<String> {
        process::output(&mut self.plugin(&["psql", "-c", sql])?)
    }

    /// Hands the role of the primary to a standby.
    pub fn switch_over(&self) -> Result<()> {
        process::output(&mut self.plugin(&["switchover"])?).map(drop)
    }

    /// Which rows the server that takes writes has, and how often.
    pub fn rows(&self) -> Result<Rows> {
        const ALL: &str = "COPY (SELECT writer, number, count(*) FROM history GROUP BY writer, number) TO STDOUT";
        self.sql(ALL)?.lines().map(row).collect()
    }

    /// Its pods with this label, by name.
    pub fn pods(&self, selector: &str) -> Result<BTreeMap<String, Pod>> {
        let list =
            self.kubectl(&["get", "pods", "--selector", selector, "--output", "json", "--request-timeout=20s"])?;
        let list: Value = serde_json::from_str(&list).context("kubectl printed no JSON")?;
        let items = list["items"].as_array().cloned().unwrap_or_default();
        Ok(items.iter().map(pod).map(|pod| (pod.name.clone(), pod)).collect())
    }

    /// The pods of its database.
    pub fn servers(&self) -> Result<BTreeMap<String, Pod>> {
        self.pods("app=postgres")
    }

    /// The pod of its backend.
    pub fn backend(&self) -> Result<Pod> {
        self.pods("app=backend")?.into_values().next().context("there is no pod of the backend")
    }

    /// The node on which the cluster's DNS runs.
    pub fn node_of_dns(&self) -> Result<String> {
        // Of two namespaces, kubectl takes the last one.
        const NODE: &str = "--output=jsonpath={.items[0].spec.nodeName}";
        self.kubectl(&["get", "pods", "--selector=k8s-app=kube-dns", "--namespace=kube-system", NODE])
    }

    /// Whether it is more than one server.
    pub fn is_replicated(&self) -> bool {
        self.kind == Kind::Replicated
    }

    /// Waits until the exchange works and, of members, one takes writes, all follow on its timeline, and one of them has every
    /// acknowledged row. Gives the pod that takes writes.
    pub fn settled(&self) -> Result<Pod> {
        self.reaches(|status| follow(status, true))
    }

    /// The same if no standby need have every acknowledged row.
    pub fn settled_asynchronously(&self) -> Result<Pod> {
        self.reaches(|status| follow(status, false))
    }

    fn reaches(&self, holds: impl Fn(&Value) -> Result<String, String>) -> Result<Pod> {
        let name = wait::until_every(BETWEEN, Deadline::after(PATIENCE), || {
            // It fails as long as something is wrong, and says what all the same.
            let status = self.plugin(&["status", "--output", "json"])?.output().context("cannot start the plugin")?;
            let status: Value = serde_json::from_slice(&status.stdout).unwrap_or_default();
            Ok(match self.kind {
                Kind::Replicated => holds(&status),
                Kind::Single if status["healthy"] == true => Ok("postgres-0".to_owned()),
                Kind::Single => Err(format!("the exchange is {}", status["health"])),
            })
        })?;
        self.servers()?.remove(&name).with_context(|| format!("there is no pod/{name}"))
    }

    fn clear(&self, wait: bool) -> Result<()> {
        if self.kind == Kind::Single && self.kubectl(&["get", "namespace", &self.namespace]).is_ok() {
            // Its volume is no part of the namespace.
            process::output(&mut self.plugin(&["teardown", "--yes", "--delete-data"])?)?;
        }
        let wait = if wait { "--timeout=120s" } else { "--wait=false" };
        self.kubectl(&["delete", "namespace", &self.namespace, "--ignore-not-found", wait]).map(drop)
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Err(error) = self.clear(false) {
            process::say(&format!("error: namespace {} is still there: {error:#}", self.namespace));
        }
    }
}

impl Pod {
    /// Its container, which is to run.
    pub fn container(&self) -> Result<Container> {
        Container::new(&self.container).with_context(|| format!("pod/{} has not started", self.name))
    }
}

/// How often containers were started again in pods that are the same in both.
pub fn restarts(before: &BTreeMap<String, Pod>, after: &BTreeMap<String, Pod>) -> u64 {
    let same = after.iter().filter_map(|(name, pod)| before.get(name).filter(|it| it.uid == pod.uid).zip(Some(pod)));
    same.map(|(before, after)| after.restarts.saturating_sub(before.restarts)).sum()
}

fn pod(object: &Value) -> Pod {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    Pod {
        name: text("/metadata/name"),
        node: text("/spec/nodeName"),
        address: text("/status/podIP"),
        container: text("/status/containerStatuses/0/containerID"),
        restarts: object
            .pointer("/status/containerStatuses/0/restartCount")
            .and_then(Value::as_u64)
            .unwrap_or_default(),
        uid: text("/metadata/uid"),
    }
}

/// A line of COPY: the writer, the number and how often the row is there.
fn row(line: &str) -> Result<((u8, u64), u64)> {
    let words: Vec<&str> = line.split('\t').collect();
    let [writer, number, times] = words[..] else { anyhow::bail!("{line:?} is no row of the table") };
    let read = || anyhow::Ok(((writer.parse()?, number.parse()?), times.parse()?));
    read().with_context(|| format!("{line:?} is no row of the table"))
}

/// The primary's name if what `status` says of the members is as it is to be, else what is missing.
fn follow(status: &Value, synchronously: bool) -> Result<String, String> {
    let members = status["members"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of_role = |role: &str| members.iter().filter(|it| it["replication"]["role"] == role).collect::<Vec<_>>();
    let timelines: Vec<Option<u64>> = members.iter().map(|it| it["replication"]["timeline"].as_u64()).collect();
    let [primary] = of_role("primary")[..] else { return Err(format!("{} primaries", of_role("primary").len())) };
    if members.len() != 3 || timelines.iter().any(|it| it.is_none() || *it != timelines[0]) {
        return Err(format!("members on the timelines {timelines:?}"));
    }
    if synchronously && of_role("synchronousStandby").len() != 1 {
        return Err("no standby has every acknowledged row".to_owned());
    }
    if synchronously && status["healthy"] != true {
        return Err(format!("the exchange is {}: {}", status["health"], status["findings"]));
    }
    Ok(primary["pod"].as_str().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn member(number: u8, role: &str, timeline: u8) -> Value {
        json!({"pod": format!("postgres-{number}"), "replication": {"role": role, "timeline": timeline}})
    }

    #[test]
    fn members_have_settled_once_all_follow_one_and_one_follows_synchronously() {
        let good = [member(0, "synchronousStandby", 2), member(1, "primary", 2), member(2, "replica", 2)];
        let said =
            |members: &[Value], synchronously| follow(&json!({"healthy": true, "members": members}), synchronously);
        assert_eq!(said(&good, true).as_deref(), Ok("postgres-1"));
        let mut asynchronous = good.clone();
        asynchronous[0] = member(0, "replica", 2);
        assert!(said(&asynchronous, true).is_err());
        assert_eq!(said(&asynchronous, false).as_deref(), Ok("postgres-1"));
        for (number, wrong) in
            [(2, member(2, "replica", 1)), (2, member(2, "primary", 2)), (1, member(1, "replica", 2))]
        {
            let mut members = good.clone();
            members[number] = wrong;
            assert!(said(&members, true).is_err() && said(&members, false).is_err(), "{members:?}");
        }
        assert!(said(&good[..2], false).is_err());
        assert!(follow(&json!({"healthy": false, "members": good}), true).is_err());
    }

    #[test]
    fn a_line_of_the_table_is_a_row_and_how_often_it_is_there() {
        assert_eq!(row("2\t17\t1").ok(), Some(((2, 17), 1)));
        for line in ["", "2\t17", "2\t17\t1\t1", "a\t17\t1"] {
            assert!(row(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_restart_counts_in_the_same_pod_alone() {
        let one = |uid: &str, restarts: u64| {
            let status = json!({"containerStatuses": [{"restartCount": restarts}]});
            let pod = pod(&json!({"metadata": {"name": "postgres-0", "uid": uid}, "status": status}));
            BTreeMap::from([(pod.name.clone(), pod)])
        };
        assert_eq!(restarts(&one("a", 1), &one("a", 3)), 2);
        assert_eq!(restarts(&one("a", 1), &one("b", 0)), 0);
        assert_eq!(restarts(&one("a", 1), &one("b", 4)), 0);
    }
}
