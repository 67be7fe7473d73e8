//! What is asked about the account and its regions.

use lsinfra_engine::provider::ErrorKind;
use lsinfra_resources::aws::{self, AwsConnector, CallerError, InstanceType};

use crate::harness::Region;
use crate::quirks;

#[tokio::test]
async fn the_caller_and_the_zones_are_known() {
    let region = Region::open("us-west-2").await;
    assert_eq!(region.connection.account.len(), 12);
    let zones = aws::availability_zones(&region.connector, &region.connection).await.unwrap();
    assert!(zones.len() >= 3, "{zones:?}");
    assert!(zones.is_sorted());
    assert!(zones.iter().all(|zone| zone.starts_with("us-west-2") && zone.len() == "us-west-2a".len()));
}

#[tokio::test]
async fn instance_types_have_figures_and_zones() {
    if quirks::does("DescribeInstanceTypes: takes no filter, and has figures of its own") {
        return;
    }
    let region = Region::open("us-east-1").await;
    let names = ["r6i.2xlarge", "m7i.4xlarge", "zz9.large"].map(str::to_owned);
    let types = aws::instance_types(&region.connector, &region.connection, &names).await.unwrap();
    let figures = InstanceType {
        name: "r6i.2xlarge".to_owned(),
        vcpus: 8,
        memory_mib: 65_536,
        ebs_baseline_megabits_per_second: 2_500,
        network_interfaces: 4,
        ipv4_addresses_per_interface: 15,
    };
    assert_eq!(types.len(), 2, "what the region does not know is left out: {types:?}");
    assert_eq!((types[0].name.as_str(), &types[1]), ("m7i.4xlarge", &figures));
    let zones = aws::instance_type_offerings(&region.connector, &region.connection, &names).await.unwrap();
    assert_eq!(zones.keys().collect::<Vec<_>>(), ["m7i.4xlarge", "r6i.2xlarge"]);
    assert!(zones["r6i.2xlarge"].contains("us-east-1a"), "{zones:?}");
    assert!(!zones["r6i.2xlarge"].contains("us-east-1e"), "the oldest zone: {zones:?}");
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_is_unclear() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let connector = AwsConnector::sandbox(format!("http://127.0.0.1:{port}"));
    let error = aws::caller(&connector, "us-west-2").await.unwrap_err();
    let CallerError::Unanswered(cause) = &error else { panic!("{error:?}") };
    assert_eq!(cause.kind, ErrorKind::Unclear);
    assert!(cause.message.starts_with("GetCallerIdentity: "), "{}", cause.message);
    assert!(!cause.message.contains('{'), "no debug output: {}", cause.message);
}
