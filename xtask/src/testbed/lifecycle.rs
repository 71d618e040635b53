//! From nothing to a cluster, and back.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use clap::value_parser;

use super::components::{self, Component};
use super::layout::{self, MOST_NODES, Plan, folder, state};
use super::lock::Lock;
use super::programs::CLUSTER;
use super::supervisor::{self, Request, State};
use super::wait::{self, Deadline};
use super::{addons, cgroups, configuration, network, node, prerequisites, ready, registry};
use crate::{caller, images, paths, process};

/// What may be chosen of a cluster.
#[derive(clap::Args, Clone, Debug)]
pub struct Options {
    /// How many nodes
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u8).range(1..=i64::from(MOST_NODES)))]
    pub nodes: u8,
    /// Add a default `StorageClass` whose volumes are made on demand
    #[arg(long)]
    pub storage_class: bool,
    /// Let the DNS cache names of the cluster too, as kubeadm did before Kubernetes 1.33
    #[arg(long, value_name = "SECONDS")]
    pub dns_cache: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self { nodes: 1, storage_class: false, dns_cache: None }
    }
}

/// How long a step may take that compiles nothing.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// How long the kernel may take to end processes and to let go of links and cgroups.
const END: Duration = Duration::from_secs(15);

/// Brings the cluster up; what is there already stays as it is.
pub fn up(options: &Options) -> Result<()> {
    prerequisites::install()?;
    let lock = Lock::take()?;
    let begin = Instant::now();
    let plan = thread::scope(|scope| {
        let images = scope.spawn(|| registry::build(&addons::images(options.storage_class)));
        let plan = Plan {
            nodes: options.nodes,
            programs: CLUSTER.build()?,
            registry: registry::storage()?,
            storage_class: options.storage_class,
            dns_cache: options.dns_cache,
        };
        let plan = launch(plan, &lock)?;
        caller::hand_over(&layout::kubeconfig())?;
        process::step("starting the components", || start(&plan))?;
        let images = images.join().map_err(|_| anyhow!("building the images panicked"))??;
        registry::push(&plan.registry, &images)?;
        anyhow::Ok(plan)
    })?;
    // While the nodes' components start.
    addons::apply(&plan)?;
    process::step("waiting for the nodes and the DNS", || {
        let deadline = Deadline::after(PATIENCE);
        components::all(&plan).iter().try_for_each(|component| ready::wait(component, &plan, deadline))?;
        addons::wait(&plan, deadline)
    })?;
    process::say(&format!(
        "the cluster is up, in {:.1} s; with KUBECONFIG and PATH for it:",
        begin.elapsed().as_secs_f64()
    ));
    let choice = match layout::number() {
        1 => String::new(),
        number => format!("{}={number} ", layout::CHOICE),
    };
    process::say(&format!("  eval \"$({choice}cargo xtask testbed env)\""));
    Ok(())
}

/// Takes everything away, whatever state it is in.
pub fn down() -> Result<()> {
    prerequisites::root()?;
    let _lock = Lock::take()?;
    let begin = Instant::now();
    let there = folder().exists();
    clear()?;
    process::say(&if there {
        format!("the cluster is down, in {:.1} s", begin.elapsed().as_secs_f64())
    } else {
        "no cluster was up".to_owned()
    });
    Ok(())
}

/// Takes everything away, the caches too.
pub fn clean() -> Result<()> {
    if let Some(other) = layout::others().next() {
        bail!(
            "cluster {other} is up, and runs programs of the cache\nhint: {}={other} cargo xtask testbed down",
            layout::CHOICE
        );
    }
    down()?;
    images::remove()?;
    let caches = BTreeSet::from([paths::cache()?, caller::cache_of_root()?]);
    caches.iter().try_for_each(|cache| {
        process::step(&format!("removing {}", cache.display()), || {
            fs::remove_dir_all(cache).with_context(|| format!("cannot remove {}", cache.display()))
        })
    })
}

