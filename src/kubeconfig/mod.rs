//! Flags, kubeconfig and environment, resolved as kubectl resolves them: which server, as whom, in which namespace.
//!
//! The rules are those of client-go 0.37, `tools/clientcmd`. What differs on purpose: nobody is asked for a user name, and
//! without a server named there is no `localhost:8080`.

mod address;
mod choose;
mod elsewhere;
mod file;
mod identity;
mod in_pod;
mod kuberc;
mod merge;
mod names;
mod oidc;
mod pem;
mod proxy;
mod resolve;
mod why;

pub use elsewhere::elsewhere;
pub use names::names;
pub use resolve::resolve;
