//! What the program says of itself: help and usage errors, as snapshots. `TRYCMD=overwrite` writes them again.

// A test that panics has failed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod findings;

#[test]
fn help_and_usage_errors() {
    trycmd::TestCases::new()
        .default_bin_path(env!("CARGO_BIN_EXE_kubectl-kubecoin"))
        .case("tests/cli/snapshots/*.trycmd");
}
