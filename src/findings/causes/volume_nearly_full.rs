use k8s_openapi::api::core::v1::PersistentVolume;

use super::volume_full;
use crate::exchange::names;
use crate::exchange::settings::quantity;
use crate::findings::{Cause, Finding, Need, Weight};

/// Less than this is little for any database: four files of PostgreSQL's log.
const LITTLE: u64 = 4 * volume_full::SEGMENT;

/// The volume has little room left.
pub static CAUSE: Cause = Cause {
    id: "KC019",
    slug: "volume-nearly-full",
    title: "The volume of the database is nearly full",
    text: include_str!("volume_nearly_full.md"),
    explains: &[],
    needs: &[Need::Database],
    mend: None,
    judge: |observed| {
        let free = observed.details.database.present().and_then(|database| database.free);
        let size = observed.snapshot.volumes().next().and_then(size);
        let little = LITTLE.max(size.unwrap_or_default() / 10);
        let Some(free) = free.filter(|free| (volume_full::SEGMENT..little).contains(free)) else { return vec![] };
        let finding = Finding::of_database(
            &CAUSE,
            format!("has {} MiB of free space left on its volume: when it is full, PostgreSQL stops", free >> 20),
            observed
                .by_hand
                .kubectl(["exec", names::POSTGRES_POD, "--", "df", "-h", names::DATA_PATH])
                .to("see the free space")
                .and("make room, before it is full"),
        );
        vec![Finding { weight: Weight::Warning, ..finding }]
    },
};

/// How large the volume is, in bytes. A directory is as large as the disk of its node, whatever the volume says.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size is neither negative nor so large")]
fn size(volume: &PersistentVolume) -> Option<u64> {
    let spec = volume.spec.as_ref().filter(|spec| spec.host_path.is_none() && spec.local.is_none())?;
    quantity(&spec.capacity.as_ref()?.get("storage")?.0).map(|bytes| bytes as u64)
}
