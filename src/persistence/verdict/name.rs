//! What is checked. Reports have each check by its name, so a name never changes.

use std::fmt::{self, Display, Formatter};

/// The checks, each with the name that reports have.
macro_rules! names {
    ($($name:ident: $words:literal),* $(,)?) => {
        /// What a check is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each says it in its words")]
        pub enum CheckName {
            $($name,)*
        }

        impl CheckName {
            /// All that there are.
            #[cfg(test)]
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// It in words, as reports have it.
            #[must_use]
            pub fn words(self) -> &'static str {
                match self {
                    $(Self::$name => $words,)*
                }
            }
        }
    };
}

names! {
    CameBack: "came back",
    SameName: "same name",
    NewPod: "new pod",
    SamePod: "same pod",
    SameOwner: "same owner",
    SameClaim: "same claim",
    SameVolume: "same volume",
    AddressByName: "same address by name",
    OneServer: "one server at a time",
    NewServer: "new server",
    SameDatabase: "same database",
    SameDirectory: "same directory",
    YourRows: "your rows",
    MarkedRows: "marked rows",
    RowsUnderLoad: "rows under load",
    GapUnderLoad: "gap under load",
    Start: "start",
    LogGoesOn: "log goes on",
    TookOver: "new primary",
    Follows: "member follows",
    Settings: "settings",
    SameData: "same data",
    EveryPod: "every pod",
    Contrast: "contrast",
    WithClaim: "Deployment + claim",
    HeadlessName: "headless name",
    ClusterIpName: "ClusterIP name",
    CreatedInOrder: "created in order",
    DeletedInOrder: "deleted in order",
    DeletedTogether: "deleted together",
    SecondPod: "second pod",
    FirstServer: "first server",
    TwoClaims: "a claim for each",
    TwoServers: "two servers",
    RowsLost: "rows lost",
    FaultGone: "fault gone",
    NothingElse: "nothing else changed",
    SameSet: "same set",
    PageAnswers: "page answers",
    DoctorSilent: "doctor silent",
}

impl Display for CheckName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_checks_have_one_name() {
        let words: BTreeSet<&str> = CheckName::ALL.iter().map(|name| name.words()).collect();
        assert_eq!(words.len(), CheckName::ALL.len());
        assert_eq!(format!("{:<12}|", CheckName::NewPod), "new pod     |");
    }
}
