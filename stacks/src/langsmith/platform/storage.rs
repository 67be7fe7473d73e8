//! Storage: the classes by which claims become volumes, and the proof that they do.
//! <https://docs.aws.amazon.com/eks/latest/userguide/ebs-csi.html>

use std::collections::BTreeMap;

use lsinfra_engine::Resource;
use lsinfra_resources::kubernetes::ObjectOutputs;
use lsinfra_resources::kubernetes::batch::Job;
use lsinfra_resources::kubernetes::storage::{
    ClassVolumes, ClassVolumesOutputs, DefaultClassMark, ReclaimPolicy, StorageClass, VolumeBindingMode,
};
use serde_json::{Value, json};

use super::super::StackError;
use super::super::names::{CLICKHOUSE_STORAGE, GENERAL_STORAGE, GENERAL_WORKLOAD};
use super::super::placement;
use super::Controllers;
use crate::config::ClickhouseMode;

/// The driver, which an add-on brings.
const DRIVER: &str = "ebs.csi.aws.com";

/// The class that EKS makes in every cluster.
const CLASS_OF_EKS: &str = "gp2";

/// The job that proves it.
const PROBE: &str = "storage-probe";
const PROBE_STAYS_SECONDS: u32 = 120;

/// What the probe runs: anything small that writes and reads a file.
const PROBE_IMAGE: &str = "public.ecr.aws/docker/library/busybox:1.37.0";

/// What is claimed of each class, and the proof.
pub(super) struct Storage {
    pub(super) general: Resource<ClassVolumesOutputs>,
    /// The class of ClickHouse's volumes, if it runs in the cluster.
    pub(super) clickhouse: Option<Resource<ClassVolumesOutputs>>,
    proof: Resource<()>,
}

impl Storage {
    pub(super) fn parts(&self) -> Vec<Resource<()>> {
        let clickhouse = self.clickhouse.as_ref().map(Resource::erased);
        [Some(self.general.erased()), Some(self.proof.clone()), clickhouse].into_iter().flatten().collect()
    }
}

pub(super) fn declare(
    controllers: &Controllers<'_>,
    namespace: &Resource<ObjectOutputs>,
) -> Result<Storage, StackError> {
    let (stack, foundation) = (controllers.stack, controllers.foundation);
    let config = &controllers.environment.config.clickhouse;
    let unmarked = stack
        .add(CLASS_OF_EKS, DefaultClassMark { storage_class: CLASS_OF_EKS.into(), is_default: false.into() })?
        .depends_on(&foundation.addons.ebs_csi_driver);
    // Volumes go while the driver is there, and what claims some goes before them.
    let class = |name: &str, parameters: &[(&str, String)]| {
        let mut all = BTreeMap::from([
            ("type".to_owned(), "gp3".to_owned()),
            ("encrypted".to_owned(), "true".to_owned()),
        ]);
        all.extend(parameters.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        let class = StorageClass {
            name: name.into(),
            provisioner: DRIVER.into(),
            parameters: all.into(),
            is_default: (name == GENERAL_STORAGE).into(),
            allow_volume_expansion: true.into(),
            // A volume is of use in the zone of its pod alone.
            volume_binding_mode: VolumeBindingMode::WaitForFirstConsumer.into(),
            reclaim_policy: ReclaimPolicy::Delete.into(),
            ..StorageClass::default()
        };
        let class = stack.add(name, class)?.depends_on(&foundation.addons.ebs_csi_driver);
        let class = if name == GENERAL_STORAGE { class.depends_on(&unmarked) } else { class };
        let volumes = ClassVolumes { storage_class: class.name.clone().into() };
        Ok::<_, StackError>(stack.add(name, volumes)?.depends_on(&foundation.addons.ebs_csi_driver))
    };
    let general = class(GENERAL_STORAGE, &[])?;
    let clickhouse = match config.mode {
        ClickhouseMode::External => None,
        ClickhouseMode::Single | ClickhouseMode::Replicated => Some(class(
            CLICKHOUSE_STORAGE,
            &[
                ("iops", config.volume_iops.to_string()),
                ("throughput", config.volume_throughput_mebibytes_per_second.to_string()),
            ],
        )?),
    };
    let probe = Job {
        namespace: namespace.name.clone().into(),
        name: PROBE.into(),
        spec: lsinfra_engine::Value::from_plain_json(probe()).into(),
    };
    let proof = stack.run(PROBE, probe)?.depends_on(&general).depends_on(&foundation.nodes.general);
    Ok(Storage { general, clickhouse, proof: proof.erased() })
}

/// A pod that writes to a volume of 1 GiB and reads it back. The claim is the pod's own, and goes with it.
/// <https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#generic-ephemeral-volumes>
fn probe() -> Value {
    json!({
        "backoffLimit": 0,
        // The volume stays as long as the pod.
        "ttlSecondsAfterFinished": PROBE_STAYS_SECONDS,
        "template": {
            "spec": {
                "restartPolicy": "Never",
                "nodeSelector": placement::node_selector(GENERAL_WORKLOAD),
                "containers": [{
                    "name": "probe",
                    "image": PROBE_IMAGE,
                    "command": ["sh", "-c", "date > /probe/written && cat /probe/written"],
                    "volumeMounts": [{"name": "probe", "mountPath": "/probe"}],
                    "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
                }],
                "volumes": [{
                    "name": "probe",
                    "ephemeral": {
                        "volumeClaimTemplate": {
                            "spec": {
                                "accessModes": ["ReadWriteOnce"],
                                "storageClassName": GENERAL_STORAGE,
                                "resources": {"requests": {"storage": "1Gi"}},
                            },
                        },
                    },
                }],
            },
        },
    })
}
