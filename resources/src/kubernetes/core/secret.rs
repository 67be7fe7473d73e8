//! Secrets.
//! <https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/secret-v1/>

use std::collections::BTreeMap;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::try_join_all;
use lsinfra_engine::provider::{Changes, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::secret::{SecretPart, SecretSource};
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, Properties, Property, ResourceType, SecretKey,
    StepContext, Value,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value as Json, json};

use crate::aws::property::{problem, repeated};
use crate::aws::secretsmanager::reveal;
use crate::durations;
use crate::kubernetes::error::of_read;
use crate::kubernetes::kind::{Kind, Place};
use crate::kubernetes::object::{self, FieldAt, Form, taken};
use crate::kubernetes::objects::{self, Owned, READ_AT_ONCE};
use crate::kubernetes::{CONSISTENCY_WINDOW, KubernetesClient};

const KIND: Kind = Kind::known("v1", "Secret", "secrets", true);

/// Where all of it is but the values.
const FIELDS_AT: &[FieldAt] = &[
    FieldAt { field: "namespace", path: &["metadata", "namespace"], form: Form::AsIs },
    FieldAt { field: "name", path: &["metadata", "name"], form: Form::AsIs },
    FieldAt { field: "labels", path: &["metadata", "labels"], form: Form::AsIs },
    FieldAt { field: "annotations", path: &["metadata", "annotations"], form: Form::AsIs },
    FieldAt { field: "secret_type", path: &["type"], form: Form::AsIs },
];

/// A secret: values by key, for pods. Its values are in the cluster; what is recorded of them are digests.
#[derive(Clone, Default, Inputs)]
pub struct Secret {
    /// The namespace that it is in.
    #[input(required, replace)]
    pub namespace: Input<String>,
    /// Its name.
    #[input(required, replace)]
    pub name: Input<String>,
    /// Its labels.
    pub labels: Input<BTreeMap<String, String>>,
    /// Its annotations.
    pub annotations: Input<BTreeMap<String, String>>,
    /// Its type, `Opaque` by default.
    #[input(replace, computed)]
    pub secret_type: Input<String>,
    /// Its values.
    #[input(required, secret)]
    pub string_data: Input<BTreeMap<String, lsinfra_engine::Secret>>,
}

/// What a secret gives once it is there.
#[derive(Clone, Outputs)]
pub struct SecretOutputs {
    /// Its name.
    pub name: Output<String>,
    /// Its own id, which no later object of its name has.
    pub uid: Output<String>,
    /// The values that were put into it last, by digest: whether somebody else has changed one is told by that.
    #[output(volatile)]
    pub applied: Output<BTreeMap<String, lsinfra_engine::Secret>>,
}

/// Plain texts by key.
type PlainTexts = BTreeMap<String, SecretString>;

/// A value as it is recorded: its digest alone.
fn digest(key: &SecretKey, plain: SecretString) -> lsinfra_engine::Secret {
    let given = lsinfra_engine::Secret::given(key, plain);
    let parts = given.parts().iter().map(|part| match part.clone() {
        SecretPart::Sealed { digest, encoding, .. } => {
            SecretPart::Sealed { digest, encoding, source: SecretSource::Unavailable }
        }
        part => part,
    });
    lsinfra_engine::Secret::from_parts(parts.collect())
}

fn outputs(live: &Json, applied: BTreeMap<String, lsinfra_engine::Secret>) -> SecretOutputs {
    let of_object = object::outputs(live);
    SecretOutputs { name: of_object.name, uid: of_object.uid, applied: applied.into() }
}

/// The values in a cluster's secret.
fn live_values(live: &Json) -> PlainTexts {
    let data = live["data"].as_object().into_iter().flatten();
    let values = data.filter_map(|(key, value)| {
        let bytes = STANDARD.decode(value.as_str()?).ok()?;
        Some((key.clone(), SecretString::from(String::from_utf8_lossy(&bytes).into_owned())))
    });
    values.collect()
}

