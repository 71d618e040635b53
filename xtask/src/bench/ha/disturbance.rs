//! What is done to the database while rows are written. Whatever is changed is changed back on every way out.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::ValueEnum;

use super::cut::Cut;
use super::exchange::{Exchange, Pod};
use super::writer::Writers;
use crate::testbed;

/// How long what does not end by itself lasts: longer than the claim of a primary, which is 20 s, and the loop of those that
/// wait for its end.
const HOLD: Duration = Duration::from_secs(30);

/// How long the API server is away.
const API_AWAY: Duration = Duration::from_mins(1);

/// How long a node is away: shorter than the time after which its pods are deleted.
const NODE_AWAY: Duration = Duration::from_mins(1);

/// How long a wait for rows may be that come without a failover.
pub const SOON: Duration = Duration::from_mins(2);

/// What starts anew after the API server was away, the last two on each node. Else each would ask again only when its pause is
/// over, which grows with every outage of the last minutes, and the next round would wait for it.
const WATCHERS: [&str; 2] = ["kube-controller-manager", "kube-scheduler"];
const ON_NODES: [&str; 2] = ["kube-proxy", "kubelet"];

/// A disturbance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Disturbance {
    /// The pod of the primary is deleted
    Deleted,
    /// The server of the primary is killed
    Killed,
    /// All processes of the primary are stopped (SIGSTOP) for 30 s, and then go on
    Frozen,
    /// Patroni in the primary's pod is stopped (SIGSTOP) for 30 s, and its server goes on
    PatroniFrozen,
    /// The network of the primary's node is cut for 60 s; needs three nodes
    NodeAway,
    /// The primary's node loses its power for 60 s; needs three nodes
    NodeOff,
    /// The primary cannot reach the other members for 30 s
    CutFromMembers,
    /// The primary cannot reach the API server for 30 s
    CutFromApi,
    /// The primary can reach neither for 30 s
    CutFromBoth,
    /// The API server is away for 60 s
    ApiAway,
    /// All members are deleted at once, without time to end
    AllThree,
}

impl Disturbance {
    /// How the table calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deleted => "the primary's pod is deleted",
            Self::Killed => "its server is killed",
            Self::Frozen => "it is frozen for 30 s",
            Self::PatroniFrozen => "its Patroni is frozen for 30 s, its server not",
            Self::NodeAway => "its node is cut off for 60 s",
            Self::NodeOff => "its node has no power for 60 s",
            Self::CutFromMembers => "it cannot reach the members for 30 s",
            Self::CutFromApi => "it cannot reach the API server for 30 s",
            Self::CutFromBoth => "it can reach neither for 30 s",
            Self::ApiAway => "the API server is away for 60 s",
            Self::AllThree => "all members are deleted at once",
        }
    }

    /// How many nodes it needs.
    pub fn nodes(self) -> usize {
        if self.takes_node() { 3 } else { 1 }
    }

    /// Whether it takes the primary's node away.
    pub fn takes_node(self) -> bool {
        matches!(self, Self::NodeAway | Self::NodeOff)
    }

    /// What the failover's median is to be at most, in seconds.
    pub fn aim(self) -> Option<f64> {
        match self {
            Self::Deleted => Some(5.0),
            Self::NodeAway | Self::NodeOff => Some(30.0),
            _ => None,
        }
    }

    /// Whether every container must come through it without being started again.
    pub fn spares_containers(self) -> bool {
        !matches!(self, Self::Deleted | Self::NodeOff | Self::AllThree)
    }

    /// Makes it once, to the primary, and ends it.
    pub fn make(self, exchange: &Exchange, primary: &Pod, writers: &Writers) -> Result<()> {
        match self {
            Self::Deleted => exchange.kubectl(&["delete", "pod", &primary.name, "--timeout=120s"]).map(drop),
            Self::Killed => primary.container()?.kill_server(),
            Self::Frozen => {
                let _frozen = primary.container()?.freeze()?;
                thread::sleep(HOLD);
                Ok(())
            }
            Self::PatroniFrozen => {
                let _frozen = primary.container()?.freeze_all_but_server()?;
                thread::sleep(HOLD);
                Ok(())
            }
            Self::NodeAway => without(primary, testbed::plug_node),
            Self::NodeOff => {
                without(primary, |node, back| if back { testbed::node_on(node) } else { testbed::node_off(node) })
            }
            Self::CutFromMembers => cut_off(primary, &members(exchange, primary)?),
            Self::CutFromApi => cut_off(primary, &api_server(exchange)?),
            Self::CutFromBoth => cut_off(primary, &[members(exchange, primary)?, api_server(exchange)?].concat()),
            Self::ApiAway => {
                let away = Away::begin()?;
                thread::sleep(API_AWAY);
                away.end()
            }
            Self::AllThree => {
                let words = ["delete", "pods", "--selector", "app=postgres", "--grace-period=0", "--force"];
                let place = writers.place();
                exchange.kubectl(&words)?;
                writers.application_writes(place, super::exchange::PATIENCE)
            }
        }
    }
}

