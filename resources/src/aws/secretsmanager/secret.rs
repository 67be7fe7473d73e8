//! Secrets, whose values are JSON objects.
//! <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_SecretListEntry.html>

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use lsinfra_engine::provider::{
    ChangeKind, Changes, ErrorKind, Existing, Found, Objection, Observed, ProviderError,
};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, Properties, ResourceType,
    Secret as SecretValue, StepContext, Value,
};
use secrecy::ExposeSecret;

use super::calls::{self, Metadata, SecretCalls, sdk_tags};
use super::document::Document;
use super::generated::Generated;
use super::rotations::{Rotations, TAG};
use super::value::{Held, secrets};
use crate::aws::error::{During, found};
use crate::aws::property::{self, problem};
use crate::aws::scope::Scope;
use crate::aws::wait::{SECONDS, until_deleted, until_seen};
use crate::aws::{Arn, AwsClients, durations, tags};

/// <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>
const LIMIT_TAG_CHARACTERS: usize = 256;

/// A secret: a JSON object whose members are the declared keys, these and no others.
///
/// Its values are nowhere but in Secrets Manager: what depends on them reads them there, and state has a
/// keyed digest of each. Secrets Manager decides what a *generated* value is, and one that a person gave:
/// if somebody changes it there, the change is shown as drift, and what depends on it follows. What the
/// stack itself makes up (templates and plain texts) is put back.
#[derive(Clone, Default, Inputs)]
pub struct Secret {
    /// Its name, unique in account and region: letters, digits and `/_+=.@-!`.
    #[input(required, replace, name = 512)]
    pub name: Input<String>,
    /// What it is for.
    pub description: Input<String>,
    /// The ARN of the KMS key that encrypts it. Without one, it is the account's own for secrets.
    pub kms_key_id: Input<Arn>,
    /// For how many days it can be restored after its deletion: 7 to 30, 30 if not given; 0 deletes it
    /// at once. Until then its name is taken.
    pub recovery_window_in_days: Input<u32>,
    /// The values that are drawn at random, by key.
    pub generated: Input<BTreeMap<String, Generated>>,
    /// The other values by key: given ones, plain texts, and templates of other secrets.
    #[input(secret)]
    pub values: Input<BTreeMap<String, SecretValue>>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What a secret gives.
#[derive(Clone, Outputs)]
pub struct SecretOutputs {
    /// Its name.
    pub name: Output<String>,
    /// Its ARN, which ends in six random characters.
    pub arn: Output<Arn>,
    /// The id of the version that counts.
    pub version_id: Output<String>,
    /// Its values by key, each with where it is stored: see [`Output::field`].
    pub secrets: Output<BTreeMap<String, SecretValue>>,
}

impl Secret {
    fn keys(&self) -> BTreeSet<String> {
        let generated = self.generated.get().unwrap_or_default().into_keys();
        generated.chain(self.values.get().unwrap_or_default().into_keys()).collect()
    }

    fn outputs(&self, secret: &Metadata, held: &Held, step: &StepContext) -> SecretOutputs {
        let keys = self.keys();
        SecretOutputs {
            name: secret.name.clone().into(),
            arn: Arn::new(&secret.arn).into(),
            version_id: held.version.clone().into(),
            secrets: secrets(&step.secret_key, &secret.arn, held, |key| keys.contains(key)).into(),
        }
    }

    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<SecretOutputs, ProviderError> {
        let calls = SecretCalls { client: &client.secretsmanager, id: id.as_str() };
        let secret = until_seen(step, Self::CONSISTENCY_WINDOW, || calls.require()).await?;
        let changes = tags::changes(step, scope, self, |inputs| &inputs.tags, &secret.tags);
        if !changes.put.is_empty() {
            calls.tag(&changes.put).await?;
        }
        if !changes.remove.is_empty() {
            calls.untag(changes.remove).await?;
        }
        self.converge_settings(&calls, scope, &secret).await?;
        let held = self.converge_values(client, step, &calls, &secret).await?;
        Ok(self.outputs(&secret, &held, step))
    }