/// The values as they are: as they were applied where they are what was applied, else what is there.
fn observed_values(
    live: &Json,
    inputs: &BTreeMap<String, lsinfra_engine::Secret>,
    applied: &BTreeMap<String, lsinfra_engine::Secret>,
    key: &SecretKey,
) -> BTreeMap<String, lsinfra_engine::Secret> {
    let mut live = live_values(live);
    let values = inputs.iter().filter_map(|(name, input)| {
        let actual = digest(key, live.remove(name)?);
        let is_as_applied = applied.get(name) == Some(&actual);
        Some((name.clone(), if is_as_applied { input.clone() } else { actual }))
    });
    values.collect()
}

impl Secret {
    async fn reveal(&self, client: &KubernetesClient) -> Result<PlainTexts, ProviderError> {
        let mut values = PlainTexts::new();
        for (key, secret) in self.string_data.get().unwrap_or_default() {
            let plain = reveal(&secret, &client.aws).await?;
            values.insert(key, plain);
        }
        Ok(values)
    }

    /// The object, with its values.
    fn body(&self, values: &PlainTexts) -> Result<Json, ProviderError> {
        let mut body = object::body(&object::values(self), FIELDS_AT)?;
        let data = values
            .iter()
            .map(|(key, value)| (key.clone(), Json::String(STANDARD.encode(value.expose_secret()))));
        body["data"] = Json::Object(data.collect::<Map<_, _>>());
        Ok(body)
    }

    async fn apply(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
        id: &PhysicalId,
        previous: Option<&Self>,
    ) -> Result<SecretOutputs, ProviderError> {
        let place = Place::of_short_id(&KIND, id)?;
        let values = self.reveal(client).await?;
        let mut before = json!({});
        if let Some(previous) = previous {
            before = object::body(&object::values(previous), FIELDS_AT)?;
            let keys = previous.string_data.get().unwrap_or_default();
            before["data"] = Json::Object(keys.into_keys().map(|key| (key, Json::Null)).collect());
        }
        let answer = objects::apply(client, step, &place, &self.body(&values)?, &before).await;
        let live = answer.map_err(|error| redacted(error, &values))?;
        let applied = values.into_iter().map(|(key, plain)| (key, digest(&step.secret_key, plain)));
        Ok(outputs(&live, applied.collect()))
    }

    async fn observe(
        client: &KubernetesClient,
        existing: &Existing<Self>,
    ) -> Result<Option<Observed<Self>>, ProviderError> {
        let place = Place::of_short_id(&KIND, &existing.id)?;
        let live = objects::get(client, &place).await?.filter(|live| !objects::is_leaving(live));
        Ok(live.map(|live| {
            let mut seen = object::observed(&live, &object::values(&existing.inputs), FIELDS_AT);
            let mut field = |name: &str| seen.remove(name);
            let recorded =
                existing.outputs.get("applied").and_then(|applied| BTreeMap::from_value(applied).ok());
            let applied = recorded.unwrap_or_default();
            let given = existing.inputs.string_data.get().unwrap_or_default();
            let inputs = Self {
                namespace: taken(field("namespace")),
                name: taken(field("name")),
                labels: taken(field("labels")),
                annotations: taken(field("annotations")),
                secret_type: taken(field("secret_type")),
                string_data: observed_values(&live, &given, &applied, &existing.secret_key).into(),
            };
            Observed { inputs, outputs: outputs(&live, applied) }
        }))
    }
}

/// An error without the values that it may repeat.
fn redacted(error: ProviderError, values: &PlainTexts) -> ProviderError {
    let mut message = error.message;
    for value in values.values().map(ExposeSecret::expose_secret).filter(|value| !value.is_empty()) {
        message = message.replace(value, "(secret)").replace(&STANDARD.encode(value), "(secret)");
    }
    ProviderError { message, ..error }
}

/// A problem of a key: <https://kubernetes.io/docs/concepts/configuration/secret/#restriction-names-data>
fn check_data_key(key: &str) -> Option<InputProblem> {
    let is_key = (1..=253).contains(&key.len())
        && key.chars().all(|one| one.is_ascii_alphanumeric() || "-_.".contains(one));
    (!is_key).then(|| {
        let message = "a key has 1 to 253 letters, digits, hyphens, underscores and dots";
        problem(&format!("string_data.{key}"), message)
    })
}

