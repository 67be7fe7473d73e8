//! Buckets, with all their settings.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use async_trait::async_trait;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use futures_util::future::try_join_all;
use lsinfra_engine::provider::{Changes, ErrorKind, Existing, Found, Observed, PollInterval, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, Property, ResourceType, StepContext, Value,
};

use crate::aws::durations;
use crate::aws::error::During;
use crate::aws::policy::{PolicyDocument, Principal, Statement};
use crate::aws::property::{self, problem};
use crate::aws::s3::calls::{BucketCalls, sdk_tags};
use crate::aws::s3::{Encryption, LifecycleRule, ObjectOwnership, PublicAccessBlock, empty, lifecycle};
use crate::aws::scope::Scope;
use crate::aws::tags::{self, Tags};
use crate::aws::wait::{SECONDS, until_deleted, until_seen};
use crate::aws::{Arn, AwsClients, AwsConnection};

/// The one region whose name may not be given as a location.
const FIRST_REGION: &str = "us-east-1";
/// Between two pages of an emptying: no pause, but the chance to stop.
const AT_ONCE: PollInterval = PollInterval::seconds(0, 0);

/// A bucket.
#[derive(Clone, Default, Inputs)]
pub struct Bucket {
    /// Its name, unique in all of AWS.
    #[input(required, replace, name = 63)]
    pub name: Input<String>,
    /// Whether old versions of objects are kept. Once it was on, it can only be suspended.
    pub versioning: Input<bool>,
    /// How objects are encrypted.
    pub encryption: Input<Encryption>,
    /// What is refused that would make it public.
    pub public_access_block: Input<PublicAccessBlock>,
    /// Who owns objects.
    pub object_ownership: Input<ObjectOwnership>,
    /// Whether its policy refuses every call that does not come over TLS.
    pub tls_only: Input<bool>,
    /// Its policy beside that. A statement that names no resource is about the bucket and all its
    /// objects.
    pub policy_statements: Input<Vec<Statement>>,
    /// When objects expire.
    #[input(set)]
    pub lifecycle_rules: Input<Vec<LifecycleRule>>,
    /// Whether deleting it deletes all that is in it. Otherwise one that is not empty is not deleted.
    pub force_destroy: Input<bool>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What a bucket gives.
#[derive(Clone, Outputs)]
pub struct BucketOutputs {
    /// Its name.
    pub name: Output<String>,
    /// Its ARN.
    pub arn: Output<Arn>,
}

fn arn(partition: &str, name: &str) -> Arn {
    Arn::new(format!("arn:{partition}:s3:::{name}"))
}

fn outputs(partition: &str, name: &str) -> BucketOutputs {
    BucketOutputs { name: name.to_owned().into(), arn: arn(partition, name).into() }
}

/// The statement behind [`Bucket::tls_only`].
fn tls_only(arn: &Arn) -> Statement {
    Statement::deny(["s3:*"]).named("TlsOnly").to(Principal::EVERYONE).on(whole_bucket(arn)).when(
        "Bool",
        "aws:SecureTransport",
        ["false"],
    )
}

fn whole_bucket(arn: &Arn) -> [String; 2] {
    [arn.to_string(), format!("{arn}/*")]
}

impl Bucket {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<BucketOutputs, ProviderError> {
        let bucket = BucketCalls::new(client, id.as_str());
        let actual = until_seen(step, Self::CONSISTENCY_WINDOW, || bucket.require_tags()).await?;
        // First of all: until it is tagged, nobody could tell whose it is.
        let changes = tags::changes(step, scope, self, |inputs| &inputs.tags, &actual);
        if !changes.put.is_empty() || !changes.remove.is_empty() {
            let mut wanted = actual;
            wanted.retain(|key, _| !changes.remove.contains(key) && !tags::is_reserved(key));
            wanted.extend(changes.put);
            bucket.put_tags(&wanted).await?;
        }
        if let Some(block) =
            scope.wanted("public_access_block", &self.public_access_block, PublicAccessBlock::ALL)
        {
            bucket.put_public_access_block(block).await?;
        }
        let default = ObjectOwnership::BucketOwnerEnforced;
        if let Some(ownership) = scope.wanted("object_ownership", &self.object_ownership, default) {
            bucket.put_ownership(ownership).await?;
        }
        if let Some(encryption) = scope.wanted("encryption", &self.encryption, Encryption::Aes256) {
            bucket.put_encryption(&encryption).await?;
        }
        if let Some(versioning) = scope.wanted("versioning", &self.versioning, false)
            && (versioning || Self::had_versioning(scope) || bucket.versioning().await?)
        {
            bucket.put_versioning(versioning).await?;
        }
        if let Some(rules) = scope.wanted("lifecycle_rules", &self.lifecycle_rules, Vec::new()) {
            bucket.put_lifecycle(&rules).await?;
        }
        self.converge_policy(client, &bucket, scope).await?;
        Ok(outputs(&client.connection.partition, id.as_str()))
    }

