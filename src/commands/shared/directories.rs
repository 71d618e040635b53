//! The directories of `local` volumes: created before their volumes are, and deleted after them. The kubelet does neither.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use tokio::time::Instant;

use super::helper::{self, Goal};
use crate::context::Ctx;
use crate::exchange::directory::{self, Directory};
use crate::exchange::helper::Helper;
use crate::exchange::names;
use crate::kubernetes::gone::{self, Leaving};
use crate::text::{Command, Hint};

const PURPOSE: &str = "directories";

/// After how long the cluster ends the pod.
const LASTS: Duration = Duration::from_mins(5);

/// How long the pod of a node is waited for, the pull of its image included: the database needs the same one there.
const PATIENCE: Duration = Duration::from_mins(2);

/// How long its volumes may take to go when it is gone.
const GOING: Duration = Duration::from_secs(30);

/// Directories that are not empty stay. The one that had them goes if it was the namespace's own, and nothing else is in it.
const SCRIPT: &str = "\
parent=$1
shift
for name in \"$@\"; do [ ! -e \"$name\" ] || rmdir -- \"$name\"; done
[ -z \"$parent\" ] || rmdir -- \"$parent\" 2>/dev/null || true";

/// Creates the directories, each on its node, where they are not there. Where that is not possible, says what an administrator
/// types there: the pods that need them start once they exist.
///
/// # Errors
/// If what was created for it cannot be deleted.
pub async fn create(ctx: &Ctx, image: &str, all: &[Directory], deadline: Instant) -> anyhow::Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    let nodes = by_node(all);
    for (node, directories) in &nodes {
        ctx.printer.note(format!("creating on node {node}: {}", paths(directories).join(", ")));
    }
    helper::sweep(ctx).await?;
    let deadline = deadline.min(Instant::now() + PATIENCE);
    let plain = Helper::new(PURPOSE, image, &["true"], LASTS);
    let created = nodes.iter().map(|(node, directories)| {
        let helper = Helper { directories: directories.len(), ..plain.clone() };
        async move {
            // The directories are there before the image is.
            (node, directories, on_node(ctx, &helper, directories, Goal::IsPulled, deadline).await)
        }
    });
    for (node, directories, done) in join_all(created).await {
        if let (Err(error), _) = done? {
            ctx.printer.warning(&format!("the directories on node {node} could not be created: {error:#}"));
            let make = ["mkdir", "-p"].into_iter().map(str::to_owned).chain(paths(directories));
            ctx.printer.hint(on(node, Command::new(make), "create them, unless they are there"));
        }
    }
    Ok(())
}

/// Deletes the directories that are empty. What cannot be deleted is said, with what an administrator types there: it holds no
/// data.
///
/// # Errors
/// If what was created for it cannot be deleted.
pub async fn remove(ctx: &Ctx, image: &str, all: &[Directory], deadline: Instant) -> anyhow::Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    helper::sweep(ctx).await?;
    let cluster = ctx.cluster().await?;
    let own = names::host_path(cluster.namespace());
    let until = deadline.min(Instant::now() + PATIENCE);
    let removed = by_base(all, &own).into_iter().map(|((base, parent), directories)| async move {
        let prefix = if parent.is_empty() { String::new() } else { format!("{parent}/") };
        let inside = directories.iter().map(|directory| format!("{prefix}{}", directory.name()));
        let script = format!("cd {}\n{SCRIPT}", directory::mount_path(0));
        let words = ["sh", "-ec", &script, PURPOSE, &parent].map(str::to_owned).into_iter().chain(inside);
        let plain = Helper::new(PURPOSE, image, &[], LASTS);
        // The directory that has them is root's: the kubelet has created it.
        let helper = Helper { command: words.collect(), user: Some(0), directories: 1, ..plain };
        let done = on_node(ctx, &helper, &[&base], Goal::HasEnded, until).await;
        (base.hostname, paths(&directories), done)
    });
    let mut leaving = Vec::new();
    for (node, paths, done) in join_all(removed).await {
        let (done, volumes) = done?;
        leaving.extend(volumes);
        match done {
            Ok(()) => ctx.printer.out(format!("{} deleted on node {node}", paths.join(", ")))?,
            Err(error) => {
                ctx.printer.warning(&format!("these directories on node {node} are empty, and stay: {error:#}"));
                let remove = ["rmdir".to_owned()].into_iter().chain(paths);
                ctx.printer.hint(on(&node, Command::new(remove), "delete them"));
            }
        }
    }
    gone::wait(cluster, &leaving, Instant::now() + GOING).await;
    Ok(())
}

/// What an administrator does on a node.
fn on(node: &str, command: Command, what: &str) -> Hint {
    command.to(format!("{what}, as root on node {node}"))
}

fn paths(directories: &[&Directory]) -> Vec<String> {
    directories.iter().map(|directory| directory.path.clone()).collect()
}

