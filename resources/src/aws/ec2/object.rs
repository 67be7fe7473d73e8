//! What all EC2 objects have in common: ids, tags, and being described by filters.
//!
//! Objects are asked for by filter rather than by a list of ids: one that is missing is then left out
//! of the answer instead of failing the question for all. What a filter returns is checked again.

use std::collections::BTreeMap;
use std::future::Future;
use std::task::Poll;
use std::time::Duration;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::Builder;
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::types::{Filter, ResourceType as TagTarget, Tag, TagSpecification};
use lsinfra_engine::provider::{ErrorKind, Found, PollInterval, ProviderError};
use lsinfra_engine::{Input, PhysicalId, ResourceType, StepContext};

use crate::aws::error::{During, not_found};
use crate::aws::scope::Scope;
use crate::aws::tags::{self, Tags};
use crate::aws::wait::{SECONDS, until_seen};

/// The most values that one filter takes.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>
pub(super) const LIMIT_FILTER_VALUES: usize = 200;

/// A kind of object that is known by an id and carries tags.
pub(super) trait Ec2Object: Sized + Send + Sync {
    /// What a person calls it.
    const NAME: &'static str;
    /// The filter that selects by id.
    const ID_FILTER: &'static str;
    /// How often to look while it changes its state.
    const POLL: PollInterval = SECONDS;

    /// All objects that pass the filters.
    fn describe(
        ec2: &Client,
        filters: Vec<Filter>,
    ) -> impl Future<Output = Result<Vec<Self>, ProviderError>> + Send;

    /// Those of the objects of these ids that there are.
    fn describe_ids(
        ec2: &Client,
        ids: &[&str],
    ) -> impl Future<Output = Result<Vec<Self>, ProviderError>> + Send {
        Self::describe(ec2, vec![filter(Self::ID_FILTER, ids.iter().copied())])
    }

    /// Its id.
    fn id(&self) -> &str;

    /// Its tags as they are.
    fn tags(&self) -> &[Tag];

    /// How far it is.
    fn lifecycle(&self) -> Lifecycle {
        Lifecycle::Ready
    }
}

/// How far an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lifecycle {
    /// Not usable yet.
    Pending,
    /// Usable.
    Ready,
    /// Given up by AWS, for this reason: it can only be replaced.
    Failed(String),
    /// Going.
    Deleting,
    /// Gone, although some kinds are described for an hour longer.
    Deleted,
}

impl Lifecycle {
    fn exists(&self) -> bool {
        !matches!(self, Self::Deleting | Self::Deleted)
    }
}

/// The objects of these ids that exist, by id.
pub(super) async fn by_ids<T: Ec2Object>(
    ec2: &Client,
    ids: impl IntoIterator<Item = &PhysicalId>,
) -> Result<BTreeMap<String, T>, ProviderError> {
    let ids: Vec<&str> = ids.into_iter().map(PhysicalId::as_str).collect();
    let mut objects = BTreeMap::new();
    for chunk in ids.chunks(LIMIT_FILTER_VALUES) {
        for object in T::describe_ids(ec2, chunk).await? {
            if chunk.contains(&object.id()) && object.lifecycle().exists() {
                objects.insert(object.id().to_owned(), object);
            }
        }
    }
    Ok(objects)
}

/// The object of an id, if it exists.
pub(super) async fn by_id<T: Ec2Object>(ec2: &Client, id: &PhysicalId) -> Result<Option<T>, ProviderError> {
    Ok(by_ids(ec2, [id]).await?.remove(id.as_str()))
}

/// The object of an id; [`ErrorKind::NotFound`] if it does not exist.
pub(super) async fn require<T: Ec2Object>(ec2: &Client, id: &PhysicalId) -> Result<T, ProviderError> {
    by_id(ec2, id).await?.ok_or_else(|| not_found(format!("the {} {id} does not exist", T::NAME)))
}

/// The object of an id, once it is usable. One that was created a moment ago may not be seen yet.
pub(super) async fn ready<T: Ec2Object>(
    ec2: &Client,
    step: &StepContext,
    window: Duration,
    id: &PhysicalId,
) -> Result<T, ProviderError> {
    step.poll(T::POLL, || async {
        let object: T = until_seen(step, window, || require(ec2, id)).await?;
        match object.lifecycle() {
            Lifecycle::Pending => Ok((Poll::Pending, format!("{} {id} is pending", T::NAME))),
            Lifecycle::Failed(reason) => Err(ProviderError::new(ErrorKind::CreationFailed, reason)),
            _ => Ok((Poll::Ready(object), String::new())),
        }
    })
    .await
}

