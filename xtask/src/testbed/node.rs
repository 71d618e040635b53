//! The file system of a node: a root of its own, with this machine's programs in it and everything else its own. What a
//! node and its pods write, under `/data` for example, stays on that node.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_bind_recursive, mount_change,
    mount_remount, unmount,
};
use rustix::process::pivot_root;

use super::layout::{NODE_PROGRAMS, Plan, on_node};
use crate::paths;

/// This machine's, to look at: what its programs need to run.
const SHARED: [&str; 8] = ["bin", "etc", "lib", "lib32", "lib64", "libx32", "sbin", "usr"];

/// Where a node's containerd unpacks images.
const IMAGES: &str = "/var/lib/containerd";

/// The kernel's file systems.
const KERNEL: [&str; 3] = ["dev", "proc", "sys"];

/// A node's own.
const OWN: [&str; 7] = ["data", "home", "mnt", "opt", "root", "run", "var"];

/// What a kubelet sets for the whole machine as it starts: it gets files to write to, and this machine stays as it is.
const TUNABLES: [&str; 6] = [
    "proc/sys/kernel/keys/root_maxbytes",
    "proc/sys/kernel/keys/root_maxkeys",
    "proc/sys/kernel/panic",
    "proc/sys/kernel/panic_on_oops",
    "proc/sys/vm/overcommit_memory",
    "proc/sys/vm/panic_on_oom",
];

/// The descriptor by which the supervisor holds the mount namespace of node 0, if there were one; the others follow. High
/// enough to be free.
const FIRST_DESCRIPTOR: i32 = 100;

/// The file that stands for a node's mount namespace, where the supervisor is.
pub fn mounts(node: u8) -> PathBuf {
    PathBuf::from(format!("/proc/1/fd/{}", descriptor(node)))
}

fn descriptor(node: u8) -> i32 {
    FIRST_DESCRIPTOR + i32::from(node)
}

/// Makes a node's mount namespace, which lives as long as what this gives. Run by the supervisor.
///
/// Not kept by a bind mount, as `unshare --mount=FILE` does: Linux 6.18 refuses that at random, since it takes namespaces
/// that were made on another processor for older ones.
pub fn create(node: u8) -> Result<OwnedFd> {
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--propagation", "private"]);
    unshare.arg(paths::program()?).args(["testbed", "node-root", &node.to_string()]);
    let mut maker =
        unshare.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("cannot start the maker of a node")?;
    let mut line = String::new();
    if let Some(stdout) = maker.stdout.take() {
        BufReader::new(stdout).read_line(&mut line)?;
    }
    if line.is_empty() {
        bail!("cannot make node {node}: {}", maker.wait()?);
    }
    let namespace = fs::File::open(format!("/proc/{}/ns/mnt", maker.id())).context("no mount namespace")?;
    drop(maker.stdin.take());
    maker.wait()?;
    let held = fcntl_dupfd_cloexec(&namespace, descriptor(node)).context("cannot hold a mount namespace")?;
    if held.as_raw_fd() != descriptor(node) {
        bail!("descriptor {} is taken", descriptor(node));
    }
    Ok(held)
}

/// Turns the mount namespace that this process is alone in into the node's, says so, and stays until it is no longer needed.
pub fn enter_root(node: u8) -> Result<()> {
    let root = on_node(node, "");
    mount_bind(&root, &root).context("cannot make a node's root a mount")?;
    for name in SHARED {
        share(name, &root)?;
    }
    for name in KERNEL {
        bind(&Path::new("/").join(name), &root.join(name))?;
    }
    bind(&Plan::read()?.programs, &on_node(node, NODE_PROGRAMS))?;
    for name in TUNABLES {
        keep_to_node(&root, name)?;
    }
    in_memory(&on_node(node, IMAGES))?;
    std::env::set_current_dir(&root)?;
    pivot_root(".", ".").context("cannot change a node's root")?;
    unmount(".", UnmountFlags::DETACH).context("cannot leave the machine's root")?;
    // As on a real node, so that volumes mounted later reach the pods that ask for it.
    mount_change("/", MountPropagationFlags::SHARED | MountPropagationFlags::REC)
        .context("cannot share a node's mounts")?;
    io::stdout().write_all(b"made\n")?;
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

/// Keeps a folder in memory: what the registry or nobody needs again is not written to the disk, only to be deleted there,
/// which takes seconds.
pub fn in_memory(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    mount("tmpfs", folder, "tmpfs", MountFlags::empty(), None)
        .with_context(|| format!("cannot keep {} in memory", folder.display()))
}

/// Makes the folders of a node that are its own.
pub fn prepare(node: u8) -> Result<()> {
    for name in OWN {
        fs::create_dir_all(on_node(node, name)).with_context(|| format!("cannot make a node's /{name}"))?;
    }
    let temporary = on_node(node, "tmp");
    fs::create_dir_all(&temporary)?;
    Ok(fs::set_permissions(&temporary, std::os::unix::fs::PermissionsExt::from_mode(0o1777))?)
}

/// Empties what pods keep on a node: its `/data`, and the folder of the storage provisioner.
pub fn empty(node: u8) -> Result<()> {
    for path in ["data", "opt/local-path-provisioner"] {
        let folder = on_node(node, path);
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot empty {}", folder.display()));
            }
            _ => fs::create_dir_all(&folder)?,
        }
    }
    Ok(())
}

/// Puts a top-level folder of this machine into a node's root, read-only, or the link that it is.
fn share(name: &str, root: &Path) -> Result<()> {
    let (from, to) = (Path::new("/").join(name), root.join(name));
    match fs::symlink_metadata(&from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
        Ok(found) if found.is_symlink() => {
            symlink(fs::read_link(&from)?, &to).with_context(|| format!("cannot link {}", to.display()))
        }
        Ok(_) => {
            bind(&from, &to)?;
            mount_remount(&to, MountFlags::BIND | MountFlags::RDONLY, "")
                .with_context(|| format!("cannot protect {}", to.display()))
        }
    }
}

fn bind(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    mount_bind_recursive(from, to).with_context(|| format!("cannot bind {} to {}", from.display(), to.display()))
}

fn keep_to_node(root: &Path, name: &str) -> Result<()> {
    let own = root.join("var/lib/kubecoin/tunables").join(name.replace('/', "."));
    if let Some(folder) = own.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(Path::new("/").join(name), &own).with_context(|| format!("cannot copy /{name}"))?;
    mount_bind(&own, root.join(name)).with_context(|| format!("cannot cover /{name}"))
}
