//! What a version of a launch template says: the settings that the stack's node groups use.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RequestLaunchTemplateData.html>

use serde::{Deserialize, Serialize};
use winterbaume_ec2_generated::model::{
    LaunchTemplateBlockDeviceMapping, LaunchTemplateEbsBlockDevice, LaunchTemplateInstanceMetadataOptions,
    LaunchTemplateTagSpecification, LaunchTemplatesMonitoring, ResponseLaunchTemplateData,
};

use crate::protocol::error::ServiceError;
use crate::protocol::params::Params;
use crate::services::ec2::common::answers::{invalid_value, texts};
use crate::services::ec2::common::tags::{self, Tags};

const PREFIX: &str = "LaunchTemplateData";
/// What can be tagged when it is launched.
const TAGGED: &[&str] = &["instance", "network-interface", "spot-instances-request", "volume"];
const VOLUME_TYPES: &[&str] = &["gp2", "gp3", "io1", "io2", "sc1", "st1", "standard"];
const SWITCH: &[&str] = &["disabled", "enabled"];

/// The settings of one version; what was not given is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Data {
    pub(crate) image_id: Option<String>,
    pub(crate) instance_type: Option<String>,
    /// In base64.
    pub(crate) user_data: Option<String>,
    pub(crate) monitoring: Option<bool>,
    pub(crate) devices: Vec<Device>,
    pub(crate) metadata: Option<MetadataOptions>,
    pub(crate) security_group_ids: Vec<String>,
    /// Kinds of what is launched, and their tags.
    pub(crate) tags: Vec<(String, Tags)>,
}

/// A volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Device {
    name: Option<String>,
    delete_on_termination: Option<bool>,
    encrypted: Option<bool>,
    iops: Option<i32>,
    kms_key_id: Option<String>,
    throughput: Option<i32>,
    pub(crate) volume_size: Option<i32>,
    volume_type: Option<String>,
}

/// How instances reach their metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MetadataOptions {
    http_endpoint: Option<String>,
    hop_limit: Option<i32>,
    http_tokens: Option<String>,
    instance_metadata_tags: Option<String>,
}

/// Reads the settings of a request; none at all is an error.
pub(crate) fn read(params: &Params) -> Result<Data, ServiceError> {
    if !params.has_within(PREFIX) {
        let text = format!("The request must contain the parameter {PREFIX}");
        return Err(ServiceError::new(400, "MissingParameter", text));
    }
    let text = |name: &str| params.text(&format!("{PREFIX}.{name}")).map(str::to_owned);
    let devices: Result<Vec<_>, _> = params
        .structures(&format!("{PREFIX}.BlockDeviceMapping"))
        .iter()
        .map(|prefix| device(params, prefix))
        .collect();
    let groups = params.list(&format!("{PREFIX}.SecurityGroupId"));
    Ok(Data {
        image_id: text("ImageId"),
        instance_type: text("InstanceType"),
        user_data: text("UserData"),
        monitoring: params.parsed(&format!("{PREFIX}.Monitoring.Enabled"))?,
        devices: devices?,
        metadata: metadata(params)?,
        security_group_ids: groups.into_iter().map(str::to_owned).collect(),
        tags: tag_specifications(params)?,
    })
}

fn device(params: &Params, prefix: &str) -> Result<Device, ServiceError> {
    let text = |name: &str| params.text(&format!("{prefix}.{name}")).map(str::to_owned);
    Ok(Device {
        name: text("DeviceName"),
        delete_on_termination: params.parsed(&format!("{prefix}.Ebs.DeleteOnTermination"))?,
        encrypted: params.parsed(&format!("{prefix}.Ebs.Encrypted"))?,
        iops: params.parsed(&format!("{prefix}.Ebs.Iops"))?,
        kms_key_id: text("Ebs.KmsKeyId"),
        throughput: params.parsed(&format!("{prefix}.Ebs.Throughput"))?,
        volume_size: params.parsed(&format!("{prefix}.Ebs.VolumeSize"))?,
        volume_type: one_of(params, &format!("{prefix}.Ebs.VolumeType"), VOLUME_TYPES)?,
    })
}

fn metadata(params: &Params) -> Result<Option<MetadataOptions>, ServiceError> {
    let prefix = format!("{PREFIX}.MetadataOptions");
    if !params.has_within(&prefix) {
        return Ok(None);
    }
    let hop_limit: Option<i32> = params.parsed(&format!("{prefix}.HttpPutResponseHopLimit"))?;
    if let Some(limit) = hop_limit.filter(|limit| !(1..=64).contains(limit)) {
        return Err(invalid_value(format!(
            "Invalid value '{limit}' for HttpPutResponseHopLimit. Expecting a value between 1 and 64."
        )));
    }
    Ok(Some(MetadataOptions {
        http_endpoint: one_of(params, &format!("{prefix}.HttpEndpoint"), SWITCH)?,
        hop_limit,
        http_tokens: one_of(params, &format!("{prefix}.HttpTokens"), &["optional", "required"])?,
        instance_metadata_tags: one_of(params, &format!("{prefix}.InstanceMetadataTags"), SWITCH)?,
    }))
}

