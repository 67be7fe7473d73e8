//! Launch templates and their versions.

use crate::Pace;
use crate::testing::{Answer, TestCloud, text, texts};

const DATA: &str = "LaunchTemplateData.InstanceType";

fn template(cloud: &mut TestCloud, name: &str) -> String {
    let params = [("LaunchTemplateName", name), (DATA, "m6i.xlarge")];
    text(&cloud.ec2("CreateLaunchTemplate", &params), "launchTemplateId")
}

fn version(cloud: &mut TestCloud, id: &str, instance_type: &str) -> String {
    let params = [("LaunchTemplateId", id), (DATA, instance_type)];
    text(&cloud.ec2("CreateLaunchTemplateVersion", &params), "versionNumber")
}

fn numbers(cloud: &mut TestCloud, params: &[(&str, &str)]) -> Vec<String> {
    texts(&cloud.ec2("DescribeLaunchTemplateVersions", params), "versionNumber")
}

#[test]
fn every_setting_is_read_back_and_is_carried_over_from_a_source_version() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let settings = [
        ("LaunchTemplateName", "nodes"),
        ("VersionDescription", "first"),
        ("LaunchTemplateData.ImageId", "ami-0123456789abcdef0"),
        ("LaunchTemplateData.InstanceType", "m6i.xlarge"),
        ("LaunchTemplateData.UserData", "I2Jhc2gK"),
        ("LaunchTemplateData.Monitoring.Enabled", "true"),
        ("LaunchTemplateData.SecurityGroupId.1", "sg-0123456789abcdef0"),
        ("LaunchTemplateData.BlockDeviceMapping.1.DeviceName", "/dev/xvda"),
        ("LaunchTemplateData.BlockDeviceMapping.1.Ebs.VolumeSize", "100"),
        ("LaunchTemplateData.BlockDeviceMapping.1.Ebs.VolumeType", "gp3"),
        ("LaunchTemplateData.BlockDeviceMapping.1.Ebs.Iops", "4000"),
        ("LaunchTemplateData.BlockDeviceMapping.1.Ebs.Throughput", "250"),
        ("LaunchTemplateData.BlockDeviceMapping.1.Ebs.Encrypted", "true"),
        ("LaunchTemplateData.BlockDeviceMapping.1.Ebs.KmsKeyId", "alias/nodes"),
        ("LaunchTemplateData.BlockDeviceMapping.1.Ebs.DeleteOnTermination", "true"),
        ("LaunchTemplateData.MetadataOptions.HttpTokens", "required"),
        ("LaunchTemplateData.MetadataOptions.HttpPutResponseHopLimit", "2"),
        ("LaunchTemplateData.MetadataOptions.HttpEndpoint", "enabled"),
        ("LaunchTemplateData.MetadataOptions.InstanceMetadataTags", "disabled"),
        ("LaunchTemplateData.TagSpecification.1.ResourceType", "instance"),
        ("LaunchTemplateData.TagSpecification.1.Tag.1.Key", "Name"),
        ("LaunchTemplateData.TagSpecification.1.Tag.1.Value", "node"),
        ("TagSpecification.1.ResourceType", "launch-template"),
        ("TagSpecification.1.Tag.1.Key", "stack"),
        ("TagSpecification.1.Tag.1.Value", "s"),
    ];
    let created = cloud.ec2("CreateLaunchTemplate", &settings);
    let id = text(&created, "launchTemplateId");
    let source = [("LaunchTemplateId", id.as_str()), ("SourceVersion", "1"), (DATA, "m6i.2xlarge")];
    let second = cloud.ec2("CreateLaunchTemplateVersion", &source);
    let first = cloud.ec2(
        "DescribeLaunchTemplateVersions",
        &[("LaunchTemplateId", &id), ("LaunchTemplateVersion.1", "1")],
    );
    for (answer, instance_type) in [(&first, "m6i.xlarge"), (&second, "m6i.2xlarge")] {
        for (element, value) in [
            ("imageId", "ami-0123456789abcdef0"),
            ("instanceType", instance_type),
            ("userData", "I2Jhc2gK"),
            ("deviceName", "/dev/xvda"),
            ("volumeSize", "100"),
            ("volumeType", "gp3"),
            ("iops", "4000"),
            ("throughput", "250"),
            ("encrypted", "true"),
            ("kmsKeyId", "alias/nodes"),
            ("deleteOnTermination", "true"),
            ("httpTokens", "required"),
            ("httpPutResponseHopLimit", "2"),
            ("httpEndpoint", "enabled"),
            ("instanceMetadataTags", "disabled"),
            ("resourceType", "instance"),
            ("value", "node"),
        ] {
            assert_eq!(text(answer, element), value, "{element}");
        }
        assert!(answer.contains("sg-0123456789abcdef0"), "{answer}");
    }
    let described = cloud.ec2("DescribeLaunchTemplates", &[("LaunchTemplateName.1", "nodes")]);
    assert_eq!(
        [text(&described, "defaultVersionNumber"), text(&described, "latestVersionNumber")],
        ["1", "2"]
    );
    assert_eq!(texts(&described, "value"), ["s"]);
}

