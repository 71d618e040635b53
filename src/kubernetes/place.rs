//! Where requests go, also in words. There is no context to name in a pod, or where a server is named by its address alone.

use super::by_hand::ByHand;

/// Where a request goes, for messages.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The context's name in the kubeconfig.
    pub context: String,
    /// The namespace of objects that name none.
    pub namespace: String,
    /// The server's address.
    pub server: String,
    /// The flags that lead kubectl to the same server as the same user.
    pub flags: Vec<String>,
    /// What a command needs that a person types next.
    pub by_hand: ByHand,
}

/// What follows a namespace: the context by which one got there.
#[must_use]
pub fn on(context: &str) -> String {
    if context.is_empty() { String::new() } else { format!(" on {context}") }
}

impl Place {
    /// The cluster: by its context, or else by its address.
    #[must_use]
    pub fn cluster_in_words(&self) -> String {
        if self.context.is_empty() { format!("server {}", self.server) } else { format!("context {}", self.context) }
    }

    /// The cluster and the namespace.
    #[must_use]
    pub fn in_words(&self) -> String {
        format!("{}, namespace {}", self.cluster_in_words(), self.namespace)
    }

    /// The cluster's address, after the context if there is one.
    #[must_use]
    pub fn address_in_words(&self) -> String {
        if self.context.is_empty() { self.server.clone() } else { format!("{} ({})", self.context, self.server) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(context: &str) -> Place {
        let [context, namespace, server] = [context, "alice", "https://10.96.0.1"].map(str::to_owned);
        Place { context, namespace, server, ..Place::default() }
    }

    #[test]
    fn a_context_is_named_where_there_is_one() {
        let place = place("minikube");
        assert_eq!(place.in_words(), "context minikube, namespace alice");
        assert_eq!(place.address_in_words(), "minikube (https://10.96.0.1)");
        assert_eq!(on(&place.context), " on minikube");
    }

    #[test]
    fn without_one_the_server_is() {
        let place = place("");
        assert_eq!(place.in_words(), "server https://10.96.0.1, namespace alice");
        assert_eq!(place.address_in_words(), "https://10.96.0.1");
        assert_eq!(on(&place.context), "");
    }
}