    async fn converge_settings(
        &self,
        calls: &SecretCalls<'_>,
        scope: Scope<'_, Self>,
        secret: &Metadata,
    ) -> Result<(), ProviderError> {
        let description = scope.wanted("description", &self.description, String::new());
        let description =
            description.filter(|wanted| scope.is_change("description") || *wanted != secret.description);
        // An empty key means the account's own.
        let key = scope.wanted_or_reset("kms_key_id", &self.kms_key_id);
        let key = key.filter(|wanted| scope.is_change("kms_key_id") || *wanted != secret.kms_key_id);
        if description.is_none() && key.is_none() {
            return Ok(());
        }
        let request = calls.client.update_secret().secret_id(calls.id);
        let request = request.set_description(description);
        let request = request.set_kms_key_id(key.map(|key| key.map(String::from).unwrap_or_default()));
        request.send().await.during("UpdateSecret").map(|_| ())
    }

    /// Reads a secret whose version is not the recorded one; otherwise what is recorded of its values
    /// holds, and nobody reads them.
    async fn observe(
        client: &AwsClients,
        object: &Existing<Self>,
        secret: &Metadata,
    ) -> Result<Observed<Self>, ProviderError> {
        let recorded = &object.inputs;
        let mut generated = recorded.generated.get();
        let rotations = Rotations::of(&secret.tags);
        for (key, generated) in generated.iter_mut().flatten() {
            generated.rotation = rotations.get(key);
        }
        let mut values = recorded.values.get();
        let outputs = if is_recorded_version(object, secret) {
            Recorded(&object.outputs).outputs(secret)
        } else {
            let calls = SecretCalls { client: &client.secretsmanager, id: &secret.arn };
            let held = calls.current().await?.map(|(version, document)| Held { version, document });
            let held = held.unwrap_or_default();
            let digests = &object.secret_key;
            let seen = secrets(digests, &secret.arn, &held, |_| true);
            if let Some(generated) = &mut generated {
                let gone = generated.iter().any(|(key, _)| !seen.contains_key(key));
                let before = if gone { calls.previous().await? } else { None };
                let can_return =
                    |key: &str| before.as_ref().is_some_and(|(_, before)| before.get(key).is_some());
                generated.retain(|key, generated| {
                    let is_there = seen.contains_key(key);
                    generated.lost = generated.never_rotate.is_some() && !is_there && !can_return(key);
                    is_there || generated.lost
                });
            }
            let drawn = |key: &String| generated.as_ref().is_some_and(|drawn| drawn.contains_key(key));
            if let Some(values) = &mut values {
                let applied = Recorded(&object.outputs).secrets();
                let others = seen.iter().filter(|(key, _)| !drawn(key));
                *values = others
                    .map(|(key, seen)| match values.get(key) {
                        // The same text as was made of what is recorded.
                        Some(value) if applied.get(key) == Some(seen) => (key.clone(), value.clone()),
                        _ => (key.clone(), seen.clone()),
                    })
                    .collect();
            }
            let keys = recorded.keys();
            SecretOutputs {
                name: secret.name.clone().into(),
                arn: Arn::new(&secret.arn).into(),
                version_id: held.version.clone().into(),
                secrets: secrets(digests, &secret.arn, &held, |key| keys.contains(key)).into(),
            }
        };
        let inputs = Self {
            name: secret.name.clone().into(),
            description: secret.description.clone().into(),
            kms_key_id: property::observed_or_absent(secret.kms_key_id.clone()),
            // No part of the secret: it is for this program alone.
            recovery_window_in_days: recorded.recovery_window_in_days.clone(),
            generated: property::observed(generated),
            values: property::observed(values),
            tags: tags::observed(&secret.tags).into(),
        };
        Ok(Observed { inputs, outputs })
    }

    /// Takes back the secret that has the name and waits for its deletion, if it was this resource's: its generated
    /// values are what was meant to be deleted with it, and nothing is lost by keeping them.
    async fn restore(
        &self,
        client: &AwsClients,
        step: &StepContext,
        refused: ProviderError,
    ) -> Result<PhysicalId, ProviderError> {
        let name = self.name.get().unwrap_or_default();
        let calls = SecretCalls { client: &client.secretsmanager, id: &name };
        let secret = calls.describe().await?;
        if !tags::are_of_resource(step, &secret.tags) {
            return Err(with_way_out(refused));
        }
        let request = client.secretsmanager.restore_secret().secret_id(&secret.arn);
        request.send().await.during("RestoreSecret")?;
        Ok(PhysicalId::new(secret.arn))
    }

