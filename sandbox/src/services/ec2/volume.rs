//! EBS volumes. Nobody makes any over the wire, which the stack leaves to the driver in its clusters, whose part the sandbox
//! plays (`kubernetes/parts/volumes`): making, attaching and changing are functions here, reading and deleting are
//! operations. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Volume.html>

use std::ops::RangeInclusive;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use winterbaume_ec2_generated::model::{self, DescribeVolumesResult};
use winterbaume_ec2_generated::wire::serialize_describe_volumes_response;

use super::Ec2Tables;
use super::availability_zone::{zone_id, zones};
use super::common::answers::{done, invalid_value};
use super::common::query::Query;
use super::common::tags::Tags;
use super::common::{kinds, tags};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::EBS_VOLUME_CREATING;
use crate::cloud::table::Scope;
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::kms;

/// A volume.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Volume {
    pub(crate) settings: Settings,
    /// The instance that it is attached to.
    pub(crate) instance_id: Option<String>,
    created: Timestamp,
    /// Until when it is `creating`.
    available_at: Timestamp,
}

/// What a volume is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// Its zone, by name.
    pub(crate) zone: String,
    pub(crate) size_gib: u32,
    /// Such as `gp3`.
    pub(crate) volume_type: String,
    /// For types whose operations per second can be chosen.
    pub(crate) iops: Option<u32>,
    /// For `gp3`, in MiB per second.
    pub(crate) throughput: Option<u32>,
    pub(crate) encrypted: bool,
    /// Its key, if it is not the one that AWS keeps.
    pub(crate) kms_key_id: Option<String>,
}

/// What the volumes of a type can be.
/// <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html>
struct Limits {
    volume_type: &'static str,
    size_gib: RangeInclusive<u32>,
    /// Operations per second that can be chosen, what it has otherwise, and the most for each GiB beyond that.
    iops: Option<(RangeInclusive<u32>, u32, u32)>,
}

const LIMITS: &[Limits] = &[
    Limits { volume_type: "gp2", size_gib: 1..=16_384, iops: None },
    Limits { volume_type: "gp3", size_gib: 1..=65_536, iops: Some((3_000..=80_000, 3_000, 500)) },
    Limits { volume_type: "io1", size_gib: 4..=16_384, iops: Some((100..=64_000, 100, 50)) },
    Limits { volume_type: "io2", size_gib: 4..=65_536, iops: Some((100..=256_000, 100, 1_000)) },
    Limits { volume_type: "st1", size_gib: 125..=16_384, iops: None },
    Limits { volume_type: "sc1", size_gib: 125..=16_384, iops: None },
    Limits { volume_type: "standard", size_gib: 1..=1_024, iops: None },
];

/// The throughput that `gp3` can have, in MiB per second, and a quarter of what it needs in operations per second.
const GP3_THROUGHPUT: RangeInclusive<u32> = 125..=2_000;

const FILTERS: &[&str] = &[
    "attachment.instance-id",
    "attachment.status",
    "availability-zone",
    "encrypted",
    "size",
    "status",
    "volume-id",
    "volume-type",
];

impl Volume {
    fn state(&self, now: Timestamp) -> &'static str {
        match self.instance_id {
            Some(_) => "in-use",
            None if now < self.available_at => "creating",
            None => "available",
        }
    }

    fn wire(&self, id: &str, ec2: &Ec2Tables, scope: &Scope, now: Timestamp) -> model::Volume {
        let Settings { zone, size_gib, volume_type, iops, throughput, encrypted, kms_key_id } =
            self.settings.clone();
        let attachments = self.instance_id.iter().map(|instance_id| model::VolumeAttachment {
            delete_on_termination: Some(false),
            device: Some("/dev/xvdaa".to_owned()),
            instance_id: Some(instance_id.clone()),
            state: Some("attached".to_owned()),
            volume_id: Some(id.to_owned()),
            ..Default::default()
        });
        let number = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
        let is_gp3 = volume_type == "gp3";
        model::Volume {
            attachments: Some(attachments.collect::<Vec<_>>().into()),
            availability_zone_id: zone_id(&scope.region, &zone),
            availability_zone: Some(zone),
            create_time: Some(self.created.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()),
            encrypted: Some(encrypted),
            iops: iops.or_else(|| is_gp3.then_some(3_000)).map(number),
            kms_key_id,
            multi_attach_enabled: Some(false),
            size: Some(number(size_gib)),
            state: Some(self.state(now).to_owned()),
            tags: Some(tags::wire(ec2.tags.get(scope, id))),
            throughput: throughput.or_else(|| is_gp3.then_some(125)).map(number),
            volume_id: Some(id.to_owned()),
            volume_type: Some(volume_type),
            ..Default::default()
        }
    }
}