    /// Whether versioning was on before a change, whatever a read shows. It is never suspended where
    /// it was never on.
    fn had_versioning(scope: Scope<'_, Self>) -> bool {
        scope.previous().and_then(|previous| previous.versioning.get()) == Some(true)
    }

    /// AWS has one policy for both inputs: the one that is not managed keeps its part of it.
    async fn converge_policy(
        &self,
        client: &AwsClients,
        bucket: &BucketCalls<'_>,
        scope: Scope<'_, Self>,
    ) -> Result<(), ProviderError> {
        let tls = scope.wanted("tls_only", &self.tls_only, false);
        let statements = scope.wanted("policy_statements", &self.policy_statements, Vec::new());
        if tls.is_none() && statements.is_none() {
            return Ok(());
        }
        let arn = arn(&client.connection.partition, bucket.name);
        let actual = bucket.policy().await?;
        let (actual_tls, actual_statements) = split(&arn, actual.as_ref());
        // What is given goes before what is read, which may be out of date.
        let wanted = join(
            &arn,
            tls.or_else(|| self.tls_only.get()).unwrap_or(actual_tls),
            &statements.or_else(|| self.policy_statements.get()).unwrap_or(actual_statements),
        );
        let is_change = scope.is_change("tls_only") || scope.is_change("policy_statements");
        let is_there = match (&actual, &wanted) {
            _ if is_change => false,
            (None, None) => true,
            (Some(actual), Some(wanted)) => actual.is_equivalent(wanted),
            _ => false,
        };
        if is_there { Ok(()) } else { bucket.put_policy(wanted.as_ref()).await }
    }

    /// What is managed of a bucket, as it is; `None` if there is no such bucket.
    async fn observe(
        client: &AwsClients,
        object: &Existing<Self>,
    ) -> Result<Option<Observed<Self>>, ProviderError> {
        let bucket = BucketCalls::new(client, object.id.as_str());
        let recorded = &object.inputs;
        let Some(tags) = bucket.tags().await? else { return Ok(None) };
        let manages_policy = recorded.tls_only.is_given() || recorded.policy_statements.is_given();
        let (versioning, encryption, block, ownership, policy, rules) = tokio::try_join!(
            managed(recorded.versioning.is_given(), bucket.versioning()),
            managed(recorded.encryption.is_given(), bucket.encryption()),
            managed(recorded.public_access_block.is_given(), bucket.public_access_block()),
            managed(recorded.object_ownership.is_given(), bucket.ownership()),
            managed(manages_policy, bucket.policy()),
            managed(recorded.lifecycle_rules.is_given(), bucket.lifecycle()),
        )?;
        let mut inputs = Self {
            name: object.id.as_str().into(),
            versioning: property::observed(versioning),
            encryption: observed_setting(encryption),
            public_access_block: property::observed(block),
            object_ownership: observed_setting(ownership),
            tls_only: Input::default(),
            policy_statements: Input::default(),
            lifecycle_rules: property::observed(rules),
            // Not a setting of AWS's: nobody else can change it.
            force_destroy: recorded.force_destroy.clone(),
            tags: tags::observed(&tags).into(),
        };
        if let Some(policy) = policy {
            recorded.observe_policy(
                &arn(&client.connection.partition, bucket.name),
                policy.as_ref(),
                &mut inputs,
            );
        }
        Ok(Some(Observed { inputs, outputs: outputs(&client.connection.partition, bucket.name) }))
    }

