//! Lanes: each has an exchange of its own, and takes one fault after the other.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::SOON;
use super::doctor::Report;
use super::fault::{Fault, Harm, Mend};
use super::hint;
use super::place::Place;
use crate::support::deployed::deployed;
use crate::support::plugin::run as plugin;
use crate::support::scene::{Scene, testbed};
use crate::support::wait::until;

/// They wait more than they work.
const LANES: usize = 4;

/// How soon after a fault has taken effect `doctor` is to name it. The table marks what takes longer.
pub const AIM: Duration = Duration::from_secs(10);

/// How soon it must, however busy the machine is.
const LIMIT: Duration = Duration::from_secs(30);

/// What became of a fault.
pub struct Row {
    pub fault: &'static Fault,
    /// Whether all was as it should be. If not, why.
    pub found: Result<(), String>,
    /// How long it took from the effect to the name.
    pub seconds: Duration,
}

/// Makes them all, and gives what became of them in their order.
pub fn run(faults: &[&'static Fault]) -> Vec<Row> {
    let waiting = Mutex::new(faults.iter().copied().enumerate().collect::<VecDeque<_>>());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let mut rows: Vec<(usize, Row)> = thread::scope(|scope| {
        let lanes: Vec<_> =
            (1..=LANES.min(faults.len())).map(|number| scope.spawn(move || lane(number, next))).collect();
        lanes.into_iter().flat_map(|lane| lane.join().expect("a lane ends")).collect()
    });
    rows.sort_by_key(|(at, _)| *at);
    rows.into_iter().map(|(_, row)| row).collect()
}

/// A lane goes on with another exchange after a fault that was not mended.
fn lane(number: usize, next: impl Fn() -> Option<(usize, &'static Fault)>) -> Vec<(usize, Row)> {
    let open = |exchange| deployed(&format!("kc-faults-{number}-{exchange}"));
    let (mut scene, mut rows) = (open(0), Vec::new());
    while let Some((at, fault)) = next() {
        let row = tried(fault, Place { namespace: scene.namespace() });
        println!("lane {number}: {}: {:?}, {:.1} s", fault.what, row.found, row.seconds.as_secs_f64());
        if row.found.is_err() {
            scene.show();
            // All of them together would be more than the node has room for.
            close(&scene);
            scene = open(rows.len() + 1);
        }
        rows.push((at, row));
    }
    close(&scene);
    rows
}

/// What a fault has left behind may keep it from ending: the rows say so.
fn close(scene: &Scene) {
    let directory = Place { namespace: scene.namespace() }.directory();
    // What a fault has mounted there would stay when the directory is deleted.
    testbed(&["node-exec", "1", "--", "sh", "-c", &format!("umount -l {directory} 2>/dev/null || true")]);
    plugin(scene.namespace(), "teardown --delete-data --yes --timeout 1m");
}

fn tried(fault: &'static Fault, place: Place) -> Row {
    let mut seconds = Duration::ZERO;
    let tried = catch_unwind(AssertUnwindSafe(|| made_and_mended(fault, place, &mut seconds)));
    Row { fault, found: tried.map_err(|panic| words(panic.as_ref())), seconds }
}

fn words(panic: &dyn Any) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it panicked").to_owned()
}

fn made_and_mended(fault: &Fault, place: Place, seconds: &mut Duration) {
    place.opens_wallet();
    (fault.make)(place);
    until("it takes effect", SOON, || (fault.holds)(place));
    let begin = Instant::now();
    let report = named(fault, place, begin);
    *seconds = begin.elapsed();
    let status = plugin(place.namespace, "status");
    assert_eq!(status.code, fault.expects.code_of_status(), "by `status`: {}", status.stdout);
    let of_names = fault.expects.code_of_names().map(|code| unresolved(code, place));
    until("the harm", Duration::from_mins(1), || match (fault.harm, place.buys()) {
        (Harm::Now, Ok(())) => Err("coins are bought".to_owned()),
        (Harm::Later, Err(why)) => Err(why),
        _ => Ok(()),
    });
    if let Mend::ByHintAfter(_, before) = fault.mend {
        before(place);
    }
    let found = of_names.iter().chain([&report]).flat_map(|report| &report.findings);
    let of_fault = found.filter(|it| fault.expects.codes().any(|code| it.code == code));
    for command in of_fault.flat_map(|it| hint::commands(&it.hint)) {
        hint::follow(&command);
    }
    if let Mend::By(_, mend) = fault.mend {
        mend(place);
    }
    until("it is mended", SOON, || match Report::of(place) {
        report if report.is_quiet() && !report.codes().contains(&fault.expects.code()) => Ok(()),
        report => Err(report.line()),
    });
}

/// What `dns-check` finds, once the DNS server knows of the fault.
fn unresolved(code: &str, place: Place) -> Report {
    until("dns-check says why", SOON, || match Report::of_names(place) {
        report if report.causes() == [code] => Ok(report),
        report => Err(report.line()),
    })
}

/// Asks `doctor` until it names the fault, and no longer than it may take.
fn named(fault: &Fault, place: Place, begin: Instant) -> Report {
    loop {
        let in_time = begin.elapsed() < LIMIT;
        let report = Report::of(place);
        if fault.expects.is(&report) {
            return report;
        }
        assert!(in_time, "doctor finds {}", report.line());
    }
}
