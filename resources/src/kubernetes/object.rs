//! What all types of one known kind have in common: where their inputs are in an object, and what becomes of them.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use lsinfra_engine::provider::{Changes, ErrorKind, Existing, Found, Observed, ProviderError};
use lsinfra_engine::{
    Expression, Input, InputProblem, Output, Outputs, PhysicalId, Properties, Property, ResourceType,
    StepContext, Value,
};
use serde_json::{Map, Value as Json, json};

use crate::aws::property::{problem, repeated};
use crate::kubernetes::error::of_read;
use crate::kubernetes::kind::{Kind, Place};
use crate::kubernetes::objects::{self, Owned, READ_AT_ONCE};
use crate::kubernetes::{KubernetesClient, fields, ownership};

/// What an object gives once it is there.
#[derive(Clone, Outputs)]
pub struct ObjectOutputs {
    /// Its name.
    pub name: Output<String>,
    /// Its own id, which no later object of its name has.
    pub uid: Output<String>,
}

/// How an input stands in an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it is.
    AsIs,
    /// A truth value as text.
    BoolText,
}

/// Where an input is in an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldAt {
    pub(crate) field: &'static str,
    pub(crate) path: &'static [&'static str],
    pub(crate) form: Form,
}

/// A type whose objects are all of one kind that every cluster has.
pub(crate) trait KnownObject:
    ResourceType<Client = KubernetesClient, Outputs = ObjectOutputs>
{
    /// The kind.
    const KIND: Kind;
    /// Where its inputs are.
    const FIELDS_AT: &'static [FieldAt];

    /// The inputs as they were read.
    fn read_from(values: &mut Properties) -> Self;

    /// Problems that are the type's own.
    fn problems(&self) -> Vec<InputProblem> {
        Vec::new()
    }
}

/// The known inputs, erased.
pub(super) fn values<T: lsinfra_engine::Inputs>(inputs: &T) -> Properties {
    let known = inputs.expressions().into_iter().filter_map(|(name, expression)| match expression {
        Expression::Value(value) if !value.has_unknown() => Some((name.to_owned(), value)),
        _ => None,
    });
    known.collect()
}

/// An input as it was read: [`Value::Null`] is not there, and what could not have been declared counts as that.
pub(crate) fn taken<T: Property>(value: Option<Value>) -> Input<T> {
    match value {
        None => Input::default(),
        Some(Value::Null) => Input::absent(),
        Some(value) => Input::from_value(Some(&value)).unwrap_or_else(|_| Input::absent()),
    }
}

/// Where the object of these inputs is.
///
/// # Errors
/// [`ErrorKind::Invalid`] if name or namespace is not given.
pub(super) fn place(kind: &Kind, values: &Properties) -> Result<Place, ProviderError> {
    let text = |field: &str| values.get(field).and_then(Value::as_text).map(str::to_owned);
    let (name, namespace) = (text("name"), text("namespace"));
    match name {
        Some(name) if kind.is_namespaced == namespace.is_some() => {
            Ok(Place { kind: kind.clone(), namespace, name })
        }
        _ => {
            let message = format!("a {} has a name, and a namespace if its kind is in one", kind.kind);
            Err(ProviderError::new(ErrorKind::Invalid, message))
        }
    }
}

/// The object of these inputs.
///
/// # Errors
/// [`ErrorKind::Invalid`] for a secret or an unknown in it.
pub(super) fn body(values: &Properties, fields: &[FieldAt]) -> Result<Json, ProviderError> {
    let mut object = Json::Object(Map::new());
    for FieldAt { field, path, form } in fields {
        let Some(value) = values.get(*field) else { continue };
        let mut at = &mut object;
        for name in *path {
            at = &mut at[*name];
        }
        *at = form.written(value.to_plain_json()?);
    }
    Ok(object)
}

impl Form {
    fn written(self, value: Json) -> Json {
        match (self, value) {
            (Self::BoolText, Json::Bool(flag)) => json!(flag.to_string()),
            (_, value) => value,
        }
    }

