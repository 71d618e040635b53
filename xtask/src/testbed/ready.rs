//! Whether components do their work.

use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use super::components::{Component, Ready};
use super::layout::{API_PORT, Plan, control_plane, log};
use super::supervisor::{self, Request, State};
use super::wait::{self, Deadline};
use crate::process;

/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many of a dead component's last lines are shown.
const SHOWN: usize = 10;

/// Looks once; an error says what is wrong.
pub fn check(ready: &Ready, plan: &Plan) -> Result<(), String> {
    match ready {
        Ready::Listens(address) => match TcpStream::connect_timeout(address, PATIENCE) {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("{address}: {error}")),
        },
        Ready::Socket(path) => match UnixStream::connect(path) {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("{}: {error}", path.display())),
        },
        Ready::Http(url) => get(url),
        Ready::ApiServer => {
            // First, as it costs next to nothing while the API server does not even listen.
            check(&Ready::Listens((control_plane(), API_PORT).into()), plan)?;
            let mut kubectl = super::kubectl(plan);
            let timeout = format!("--request-timeout={}s", PATIENCE.as_secs());
            process::output(kubectl.args(["get", "--raw", "/readyz", &timeout]))
                .map(drop)
                .map_err(|error| error.to_string().lines().last().unwrap_or("no answer").to_owned())
        }
    }
}

/// Waits until a component that was started is ready; an error at once if it ends.
pub fn wait(component: &Component, plan: &Plan, deadline: Deadline) -> Result<()> {
    let name = &component.program.name;
    wait::until(deadline, || {
        match state(name)? {
            Some(State::Running) => {}
            Some(State::Paused) => bail!("{name} is paused\nhint: cargo xtask testbed resume {name}"),
            Some(State::Ended(how)) => bail!("{name} has ended: {how}\n{}", last_lines(name)),
            None => bail!("{name} was not started"),
        }
        Ok(check(&component.ready, plan).map_err(|error| format!("{name} is not ready: {error}\n{}", last_lines(name))))
    })
}

/// The last lines that a component printed.
pub fn last_lines(component: &str) -> String {
    // Read by tail, as a log may be long.
    let mut tail = Command::new("tail");
    tail.arg(format!("--lines={SHOWN}")).arg(log(component));
    let lines = process::output(&mut tail).unwrap_or_default();
    lines.lines().flat_map(|line| ["  | ", line, "\n"]).collect()
}

fn state(name: &str) -> Result<Option<State>> {
    let all = supervisor::ask(&Request::Status)?;
    let Some(all) = all else { bail!("the supervisor is gone\n{}", last_lines("supervisor")) };
    Ok(all.get(name).map(|process| process.state.clone()))
}

fn get(url: &str) -> Result<(), String> {
    // Never by a proxy: these addresses are this machine's.
    let agent = ureq::Agent::config_builder().proxy(None).timeout_global(Some(PATIENCE)).build().new_agent();
    agent.get(url).call().map(drop).map_err(|error| format!("{url}: {error}"))
}
