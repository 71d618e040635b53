//! `open`, as a person runs it, and the page that is there.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use ureq::Agent;

/// `open`, and the address that it prints.
pub struct Opened {
    child: Child,
    pub address: String,
}

impl Opened {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut address).unwrap();
        Self { child, address: address.trim_end().to_owned() }
    }

    /// The port of this machine.
    pub fn port(&self) -> u16 {
        let (_, after) = self.address.rsplit_once(':').unwrap();
        after.split('/').next().unwrap().parse().unwrap()
    }

    /// Ctrl-C. Gives what it said.
    pub fn ends(mut self) -> String {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(130));
        TcpStream::connect(("127.0.0.1", self.port())).expect_err("nothing listens any more");
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        said
    }
}

/// What is at an address, over a connection of its own. It may have to wait for an API server that starts.
pub fn get(address: &str) -> Result<String, String> {
    let agent: Agent = Agent::config_builder().timeout_global(Some(Duration::from_mins(1))).proxy(None).build().into();
    let mut response = agent.get(address).call().map_err(|error| error.to_string())?;
    response.body_mut().read_to_string().map_err(|error| error.to_string())
}
