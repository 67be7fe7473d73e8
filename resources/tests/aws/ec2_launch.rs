//! Launch templates and flow logs.

use aws_credential_types::Credentials;
use lsinfra_engine::provider::ErrorKind;
use lsinfra_engine::{Property, Value};
use lsinfra_resources::aws::ec2::{
    BlockDeviceMapping, FlowLog, LaunchTemplate, LaunchTemplateId, LaunchedResourceType, LogDestinationType,
    MetadataOptions, SecurityGroupId, TagSpecification, TrafficType, VolumeType, VpcId,
};
use lsinfra_resources::aws::iam::Role;
use lsinfra_resources::aws::s3::Bucket;
use lsinfra_resources::aws::{Arn, PolicyDocument, Principal, Statement};

use crate::ec2_network::vpc;
use crate::harness::{Region, properties, tags};
use crate::quirks;

fn volume(volume_size_gib: i32) -> BlockDeviceMapping {
    BlockDeviceMapping {
        device_name: "/dev/xvda".to_owned(),
        volume_size_gib,
        volume_type: VolumeType::Gp3,
        iops: Some(4000),
        throughput_mib_per_second: Some(250),
        encrypted: true,
        kms_key_id: Some("alias/nodes".to_owned()),
        delete_on_termination: true,
    }
}

fn metadata(http_put_response_hop_limit: i32) -> MetadataOptions {
    MetadataOptions {
        http_endpoint_enabled: true,
        http_tokens_required: true,
        http_put_response_hop_limit,
        instance_metadata_tags_enabled: false,
    }
}

fn names(name: &str) -> Vec<TagSpecification> {
    [LaunchedResourceType::Instance, LaunchedResourceType::Volume, LaunchedResourceType::NetworkInterface]
        .map(|resource_type| TagSpecification { resource_type, tags: tags([("Name", name)]) })
        .into()
}

