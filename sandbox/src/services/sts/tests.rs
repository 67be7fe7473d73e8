#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::Pace;
use crate::testing::{Answer, TestCloud, text};

const USER: &str = "arn:aws:iam::123456789012:user/sandbox";

fn role(cloud: &mut TestCloud, name: &str, statement: &str) -> String {
    let trust = format!(r#"{{"Version": "2012-10-17", "Statement": [{statement}]}}"#);
    let params = [("RoleName", name), ("AssumeRolePolicyDocument", &trust)];
    match cloud.query("iam", "CreateRole", &params) {
        Answer::Ok(body) => text(&body, "Arn"),
        other => panic!("{other:?}"),
    }
}

fn trusts(principal: &str, more: &str) -> String {
    says("Allow", principal, more)
}

fn says(effect: &str, principal: &str, more: &str) -> String {
    format!(r#"{{"Effect": "{effect}", "Principal": {principal}, "Action": "sts:AssumeRole"{more}}}"#)
}

fn assume(cloud: &mut TestCloud, arn: &str, more: &[(&str, &str)]) -> Result<String, String> {
    let params = [&[("RoleArn", arn), ("RoleSessionName", "me")], more].concat();
    match cloud.query("sts", "AssumeRole", &params) {
        Answer::Ok(body) => Ok(text(&body, "AccessKeyId")),
        Answer::Refused(code, _) => Err(code),
        Answer::Nothing => panic!(),
    }
}

#[test]
fn a_role_is_assumed_by_whom_it_trusts() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let external = r#", "Condition": {"StringEquals": {"sts:ExternalId": "42"}}"#;
    let denied = Err("AccessDenied".to_owned());
    for (index, (statement, more, expected)) in [
        (trusts(r#""*""#, ""), &[][..], true),
        (trusts(&format!(r#"{{"AWS": "{USER}"}}"#), ""), &[], true),
        (trusts(r#"{"AWS": "123456789012"}"#, ""), &[], true),
        (trusts(r#"{"AWS": "arn:aws:iam::123456789012:root"}"#, ""), &[], true),
        (trusts(r#"{"AWS": "arn:aws:iam::444455556666:root"}"#, ""), &[], false),
        (trusts(r#"{"Service": "eks.amazonaws.com"}"#, ""), &[], false),
        (trusts(r#""*""#, external), &[], false),
        (trusts(r#""*""#, external), &[("ExternalId", "41")], false),
        (trusts(r#""*""#, external), &[("ExternalId", "42")], true),
        (trusts(r#""*""#, "") + "," + &says("Deny", &format!(r#"{{"AWS": "{USER}"}}"#), ""), &[], false),
    ]
    .into_iter()
    .enumerate()
    {
        let arn = role(&mut cloud, &format!("r{index}"), &statement);
        let answer = assume(&mut cloud, &arn, more);
        assert!(if expected { answer.is_ok() } else { answer == denied }, "{statement} {more:?}: {answer:?}");
    }
}

#[test]
fn what_is_not_there_or_not_known_is_refused() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let arn = role(&mut cloud, "r", &trusts(r#""*""#, ""));
    let odd = r#", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#;
    let odd = role(&mut cloud, "odd", &trusts(r#""*""#, odd));
    for (arn, more, expected) in [
        ("arn:aws:iam::123456789012:role/other", &[][..], "AccessDenied"),
        ("arn:aws:iam::123456789012:role/path/r", &[], "AccessDenied"),
        ("arn:aws:iam::444455556666:role/r", &[], "AccessDenied"),
        ("arn:aws:iam::123456789012:user/r", &[], "AccessDenied"),
        ("role/r", &[], "ValidationError"),
        (arn.as_str(), &[("Policy", "{}")], "UnknownParameter"),
        (arn.as_str(), &[("DurationSeconds", "899")], "ValidationError"),
        (arn.as_str(), &[("DurationSeconds", "7200")], "ValidationError"),
        (odd.as_str(), &[], "NotImplemented"),
    ] {
        assert_eq!(assume(&mut cloud, arn, more), Err(expected.to_owned()), "{arn} {more:?}");
    }
}

#[test]
fn a_session_ends_and_is_forgotten_a_day_later() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let arn = role(&mut cloud, "r", &trusts(r#""*""#, ""));
    let key = assume(&mut cloud, &arn, &[("DurationSeconds", "900")]).unwrap();
    let who = |cloud: &mut TestCloud| match cloud.query_as(&key, "sts", "GetCallerIdentity", &[]) {
        Answer::Ok(body) => text(&body, "Arn"),
        Answer::Refused(code, _) => code,
        Answer::Nothing => panic!(),
    };
    cloud.advance(899);
    assert_eq!(who(&mut cloud), "arn:aws:sts::123456789012:assumed-role/r/me");
    cloud.advance(1);
    assert_eq!(who(&mut cloud), "ExpiredToken");
    cloud.advance(24 * 60 * 60);
    assert_eq!(who(&mut cloud), USER);
}
