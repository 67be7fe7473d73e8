//! The calls on objects of whatever kind: server-side apply, with the fields of others left alone, and nothing done to what
//! is not ours.
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/>

use std::task::Poll;

use http::Method;
use lsinfra_engine::StepContext;
use lsinfra_engine::provider::{ErrorKind, Found, ProviderError};
use serde_json::{Value as Json, json};

use crate::aws::error::{found, not_found};
use crate::aws::tags;
use crate::aws::wait::SECONDS;
use crate::kubernetes::connector::request;
use crate::kubernetes::error::{conflicting_fields, provider_error};
use crate::kubernetes::fields::{FIELD_MANAGER, is_own, names_part};
use crate::kubernetes::kind::Place;
use crate::kubernetes::{KubernetesClient, hold, ownership};

/// How many objects are read at once.
pub(super) const READ_AT_ONCE: usize = 16;

/// How often it is tried again to settle what a creating call made, while others change the object.
const SETTLING_ATTEMPTS: u32 = 10;

const JSON: &str = "application/json";
const APPLY: &str = "application/apply-patch+yaml";
const MERGE: &str = "application/merge-patch+json";

/// What becomes of what an object owns when it is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owned {
    /// It owns nothing that matters: it goes at once.
    IsNothing,
    /// The object stays until all that it owns is gone.
    GoesFirst,
}

/// The object at a place; `None` if there is none.
///
/// # Errors
/// The call's.
pub(crate) async fn get(client: &KubernetesClient, place: &Place) -> Result<Option<Json>, ProviderError> {
    let request = client.get(&format!("{}/{}", place.path(), place.name))?;
    found(client.call(&format!("get {place}"), client.kube.request(request)).await)
}

/// The objects below a path, as far as a query narrows them.
///
/// # Errors
/// The call's.
pub(crate) async fn list(
    client: &KubernetesClient,
    path: &str,
    query: &str,
) -> Result<Vec<Json>, ProviderError> {
    let request = client.get(&format!("{path}?limit=500{query}"))?;
    let mut answer: Json = client.call(&format!("list {path}"), client.kube.request(request)).await?;
    Ok(match answer["items"].take() {
        Json::Array(items) => items,
        _ => Vec::new(),
    })
}

/// Makes the object, unless there is one.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] if there is one, whoever's; the call's.
pub(crate) async fn create(
    client: &KubernetesClient,
    step: &StepContext,
    place: &Place,
    body: &Json,
) -> Result<(), ProviderError> {
    let body = whole(step, place, body);
    let path = format!("{}?fieldManager={FIELD_MANAGER}&fieldValidation=Strict", place.path());
    let request = request(Method::POST, &path, Some((JSON, &body)))?;
    let answer = client.call(&format!("create {place}"), client.kube.request::<Json>(request)).await;
    match answer {
        // What is on its way out still has its name; once it is gone there is room.
        Err(error) if error.kind == ErrorKind::AlreadyExists => match get(client, place).await? {
            Some(live) if is_leaving(&live) => {
                let text = format!("{}; it is on its way out", error.message);
                Err(ProviderError { kind: ErrorKind::Conflict, message: text, ..error })
            }
            _ => Err(error),
        },
        answer => answer.map(|_| ()),
    }
}

/// Brings the object to what is declared, and gives it as it is then. What was ours in `previous` and somebody else
/// changed is taken back; what never was is not.
///
/// # Errors
/// [`ErrorKind::NotFound`] if it is not there; [`ErrorKind::Invalid`] if it is not ours, or if others have fields that
/// are declared; the call's.
pub(crate) async fn apply(
    client: &KubernetesClient,
    step: &StepContext,
    place: &Place,
    body: &Json,
    previous: &Json,
) -> Result<Json, ProviderError> {
    let mut attempts = 0;
    let live = loop {
        let live = get(client, place).await?.ok_or_else(|| not_found(format!("there is no {place}")))?;
        tags::require_lineage(step, &format!("the {place}"), &ownership::tags(&live))?;
        match settle_creation(client, place, &live).await {
            // Its controllers have just begun to write its status.
            Err(error) if error.kind == ErrorKind::Conflict && attempts < SETTLING_ATTEMPTS => attempts += 1,
            answer => break answer.map(|()| live)?,
        }
    };
    let mut body = whole(step, place, body);
    // An object that was deleted meanwhile is not made anew by the way.
    body["metadata"]["uid"] = live["metadata"]["uid"].clone();
    match apply_once(client, place, &body, false).await? {
        Ok(applied) => Ok(applied),
        Err(conflict) => {
            let mut ours = previous.clone();
            ownership::put(step, &mut ours);
            let fields = conflicting_fields(&conflict).unwrap_or_default();
            if fields.iter().all(|field| names_part(&ours, field)) {
                let forced = apply_once(client, place, &body, true).await?;
                return forced.map_err(|error| failed(client, place, &error));
            }
            Err(failed(client, place, &conflict))
        }
    }
}

fn failed(client: &KubernetesClient, place: &Place, error: &kube::Error) -> ProviderError {
    provider_error(&client.connection, &format!("apply {place}"), error)
}

/// Applies; the inner error says that others have some of the fields.
async fn apply_once(
    client: &KubernetesClient,
    place: &Place,
    body: &Json,
    force: bool,
) -> Result<Result<Json, kube::Error>, ProviderError> {
    let path = format!(
        "{}/{}?fieldManager={FIELD_MANAGER}&fieldValidation=Strict&force={force}",
        place.path(),
        place.name
    );
    let request = request(Method::PATCH, &path, Some((APPLY, body)))?;
    match client.kube.request(request).await {
        Err(error) if conflicting_fields(&error).is_some() => Ok(Err(error)),
        answer => client.call(&format!("apply {place}"), async { answer }).await.map(Ok),
    }
}

