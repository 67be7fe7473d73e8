//! The controller that gives External Secrets' admission webhook its certificate: it makes one, puts it into the secret
//! that the webhook's pods mount, and its authority into the webhook's configurations.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{Api, Patch, PatchParams};
use kube::runtime::reflector::{ObjectRef, Store};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::json;

use super::{Context, PartError};

/// The label of configurations that are its to complete.
const COMPONENT: (&str, &str) = ("external-secrets.io/component", "webhook");

/// Brings the certificate and the configurations about, as the arguments of the controller's container say.
pub(super) async fn keep(
    context: &Context,
    controller: &Deployment,
    secrets: &Store<Secret>,
    webhooks: &Store<ValidatingWebhookConfiguration>,
) -> Result<(), PartError> {
    let spec = controller.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    let arguments =
        spec.into_iter().flat_map(|spec| &spec.containers).filter_map(|container| container.args.as_ref());
    let given: BTreeMap<&str, &str> =
        arguments.flatten().filter_map(|argument| argument.strip_prefix("--")?.split_once('=')).collect();
    let argument = |name: &str| {
        let value = given.get(name).copied();
        value.ok_or_else(|| PartError::Object(format!("{} has no argument --{name}", controller.name_any())))
    };
    let (namespace, name) = (argument("secret-namespace")?, argument("secret-name")?);
    let service = format!("{}.{}.svc", argument("service-name")?, argument("service-namespace")?);
    let Some(secret) = secrets.get(&ObjectRef::new(name).within(namespace)) else { return Ok(()) };
    let known =
        secret.data.as_ref().and_then(|data| data.get("ca.crt")).filter(|authority| !authority.0.is_empty());
    let Some(ByteString(authority)) = known else {
        let data = certificate(&service)?;
        let api: Api<Secret> = Api::namespaced(context.client.clone(), namespace);
        api.patch(name, &PatchParams::default(), &Patch::Merge(json!({"data": data}))).await?;
        return Ok(());
    };
    let bundle = STANDARD.encode(authority);
    let api: Api<ValidatingWebhookConfiguration> = Api::all(context.client.clone());
    for configuration in webhooks.state() {
        let is_ours = configuration.labels().get(COMPONENT.0).is_some_and(|value| value == COMPONENT.1);
        let hooks = configuration.webhooks.iter().flatten();
        let is_complete = hooks
            .clone()
            .all(|hook| hook.client_config.ca_bundle.as_ref().is_some_and(|bundle| bundle.0 == *authority));
        if !is_ours || is_complete {
            continue;
        }
        let operations = hooks.enumerate().map(|(index, _)| {
            json!({"op": "add", "path": format!("/webhooks/{index}/clientConfig/caBundle"), "value": bundle})
        });
        let operations = serde_json::Value::Array(operations.collect());
        let operations = serde_json::from_value(operations).map_err(kube::Error::SerdeError)?;
        let patch = Patch::Json::<()>(operations);
        api.patch(&configuration.name_any(), &PatchParams::default(), &patch).await?;
    }
    Ok(())
}

/// The data of a secret with a new authority, and a certificate of its for a name.
fn certificate(name: &str) -> Result<BTreeMap<&'static str, String>, PartError> {
    let failed = |error: rcgen::Error| PartError::Object(format!("cannot make a certificate: {error}"));
    let mut authority = CertificateParams::new([]).map_err(failed)?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().map_err(failed)?;
    let authority_pem = authority.self_signed(&authority_key).map_err(failed)?.pem();
    let authority_key_pem = authority_key.serialize_pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().map_err(failed)?;
    let own = CertificateParams::new([name.to_owned()]).map_err(failed)?;
    let own = own.signed_by(&key, &issuer).map_err(failed)?;
    let data = [
        ("ca.crt", authority_pem),
        ("ca.key", authority_key_pem),
        ("tls.crt", own.pem()),
        ("tls.key", key.serialize_pem()),
    ];
    Ok(data.map(|(key, value)| (key, STANDARD.encode(value))).into())
}