fn tag_specifications(params: &Params) -> Result<Vec<(String, Tags)>, ServiceError> {
    let mut specifications: Vec<(String, Tags)> = Vec::new();
    for prefix in params.structures(&format!("{PREFIX}.TagSpecification")) {
        let kind = params.required(&format!("{prefix}.ResourceType"))?;
        if !TAGGED.contains(&kind) {
            let text = format!("'{kind}' is not a valid taggable resource type for this operation.");
            return Err(invalid_value(text));
        }
        if specifications.iter().any(|(other, _)| other == kind) {
            return Err(invalid_value(format!(
                "Duplicate resource type '{kind}' in the tag specifications."
            )));
        }
        let mut given = Tags::new();
        for tag in params.structures(&format!("{prefix}.Tag")) {
            tags::add(params, &tag, &mut given)?;
        }
        tags::check_count(&given)?;
        specifications.push((kind.to_owned(), given));
    }
    Ok(specifications)
}

fn one_of(params: &Params, name: &str, legal: &[&str]) -> Result<Option<String>, ServiceError> {
    match params.text(name) {
        Some(text) if !legal.contains(&text) => {
            Err(invalid_value(format!("Invalid value '{text}' for {name}.")))
        }
        text => Ok(text.map(str::to_owned)),
    }
}

impl Data {
    /// What is given, and the rest of another version.
    pub(crate) fn over(self, source: &Self) -> Self {
        let list = |given: Vec<_>, source: &Vec<_>| if given.is_empty() { source.clone() } else { given };
        Self {
            image_id: self.image_id.or_else(|| source.image_id.clone()),
            instance_type: self.instance_type.or_else(|| source.instance_type.clone()),
            user_data: self.user_data.or_else(|| source.user_data.clone()),
            monitoring: self.monitoring.or(source.monitoring),
            devices: if self.devices.is_empty() { source.devices.clone() } else { self.devices },
            metadata: self.metadata.or_else(|| source.metadata.clone()),
            security_group_ids: list(self.security_group_ids, &source.security_group_ids),
            tags: if self.tags.is_empty() { source.tags.clone() } else { self.tags },
        }
    }

    /// The settings as they go over the wire.
    pub(crate) fn wire(&self) -> ResponseLaunchTemplateData {
        let specifications = self.tags.iter().map(|(kind, given)| LaunchTemplateTagSpecification {
            resource_type: Some(kind.clone()),
            tags: Some(tags::wire(Some(given))),
        });
        let devices: Vec<_> = self.devices.iter().map(Device::wire).collect();
        let specifications: Vec<_> = specifications.collect();
        ResponseLaunchTemplateData {
            block_device_mappings: (!devices.is_empty()).then(|| devices.into()),
            image_id: self.image_id.clone(),
            instance_type: self.instance_type.clone(),
            metadata_options: self.metadata.as_ref().map(MetadataOptions::wire),
            monitoring: self.monitoring.map(|enabled| LaunchTemplatesMonitoring { enabled: Some(enabled) }),
            security_group_ids: (!self.security_group_ids.is_empty())
                .then(|| texts(&self.security_group_ids)),
            tag_specifications: (!specifications.is_empty()).then(|| specifications.into()),
            user_data: self.user_data.clone(),
            ..Default::default()
        }
    }
}

impl Device {
    fn wire(&self) -> LaunchTemplateBlockDeviceMapping {
        LaunchTemplateBlockDeviceMapping {
            device_name: self.name.clone(),
            ebs: Some(LaunchTemplateEbsBlockDevice {
                delete_on_termination: self.delete_on_termination,
                encrypted: self.encrypted,
                iops: self.iops,
                kms_key_id: self.kms_key_id.clone(),
                throughput: self.throughput,
                volume_size: self.volume_size,
                volume_type: self.volume_type.clone(),
                ..Default::default()
            }),
            ..Default::default()
        }
    }
}

impl MetadataOptions {
    fn wire(&self) -> LaunchTemplateInstanceMetadataOptions {
        LaunchTemplateInstanceMetadataOptions {
            http_endpoint: self.http_endpoint.clone(),
            http_put_response_hop_limit: self.hop_limit,
            http_tokens: self.http_tokens.clone(),
            instance_metadata_tags: self.instance_metadata_tags.clone(),
            ..Default::default()
        }
    }
}
