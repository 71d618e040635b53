//! The checker of the replicated database: `cargo xtask bench ha`, each disturbance once.

use std::process::Command;

use super::plugin::PROGRAM;

/// Disturbs a database in a namespace of this name. Fails unless each of these was made once, with rows acknowledged, and none
/// lost, twice or by an older timeline.
pub fn nothing_is_lost(namespace: &str, only: &[&str]) {
    for row in checked(namespace, only) {
        assert_eq!(row[1], "1", "{row:?}");
        assert!(row[4].parse::<u32>().is_ok_and(|acknowledged| acknowledged > 0), "{row:?}");
        assert_eq!(row[5..], ["0", "0", "0", "0"], "{row:?}");
    }
}

/// Runs the checker once for each of these, in a namespace of this name. Gives the table, a list of cells for each of them.
pub fn checked(namespace: &str, only: &[&str]) -> Vec<Vec<String>> {
    let xtask = std::env::var("KUBECOIN_XTASK").expect("KUBECOIN_XTASK is set: run this by `cargo xtask test`");
    let only_these = only.join(",");
    let words = ["bench", "ha", "--times", "1", "--namespace", namespace, "--only", &only_these, "--binary", PROGRAM];
    let ended = Command::new(xtask).args(words).output().expect("xtask starts");
    let [stdout, stderr] = [ended.stdout, ended.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(ended.status.success(), "{words:?}\n{stderr}{stdout}");
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    let rows: Vec<Vec<String>> = stdout.lines().skip(2).map(cells).collect();
    assert_eq!(rows.len(), only.len(), "{stdout}");
    rows
}
