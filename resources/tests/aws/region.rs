//! What is asked about the account and its regions.

use lsinfra_engine::provider::ErrorKind;
use lsinfra_resources::aws::{self, AwsConnector, CallerError};

use crate::harness::Region;

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
