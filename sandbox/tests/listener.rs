//! A served sandbox as its clients meet it: over TCP, with faults, held answers and the control endpoint.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::time::Duration;

use lsinfra_sandbox::{
    Error, FaultPlan, Hold, HoldCount, HoldPoint, Options, Outcome, Pace, Serving, connect, reset, serve,
    stop,
};
use support::{call, create_vpc, receive, send, vpcs};
use tempfile::TempDir;

fn served() -> (TempDir, Serving) {
    let folder = tempfile::tempdir().unwrap();
    let serving = serve(Options::new(folder.path())).unwrap();
    (folder, serving)
}

fn hold(call: u64, count: HoldCount, point: HoldPoint) -> FaultPlan {
    FaultPlan { hold: vec![Hold { call, count, point }], ..FaultPlan::default() }
}

const CREATE: &str = "Action=CreateVpc&Version=2016-11-15&CidrBlock=10.0.0.0%2F16";

#[test]
fn the_signature_names_the_service_and_what_is_not_there_is_said() {
    let (_folder, serving) = served();
    let (status, body) = call(serving.url(), "sts", "Action=GetCallerIdentity&Version=2011-06-15").unwrap();
    assert!(status == 200 && body.contains("<Account>123456789012</Account>"), "{body}");
    let (status, body) = call(serving.url(), "sts", "Action=DecodeAuthorizationMessage").unwrap();
    assert!(status == 400 && body.contains("sts:DecodeAuthorizationMessage"), "{body}");
    let (status, body) = call(serving.url(), "braket", "Action=X").unwrap();
    assert!(status == 501 && body.contains("braket"), "{body}");
}

#[test]
fn an_answer_held_after_the_effect_survives_its_client() {
    let (_folder, serving) = served();
    let control = serving.endpoint().control();
    control.set_faults(&hold(2, HoldCount::Changing, HoldPoint::After)).unwrap();
    create_vpc(serving.url()).unwrap();
    assert_eq!(vpcs(serving.url()), 1);
    let client = send(serving.url(), "ec2", CREATE);
    let held = control.held().unwrap();
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].operation, "ec2:CreateVpc");
    assert_eq!(control.account().unwrap().len(), 2, "the effect has happened");
    drop(client);
    assert_eq!(vpcs(serving.url()), 2);
    let log = control.calls().unwrap();
    let call = log.calls.iter().find(|call| call.number == held[0].number).unwrap();
    assert_eq!(call.outcome, Outcome::Ok);
}

#[test]
fn the_log_says_who_called_and_how_much_they_sent() {
    let (_folder, serving) = served();
    let control = serving.endpoint().control();
    create_vpc(serving.url()).unwrap();
    create_vpc(serving.url()).unwrap();
    let log = control.calls().unwrap();
    let call = &log.calls[0];
    assert_eq!((call.user_agent.as_str(), call.request_bytes), ("test/1", CREATE.len() as u64));
    assert_eq!(log.request_bytes["ec2:CreateVpc"], 2 * CREATE.len() as u64);
}

#[test]
fn a_delayed_call_waits_and_holds_nobody_up() {
    let (_folder, serving) = served();
    let control = serving.endpoint().control();
    let only = vec!["ec2:CreateVpc".to_owned()];
    control.set_faults(&FaultPlan { delay_ms: u64::MAX, only, ..FaultPlan::default() }).unwrap();
    let client = send(serving.url(), "ec2", CREATE);
    while control.calls().unwrap().total == 0 {}
    assert_eq!(vpcs(serving.url()), 0, "it waits");
    drop(client);
}

#[test]
fn the_calls_of_one_operation_can_be_counted_for_a_hold() {
    let (_folder, serving) = served();
    let control = serving.endpoint().control();
    let of = HoldCount::Of("ec2:DescribeVpcs".to_owned());
    control.set_faults(&hold(2, of, HoldPoint::Before)).unwrap();
    create_vpc(serving.url()).unwrap();
    assert_eq!(vpcs(serving.url()), 1);
    create_vpc(serving.url()).unwrap();
    let client = send(serving.url(), "ec2", "Action=DescribeVpcs&Version=2016-11-15");
    assert_eq!(control.held().unwrap()[0].operation, "ec2:DescribeVpcs");
    control.release().unwrap();
    receive(client).unwrap();
}

#[test]
fn a_held_call_is_answered_when_it_is_released() {
    let (_folder, serving) = served();
    let control = serving.endpoint().control();
    control.set_faults(&hold(1, HoldCount::All, HoldPoint::Before)).unwrap();
    let client = send(serving.url(), "ec2", CREATE);
    control.held().unwrap();
    assert!(control.account().unwrap().is_empty(), "the effect has not happened");
    assert_eq!(control.release().unwrap(), 1);
    assert_eq!(receive(client).unwrap().0, 200);
    assert_eq!(control.account().unwrap().len(), 1);
    assert_eq!(control.release().unwrap(), 0);
}

