//! The causes. To add one: its file, its text beside it, and its line here, in the order in which people are told. Those that
//! any StatefulSet can have say so.

use super::Cause;

/// Each cause with the file that it has.
macro_rules! causes {
    ($($file:ident $(of $any:ident set)?),* $(,)?) => {
        $(pub mod $file;)*

        /// All of them, in the order in which people are told.
        pub static ALL: &[&Cause] = &[$(&$file::CAUSE),*];

        /// Those that any StatefulSet can have, in the same order.
        pub static OF_ANY_SET: &[&Cause] = &[$($({ stringify!($any); &$file::CAUSE },)?)*];
    };
}

causes![
    missing of any set,
    terminating of any set,
    orphaned_pod of any set,
    replicas,
    claim_lost of any set,
    class_missing of any set,
    volume_released of any set,
    volume_taken of any set,
    volume_mismatch of any set,
    claim_overlooked,
    claim_unbound of any set,
    stuck_revision of any set,
    update_held_back of any set,
    configuration_missing of any set,
    quota_exceeded of any set,
    pod_security of any set,
    pod_refused of any set,
    unschedulable of any set,
    node_away of any set,
    directory_missing of any set,
    store_unreachable,
    image_pull of any set,
    out_of_memory of any set,
    image_architecture of any set,
    data_not_writable,
    data_directory_not_empty,
    postgres_version,
    postgres_18_layout,
    crash_loop of any set,
    probe_failing of any set,
    stopping of any set,
    starting of any set,
    not_ready of any set,
    service_name of any set,
    not_headless of any set,
    selector_matches_nothing of any set,
    port_leads_nowhere,
    not_published of any set,
    credentials_refused,
    role_refused,
    no_connection_left,
    database_silent,
    volume_full,
    volume_nearly_full,
    no_primary,
    read_only,
    writes_blocked,
    not_admitted,
    table_missing,
    table_different,
    wrong_database,
    network_policy,
    database_unreachable,
    backend_unreachable,
    page_unreachable,
    second_primary,
    member_behind,
    no_synchronous_standby,
    changed_by_hand,
    images_differ,
    disruption_budget of any set,
    other_storage,
    reclaim_delete of any set,
    volume_on_any_node of any set,
    api_server of any set,
    not_permitted of any set,
];
