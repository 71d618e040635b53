//! Scripts that are run as soon as they are written.
//!
//! Used by path: `#[path = "../support/script.rs"] mod script;`.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes a script as a program. By a process of its own: what is still open for writing cannot be run, and a child that another
/// test starts at this moment has this process's open files for an instant.
pub fn write(path: &Path, text: &str) {
    let mut install = Command::new("install");
    let mut writer = install.args(["-m", "755", "/dev/stdin"]).arg(path).stdin(Stdio::piped()).spawn().unwrap();
    writer.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(writer.wait().unwrap().success(), "{} is not written", path.display());
}
