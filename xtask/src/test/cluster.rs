//! The groups that need the cluster.

use std::env;
use std::process::Command;

use anyhow::{Result, ensure};

use super::Report;
use super::each::{Program, Queue};
use crate::apt::{self, Package};
use crate::process;
use crate::testbed::programs;
use crate::{npm, paths, plugin, python, testbed};

/// Makes certificates that no library of ours makes: of old versions, and with keys that it cannot use.
const OPENSSL: Package = Package { name: "openssl", provides: "openssl" };

/// What kube-router writes its rules with.
const FIREWALL: [Package; 2] =
    [Package { name: "iptables", provides: "iptables" }, Package { name: "ipset", provides: "ipset" }];

/// The shells in which TAB is pressed, and what kubectl's completion of bash stands on.
const SHELLS: [Package; 3] = [
    Package { name: "bash-completion", provides: "/usr/share/bash-completion/bash_completion" },
    Package { name: "fish", provides: "fish" },
    Package { name: "zsh", provides: "zsh" },
];

/// The tests of the cluster itself, which take it up and down, and so begin without one.
pub fn testbed(report: &mut Report) -> Result<()> {
    if testbed::is_up()? {
        process::step("deleting the cluster that is up", testbed::down)?;
    }
    // A run that was interrupted may have left it.
    if testbed::others().any(|number| number == testbed::other()) {
        process::step("deleting the cluster of the exclusive tests", || {
            process::run(on_another(Command::new(paths::program()?)).args(["testbed", "down"]))
        })?;
    }
    run_one_by_one(&of_it()?, report, "")
}

/// The tests of the plugin on servers that only say what a test tells them to.
const SCRIPTED: &str = "kubeconfig::scripted::";

/// How many tests of the plugin run side by side: they wait more than they work.
const SIDE_BY_SIDE: usize = 4;

/// The tests of the plugin that share the cluster.
pub fn shared(report: &mut Report) -> Result<()> {
    let program = plugin()?;
    let others = ["docs::", "exclusive::", "faults::", "lesson::", SCRIPTED];
    let mut shared = program.tests()?;
    shared.retain(|test| !others.iter().any(|room| test.starts_with(room)));
    program.run(report, vec![Queue { tests: shared, side_by_side: SIDE_BY_SIDE }])
}

/// The tests of the plugin that need the cluster for themselves. They wait more than they work, and have those beside them that
/// need processors alone.
pub fn exclusive(report: &mut Report) -> Result<()> {
    let program = plugin()?;
    let one_by_one = |tests| Queue { tests, side_by_side: 1 };
    program.run(report, vec![one_by_one(program.room("exclusive::")?), one_by_one(program.room(SCRIPTED)?)])
}

/// A group on another cluster than this one, in a process of its own. It has the processors before others, so that no deadline is
/// missed for the lack of them.
pub fn elsewhere(group: &str) -> Result<Command> {
    // Two processes must not install the same at once.
    plugin()?;
    let mut task = Command::new("nice");
    task.args(["--adjustment", "-5"]).arg(paths::program()?).args(["test", group]);
    Ok(on_another(task))
}

/// These tasks, for another cluster than this one.
fn on_another(mut task: Command) -> Command {
    task.env(testbed::CHOICE, testbed::other().to_string());
    task
}

/// The tests of the plugin, with all that one of them needs.
fn plugin() -> Result<Program> {
    apt::require(&[OPENSSL])?;
    apt::require(&SHELLS)?;
    apt::require(&FIREWALL)?;
    let kube_router = programs::NETWORK.build()?.join("kube-router");
    with_browser(Command::new("cargo").env("KUBECOIN_KUBE_ROUTER", kube_router))
}

/// Every fault that has a name, made and mended. They make lanes by themselves, and print a table.
pub fn faults(report: &mut Report) -> Result<()> {
    let program = program(&mut Command::new("cargo"))?;
    report.check("faults", &mut program.together(&program.room("faults::")?))
}

/// Other states and kubeconfigs than those that the tests of the plugin draw each time, and more states.
pub fn drawn(report: &mut Report) -> Result<()> {
    const SEED: &str = "KUBECOIN_SEED";
    let seed = env::var(SEED).unwrap_or_else(|_| "random".to_owned());
    let program = program(Command::new("cargo").env("KUBECOIN_STATES", "20").env(SEED, seed))?;
    for tests in ["shared::drawn::", "kubeconfig::scripted::rows_drawn", "kubeconfig::real::rows_drawn"] {
        run_one_by_one(&program, report, tests)?;
    }
    Ok(())
}

/// The lesson by hand. It takes place in the namespace `default`, and so one test at a time.
pub fn lesson(report: &mut Report) -> Result<()> {
    let program = with_browser(&mut Command::new("cargo"))?;
    run_one_by_one(&program, report, "lesson::")
}

/// The commands of the documentation, typed on an empty cluster.
pub fn docs(report: &mut Report) -> Result<()> {
    run_one_by_one(&program(&mut Command::new("cargo"))?, report, "docs::")
}

/// The tests that know nothing of the test cluster, on the one that this environment leads to.
pub fn portable(report: &mut Report) -> Result<()> {
    // Without it, the cluster would be the one that somebody works on.
    ensure!(
        env::var_os("KUBECONFIG").is_some(),
        "KUBECONFIG is not set\nhint: set it to a kubeconfig of a cluster for tests: they create and delete namespaces there"
    );
    let context = process::output(Command::new("kubectl").args(["config", "current-context"]))?;
    process::say(&format!("\non context {context}"));
    run_one_by_one(&on_it()?, report, "portable::")
}

fn run_one_by_one(program: &Program, report: &mut Report, room: &str) -> Result<()> {
    program.run(report, vec![Queue { tests: program.room(room)?, side_by_side: 1 }])
}

/// For tests that open a page in Chromium: the browser, what drives it, the page, and axe-core among its packages.
fn with_browser(environment: &mut Command) -> Result<Program> {
    apt::require(&super::app::PACKAGES)?;
    npm::build()?;
    program(environment.env("KUBECOIN_PYTHON", python::environment()?))
}

/// The tests on a cluster, with what they need to know of it beside this environment.
fn program(environment: &mut Command) -> Result<Program> {
    environment.env("KUBECOIN_XTASK", paths::program()?);
    testbed::environment(environment, &testbed::plugin_folder()?)?;
    Ok(on_it()?.with_environment_of(environment))
}

/// The tests on the cluster. They are built before there is one: it does not wait for a compiler, and nobody waits for a cargo that
/// is at leisure and has the lock of the build.
pub fn on_it() -> Result<Program> {
    Program::of(plugin::NAME, "cluster")
}

/// The tests of the cluster itself.
pub fn of_it() -> Result<Program> {
    Program::of("xtask", "testbed")
}

/// The cluster for as long as tests need it: it goes with this, unless it was up before.
pub struct Cluster {
    borrowed: bool,
}

impl Cluster {
    /// Brings the cluster up if it is not. It has a default `StorageClass`, as the clusters of most people have.
    pub fn up() -> Result<Self> {
        let borrowed = testbed::is_up()?;
        let cluster = Self { borrowed };
        testbed::up(&testbed::Options { storage_class: true, ..testbed::Options::default() })?;
        Ok(cluster)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if !self.borrowed
            && let Err(error) = testbed::down()
        {
            process::say(&format!("error: the cluster is still there: {error:#}"));
        }
    }
}
