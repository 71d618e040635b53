use crate::findings::{Cause, Finding, Weight, unread};

/// Something may not be read.
pub static CAUSE: Cause = Cause {
    id: "KC003",
    slug: "not-permitted",
    title: "Something could not be read",
    text: include_str!("not_permitted.md"),
    explains: &[],
    needs: &[],
    mend: None,
    judge: |observed| {
        let finding = |object| Finding {
            cause: &CAUSE,
            weight: Weight::Unknown,
            app: "",
            object,
            says: "unknown: you may not read it".to_owned(),
            hint: observed.by_hand.check_permissions(),
        };
        unread::not_permitted(observed).into_iter().map(finding).collect()
    },
};
