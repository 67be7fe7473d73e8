//! An object of whatever kind, also of one that a CRD brings.
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/>

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use lsinfra_engine::provider::{ChangeKind, Changes, Existing, Found, Objection, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, Properties, ResourceType, StepContext, Value,
};
use serde_json::{Value as Json, json};

use crate::aws::property::{problem, repeated};
use crate::durations;
use crate::kubernetes::error::of_read;
use crate::kubernetes::kind::{LongId, group_of};
use crate::kubernetes::objects::{self, Owned, READ_AT_ONCE};
use crate::kubernetes::wait_for::{self, WaitFor};
use crate::kubernetes::{CONSISTENCY_WINDOW, KubernetesClient, fields, object, ownership};

/// The member of an observed body that says whose the object is.
const OWNER: &str = "lsinfra.dev/owner";
/// The members of a body that are inputs of their own.
const OWN_INPUTS: [&str; 2] = ["apiVersion", "kind"];

/// An object of whatever kind. [`Manifest::of`] makes one of a whole manifest.
///
/// What of it cannot be changed in place, the cluster refuses: `replace_on_changes(["body"])` makes a new object then.
#[derive(Clone, Default, Inputs)]
pub struct Manifest {
    /// Group and version of its kind, such as `apps/v1`.
    #[input(required)]
    pub api_version: Input<String>,
    /// Its kind, such as `Deployment`.
    #[input(required, replace)]
    pub kind: Input<String>,
    /// The namespace that it is in, if objects of its kind are in namespaces.
    #[input(replace)]
    pub namespace: Input<String>,
    /// Its name.
    #[input(required, replace)]
    pub name: Input<String>,
    /// All the rest of it, such as `{"metadata": {"labels": …}, "spec": …}`.
    #[input(required)]
    pub body: Input<Value>,
    /// What it has to say before it counts as ready; nothing by default.
    pub wait_for: Input<Vec<WaitFor>>,
}

/// What an object gives once it is ready.
#[derive(Clone, Outputs)]
pub struct ManifestOutputs {
    /// Its name.
    pub name: Output<String>,
    /// Its own id, which no later object of its name has.
    pub uid: Output<String>,
}

impl Manifest {
    /// The inputs for a whole manifest; what is missing in it is told when they are checked.
    pub fn of(manifest: Json) -> Self {
        let mut body = manifest;
        let mut take = |path: &[&str]| -> Input<String> {
            let (last, parents) = match path {
                [parents @ .., last] => (*last, parents),
                [] => return Input::default(),
            };
            let parent = parents.iter().try_fold(&mut body, |at, name| at.get_mut(*name));
            let taken = parent.and_then(Json::as_object_mut).and_then(|parent| parent.remove(last));
            taken.and_then(|text| text.as_str().map(Input::from)).unwrap_or_default()
        };
        let api_version = take(&["apiVersion"]);
        let kind = take(&["kind"]);
        let namespace = take(&["metadata", "namespace"]);
        let name = take(&["metadata", "name"]);
        if body["metadata"].as_object().is_some_and(serde_json::Map::is_empty)
            && let Some(body) = body.as_object_mut()
        {
            body.remove("metadata");
        }
        let body = Value::from_plain_json(body).into();
        Self { api_version, kind, namespace, name, body, wait_for: Input::default() }
    }

    fn id(&self) -> LongId {
        LongId {
            api_version: self.api_version.get().unwrap_or_default(),
            kind: self.kind.get().unwrap_or_default(),
            namespace: self.namespace.get(),
            name: self.name.get().unwrap_or_default(),
        }
    }

    fn json(&self) -> Result<Json, ProviderError> {
        Ok(self.body.get().map_or_else(|| Ok(json!({})), |body| body.to_plain_json())?)
    }

    async fn apply(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
        id: &PhysicalId,
        previous: &Json,
    ) -> Result<ManifestOutputs, ProviderError> {
        // The id keeps the version that the object was made with.
        let id = LongId { api_version: self.id().api_version, ..LongId::read(id)? };
        let place = id.require_place(client).await?;
        let live = objects::apply(client, step, &place, &self.json()?, previous).await?;
        let wanted = self.wait_for.get().unwrap_or_default();
        if !wanted.is_empty() {
            wait_for::ready(client, step, &place, &wanted).await?;
        }
        Ok(outputs(&live))
    }