    fn read(self, value: Json) -> Json {
        match (self, value.as_str()) {
            (Self::BoolText, Some("true")) => json!(true),
            (Self::BoolText, Some("false")) => json!(false),
            _ => value,
        }
    }
}

/// The inputs as they are in the object: those that were applied, as far as they mean the same.
pub(super) fn observed(object: &Json, applied: &Properties, fields: &[FieldAt]) -> Properties {
    let mut seen = Properties::new();
    for FieldAt { field, path, form } in fields {
        let Some(Ok(applied)) = applied.get(*field).map(Value::to_plain_json) else { continue };
        let value = fields::observed(object, path, &form.written(applied));
        let value = value.map_or(Value::Null, |value| Value::from_plain_json(form.read(value)));
        seen.insert((*field).to_owned(), value);
    }
    put_owner(object, &mut seen);
    seen
}

/// Shows whose an object is among its annotations, where [`take_owner_tags`] looks.
fn put_owner(object: &Json, seen: &mut Properties) {
    let owner = ownership::tags(object)
        .into_iter()
        .filter_map(|(tag, value)| Some((ownership::annotation(&tag)?, Value::Text(value))));
    let owner: BTreeMap<String, Value> = owner.collect();
    match seen.get_mut("annotations") {
        Some(Value::Map(annotations)) => annotations.extend(owner),
        Some(annotations) => *annotations = Value::Map(owner),
        None if !owner.is_empty() => {
            seen.insert("annotations".to_owned(), Value::Map(owner));
        }
        None => {}
    }
}

/// Takes the ownership tags out of the annotations that were read.
pub(crate) fn take_owner_tags(inputs: &mut Properties) -> BTreeMap<String, String> {
    let Some(Value::Map(annotations)) = inputs.get_mut("annotations") else { return BTreeMap::new() };
    let owner = annotations.extract_if(.., |key, _| key.starts_with(ownership::PREFIX));
    let owner = owner.filter_map(|(key, value)| Some((ownership::tag(&key)?, value.as_text()?.to_owned())));
    owner.collect()
}

/// What an object gives.
pub(super) fn outputs(object: &Json) -> ObjectOutputs {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    ObjectOutputs { name: name.to_owned().into(), uid: objects::uid(object).into() }
}

/// What can be told before there is an object.
pub(crate) fn predict(name: &Input<String>) -> ObjectOutputs {
    ObjectOutputs { name: repeated(name), ..ObjectOutputs::unknown() }
}

/// Whether two objects of a kind have the same place, so that only one of them can be there.
pub(crate) fn share_a_place<T: lsinfra_engine::Inputs>(one: &T, other: &T) -> bool {
    let (one, other) = (values(one), values(other));
    ["name", "namespace"].into_iter().all(|field| one.get(field) == other.get(field))
}

/// Problems that objects of every kind may have.
pub(crate) fn check<T: lsinfra_engine::Inputs>(inputs: &T) -> Vec<InputProblem> {
    let values = values(inputs);
    let mut problems = Vec::new();
    for field in ["name", "namespace"] {
        let text = values.get(field).and_then(Value::as_text);
        problems.extend(text.and_then(|text| check_name(field, text)));
    }
    for field in ["labels", "annotations"] {
        let map = values.get(field).and_then(Value::as_map).into_iter().flatten();
        problems.extend(map.filter_map(|(key, _)| check_key(&format!("{field}.{key}"), key)));
    }
    problems
}

/// A problem of a name: <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>
pub(super) fn check_name(path: &str, name: &str) -> Option<InputProblem> {
    const LIMIT: usize = 253;
    let is_inner = |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || "-.".contains(one);
    let is_end = |one: Option<char>| one.is_some_and(|one| one.is_ascii_lowercase() || one.is_ascii_digit());
    let is_name = name.len() <= LIMIT
        && name.chars().all(is_inner)
        && is_end(name.chars().next())
        && is_end(name.chars().next_back());
    (!is_name).then(|| {
        let rule = "lowercase letters, digits, hyphens and dots, with a letter or digit at both ends";
        problem(path, format!("{name:?}: a name has 1 to {LIMIT} {rule}"))
    })
}