    fn observe_policy(&self, arn: &Arn, actual: Option<&PolicyDocument>, observed: &mut Self) {
        let recorded = join(
            arn,
            self.tls_only.get().unwrap_or_default(),
            &self.policy_statements.get().unwrap_or_default(),
        );
        let is_as_recorded = match (actual, &recorded) {
            (None, None) => true,
            (Some(actual), Some(recorded)) => actual.is_equivalent(recorded),
            _ => false,
        };
        if is_as_recorded {
            observed.tls_only = self.tls_only.clone();
            observed.policy_statements = self.policy_statements.clone();
        } else {
            let (tls, statements) = split(arn, actual);
            observed.tls_only = tls.into();
            observed.policy_statements = statements.into();
        }
    }

    /// Deletes the bucket, and what is in it if that is wanted.
    async fn delete_contents_too(
        &self,
        step: &StepContext,
        bucket: &BucketCalls<'_>,
    ) -> Result<(), ProviderError> {
        let name = bucket.name;
        let force = self.force_destroy.get() == Some(true);
        let removed = AtomicUsize::new(0);
        step.poll(AT_ONCE, || async {
            let request = bucket.s3.delete_bucket().bucket(name).expected_bucket_owner(bucket.account);
            match request.send().await.during("DeleteBucket") {
                Ok(_) => Ok((Poll::Ready(()), String::new())),
                Err(error) if error.code.as_deref() != Some("BucketNotEmpty") => Err(error),
                // It will not get empty by itself.
                Err(error) if !force => Err(ProviderError { kind: ErrorKind::Invalid, ..error }),
                Err(_) => {
                    let now = empty::remove_some(bucket).await?;
                    let before = removed.fetch_add(now, Ordering::Relaxed);
                    if now == 0 {
                        // All is removed, but S3 has not noticed yet.
                        step.pause(SECONDS.first, &format!("bucket {name} is still said to be not empty"))
                            .await?;
                    }
                    let status = format!("bucket {name} is being emptied: {} objects so far", before + now);
                    Ok((Poll::Pending, status))
                }
            }
        })
        .await
    }

    fn check_name(&self) -> Option<InputProblem> {
        let name = self.name.get()?;
        let legal = |character: char| {
            character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-'
        };
        let message = if !(3..=63).contains(&name.len()) {
            "a name has 3 to 63 characters"
        } else if !name.chars().all(legal) {
            // AWS allows dots too, but they break TLS with the bucket's own host name.
            "a name has lower-case letters, digits and hyphens only"
        } else if name.starts_with('-') || name.ends_with('-') {
            "a name begins and ends with a letter or digit"
        } else if ["xn--", "sthree-", "amzn-s3-demo-"].iter().any(|prefix| name.starts_with(prefix))
            || ["-s3alias", "--ol-s3", "--x-s3", "--table-s3"].iter().any(|suffix| name.ends_with(suffix))
        {
            "AWS reserves names that begin or end so"
        } else {
            return None;
        };
        Some(problem("name", format!("{name:?}: {message}")))
    }
}

/// The part of an observation that is managed; what is not costs no call.
async fn managed<T>(
    is_managed: bool,
    read: impl Future<Output = Result<T, ProviderError>>,
) -> Result<Option<T>, ProviderError> {
    if is_managed { read.await.map(Some) } else { Ok(None) }
}

/// A setting that a bucket may not have, if it was read.
fn observed_setting<T: Property>(setting: Option<Option<T>>) -> Input<T> {
    setting.map_or_else(Input::default, property::observed_or_absent)
}

/// The policy of a bucket that is or is not for TLS only and has these statements beside.
fn join(arn: &Arn, tls: bool, statements: &[Statement]) -> Option<PolicyDocument> {
    let statements: Vec<Statement> = tls
        .then(|| tls_only(arn))
        .into_iter()
        .chain(statements.iter().cloned().map(|statement| statement.on_unless_named(whole_bucket(arn))))
        .collect();
    (!statements.is_empty()).then(|| PolicyDocument::new(statements))
}

/// The parts of a policy: whether it is for TLS only, and the other statements.
fn split(arn: &Arn, policy: Option<&PolicyDocument>) -> (bool, Vec<Statement>) {
    let tls = tls_only(arn);
    let statements = policy.map(PolicyDocument::statements).unwrap_or_default();
    let (tls, others): (Vec<_>, Vec<_>) =
        statements.iter().cloned().partition(|statement| statement.is_equivalent(&tls));
    (!tls.is_empty(), others)
}

#[async_trait]
impl ResourceType for Bucket {
    const TYPE: &'static str = "aws:s3:Bucket";
    const ID_FORM: &'static str = "its name";
    const SERVICE: &'static str = "s3";
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = BucketOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        problems.extend(self.check_name());
        problems.extend(lifecycle::check(&self.lifecycle_rules));
        problems
    }

