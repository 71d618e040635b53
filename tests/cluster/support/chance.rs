//! What is drawn by chance, and can be drawn again: the same in each run, unless another seed is asked for.

use std::env;

/// The variable that gives the seed, or `random` for one that nobody has seen.
pub const SEED: &str = "KUBECOIN_SEED";

/// This run's seed. A change is to be judged by what it changes, and not by what is drawn for it; what nobody has drawn
/// before is for `cargo xtask test drawn`.
pub fn seed() -> u64 {
    if env::var(SEED).is_ok_and(|text| text == "random") { rand::random() } else { number(SEED).unwrap_or(1) }
}

/// A number that a variable gives, if it is set.
pub fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}
