//! The causes. To add one: its file, its text beside it, and its line here, in the order in which people are told.

use super::Cause;

/// Each cause with the file that it has.
macro_rules! causes {
    ($($file:ident),* $(,)?) => {
        $(pub mod $file;)*

        /// All of them, in the order in which people are told.
        pub static ALL: &[&Cause] = &[$(&$file::CAUSE),*];
    };
}

causes![
    missing,
    terminating,
    orphaned_pod,
    replicas,
    claim_lost,
    class_missing,
    volume_released,
    volume_taken,
    volume_mismatch,
    claim_unbound,
    stuck_revision,
    update_held_back,
    configuration_missing,
    quota_exceeded,
    pod_security,
    pod_refused,
    unschedulable,
    node_away,
    image_pull,
    out_of_memory,
    image_architecture,
    data_not_writable,
    data_directory_not_empty,
    postgres_version,
    postgres_18_layout,
    crash_loop,
    probe_failing,
    stopping,
    starting,
    not_ready,
    service_name,
    not_headless,
    selector_matches_nothing,
    port_leads_nowhere,
    not_published,
    credentials_refused,
    role_refused,
    no_connection_left,
    database_silent,
    volume_full,
    volume_nearly_full,
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
    images_differ,
    disruption_budget,
    other_storage,
    reclaim_delete,
    volume_on_any_node,
    not_permitted,
];
