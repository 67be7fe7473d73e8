//! The mark that makes a storage class the default, on a class that is somebody else's.
//! <https://kubernetes.io/docs/tasks/administer-cluster/change-default-storage-class/>

use async_trait::async_trait;
use lsinfra_engine::provider::{ErrorKind, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext, Value,
};
use serde_json::{Value as Json, json};

use crate::aws::error::not_found;
use crate::aws::property::repeated;
use crate::aws::tags;
use crate::durations;
use crate::kubernetes::error::of_read;
use crate::kubernetes::kind::Place;
use crate::kubernetes::storage::{DEFAULT_MARK, STORAGE_CLASS};
use crate::kubernetes::{CONSISTENCY_WINDOW, KubernetesClient, object, objects, ownership};

/// Whether a storage class that the stack did not make, such as `gp2` of EKS, is the default. The class itself is left as
/// it is, and the mark is taken off again on deletion. A class that is not there is not the default.
#[derive(Clone, Default, Inputs)]
pub struct DefaultClassMark {
    /// The class's name.
    #[input(required, replace)]
    pub storage_class: Input<String>,
    /// Whether claims that name no class get this one.
    #[input(required)]
    pub is_default: Input<bool>,
}

/// What a mark gives.
#[derive(Clone, Outputs)]
pub struct DefaultClassMarkOutputs {
    /// The class's name.
    pub storage_class: Output<String>,
}

fn place(name: &str) -> Place {
    Place { kind: STORAGE_CLASS, namespace: None, name: name.to_owned() }
}

/// Whether a class is somebody else's, or marked by the step's resource already.
fn check_foreign(step: &StepContext, live: &Json) -> Result<(), ProviderError> {
    let tags = ownership::tags(live);
    if tags.is_empty() || tags::are_of_resource(step, &tags) {
        return Ok(());
    }
    let message = "this storage class is managed by lsinfra: whether it is the default is said there";
    Err(ProviderError::new(ErrorKind::Invalid, message))
}

impl DefaultClassMark {
    fn place(&self) -> Place {
        place(&self.storage_class.get().unwrap_or_default())
    }

    async fn mark(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
        name: &str,
    ) -> Result<DefaultClassMarkOutputs, ProviderError> {
        let (place, is_default) = (place(name), self.is_default.get().unwrap_or_default());
        match objects::get(client, &place).await? {
            Some(live) => {
                check_foreign(step, &live)?;
                let mut body = json!({"metadata": {"annotations": {DEFAULT_MARK: is_default.to_string()}}});
                ownership::put(step, &mut body);
                objects::take_fields(client, &place, &live, body).await?;
            }
            None if is_default => return Err(not_found(format!("there is no {place}"))),
            None => {}
        }
        Ok(DefaultClassMarkOutputs { storage_class: name.to_owned().into() })
    }
}

#[async_trait]
impl ResourceType for DefaultClassMark {
    const TYPE: &'static str = "kubernetes:storage:DefaultClassMark";
    const ID_FORM: &'static str = "the name of the storage class";
    const SERVICE: &'static str = "kubernetes";
    const CONSISTENCY_WINDOW: std::time::Duration = CONSISTENCY_WINDOW;
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = DefaultClassMarkOutputs;
    type Client = KubernetesClient;

    fn check(&self) -> Vec<InputProblem> {
        let name = self.storage_class.get();
        name.and_then(|name| object::check_name("storage_class", &name)).into_iter().collect()
    }

    fn predict(&self, _connection: &Value) -> DefaultClassMarkOutputs {
        DefaultClassMarkOutputs { storage_class: repeated(&self.storage_class) }
    }

    async fn create(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
    ) -> Result<PhysicalId, ProviderError> {
        let place = self.place();
        self.mark(client, step, &place.name).await?;
        Ok(place.short_id())
    }

    async fn complete(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<DefaultClassMarkOutputs, ProviderError> {
        self.mark(client, step, id.as_str()).await
    }

    async fn read(
        client: &KubernetesClient,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let mut observed = Vec::with_capacity(objects.len());
        for object in objects {
            let live = objects::get(client, &place(object.id.as_str())).await.map_err(of_read)?;
            let mark = live.as_ref().map(|live| &live["metadata"]["annotations"][DEFAULT_MARK]);
            let is_default = mark.is_some_and(|mark| mark == "true");
            let name = object.id.as_str().to_owned();
            let inputs = Self { storage_class: name.clone().into(), is_default: is_default.into() };
            let outputs = DefaultClassMarkOutputs { storage_class: name.into() };
            observed.push(Some(Observed { inputs, outputs }));
        }
        Ok(observed)
    }

    async fn delete(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let place = place(id.as_str());
        let Some(live) = objects::get(client, &place).await? else { return Ok(()) };
        if tags::are_of_resource(step, &ownership::tags(&live)) {
            objects::take_fields(client, &place, &live, json!({"metadata": {}})).await?;
        }
        Ok(())
    }

    async fn find(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
    ) -> Result<Option<Found>, ProviderError> {
        objects::find_short(client, step, &self.place()).await
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_mark_is_an_annotation_and_its_owner_one_more() {
        let live = json!({"metadata": {"annotations": {"lsinfra.dev/lineage": "l", DEFAULT_MARK: "false"}}});
        assert_eq!(ownership::tags(&live), BTreeMap::from([("lsinfra:lineage".to_owned(), "l".to_owned())]));
    }
}
