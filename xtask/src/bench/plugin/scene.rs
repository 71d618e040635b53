//! What is measured, and where: the plugin as people get it, on the test cluster with that cluster's own kubectl.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{paths, plugin, process, testbed};

/// The manifests of the lesson.
pub const MANIFESTS: &str = "k8s/level-2-volumes";
/// Until the pods are gone too, for which teardown waits.
pub const GONE: &str = "wait --for=delete pods --selector app.kubernetes.io/part-of=kubecoin --timeout=90s";

/// A cluster for as long as this lives, and a plugin for it.
pub struct Scene {
    plugin: PathBuf,
}

impl Scene {
    /// Builds the plugin, unless one is named, and brings the cluster up.
    pub fn set(binary: Option<&Path>) -> Result<Self> {
        let plugin = if let Some(binary) = binary {
            binary.canonicalize().with_context(|| format!("no {}", binary.display()))?
        } else {
            plugin::build(None)?
        };
        if testbed::is_up()? {
            bail!("a cluster is up, and measuring would delete it\nhint: cargo xtask testbed down");
        }
        let scene = Self { plugin };
        // Each member of a replicated database gets its volume by it.
        testbed::up(&testbed::Options { storage_class: true, ..testbed::Options::default() })?;
        Ok(scene)
    }

    /// The plugin's file.
    pub fn file(&self) -> &Path {
        &self.plugin
    }

    /// The plugin, with these words.
    pub fn plugin(&self, words: &str) -> Result<Command> {
        self.command(&self.plugin, words)
    }

    /// Whether the plugin has a command.
    pub fn has(&self, command: &str) -> Result<bool> {
        Ok(process::output(&mut self.plugin(&format!("{command} --help"))?).is_ok())
    }

    /// kubectl, with these words; it finds the plugin.
    pub fn kubectl(&self, words: &str) -> Result<Command> {
        self.command(Path::new("kubectl"), words)
    }

    fn command(&self, program: &Path, words: &str) -> Result<Command> {
        let mut command = Command::new(program);
        command.args(words.split_whitespace()).current_dir(paths::workspace());
        testbed::environment(&mut command, self.plugin.parent().context("a file is in a folder")?)?;
        Ok(command)
    }

    /// Runs the plugin; it must succeed.
    pub fn run_plugin(&self, words: &str) -> Result<()> {
        process::output(&mut self.plugin(words)?).map(drop)
    }

    /// Runs kubectl; it must succeed.
    pub fn run_kubectl(&self, words: &str) -> Result<()> {
        process::output(&mut self.kubectl(words)?).map(drop)
    }

    /// Makes sure that the exchange runs, its table too.
    pub fn deployed(&self) -> Result<()> {
        process::step("an exchange", || self.run_plugin("deploy --init-db"))
    }

    /// Takes away what is left of the exchange, its data too.
    pub fn cleared(&self) -> Result<()> {
        self.run_kubectl(&format!("delete --ignore-not-found --filename {MANIFESTS}"))?;
        self.run_kubectl(GONE)?;
        testbed::empty_disks()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Err(error) = testbed::down() {
            process::say(&format!("error: the cluster is still there: {error:#}"));
        }
    }
}
