//! What a launch template says of volumes, metadata and tags.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RequestLaunchTemplateData.html>

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{
    LaunchTemplateBlockDeviceMapping, LaunchTemplateBlockDeviceMappingRequest,
    LaunchTemplateEbsBlockDeviceRequest, LaunchTemplateHttpTokensState,
    LaunchTemplateInstanceMetadataEndpointState, LaunchTemplateInstanceMetadataOptions,
    LaunchTemplateInstanceMetadataOptionsRequest, LaunchTemplateInstanceMetadataTagsState,
    LaunchTemplateTagSpecification, LaunchTemplateTagSpecificationRequest, LaunchTemplatesMonitoringRequest,
    ResourceType, Tag, VolumeType as SdkVolumeType,
};
use aws_smithy_types::base64;
use lsinfra_engine::{InputProblem, Property};
use serde::{Deserialize, Serialize};

use crate::aws::ec2::object;
use crate::aws::property::problem;
use crate::aws::tags;

/// A volume of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(deny_unknown_fields)]
pub struct BlockDeviceMapping {
    /// How the instance knows it, such as `/dev/xvda`.
    pub device_name: String,
    /// Its size.
    pub volume_size_gib: i32,
    /// What it is made of.
    pub volume_type: VolumeType,
    /// Operations per second, where the type lets choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iops: Option<i32>,
    /// Throughput in MiB/s, of gp3 only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throughput_mib_per_second: Option<i32>,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// The KMS key, by id, ARN or alias; without one, the account's key for volumes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    /// Whether it goes with its instance.
    pub delete_on_termination: bool,
}

/// What a volume is made of.
/// <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VolumeType {
    /// General purpose SSD, whose performance follows its size: AWS's default.
    #[default]
    Gp2,
    /// General purpose SSD.
    Gp3,
    /// Provisioned IOPS SSD.
    Io1,
    /// Provisioned IOPS SSD of higher durability.
    Io2,
    /// Cold HDD.
    Sc1,
    /// Throughput optimized HDD.
    St1,
    /// Magnetic.
    Standard,
}

impl VolumeType {
    fn to_sdk(self) -> SdkVolumeType {
        match self {
            Self::Gp2 => SdkVolumeType::Gp2,
            Self::Gp3 => SdkVolumeType::Gp3,
            Self::Io1 => SdkVolumeType::Io1,
            Self::Io2 => SdkVolumeType::Io2,
            Self::Sc1 => SdkVolumeType::Sc1,
            Self::St1 => SdkVolumeType::St1,
            Self::Standard => SdkVolumeType::Standard,
        }
    }

    fn from_sdk(kind: &SdkVolumeType) -> Option<Self> {
        Some(match kind {
            SdkVolumeType::Gp2 => Self::Gp2,
            SdkVolumeType::Gp3 => Self::Gp3,
            SdkVolumeType::Io1 => Self::Io1,
            SdkVolumeType::Io2 => Self::Io2,
            SdkVolumeType::Sc1 => Self::Sc1,
            SdkVolumeType::St1 => Self::St1,
            SdkVolumeType::Standard => Self::Standard,
            _ => return None,
        })
    }
}

impl BlockDeviceMapping {
    pub(super) fn to_sdk(&self) -> LaunchTemplateBlockDeviceMappingRequest {
        let volume = LaunchTemplateEbsBlockDeviceRequest::builder()
            .volume_size(self.volume_size_gib)
            .volume_type(self.volume_type.to_sdk())
            .set_iops(self.iops)
            .set_throughput(self.throughput_mib_per_second)
            .encrypted(self.encrypted)
            .set_kms_key_id(self.kms_key_id.clone())
            .delete_on_termination(self.delete_on_termination)
            .build();
        LaunchTemplateBlockDeviceMappingRequest::builder().device_name(&self.device_name).ebs(volume).build()
    }

