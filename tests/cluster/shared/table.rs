use crate::support::deployed::sql;
use crate::support::plugin::ends;
use crate::support::scene::Scene;

#[test]
fn the_table_is_created_once_and_another_one_is_left_alone() {
    let scene = Scene::without_namespace("kc-plugin-table");
    let namespace = scene.namespace();
    let deploy = ends(namespace, "deploy --create-namespace --timeout 3m", 0);
    assert!(deploy.stderr.contains("next: kubectl kubecoin init-db -n kc-plugin-table"), "{}", deploy.stderr);
    let status = ends(namespace, "status", 1);
    assert!(status.stdout.contains("not initialised"), "{}", status.stdout);

    let created = ends(namespace, "init-db", 0);
    assert_eq!(created.stdout, "table wallets created (0 rows)\nindex idx_wallets_id created\n");
    ends(namespace, "status", 0);
    sql(namespace, "INSERT INTO wallets(id) VALUES (E'it''s \\x1b[2J'), ('b');");
    let exists = ends(namespace, "init-db", 0);
    assert_eq!(exists.stdout, "table wallets exists (2 rows)\nindex idx_wallets_id exists\n");

    sql(namespace, "DROP INDEX idx_wallets_id;");
    ends(namespace, "status", 1);
    let made = ends(namespace, "init-db", 0);
    assert_eq!(made.stdout, "table wallets exists (2 rows)\nindex idx_wallets_id created\n");

    sql(namespace, "ALTER TABLE wallets DROP COLUMN coins, ADD COLUMN mood text, ALTER COLUMN balance TYPE bigint;");
    let other = ends(namespace, "init-db", 1);
    for words in ["column coins is missing", "column mood is not the lesson's", "column balance is `balance bigint"] {
        assert!(other.stdout.contains(words), "no {words:?} in {}", other.stdout);
    }
    assert_eq!(sql(namespace, "SELECT count(*) FROM wallets;"), "2", "it was not changed");
    ends(namespace, "status", 1);
}