    fn predict(&self, connection: &Value) -> BucketOutputs {
        let partition = AwsConnection::read(connection).map(|connection| connection.partition);
        match (self.name.get(), partition) {
            (Some(name), Ok(partition)) => outputs(&partition, &name),
            _ => BucketOutputs { name: property::repeated(&self.name), ..BucketOutputs::unknown() },
        }
    }

    /// The bucket is tagged by the creating call itself: one without our tags is never ours.
    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let name = self.name.get().unwrap_or_default();
        let region = client.connection.region.as_str();
        let location = (region != FIRST_REGION).then(|| BucketLocationConstraint::from(region));
        // There, and only there, creating a bucket that the account already owns succeeds.
        if region == FIRST_REGION && BucketCalls::new(client, &name).own_tags().await?.is_some() {
            return Err(ProviderError {
                code: Some("BucketAlreadyOwnedByYou".to_owned()),
                ..ProviderError::new(
                    ErrorKind::AlreadyExists,
                    format!("CreateBucket: the account already owns a bucket named {name}"),
                )
            });
        }
        let configuration = CreateBucketConfiguration::builder()
            .set_location_constraint(location)
            .set_tags(Some(sdk_tags(&tags::of_creation(step, &self.tags))?))
            .build();
        client
            .s3
            .create_bucket()
            .bucket(&name)
            .create_bucket_configuration(configuration)
            .customize()
            .config_override(Builder::new().retry_config(RetryConfig::disabled()))
            .send()
            .await
            .during("CreateBucket")?;
        Ok(PhysicalId::new(name))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<BucketOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        try_join_all(objects.iter().map(|object| Self::observe(client, object))).await
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<BucketOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let bucket = BucketCalls::new(client, id.as_str());
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            tags::require_lineage(step, &format!("the bucket {id}"), &bucket.require_tags().await?)?;
            self.delete_contents_too(step, &bucket).await
        })
        .await
    }

    /// A bucket of that name is ours if its tags say so: a name alone proves nothing, and neither
    /// does a bucket without tags, since ours get theirs from the creating call.
    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let Some(name) = self.name.get() else { return Ok(None) };
        let tags: Option<Tags> = BucketCalls::new(client, &name).own_tags().await?;
        let owned = tags.is_some_and(|tags| tags::are_owned(step, &tags));
        Ok(owned.then(|| Found { id: PhysicalId::new(name), failed: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Bucket {
        Bucket { name: name.into(), ..Bucket::default() }
    }

    #[test]
    fn names_that_aws_would_refuse_are_problems() {
        for name in ["ab", "Upper", "under_score", "with.dot", "-begin", "end-", "xn--a", "a-s3alias"] {
            assert!(named(name).check_name().is_some(), "{name}");
        }
        assert_eq!(named("langsmith-prod-blobs-2").check_name(), None);
    }

    #[test]
    fn the_policy_is_taken_apart_as_it_was_put_together() {
        let arn = arn("aws", "blobs");
        let read = Statement::allow(["s3:GetObject"]).to(Principal::aws(["123456789012"]));
        for tls in [true, false] {
            for statements in [vec![], vec![read.clone().on(["arn:aws:s3:::blobs/public/*"])]] {
                let policy = join(&arn, tls, &statements);
                assert_eq!(split(&arn, policy.as_ref()), (tls, statements));
            }
        }
        assert_eq!(join(&arn, false, &[]), None);
    }

    #[test]
    fn a_policy_that_means_what_is_recorded_is_no_drift() {
        let arn = arn("aws", "blobs");
        let read = Statement::allow(["s3:GetObject"]).to(Principal::aws(["123456789012"]));
        let recorded =
            Bucket { tls_only: true.into(), policy_statements: vec![read.clone()].into(), ..named("blobs") };
        let mut observed = Bucket::default();
        recorded.observe_policy(&arn, join(&arn, true, &[read]).as_ref(), &mut observed);
        assert_eq!(observed.policy_statements.get(), recorded.policy_statements.get());
        recorded.observe_policy(&arn, None, &mut observed);
        assert_eq!((observed.tls_only.get(), observed.policy_statements.get()), (Some(false), Some(vec![])));
    }
}