    /// What a version does not say is shown as AWS's default, so that it differs from what was declared.
    pub(super) fn from_sdk(mapping: &LaunchTemplateBlockDeviceMapping) -> Self {
        let volume = mapping.ebs();
        Self {
            device_name: mapping.device_name().unwrap_or_default().to_owned(),
            volume_size_gib: volume.and_then(|volume| volume.volume_size()).unwrap_or_default(),
            volume_type: volume
                .and_then(|volume| volume.volume_type())
                .and_then(VolumeType::from_sdk)
                .unwrap_or_default(),
            iops: volume.and_then(|volume| volume.iops()),
            throughput_mib_per_second: volume.and_then(|volume| volume.throughput()),
            encrypted: volume.and_then(|volume| volume.encrypted()).unwrap_or(false),
            kms_key_id: volume.and_then(|volume| volume.kms_key_id()).map(str::to_owned),
            delete_on_termination: volume.and_then(|volume| volume.delete_on_termination()).unwrap_or(true),
        }
    }

    /// What AWS would refuse when an instance is launched.
    pub(super) fn check(&self) -> Option<&'static str> {
        let takes_iops = matches!(self.volume_type, VolumeType::Gp3 | VolumeType::Io1 | VolumeType::Io2);
        if self.device_name.is_empty() {
            Some("a volume has a device name")
        } else if !(1..=65_536).contains(&self.volume_size_gib) {
            Some("a volume has 1 to 65536 GiB")
        } else if self.iops.is_some() && !takes_iops {
            Some("only gp3, io1 and io2 let choose the IOPS")
        } else if self.throughput_mib_per_second.is_some() && self.volume_type != VolumeType::Gp3 {
            Some("only gp3 lets choose the throughput")
        } else if self.kms_key_id.is_some() && !self.encrypted {
            Some("a volume with a key is encrypted")
        } else {
            None
        }
    }
}

/// How instances reach their metadata.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-options.html>
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(deny_unknown_fields)]
pub struct MetadataOptions {
    /// Whether there is metadata at all.
    pub http_endpoint_enabled: bool,
    /// Whether only requests with a session's token are answered (IMDSv2).
    pub http_tokens_required: bool,
    /// How many hops a token takes, 1 to 64: two reach a pod's network.
    pub http_put_response_hop_limit: i32,
    /// Whether the instance's tags are part of its metadata.
    pub instance_metadata_tags_enabled: bool,
}

impl MetadataOptions {
    pub(super) fn to_sdk(&self) -> LaunchTemplateInstanceMetadataOptionsRequest {
        LaunchTemplateInstanceMetadataOptionsRequest::builder()
            .http_endpoint(if self.http_endpoint_enabled {
                LaunchTemplateInstanceMetadataEndpointState::Enabled
            } else {
                LaunchTemplateInstanceMetadataEndpointState::Disabled
            })
            .http_tokens(if self.http_tokens_required {
                LaunchTemplateHttpTokensState::Required
            } else {
                LaunchTemplateHttpTokensState::Optional
            })
            .http_put_response_hop_limit(self.http_put_response_hop_limit)
            .instance_metadata_tags(if self.instance_metadata_tags_enabled {
                LaunchTemplateInstanceMetadataTagsState::Enabled
            } else {
                LaunchTemplateInstanceMetadataTagsState::Disabled
            })
            .build()
    }

    pub(super) fn from_sdk(options: &LaunchTemplateInstanceMetadataOptions) -> Self {
        let is_off = |state: &LaunchTemplateInstanceMetadataEndpointState| {
            *state == LaunchTemplateInstanceMetadataEndpointState::Disabled
        };
        let is_required =
            |state: &LaunchTemplateHttpTokensState| *state == LaunchTemplateHttpTokensState::Required;
        let is_on = |state: &LaunchTemplateInstanceMetadataTagsState| {
            *state == LaunchTemplateInstanceMetadataTagsState::Enabled
        };
        Self {
            http_endpoint_enabled: !options.http_endpoint().is_some_and(is_off),
            http_tokens_required: options.http_tokens().is_some_and(is_required),
            http_put_response_hop_limit: options.http_put_response_hop_limit().unwrap_or(1),
            instance_metadata_tags_enabled: options.instance_metadata_tags().is_some_and(is_on),
        }
    }
}

/// The tags of one kind of what is launched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(deny_unknown_fields)]
pub struct TagSpecification {
    /// What is tagged.
    pub resource_type: LaunchedResourceType,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// What an instance is launched with, and can be tagged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LaunchedResourceType {
    /// The instance itself.
    Instance,
    /// Its volumes.
    Volume,
    /// Its network interfaces.
    NetworkInterface,
}

