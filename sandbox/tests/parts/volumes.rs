//! The EBS CSI driver's part.

use k8s_openapi::api::core::v1::{Node, PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::api::storage::v1::{StorageClass, VolumeAttachment};
use kube::Client;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use lsinfra_sandbox::Part;
use serde_json::{Value, json};

use super::account::{Account, element_of};
use super::{create, event, sandbox, until, wait};

const RIGHTS: &[&str] = &["ec2:*"];

/// A cluster with a node in each zone and the driver, under a role that may do these actions.
async fn cluster(account: &Account, actions: &[&str]) -> Client {
    account.cluster("c");
    account.group("c", "general", json!({"scalingConfig": {"minSize": 3, "maxSize": 3, "desiredSize": 3}}));
    account.federate("c");
    let role = account.role_of_service_account("driver", "c", "kube-system:ebs-csi-controller-sa", actions);
    account.addon("c", "aws-ebs-csi-driver", Some(&role));
    let client = account.client("c").await;
    create(&client, &classes()).await;
    client
}

fn classes() -> Vec<Value> {
    let class = |name: &str, binding: &str| {
        json!({
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": name},
            "provisioner": "ebs.csi.aws.com",
            "parameters": {"type": "gp3", "iops": "4000", "throughput": "250", "encrypted": "true"},
            "volumeBindingMode": binding,
            "allowVolumeExpansion": true,
        })
    };
    vec![class("late", "WaitForFirstConsumer"), class("early", "Immediate")]
}

fn claim(name: &str, class: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": class,
            "resources": {"requests": {"storage": "20Gi"}},
        },
    })
}

fn pod(name: &str, claim: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "nodeSelector": {"topology.kubernetes.io/zone": "us-east-1b"},
            "containers": [{"name": "user", "image": "user", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}],
        },
    })
}

/// The volumes that the cluster's tag finds, as EC2 answers.
fn volumes(account: &Account) -> String {
    account.query(
        "ec2",
        "Version=2016-11-15&Action=DescribeVolumes&Filter.1.Name=tag:kubernetes.io/cluster/c&Filter.1.Value.1=owned",
    )
}

fn claims(client: &Client) -> Api<PersistentVolumeClaim> {
    Api::default_namespaced(client.clone())
}

async fn bound(client: &Client, name: &str) -> String {
    until(async || {
        let claim = claims(client).get(name).await.unwrap();
        let is_bound = claim.status?.phase? == "Bound";
        is_bound.then_some(claim.spec?.volume_name?)
    })
    .await
}

pub(super) fn come_and_go() {
    let folder = tempfile::tempdir().unwrap();
    let serving = sandbox(folder.path(), &[]);
    let account = Account::new(serving.url());
    wait(async {
        let client = cluster(&account, RIGHTS).await;
        // EKS's own class is there, and not the default one.
        let gp2 = Api::<StorageClass>::all(client.clone()).get("gp2").await.unwrap();
        assert_eq!(gp2.metadata.annotations, None);

        create(&client, &[claim("data", "late"), pod("user", "data")]).await;
        let name = bound(&client, "data").await;
        let persistent: Api<PersistentVolume> = Api::all(client.clone());
        let volume = persistent.get(&name).await.unwrap().spec.unwrap();
        let id = volume.csi.unwrap().volume_handle;
        let found = volumes(&account);
        for (element, value) in [
            ("volumeId", id.as_str()),
            ("availabilityZone", "us-east-1b"),
            ("size", "20"),
            ("iops", "4000"),
            ("throughput", "250"),
            ("encrypted", "true"),
            ("volumeType", "gp3"),
        ] {
            assert_eq!(element_of(&found, element), value, "{element}");
        }
        assert!(
            found.contains("<key>kubernetes.io/created-for/pvc/name</key><value>data</value>"),
            "{found}"
        );
        let pods: Api<Pod> = Api::default_namespaced(client.clone());
        until(async || (pods.get("user").await.unwrap().status?.phase? == "Running").then_some(())).await;
        let attachments: Api<VolumeAttachment> = Api::all(client.clone());
        until(async || {
            let all = attachments.list(&ListParams::default()).await.unwrap();
            all.iter().any(|one| one.status.as_ref().is_some_and(|status| status.attached)).then_some(())
        })
        .await;
        assert!(volumes(&account).contains("<status>attached</status>"));

        let larger = json!({"spec": {"resources": {"requests": {"storage": "30Gi"}}}});
        claims(&client).patch("data", &PatchParams::default(), &Patch::Merge(larger)).await.unwrap();
        until(async || {
            let capacity = claims(&client).get("data").await.unwrap().status?.capacity?;
            (capacity["storage"].0 == "30Gi").then_some(())
        })
        .await;
        assert_eq!(element_of(&volumes(&account), "size"), "30");

        // Without a pod to wait for, a zone of the nodes is as good as another.
        create(&client, &[claim("other", "early")]).await;
        bound(&client, "other").await;
        assert_eq!(volumes(&account).matches("<volumeId>").count(), 3, "two, one of which is attached");
        // The class that names Kubernetes's own driver of old is the driver's, too.
        create(&client, &[claim("old", "gp2"), pod("old-user", "old")]).await;
        bound(&client, "old").await;
        assert!(volumes(&account).contains("<volumeType>gp2</volumeType>"));

        let at_once = DeleteParams::default().grace_period(0);
        for name in ["user", "old-user"] {
            pods.delete(name, &at_once).await.unwrap();
        }
        for name in ["data", "other", "old"] {
            claims(&client).delete(name, &DeleteParams::default()).await.unwrap();
        }
        until(async || persistent.list(&ListParams::default()).await.unwrap().items.is_empty().then_some(()))
            .await;
        assert!(!volumes(&account).contains("<volumeId>"));
        let zones = Api::<Node>::all(client.clone()).list(&ListParams::default()).await.unwrap();
        let labels = |node: &Node| node.metadata.labels.clone().unwrap();
        assert!(zones.iter().all(|node| labels(node).contains_key("topology.ebs.csi.aws.com/zone")));
    });
}

pub(super) fn need_rights() {
    let folder = tempfile::tempdir().unwrap();
    let serving = sandbox(folder.path(), &[]);
    let account = Account::new(serving.url());
    wait(async {
        let client = cluster(&account, &["ec2:DescribeVolumes"]).await;
        create(&client, &[claim("data", "early")]).await;
        let denied = event(&client, "default", "data", "ec2:CreateVolume").await;
        assert_eq!(denied.reason.as_deref(), Some("ProvisioningFailed"));
        account.allow("driver", RIGHTS);
        bound(&client, "data").await;

        // A volume that is too small for its speed.
        let class = json!({
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": "fast"},
            "provisioner": "ebs.csi.aws.com",
            "parameters": {"type": "gp3", "iops": "16000"},
            "volumeBindingMode": "Immediate",
        });
        create(&client, &[class, claim("small", "fast")]).await;
        event(&client, "default", "small", "IOPS per GiB").await;
    });
    drop(serving);

    let folder = tempfile::tempdir().unwrap();
    let serving = sandbox(folder.path(), &[Part::Volumes]);
    let account = Account::new(serving.url());
    wait(async {
        let client = cluster(&account, RIGHTS).await;
        create(&client, &[claim("data", "early")]).await;
        // Kubernetes itself says whom it waits for.
        event(&client, "default", "data", "ebs.csi.aws.com").await;
        assert_eq!(claims(&client).get("data").await.unwrap().status.unwrap().phase.unwrap(), "Pending");
        assert!(!volumes(&account).contains("<volumeId>"));
    });
}
