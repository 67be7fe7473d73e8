//! Kinds of objects, and where an object of one is in the API.
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris>

use std::borrow::Cow;
use std::fmt;
use std::sync::PoisonError;

use lsinfra_engine::PhysicalId;
use lsinfra_engine::provider::{ErrorKind, ProviderError};
use serde_json::Value as Json;

use crate::aws::error::{found, not_found};
use crate::kubernetes::KubernetesClient;

/// A kind of objects, as the API has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// Group and version, such as `apps/v1`, or `v1`.
    pub(crate) api_version: Cow<'static, str>,
    /// Its name, such as `StorageClass`.
    pub(crate) kind: Cow<'static, str>,
    /// Its name in paths, such as `storageclasses`.
    pub(crate) plural: Cow<'static, str>,
    /// Whether its objects are in namespaces.
    pub(crate) is_namespaced: bool,
}

impl Kind {
    /// One that every cluster has.
    pub(crate) const fn known(
        api_version: &'static str,
        kind: &'static str,
        plural: &'static str,
        is_namespaced: bool,
    ) -> Self {
        Self {
            api_version: Cow::Borrowed(api_version),
            kind: Cow::Borrowed(kind),
            plural: Cow::Borrowed(plural),
            is_namespaced,
        }
    }

    /// What the cluster says of a kind; `None` if it does not have it, and therefore no objects of it.
    ///
    /// # Errors
    /// The call's.
    pub(crate) async fn of_cluster(
        client: &KubernetesClient,
        api_version: &str,
        kind: &str,
    ) -> Result<Option<Self>, ProviderError> {
        let key = (api_version.to_owned(), kind.to_owned());
        let kinds = || client.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kinds().get(&key) {
            return Ok(Some(known.clone()));
        }
        let call = format!("look for the kind {api_version} {kind}");
        let request = client.get(&format!("/{}", root(api_version)))?;
        let answer = client.call(&call, client.kube.request::<Json>(request)).await;
        let Some(list) = found(answer)? else { return Ok(None) };
        let of_kind = |resource: &&Json| {
            // Those with a slash are parts of objects, such as `pods/log`.
            resource["kind"] == *kind && resource["name"].as_str().is_some_and(|name| !name.contains('/'))
        };
        let resources = list["resources"].as_array().map(Vec::as_slice).unwrap_or_default();
        let Some(resource) = resources.iter().find(of_kind) else { return Ok(None) };
        let known = Self {
            api_version: api_version.to_owned().into(),
            kind: kind.to_owned().into(),
            plural: resource["name"].as_str().unwrap_or_default().to_owned().into(),
            is_namespaced: resource["namespaced"] == true,
        };
        kinds().insert(key, known.clone());
        Ok(Some(known))
    }

    /// The path of all objects of this kind in a namespace, or of all there are.
    pub(crate) fn path(&self, namespace: Option<&str>) -> String {
        let namespace = namespace.map(|namespace| format!("namespaces/{namespace}/")).unwrap_or_default();
        format!("/{}/{namespace}{}", root(&self.api_version), self.plural)
    }
}

/// The group in an API version.
pub(crate) fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// Where an API version is.
fn root(api_version: &str) -> String {
    let folder = if api_version.contains('/') { "apis" } else { "api" };
    format!("{folder}/{api_version}")
}

/// Where an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its kind.
    pub(crate) kind: Kind,
    /// Its namespace, if objects of its kind are in namespaces.
    pub(crate) namespace: Option<String>,
    /// Its name.
    pub(crate) name: String,
}

impl Place {
    /// Its id within its kind: `NAMESPACE/NAME`, or its name.
    pub(crate) fn short_id(&self) -> PhysicalId {
        PhysicalId::new(match &self.namespace {
            Some(namespace) => format!("{namespace}/{}", self.name),
            None => self.name.clone(),
        })
    }

    /// The place of an object of that kind with that id.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for what is no such id.
    pub(crate) fn of_short_id(kind: &Kind, id: &PhysicalId) -> Result<Self, ProviderError> {
        let parts: Vec<&str> = id.as_str().split('/').collect();
        let is_whole = parts.iter().all(|part| !part.is_empty());
        let (namespace, name) = match parts.as_slice() {
            [namespace, name] if kind.is_namespaced && is_whole => (Some((*namespace).to_owned()), name),
            [name] if !kind.is_namespaced && is_whole => (None, name),
            _ => {
                let form = if kind.is_namespaced { "NAMESPACE/NAME" } else { "NAME" };
                let message = format!("{id} is no id of a {}: {form}", kind.kind);
                return Err(ProviderError::new(ErrorKind::Invalid, message));
            }
        };
        Ok(Self { kind: kind.clone(), namespace, name: (*name).to_owned() })
    }

    /// The path of all objects beside it.
    pub(crate) fn path(&self) -> String {
        self.kind.path(self.namespace.as_deref())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind.kind, self.short_id())
    }
}

/// The id of an object of whatever kind: `APIVERSION/KIND/NAMESPACE/NAME`, without namespace where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LongId {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
}