/// A problem of a label or annotation that is kept for what says whose an object is.
pub(super) fn check_key(path: &str, key: &str) -> Option<InputProblem> {
    key.starts_with(ownership::PREFIX)
        .then(|| problem(path, format!("keys that begin with `{}` are reserved", ownership::PREFIX)))
}

/// Makes the object.
///
/// # Errors
/// Those of [`objects::create`].
pub(crate) async fn create<T: KnownObject>(
    inputs: &T,
    client: &KubernetesClient,
    step: &StepContext,
) -> Result<PhysicalId, ProviderError> {
    let values = values(inputs);
    let place = place(&T::KIND, &values)?;
    objects::create(client, step, &place, &body(&values, T::FIELDS_AT)?).await?;
    Ok(place.short_id())
}

/// Brings the object to its inputs.
///
/// # Errors
/// Those of [`objects::apply`].
pub(crate) async fn apply<T: KnownObject>(
    inputs: &T,
    client: &KubernetesClient,
    step: &StepContext,
    id: &PhysicalId,
    changes: Option<&Changes<T>>,
) -> Result<ObjectOutputs, ProviderError> {
    let place = Place::of_short_id(&T::KIND, id)?;
    let previous = match changes {
        Some(changes) => body(&values(&changes.previous), T::FIELDS_AT)?,
        None => json!({}),
    };
    let body = body(&values(inputs), T::FIELDS_AT)?;
    Ok(outputs(&objects::apply(client, step, &place, &body, &previous).await?))
}

/// Reads objects.
///
/// # Errors
/// The calls'.
pub(crate) async fn read<T: KnownObject>(
    client: &KubernetesClient,
    existing: &[Existing<T>],
) -> Result<Vec<Option<Observed<T>>>, ProviderError> {
    let mut read = Vec::with_capacity(existing.len());
    for chunk in existing.chunks(READ_AT_ONCE) {
        let answers = try_join_all(chunk.iter().map(|object| read_one(client, object))).await;
        read.extend(answers.map_err(of_read)?);
    }
    Ok(read)
}

async fn read_one<T: KnownObject>(
    client: &KubernetesClient,
    existing: &Existing<T>,
) -> Result<Option<Observed<T>>, ProviderError> {
    let place = Place::of_short_id(&T::KIND, &existing.id)?;
    let live = objects::get(client, &place).await?.filter(|live| !objects::is_leaving(live));
    Ok(live.map(|live| {
        let mut seen = observed(&live, &values(&existing.inputs), T::FIELDS_AT);
        Observed { inputs: T::read_from(&mut seen), outputs: outputs(&live) }
    }))
}

/// Deletes the object, and waits until it is gone.
///
/// # Errors
/// Those of [`objects::delete`].
pub(crate) async fn delete<T: KnownObject>(
    client: &KubernetesClient,
    step: &StepContext,
    id: &PhysicalId,
) -> Result<(), ProviderError> {
    objects::delete(client, step, &Place::of_short_id(&T::KIND, id)?, Owned::IsNothing).await
}

/// Looks for the object that an unfinished creation left.
///
/// # Errors
/// The call's.
pub(crate) async fn find<T: KnownObject>(
    inputs: &T,
    client: &KubernetesClient,
    step: &StepContext,
) -> Result<Option<Found>, ProviderError> {
    objects::find_short(client, step, &place(&T::KIND, &values(inputs))?).await
}

