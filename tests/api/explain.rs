//! `explain` with the objects of a server, and where these cannot be had.

use serde_json::Value;

use crate::plugin::{Ended, Home};
use crate::server::{Reply, Request, Server};
use crate::world::{NAMESPACED, World, refusal};

const VOLUME: &str = "/api/v1/persistentvolumes/postgres-pv-alice";
const CLASSES: &str = "/apis/storage.k8s.io/v1/storageclasses";

fn serve(world: World, is_refused: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Server {
    Server::start(
        move |request| {
            if is_refused(request) { refusal(403, "Forbidden", "not yours") } else { world.reply(request) }
        },
    )
}

fn explain(server: &Server, words: &str) -> Ended {
    let ended = Home::at(server).run(&format!("explain {words}"));
    assert_eq!(ended.code, 0, "{ended:?}");
    ended
}

#[test]
fn a_topic_is_shown_with_the_objects_that_are_there_and_nothing_is_changed() {
    let server = serve(World::healthy(), |_| false);
    let ended = explain(&server, "headless");
    assert!(ended.stdout.contains("\nIn this cluster, namespace alice\n"), "{ended:?}");
    assert!(ended.stdout.contains("\n- service/backend-service is not headless: its name gives one"), "{ended:?}");
    assert!(ended.stdout.contains("spec.clusterIP = 10.0.0.2"), "{ended:?}");
    let offer = "question 3 of the lesson is about this, and is not answered yet; predict first: \
                 kubectl kubecoin lesson 3\n";
    assert_eq!(ended.stderr, offer, "{ended:?}");
    for request in server.requests() {
        assert_eq!(request.method, "GET", "{request:?}");
    }
}

#[test]
fn a_service_that_got_an_address_is_shown_as_it_is() {
    let mut world = World::healthy();
    world.at(&format!("{NAMESPACED}/services/postgres-headless"))["spec"]["clusterIP"] = "10.0.0.9".into();
    let ended = explain(&serve(world, |_| false), "headless -o json");
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((&json["kind"], &json["recorded"]), (&"Topic".into(), &false.into()), "{json:#}");
    assert_eq!(json["shows"][0]["table"]["rows"][0][2], "10.0.0.9", "{json:#}");
}

#[test]
fn what_a_student_may_not_read_is_not_known() {
    let server = serve(World::healthy(), |request| [VOLUME, CLASSES].contains(&request.path.as_str()));
    let ended = explain(&server, "pv-pvc");
    assert!(ended.stdout.contains("- pv/postgres-pv-alice is not known: you may not read it\n"), "{ended:?}");
    assert!(ended.stdout.contains("- pvc/postgres-pvc is bound to the volume postgres-pv-alice"), "{ended:?}");
    let ended = explain(&server, "storage-class");
    assert!(ended.stdout.contains("- the list of StorageClasses is not known: you may not read it\n"), "{ended:?}");
}

#[test]
fn the_recorded_example_takes_the_place_of_what_is_not_there() {
    let mut nothing = World::healthy();
    nothing.objects.retain(|path, _| !path.contains("/apps/"));
    let silent = Server::start(|_| Reply::Json(503, Value::Null));
    for (server, why) in [
        (serve(nothing, |_| false), "there is no exchange in namespace alice on "),
        (serve(World::healthy(), |_| true), "you may not read the exchange in namespace alice on "),
        (silent, "no cluster could be read ("),
    ] {
        let ended = explain(&server, "rollout");
        let [note] = ended.stderr.lines().collect::<Vec<_>>()[..] else { panic!("one note: {ended:?}") };
        assert!(note.starts_with(why) && note.contains(": this is a recorded example"), "{ended:?}");
        assert!(ended.stdout.contains("\nIn the recorded example, namespace alice\n"), "{ended:?}");
    }
}
