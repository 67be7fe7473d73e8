//! How secrets come from Secrets Manager into the cluster: one secret there for each consumer's need.

use std::collections::BTreeMap;

use lsinfra_engine::{Output, Resource, Secret as SecretValue};
use lsinfra_resources::kubernetes::core::Secret;
use lsinfra_resources::kubernetes::meta::{Manifest, ManifestOutputs};
use lsinfra_resources::kubernetes::{ObjectOutputs, WaitFor};
use serde_json::json;

use super::super::StackError;
use super::super::json::Json;
use super::super::names::{
    APP_SECRET, CLICKHOUSE_OPERATOR_SECRET, CLICKHOUSE_SECRET, POSTGRES_SECRET, REDIS_SECRET,
};
use super::super::secrets::Delivered;
use super::external_secrets::{API_VERSION, STORE};
use super::namespaces::Namespaces;
use super::{Controllers, object};

/// How often the operator looks whether a secret has changed.
const REFRESH_INTERVAL: &str = "1h";

/// The annotation that has the operator look at once: another version is there.
/// <https://external-secrets.io/latest/introduction/faq/#can-i-manually-trigger-a-secret-refresh>
const VERSION_ANNOTATION: &str = "force-sync";

/// The secrets in the cluster.
pub(super) struct Secrets {
    /// Those that LangSmith reads.
    pub(super) of_langsmith: Vec<Resource<()>>,
    /// How LangSmith reaches ClickHouse, which ClickHouse reads, too.
    pub(super) clickhouse: Resource<()>,
    pub(super) clickhouse_operator: Option<Resource<()>>,
}

/// Declares them: read by the operator from `store` if there is one, else written.
pub(super) fn declare(
    controllers: &Controllers<'_>,
    namespaces: &Namespaces,
    store: Option<&Resource<ManifestOutputs>>,
) -> Result<Secrets, StackError> {
    let (generated, connections) = (controllers.foundation.generated, controllers.foundation.connections);
    let deliver = |namespace, name, delivered| match store {
        Some(store) => external(controllers, namespace, name, delivered, store),
        None => direct(controllers, namespace, name, delivered),
    };
    let of_langsmith = |name, delivered| deliver(&namespaces.langsmith, name, delivered);
    let clickhouse = of_langsmith(CLICKHOUSE_SECRET, &generated.clickhouse)?;
    let operator = namespaces.clickhouse_operator.as_ref().zip(generated.clickhouse_operator.as_ref());
    let operator = operator
        .map(|(namespace, delivered)| deliver(namespace, CLICKHOUSE_OPERATOR_SECRET, delivered))
        .transpose()?;
    Ok(Secrets {
        of_langsmith: vec![
            of_langsmith(APP_SECRET, &generated.app)?,
            of_langsmith(POSTGRES_SECRET, &connections.postgres)?,
            of_langsmith(REDIS_SECRET, &connections.redis)?,
            clickhouse.clone(),
        ],
        clickhouse,
        clickhouse_operator: operator,
    })
}

/// An ExternalSecret, which names each key: one that is missing is told, and not found missing by a pod.
/// <https://external-secrets.io/latest/api/externalsecret/>
fn external(
    controllers: &Controllers<'_>,
    namespace: &Resource<ObjectOutputs>,
    name: &str,
    delivered: &Delivered,
    store: &Resource<ManifestOutputs>,
) -> Result<Resource<()>, StackError> {
    let body = json!({
        "spec": {
            "refreshInterval": REFRESH_INTERVAL,
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": STORE},
            "target": {"name": name, "creationPolicy": "Owner", "deletionPolicy": "Retain"},
        },
    });
    let keys = delivered.keys.clone();
    let data = delivered.secret.name.map(move |secret: String| {
        let entry = |key: &String| json!({"secretKey": key, "remoteRef": {"key": secret, "property": key}});
        lsinfra_engine::Value::from_plain_json(keys.iter().map(entry).collect())
    });
    let body = Json::new(body)
        .with(&["metadata", "annotations", VERSION_ANNOTATION], &delivered.secret.version_id)
        .with(&["spec", "data"], &data);
    // A change of the annotation alone is no other generation: that it is ready may be of the version before.
    let is_ready = WaitFor::Condition("Ready".to_owned());
    let is_fresh = WaitFor::Since { path: "status.refreshTime".to_owned() };
    let object = Manifest {
        namespace: namespace.name.clone().into(),
        ..object(API_VERSION, "ExternalSecret", name, &body, vec![is_ready, is_fresh])
    };
    Ok(controllers.stack.add(name, object)?.depends_on(store).erased())
}

fn direct(
    controllers: &Controllers<'_>,
    namespace: &Resource<ObjectOutputs>,
    name: &str,
    delivered: &Delivered,
) -> Result<Resource<()>, StackError> {
    let value = |key: &String| (key.clone(), delivered.secret.secrets.field(key));
    let values: Output<BTreeMap<String, SecretValue>> = Output::fields(delivered.keys.iter().map(value));
    let secret = Secret {
        name: name.into(),
        namespace: namespace.name.clone().into(),
        string_data: values.into(),
        ..Secret::default()
    };
    Ok(controllers.stack.add(name, secret)?.erased())
}
