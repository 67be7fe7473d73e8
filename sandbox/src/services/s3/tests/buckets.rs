//! Buckets: names, places, owners and settings.

use super::*;
use crate::FaultPlan;
use crate::testing::texts;

#[test]
fn a_bucket_is_made_where_its_constraint_says() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let constraint = |region: &str| {
        Bytes::from(format!(
            "<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
        ))
    };
    let illegal = || error(400, "IllegalLocationConstraintException");
    assert_eq!(ask("PUT", "/west").refused(&mut cloud), illegal());
    assert_eq!(ask("PUT", "/west").body(constraint("eu-west-1")).refused(&mut cloud), illegal());
    ask("PUT", "/west").body(constraint("us-west-2")).ok(&mut cloud);
    let east = || ask("PUT", "/east").to("us-east-1");
    assert_eq!(east().body(constraint("us-west-2")).refused(&mut cloud), illegal());
    let invalid = error(400, "InvalidLocationConstraint");
    assert_eq!(east().body(constraint("us-east-1")).refused(&mut cloud), invalid);
    east().ok(&mut cloud);
    let location = |name: &str| ask("GET", &format!("/{name}?location"));
    assert!(location("west").read(&mut cloud).contains(">us-west-2</LocationConstraint>"));
    assert!(location("east").to("us-east-1").read(&mut cloud).contains("<LocationConstraint xmlns"));
    assert_eq!(location("east").refused(&mut cloud), error(400, "AuthorizationHeaderMalformed"));
}

#[test]
fn a_name_is_taken_for_all_accounts_and_its_owner_is_told_so() {
    let mut cloud = with_bucket();
    let again = || ask("PUT", "/abc").body(in_us_west_2());
    assert_eq!(again().refused(&mut cloud), error(409, "BucketAlreadyOwnedByYou"));
    assert_eq!(again().of("222222222222").refused(&mut cloud), error(409, "BucketAlreadyExists"));
    assert_eq!(ask("PUT", "/Abc_").body(in_us_west_2()).refused(&mut cloud), error(400, "InvalidBucketName"));
    // The oldest region answers an owner with success, and changes nothing.
    let tagged = "<CreateBucketConfiguration><Tags><Tag><Key>k</Key><Value>v</Value></Tag></Tags></CreateBucketConfiguration>";
    ask("PUT", "/old").to("us-east-1").body(tagged).ok(&mut cloud);
    ask("PUT", "/old").to("us-east-1").ok(&mut cloud);
    let tags = ask("GET", "/old?tagging").to("us-east-1").read(&mut cloud);
    assert_eq!((text(&tags, "Key"), text(&tags, "Value")), ("k".to_owned(), "v".to_owned()));
}

#[test]
fn strangers_and_wrong_expectations_are_refused() {
    let mut cloud = with_bucket();
    ask("PUT", "/abc/k").body("x").ok(&mut cloud);
    for (method, target) in
        [("HEAD", "/abc"), ("GET", "/abc/k"), ("GET", "/abc?tagging"), ("PUT", "/abc/k"), ("DELETE", "/abc")]
    {
        let expecting = |owner: &str| ask(method, target).header("x-amz-expected-bucket-owner", owner);
        assert_eq!(
            expecting("222222222222").refused(&mut cloud),
            error(403, "AccessDenied"),
            "{method} {target}"
        );
        assert_eq!(ask(method, target).of("222222222222").refused(&mut cloud), error(403, "AccessDenied"));
    }
    ask("GET", "/abc/k").header("x-amz-expected-bucket-owner", ACCOUNT).ok(&mut cloud);
}

#[test]
fn a_new_bucket_has_the_settings_of_new_buckets() {
    let mut cloud = with_bucket();
    let block = ask("GET", "/abc?publicAccessBlock").read(&mut cloud);
    for switch in ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"] {
        assert_eq!(text(&block, switch), "true");
    }
    assert_eq!(
        text(&ask("GET", "/abc?ownershipControls").read(&mut cloud), "ObjectOwnership"),
        "BucketOwnerEnforced"
    );
    assert_eq!(text(&ask("GET", "/abc?encryption").read(&mut cloud), "SSEAlgorithm"), "AES256");
    assert_eq!(text(&ask("GET", "/abc?versioning").read(&mut cloud), "Status"), "");
    for (setting, code) in [
        ("tagging", "NoSuchTagSet"),
        ("policy", "NoSuchBucketPolicy"),
        ("lifecycle", "NoSuchLifecycleConfiguration"),
        ("cors", "NoSuchCORSConfiguration"),
        ("object-lock", "ObjectLockConfigurationNotFoundError"),
    ] {
        assert_eq!(ask("GET", &format!("/abc?{setting}")).refused(&mut cloud), error(404, code));
    }
}