/// Makes a volume and answers with its id.
///
/// # Errors
/// What `CreateVolume` refuses of settings.
pub(crate) fn make(call: &mut Call<'_>, settings: Settings, given: Tags) -> Result<String, ServiceError> {
    check(call, &settings)?;
    let id = call.identifiers.ec2(kinds::VOLUME.prefix);
    let available_at = call.over_at(EBS_VOLUME_CREATING);
    let volume = Volume { settings, instance_id: None, created: call.now, available_at };
    call.tables.ec2.volumes.insert(&call.scope, &id, volume);
    tags::put(call, &id, given);
    Ok(id)
}

/// Makes a volume larger.
///
/// # Errors
/// What `ModifyVolume` refuses.
pub(crate) fn enlarge(call: &mut Call<'_>, id: &str, size_gib: u32) -> Result<(), ServiceError> {
    let volume = kinds::VOLUME.find(&call.tables.ec2.volumes, &call.scope, id)?;
    let settings = Settings { size_gib, ..volume.settings.clone() };
    if size_gib < volume.settings.size_gib {
        return Err(invalid_value("New size cannot be smaller than existing size"));
    }
    check(call, &settings)?;
    kinds::VOLUME.find_mut(&mut call.tables.ec2.volumes, &call.scope, id)?.settings = settings;
    Ok(())
}

/// Attaches a volume to an instance in a zone, or detaches it.
///
/// # Errors
/// What `AttachVolume` refuses.
pub(crate) fn attach(
    call: &mut Call<'_>,
    id: &str,
    instance: Option<(&str, &str)>,
) -> Result<(), ServiceError> {
    let volume = kinds::VOLUME.find_mut(&mut call.tables.ec2.volumes, &call.scope, id)?;
    if let Some((instance_id, zone)) = instance {
        if volume.settings.zone != zone {
            let text =
                format!("The volume '{id}' is not in the same availability zone as instance '{instance_id}'");
            return Err(ServiceError::new(400, "InvalidVolume.ZoneMismatch", text));
        }
        if volume.instance_id.as_ref().is_some_and(|other| other != instance_id) {
            let text = format!("{id} is already attached to an instance");
            return Err(ServiceError::new(400, "VolumeInUse", text));
        }
    }
    volume.instance_id = instance.map(|(id, _)| id.to_owned());
    Ok(())
}

/// Detaches volumes from instances that are gone, of which nothing is kept but their interfaces.
pub(super) fn settle(ec2: &mut Ec2Tables) {
    let is_gone = |scope: &Scope, instance_id: &str| {
        let interface = instance_id.replacen("i-", "eni-", 1);
        ec2.network_interfaces.newest(scope, &interface).is_none()
    };
    let left: Vec<_> = ec2
        .volumes
        .all()
        .filter(|(scope, _, volume)| volume.instance_id.as_ref().is_some_and(|id| is_gone(scope, id)))
        .map(|(scope, id, _)| (scope.clone(), id.to_owned()))
        .collect();
    for (scope, id) in left {
        if let Some(volume) = ec2.volumes.get_mut(&scope, &id) {
            volume.instance_id = None;
        }
    }
}

/// Deletes a volume.
///
/// # Errors
/// There is none, or it is attached.
pub(crate) fn unmake(call: &mut Call<'_>, id: &str) -> Result<(), ServiceError> {
    let volume = kinds::VOLUME.find(&call.tables.ec2.volumes, &call.scope, id)?;
    if let Some(instance) = &volume.instance_id {
        let text = format!("Volume {id} is currently attached to {instance}");
        return Err(ServiceError::new(400, "VolumeInUse", text));
    }
    call.tables.ec2.volumes.remove(&call.scope, id);
    call.tables.ec2.tags.remove(&call.scope, id);
    Ok(())
}

