//! The checker of the replicated database, once for each disturbance: no acknowledged row is lost, and what the checker has to
//! see, it sees.

use std::process::Command;

use crate::support::plugin::PROGRAM;
use crate::support::scene::testbed;

/// Runs the checker once for each of these, in a namespace of this name. Gives the table, a list of cells for each of them.
fn checked(namespace: &str, only: &[&str]) -> Vec<Vec<String>> {
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

/// Fails unless each row was made once, with rows acknowledged, and none lost, twice or by an older timeline.
fn nothing_is_wrong(table: &[Vec<String>]) {
    for row in table {
        assert_eq!(row[1], "1", "{row:?}");
        assert!(row[4].parse::<u32>().is_ok_and(|acknowledged| acknowledged > 0), "{row:?}");
        assert_eq!(row[5..], ["0", "0", "0", "0"], "{row:?}");
    }
}

#[test]
fn no_row_is_lost_whatever_becomes_of_the_primary() {
    let mut table = checked(
        "kc-plugin-checked",
        &[
            "deleted",
            "killed",
            "frozen",
            "patroni-frozen",
            "cut-from-members",
            "cut-from-api",
            "cut-from-both",
            "all-three",
            "control",
        ],
    );
    let control = table.pop().unwrap();
    nothing_is_wrong(&table);
    assert!(control[5] != "0" && control[7] != "0", "the checker sees what is lost: {control:?}");
}

#[test]
fn no_row_is_lost_while_the_api_server_is_away() {
    nothing_is_wrong(&checked("kc-plugin-checked-away", &["api-away"]));
}

/// The cluster of the other tests, which comes back.
struct OneNode;

impl Drop for OneNode {
    fn drop(&mut self) {
        testbed(&["down"]);
        testbed(&["up", "--storage-class"]);
    }
}

#[test]
fn no_row_is_lost_with_a_node() {
    let _one_node = OneNode;
    // The checker brings up the three that it needs.
    testbed(&["down"]);
    nothing_is_wrong(&checked("kc-plugin-checked-node", &["node-away"]));
}