/// Makes the supervisor run, and with it the networks and the nodes' file systems. Gives the plan of the cluster that then is
/// there: one that was up before keeps the programs that it runs.
fn launch(wanted: Plan, lock: &Lock) -> Result<Plan> {
    if supervisor::ask(&Request::Status)?.is_some() {
        let there = Plan::read()?;
        if there.nodes != wanted.nodes {
            bail!(
                "the cluster that is up has {} node(s), not {}\nhint: cargo xtask testbed down",
                there.nodes,
                wanted.nodes
            );
        }
        let plan = Plan { programs: there.programs, registry: there.registry, ..wanted };
        plan.write()?;
        return Ok(plan);
    }
    create(&wanted, lock)?;
    Ok(wanted)
}

fn create(plan: &Plan, lock: &Lock) -> Result<()> {
    // What a crash, a reboot or an interrupted start left.
    clear()?;
    process::step("networks and nodes", || {
        fs::create_dir_all(folder()).with_context(|| format!("cannot make {}", folder().display()))?;
        plan.write()?;
        fs::create_dir_all(state("bin"))?;
        symlink(plan.programs.join("kubectl"), state("bin/kubectl"))?;
        configuration::write(plan)?;
        plan.node_numbers().try_for_each(node::prepare)?;
        fs::create_dir_all(&plan.registry)?;
        cgroups::create(plan)?;
        let mut supervisor = spawn_supervisor(lock)?;
        wait::until(Deadline::after(PATIENCE), || {
            if let Some(status) = supervisor.try_wait()? {
                bail!("the supervisor has ended: {status}\n{}", ready::last_lines("supervisor"));
            }
            Ok(supervisor::ask(&Request::Status)?.ok_or_else(|| "the supervisor does not listen".to_owned()))
        })
        .map(drop)
    })
}

/// Starts the supervisor with a hold of the lock, which it lets go of once it is in the cluster's cgroup: if this command is
/// killed between, the next one waits for that, and so can delete it.
fn spawn_supervisor(lock: &Lock) -> Result<Child> {
    let log = fs::File::create(layout::log("supervisor")).context("cannot make the supervisor's log")?;
    Command::new(paths::program()?)
        .args(["testbed", "supervise"])
        .current_dir("/")
        .stdin(lock.share()?)
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("cannot start the supervisor")
}

/// Starts what does not run, each after what it needs, and waits for the registry, which is filled next.
fn start(plan: &Plan) -> Result<()> {
    let all = components::all(plan);
    let deadline = Deadline::after(PATIENCE);
    for component in &all {
        for need in all.iter().filter(|other| component.needs.contains(&other.program.name)) {
            ready::wait(need, plan, deadline)?;
        }
        start_one(component)?;
    }
    all.iter()
        .filter(|component| component.program.name == components::REGISTRY)
        .try_for_each(|component| ready::wait(component, plan, deadline))
}

fn start_one(component: &Component) -> Result<()> {
    let running = supervisor::ask(&Request::Status)?.unwrap_or_default();
    match running.get(&component.program.name) {
        Some(process) if !matches!(process.state, State::Ended(_)) => Ok(()),
        _ => supervisor::ask(&Request::Start(component.program.clone())).map(drop),
    }
}

fn clear() -> Result<()> {
    cgroups::kill(Deadline::after(END), cgroups::processes)?;
    network::remove(Deadline::after(END))?;
    cgroups::remove(Deadline::after(END))?;
    if !folder().exists() {
        return Ok(());
    }
    // All mounts were in the supervisor's namespace and are gone with it; what is mounted here is not ours to delete.
    let mounts = fs::read_to_string("/proc/self/mounts").context("cannot read the mounts")?;
    if let Some(mount) =
        mounts.lines().filter_map(|line| line.split(' ').nth(1)).find(|path| Path::new(path).starts_with(folder()))
    {
        bail!("something is mounted at {mount}\nhint: umount {mount}");
    }
    fs::remove_dir_all(folder()).with_context(|| format!("cannot remove {}", folder().display()))
}