#[test]
fn a_public_policy_is_refused_while_such_are_blocked() {
    let mut cloud = with_bucket();
    let policy = |effect: &str, principal: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "{effect}", "Principal": {principal}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::abc/*"}}]}}"#
        )
    };
    let put = |body: String| ask("PUT", "/abc?policy").body(body);
    put(policy("Deny", r#""*""#)).ok(&mut cloud);
    assert_eq!(put(policy("Allow", r#""*""#)).refused(&mut cloud), error(403, "AccessDenied"));
    assert_eq!(text(&ask("GET", "/abc?policyStatus").read(&mut cloud), "IsPublic"), "false");
    ask("DELETE", "/abc?publicAccessBlock").ok(&mut cloud);
    put(policy("Allow", r#""*""#)).ok(&mut cloud);
    assert_eq!(text(&ask("GET", "/abc?policyStatus").read(&mut cloud), "IsPublic"), "true");
    let malformed = error(400, "MalformedPolicy");
    let role = r#"{"AWS": "arn:aws:iam::123456789012:role/nobody"}"#;
    assert_eq!(put(policy("Allow", role)).refused(&mut cloud), malformed);
    let elsewhere = policy("Deny", r#""*""#).replace(":::abc/", ":::abcd/");
    assert_eq!(put(elsewhere).refused(&mut cloud), malformed);
    let unfit = policy("Deny", r#""*""#).replace("GetObject", "ListBucket");
    assert_eq!(put(unfit).refused(&mut cloud), malformed);
    assert!(ask("GET", "/abc?policy").read(&mut cloud).contains("Allow"), "a refused policy changes nothing");
}

#[test]
fn lifecycle_rules_are_checked_and_named() {
    let mut cloud = with_bucket();
    let put = |rules: &str| {
        ask("PUT", "/abc?lifecycle")
            .body(format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>"))
            .digested()
    };
    let rule = |inner: &str| {
        format!("<Rule><Filter><Prefix>a/</Prefix></Filter><Status>Enabled</Status>{inner}</Rule>")
    };
    let days = rule("<Expiration><Days>14</Days></Expiration>");
    put(&format!("{days}{}", rule("<ID>named</ID><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>"))).ok(&mut cloud);
    let found = ask("GET", "/abc?lifecycle").read(&mut cloud);
    let ids = texts(&found, "ID");
    assert_eq!((ids.len(), ids[0].len(), ids[1].as_str()), (2, 48, "named"));
    for (rules, code) in [
        (rule(""), "InvalidRequest"),
        (rule("<Expiration><Days>0</Days></Expiration>"), "InvalidArgument"),
        (
            rule(
                "<Expiration><Days>1</Days><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>",
            ),
            "MalformedXML",
        ),
        (days.replace("Enabled", "On"), "MalformedXML"),
        (days.replace("<Filter><Prefix>a/</Prefix></Filter>", ""), "MalformedXML"),
        (format!("{0}{0}", rule("<ID>x</ID><Expiration><Days>1</Days></Expiration>")), "InvalidArgument"),
        (String::new(), "MalformedXML"),
    ] {
        assert_eq!(put(&rules).refused(&mut cloud), error(400, code), "{rules}");
    }
    let undigested =
        ask("PUT", "/abc?lifecycle").body(format!("<LifecycleConfiguration>{days}</LifecycleConfiguration>"));
    assert_eq!(undigested.refused(&mut cloud), error(400, "InvalidRequest"));
}

#[test]
fn settings_lag_within_the_window_and_objects_never_do() {
    let mut cloud = TestCloud::realistic();
    cloud.faults(FaultPlan { seed: 1, consistency_window_ms: 10_000, ..FaultPlan::default() });
    ask("PUT", "/abc").body(in_us_west_2()).ok(&mut cloud);
    ask("PUT", "/abc/k").body("x").ok(&mut cloud);
    for _ in 0..32 {
        ask("GET", "/abc/k").ok(&mut cloud);
    }
    let heads = |cloud: &mut TestCloud| -> Vec<u16> {
        (0..32).map(|_| ask("HEAD", "/abc").send(cloud).status().as_u16()).collect()
    };
    let lagging = heads(&mut cloud);
    assert!(lagging.contains(&200) && lagging.contains(&404));
    cloud.advance(11);
    assert!(!heads(&mut cloud).contains(&404));
}

#[test]
fn what_the_sandbox_does_not_have_is_named() {
    let mut cloud = with_bucket();
    let missing = error(501, "NotImplemented");
    assert_eq!(ask("GET", "/abc?acl").refused(&mut cloud), missing);
    assert_eq!(ask("PUT", "/abc/k").header("x-amz-tagging", "a=b").refused(&mut cloud), missing);
    assert_eq!(
        ask("GET", "/abc/k2?response-expires=x").refused(&mut cloud).0,
        404,
        "what is not there comes first"
    );
    ask("PUT", "/abc/k").body("x").ok(&mut cloud);
    assert_eq!(ask("GET", "/abc/k?response-expires=x").refused(&mut cloud), missing);
    assert_eq!(ask("GET", "/abc").refused(&mut cloud), missing, "the first version of lists");
}

#[test]
fn buckets_are_listed_in_pages_and_found_again_by_another_process() {
    let mut cloud = with_bucket();
    for name in ["/abd", "/abe", "/xyz"] {
        ask("PUT", name).body(in_us_west_2()).ok(&mut cloud);
    }
    ask("PUT", "/abf").of("222222222222").body(in_us_west_2()).ok(&mut cloud);
    let mut cloud = cloud.reopened();
    let first = ask("GET", "/?prefix=ab&max-buckets=2").read(&mut cloud);
    assert_eq!(texts(&first, "Name"), ["abc", "abd"]);
    let token = text(&first, "ContinuationToken");
    let second =
        ask("GET", &format!("/?prefix=ab&max-buckets=2&continuation-token={token}")).read(&mut cloud);
    assert_eq!(
        (texts(&second, "Name"), text(&second, "ContinuationToken")),
        (vec!["abe".to_owned()], String::new())
    );
    assert_eq!(cloud.inventory().iter().filter(|item| item.account == ACCOUNT).count(), 4);
}
