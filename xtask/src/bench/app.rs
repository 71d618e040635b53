use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::apt::{self, Package};
use crate::test::app::PACKAGES;
use crate::{process, python};

/// Requests a second and latencies of reads and trades, with the backend, PostgreSQL and the load on this machine.
pub fn run() -> Result<()> {
    apt::require(&PACKAGES)?;
    apt::require(&[Package { name: "wrk", provides: "wrk" }])?;
    let exchange = Exchange::start()?;
    for kind in ["reads", "trades"] {
        let script = python::folder().join("bench").join(kind).with_extension("lua");
        let mut wrk = Command::new("wrk");
        wrk.args(["--threads=1", "--connections=16", "--duration=10s", "--timeout=5s", "--script"]);
        let report = process::output(wrk.arg(script).arg(&exchange.urls.backend))?;
        // Below wrk's own report is the line of the script.
        let figures = report.lines().last().unwrap_or_default();
        writeln!(std::io::stdout(), "{kind:8} {figures}")?;
    }
    Ok(())
}

/// The exchange without a cluster, on free ports of this machine, for as long as this lives.
struct Exchange {
    child: Child,
    urls: Urls,
}

#[derive(Deserialize)]
struct Urls {
    backend: String,
}

impl Exchange {
    fn start() -> Result<Self> {
        let mut command = Command::new(python::environment()?);
        command.args(["-m", "stack"]).current_dir(python::folder()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start the exchange")?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let urls = serde_json::from_str(&line).context("the exchange did not come up: its own words are above")?;
        Ok(Self { child, urls })
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        // It ends when its stdin does.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