/// Cuts the primary off for a while.
fn cut_off(primary: &Pod, addresses: &[String]) -> Result<()> {
    let network = primary.container()?.network()?;
    let _cut = Cut::from_addresses(addresses, |words| Ok(network.program(words)))?;
    thread::sleep(HOLD);
    Ok(())
}

/// Takes the primary's node away for a while.
fn without(primary: &Pod, set: impl Fn(u8, bool) -> Result<()>) -> Result<()> {
    let number = primary.node.rsplit('-').next().and_then(|number| number.parse().ok());
    let number = number.with_context(|| format!("{:?} is no node of the test cluster", primary.node))?;
    // Half of a node away is to come back too.
    let away = set(number, false);
    if away.is_ok() {
        thread::sleep(NODE_AWAY);
    }
    away.and(set(number, true))
}

/// The addresses of the members other than the primary.
pub fn members(exchange: &Exchange, primary: &Pod) -> Result<Vec<String>> {
    let servers = exchange.servers()?;
    Ok(servers.into_values().filter(|pod| pod.name != primary.name).map(|pod| pod.address).collect())
}

/// The addresses of the API server: its Service's, and its own.
fn api_server(exchange: &Exchange) -> Result<Vec<String>> {
    // Of two words for a namespace, kubectl takes the last one.
    let get = |words: &[&str]| exchange.kubectl(&[&["get"], words, &["--namespace=default"]].concat());
    let service = get(&["service", "kubernetes", "--output=jsonpath={.spec.clusterIP}"])?;
    let own = get(&[
        "endpointslices",
        "--selector=kubernetes.io/service-name=kubernetes",
        "--output=jsonpath={.items[*].endpoints[*].addresses[*]}",
    ])?;
    Ok([service.as_str()].into_iter().chain(own.split_whitespace()).map(str::to_owned).collect())
}

/// The API server is away as long as this lives.
struct Away {
    ended: bool,
}

impl Away {
    fn begin() -> Result<Self> {
        let away = Self { ended: false };
        testbed::stop("kube-apiserver", true)?;
        Ok(away)
    }

    fn end(mut self) -> Result<()> {
        self.ended = true;
        Self::back()
    }

    fn back() -> Result<()> {
        testbed::start("kube-apiserver")?;
        let on_nodes = (1..=testbed::nodes()?).flat_map(|node| ON_NODES.map(|name| format!("{name}-{node}")));
        for component in WATCHERS.map(str::to_owned).into_iter().chain(on_nodes) {
            // Some of them end without the API server.
            let _ = testbed::stop(&component, true);
            testbed::start(&component)?;
        }
        Ok(())
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        if !self.ended
            && let Err(error) = Self::back()
        {
            crate::process::say(&format!("error: the API server is still away: {error:#}"));
        }
    }
}
