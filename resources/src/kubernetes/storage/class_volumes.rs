//! The volumes of a storage class.
//! <https://kubernetes.io/docs/concepts/storage/persistent-volumes/>
//!
//! Claims make them, and their driver deletes them once the claims are gone, some time after. This waits for it: a driver
//! that goes before leaves them behind.

use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use lsinfra_engine::provider::{Changes, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{Input, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext, Value};
use serde_json::Value as Json;

use crate::aws::error::found;
use crate::aws::property::repeated;
use crate::aws::wait::SECONDS;
use crate::durations;
use crate::kubernetes::kind::Kind;
use crate::kubernetes::{KubernetesClient, objects};

const VOLUME: Kind = Kind::known("v1", "PersistentVolume", "persistentvolumes", false);

/// How many volumes are named.
const NAMED: usize = 3;

/// The volumes of a storage class that deletes them with their claims. Nothing is created by this type; its deletion is done
/// when the last of them is gone. What claims volumes depends on it.
#[derive(Clone, Default, Inputs)]
pub struct ClassVolumes {
    /// The class.
    #[input(required, replace)]
    pub storage_class: Input<String>,
}

/// What is known of them.
#[derive(Clone, Outputs)]
pub struct ClassVolumesOutputs {
    /// The class.
    pub storage_class: Output<String>,
}

fn outputs(id: &PhysicalId) -> ClassVolumesOutputs {
    ClassVolumesOutputs { storage_class: id.as_str().to_owned().into() }
}

/// What is there of the volumes of a class, in words; nothing once they are gone.
fn told(volumes: &[Json], storage_class: &str) -> Option<String> {
    let of_class = |volume: &&Json| {
        volume["spec"]["storageClassName"] == storage_class
            && volume["spec"]["persistentVolumeReclaimPolicy"] != "Retain"
    };
    let there: Vec<String> = volumes
        .iter()
        .filter(of_class)
        .map(|volume| {
            let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
            let claim = &volume["spec"]["claimRef"];
            format!(
                "{} of {}/{}",
                text(&volume["metadata"]["name"]),
                text(&claim["namespace"]),
                text(&claim["name"])
            )
        })
        .collect();
    let count = there.len();
    let more = count.saturating_sub(NAMED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    let named: Vec<String> = there.into_iter().take(NAMED).collect();
    (count > 0).then(|| format!("volumes are still there: {}{rest}", named.join(", ")))
}

#[async_trait]
impl ResourceType for ClassVolumes {
    const TYPE: &'static str = "kubernetes:storage:ClassVolumes";
    const ID_FORM: &'static str = "the name of the storage class, whose volumes they are";
    const SERVICE: &'static str = "kubernetes";
    const CLIENT_TOKEN: bool = true;
    const CONSISTENCY_WINDOW: Duration = Duration::ZERO;
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = ClassVolumesOutputs;
    type Client = KubernetesClient;

    fn predict(&self, _connection: &Value) -> ClassVolumesOutputs {
        ClassVolumesOutputs { storage_class: repeated(&self.storage_class) }
    }

    fn awaits(&self) -> Option<String> {
        Some("the volumes of the class are gone".to_owned())
    }

    async fn create(
        &self,
        _client: &KubernetesClient,
        _step: &StepContext,
    ) -> Result<PhysicalId, ProviderError> {
        Ok(PhysicalId::new(self.storage_class.get().unwrap_or_default()))
    }

    async fn complete(
        &self,
        _client: &KubernetesClient,
        _step: &StepContext,
        id: &PhysicalId,
    ) -> Result<ClassVolumesOutputs, ProviderError> {
        Ok(outputs(id))
    }

    async fn read(
        _client: &KubernetesClient,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let as_recorded = |object: &Existing<Self>| {
            Some(Observed { inputs: object.inputs.clone(), outputs: outputs(&object.id) })
        };
        Ok(objects.iter().map(as_recorded).collect())
    }

    async fn update(
        &self,
        _client: &KubernetesClient,
        _step: &StepContext,
        id: &PhysicalId,
        _changes: &Changes<Self>,
    ) -> Result<ClassVolumesOutputs, ProviderError> {
        Ok(outputs(id))
    }

    async fn delete(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        step.poll(SECONDS, || async {
            let volumes = found(objects::list(client, &VOLUME.path(None), "").await)?.unwrap_or_default();
            Ok(match told(&volumes, id.as_str()) {
                None => (Poll::Ready(()), String::new()),
                Some(told) => (Poll::Pending, told),
            })
        })
        .await
    }

    /// They are wherever their class is.
    async fn find(
        &self,
        client: &KubernetesClient,
        step: &StepContext,
    ) -> Result<Option<Found>, ProviderError> {
        Ok(Some(Found { id: self.create(client, step).await?, failed: None }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn volumes_of_the_class_are_waited_for_unless_they_are_to_stay() {
        let volume = |name: &str, class: &str, policy: &str| {
            json!({
                "metadata": {"name": name},
                "spec": {
                    "storageClassName": class,
                    "persistentVolumeReclaimPolicy": policy,
                    "claimRef": {"namespace": "langsmith", "name": "data"},
                },
            })
        };
        let others = [volume("a", "gp3", "Delete"), volume("b", "clickhouse", "Retain")];
        assert_eq!(told(&others, "clickhouse"), None);
        assert_eq!(
            told(&[volume("c", "clickhouse", "Delete")], "clickhouse").as_deref(),
            Some("volumes are still there: c of langsmith/data")
        );
        let five: Vec<Json> = (0..5).map(|_| volume("v", "gp3", "Delete")).collect();
        assert!(told(&five, "gp3").is_some_and(|text| text.ends_with("and 2 more")));
    }
}