    fn check_keys(&self) -> Vec<InputProblem> {
        let legal = |key: &str| {
            !key.is_empty()
                && key.chars().all(|character| character.is_ascii_alphanumeric() || "_.-".contains(character))
        };
        let mut problems = Vec::new();
        let generated = self.generated.get().unwrap_or_default();
        let values = self.values.get().unwrap_or_default();
        let keys = generated.keys().map(|key| ("generated", key));
        for (input, key) in keys.chain(values.keys().map(|key| ("values", key))) {
            if !legal(key) {
                problems.push(problem(&format!("{input}.{key}"), "a key has letters, digits and _.-"));
            }
        }
        for key in values.keys().filter(|key| generated.contains_key(*key)) {
            problems.push(problem(&format!("values.{key}"), "is generated, too"));
        }
        for (key, generated) in &generated {
            if let Some(message) = generated.recipe.problem() {
                problems.push(problem(&format!("generated.{key}.recipe"), message));
            }
        }
        if !self.generated.is_given() && !self.values.is_given() {
            problems.push(problem("values", "a secret has at least one value, here or in `generated`"));
        }
        let marks = Rotations::declared(&generated).to_tag().unwrap_or_default();
        if marks.chars().count() > LIMIT_TAG_CHARACTERS {
            let message =
                format!("{marks:?}: the rotations must fit a tag of {LIMIT_TAG_CHARACTERS} characters");
            problems.push(problem("generated", message));
        }
        problems
    }
}

/// Whether the version that counts is the one that is recorded with all its values.
fn is_recorded_version(object: &Existing<Secret>, secret: &Metadata) -> bool {
    let recorded = Recorded(&object.outputs);
    secret.version.is_some() && recorded.version() == secret.version.as_deref()
}

/// Whether nothing of what is managed differs from what is recorded.
fn is_as_recorded(object: &Existing<Secret>, secret: &Metadata) -> bool {
    let recorded = &object.inputs;
    let generated = recorded.generated.get().unwrap_or_default();
    is_recorded_version(object, secret)
        && !secret.is_deleted
        && recorded.description.get().is_none_or(|description| description == secret.description)
        && (!recorded.kms_key_id.is_given() || recorded.kms_key_id.get() == secret.kms_key_id)
        && secret.tags.contains_key(tags::LINEAGE)
        && recorded.tags.get().is_none_or(|recorded| recorded == tags::declarable(&secret.tags))
        && Rotations::of(&secret.tags) == Rotations::declared(&generated)
}

/// The outputs that are recorded of a secret.
struct Recorded<'a>(&'a Properties);

impl Recorded<'_> {
    fn version(&self) -> Option<&str> {
        self.0.get("version_id").and_then(Value::as_text)
    }

    fn secrets(&self) -> BTreeMap<String, SecretValue> {
        let recorded = self.0.get("secrets").map(lsinfra_engine::Property::from_value);
        recorded.and_then(Result::ok).unwrap_or_default()
    }

    fn outputs(&self, secret: &Metadata) -> SecretOutputs {
        SecretOutputs {
            name: secret.name.clone().into(),
            arn: Arn::new(&secret.arn).into(),
            version_id: self.version().unwrap_or_default().to_owned().into(),
            secrets: self.secrets().into(),
        }
    }
}

