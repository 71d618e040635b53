//! What mends a finding and loses no data: an act, which is shown before it is done.

use crate::kubernetes::act::{Act, DeletePod, Exec, Patch, StrategicPatch};
use crate::kubernetes::exec::Ended;
use crate::kubernetes::{Cluster, Place, RequestError};

/// What mends a finding.
#[derive(Clone, Debug)]
pub enum Mend {
    Patch(Patch),
    StrategicPatch(StrategicPatch),
    /// Its set creates it again.
    DeletePod(DeletePod),
    Exec(Exec),
}

impl Act for Mend {
    /// How the program ended, where one was run.
    type Done = Option<Ended>;

    fn kubectl(&self, place: &Place) -> String {
        match self {
            Self::Patch(act) => act.kubectl(place),
            Self::StrategicPatch(act) => act.kubectl(place),
            Self::DeletePod(act) => act.kubectl(place),
            Self::Exec(act) => act.kubectl(place),
        }
    }

    async fn execute(&self, cluster: &Cluster) -> Result<Option<Ended>, RequestError> {
        match self {
            Self::Patch(act) => act.execute(cluster).await.map(|_| None),
            Self::StrategicPatch(act) => act.execute(cluster).await.map(|_| None),
            Self::DeletePod(act) => act.execute(cluster).await.map(|()| None),
            Self::Exec(act) => act.execute(cluster).await.map(Some),
        }
    }
}
