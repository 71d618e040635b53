//! The cgroups of the cluster. They also tell which processes are the cluster's, whatever happened to the supervisor.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use walkdir::WalkDir;

use super::layout::{Plan, cgroup, node_name};
use super::wait::{self, Deadline};

const ROOT: &str = "/sys/fs/cgroup";

/// The cgroup of everything that is not a pod.
const SYSTEM: &str = "system";

/// The controllers that a kubelet insists on in its group, of those that the kernel has.
const NEEDED: [&str; 5] = ["cpu", "cpuset", "hugetlb", "memory", "pids"];

/// Makes the cgroups: one for the system and one a node, so that nodes do not share the cgroups of their pods.
pub fn create(plan: &Plan) -> Result<()> {
    let groups: Vec<String> = plan.node_numbers().map(node_name).chain([SYSTEM.to_owned()]).collect();
    for hierarchy in hierarchies()? {
        let ours = hierarchy.join(cgroup());
        prepare(&ours)?;
        for group in &groups {
            prepare(&ours.join(group))?;
        }
    }
    Ok(())
}

/// Moves this process, and so all that it will start, into the cgroup that [`processes`] looks at.
pub fn join() -> Result<()> {
    let procs = tracking()?.join(cgroup()).join(SYSTEM).join("cgroup.procs");
    fs::write(&procs, "0").with_context(|| format!("cannot enter {}", procs.display()))
}

/// The processes of the cluster.
pub fn processes() -> Result<BTreeSet<i32>> {
    processes_of("")
}

/// The processes of one of the cluster's groups, with those below it.
pub fn processes_of(group: &str) -> Result<BTreeSet<i32>> {
    let mut found = BTreeSet::new();
    for hierarchy in hierarchies()? {
        for group in WalkDir::new(hierarchy.join(cgroup()).join(group)).into_iter().flatten() {
            if group.file_name() == "cgroup.procs" {
                let procs = fs::read_to_string(group.path()).unwrap_or_default();
                found.extend(procs.lines().filter_map(|pid| pid.parse::<i32>().ok()));
            }
        }
    }
    Ok(found)
}

/// Kills these processes of the cluster, and waits until none is left.
pub fn kill(deadline: Deadline, those: impl Fn() -> Result<BTreeSet<i32>>) -> Result<()> {
    wait::until(deadline, || {
        let left = those()?;
        for pid in left.iter().copied().filter_map(Pid::from_raw) {
            // One that is gone already is what is wanted.
            let _ = kill_process(pid, Signal::KILL);
        }
        Ok(if left.is_empty() { Ok(()) } else { Err(format!("processes {left:?} do not end")) })
    })
}

/// Removes the cgroups, which hold no process any more.
pub fn remove(deadline: Deadline) -> Result<()> {
    for hierarchy in hierarchies()? {
        let ours = hierarchy.join(cgroup());
        wait::until(deadline, || {
            for group in WalkDir::new(&ours).contents_first(true).into_iter().flatten() {
                if group.file_type().is_dir() {
                    // Busy until the kernel is done with the last process: tried again.
                    let _ = fs::remove_dir(group.path());
                }
            }
            Ok(if ours.exists() { Err(format!("{} cannot be removed", ours.display())) } else { Ok(()) })
        })?;
    }
    Ok(())
}

fn prepare(group: &Path) -> Result<()> {
    let Some(parent) = group.parent() else { return Ok(()) };
    // Version 2: a group has the controllers that its parent hands down, from the root on.
    let controllers = fs::read_to_string(parent.join("cgroup.controllers")).unwrap_or_default();
    let wanted: Vec<String> =
        controllers.split_whitespace().filter(|name| NEEDED.contains(name)).map(|name| format!("+{name}")).collect();
    if !wanted.is_empty() {
        fs::write(parent.join("cgroup.subtree_control"), wanted.join(" "))
            .with_context(|| format!("cannot hand down controllers in {}", parent.display()))?;
    }
    fs::create_dir_all(group).with_context(|| format!("cannot make the cgroup {}", group.display()))?;
    // Version 1: a new cpuset is empty, and nothing can run in it. The root of version 2 has none to copy.
    for name in ["cpuset.cpus", "cpuset.mems"] {
        let (from, to) = (parent.join(name), group.join(name));
        if from.exists() && fs::read_to_string(&to)?.trim().is_empty() {
            let all = fs::read_to_string(&from).with_context(|| format!("cannot read {}", from.display()))?;
            fs::write(&to, all.trim()).with_context(|| format!("cannot write {}", to.display()))?;
        }
    }
    Ok(())
}

/// The mounted hierarchies: one with version 2, one a controller with version 1, perhaps with version 2 beside them.
fn hierarchies() -> Result<BTreeSet<PathBuf>> {
    if is_hierarchy(Path::new(ROOT)) {
        return Ok([PathBuf::from(ROOT)].into());
    }
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(ROOT).with_context(|| format!("no cgroups in {ROOT}"))? {
        // Some are links to others, as cpu to cpu,cpuacct.
        match entry?.path().canonicalize() {
            Ok(path) if is_hierarchy(&path) => drop(found.insert(path)),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).context("cannot look at the cgroups"),
        }
    }
    Ok(found)
}

fn is_hierarchy(folder: &Path) -> bool {
    folder.join("cgroup.procs").exists()
}

/// The hierarchy that knows the cluster's processes, without a controller that would change how they run.
fn tracking() -> Result<PathBuf> {
    let all = hierarchies()?;
    let version_2 = all.iter().find(|path| path.join("cgroup.controllers").exists());
    version_2
        .or_else(|| all.iter().find(|path| path.ends_with("systemd")))
        .or_else(|| all.first())
        .cloned()
        .context("no cgroup hierarchy is mounted")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_version_2_the_root_hands_down_what_a_kubelet_needs() -> Result<()> {
        let root = tempfile::tempdir()?;
        fs::write(root.path().join("cgroup.controllers"), "cpuset cpu io memory hugetlb pids misc\n")?;
        fs::write(root.path().join("cgroup.subtree_control"), "")?;
        let ours = root.path().join(cgroup());
        // As the kernel makes it: empty, and there is none in the root.
        fs::create_dir(&ours)?;
        fs::write(ours.join("cpuset.cpus"), "")?;
        prepare(&ours)?;
        let handed = fs::read_to_string(root.path().join("cgroup.subtree_control"))?;
        assert_eq!(handed, "+cpuset +cpu +memory +hugetlb +pids");
        Ok(())
    }

    #[test]
    fn with_version_1_a_group_has_the_processors_of_its_parent() -> Result<()> {
        let root = tempfile::tempdir()?;
        let ours = root.path().join(cgroup());
        fs::create_dir(&ours)?;
        for (name, all) in [("cpuset.cpus", "0-1\n"), ("cpuset.mems", "0\n")] {
            fs::write(root.path().join(name), all)?;
            fs::write(ours.join(name), "\n")?;
        }
        prepare(&ours)?;
        assert_eq!(fs::read_to_string(ours.join("cpuset.cpus"))?, "0-1");
        assert!(!root.path().join("cgroup.subtree_control").exists());
        Ok(())
    }
}
