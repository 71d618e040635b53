//! A network that passes nothing on for a while: packets vanish, and nobody is told.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::process;

/// The table of rules, which is deleted again as a whole.
const TABLE: &str = "inet kubecoin_bench";

/// Runs a program in the network that is cut.
type Inside<'a> = Box<dyn Fn(&[&str]) -> Result<Command> + 'a>;

/// A cut, until this is dropped.
pub struct Cut<'a> {
    inside: Inside<'a>,
}

impl<'a> Cut<'a> {
    /// Between a network and these addresses, in both directions.
    pub fn from_addresses(addresses: &[String], inside: impl Fn(&[&str]) -> Result<Command> + 'a) -> Result<Self> {
        let inside: Inside<'a> = Box::new(inside);
        let rules = to_addresses(addresses);
        let mut nft = inside(&["nft", "-f", "-"])?;
        let mut child =
            nft.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().context("cannot start nft in a network")?;
        // What it was told before it failed, it has not done: a file of rules is taken as a whole.
        child
            .stdin
            .take()
            .context("nft has no stdin")?
            .write_all(rules.as_bytes())
            .context("cannot tell nft the rules")?;
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "nft failed: {}", String::from_utf8_lossy(&output.stderr));
        Ok(Self { inside })
    }
}

impl Drop for Cut<'_> {
    fn drop(&mut self) {
        let words: Vec<&str> = ["nft", "delete", "table"].into_iter().chain(TABLE.split(' ')).collect();
        if let Err(error) = (self.inside)(&words).and_then(|mut nft| process::output(&mut nft)) {
            process::say(&format!("error: a network is still cut: {error:#}"));
        }
    }
}

fn to_addresses(addresses: &[String]) -> String {
    let rules = |direction: &str| {
        let mut rules = String::new();
        for address in addresses {
            let family = if address.contains(':') { "ip6" } else { "ip" };
            let _ = writeln!(rules, "{family} {direction} {address} drop");
        }
        rules
    };
    table(&rules("saddr"), &rules("daddr"))
}

fn table(from: &str, to: &str) -> String {
    format!(
        "table {TABLE} {{
chain from {{ type filter hook input priority -400;
{from}}}
chain to {{ type filter hook output priority -400;
{to}}}
}}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_is_cut_off_in_both_directions() {
        let rules = to_addresses(&["10.244.1.22".to_owned(), "fd00::1".to_owned()]);
        for rule in [
            "ip saddr 10.244.1.22 drop",
            "ip daddr 10.244.1.22 drop",
            "ip6 saddr fd00::1 drop",
            "ip6 daddr fd00::1 drop",
        ] {
            assert_eq!(rules.lines().filter(|line| *line == rule).count(), 1, "{rules}");
        }
    }
}
