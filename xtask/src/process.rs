//! Running programs: what is run is shown, and a failure names the command.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::paths;

/// Writes a line for people, to stderr. A closed stderr is no reason to stop.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The command as one would type it.
pub fn shown(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        let argument = argument.to_string_lossy();
        let quote = if argument.contains(char::is_whitespace) { "'" } else { "" };
        let _ = write!(line, " {quote}{argument}{quote}");
    }
    line
}

/// The cargo that runs this, on the workspace.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(arguments).current_dir(paths::workspace());
    // `cargo run` describes this package to this program. Build scripts (ring's) take such variables for a change of theirs,
    // and all that stands on them would be compiled again, this program too.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            cargo.env_remove(&name);
        }
    }
    cargo
}

/// Runs to the end with the caller's stdout and stderr; an error if it does not succeed.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed: {status}", shown(command));
    }
    Ok(())
}

/// Runs quietly and gives stdout, without the last line's end; on failure the error holds what was printed.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !output.status.success() {
        bail!(
            "`{}` failed: {}\n{}{}",
            shown(command),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// How long it may be silent after its end: what it has started and left behind may hold its pipes for ever.
const SILENCE: Duration = Duration::from_secs(5);

/// Runs, passing each line of stdout and stderr on as it comes; gives whether it succeeded.
pub fn watched(command: &mut Command, mut see: impl FnMut(&str)) -> Result<bool> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    let (send, lines) = mpsc::channel();
    let pipes: [Option<Box<dyn Read + Send>>; 2] =
        [child.stdout.take().map(|pipe| Box::new(pipe) as _), child.stderr.take().map(|pipe| Box::new(pipe) as _)];
    for pipe in pipes.into_iter().flatten() {
        let send = send.clone();
        thread::spawn(move || {
            let mut reader = BufReader::new(pipe);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                let _ = send.send(String::from_utf8_lossy(&line).trim_end().to_owned());
                line.clear();
            }
        });
    }
    drop(send);
    loop {
        match lines.recv_timeout(SILENCE) {
            Ok(line) => see(&line),
            Err(RecvTimeoutError::Timeout) if child.try_wait()?.is_none() => {}
            Err(_) => return Ok(child.wait()?.success()),
        }
    }
}

/// Does one step of several, saying what it is and, once done, how long it took.
pub fn step<T>(what: &str, act: impl FnOnce() -> Result<T>) -> Result<T> {
    say(&format!("> {what}"));
    let start = Instant::now();
    let done = act().with_context(|| format!("{what} failed"))?;
    let took = start.elapsed();
    if took > Duration::from_secs(1) {
        say(&format!("  {what}: {:.1} s", took.as_secs_f64()));
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_has_ended_though_what_it_left_behind_holds_its_output() {
        let mut lines = Vec::new();
        let mut program = Command::new("sh");
        program.args(["-c", "sleep 60 & echo $!"]);
        assert!(matches!(watched(&mut program, |line| lines.push(line.to_owned())), Ok(true)));
        let [left] = lines.as_slice() else { panic!("{lines:?}") };
        assert!(run(Command::new("kill").arg(left)).is_ok(), "it was waited for");
    }

    #[test]
    fn an_argument_of_several_words_is_shown_as_one() {
        let mut command = Command::new("kubectl");
        command.args(["kubecoin", "psql", "-c", "SELECT * FROM wallets"]);
        assert_eq!(shown(&command), "kubectl kubecoin psql -c 'SELECT * FROM wallets'");
    }
}
