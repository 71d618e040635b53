//! Names that are spelled alike.

/// As many as a list in a hint shows.
const SHOWN: usize = 5;

/// Those of the known names that are spelled most like this one, the nearest first: five at most.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.sort_by_cached_key(|other| (strsim::osa_distance(&name.to_lowercase(), &other.to_lowercase()), *other));
    known.truncate(SHOWN);
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_five_by_spelling_are_shown() {
        let known = ["prod-eu", "prod-us", "staging", "minikube", "kind-a", "kind-b", "MiniKube2"];
        assert_eq!(nearest("minikub", known)[..2], ["minikube", "MiniKube2"]);
        assert_eq!(nearest("stagign", known)[0], "staging");
        assert_eq!(nearest("kind", known).len(), 5);
        assert_eq!(nearest("anything", ["one"]), ["one"]);
        assert_eq!(nearest("anything", []), [""; 0]);
    }
}
