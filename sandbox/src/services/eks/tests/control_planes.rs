use serde_json::{Value, json};

use super::Account;
use crate::Pace;
use crate::kubernetes::Capacity;
use crate::services::ec2::instance_type;
use crate::services::eks::control_plane::WantedCluster;
use crate::testing::text;

impl Account {
    /// One whose clusters have a control plane.
    fn with_kubernetes(pace: Pace) -> Self {
        let mut account = Self::new(pace);
        account.cloud.cloud().begin_kubernetes().unwrap();
        account
    }

    fn wanted(&mut self) -> WantedCluster {
        let mut wanted = self.cloud.cloud().wanted_clusters();
        assert_eq!(wanted.len(), 1);
        wanted.remove(0)
    }

    fn answers(&mut self) {
        let key = self.wanted().key;
        self.cloud.cloud().control_plane_answers(&key, "https://127.0.0.1:1", "PEM").unwrap();
    }
}

#[test]
fn a_cluster_is_active_once_its_control_plane_answers() {
    let mut account = Account::with_kubernetes(Pace::Instant);
    account.cluster();
    assert_eq!(account.cluster_at("/status"), "CREATING");
    assert_eq!(account.cluster_at("/endpoint"), Value::Null);
    let request = account.group_request("g");
    let (code, _) = account.refused("POST", "/clusters/c/node-groups", request);
    assert_eq!(code, "InvalidRequestException");
    assert!(account.wanted().is_new);

    account.answers();
    assert_eq!(account.cluster_at("/status"), "ACTIVE");
    assert_eq!(account.cluster_at("/endpoint"), "https://127.0.0.1:1");
    assert_eq!(account.cluster_at("/certificateAuthority/data"), "UEVN");
    assert!(!account.wanted().is_new);

    account.ok("DELETE", "/clusters/c", Value::Null);
    assert!(account.cloud.cloud().wanted_clusters().is_empty());
}

#[test]
fn a_cluster_from_before_gets_a_control_plane_when_they_are_asked_for() {
    let mut account = Account::new(Pace::Instant);
    account.cluster();
    assert_eq!(account.cluster_at("/status"), "ACTIVE");
    assert!(account.cloud.cloud().wanted_clusters().is_empty());
    account.cloud.cloud().begin_kubernetes().unwrap();
    let status = account.cloud.cloud().cluster_statuses().remove(0);
    assert_eq!((status.name.as_str(), status.endpoint), ("c", None));
    account.answers();
    account.cloud.cloud().begin_kubernetes().unwrap();
    assert_eq!(account.cluster_at("/status"), "ACTIVE");
    let status = account.cloud.cloud().cluster_statuses().remove(0);
    assert_eq!(status.endpoint.as_deref(), Some("https://127.0.0.1:1"));
}

#[test]
fn a_control_plane_that_cannot_be_started_fails_its_cluster() {
    let mut account = Account::with_kubernetes(Pace::Instant);
    account.cluster();
    let key = account.wanted().key;
    account.cloud.cloud().control_plane_failed(&key, "etcd ended").unwrap();
    assert_eq!(account.cluster_at("/status"), "FAILED");
    assert_eq!(account.cluster_at("/health/issues/0/message"), "etcd ended");
    assert!(account.cloud.cloud().wanted_clusters().is_empty());
}

#[test]
fn news_of_an_earlier_cluster_does_not_count_for_its_successor() {
    let mut account = Account::with_kubernetes(Pace::Instant);
    account.cluster();
    account.answers();
    let earlier = account.wanted().key;
    account.ok("DELETE", "/clusters/c", Value::Null);
    account.cluster();
    account.cloud.cloud().control_plane_answers(&earlier, "https://127.0.0.1:1", "PEM").unwrap();
    assert_eq!(account.cluster_at("/status"), "CREATING");
}

#[test]
fn a_group_is_active_once_its_nodes_have_joined() {
    let mut account = Account::with_kubernetes(Pace::Realistic { speed: 1.0 });
    account.cluster();
    account.cloud.advance(9 * 60);
    account.answers();
    let mut request = account.group_request("g");
    request["instanceTypes"] = json!(["m7i.2xlarge"]);
    request["scalingConfig"] = json!({"minSize": 1, "maxSize": 3, "desiredSize": 3});
    account.ok("POST", "/clusters/c/node-groups", request);
    assert_eq!(account.wanted().nodes, []);
    account.cloud.advance(3 * 60);
    assert_eq!(account.status("/clusters/c/node-groups/g"), "CREATING");

    let wanted = account.wanted();
    assert_eq!(wanted.joining, ["g"]);
    let zones: Vec<&str> = wanted.nodes.iter().map(|node| node.zone.as_str()).collect();
    assert_eq!(zones, ["us-east-1a", "us-east-1b", "us-east-1a"]);
    account.cloud.cloud().nodes_joined(&wanted.key, &wanted.joining).unwrap();
    assert_eq!(account.status("/clusters/c/node-groups/g"), "ACTIVE");

    let scaling = json!({"scalingConfig": {"desiredSize": 1}});
    account.ok("POST", "/clusters/c/node-groups/g/update-config", scaling);
    assert_eq!(account.wanted().nodes, wanted.nodes[..1]);
    account.cloud.advance(30);
    account.ok("DELETE", "/clusters/c/node-groups/g", Value::Null);
    assert_eq!(account.wanted().nodes, []);
}

#[test]
fn nodes_are_what_their_launch_template_says() {
    let mut account = Account::with_kubernetes(Pace::Instant);
    account.cluster();
    account.answers();
    let template = [
        ("LaunchTemplateName", "nodes"),
        ("LaunchTemplateData.InstanceType", "m7i.4xlarge"),
        ("LaunchTemplateData.BlockDeviceMapping.1.DeviceName", "/dev/xvda"),
        ("LaunchTemplateData.BlockDeviceMapping.1.Ebs.VolumeSize", "80"),
    ];
    let id = text(&account.cloud.ec2("CreateLaunchTemplate", &template), "launchTemplateId");
    let mut request = account.group_request("g");
    request["launchTemplate"] = json!({"id": id, "version": "1"});
    account.ok("POST", "/clusters/c/node-groups", request);
    let nodes = account.wanted().nodes;
    let figures = instance_type::figures("m7i.4xlarge").unwrap().0;
    assert_eq!(nodes[0].instance_type, "m7i.4xlarge");
    assert_eq!(nodes[0].capacity, Capacity::of(figures, 80));
}

#[test]
fn without_kubernetes_nothing_is_waited_for() {
    let mut account = Account::new(Pace::Instant);
    account.cluster();
    assert_eq!(account.cluster_at("/status"), "ACTIVE");
    assert!(account.cloud.cloud().wanted_clusters().is_empty());
}