#[async_trait]
impl ResourceType for Secret {
    const TYPE: &'static str = "kubernetes:core:Secret";
    const ID_FORM: &'static str = "its namespace and its name: `langsmith/postgres`";
    const SERVICE: &'static str = "kubernetes";
    const CONSISTENCY_WINDOW: std::time::Duration = CONSISTENCY_WINDOW;
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = SecretOutputs;
    type Client = KubernetesClient;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = object::check(self);
        let keys = self.string_data.get().unwrap_or_default();
        problems.extend(keys.keys().filter_map(|key| check_data_key(key)));
        problems
    }

    fn predict(&self, _connection: &Value) -> SecretOutputs {
        SecretOutputs { name: repeated(&self.name), ..SecretOutputs::unknown() }
    }

    fn excludes(&self, previous: &Self) -> bool {
        object::share_a_place(self, previous)
    }

    fn carries_owner_tags() -> bool {
        true
    }

    fn take_owner_tags(inputs: &mut Properties) -> BTreeMap<String, String> {
        object::take_owner_tags(inputs)
    }

    async fn create(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
    ) -> Result<PhysicalId, ProviderError> {
        let place = object::place(&KIND, &object::values(self))?;
        let values = self.reveal(client).await?;
        let answer = objects::create(client, step, &place, &self.body(&values)?).await;
        answer.map_err(|error| redacted(error, &values))?;
        Ok(place.short_id())
    }

    async fn complete(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<SecretOutputs, ProviderError> {
        self.apply(client, step, id, None).await
    }

    async fn read(
        client: &KubernetesClient,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let mut observed = Vec::with_capacity(objects.len());
        for chunk in objects.chunks(READ_AT_ONCE) {
            let read = try_join_all(chunk.iter().map(|object| Self::observe(client, object))).await;
            observed.extend(read.map_err(of_read)?);
        }
        Ok(observed)
    }

    async fn update(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<SecretOutputs, ProviderError> {
        self.apply(client, step, id, Some(&changes.previous)).await
    }

    async fn delete(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        objects::delete(client, step, &Place::of_short_id(&KIND, id)?, Owned::IsNothing).await
    }

    async fn find(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
    ) -> Result<Option<Found>, ProviderError> {
        objects::find_short(client, step, &object::place(&KIND, &object::values(self))?).await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use lsinfra_engine::provider::ErrorKind;

    use super::*;

    fn key() -> SecretKey {
        SecretKey::new([7; 32])
    }

    fn plain(text: &str) -> SecretString {
        SecretString::from(text.to_owned())
    }

    #[test]
    fn a_value_is_as_it_was_applied_or_what_is_there() {
        let template = lsinfra_engine::Secret::template([
            lsinfra_engine::Secret::plain("redis://:"),
            lsinfra_engine::Secret::given(&key(), plain("hunter2")),
        ]);
        let inputs = ["url", "changed", "gone"].map(|name| (name.to_owned(), template.clone())).into();
        let applied = ["url", "changed", "gone"]
            .map(|name| (name.to_owned(), digest(&key(), plain("redis://:hunter2"))))
            .into();
        let live = json!({"data": {
            "url": STANDARD.encode("redis://:hunter2"),
            "changed": STANDARD.encode("other"),
            "others": STANDARD.encode("x"),
        }});
        let seen = observed_values(&live, &inputs, &applied, &key());
        assert_eq!(seen.get("url"), Some(&template));
        assert_eq!(seen.get("changed"), Some(&digest(&key(), plain("other"))));
        assert_eq!(seen.len(), 2);
    }

    #[test]
    fn a_digest_holds_no_value() {
        assert!(digest(&key(), plain("hunter2")).reveal().is_err());
    }

    #[test]
    fn an_error_repeats_no_value() {
        let error = ProviderError::new(ErrorKind::Invalid, "Invalid value: \"hunter2\", aHVudGVyMg==");
        let values = PlainTexts::from([("a".to_owned(), plain("hunter2")), ("b".to_owned(), plain(""))]);
        assert_eq!(redacted(error, &values).message, "Invalid value: \"(secret)\", (secret)");
    }

    #[test]
    fn keys_have_few_characters() {
        assert!(check_data_key("license_key.v-1").is_none());
        assert!(check_data_key("").is_some() && check_data_key("a b").is_some());
    }
}
