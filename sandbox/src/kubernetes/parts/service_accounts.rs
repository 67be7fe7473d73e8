//! The service accounts of a cluster, for the roles that they take on.
//! <https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html>

use k8s_openapi::api::core::v1::ServiceAccount;
use kube::ResourceExt;
use kube::api::Api;
use kube::runtime::reflector::{ObjectRef, Store};

use super::{Context, PartError};

/// The annotation on service accounts that names their role.
const ROLE_ANNOTATION: &str = "eks.amazonaws.com/role-arn";

/// Those of a cluster.
pub(super) struct ServiceAccounts(Store<ServiceAccount>);

impl ServiceAccounts {
    /// Begins to watch them.
    pub(super) fn watch(context: &Context) -> Self {
        Self(context.watch(Api::all(context.client.clone())))
    }

    /// Waits until they are known.
    pub(super) async fn wait_until_ready(&self) -> Result<(), PartError> {
        self.0.wait_until_ready().await.map_err(|_| PartError::Object("a watch has ended".to_owned()))
    }

    /// Whether there is one.
    pub(super) fn has(&self, namespace: &str, name: &str) -> bool {
        self.0.get(&ObjectRef::new(name).within(namespace)).is_some()
    }

    /// The ARN of the role that one takes on.
    pub(super) fn role_of(&self, namespace: &str, name: &str) -> Option<String> {
        let account = self.0.get(&ObjectRef::new(name).within(namespace))?;
        account.annotations().get(ROLE_ANNOTATION).cloned()
    }
}