#[test]
fn versions_are_numbered_for_ever_and_the_default_one_stays() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let id = template(&mut cloud, "nodes");
    let by_id = [("LaunchTemplateId", id.as_str())];
    assert_eq!(version(&mut cloud, &id, "m6i.2xlarge"), "2");
    let delete = |cloud: &mut TestCloud, number: &str| {
        cloud.ec2("DeleteLaunchTemplateVersions", &[by_id[0], ("LaunchTemplateVersion.1", number)])
    };
    assert_eq!(text(&delete(&mut cloud, "1"), "code"), "unexpectedError");
    assert_eq!(text(&delete(&mut cloud, "7"), "code"), "launchTemplateVersionDoesNotExist");
    delete(&mut cloud, "2");
    assert_eq!(version(&mut cloud, &id, "m6i.4xlarge"), "3");
    assert_eq!(numbers(&mut cloud, &by_id), ["3", "1"]);
    cloud.ec2("ModifyLaunchTemplate", &[by_id[0], ("SetDefaultVersion", "3")]);
    delete(&mut cloud, "1");
    assert_eq!(numbers(&mut cloud, &by_id), ["3"]);
    let missing = [by_id[0], ("LaunchTemplateVersion.1", "1")];
    assert_eq!(
        cloud.refused("DescribeLaunchTemplateVersions", &missing),
        "InvalidLaunchTemplateId.VersionNotFound"
    );
    let missing = [by_id[0], ("SetDefaultVersion", "2")];
    assert_eq!(cloud.refused("ModifyLaunchTemplate", &missing), "InvalidLaunchTemplateId.VersionNotFound");
}

#[test]
fn the_latest_versions_of_all_templates_come_in_pages() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let ids: Vec<String> = ["one", "two", "three"].map(|name| template(&mut cloud, name)).into();
    version(&mut cloud, &ids[0], "m6i.2xlarge");
    let latest = [("LaunchTemplateVersion.1", "$Latest")];
    let mut all = numbers(&mut cloud, &latest);
    all.sort();
    assert_eq!(all, ["1", "1", "2"]);
    let first = cloud.ec2("DescribeLaunchTemplateVersions", &[latest[0], ("MaxResults", "2")]);
    let token = text(&first, "nextToken");
    let rest =
        cloud.ec2("DescribeLaunchTemplateVersions", &[latest[0], ("MaxResults", "2"), ("NextToken", &token)]);
    assert_eq!(texts(&first, "launchTemplateId").len() + texts(&rest, "launchTemplateId").len(), 3);
    assert_eq!(cloud.refused("DescribeLaunchTemplateVersions", &[]), "MissingParameter");
}

#[test]
fn a_token_makes_one_template_and_one_version() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let params = [("LaunchTemplateName", "nodes"), (DATA, "m6i.xlarge"), ("ClientToken", "t")];
    let id = text(&cloud.ec2("CreateLaunchTemplate", &params), "launchTemplateId");
    assert_eq!(text(&cloud.ec2("CreateLaunchTemplate", &params), "launchTemplateId"), id);
    let other = [params[0], (DATA, "m6i.2xlarge"), params[2]];
    assert_eq!(cloud.refused("CreateLaunchTemplate", &other), "IdempotentParameterMismatch");
    let params = [("LaunchTemplateId", id.as_str()), (DATA, "m6i.2xlarge"), ("ClientToken", "t")];
    for _ in 0..2 {
        let answer = cloud.ec2("CreateLaunchTemplateVersion", &params);
        assert_eq!(text(&answer, "versionNumber"), "2");
    }
}

#[test]
fn what_is_wrong_is_refused() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let id = template(&mut cloud, "nodes");
    for (params, code) in [
        (
            vec![("LaunchTemplateName", "nodes"), (DATA, "a")],
            "InvalidLaunchTemplateName.AlreadyExistsException",
        ),
        (vec![("LaunchTemplateName", "a b c"), (DATA, "a")], "InvalidLaunchTemplateName.MalformedException"),
        (vec![("LaunchTemplateName", "empty")], "MissingParameter"),
        (
            vec![("LaunchTemplateName", "new"), ("LaunchTemplateData.MetadataOptions.HttpTokens", "maybe")],
            "InvalidParameterValue",
        ),
    ] {
        assert_eq!(cloud.refused("CreateLaunchTemplate", &params), code, "{params:?}");
    }
    let params = [("LaunchTemplateName", "new"), ("LaunchTemplateData.KeyName", "k"), (DATA, "a")];
    let Answer::Refused(code, body) = cloud.query("ec2", "CreateLaunchTemplate", &params) else { panic!() };
    assert_eq!(code, "UnknownParameter");
    assert!(body.contains("KeyName"), "{body}");
    cloud.ec2("DeleteLaunchTemplate", &[("LaunchTemplateId", &id)]);
    assert_eq!(
        cloud.refused("DeleteLaunchTemplate", &[("LaunchTemplateId", &id)]),
        "InvalidLaunchTemplateId.NotFound"
    );
    assert!(cloud.inventory().is_empty());
}