fn by_node(all: &[Directory]) -> BTreeMap<&str, Vec<&Directory>> {
    let mut nodes: BTreeMap<&str, Vec<&Directory>> = BTreeMap::new();
    for directory in all {
        nodes.entry(&directory.hostname).or_default().push(directory);
    }
    nodes
}

/// The directories by the one that is to be mounted to delete them, and the name in it of the one that has them, if that goes too:
/// the namespace's own, and none that somebody has chosen.
fn by_base<'a>(all: &'a [Directory], own: &str) -> BTreeMap<(Directory, String), Vec<&'a Directory>> {
    let mut bases: BTreeMap<_, Vec<&Directory>> = BTreeMap::new();
    for directory in all {
        let Some(parent) = directory.parent() else { continue };
        let base = match parent.parent().filter(|_| parent.path == own) {
            Some(base) => (base, parent.name().to_owned()),
            None => (parent, String::new()),
        };
        bases.entry(base).or_default().push(directory);
    }
    bases
}

/// Has a pod mount directories of its node, and waits until it has come so far. All that was created for it is deleted then: the
/// claims go with the pod, and the volumes, which are given, after them.
///
/// # Errors
/// If something cannot be deleted. What came of the pod is given.
async fn on_node(
    ctx: &Ctx,
    helper: &Helper,
    directories: &[&Directory],
    goal: Goal,
    deadline: Instant,
) -> anyhow::Result<(anyhow::Result<()>, Vec<Leaving>)> {
    let cluster = ctx.cluster().await?;
    let pod = helper.object(cluster.namespace());
    let mut volumes = Vec::new();
    let done = async {
        for (number, directory) in directories.iter().enumerate() {
            let object = directory.volume((&pod.name, cluster.namespace()), number, PURPOSE);
            let (ticket, made) = ctx.create_temporary(object.clone()).await?;
            volumes.push((ticket, Leaving { object, uid: made.uid().unwrap_or_default() }));
        }
        let (ticket, _) = ctx.create_temporary(pod.clone()).await?;
        let came = helper::until(ctx, &pod.name, deadline, goal).await;
        let said = match &came {
            Ok(pod) if helper::phase(pod) == "Failed" => cluster.logs(&pod.name_any()).await.unwrap_or_default(),
            _ => String::new(),
        };
        ctx.delete_temporary(ticket).await?;
        has_succeeded(&came?, &said)
    }
    .await;
    let mut leaving = Vec::new();
    for (ticket, volume) in volumes {
        ctx.delete_temporary(ticket).await?;
        leaving.push(volume);
    }
    Ok((done, leaving))
}

fn has_succeeded(pod: &Pod, said: &str) -> anyhow::Result<()> {
    if helper::phase(pod) != "Failed" {
        return Ok(());
    }
    let why = if said.trim().is_empty() { helper::why(pod) } else { said.trim().to_owned() };
    anyhow::bail!(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(hostname: &str, path: &str) -> Directory {
        Directory { hostname: hostname.to_owned(), path: path.to_owned() }
    }

    #[test]
    fn a_pod_for_each_node_creates_its_directories() {
        let all = [directory("b", "/d/0"), directory("a", "/d/1"), directory("b", "/d/2")];
        let nodes = by_node(&all);
        assert_eq!(nodes.keys().copied().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(paths(&nodes["b"]), ["/d/0", "/d/2"]);
    }

    #[test]
    fn the_namespaces_own_directory_goes_with_the_last_and_a_chosen_one_stays() {
        let own = names::host_path("alice");
        let all = [directory("a", "/data/kubecoin/alice/postgres-0"), directory("b", "/srv/postgres-1")];
        let bases: Vec<_> = by_base(&all, &own).into_keys().collect();
        assert_eq!(
            bases,
            [(directory("a", "/data/kubecoin"), "alice".to_owned()), (directory("b", "/srv"), String::new())]
        );
    }

    #[test]
    fn the_script_deletes_what_is_empty_and_fails_for_the_rest() {
        let root = tempfile::tempdir().unwrap();
        let run = |words: &[&str]| {
            let mut shell = std::process::Command::new("sh");
            let ran = shell.current_dir(root.path()).args(["-ec", SCRIPT, PURPOSE]).args(words).output().unwrap();
            ran.status.success()
        };
        for name in ["alice/postgres-0", "alice/postgres-1/pgdata", "bob/postgres-0"] {
            std::fs::create_dir_all(root.path().join(name)).unwrap();
        }
        let is_there = |name: &str| root.path().join(name).exists();
        assert!(!run(&["alice", "alice/postgres-0", "alice/postgres-1"]), "one has files");
        assert!(!is_there("alice/postgres-0") && is_there("alice/postgres-1/pgdata"));
        assert!(run(&["bob", "bob/postgres-0", "bob/postgres-1"]), "one was never there");
        assert!(!is_there("bob"));
        assert!(run(&["", "postgres-0"]));
    }
}
