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