    async fn observe(
        client: &KubernetesClient,
        existing: &Existing<Self>,
    ) -> Result<Option<Observed<Self>>, ProviderError> {
        let mut id = LongId::read(&existing.id)?;
        if let Some(api_version) = existing.inputs.api_version.get()
            && group_of(&api_version) == group_of(&id.api_version)
        {
            id.api_version = api_version;
        }
        let Some(place) = id.place(client).await? else { return Ok(None) };
        let live = objects::get(client, &place).await?.filter(|live| !objects::is_leaving(live));
        let Some(live) = live else { return Ok(None) };
        let applied = existing.inputs.json()?;
        let mut seen = fields::observed(&live, &[], &applied).unwrap_or_default();
        seen[OWNER] = json!(ownership::tags(&live));
        let inputs = Self {
            api_version: id.api_version.into(),
            kind: id.kind.into(),
            namespace: id.namespace.map_or_else(Input::absent, Input::from),
            name: id.name.into(),
            body: Value::from_plain_json(seen).into(),
            // Not a setting of the object's: nobody else can change it.
            wait_for: existing.inputs.wait_for.clone(),
        };
        Ok(Some(Observed { inputs, outputs: outputs(&live) }))
    }
}

fn outputs(live: &Json) -> ManifestOutputs {
    let object = object::outputs(live);
    ManifestOutputs { name: object.name, uid: object.uid }
}

fn check_body(body: &Value) -> Vec<InputProblem> {
    let Some(fields) = body.as_map() else {
        return vec![problem("body", "a body is a structure, such as {\"spec\": …}")];
    };
    if body.has_secret() {
        return vec![problem("body", "values that are secret belong into a kubernetes:core:Secret")];
    }
    let mut problems = Vec::new();
    for own in OWN_INPUTS.into_iter().filter(|name| fields.contains_key(*name)) {
        problems.push(problem(&format!("body.{own}"), "this is an input of its own"));
    }
    problems.extend(
        fields.contains_key("status").then(|| problem("body.status", "a status is told, not declared")),
    );
    let Some(metadata) = fields.get("metadata") else { return problems };
    let Some(metadata) = metadata.as_map() else {
        problems.push(problem("body.metadata", "metadata are a structure"));
        return problems;
    };
    for own in ["name", "namespace"].into_iter().filter(|name| metadata.contains_key(*name)) {
        problems.push(problem(&format!("body.metadata.{own}"), "this is an input of its own"));
    }
    for field in ["labels", "annotations"] {
        match metadata.get(field) {
            Some(Value::Map(entries)) => problems.extend(
                entries
                    .keys()
                    .filter_map(|key| object::check_key(&format!("body.metadata.{field}.{key}"), key)),
            ),
            Some(_) => problems.push(problem(&format!("body.metadata.{field}"), "these are texts by key")),
            None => {}
        }
    }
    problems
}

#[async_trait]
impl ResourceType for Manifest {
    const TYPE: &'static str = "kubernetes:meta:Manifest";
    const ID_FORM: &'static str =
        "API version, kind, namespace (if it is in one) and name: `apps/v1/Deployment/langsmith/web`";
    const SERVICE: &'static str = "kubernetes";
    const CONSISTENCY_WINDOW: std::time::Duration = CONSISTENCY_WINDOW;
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = ManifestOutputs;
    type Client = KubernetesClient;

    fn check(&self) -> Vec<InputProblem> {
        let names = [("name", &self.name), ("namespace", &self.namespace)];
        let names = names.into_iter().filter_map(|(path, name)| Some((path, name.get()?)));
        // Names of some kinds, such as roles, have colons.
        let mut problems: Vec<InputProblem> = names
            .filter(|(_, name)| {
                name.is_empty() || name.contains(['/', '%', '?', '#']) || name.contains(char::is_whitespace)
            })
            .map(|(path, name)| problem(path, format!("{name:?} cannot be the name of an object")))
            .collect();
        problems.extend(self.body.get().iter().flat_map(check_body));
        problems
    }

    fn predict(&self, _connection: &Value) -> ManifestOutputs {
        ManifestOutputs { name: repeated(&self.name), ..ManifestOutputs::unknown() }
    }

