use anyhow::Result;

use super::Report;
use crate::generate;
use crate::process::cargo;

/// How many tests of one program run side by side.
const THREADS: &str = "8";

pub fn run(report: &mut Report) -> Result<()> {
    // Most of them wait for a server of their own, or for a deadline.
    let mut tests = cargo(&["test", "--workspace", "--locked"]);
    report.check("cargo test", tests.env("RUST_TEST_THREADS", THREADS))?;
    report.check_here("generated files", generate::check);
    Ok(())
}