#[test]
fn a_call_held_before_its_effect_has_none_if_its_client_goes_away() {
    let (_folder, serving) = served();
    let control = serving.endpoint().control();
    let mut plan = hold(1, HoldCount::Changing, HoldPoint::Before);
    plan.hold.push(Hold { call: 2, count: HoldCount::Changing, point: HoldPoint::Before });
    control.set_faults(&plan).unwrap();
    let client = send(serving.url(), "ec2", CREATE);
    let first = control.held().unwrap();
    drop(client);
    // The next held call shows that the sandbox has noticed: it lists those that still wait.
    let client = send(serving.url(), "ec2", CREATE);
    let second = loop {
        let held = control.held().unwrap();
        if held.iter().all(|held| held.number != first[0].number) && !held.is_empty() {
            break held;
        }
        std::thread::yield_now();
    };
    assert_eq!(second.len(), 1);
    control.release().unwrap();
    receive(client).unwrap();
    assert_eq!(control.account().unwrap().len(), 1);
}

#[test]
fn a_lost_response_closes_the_connection_after_the_effect() {
    let (_folder, serving) = served();
    let control = serving.endpoint().control();
    control.set_faults(&FaultPlan { lost_response: 1.0, ..FaultPlan::default() }).unwrap();
    assert_eq!(create_vpc(serving.url()), None);
    assert_eq!(vpcs(serving.url()), 1);
    control.set_faults(&FaultPlan { dropped_connection: 1.0, ..FaultPlan::default() }).unwrap();
    assert_eq!(create_vpc(serving.url()), None);
    control.set_faults(&FaultPlan::default()).unwrap();
    assert_eq!(vpcs(serving.url()), 1);
    let log = control.calls().unwrap();
    let injected: Vec<_> = log.calls.iter().filter_map(|call| call.injected.as_deref()).collect();
    assert_eq!(injected, ["lost_response", "dropped_connection"]);
}

#[test]
fn a_fault_plan_that_could_not_strike_is_refused_with_what_is_wrong() {
    let (_folder, serving) = served();
    let control = serving.endpoint().control();
    let texts = |text: &str| vec![text.to_owned()];
    for (plan, said) in [
        (
            FaultPlan { deny: texts("ec2:CreateNatGatway"), ..Default::default() },
            "deny: there is no ec2:CreateNatGatway",
        ),
        (FaultPlan { only: texts("s3:Foo*"), ..Default::default() }, "only: there is no s3:Foo*"),
        (FaultPlan { throttle: 5.0, ..Default::default() }, "throttle: a share is from 0 to 1, not 5"),
        (FaultPlan { lost_response: -0.1, ..Default::default() }, "lost_response: a share is from 0 to 1"),
        (
            FaultPlan { quotas: [("vpc".to_owned(), 1)].into(), ..Default::default() },
            "quotas: there is no vpc; there are",
        ),
        (
            hold(1, HoldCount::Of("ec2:DescribeNat".to_owned()), HoldPoint::After),
            "hold: there is no ec2:DescribeNat",
        ),
        (hold(0, HoldCount::All, HoldPoint::After), "hold: calls are counted from 1"),
    ] {
        let refused = control.set_faults(&plan).unwrap_err().to_string();
        assert!(refused.contains(said), "{refused}");
    }
    let deny = vec!["s3:PutBucketPolicy".to_owned(), "iam:*".to_owned(), "*".to_owned()];
    let quotas = [("nat-gateways-per-zone".to_owned(), 0)].into();
    control.set_faults(&FaultPlan { deny, quotas, throttle: 1.0, ..Default::default() }).unwrap();
}

#[test]
fn a_fault_plan_with_an_unknown_key_is_refused_and_the_old_one_stays() {
    let (_folder, serving) = served();
    let control = serving.endpoint().control();
    let plan = FaultPlan { seed: 9, throttle: 0.5, ..FaultPlan::default() };
    control.set_faults(&plan).unwrap();
    let address = serving.url().trim_start_matches("http://").to_owned();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    std::io::Write::write_all(
        &mut stream,
        b"POST /_sandbox/faults HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 15\r\n\r\n{\"trottle\": 1.0}",
    )
    .unwrap();
    let (status, _) = receive(stream).unwrap();
    assert_eq!(status, 400);
    assert_eq!(control.faults().unwrap(), plan);
}