impl LongId {
    /// Reads an id.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for what is none.
    pub(crate) fn read(id: &PhysicalId) -> Result<Self, ProviderError> {
        let parts: Vec<&str> = id.as_str().split('/').collect();
        // No group has a name like that of a version.
        let is_version = |part: &str| {
            part.strip_prefix('v').is_some_and(|rest| rest.starts_with(|one: char| one.is_ascii_digit()))
        };
        let (api_version, rest) = match parts.as_slice() {
            [version, rest @ ..] if is_version(version) => ((*version).to_owned(), rest),
            [group, version, rest @ ..] if is_version(version) => (format!("{group}/{version}"), rest),
            _ => (String::new(), [].as_slice()),
        };
        let (kind, namespace, name) = match rest {
            [kind, name] => (kind, None, name),
            [kind, namespace, name] => (kind, Some((*namespace).to_owned()), name),
            _ => (&"", None, &""),
        };
        if kind.is_empty() || name.is_empty() || namespace.as_ref().is_some_and(String::is_empty) {
            let message = format!(
                "{id} is no id of an object: APIVERSION/KIND/NAMESPACE/NAME, such as apps/v1/Deployment/default/web"
            );
            return Err(ProviderError::new(ErrorKind::Invalid, message));
        }
        let (kind, name) = ((*kind).to_owned(), (*name).to_owned());
        Ok(Self { api_version, kind, namespace, name })
    }

    /// The id as text.
    pub(crate) fn id(&self) -> PhysicalId {
        let namespace = self.namespace.as_ref().map(|namespace| format!("{namespace}/")).unwrap_or_default();
        PhysicalId::new(format!("{}/{}/{namespace}{}", self.api_version, self.kind, self.name))
    }

    /// Where that is; `None` if the cluster does not have the kind.
    ///
    /// # Errors
    /// The call's; [`ErrorKind::Invalid`] if objects of the kind are in namespaces and none is named, or the reverse.
    pub(crate) async fn place(&self, client: &KubernetesClient) -> Result<Option<Place>, ProviderError> {
        let Some(kind) = Kind::of_cluster(client, &self.api_version, &self.kind).await? else {
            return Ok(None);
        };
        if kind.is_namespaced != self.namespace.is_some() {
            let message = match kind.is_namespaced {
                true => format!("a {} is in a namespace: name one", self.kind),
                false => format!("a {} is in no namespace", self.kind),
            };
            return Err(ProviderError::new(ErrorKind::Invalid, message));
        }
        Ok(Some(Place { kind, namespace: self.namespace.clone(), name: self.name.clone() }))
    }

    /// Where that is.
    ///
    /// # Errors
    /// Those of [`LongId::place`]; [`ErrorKind::NotFound`] if the cluster does not have the kind.
    pub(crate) async fn require_place(&self, client: &KubernetesClient) -> Result<Place, ProviderError> {
        self.place(client).await?.ok_or_else(|| {
            let Self { api_version, kind, .. } = self;
            not_found(format!(
                "the cluster does not have the kind {kind} of {api_version}: is its CRD installed?"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_id_says_kind_and_place() {
        for (id, api_version, namespace) in [
            ("v1/Namespace/a", "v1", None),
            ("v1/ConfigMap/a/b", "v1", Some("a")),
            ("storage.k8s.io/v1/StorageClass/gp3", "storage.k8s.io/v1", None),
            ("apps/v1/Deployment/a/b", "apps/v1", Some("a")),
            ("example.com/v1beta1/Thing/a/b", "example.com/v1beta1", Some("a")),
        ] {
            let read = LongId::read(&PhysicalId::new(id)).unwrap();
            assert_eq!((read.api_version.as_str(), read.namespace.as_deref()), (api_version, namespace));
            assert_eq!(read.id().as_str(), id);
        }
        for none in ["", "a", "v1/ConfigMap", "apps/Deployment/a/b", "v1/ConfigMap//b", "v1/ConfigMap/a/b/c"]
        {
            assert!(LongId::read(&PhysicalId::new(none)).is_err(), "{none}");
        }
    }

    #[test]
    fn objects_are_where_their_kind_is() {
        let class = Kind::known("storage.k8s.io/v1", "StorageClass", "storageclasses", false);
        let place = Place::of_short_id(&class, &PhysicalId::new("gp3")).unwrap();
        assert_eq!(place.path(), "/apis/storage.k8s.io/v1/storageclasses");
        assert!(Place::of_short_id(&class, &PhysicalId::new("a/gp3")).is_err());
        let map = Kind::known("v1", "ConfigMap", "configmaps", true);
        let place = Place::of_short_id(&map, &PhysicalId::new("a/b")).unwrap();
        assert_eq!(place.path(), "/api/v1/namespaces/a/configmaps");
        assert_eq!((place.to_string(), place.short_id().as_str()), ("ConfigMap a/b".to_owned(), "a/b"));
        assert!(Place::of_short_id(&map, &PhysicalId::new("b")).is_err());
    }
}
