//! TAB after `kubectl kubecoin`: kubectl asks a file beside the plugin, and passes its answer on to the shell.
//!
//! kubectl's side of it is `pkg/cmd/plugin/plugin_completion.go`; the numbers are those of cobra's `ShellCompDirective`.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Command;
use clap_complete::engine;
use clap_complete::env::EnvCompleter;

/// The file's name, which kubectl looks up in `PATH`.
pub const FILE: &str = "kubectl_complete-kubecoin";

/// The file: a script for sh. It outlives the plugin where that is not deleted with it, and then says nothing.
pub const PROGRAM: &str = include_str!("kubectl_complete.sh");

/// The shell is to complete names of files.
const FILES: u8 = 0;

/// It is not, whether or not there is an answer.
const NO_FILES: u8 = 4;

/// kubectl, as a shell of its own.
#[derive(Default)]
pub struct Kubectl {
    /// Whether a file is asked for, as the value of the flag finds out: the shell completes those better.
    pub files: Arc<AtomicBool>,
}

impl EnvCompleter for Kubectl {
    fn name(&self) -> &'static str {
        "kubectl"
    }

    fn is(&self, name: &str) -> bool {
        name == self.name()
    }

    fn write_registration(&self, _: &str, _: &str, _: &str, _: &str, script: &mut dyn Write) -> io::Result<()> {
        script.write_all(PROGRAM.as_bytes())
    }

    /// A candidate a line, with what it is after a tab, and the directive at the end.
    fn write_complete(
        &self,
        program: &mut Command,
        line: Vec<OsString>,
        folder: Option<&Path>,
        answer: &mut dyn Write,
    ) -> io::Result<()> {
        let last = line.len().saturating_sub(1);
        let word = line.last().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
        let candidates = engine::complete(program, line, last, folder)?;
        // An argument that is a file is asked for even where the word is a flag.
        let may_be_file = !word.starts_with('-') || word.contains('=');
        if may_be_file && self.files.load(Ordering::Relaxed) {
            return writeln!(answer, ":{FILES}");
        }
        // What stands before a value in the same word is the shell's to add.
        let flag = word.split_once('=').filter(|(flag, _)| flag.starts_with('-')).map(|(flag, _)| format!("{flag}="));
        for candidate in candidates {
            let value = candidate.get_value().to_string_lossy();
            let value = flag.as_deref().and_then(|flag| value.strip_prefix(flag)).unwrap_or(&value);
            let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
            match help.lines().next() {
                Some(help) => writeln!(answer, "{value}\t{help}")?,
                None => writeln!(answer, "{value}")?,
            }
        }
        writeln!(answer, ":{NO_FILES}")
    }
}
