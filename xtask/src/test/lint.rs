use anyhow::Result;

use super::{Report, house};
use crate::process::cargo;

pub fn run(report: &mut Report) -> Result<()> {
    report.check_here("imports", house::check);
    report.check("rustfmt", &mut cargo(&["fmt", "--all", "--check"]))?;
    let clippy = |targets: &[&str]| {
        let mut clippy = cargo(&["clippy", "--workspace", "--locked"]);
        clippy.args(targets).args(["--", "--deny", "warnings"]);
        clippy
    };
    report.check("clippy", &mut clippy(&["--all-targets"]))?;
    // All targets leave out those that `cargo test` leaves alone.
    report.check(
        "clippy of the tests on a cluster",
        &mut clippy(&["--test", "cluster", "--test", "krew", "--test", "testbed"]),
    )?;
    report.check(
        "rustdoc",
        cargo(&["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"])
            .env("RUSTDOCFLAGS", "--deny warnings"),
    )
}
