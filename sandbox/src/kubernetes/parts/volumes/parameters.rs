//! What a storage class says of volumes.
//! <https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/parameters.md>

use std::collections::BTreeMap;

use crate::kubernetes::quantity::units;
use crate::services::ec2::volume::Settings;

/// What a class asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parameters {
    volume_type: String,
    iops: Option<u32>,
    throughput: Option<u32>,
    encrypted: bool,
    kms_key_id: Option<String>,
    /// The file system, such as `ext4`.
    pub(super) file_system: String,
    /// Further tags.
    pub(super) tags: BTreeMap<String, String>,
}

impl Parameters {
    /// Reads parameters, whose names may be in any case; an error says what is wrong with them.
    pub(super) fn read(given: &BTreeMap<String, String>) -> Result<Self, String> {
        let mut read = Self {
            volume_type: "gp3".to_owned(),
            iops: None,
            throughput: None,
            encrypted: false,
            kms_key_id: None,
            file_system: "ext4".to_owned(),
            tags: BTreeMap::new(),
        };
        for (key, value) in given {
            let number = || value.parse().map_err(|_| format!("Could not parse invalid {key}: {value}"));
            match key.to_lowercase().as_str() {
                "type" => read.volume_type = value.to_lowercase(),
                "iops" => read.iops = Some(number()?),
                "throughput" => read.throughput = Some(number()?),
                "encrypted" => read.encrypted = value.eq_ignore_ascii_case("true"),
                "kmskeyid" => read.kms_key_id = Some(value.clone()).filter(|key| !key.is_empty()),
                "csi.storage.k8s.io/fstype" | "fstype" => read.file_system = value.clone(),
                name if name.starts_with("tagspecification_") => {
                    let (key, value) = value
                        .split_once('=')
                        .ok_or_else(|| format!("Error building tags: invalid tag {value}"))?;
                    read.tags.insert(key.to_owned(), value.to_owned());
                }
                _ => return Err(format!("Invalid parameter key {key} for CreateVolume")),
            }
        }
        Ok(read)
    }

    /// The volume of such a class in a zone.
    pub(super) fn settings(&self, zone: &str, size_gib: u32) -> Settings {
        Settings {
            zone: zone.to_owned(),
            size_gib,
            volume_type: self.volume_type.clone(),
            iops: self.iops,
            throughput: self.throughput,
            encrypted: self.encrypted,
            kms_key_id: self.kms_key_id.clone(),
        }
    }
}

/// The GiB that a quantity of Kubernetes's needs, such as `50Gi` or `1500M`; `None` for what is none.
pub(super) fn gibibytes(quantity: &str) -> Option<u32> {
    let bytes = units(quantity)?;
    u32::try_from(bytes.div_ceil(1 << 30)).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn quantities_are_rounded_up() {
        for (quantity, expected) in [
            ("1Gi", Some(1)),
            ("1025Mi", Some(2)),
            ("10G", Some(10)),
            ("1.5Ti", Some(1536)),
            ("1", Some(1)),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(gibibytes(quantity), expected, "{quantity}");
        }
    }

    #[test]
    fn a_class_is_read_whatever_the_case_and_an_unknown_parameter_is_named() {
        let given = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            Parameters::read(&pairs.collect())
        };
        let read = given(&[("type", "gp3"), ("IOPS", "7000"), ("throughput", "1000"), ("encrypted", "true")]);
        let settings = read.unwrap().settings("us-east-1a", 500);
        assert_eq!((settings.iops, settings.throughput, settings.encrypted), (Some(7000), Some(1000), true));
        let refused = given(&[("speed", "high")]).unwrap_err();
        assert_eq!(refused, "Invalid parameter key speed for CreateVolume");
        assert!(given(&[("iops", "many")]).is_err());
    }
}
