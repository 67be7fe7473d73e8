//! The events by which controllers tell what they do for an object, as `kubectl describe` shows them.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{Api, ObjectMeta, PostParams};
use kube::{Client, Resource};

use super::PartError;

/// The events of one controller.
pub(crate) struct Events {
    client: Client,
    /// The controller's name.
    component: &'static str,
    /// What was told last about an object, by its uid: the reason and the message.
    last: BTreeMap<String, (String, String)>,
}

impl Events {
    /// None yet.
    pub(crate) fn new(client: Client, component: &'static str) -> Self {
        Self { client, component, last: BTreeMap::new() }
    }

    /// Tells something about an object, unless that was the last that was told.
    ///
    /// # Errors
    /// [`PartError::Api`].
    pub(crate) async fn tell<K>(
        &mut self,
        object: &K,
        is_warning: bool,
        reason: &str,
        message: &str,
    ) -> Result<(), PartError>
    where
        K: Resource,
        K::DynamicType: Default,
    {
        self.tell_as(object, &K::DynamicType::default(), is_warning, reason, message).await
    }

    /// The same about an object whose kind only its API resource names.
    ///
    /// # Errors
    /// [`PartError::Api`].
    pub(crate) async fn tell_as<K: Resource>(
        &mut self,
        object: &K,
        kind: &K::DynamicType,
        is_warning: bool,
        reason: &str,
        message: &str,
    ) -> Result<(), PartError> {
        let ObjectReference { uid, name, namespace, .. } = object.object_ref(kind);
        let told = (reason.to_owned(), message.to_owned());
        let key = uid.clone().unwrap_or_default();
        if self.last.get(&key) == Some(&told) {
            return Ok(());
        }
        let namespace = namespace.unwrap_or_else(|| "default".to_owned());
        let now = Time(k8s_openapi::jiff::Timestamp::now());
        let event = Event {
            metadata: ObjectMeta {
                generate_name: Some(format!("{}.", name.clone().unwrap_or_default())),
                namespace: Some(namespace.clone()),
                ..ObjectMeta::default()
            },
            involved_object: object.object_ref(kind),
            type_: Some(if is_warning { "Warning" } else { "Normal" }.to_owned()),
            reason: Some(told.0.clone()),
            message: Some(told.1.clone()),
            count: Some(1),
            first_timestamp: Some(now.clone()),
            last_timestamp: Some(now),
            source: Some(EventSource { component: Some(self.component.to_owned()), host: None }),
            ..Event::default()
        };
        let events: Api<Event> = Api::namespaced(self.client.clone(), &namespace);
        match events.create(&PostParams::default(), &event).await {
            // A namespace that is on its way out takes no more events.
            Ok(_) | Err(kube::Error::Api(_)) => {}
            Err(error) => return Err(error.into()),
        }
        self.last.insert(key, told);
        Ok(())
    }
}