/// Makes the fields of the creating call fields that were applied, so that what is no longer declared goes away: a call
/// that creates, which unlike an apply never touches what is there, counts as an update.
/// <https://kubernetes.io/docs/reference/using-api/server-side-apply/#upgrading-from-client-side-apply-to-server-side-apply>
async fn settle_creation(client: &KubernetesClient, place: &Place, live: &Json) -> Result<(), ProviderError> {
    let entries = live["metadata"]["managedFields"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_created = |entry: &Json| is_own(entry) && entry["operation"] == "Update";
    if !entries.iter().any(is_created) {
        return Ok(());
    }
    let is_applied = entries.iter().any(|entry| is_own(entry) && entry["operation"] == "Apply");
    let mut entries = entries.to_vec();
    if is_applied {
        entries.retain(|entry| !is_created(entry));
    }
    for entry in entries.iter_mut().filter(|entry| is_created(entry)) {
        entry["operation"] = json!("Apply");
    }
    let resource_version = &live["metadata"]["resourceVersion"];
    let patch = json!({"metadata": {"managedFields": entries, "resourceVersion": resource_version}});
    let path = format!("{}/{}?fieldManager={FIELD_MANAGER}", place.path(), place.name);
    let request = request(Method::PATCH, &path, Some((MERGE, &patch)))?;
    client.call(&format!("apply {place}"), client.kube.request::<Json>(request)).await.map(|_| ())
}

/// An object with all that says which it is, and whose.
fn whole(step: &StepContext, place: &Place, body: &Json) -> Json {
    let mut object = body.clone();
    object["apiVersion"] = json!(place.kind.api_version);
    object["kind"] = json!(place.kind.kind);
    ownership::put(step, &mut object);
    object["metadata"]["name"] = json!(place.name);
    if let Some(namespace) = &place.namespace {
        object["metadata"]["namespace"] = json!(namespace);
    }
    object
}

/// The object that an unfinished creation left.
///
/// # Errors
/// The call's.
pub(crate) async fn find(
    client: &KubernetesClient,
    step: &StepContext,
    place: &Place,
) -> Result<bool, ProviderError> {
    let live = get(client, place).await?;
    Ok(live.is_some_and(|live| !is_leaving(&live) && tags::are_owned(step, &ownership::tags(&live))))
}

/// As [`find`], as the engine asks for it.
///
/// # Errors
/// The call's.
pub(crate) async fn find_short(
    client: &KubernetesClient,
    step: &StepContext,
    place: &Place,
) -> Result<Option<Found>, ProviderError> {
    Ok(find(client, step, place).await?.then(|| Found { id: place.short_id(), failed: None }))
}

/// Deletes the object if it is ours, and waits until it is gone, saying what holds it.
///
/// # Errors
/// [`ErrorKind::Invalid`] if it is not ours; those of waiting; the call's.
pub(crate) async fn delete(
    client: &KubernetesClient,
    step: &StepContext,
    place: &Place,
    owned: Owned,
) -> Result<(), ProviderError> {
    let Some(live) = get(client, place).await? else { return Ok(()) };
    tags::require_lineage(step, &format!("the {place}"), &ownership::tags(&live))?;
    remove(client, step, place, &live, owned).await
}

/// Deletes that very object, and waits until it is gone.
///
/// # Errors
/// Those of waiting; the call's.
pub(crate) async fn remove(
    client: &KubernetesClient,
    step: &StepContext,
    place: &Place,
    live: &Json,
    owned: Owned,
) -> Result<(), ProviderError> {
    let uid = &live["metadata"]["uid"];
    if !is_leaving(live) {
        let policy = if owned == Owned::GoesFirst { "Foreground" } else { "Background" };
        let options = json!({"propagationPolicy": policy, "preconditions": {"uid": uid}});
        let path = format!("{}/{}", place.path(), place.name);
        let request = request(Method::DELETE, &path, Some((JSON, &options)))?;
        found(client.call(&format!("delete {place}"), client.kube.request::<Json>(request)).await)?;
    }
    step.poll(SECONDS, || async {
        match get(client, place).await? {
            Some(live) if live["metadata"]["uid"] == *uid => {
                Ok((Poll::Pending, hold::told(client, place, &live).await))
            }
            _ => Ok((Poll::Ready(()), String::new())),
        }
    })
    .await
}

/// Whether an object is on its way out: nothing can be done with it any more.
pub(crate) fn is_leaving(object: &Json) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

/// The object's own id, which no later object of its name has.
pub(crate) fn uid(object: &Json) -> String {
    object["metadata"]["uid"].as_str().unwrap_or_default().to_owned()
}

/// Applies a part of an object that is somebody else's, whoever has these fields; those that were applied before and are not
/// in it are given up.
///
/// # Errors
/// The call's.
pub(crate) async fn take_fields(
    client: &KubernetesClient,
    place: &Place,
    live: &Json,
    mut body: Json,
) -> Result<(), ProviderError> {
    body["apiVersion"] = json!(place.kind.api_version);
    body["kind"] = json!(place.kind.kind);
    body["metadata"]["name"] = json!(place.name);
    body["metadata"]["uid"] = live["metadata"]["uid"].clone();
    let answer = apply_once(client, place, &body, true).await?;
    answer.map(|_| ()).map_err(|error| failed(client, place, &error))
}
