//! Whether a fault is corrected: each field as it was before, by the same set with the same claim, and it works. Pure: what was
//! read, and what it comes to.

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::find;
use super::part::{ALL, Part};
use super::path::{Difference, Path, Step};
use super::record::{Change, Live, Record, Standing};
use crate::findings::{Finding, Weight};
use crate::observe::path;
use crate::observe::saved::{REMOVED, may_be_secret, redact};
use crate::observe::{Reading, Reason};
use crate::persistence::verdict::{Check, CheckName, Holds};
use crate::text::{brief, hex};

/// What was read, beside what is kept.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    pub record: &'a Record,
    pub live: &'a Live,
    /// What came of a request by the page's own way.
    pub path: &'a Reading<path::Path>,
    /// What `doctor` finds, causes without their consequences.
    pub found: &'a [Finding],
    pub namespace: &'a str,
}

/// The checks of fields and objects: these do not become right by waiting.
const OF_OBJECTS: [CheckName; 4] =
    [CheckName::FaultGone, CheckName::NothingElse, CheckName::SameSet, CheckName::SameClaim];

impl Seen<'_> {
    /// Each thing that it takes.
    #[must_use]
    pub fn checks(&self) -> Vec<Check> {
        let standing = self.record.standing(self.live);
        vec![
            self.fault_gone(&standing),
            self.nothing_else(&standing),
            self.same_set(),
            self.same_claim(),
            self.page_answers(),
            self.doctor_silent(&standing),
        ]
    }

    /// Whether it may come right by waiting: what was changed takes a moment to be seen, and pods take their time.
    #[must_use]
    pub fn is_pending(&self, checks: &[Check], is_soon: bool) -> bool {
        let is_corrected = checks.iter().filter(|check| OF_OBJECTS.contains(&check.name)).all(holds);
        let any = |is: fn(Weight) -> bool| self.found.iter().any(|finding| is(finding.weight));
        let takes_time = any(|weight| matches!(weight, Weight::NotYet | Weight::Ongoing));
        is_corrected && !checks.iter().all(holds) && (is_soon || (takes_time && !any(|it| it == Weight::Problem)))
    }

    /// Objects that were there before, and may not be read now.
    fn unread(&self) -> Option<String> {
        let is_read = |part: &Part| self.live.iter().any(|(read, _)| read == part);
        let unread = ALL.into_iter().filter(|part| self.record.before.contains_key(part.key()) && !is_read(part));
        let names: Vec<String> = unread.map(|part| part.reference(self.namespace)).collect();
        (!names.is_empty()).then(|| format!("{} could not be read", names.join(", ")))
    }

    fn fault_gone(&self, standing: &Standing) -> Check {
        let check = |holds, evidence| Check::new(CheckName::FaultGone, holds, evidence);
        if standing.has_fault() {
            // Not which: that is the question.
            return check(Holds::No, "the wrong field still has its wrong value".to_owned());
        }
        if !standing.tried.is_empty() {
            return check(Holds::No, self.words(&standing.tried));
        }
        match (self.unread(), standing.gone.as_slice()) {
            (Some(why), _) => check(Holds::Unknown, why),
            (None, []) => check(Holds::Yes, "every field that the exercise changed is as it was before".to_owned()),
            (None, _) => check(Holds::Unknown, "not every object from before is there".to_owned()),
        }
    }

    fn nothing_else(&self, standing: &Standing) -> Check {
        let check = |holds, evidence| Check::new(CheckName::NothingElse, holds, evidence);
        let gone: Vec<String> = standing.gone.iter().map(|part| self.gone(*part)).collect();
        match (standing.foreign.as_slice(), self.unread()) {
            ([], None) if gone.is_empty() => check(Holds::Yes, "all other fields are as they were before".to_owned()),
            ([], Some(why)) if gone.is_empty() => check(Holds::Unknown, why),
            ([], _) => check(Holds::No, gone.join("; ")),
            (foreign, _) => {
                check(Holds::No, gone.into_iter().chain([self.words(foreign)]).collect::<Vec<_>>().join("; "))
            }
        }
    }

    /// Whether an object was deleted, or is another one of the same name.
    fn gone(&self, part: Part) -> String {
        let reference = part.reference(self.namespace);
        match self.object(part) {
            Some(_) => format!("{reference} was deleted and created again"),
            None => format!("{reference} was deleted"),
        }
    }

    fn words(&self, changes: &[Change]) -> String {
        changes.iter().map(|change| words(change, self.namespace)).collect::<Vec<_>>().join("; ")
    }

    fn object(&self, part: Part) -> Option<&Value> {
        self.live.iter().find(|(read, _)| *read == part)?.1.as_ref()
    }

    fn same_set(&self) -> Check {
        let before = self.record.before.get(Part::Set.key()).map(|kept| kept.uid.as_str());
        self.same(CheckName::SameSet, Part::Set, before.unwrap_or_default())
    }

    fn same_claim(&self) -> Check {
        self.same(CheckName::SameClaim, Part::Claim, &self.record.claim)
    }

    fn same(&self, name: CheckName, part: Part, uid: &str) -> Check {
        let reference = part.reference(self.namespace);
        let read = self.live.iter().find(|(read, _)| *read == part).map(|(_, object)| object);
        let check = |holds, says: &str| Check::new(name, holds, format!("{reference} {says}"));
        match read {
            None => check(Holds::Unknown, "could not be read"),
            Some(None) => check(Holds::No, "was deleted"),
            Some(Some(_)) if uid.is_empty() => check(Holds::Unknown, "was not there before"),
            Some(Some(object)) if object["metadata"]["uid"] == uid => {
                check(Holds::Yes, &format!("still has the uid {uid}"))
            }
            Some(Some(_)) => check(Holds::No, "was deleted and created again: it has another uid"),
        }
    }

    fn page_answers(&self) -> Check {
        let (holds, evidence) = match self.path {
            Reading::Present(path::Path::Answered(_)) => (Holds::Yes, "page, backend and database answer"),
            Reading::Present(path::Path::NoDatabase { .. }) => {
                (Holds::No, "the backend gets no connection to the database")
            }
            Reading::Present(path::Path::NoBackend) => (Holds::No, "the page answers, but no backend behind it"),
            Reading::Present(path::Path::NoPage(_)) => (Holds::No, "the page does not answer"),
            Reading::Present(path::Path::Other(_)) => (Holds::No, "something else answers"),
            Reading::Absent | Reading::NotAsked => (Holds::Unknown, "nobody could send it a request"),
            Reading::Unknown(Reason::Forbidden(why) | Reason::Failed(why)) => {
                return Check::new(CheckName::PageAnswers, Holds::Unknown, brief(why));
            }
        };
        Check::new(CheckName::PageAnswers, holds, evidence)
    }

    /// Whether a finding tells what the user is still to say.
    fn tells(&self, finding: &Finding) -> bool {
        let is_of_it = find(self.record.number).is_some_and(|exercise| exercise.code == finding.cause.slug);
        is_of_it && !self.record.answered
    }

    /// What does harm counts always; what only may, if it is new. What could not be read is no finding.
    fn doctor_silent(&self, standing: &Standing) -> Check {
        let check = |holds, evidence| Check::new(CheckName::DoctorSilent, holds, evidence);
        let is_new = |finding: &&Finding| !self.record.known.iter().any(|code| code == finding.cause.slug);
        let is_harm = |finding: &&Finding| match finding.weight {
            Weight::Problem | Weight::NotYet => true,
            Weight::Warning | Weight::Ongoing => is_new(finding),
            Weight::Unknown | Weight::Info => false,
        };
        match self.found.iter().find(is_harm) {
            None => check(Holds::Yes, "it finds nothing that it did not find before".to_owned()),
            // The cause is what is asked for.
            Some(finding) if standing.has_fault() || self.tells(finding) => {
                check(Holds::No, "it still finds something".to_owned())
            }
            Some(finding) => {
                let Finding { cause, object, says, .. } = finding;
                check(Holds::No, format!("{}: {object} {}", cause.id, brief(says)))
            }
        }
    }
}