/// Returns once the object of an id is gone.
pub(super) async fn gone<T: Ec2Object>(
    ec2: &Client,
    step: &StepContext,
    id: &PhysicalId,
) -> Result<(), ProviderError> {
    step.poll(T::POLL, || async {
        let left = T::describe_ids(ec2, &[id.as_str()])
            .await?
            .into_iter()
            .any(|object| object.id() == id.as_str() && object.lifecycle() != Lifecycle::Deleted);
        let state = if left { Poll::Pending } else { Poll::Ready(()) };
        Ok((state, format!("{} {id} is being deleted", T::NAME)))
    })
    .await
}

/// The object that carries the step's lineage, URN and generation.
pub(super) async fn find<T: Ec2Object>(
    ec2: &Client,
    step: &StepContext,
) -> Result<Option<Found>, ProviderError> {
    let filters =
        tags::identifying(step).map(|(key, value)| filter(&format!("tag:{key}"), [value])).collect();
    let mut owned: Vec<T> = T::describe(ec2, filters).await?;
    owned.retain(|object| object.lifecycle().exists() && tags::are_owned(step, &tags_of(object.tags())));
    // One that failed and was not deleted yet may stand beside the one that took its place.
    let failed = |object: &T| match object.lifecycle() {
        Lifecycle::Failed(reason) => Some(reason),
        _ => None,
    };
    if owned.iter().any(|object| failed(object).is_none()) {
        owned.retain(|object| failed(object).is_none());
    }
    match owned.as_slice() {
        [] => Ok(None),
        [object] => Ok(Some(Found { id: PhysicalId::new(object.id()), failed: failed(object) })),
        several => {
            let ids: Vec<&str> = several.iter().map(Ec2Object::id).collect();
            let message = format!(
                "{} {}s carry the ownership tags of {}: {}; delete those that are not in use",
                several.len(),
                T::NAME,
                step.urn,
                ids.join(", "),
            );
            Err(ProviderError::new(ErrorKind::Invalid, message))
        }
    }
}

/// The object of an id, once it is usable, with its tags brought to what is wanted by as few calls as
/// that takes.
pub(super) async fn tagged<T: Ec2Object, R: ResourceType>(
    ec2: &Client,
    step: &StepContext,
    scope: Scope<'_, R>,
    inputs: &R,
    declared: fn(&R) -> &Input<Tags>,
    id: &PhysicalId,
) -> Result<T, ProviderError> {
    let object: T = ready(ec2, step, R::CONSISTENCY_WINDOW, id).await?;
    let changes = tags::changes(step, scope, inputs, declared, &tags_of(object.tags()));
    // What one call sees of a new object, the next may not see yet.
    if !changes.put.is_empty() {
        until_seen(step, R::CONSISTENCY_WINDOW, || async {
            let request = ec2.create_tags().resources(id.as_str());
            request.set_tags(Some(sdk_tags(&changes.put))).send().await.during("CreateTags")
        })
        .await?;
    }
    if !changes.remove.is_empty() {
        let remove = changes.remove.iter().map(|key| Tag::builder().key(key).build());
        let remove: Vec<Tag> = remove.collect();
        until_seen(step, R::CONSISTENCY_WINDOW, || async {
            let request = ec2.delete_tags().resources(id.as_str());
            request.set_tags(Some(remove.clone())).send().await.during("DeleteTags")
        })
        .await?;
    }
    Ok(object)
}

/// The tags of a creating call.
pub(super) fn tag_specification(
    target: TagTarget,
    step: &StepContext,
    declared: &Input<Tags>,
) -> TagSpecification {
    let tags = sdk_tags(&tags::of_creation(step, declared));
    TagSpecification::builder().resource_type(target).set_tags(Some(tags)).build()
}

/// Tags as a plain map.
pub(super) fn tags_of(tags: &[Tag]) -> Tags {
    tags.iter()
        .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())))
        .collect()
}

/// The declared tags of an object.
pub(super) fn observed_tags(object: &impl Ec2Object) -> Input<Tags> {
    tags::observed(&tags_of(object.tags())).into()
}

fn sdk_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// A filter.
pub(super) fn filter(name: &str, values: impl IntoIterator<Item = impl Into<String>>) -> Filter {
    Filter::builder().name(name).set_values(Some(values.into_iter().map(Into::into).collect())).build()
}

/// Settings of a creating call without a client token: it is sent once. The engine sends it again if
/// it was throttled, and looks for its object if the answer was lost.
pub(super) fn sent_once() -> Builder {
    Builder::new().retry_config(RetryConfig::disabled())
}

/// The id in the answer to a creating call.
pub(super) fn created(call: &str, id: Option<&str>) -> Result<PhysicalId, ProviderError> {
    // It was created, but as what is unknown: it is looked for by its tags.
    id.map(PhysicalId::new)
        .ok_or_else(|| ProviderError::new(ErrorKind::Unclear, format!("{call}: the answer names no id")))
}
