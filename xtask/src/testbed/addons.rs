//! What runs in the cluster as pods: its DNS and, if asked for, a provisioner of storage.

use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::layout::{Plan, node_name};
use super::network::Place;
use super::wait::{self, Deadline};
use super::{dns, kubectl, registry, supervisor};
use crate::images::Image;
use crate::{paths, process};

/// The images of a cluster.
pub fn images(storage_class: bool) -> Vec<Image> {
    let mut images = registry::STANDARD.to_vec();
    if storage_class {
        images.push(Image::LocalPathProvisioner);
    }
    images
}

/// Applies the objects.
pub fn apply(plan: &Plan) -> Result<()> {
    let mut documents = vec![manifest("coredns")?, format!("{:#}\n", dns::config_map(plan.dns_cache))];
    if plan.storage_class {
        documents.push(manifest("local-path-storage")?);
    }
    fed(kubectl(plan).args(["apply", "--filename", "-"]), &documents.join("---\n"))
}

/// Waits until every node is Ready, pods can be made, and the DNS answers.
pub fn wait(plan: &Plan, deadline: Deadline) -> Result<()> {
    let nodes: Vec<String> = plan.node_numbers().map(|node| format!("node/{}", node_name(node))).collect();
    let made = nodes.iter().map(String::as_str).chain(["serviceaccount/default"]);
    wait_for(plan, "create", made)?;
    wait_for(plan, "condition=Ready", nodes.iter().map(String::as_str))?;
    wait_for(plan, "condition=Available", ["deployment/coredns", "--namespace=kube-system"])?;
    if plan.storage_class {
        wait_for(plan, "condition=Available", ["deployment/local-path-provisioner", "--namespace=local-path-storage"])?;
    }
    let supervisor = supervisor::pid()?.context("the supervisor is gone")?;
    for node in plan.node_numbers() {
        let namespace = supervisor::path(supervisor, &Place::Node(node).network());
        wait::until(deadline, || {
            Ok(if dns::answers(&namespace)? { Ok(()) } else { Err(format!("no DNS on {}", node_name(node))) })
        })?;
    }
    Ok(())
}

/// Runs a command that reads this text.
fn fed(command: &mut Command, text: &str) -> Result<()> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start `{}`", process::shown(command)))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(text.as_bytes()).with_context(|| format!("`{}` does not read", process::shown(command)))?;
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{}` failed: {status}", process::shown(command));
    }
    Ok(())
}

fn wait_for<'a>(plan: &Plan, what: &str, objects: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let mut command = kubectl(plan);
    command.args(["wait", &format!("--for={what}"), "--timeout=90s"]).args(objects);
    process::output(&mut command).map(drop)
}

fn manifest(name: &str) -> Result<String> {
    let path = paths::workspace().join("testbed/manifests").join(name).with_extension("yaml");
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}
