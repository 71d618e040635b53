//! All traffic with the API server. It knows no subject.

pub mod access;
pub mod act;
pub mod adopt;
mod by_hand;
mod cluster;
mod connect;
pub mod credentials;
mod error;
pub mod exec;
pub mod forward;
pub mod gone;
pub mod lease;
mod object;
mod place;
mod pulse;
mod socket;
mod target;
pub mod tls;
mod transport;
pub mod version;
mod warnings;

#[cfg(test)]
pub use by_hand::tests as by_hand_tests;
pub use by_hand::{ByHand, Words, is_own};
pub use cluster::{Cluster, HttpAnswer, Scoped, Terms};
pub use connect::{Unusable, head};
pub use credentials::{Credentials, Secret};
pub use error::{Cause, RequestError};
pub use object::Object;
pub use place::{Place, on};
pub use target::{Impersonation, Proxy, Target};
pub use warnings::Warnings;
