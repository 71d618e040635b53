//! All traffic with the API server. It knows no subject.

pub mod access;
pub mod act;
pub mod adopt;
mod by_hand;
mod cluster;
mod error;
pub mod exec;
pub mod forward;
pub mod gone;
pub mod lease;
mod object;
mod pulse;
mod socket;
pub mod tls;
mod transport;

pub use by_hand::ByHand;
pub use cluster::{Cluster, Place, Scoped};
pub use error::{Cause, RequestError};
pub use object::Object;

/// The name under which this program owns fields.
pub const FIELD_MANAGER: &str = "kubectl-kubecoin";
