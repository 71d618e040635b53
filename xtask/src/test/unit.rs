use anyhow::Result;

use super::Report;
use crate::process::cargo;

pub fn run(report: &mut Report) -> Result<()> {
    report.check("cargo test", &mut cargo(&["test", "--workspace", "--locked"]))
}
