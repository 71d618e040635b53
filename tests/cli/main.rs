//! What the program says of itself: help and usage errors, as snapshots. `TRYCMD=overwrite` writes them again.

#[test]
fn help_and_usage_errors() {
    trycmd::TestCases::new()
        .default_bin_path(env!("CARGO_BIN_EXE_kubectl-kubecoin"))
        .case("tests/cli/snapshots/*.trycmd");
}