impl TagSpecification {
    pub(super) fn to_sdk(&self) -> LaunchTemplateTagSpecificationRequest {
        let tags = self.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
        LaunchTemplateTagSpecificationRequest::builder()
            .resource_type(match self.resource_type {
                LaunchedResourceType::Instance => ResourceType::Instance,
                LaunchedResourceType::Volume => ResourceType::Volume,
                LaunchedResourceType::NetworkInterface => ResourceType::NetworkInterface,
            })
            .set_tags(Some(tags.collect()))
            .build()
    }

    /// `None` for a kind that cannot be declared.
    pub(super) fn from_sdk(specification: &LaunchTemplateTagSpecification) -> Option<Self> {
        let resource_type = match specification.resource_type()? {
            ResourceType::Instance => LaunchedResourceType::Instance,
            ResourceType::Volume => LaunchedResourceType::Volume,
            ResourceType::NetworkInterface => LaunchedResourceType::NetworkInterface,
            _ => return None,
        };
        Some(Self { resource_type, tags: object::tags_of(specification.tags()) })
    }
}

/// Problems of the tags of what is launched. They may be ownership tags, by which leftovers are found.
pub(super) fn check_tags(specifications: &[TagSpecification]) -> Vec<InputProblem> {
    let mut problems = Vec::new();
    for (index, specification) in specifications.iter().enumerate() {
        let path = format!("tag_specifications[{index}]");
        let others = &specifications[..index];
        if others.iter().any(|other| other.resource_type == specification.resource_type) {
            problems.push(problem(&path, "each resource type is specified once"));
        }
        if specification.tags.keys().any(|key| tags::is_reserved(key)) {
            problems.push(problem(&path, "keys that begin with `aws:` are reserved"));
        }
    }
    problems
}

/// Whether detailed monitoring is on.
pub(super) fn monitoring(enabled: bool) -> LaunchTemplatesMonitoringRequest {
    LaunchTemplatesMonitoringRequest::builder().enabled(enabled).build()
}

/// User data as AWS takes it.
pub(super) fn encode(text: &str) -> String {
    base64::encode(text)
}

/// User data as it was given; what somebody else gave and is no text is shown as AWS has it, so that it differs.
pub(super) fn decode(encoded: &str) -> String {
    let bytes = base64::decode(encoded).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_else(|| encoded.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn volume() -> BlockDeviceMapping {
        BlockDeviceMapping {
            device_name: "/dev/xvda".to_owned(),
            volume_size_gib: 100,
            volume_type: VolumeType::Gp3,
            iops: Some(4000),
            throughput_mib_per_second: None,
            encrypted: true,
            kms_key_id: None,
            delete_on_termination: true,
        }
    }

    #[test]
    fn what_aws_would_refuse_is_a_problem() {
        assert_eq!(volume().check(), None);
        for refused in [
            BlockDeviceMapping { device_name: String::new(), ..volume() },
            BlockDeviceMapping { volume_size_gib: 0, ..volume() },
            BlockDeviceMapping { volume_type: VolumeType::Gp2, ..volume() },
            BlockDeviceMapping {
                volume_type: VolumeType::Io2,
                throughput_mib_per_second: Some(250),
                ..volume()
            },
            BlockDeviceMapping { encrypted: false, kms_key_id: Some("alias/x".to_owned()), ..volume() },
        ] {
            assert!(refused.check().is_some(), "{refused:?}");
        }
        let of = |key: &str| TagSpecification {
            resource_type: LaunchedResourceType::Volume,
            tags: BTreeMap::from([(key.to_owned(), String::new())]),
        };
        assert!(check_tags(&[of("lsinfra:lineage")]).is_empty());
        assert_eq!(check_tags(&[of("aws:x")]).len(), 1);
        assert_eq!(check_tags(&[of("a"), of("b")]).len(), 1);
    }

    #[test]
    fn settings_survive_state_and_user_data_its_encoding() {
        assert_eq!(BlockDeviceMapping::from_value(&volume().to_value()).unwrap(), volume());
        assert_eq!(decode(&encode("#!/bin/bash\necho ü\n")), "#!/bin/bash\necho ü\n");
        assert_eq!(decode("H4sIAP//"), "H4sIAP//", "compressed by somebody else");
    }
}
