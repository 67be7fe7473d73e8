//! Route 53's rules, through whole requests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use http::Method;

use crate::Pace;
use crate::testing::{Answer, TestCloud, text, texts};

fn call(cloud: &mut TestCloud, method: Method, path: &str, body: &str) -> Answer {
    cloud.rest_xml("route53", method, &format!("/2013-04-01/{path}"), body)
}

fn ok(cloud: &mut TestCloud, method: Method, path: &str, body: &str) -> String {
    match call(cloud, method, path, body) {
        Answer::Ok(body) => body,
        other => panic!("{path} {body}: {other:?}"),
    }
}

/// Code and text of a refusal.
fn refused(cloud: &mut TestCloud, method: Method, path: &str, body: &str) -> (String, String) {
    match call(cloud, method, path, body) {
        Answer::Refused(code, body) => (code, text(&body, "Message")),
        other => panic!("{path} {body}: {other:?}"),
    }
}

fn zone_request(name: &str, reference: &str) -> String {
    format!(
        "<CreateHostedZoneRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Name>{name}</Name>\
         <CallerReference>{reference}</CallerReference></CreateHostedZoneRequest>"
    )
}

/// The id of a new zone.
fn zone(cloud: &mut TestCloud, name: &str) -> String {
    let body = ok(cloud, Method::POST, "hostedzone", &zone_request(name, name));
    let zone = body.split("<HostedZone>").nth(1).unwrap();
    text(zone, "Id").strip_prefix("/hostedzone/").unwrap().to_owned()
}

fn change(action: &str, name: &str, kind: &str, value: &str) -> String {
    format!(
        "<Change><Action>{action}</Action><ResourceRecordSet><Name>{name}</Name><Type>{kind}</Type><TTL>60</TTL>\
         <ResourceRecords><ResourceRecord><Value>{value}</Value></ResourceRecord></ResourceRecords>\
         </ResourceRecordSet></Change>"
    )
}

fn batch(changes: &[String]) -> String {
    format!(
        "<ChangeResourceRecordSetsRequest><ChangeBatch><Changes>{}</Changes></ChangeBatch>\
         </ChangeResourceRecordSetsRequest>",
        changes.concat()
    )
}

fn names(cloud: &mut TestCloud, zone: &str) -> Vec<String> {
    texts(&ok(cloud, Method::GET, &format!("hostedzone/{zone}/rrset"), ""), "Name")
}

#[test]
fn a_zone_comes_with_its_name_servers_and_is_made_once_per_reference() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let id = zone(&mut cloud, "Example.com");
    let mut cloud = cloud.reopened();
    let body = ok(&mut cloud, Method::GET, &format!("hostedzone/{id}"), "");
    assert_eq!(text(&body, "Name"), "example.com.");
    assert_eq!(texts(&body, "NameServer").len(), 4);
    assert_eq!(text(&body, "ResourceRecordSetCount"), "2");
    let records = ok(&mut cloud, Method::GET, &format!("hostedzone/{id}/rrset"), "");
    assert_eq!(texts(&records, "Type"), ["NS", "SOA"]);
    let again = zone_request("example.com", "Example.com");
    assert_eq!(refused(&mut cloud, Method::POST, "hostedzone", &again).0, "HostedZoneAlreadyExists");
    // The name alone may be used again.
    ok(&mut cloud, Method::POST, "hostedzone", &zone_request("example.com", "other"));
    assert_eq!(cloud.inventory().len(), 2);
    assert_eq!(refused(&mut cloud, Method::GET, "hostedzone/Z0", "").0, "NoSuchHostedZone");
}

#[test]
fn record_sets_are_created_once_and_deleted_only_as_they_are() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let id = zone(&mut cloud, "example.com");
    let path = format!("hostedzone/{id}/rrset/");
    let mut send = |changes: &[String]| call(&mut cloud, Method::POST, &path, &batch(changes));
    let text_of = |answer: Answer| match answer {
        Answer::Refused(code, body) => (code, text(&body, "Message").replace("&apos;", "'")),
        other => panic!("{other:?}"),
    };
    assert!(matches!(send(&[change("CREATE", "a.example.com", "A", "192.0.2.1")]), Answer::Ok(_)));
    for (changes, problem) in [
        (
            change("CREATE", "A.example.com.", "A", "192.0.2.2"),
            "[Tried to create resource record set [name='a.example.com.', type='A'] but it already exists]",
        ),
        (
            change("DELETE", "a.example.com", "A", "192.0.2.2"),
            "[Tried to delete resource record set [name='a.example.com.', type='A'] but the values provided do not match the current values]",
        ),
        (
            change("DELETE", "b.example.com", "A", "192.0.2.2"),
            "[Tried to delete resource record set [name='b.example.com.', type='A'] but it was not found]",
        ),
        (
            change("CREATE", "a.other.org", "A", "192.0.2.2"),
            "[RRSet with DNS name a.other.org. is not permitted in zone example.com.]",
        ),
        (
            change("CREATE", "a.example.com", "CNAME", "b.example.com"),
            "[RRSet of type CNAME with DNS name a.example.com. is not permitted as it conflicts with other records with the same DNS name in zone example.com.]",
        ),
        (
            change("CREATE", "c.example.com", "A", "nowhere"),
            "[Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) encountered with 'nowhere'']",
        ),
    ] {
        assert_eq!(text_of(send(&[changes])), ("InvalidChangeBatch".to_owned(), problem.to_owned()));
    }
    // All or nothing.
    let mixed = [
        change("CREATE", "d.example.com", "A", "192.0.2.1"),
        change("DELETE", "e.example.com", "A", "192.0.2.1"),
    ];
    assert_eq!(text_of(send(&mixed)).0, "InvalidChangeBatch");
    assert_eq!(names(&mut cloud, &id), ["example.com.", "example.com.", "a.example.com."]);
}

