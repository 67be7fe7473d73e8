//! The account, as a part uses it: through its tables, as somebody, like the services do.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::cloud::Cloud;
use crate::cloud::call::Call;
use crate::cloud::principal::Principal;
use crate::protocol::error::ServiceError;
use crate::services::eks::control_plane::{self, ClusterKey};
use crate::services::sts;

/// The account that has a cluster.
#[derive(Clone)]
pub(crate) struct Account {
    cloud: Arc<Mutex<Cloud>>,
    calls: watch::Sender<u64>,
    cluster: ClusterKey,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Account").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

impl Account {
    /// The account with a cluster in it; `calls` counts what was done in the account.
    pub(crate) fn new(cloud: Arc<Mutex<Cloud>>, calls: watch::Sender<u64>, cluster: ClusterKey) -> Self {
        Self { cloud, calls, cluster }
    }

    /// The cluster.
    pub(crate) fn cluster(&self) -> &ClusterKey {
        &self.cluster
    }

    pub(super) fn calls(&self) -> watch::Receiver<u64> {
        self.calls.subscribe()
    }

    /// Looks at the account, without any rights to ask for. Must change nothing.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&mut Call<'_>) -> T) -> T {
        self.cloud().look(&self.cluster.scope, look)
    }

    /// Changes something in the account as somebody; it is on disk when this returns.
    pub(crate) fn change<T>(
        &self,
        principal: &Principal,
        change: impl FnOnce(&mut Call<'_>) -> T,
    ) -> std::io::Result<T> {
        let done = self.cloud().change(&self.cluster.scope, principal, change);
        self.calls.send_modify(|calls| *calls += 1);
        done
    }

    /// The session of a role that a service account of the cluster takes on.
    ///
    /// # Errors
    /// What `AssumeRoleWithWebIdentity` refuses: there is no such role, or it does not trust the service account.
    pub(crate) fn assume_role(
        &self,
        role_arn: &str,
        namespace: &str,
        service_account: &str,
    ) -> Result<Principal, ServiceError> {
        self.look(|call| {
            let issuer = control_plane::issuer(call.tables, &self.cluster).unwrap_or_default();
            let subject = format!("system:serviceaccount:{namespace}:{service_account}");
            sts::assume_role_with_web_identity(call, role_arn, &issuer, &subject)
        })
    }

    fn cloud(&self) -> MutexGuard<'_, Cloud> {
        self.cloud.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