/// What speaks against another value for a generated key.
fn objections(key: &str, old: &Generated, new: Option<&Generated>, change: ChangeKind) -> Vec<Objection> {
    let refuse = |path: String, message: String| Objection {
        problem: problem(&path, message),
        can_be_overruled: false,
    };
    let path = format!("generated.{key}");
    let mut found = Vec::new();
    let is_raised = new.is_some_and(|new| new.rotation > old.rotation);
    if let (Some(breaks), Some(_), ChangeKind::Update) =
        (old.never_rotate.as_ref().filter(|_| old.lost), new, change)
    {
        let message = format!("the value was taken out, and another one breaks {breaks}");
        return vec![Objection { problem: problem(&path, message), can_be_overruled: true }];
    }
    match (new, change) {
        (Some(new), _) if new.rotation < old.rotation => {
            let message = format!("it was {} before, and only grows", old.rotation);
            found.push(refuse(format!("{path}.rotation"), message));
        }
        (Some(new), ChangeKind::Update) if !is_raised && new.recipe != old.recipe => {
            let message =
                "the value that there is stays as it was drawn: raise `rotation` to draw another one";
            found.push(refuse(format!("{path}.recipe"), message.to_owned()));
        }
        (Some(_), ChangeKind::Replace) if !is_raised => {
            let message = "a new secret gets a new value: raise `rotation` to say that it is meant";
            found.push(refuse(format!("{path}.rotation"), message.to_owned()));
        }
        _ => {}
    }
    let is_lost = is_raised || new.is_none() || change != ChangeKind::Update;
    if let (Some(breaks), true) = (&old.never_rotate, is_lost) {
        let what = match (change, new) {
            (ChangeKind::Recreate, _) => "the secret is gone, and a new one gets another value",
            (_, None) => "the value would be taken out",
            _ => "the value would be drawn anew",
        };
        let problem = problem(&path, format!("{what}, which breaks {breaks}"));
        found.push(Objection { problem, can_be_overruled: true });
    }
    found
}