fn check(call: &Call<'_>, settings: &Settings) -> Result<(), ServiceError> {
    let Settings { zone, size_gib, volume_type, iops, throughput, kms_key_id, .. } = settings;
    if zones(&call.scope.region).iter().all(|known| known.name != *zone) {
        let text = format!("The zone '{zone}' does not exist.");
        return Err(ServiceError::new(400, "InvalidZone.NotFound", text));
    }
    let Some(limits) = LIMITS.iter().find(|limits| limits.volume_type == *volume_type) else {
        return Err(invalid_value(format!("Invalid volume type: {volume_type}")));
    };
    if !limits.size_gib.contains(size_gib) {
        return Err(invalid_value(format!(
            "Volume of {size_gib}GiB is outside of the allowed range for {volume_type} volumes: minimum is {}GiB, maximum is {}GiB.",
            limits.size_gib.start(),
            limits.size_gib.end()
        )));
    }
    let least = match (&limits.iops, iops) {
        (None, Some(_)) => {
            let text = format!("The parameter iops is not supported for {volume_type} volumes.");
            return Err(ServiceError::new(400, "InvalidParameterCombination", text));
        }
        (None, None) => 0,
        (Some((range, otherwise, per_gib)), iops) => {
            let iops = iops.unwrap_or(*otherwise);
            if !range.contains(&iops) {
                return Err(invalid_value(format!(
                    "Volume iops of {iops} is outside of the allowed range: minimum is {}, maximum is {}.",
                    range.start(),
                    range.end()
                )));
            }
            if iops > *otherwise && iops > per_gib.saturating_mul(*size_gib) {
                return Err(invalid_value(format!(
                    "Iops to volume size ratio is too high: maximum is {per_gib} IOPS per GiB"
                )));
            }
            iops
        }
    };
    if let Some(throughput) = throughput {
        if volume_type != "gp3" {
            let text = format!("The parameter throughput is not supported for {volume_type} volumes.");
            return Err(ServiceError::new(400, "InvalidParameterCombination", text));
        }
        if !GP3_THROUGHPUT.contains(throughput) {
            return Err(invalid_value(format!(
                "Throughput of {throughput} MiB/s is outside of the allowed range: minimum is {} MiB/s, maximum is {} MiB/s.",
                GP3_THROUGHPUT.start(),
                GP3_THROUGHPUT.end()
            )));
        }
        if *throughput > least / 4 {
            let text = "Throughput (MiBps) to iops ratio is too high: maximum is 0.25 MiBps per iops";
            return Err(invalid_value(text));
        }
    }
    if let Some(key) = kms_key_id
        && kms::check_usable(call, key).is_err()
    {
        let text = format!("The KMS key '{key}' cannot be used to encrypt a volume.");
        return Err(ServiceError::new(400, "InvalidKmsKey.InvalidState", text));
    }
    Ok(())
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let query = Query::read(call.params, &kinds::VOLUME, "VolumeId", FILTERS)?;
    call.params.finish()?;
    let (ec2, scope, now) = (&call.tables.ec2, &call.scope, call.now);
    let volumes = ec2.volumes.iter(scope);
    let found = query.run(volumes, &ec2.tags, scope, call.shuffle, |id, volume, name| match name {
        "attachment.instance-id" => volume.instance_id.iter().cloned().collect(),
        "attachment.status" => volume.instance_id.iter().map(|_| "attached".to_owned()).collect(),
        "availability-zone" => vec![volume.settings.zone.clone()],
        "encrypted" => vec![volume.settings.encrypted.to_string()],
        "size" => vec![volume.settings.size_gib.to_string()],
        "status" => vec![volume.state(now).to_owned()],
        "volume-type" => vec![volume.settings.volume_type.clone()],
        _ => vec![id.to_owned()],
    })?;
    let volumes: Vec<_> = found.items.iter().map(|(id, volume)| volume.wire(id, ec2, scope, now)).collect();
    Ok(response(serialize_describe_volumes_response(&DescribeVolumesResult {
        next_token: found.next_token,
        volumes: Some(volumes.into()),
    })))
}

pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let id = call.params.required("VolumeId")?;
    call.params.finish()?;
    unmake(call, id)?;
    done("DeleteVolume")
}
