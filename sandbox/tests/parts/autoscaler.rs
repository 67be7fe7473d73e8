//! The cluster autoscaler.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Client;
use kube::api::Api;
use serde_json::{Value, json};

use super::account::Account;
use super::{controller, create, sandbox, until, wait};

const CONTROLLER: &str = "aws-cluster-autoscaler";
const DESCRIBE: &[&str] = &[
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeAutoScalingInstances",
    "autoscaling:DescribeLaunchConfigurations",
    "autoscaling:DescribeScalingActivities",
];

/// What it has told, if it has.
async fn told(client: &Client) -> Option<Value> {
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "kube-system");
    let told = maps.get_opt("cluster-autoscaler-status").await.unwrap()?;
    Some(serde_json::from_str(&told.data.unwrap()["status"]).unwrap())
}

pub(super) fn tells_what_it_finds() {
    let folder = tempfile::tempdir().unwrap();
    let serving = sandbox(folder.path(), &[]);
    let account = Account::new(serving.url());
    account.cluster("c");
    account.group("c", "general", json!({"scalingConfig": {"minSize": 1, "maxSize": 3, "desiredSize": 1}}));
    account.federate("c");
    let service_account = format!("kube-system:{CONTROLLER}");
    let role = account.role_of_service_account("autoscaler", "c", &service_account, &["ec2:DescribeImages"]);
    let tags = "k8s.io/cluster-autoscaler/enabled,k8s.io/cluster-autoscaler/c";
    let argument = format!("--node-group-auto-discovery=asg:tag={tags}");
    wait(async {
        let client = account.client("c").await;
        create(&client, &controller(CONTROLLER, "kube-system", &role, &[&argument])).await;
        let log = || std::fs::read_dir(folder.path().join("kubernetes")).unwrap().next().unwrap().unwrap();
        let log = || std::fs::read_to_string(log().path().join("parts.log")).unwrap_or_default();
        until(async || log().contains("autoscaling:DescribeAutoScalingGroups").then_some(())).await;
        assert_eq!(told(&client).await, None);

        account.allow("autoscaler", DESCRIBE);
        let told = until(async || told(&client).await).await;
        let groups = told["nodeGroups"].as_array().unwrap();
        assert_eq!(groups.len(), 1);
        assert!(groups[0]["name"].as_str().unwrap().starts_with("eks-general-"), "{told}");
        assert_eq!(groups[0]["health"]["status"], "Healthy");
    });
}
