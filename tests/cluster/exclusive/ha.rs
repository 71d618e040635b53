//! The checker of the replicated database, once for each disturbance that takes a part of the cluster away.

use crate::support::checker::nothing_is_lost;
use crate::support::scene::testbed;

#[test]
fn no_row_is_lost_while_the_api_server_is_away() {
    nothing_is_lost("kc-plugin-checked-away", &["api-away"]);
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
    testbed(&["down"]);
    testbed(&["up", "--nodes", "3", "--storage-class"]);
    nothing_is_lost("kc-plugin-checked-node", &["node-off"]);
}