#[test]
fn a_zone_with_records_of_its_owner_is_not_deleted() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let id = zone(&mut cloud, "example.com");
    let (path, zone) = (format!("hostedzone/{id}/rrset/"), format!("hostedzone/{id}"));
    ok(&mut cloud, Method::POST, &path, &batch(&[change("UPSERT", "a.example.com", "A", "192.0.2.1")]));
    assert_eq!(refused(&mut cloud, Method::DELETE, &zone, "").0, "HostedZoneNotEmpty");
    ok(&mut cloud, Method::POST, &path, &batch(&[change("DELETE", "a.example.com", "A", "192.0.2.1")]));
    ok(&mut cloud, Method::DELETE, &zone, "");
    assert_eq!(refused(&mut cloud, Method::DELETE, &zone, "").0, "NoSuchHostedZone");
    assert!(cloud.inventory().is_empty());
}

#[test]
fn a_change_is_in_sync_after_a_while() {
    let mut cloud = TestCloud::realistic();
    let id = zone(&mut cloud, "example.com");
    let changes = batch(&[change("CREATE", "a.example.com", "A", "192.0.2.1")]);
    let body = ok(&mut cloud, Method::POST, &format!("hostedzone/{id}/rrset/"), &changes);
    assert_eq!(text(&body, "Status"), "PENDING");
    let path = text(&body, "Id");
    let status = |cloud: &mut TestCloud| text(&ok(cloud, Method::GET, &path[1..], ""), "Status");
    assert_eq!(status(&mut cloud), "PENDING");
    cloud.advance(60);
    assert_eq!(status(&mut cloud), "INSYNC");
    assert_eq!(refused(&mut cloud, Method::GET, "change/C0", "").0, "NoSuchChange");
}

#[test]
fn lists_go_on_where_the_page_before_ended() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let id = zone(&mut cloud, "example.com");
    zone(&mut cloud, "another.com");
    zone(&mut cloud, "www.example.com");
    let body = ok(&mut cloud, Method::GET, "hostedzonesbyname?dnsname=example.com&maxitems=1", "");
    assert_eq!(texts(&body, "Name"), ["example.com."]);
    assert_eq!(text(&body, "NextDNSName"), "www.example.com.");
    let body = ok(&mut cloud, Method::GET, "hostedzone?maxitems=2", "");
    let next = text(&body, "NextMarker");
    assert_eq!(
        texts(&ok(&mut cloud, Method::GET, &format!("hostedzone?marker={next}"), ""), "Name").len(),
        1
    );
    let path = format!("hostedzone/{id}/rrset");
    let body = ok(&mut cloud, Method::GET, &format!("{path}?maxitems=1"), "");
    assert_eq!(text(&body, "NextRecordType"), "SOA");
    let body = ok(&mut cloud, Method::GET, &format!("{path}?name=example.com&type=SOA"), "");
    assert_eq!(
        (texts(&body, "Type"), text(&body, "IsTruncated")),
        (vec!["SOA".to_owned()], "false".to_owned())
    );
}

#[test]
fn tags_come_and_go() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let id = zone(&mut cloud, "example.com");
    let path = format!("tags/hostedzone/{id}");
    let add = "<ChangeTagsForResourceRequest><AddTags><Tag><Key>a</Key><Value>1</Value></Tag></AddTags></ChangeTagsForResourceRequest>";
    ok(&mut cloud, Method::POST, &path, add);
    assert_eq!(cloud.inventory()[0].tags["a"], "1");
    let many = format!(
        "<ListTagsForResourcesRequest><ResourceIds><ResourceId>{id}</ResourceId></ResourceIds></ListTagsForResourcesRequest>"
    );
    assert_eq!(text(&ok(&mut cloud, Method::POST, "tags/hostedzone", &many), "Key"), "a");
    let remove = "<ChangeTagsForResourceRequest><RemoveTagKeys><Key>a</Key></RemoveTagKeys></ChangeTagsForResourceRequest>";
    ok(&mut cloud, Method::POST, &path, remove);
    assert!(texts(&ok(&mut cloud, Method::GET, &path, ""), "Key").is_empty());
}

#[test]
fn what_is_not_there_is_refused_by_name() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let id = zone(&mut cloud, "example.com");
    let weighted = change("CREATE", "a.example.com", "A", "192.0.2.1")
        .replace("<TTL>", "<SetIdentifier>x</SetIdentifier><Weight>1</Weight><TTL>");
    let (code, message) =
        refused(&mut cloud, Method::POST, &format!("hostedzone/{id}/rrset/"), &batch(&[weighted]));
    assert_eq!(code, "UnknownParameter");
    assert!(message.contains("SetIdentifier"), "{message}");
    let (code, message) = refused(&mut cloud, Method::GET, "healthcheck", "");
    assert_eq!(code, "InvalidAction");
    assert!(message.contains("GET /2013-04-01/healthcheck"), "{message}");
}

#[test]
fn a_zone_that_is_given_is_there_once_and_is_nobodys() {
    let mut cloud = TestCloud::new(Pace::Instant);
    for _ in 0..2 {
        cloud.cloud().ensure_hosted_zone("123456789012", "example.com").unwrap();
    }
    let mut cloud = cloud.reopened();
    assert_eq!(texts(&ok(&mut cloud, Method::GET, "hostedzone", ""), "Name"), ["example.com."]);
    assert!(cloud.inventory().is_empty());
    assert!(cloud.cloud().ensure_hosted_zone("123456789012", "a..b").is_err());
}
