use anyhow::Result;

use super::{Report, house};
use crate::process::cargo;

pub fn run(report: &mut Report) -> Result<()> {
    report.check_here("imports", house::check);
    report.check("rustfmt", &mut cargo(&["fmt", "--all", "--check"]))?;
    let deny = ["--locked", "--", "--deny", "warnings"];
    report.check("clippy", cargo(&["clippy", "--workspace", "--all-targets"]).args(deny))?;
    // Targets that `cargo test` leaves alone are not among all targets.
    report.check("clippy of the cluster tests", cargo(&["clippy", "--test", "cluster"]).args(deny))?;
    report.check(
        "clippy of the testbed's tests",
        cargo(&["clippy", "--package", "xtask", "--test", "testbed"]).args(deny),
    )?;
    report.check(
        "rustdoc",
        cargo(&["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"])
            .env("RUSTDOCFLAGS", "--deny warnings"),
    )
}
