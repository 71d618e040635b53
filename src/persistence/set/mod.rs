//! The same for any `StatefulSet`, of whose program nothing is known: its pods one after another, each with its identity, its
//! claims, its name and, if the user says how to read it, its data. Pure: it reads no cluster.

pub mod evidence;
pub mod output;
pub mod report;
pub mod revision;
pub mod verdict;

#[cfg(test)]
pub(crate) mod tests;
