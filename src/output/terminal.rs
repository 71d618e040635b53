//! The user's terminal, handed to a program elsewhere: every key goes there, and nothing is done here.

use std::io::{self, IsTerminal, stdin, stdout};
use std::panic;
use std::sync::{Mutex, Once, PoisonError};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

/// How the terminal was before it became raw, while it is.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// A raw terminal, until this is dropped.
#[derive(Debug)]
pub struct Raw(());

impl Raw {
    /// Makes the terminal at stdin raw. A panic puts it back before it says anything.
    ///
    /// # Errors
    /// If stdin is no terminal.
    pub fn enter() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let said = panic::take_hook();
            panic::set_hook(Box::new(move |panic| {
                restore();
                said(panic);
            }));
        });
        let before = tcgetattr(stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        let entered = Self(());
        tcsetattr(stdin(), OptionalActions::Now, &raw)?;
        Ok(entered)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    // A terminal that has gone needs nothing.
    let _ = before.map(|before| tcsetattr(stdin(), OptionalActions::Now, &before));
}

/// Whether a person types here, and reads here.
#[must_use]
pub fn is_interactive() -> bool {
    stdin().is_terminal() && stdout().is_terminal()
}

/// The terminal's columns and rows.
#[must_use]
pub fn size() -> Option<(u16, u16)> {
    let size = tcgetwinsize(stdout()).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}

#[cfg(test)]
mod tests {
    use std::env::current_exe;
    use std::process::Command;

    use rexpect::session::spawn_command;

    use super::*;

    #[test]
    #[ignore = "the next one runs it in a terminal"]
    fn panics_in_a_raw_terminal() {
        // As where a panic ends the program at once: nothing is dropped.
        std::mem::forget(Raw::enter().unwrap());
        panic!("the first line\nand the last");
    }

    #[test]
    fn a_panic_puts_the_terminal_back_before_it_says_anything() {
        let test = "output::terminal::tests::panics_in_a_raw_terminal";
        let program = current_exe().unwrap();
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!(
            "echo before $(stty -g); {} --exact {test} --ignored --nocapture; echo after $(stty -g)",
            program.display()
        ));
        let mut session = spawn_command(shell, Some(30_000)).unwrap();
        session.exp_string("before ").unwrap();
        let before = session.read_line().unwrap();
        // A raw terminal does not put a carriage return before a newline.
        session.exp_string("the first line\r\nand the last\r\n").unwrap();
        session.exp_string(&format!("after {before}\r\n")).unwrap();
    }
}