#[async_trait]
impl ResourceType for Secret {
    const TYPE: &'static str = "aws:secretsmanager:Secret";
    const ID_FORM: &'static str = "its ARN";
    const SERVICE: &'static str = "secretsmanager";
    const CLIENT_TOKEN: bool = true;
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = SecretOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        problems.extend(self.check_keys());
        let legal = |character: char| character.is_ascii_alphanumeric() || "/_+=.@-!".contains(character);
        if self.name.get().is_some_and(|name| name.is_empty() || !name.chars().all(legal)) {
            problems.push(problem("name", "a secret's name has letters, digits and /_+=.@-!"));
        }
        if self.description.get().is_some_and(|description| description.chars().count() > 2048) {
            problems.push(problem("description", "a description has at most 2048 characters"));
        }
        if self.recovery_window_in_days.get().is_some_and(|days| days != 0 && !(7..=30).contains(&days)) {
            problems.push(problem(
                "recovery_window_in_days",
                "AWS keeps a deleted secret for 7 to 30 days, or 0",
            ));
        }
        problems
    }

    fn predict(&self, _connection: &Value) -> SecretOutputs {
        SecretOutputs { name: property::repeated(&self.name), ..SecretOutputs::unknown() }
    }

    fn check_change(&self, previous: &Self, change: ChangeKind) -> Vec<Objection> {
        let new = self.generated.get().unwrap_or_default();
        let old = previous.generated.get().unwrap_or_default();
        old.iter().flat_map(|(key, old)| objections(key, old, new.get(key), change)).collect()
    }

    /// The values of keys that do not change are the same.
    fn predict_update(&self, previous: &Self, outputs: &mut Properties) {
        let (old_drawn, new_drawn) =
            (previous.generated.get().unwrap_or_default(), self.generated.get().unwrap_or_default());
        let (old_values, new_values) = (previous.values.get().unwrap_or_default(), self.values.get());
        let is_known = !self.values.is_given() || new_values.is_some();
        let Some(Value::Map(before)) = outputs.get("secrets").filter(|_| is_known).cloned() else {
            outputs.insert("secrets".to_owned(), Value::Unknown);
            outputs.insert("version_id".to_owned(), Value::Unknown);
            return;
        };
        let new_values = new_values.unwrap_or_default();
        let is_same = |key: &String| match (old_drawn.get(key), new_drawn.get(key)) {
            (Some(old), Some(new)) => old.rotation == new.rotation && !old.lost,
            (None, None) => old_values.get(key) == new_values.get(key),
            _ => false,
        };
        let keys = self.keys().into_iter().map(|key| {
            let same = before.get(&key).filter(|_| is_same(&key)).cloned();
            (key, same.unwrap_or(Value::Unknown))
        });
        let after = Value::Map(keys.collect());
        if Value::Map(before) != after {
            outputs.insert("version_id".to_owned(), Value::Unknown);
        }
        outputs.insert("secrets".to_owned(), after);
    }

    /// The secret is made with its values by one call. A call that is repeated after its answer was lost
    /// has other ones, and is refused: then the secret of the first is found, and kept with its values.
    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let (document, _) = self.document(client, step, &Document::default(), &Default::default()).await?;
        let generated = self.generated.get().unwrap_or_default();
        let mut tags = tags::of_creation(step, &self.tags);
        tags.extend(Rotations::declared(&generated).to_tag().map(|tag| (TAG.to_owned(), tag)));
        let answer = client
            .secretsmanager
            .create_secret()
            .set_name(self.name.get())
            .set_description(self.description.get())
            .set_kms_key_id(self.kms_key_id.get().map(String::from))
            .client_request_token(&step.client_token)
            .secret_string(document.to_text().expose_secret())
            .set_tags(Some(sdk_tags(&tags)))
            .send()
            .await
            .during("CreateSecret");
        match answer {
            Ok(answer) => Ok(PhysicalId::new(answer.arn().unwrap_or_default())),
            Err(error) if is_marked_for_deletion(&error) => self.restore(client, step, error).await,
            Err(error) => Err(error),
        }
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<SecretOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    /// One call for all that are as they were. A list may be minutes old: what it shows otherwise is asked
    /// for by itself.
    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let names: Vec<String> = objects.iter().filter_map(|object| object.inputs.name.get()).collect();
        let listed = calls::list(&client.secretsmanager, &names).await?;
        let mut observed = Vec::with_capacity(objects.len());
        for object in objects {
            let listed = listed.iter().find(|secret| secret.arn == object.id.as_str());
            let secret = match listed.filter(|secret| is_as_recorded(object, secret)) {
                Some(secret) => Some(secret.clone()),
                None => {
                    let calls = SecretCalls { client: &client.secretsmanager, id: object.id.as_str() };
                    found(calls.require().await)?
                }
            };
            observed.push(match secret {
                Some(secret) => Some(Self::observe(client, object, &secret).await?),
                None => None,
            });
        }
        Ok(observed)
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<SecretOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    /// With a recovery window it is gone as soon as it is marked: only its name is still taken.
    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let calls = SecretCalls { client: &client.secretsmanager, id: id.as_str() };
        let days = self.recovery_window_in_days.get();
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let secret = calls.describe().await?;
            tags::require_lineage(step, &format!("the secret {id}"), &secret.tags)?;
            if secret.is_deleted && days != Some(0) {
                return Ok(());
            }
            let request = client.secretsmanager.delete_secret().secret_id(calls.id);
            let request = match days {
                Some(0) => request.force_delete_without_recovery(true),
                days => request.set_recovery_window_in_days(days.map(i64::from)),
            };
            match request.send().await.during("DeleteSecret") {
                // What was read may be out of date.
                Err(error) if is_marked_for_deletion(&error) && days != Some(0) => Ok(()),
                answer => answer.map(|_| ()),
            }
        })
        .await?;
        if days != Some(0) {
            return Ok(());
        }
        step.poll(SECONDS, || async {
            Ok(match found(calls.describe().await)? {
                None => (std::task::Poll::Ready(()), String::new()),
                Some(_) => (std::task::Poll::Pending, "the secret is being deleted".to_owned()),
            })
        })
        .await
    }

    /// A secret of that name is ours if its tags say so: a name alone proves nothing.
    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let Some(name) = self.name.get() else { return Ok(None) };
        let secret = found(SecretCalls { client: &client.secretsmanager, id: &name }.require().await)?;
        let owned = secret.filter(|secret| tags::are_owned(step, &secret.tags));
        Ok(owned.map(|secret| Found { id: PhysicalId::new(secret.arn), failed: None }))
    }
}

/// Whether a name is still taken by a secret that waits for its deletion.
fn is_marked_for_deletion(error: &ProviderError) -> bool {
    error.kind == ErrorKind::Invalid && error.message.contains("for deletion")
}

/// Says what to do about a name that is still taken by a deleted secret.
fn with_way_out(error: ProviderError) -> ProviderError {
    let message = format!(
        "{} Restore it (`aws secretsmanager restore-secret`) to keep its values, or delete it for good \
         (`aws secretsmanager delete-secret --force-delete-without-recovery`), and run again.",
        error.message
    );
    ProviderError { message, ..error }
}
