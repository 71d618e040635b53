//! The exchange as its users reach it: through the page's NodePort.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

use super::kubectl;
use super::wait::until;

/// The exchange at an address.
#[derive(Clone)]
pub struct Exchange {
    url: String,
    agent: Agent,
}

impl Exchange {
    /// Finds the address as a person does: a node's address, and the port of `frontend-service`.
    pub fn at_node_port() -> Self {
        Self::at_node_port_of("default")
    }

    /// The same in a namespace, once the page answers there: nodes need a moment to learn of a port.
    pub fn at_node_port_of(namespace: &str) -> Self {
        let exchange = Self::of(namespace);
        until("the page answers", Duration::from_mins(1), || exchange.page());
        exchange
    }

    /// The same, whether or not it answers.
    pub fn of(namespace: &str) -> Self {
        let node =
            kubectl::ok("get nodes --output jsonpath={.items[0].status.addresses[?(@.type==\"InternalIP\")].address}");
        let port = kubectl::field(&format!("service/frontend-service -n {namespace}"), "/spec/ports/0/nodePort");
        let config = Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(10)))
            .http_status_as_error(false)
            // No proxy stands between this machine and its own cluster.
            .proxy(None)
            .build();
        Self { url: format!("http://{node}:{port}"), agent: config.into() }
    }

    /// The page's address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The page itself.
    pub fn page(&self) -> Result<String, String> {
        let mut response = self.agent.get(&self.url).call().map_err(|error| error.to_string())?;
        response.body_mut().read_to_string().map_err(|error| error.to_string())
    }

    /// Makes a wallet or gives the one there is. An error holds what was answered instead.
    pub fn put_wallet(&self, id: &str) -> Result<Value, String> {
        let response = self.agent.put(format!("{}/api/wallets/{id}", self.url)).send_empty();
        json(response)
    }

    /// A wallet.
    pub fn wallet(&self, id: &str) -> Result<Value, String> {
        json(self.agent.get(format!("{}/api/wallets/{id}", self.url)).call())
    }

    /// Buys coins.
    pub fn buy(&self, id: &str, coins: &str) -> Result<Value, String> {
        let order = serde_json::json!({ "side": "buy", "coins": coins });
        json(self.agent.post(format!("{}/api/wallets/{id}/trades", self.url)).send_json(order))
    }
}

fn json(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value, String> {
    let mut response = response.map_err(|error| error.to_string())?;
    let body: Value = response.body_mut().read_json().map_err(|error| error.to_string())?;
    if response.status().is_success() { Ok(body) } else { Err(body.to_string()) }
}