#[test]
fn twenty_writers_of_one_name_have_one_winner() {
    let (_folder, serving) = served();
    let (_, body) = create_vpc(serving.url()).unwrap();
    let vpc = body.split("<vpcId>").nth(1).unwrap().split('<').next().unwrap();
    for round in 0..5 {
        let form = format!("Action=CreateSecurityGroup&GroupName=g{round}&GroupDescription=d&VpcId={vpc}");
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let writers: Vec<_> =
                (0..20).map(|_| scope.spawn(|| call(serving.url(), "ec2", &form).unwrap().0)).collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    }
}

#[test]
fn the_account_and_the_port_outlive_the_process_and_a_reset_empties_only_the_account() {
    let (folder, serving) = served();
    create_vpc(serving.url()).unwrap();
    let url = serving.url().to_owned();
    let before = serving.endpoint().control().status().unwrap().time;
    serving.stop();
    assert_eq!(connect(folder.path()), None);
    let serving = serve(Options::new(folder.path())).unwrap();
    assert_eq!(serving.url(), url);
    assert_eq!(vpcs(&url), 1);
    let after = serving.endpoint().control().status().unwrap().time;
    assert!(after >= before, "{before} {after}");
    drop(serving);
    reset(folder.path()).unwrap();
    let serving = serve(Options::new(folder.path())).unwrap();
    assert_eq!((serving.url(), vpcs(&url)), (url.as_str(), 0));
}

#[test]
fn a_folder_has_one_sandbox_and_stop_waits_for_its_end() {
    let (folder, serving) = served();
    assert!(matches!(serve(Options::new(folder.path())), Err(Error::InUse { .. })));
    assert_eq!(connect(folder.path()).as_ref(), Some(serving.endpoint()));
    assert!(stop(folder.path()).unwrap());
    assert!(!stop(folder.path()).unwrap());
    drop(serve(Options::new(folder.path())).unwrap());
}

#[cfg(target_os = "linux")]
#[test]
fn a_sandbox_whose_disk_is_full_can_be_found_stopped_and_reset() {
    let folder = tempfile::tempdir().unwrap();
    // A file on which every write fails as on a full disk.
    std::os::unix::fs::symlink("/dev/full", folder.path().join("clock")).unwrap();
    let serving = serve(Options::new(folder.path())).unwrap();
    for _ in 0..2 {
        let (status, body) = create_vpc(serving.url()).unwrap();
        assert!(status == 500 && body.contains("could not write its state"), "{body}");
    }
    assert_eq!(connect(folder.path()).as_ref(), Some(serving.endpoint()));
    serving.endpoint().control().status().unwrap();
    assert!(stop(folder.path()).unwrap());
    reset(folder.path()).unwrap();
    let serving = serve(Options::new(folder.path())).unwrap();
    create_vpc(serving.url()).unwrap();
    assert_eq!(vpcs(serving.url()), 1);
}

#[test]
fn a_held_answer_does_not_keep_a_sandbox_from_stopping() {
    let (folder, serving) = served();
    let control = serving.endpoint().control();
    control.set_faults(&hold(1, HoldCount::All, HoldPoint::After)).unwrap();
    let client = send(serving.url(), "ec2", CREATE);
    control.held().unwrap();
    serving.stop();
    assert_eq!(receive(client), None);
    let serving = serve(Options::new(folder.path())).unwrap();
    assert_eq!(vpcs(serving.url()), 1);
}

#[test]
fn a_sandbox_without_calls_stops_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { idle_stop: Some(Duration::from_millis(20)), ..Options::new(folder.path()) };
    serve(options).unwrap().wait();
    assert_eq!(connect(folder.path()), None);
}

#[test]
fn options_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for speed in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let options = Options { pace: Pace::Realistic { speed }, ..Options::new(folder.path()) };
        assert!(matches!(serve(options), Err(Error::Pace { .. })), "{speed}");
    }
    let options = Options { account: "12".to_owned(), ..Options::new(folder.path()) };
    assert!(matches!(serve(options), Err(Error::Account { .. })));
}

#[test]
fn an_account_is_given_a_hosted_zone_that_is_not_one_of_its_own_making() {
    let (_folder, serving) = served();
    let control = serving.endpoint().control();
    control.ensure_hosted_zone("123456789012", "example.com").unwrap();
    control.ensure_hosted_zone("123456789012", "Example.com.").unwrap();
    assert_eq!(control.account().unwrap(), []);
    for (account, name) in [("1", "example.com"), ("123456789012", "a..b")] {
        let error = control.ensure_hosted_zone(account, name).unwrap_err();
        assert!(matches!(error, Error::Control { status: 400, .. }), "{error:?}");
    }
}