/// Makes a structure of inputs a resource type of one known kind: its token, its kind, and where its inputs are.
macro_rules! known_object {
    (
        $type:ident, $token:literal, $id_form:literal, $kind:expr $(, checked by $problems:expr)?;
        $( $field:ident: [$($path:literal),+] $($form:ident)? ),+ $(,)?
    ) => {
        impl $crate::kubernetes::object::KnownObject for $type {
            const KIND: $crate::kubernetes::kind::Kind = $kind;
            const FIELDS_AT: &'static [$crate::kubernetes::object::FieldAt] = &[$(
                $crate::kubernetes::object::FieldAt {
                    field: stringify!($field),
                    path: &[$($path),+],
                    form: known_object!(@form $($form)?),
                },
            )+];

            fn read_from(values: &mut ::lsinfra_engine::Properties) -> Self {
                Self { $($field: $crate::kubernetes::object::taken(values.remove(stringify!($field))),)+ }
            }

            $(fn problems(&self) -> Vec<::lsinfra_engine::InputProblem> {
                $problems(self)
            })?
        }

        #[async_trait::async_trait]
        impl ::lsinfra_engine::ResourceType for $type {
            const TYPE: &'static str = $token;
            const ID_FORM: &'static str = $id_form;
            const SERVICE: &'static str = "kubernetes";
            const CONSISTENCY_WINDOW: ::std::time::Duration = $crate::kubernetes::CONSISTENCY_WINDOW;
            const DURATIONS: ::lsinfra_engine::schema::Durations = $crate::durations::of($token);

            type Outputs = $crate::kubernetes::ObjectOutputs;
            type Client = $crate::kubernetes::KubernetesClient;

            fn check(&self) -> Vec<::lsinfra_engine::InputProblem> {
                let mut problems = $crate::kubernetes::object::check(self);
                problems.extend($crate::kubernetes::object::KnownObject::problems(self));
                problems
            }

            fn predict(&self, _connection: &::lsinfra_engine::Value) -> Self::Outputs {
                $crate::kubernetes::object::predict(&self.name)
            }

            fn excludes(&self, previous: &Self) -> bool {
                $crate::kubernetes::object::share_a_place(self, previous)
            }

            fn carries_owner_tags() -> bool {
                true
            }

            fn take_owner_tags(
                inputs: &mut ::lsinfra_engine::Properties,
            ) -> ::std::collections::BTreeMap<String, String> {
                $crate::kubernetes::object::take_owner_tags(inputs)
            }

            async fn create(
                &self,
                client: &Self::Client,
                step: &::lsinfra_engine::StepContext,
            ) -> Result<::lsinfra_engine::PhysicalId, ::lsinfra_engine::ProviderError> {
                $crate::kubernetes::object::create(self, client, step).await
            }

            async fn complete(
                &self,
                client: &Self::Client,
                step: &::lsinfra_engine::StepContext,
                id: &::lsinfra_engine::PhysicalId,
            ) -> Result<Self::Outputs, ::lsinfra_engine::ProviderError> {
                $crate::kubernetes::object::apply(self, client, step, id, None).await
            }

            async fn read(
                client: &Self::Client,
                objects: &[::lsinfra_engine::provider::Existing<Self>],
            ) -> Result<
                Vec<Option<::lsinfra_engine::provider::Observed<Self>>>,
                ::lsinfra_engine::ProviderError,
            > {
                $crate::kubernetes::object::read(client, objects).await
            }

            async fn update(
                &self,
                client: &Self::Client,
                step: &::lsinfra_engine::StepContext,
                id: &::lsinfra_engine::PhysicalId,
                changes: &::lsinfra_engine::provider::Changes<Self>,
            ) -> Result<Self::Outputs, ::lsinfra_engine::ProviderError> {
                $crate::kubernetes::object::apply(self, client, step, id, Some(changes)).await
            }

            async fn delete(
                &self,
                client: &Self::Client,
                step: &::lsinfra_engine::StepContext,
                id: &::lsinfra_engine::PhysicalId,
            ) -> Result<(), ::lsinfra_engine::ProviderError> {
                $crate::kubernetes::object::delete::<Self>(client, step, id).await
            }

            async fn find(
                &self,
                client: &Self::Client,
                step: &::lsinfra_engine::StepContext,
            ) -> Result<
                Option<::lsinfra_engine::provider::Found>,
                ::lsinfra_engine::ProviderError,
            > {
                $crate::kubernetes::object::find(self, client, step).await
            }
        }
    };
    (@form) => { $crate::kubernetes::object::Form::AsIs };
    (@form $form:ident) => { $crate::kubernetes::object::Form::$form };
}

pub(crate) use known_object;
