//! What TAB offers: the commands and flags of the program itself, and names that are looked up in the kubeconfig and on the
//! cluster.

mod bash;
mod flags;
mod kubectl;
mod values;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{ArgMatches, Command, FromArgMatches};
use clap_complete::env::{EnvCompleter, Fish, Powershell, Zsh};

use crate::flags::Global;
use crate::program;
use kubectl::Kubectl;
use values::Values;

pub use kubectl::{FILE, PROGRAM};

/// Whose value is the shell that asks. A script sets it, and nobody else.
const VARIABLE: &str = "KUBECOIN_COMPLETE";

/// The shells that a script can be printed for.
#[derive(Clone, Copy, Debug)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
}

impl Shell {
    fn completer(self) -> &'static dyn EnvCompleter {
        match self {
            Self::Bash => &bash::Whole,
            Self::Zsh => &Zsh,
            Self::Fish => &Fish,
            Self::Powershell => &Powershell,
        }
    }

    /// The script with which the shell completes the plugin's own name, which is on `PATH`.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn script(self) -> io::Result<String> {
        let mut script = Vec::new();
        let name = program::NAME;
        self.completer().write_registration(VARIABLE, name, name, name, &mut script)?;
        Ok(String::from_utf8_lossy(&script).trim_start().trim_end().to_owned() + "\n")
    }
}

/// The exit code of an answer to TAB, if this run is asked for one. Nothing is said but the answer: what else this program or
/// another one would print would stand in the line that somebody types.
pub fn answer(program: impl FnOnce() -> Command) -> Option<ExitCode> {
    let shell = std::env::var_os(VARIABLE)?;
    Some(match silence().and_then(|()| offer(&program(), &shell)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    })
}

/// Keeps this program and those that it runs from the terminal: nobody can be asked for a password while a line is typed.
fn silence() -> io::Result<()> {
    let nothing = File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nothing)?;
    rustix::stdio::dup2_stderr(&nothing)?;
    Ok(())
}

fn offer(program: &Command, shell: &OsStr) -> io::Result<()> {
    let kubectl = Kubectl::default();
    let shells: [&dyn EnvCompleter; 5] = [&kubectl, &bash::Whole, &Zsh, &Fish, &Powershell];
    let shell = shells.into_iter().find(|known| known.name() == shell);
    let shell = shell.ok_or_else(|| io::Error::other("no such shell"))?;
    let line = bash::up_to_the_cursor(std::env::args_os().skip_while(|word| word != "--").skip(1).collect());
    let line = if shell.name() == bash::Whole.name() { bash::put_together(line) } else { line };
    let Some((word, before)) = line.split_last() else { return Ok(()) };
    let values = Values::new(given(program, before));
    let begins_a_flag = word.as_encoded_bytes().starts_with(b"-");
    let asks_for_files = (shell.name() == kubectl.name()).then(|| kubectl.files.clone());
    let mut program = program.clone();
    // From here on it has the flags that clap adds by itself too.
    program.build();
    let mut program = flags::with_values(program, &values, asks_for_files.as_ref());
    if !begins_a_flag {
        program = flags::hidden(program);
    }
    let folder = std::env::current_dir().ok();
    let mut offered = Vec::new();
    shell.write_complete(&mut program, line, folder.as_deref(), &mut offered)?;
    io::stdout().write_all(&offered)
}

/// The flags of every command in a line that is not complete yet. One that cannot be read counts as not given.
fn given(program: &Command, words: &[OsString]) -> Option<Global> {
    let read = |words: &[OsString]| -> Option<Global> {
        let program = program.clone().ignore_errors(true);
        let matches: ArgMatches = program.try_get_matches_from(words).ok()?;
        Global::from_arg_matches(&matches).ok()
    };
    read(words).or_else(|| read(&words[..words.len().min(1)]))
}
