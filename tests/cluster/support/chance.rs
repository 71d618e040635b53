//! What is drawn by chance, and can be drawn again.

use std::env;

/// The variable that gives the seed, to draw the same again.
pub const SEED: &str = "KUBECOIN_SEED";

/// This run's seed.
pub fn seed() -> u64 {
    number(SEED).unwrap_or_else(rand::random)
}

/// A number that a variable gives, if it is set.
pub fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}
