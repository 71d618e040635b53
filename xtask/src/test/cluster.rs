//! The groups that need the cluster.

use std::process::Command;

use anyhow::Result;

use super::Report;
use crate::apt::{self, Package};
use crate::process::{self, cargo};
use crate::{npm, paths, python, testbed};

/// Makes certificates that no library of ours makes: of old versions, and with keys that it cannot use.
const OPENSSL: Package = Package { name: "openssl", provides: "openssl" };

/// The tests of the cluster itself, which take it up and down, and so begin without one.
pub fn testbed(report: &mut Report) -> Result<()> {
    if testbed::is_up()? {
        process::step("taking down the cluster that is up", testbed::down)?;
    }
    let mut tests = cargo(&["test", "--locked", "--package", "xtask", "--test", "testbed"]);
    report.check("testbed", tests.env("RUST_TEST_THREADS", "1"))
}

/// The tests of the plugin. Some of them empty the cluster first, and so one at a time.
pub fn cluster(report: &mut Report) -> Result<()> {
    apt::require(&[OPENSSL])?;
    report.check("cluster", with_browser(&mut tests(&["--skip", "lesson::"])?)?)
}

/// More of the states that the tests of the plugin draw by chance.
pub fn drawn(report: &mut Report) -> Result<()> {
    report.check("drawn", tests(&["plugin::drawn", "--nocapture"])?.env("KUBECOIN_STATES", "20"))
}

/// The lesson by hand. It takes place in the namespace `default`, and so one test at a time.
pub fn lesson(report: &mut Report) -> Result<()> {
    report.check("lesson", with_browser(&mut tests(&["lesson::"])?)?)
}

/// For tests that open a page in Chromium: the browser, what drives it, and axe-core among the page's own packages.
fn with_browser(tests: &mut Command) -> Result<&mut Command> {
    apt::require(&super::app::PACKAGES)?;
    npm::install()?;
    Ok(tests.env("KUBECOIN_PYTHON", python::environment()?))
}

fn tests(filter: &[&str]) -> Result<Command> {
    let mut tests = cargo(&["test", "--locked", "--test", "cluster", "--"]);
    tests.args(filter).env("KUBECOIN_XTASK", paths::program()?).env("RUST_TEST_THREADS", "1");
    testbed::environment(&mut tests, &testbed::plugin_folder()?)?;
    Ok(tests)
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
