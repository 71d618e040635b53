//! What this program is called. Nothing else of it is known where requests are sent.

/// Its file, and the name under which it owns fields of objects.
pub const NAME: &str = "kubectl-kubecoin";

/// What a person types to run it.
pub const COMMAND: [&str; 2] = ["kubectl", "kubecoin"];
