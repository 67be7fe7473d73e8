//! The service accounts of a cluster, for the roles that they take on.
//! <https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html>

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::ResourceExt;
use kube::api::Api;
use kube::runtime::reflector::{ObjectRef, Store};

use super::{Account, Context, PartError};
use crate::cloud::principal::Principal;
use crate::protocol::error::ServiceError;

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
        Ok(self.0.wait_until_ready().await?)
    }

    /// Whether there is one.
    pub(super) fn has(&self, namespace: &str, name: &str) -> bool {
        self.0.get(&ObjectRef::new(name).within(namespace)).is_some()
    }

    /// The session of the role that a controller's pods take on; `None` if their service account names none.
    pub(super) fn session_of(
        &self,
        account: &Account,
        controller: &Deployment,
    ) -> Option<Result<Principal, ServiceError>> {
        let namespace = controller.namespace().unwrap_or_default();
        let pod = controller.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
        let name = pod.and_then(|pod| pod.service_account_name.as_deref()).unwrap_or("default");
        let role = self.role_of(&namespace, name)?;
        Some(account.assume_role(&role, &namespace, name))
    }

    /// The ARN of the role that one takes on.
    pub(super) fn role_of(&self, namespace: &str, name: &str) -> Option<String> {
        let account = self.0.get(&ObjectRef::new(name).within(namespace))?;
        account.annotations().get(ROLE_ANNOTATION).cloned()
    }
}
