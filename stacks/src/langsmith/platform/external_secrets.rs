//! The External Secrets Operator, which writes what is in Secrets Manager into the cluster, and follows its changes.
//! <https://external-secrets.io/latest/provider/aws-secrets-manager/>

use lsinfra_engine::Resource;
use lsinfra_resources::kubernetes::WaitFor;
use lsinfra_resources::kubernetes::meta::ManifestOutputs;
use serde_json::json;

use super::super::StackError;
use super::super::json::Json;
use super::super::names::EXTERNAL_SECRETS;
use super::namespaces::Namespaces;
use super::{Controller, Controllers, ROLE_ANNOTATION, chart, object, service_account};

/// <https://github.com/external-secrets/external-secrets/tree/main/deploy/charts/external-secrets>
const REPOSITORY: &str = "https://charts.external-secrets.io";

/// The API of its objects. <https://external-secrets.io/latest/api/spec/>
pub(super) const API_VERSION: &str = "external-secrets.io/v1";

/// The store that all external secrets are read from.
pub(super) const STORE: &str = "aws-secrets-manager";

/// Declares the operator and the store, if secrets are delivered by them.
pub(super) fn declare(
    controllers: &Controllers<'_>,
    namespaces: &Namespaces,
) -> Result<Option<Resource<ManifestOutputs>>, StackError> {
    let Some(namespace) = &namespaces.external_secrets else { return Ok(None) };
    let (environment, foundation) = (controllers.environment, controllers.foundation);
    let fixed = json!({
        "replicaCount": controllers.replicas(),
        "leaderElect": controllers.replicas() > 1,
        "serviceAccount": service_account(EXTERNAL_SECRETS),
        "webhook": {"replicaCount": controllers.replicas()},
        "podDisruptionBudget": {"enabled": controllers.replicas() > 1, "minAvailable": 1},
    });
    let annotation = ["serviceAccount", "annotations", ROLE_ANNOTATION];
    let release = controllers.add(Controller {
        release: EXTERNAL_SECRETS,
        namespace: namespace.name.clone(),
        chart: chart(REPOSITORY, "external-secrets", &environment.config.charts.external_secrets),
        values: Json::new(fixed).with(&annotation, &foundation.roles.external_secrets),
    })?;
    let store = json!({
        "spec": {
            "provider": {
                "aws": {
                    "service": "SecretsManager",
                    "region": environment.config.region.as_str(),
                    "auth": {"jwt": {"serviceAccountRef": {"name": EXTERNAL_SECRETS}}},
                },
            },
        },
    });
    let namespace_of_account = ["spec", "provider", "aws", "auth", "jwt", "serviceAccountRef", "namespace"];
    let store = Json::new(store).with(&namespace_of_account, &namespace.name);
    let is_ready = WaitFor::Condition("Ready".to_owned());
    let store = object(API_VERSION, "ClusterSecretStore", STORE, &store, vec![is_ready]);
    Ok(Some(controllers.stack.add(STORE, store)?.depends_on(&release)))
}