    fn check_change(&self, previous: &Self, change: ChangeKind) -> Vec<Objection> {
        let (before, after) = (previous.api_version.get(), self.api_version.get());
        let (Some(before), Some(after)) = (before, after) else { return Vec::new() };
        if change != ChangeKind::Update || group_of(&before) == group_of(&after) {
            return Vec::new();
        }
        let message = format!(
            "{after} is of another group than {before}, so that this is another kind: give it a resource of its own"
        );
        vec![problem("api_version", message).into()]
    }

    fn excludes(&self, previous: &Self) -> bool {
        let (one, other) = (self.id(), previous.id());
        let group = |id: &LongId| group_of(&id.api_version).to_owned();
        (group(&one), &one.kind, &one.namespace, &one.name)
            == (group(&other), &other.kind, &other.namespace, &other.name)
    }

    fn carries_owner_tags() -> bool {
        true
    }

    fn take_owner_tags(inputs: &mut Properties) -> BTreeMap<String, String> {
        let Some(Value::Map(body)) = inputs.get_mut("body") else { return BTreeMap::new() };
        let Some(Value::Map(owner)) = body.remove(OWNER) else { return BTreeMap::new() };
        owner.into_iter().filter_map(|(key, value)| Some((key, value.as_text()?.to_owned()))).collect()
    }

    async fn create(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
    ) -> Result<PhysicalId, ProviderError> {
        let id = self.id();
        let place = id.require_place(client).await?;
        objects::create(client, step, &place, &self.json()?).await?;
        Ok(id.id())
    }

    async fn complete(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<ManifestOutputs, ProviderError> {
        self.apply(client, step, id, &json!({})).await
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
    ) -> Result<ManifestOutputs, ProviderError> {
        self.apply(client, step, id, &changes.previous.json()?).await
    }

    async fn delete(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let mut id = LongId::read(id)?;
        if let Some(api_version) = self.api_version.get() {
            id.api_version = api_version;
        }
        // Without its kind, no object of it is left.
        let Some(place) = id.place(client).await? else { return Ok(()) };
        objects::delete(client, step, &place, Owned::GoesFirst).await
    }

    async fn find(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
    ) -> Result<Option<Found>, ProviderError> {
        let id = self.id();
        let Some(place) = id.place(client).await? else { return Ok(None) };
        let is_there = objects::find(client, step, &place).await?;
        Ok(is_there.then(|| Found { id: id.id(), failed: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment() -> Json {
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "langsmith", "labels": {"a": "b"}},
            "spec": {"replicas": 2},
        })
    }

    #[test]
    fn a_manifest_is_taken_apart() {
        let manifest = Manifest::of(deployment());
        assert_eq!(manifest.id().id().as_str(), "apps/v1/Deployment/langsmith/web");
        let body = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"replicas": 2}});
        assert_eq!(manifest.body.get(), Some(Value::from_plain_json(body)));
        assert!(manifest.check().is_empty());
        let class = Manifest::of(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}));
        assert_eq!(class.body.get(), Some(Value::from_plain_json(json!({}))));
        assert!(!class.namespace.is_given());
    }

    #[test]
    fn what_is_no_body_is_a_problem() {
        for bad in [
            json!("x"),
            json!({"kind": "x"}),
            json!({"status": {}}),
            json!({"metadata": {"name": "x"}}),
            json!({"metadata": "x"}),
            json!({"metadata": {"labels": {"lsinfra.dev/lineage": "x"}}}),
            json!({"metadata": {"annotations": "x"}}),
        ] {
            assert_eq!(check_body(&Value::from_plain_json(bad.clone())).len(), 1, "{bad}");
        }
    }

    #[test]
    fn another_version_is_a_change_and_another_group_is_not() {
        let of =
            |api_version: &str| Manifest { api_version: api_version.into(), ..Manifest::of(deployment()) };
        assert!(of("apps/v2").check_change(&of("apps/v1"), ChangeKind::Update).is_empty());
        assert_eq!(of("example.com/v1").check_change(&of("apps/v1"), ChangeKind::Update).len(), 1);
        assert!(of("apps/v2").excludes(&of("apps/v1")));
        assert!(!Manifest { name: "other".into(), ..of("apps/v1") }.excludes(&of("apps/v1")));
    }
}