/// The numbers of a template's versions, sorted, asked for without any resource type.
async fn versions(region: &Region, id: &str) -> Vec<i64> {
    let config = aws_sdk_ec2::Config::builder()
        .behavior_version(aws_sdk_ec2::config::BehaviorVersion::latest())
        .region(aws_sdk_ec2::config::Region::new(region.connection.region.clone()))
        .endpoint_url(region.url())
        .credentials_provider(Credentials::new(&region.connection.account, "test", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    let request = aws_sdk_ec2::Client::from_conf(config).describe_launch_template_versions();
    let answer = request.launch_template_id(id).send().await.unwrap();
    let mut numbers: Vec<i64> =
        answer.launch_template_versions().iter().filter_map(|version| version.version_number()).collect();
    numbers.sort_unstable();
    numbers
}

#[tokio::test]
async fn each_setting_of_a_launch_template_makes_a_version_and_is_taken_back() {
    let region = Region::open("us-west-2").await;
    let plain = LaunchTemplate {
        name: region.fresh_name("nodes").into(),
        instance_type: "m6i.xlarge".into(),
        ..LaunchTemplate::default()
    };
    let mut template = region.create("nodes", plain.clone()).await;
    assert_eq!(template.output::<i64>("latest_version"), 1);
    let group = |digit: char| SecurityGroupId::new(format!("sg-0123456789abcde{digit}0"));
    let all = LaunchTemplate {
        image_id: "ami-0123456789abcdef0".into(),
        block_device_mappings: vec![volume(100)].into(),
        metadata_options: metadata(2).into(),
        security_group_ids: vec![group('1'), group('2')].into(),
        user_data: "#!/bin/bash\necho ready\n".into(),
        monitoring: true.into(),
        tag_specifications: names("node").into(),
        tags: tags([("Name", "nodes")]).into(),
        ..plain.clone()
    };
    template.update(all.clone()).await;
    assert_eq!(template.output::<i64>("latest_version"), 2, "one version has all changes");
    if quirks::does("DeleteLaunchTemplateVersions: is not there") {
        return;
    }
    for changed in [
        LaunchTemplate { image_id: "ami-0123456789abcdef1".into(), ..all.clone() },
        LaunchTemplate { instance_type: "m6i.2xlarge".into(), ..all.clone() },
        LaunchTemplate { block_device_mappings: vec![volume(200)].into(), ..all.clone() },
        LaunchTemplate { metadata_options: metadata(1).into(), ..all.clone() },
        LaunchTemplate { security_group_ids: vec![group('3')].into(), ..all.clone() },
        LaunchTemplate { user_data: "#!/bin/sh\n".into(), ..all.clone() },
        LaunchTemplate { monitoring: false.into(), ..all.clone() },
        LaunchTemplate { tag_specifications: names("other").into(), ..all.clone() },
    ] {
        let before = template.output::<i64>("latest_version");
        template.update(changed).await;
        assert_eq!(template.output::<i64>("latest_version"), before + 1);
        template.update(all.clone()).await;
    }
    let before = template.output::<i64>("latest_version");
    template.update(LaunchTemplate { tags: tags([("Name", "others")]).into(), ..all.clone() }).await;
    assert_eq!(template.output::<i64>("latest_version"), before, "tags of the template are in no version");

    // No longer given, each is in the next version no more.
    template.update(plain.clone()).await;
    template.inputs = properties(&all);
    for input in ["image_id", "metadata_options", "user_data", "monitoring"] {
        template.assert_observed(input, Some(Value::Null)).await;
    }
    for input in ["block_device_mappings", "security_group_ids", "tag_specifications"] {
        template.assert_observed(input, Some(Value::List(Vec::new()))).await;
    }
    template.assert_observed("tags", Some(Value::Map(Default::default()))).await;
    template.inputs = properties(&plain);
    template.delete().await;
}

#[tokio::test]
async fn a_launch_template_keeps_its_newest_versions_and_its_default_one() {
    if quirks::does("DeleteLaunchTemplateVersions: is not there") {
        return;
    }
    let region = Region::open("us-west-1").await;
    let sized = |size: i32| LaunchTemplate {
        name: "lsinfra-test-versions".into(),
        block_device_mappings: vec![volume(size)].into(),
        ..LaunchTemplate::default()
    };
    let mut template = region.create("nodes", sized(20)).await;
    for size in 21..35 {
        template.update(sized(size)).await;
    }
    let id: LaunchTemplateId = template.output("id");
    assert_eq!(versions(&region, id.as_str()).await, [1, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    template.delete().await;
}

#[tokio::test]
async fn a_version_made_by_hand_is_drift_that_is_mended() {
    let region = Region::open("us-east-2").await;
    let inputs = LaunchTemplate {
        name: region.fresh_name("drift").into(),
        metadata_options: metadata(2).into(),
        ..LaunchTemplate::default()
    };
    let mut template = region.create("nodes", inputs.clone()).await;
    let other =
        region.create("others", LaunchTemplate { name: region.fresh_name("other").into(), ..inputs.clone() });
    let other = other.await;
    let by_hand = LaunchTemplate { metadata_options: metadata(1).into(), ..inputs.clone() };
    template.update(by_hand).await;
    template.inputs = properties(&inputs);
    template.assert_observed("metadata_options", Some(metadata(1).to_value())).await;
    // Completing an object that was adopted mends it, too.
    template.outputs =
        template.provider.complete(&template.step, template.id(), &template.inputs).await.unwrap();
    template.assert_no_drift().await;
    other.assert_no_drift().await;
    template.delete().await;
    other.delete().await;
}

#[tokio::test]
async fn a_flow_log_to_a_log_group_lives() {
    let region = Region::open("eu-west-1").await;
    let vpc = vpc(&region).await;
    let service = Principal::service("vpc-flow-logs.amazonaws.com");
    let trust = PolicyDocument::new([Statement::allow(["sts:AssumeRole"]).to(service)]);
    let role = Role {
        name: region.fresh_name("flow-logs").into(),
        assume_role_policy: trust.into(),
        ..Role::default()
    };
    let role = region.create("flow-logs", role).await;
    let group = format!("arn:aws:logs:eu-west-1:{}:log-group:/test/flow", region.connection.account);
    let inputs = FlowLog {
        vpc_id: vpc.output::<VpcId>("id").into(),
        traffic_type: TrafficType::Reject.into(),
        log_destination_type: LogDestinationType::CloudWatchLogs.into(),
        log_destination: Arn::new(group).into(),
        deliver_logs_permission_arn: role.output::<Arn>("arn").into(),
        max_aggregation_interval_seconds: 60.into(),
        tags: tags([("Name", "flow")]).into(),
    };
    let mut log = region.create("flow", inputs.clone()).await;
    log.update(FlowLog { tags: tags([("Name", "flows")]).into(), ..inputs }).await;
    log.delete().await;
    role.delete().await;
    vpc.delete().await;
}

#[tokio::test]
async fn a_flow_log_to_a_bucket_waits_for_the_bucket() {
    let region = Region::open("eu-west-2").await;
    let vpc = vpc(&region).await;
    let name = region.fresh_name("flow");
    let inputs = FlowLog {
        vpc_id: vpc.output::<VpcId>("id").into(),
        traffic_type: TrafficType::All.into(),
        log_destination_type: LogDestinationType::S3.into(),
        log_destination: Arn::new(format!("arn:aws:s3:::{name}")).into(),
        ..FlowLog::default()
    };
    if !quirks::does("CreateFlowLogs: takes a bucket that is not there") {
        let early = region.declare("flow", inputs.clone());
        let error = early.provider.create(&early.step, &early.inputs).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert!(error.message.contains("does not exist"), "{}", error.message);
    }
    let bucket = region.create("flow", Bucket { name: name.into(), ..Bucket::default() }).await;
    let log = region.create("flow", inputs).await;
    log.delete().await;
    bucket.delete().await;
    vpc.delete().await;
}
