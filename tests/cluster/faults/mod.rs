//! Faults, made on running exchanges: `doctor` names the cause of each, alone and soon, and what it hints at can be followed.
//! Where nothing is wrong, it finds nothing.

mod configuration;
mod database;
mod doctor;
mod fault;
mod hint;
mod lanes;
mod page;
mod place;
mod pods;
mod quiet;
mod services;
mod storage;
mod target;
mod without;
mod workloads;

use std::env;
use std::time::Duration;

use fault::Fault;
use lanes::Row;

/// The variable that chooses faults: those whose words or code contain its value, or one of several with commas between them.
const CHOICE: &str = "KUBECOIN_FAULTS";

/// What takes some seconds, on a busy machine.
const SOON: Duration = Duration::from_mins(3);

/// Every fault. Those that take longest come first, so that no lane works on alone at the end.
fn all() -> impl Iterator<Item = &'static Fault> {
    [storage::FAULTS, pods::FAULTS, workloads::FAULTS, configuration::FAULTS, database::FAULTS, services::FAULTS]
        .into_iter()
        .flatten()
}

fn chosen() -> Vec<&'static Fault> {
    let words = env::var(CHOICE).unwrap_or_default();
    let is_of =
        |fault: &Fault, word| fault.what.contains(word) || fault.expects.codes().any(|code| code.contains(word));
    let is_chosen = |fault: &&Fault| words.split(',').any(|word| is_of(fault, word));
    all().filter(is_chosen).collect()
}

#[test]
fn each_is_named_and_mended() {
    let faults = chosen();
    assert!(!faults.is_empty(), "{CHOICE} chooses no fault");
    let rows = lanes::run(&faults);
    println!("{}", table(&rows));
    let wrong: Vec<&str> = rows.iter().filter(|row| row.found.is_err()).map(|row| row.fault.what).collect();
    assert!(wrong.is_empty(), "{} of {} are wrong: {}", wrong.len(), rows.len(), wrong.join("; "));
}

fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.fault.what.len()).max().unwrap_or_default();
    let line = |what: &str, expected: &str, found: &str, seconds: &str| {
        format!("{what:<width$}  {expected:<28}  {found:<28}  {seconds:>7}\n")
    };
    let rows = rows.iter().map(|Row { fault, found, seconds }| {
        let expected = fault.expects.codes().collect::<Vec<_>>().join(", ");
        let found = found.as_ref().map_or_else(|why| format!("WRONG: {why}"), |()| expected.clone());
        let slow = if *seconds > lanes::AIM { " (slow)" } else { "" };
        line(fault.what, &expected, &found, &format!("{:.1}{slow}", seconds.as_secs_f64()))
    });
    line("FAULT", "EXPECTED", "FOUND", "SECONDS") + &rows.collect::<String>()
}