fn holds(check: &Check) -> bool {
    check.holds == Holds::Yes
}

/// What has become of a field: `service/x: spec.y is b, and was a`. No secret is told.
#[must_use]
pub fn words(Change { part, difference }: &Change, namespace: &str) -> String {
    let Difference { path, before, now } = difference;
    let of = |value: &Option<Value>| value.as_ref().map(|value| without_secrets(path, value));
    let difference = Difference { path: path.clone(), before: of(before), now: of(now) };
    format!("{}: {}", part.reference(namespace), difference.words())
}

/// The value of a field without secrets.
#[must_use]
pub fn without_secrets(path: &Path, value: &Value) -> Value {
    if hides_value(path) {
        return REMOVED.into();
    }
    let mut value = value.clone();
    redact(&mut value);
    value
}

/// Whether a field is the value of an environment variable that may be a secret.
fn hides_value(path: &Path) -> bool {
    matches!(path.0.as_slice(), [.., Step::Field(env), Step::Item(name), Step::Field(value)]
        if env == "env" && value == "value" && may_be_secret(name))
}

/// The SHA-256 of checks with what shows them, in hexadecimal digits.
///
/// # Errors
/// If they have no form in JSON, which is a mistake of this program.
pub fn digest_of(checks: &[Check]) -> anyhow::Result<String> {
    let of = |check: &Check| json!({ "check": check.name.words(), "holds": check.holds, "evidence": check.evidence });
    let all: Vec<Value> = checks.iter().map(of).collect();
    Ok(hex(digest(&SHA256, &serde_json::to_vec_pretty(&all)?).as_ref()))
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use jiff::Timestamp;

    use super::*;
    use crate::exchange::names;
    use crate::exchange::objects::Objects;
    use crate::exchange::settings::{Settings, Storage};
    use crate::findings;
    use crate::lesson::exercise::answer;
    use crate::lesson::exercise::fault::Fault;
    use crate::text::Hint;

    const FIELD: &str = "spec.selector.app";

    /// The objects as the manifests have them, each with a uid, and the pod as the set makes it.
    fn objects() -> Live {
        let settings = Settings::of("default", Storage::Static { host_path: None, hostname: None });
        let all = Objects::new(&settings).unwrap().in_order().unwrap();
        let with_uid = |part: Part, mut object: Value| {
            object["metadata"]["uid"] = format!("uid-of-{}", part.key()).into();
            (part, Some(object))
        };
        ALL.into_iter()
            .map(|part| {
                let body = all
                    .iter()
                    .find(|object| object.resource.kind == part.resource().kind && object.name == part.name("default"));
                with_uid(
                    part,
                    body.map_or_else(
                        || json!({ "metadata": { "labels": { "app": "postgres" } } }),
                        |it| it.body.clone(),
                    ),
                )
            })
            .collect()
    }

    fn record() -> Record {
        let fault = Fault::of_field(Part::BackendService, FIELD, "web").or_named("spec.selector");
        Record::new(2, &fault, &objects(), vec!["known".to_owned()], "salt".to_owned(), Timestamp::UNIX_EPOCH)
    }

    /// The objects with a field of one of them set.
    fn with(part: Part, path: &str, value: Option<Value>) -> Live {
        let mut live = objects();
        let object = live.iter_mut().find(|(it, _)| *it == part).and_then(|(_, object)| object.as_mut()).unwrap();
        assert!(Path::of(path).set(object, value), "{path}");
        live
    }

    fn answered() -> Reading<path::Path> {
        Reading::Present(path::Path::Answered(path::Connection {
            backend: "backend-1".to_owned(),
            database: path::Served {
                host: names::POSTGRES_SERVICE.to_owned(),
                started_at: Timestamp::UNIX_EPOCH,
                role: names::DATABASE_USER.to_owned(),
                read_only: false,
                in_recovery: false,
                wallets_table: true,
                missing_privileges: Vec::new(),
            },
        }))
    }

    fn finding(weight: Weight, slug: &str) -> Finding {
        let cause = findings::every().find(|cause| cause.slug == slug).unwrap();
        Finding {
            cause,
            weight,
            app: names::BACKEND,
            object: "deployment/backend".to_owned(),
            says: "is wrong".to_owned(),
            hint: Hint::from("look"),
        }
    }

    /// The checks that are not yes, each with its evidence.
    fn against(live: &Live, path: &Reading<path::Path>, found: &[Finding]) -> Vec<(CheckName, Holds, String)> {
        let record = record();
        let seen = Seen { record: &record, live, path, found, namespace: "default" };
        let checks = seen.checks();
        assert_eq!(checks.len(), 6);
        checks.into_iter().filter(|check| !holds(check)).map(|it| (it.name, it.holds, it.evidence)).collect()
    }

    #[test]
    fn all_holds_where_everything_is_as_before_and_works() {
        assert_eq!(against(&objects(), &answered(), &[]), []);
        let unknown = finding(Weight::Unknown, "not-ready");
        assert_eq!(against(&objects(), &answered(), &[unknown, finding(Weight::Info, "not-ready")]), []);
        let restarted = with(Part::Backend, "spec.template.metadata.annotations.restartedAt", Some("now".into()));
        assert_eq!(against(&restarted, &answered(), &[]), []);
    }

    #[test]
    fn the_fault_is_not_told_while_it_is_there() {
        let live = with(Part::BackendService, FIELD, Some("web".into()));
        let found = [finding(Weight::Problem, "selector-matches-nothing")];
        let against = against(&live, &Reading::Present(path::Path::NoBackend), &found);
        let names: Vec<CheckName> = against.iter().map(|(name, ..)| *name).collect();
        assert_eq!(names, [CheckName::FaultGone, CheckName::PageAnswers, CheckName::DoctorSilent]);
        for (name, holds, evidence) in against {
            assert_eq!(holds, Holds::No);
            assert!(!evidence.contains("selector") && !evidence.contains("service"), "{name}: {evidence}");
        }
    }

    #[test]
    fn a_volume_that_waits_for_a_claim_that_is_gone_is_a_fault() {
        let reserved = |uid: &str| with(Part::Volume, "spec.claimRef.uid", Some(uid.into()));
        let expected = "the wrong field still has its wrong value".to_owned();
        assert_eq!(against(&reserved("gone"), &answered(), &[]), [(CheckName::FaultGone, Holds::No, expected)]);
        assert_eq!(against(&reserved(&format!("uid-of-{}", Part::Claim.key())), &answered(), &[]), []);
    }

    #[test]
    fn another_value_and_none_are_no_correction_though_it_may_work() {
        for (value, words) in [
            (Some("api".into()), "service/backend-service: spec.selector.app is api, and was backend"),
            (None, "service/backend-service: spec.selector.app is missing, and was backend"),
        ] {
            let live = with(Part::BackendService, FIELD, value);
            let expected = (CheckName::FaultGone, Holds::No, words.to_owned());
            assert_eq!(against(&live, &answered(), &[]), [expected]);
        }
        // The last field takes what is around it along.
        let live = with(Part::BackendService, "spec.selector", None);
        let (name, holds, evidence) = against(&live, &answered(), &[]).remove(0);
        assert_eq!((name, holds), (CheckName::FaultGone, Holds::No));
        assert!(evidence.contains("spec.selector is missing"), "{evidence}");
    }

    #[test]
    fn what_else_was_changed_is_told_without_secrets() {
        let live = with(Part::Backend, "spec.replicas", Some(2.into()));
        let expected = "deployment/backend: spec.replicas is 2, and was 1".to_owned();
        assert_eq!(against(&live, &answered(), &[]), [(CheckName::NothingElse, Holds::No, expected)]);
        let path = "spec.template.spec.containers[backend].env[DB_PASSWORD].value";
        let live = with(Part::Backend, path, Some("hush".into()));
        let (name, _, evidence) = against(&live, &answered(), &[]).remove(0);
        assert!(name == CheckName::NothingElse && evidence.contains("is <removed>, and"), "{evidence}");
        // The pod without its label is another matter than the Service: another object was corrected.
        let mut live = with(Part::Pod, "metadata.labels.app", Some("web".into()));
        live.retain(|(part, _)| *part != Part::BackendService);
        live.push(with(Part::BackendService, FIELD, Some("web".into())).swap_remove(4));
        let names: Vec<CheckName> = against(&live, &answered(), &[]).into_iter().map(|(name, ..)| name).collect();
        assert_eq!(names, [CheckName::FaultGone, CheckName::NothingElse]);
    }

    #[test]
    fn objects_that_were_created_again_are_others() {
        for (part, names) in [
            (Part::Set, vec![CheckName::FaultGone, CheckName::NothingElse, CheckName::SameSet]),
            (Part::Claim, vec![CheckName::SameClaim]),
            (Part::BackendService, vec![CheckName::FaultGone, CheckName::NothingElse]),
            (Part::Pod, vec![]),
        ] {
            let live = with(part, "metadata.uid", Some("another".into()));
            let against = against(&live, &answered(), &[]);
            assert_eq!(against.iter().map(|(name, ..)| *name).collect::<Vec<_>>(), names, "{part:?}");
            assert!(against.iter().skip(1).all(|(.., evidence)| evidence.contains("created again")), "{against:?}");
        }
        let mut live = objects();
        live.iter_mut().filter(|(part, _)| *part == Part::Set).for_each(|(_, object)| *object = None);
        assert!(against(&live, &answered(), &[]).contains(&(
            CheckName::SameSet,
            Holds::No,
            "statefulset/postgres was deleted".to_owned()
        )));
    }

    #[test]
    fn unknown_is_never_yes() {
        let mut live = objects();
        live.retain(|(part, _)| *part != Part::Claim);
        let against = against(&live, &Reading::Unknown(Reason::Failed("no way".to_owned())), &[]);
        let names: Vec<CheckName> = against.iter().map(|(name, ..)| *name).collect();
        let unknown = [CheckName::FaultGone, CheckName::NothingElse, CheckName::SameClaim, CheckName::PageAnswers];
        assert_eq!(names, unknown);
        assert!(against.iter().all(|(_, holds, _)| *holds == Holds::Unknown), "{against:?}");
    }

    #[test]
    fn what_takes_its_time_is_waited_for_and_what_is_wrong_is_not() {
        let (record, path) = (record(), answered());
        let pending = |live: &Live, found: &[Finding], is_soon| {
            let seen = Seen { record: &record, live, path: &path, found, namespace: "default" };
            seen.is_pending(&seen.checks(), is_soon)
        };
        let (not_yet, problem) = (finding(Weight::NotYet, "not-ready"), finding(Weight::Problem, "not-ready"));
        let wrong = with(Part::BackendService, FIELD, Some("web".into()));
        assert!(!pending(&objects(), &[], true), "all holds");
        assert!(pending(&objects(), from_ref(&not_yet), false));
        assert!(pending(&objects(), from_ref(&problem), true) && !pending(&objects(), from_ref(&problem), false));
        assert!(!pending(&objects(), &[not_yet.clone(), problem], false));
        assert!(!pending(&wrong, &[not_yet], true));
    }

    #[test]
    fn what_doctor_found_before_does_not_count_unless_it_does_harm() {
        let mut record = record();
        record.known = vec!["changed-by-hand".to_owned()];
        let (live, path) = (objects(), answered());
        let silent = |weight, slug| {
            let found = [finding(weight, slug)];
            let seen = Seen { record: &record, live: &live, path: &path, found: &found, namespace: "default" };
            seen.checks().iter().all(holds)
        };
        assert!(silent(Weight::Warning, "changed-by-hand") && !silent(Weight::Problem, "changed-by-hand"));
        assert!(!silent(Weight::Warning, "not-ready") && !silent(Weight::NotYet, "not-ready"));
    }

    #[test]
    fn the_field_is_known_once_it_was_named() {
        let fault = (crate::lesson::exercise::find(2).unwrap().faults)().swap_remove(0);
        let mut record = Record::new(2, &fault, &objects(), Vec::new(), "salt".to_owned(), Timestamp::UNIX_EPOCH);
        assert_eq!(answer::given(&record), None);
        record.answered = true;
        assert_eq!(answer::given(&record), Some((fault.part, fault.fields[0].clone())));
        assert_ne!(digest_of(&[]).unwrap(), digest_of(&[Check::new(CheckName::SameSet, Holds::Yes, "")]).unwrap());
    }
}
