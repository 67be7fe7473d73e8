//! Names of AWS objects: `<stack>-<environment>-<role>`, within each service's limits.
//!
//! Owns the derivation alone. That a replacement appends its generation to a name is the engine's;
//! room for it is left here.

use sha2::{Digest, Sha256};

use crate::config::Config;

/// Room for the suffix of a replacement's generation: up to `-99`.
const GENERATION_ROOM_CHARACTERS: usize = 3;

/// Hexadecimal digits of the hash at the end of a shortened name.
const HASH_DIGITS: usize = 8;

/// The most characters that a service takes in a name. All of them take lowercase letters, digits
/// and hyphens, beginning with a letter, which is what derived names are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameLimit(usize);

impl NameLimit {
    /// A CloudWatch alarm.
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>
    pub const ALARM: Self = Self(255);
    /// The subnet and parameter groups of ElastiCache.
    /// <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateCacheSubnetGroup.html>
    pub const ELASTICACHE_GROUP: Self = Self(255);
    /// An EKS cluster. <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html>
    pub const EKS_CLUSTER: Self = Self(100);
    /// An EKS node group. <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html>
    pub const EKS_NODE_GROUP: Self = Self(63);
    /// An IAM role. <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
    pub const IAM_ROLE: Self = Self(64);
    /// An alias of a KMS key, after `alias/`.
    /// <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html>
    pub const KMS_ALIAS: Self = Self(250);
    /// A launch template.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html>
    pub const LAUNCH_TEMPLATE: Self = Self(128);
    /// A log group.
    /// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html>
    pub const LOG_GROUP: Self = Self(512);
    /// The subnet and parameter groups of RDS.
    /// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBParameterGroup.html>
    pub const RDS_GROUP: Self = Self(255);
    /// An RDS instance.
    /// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html>
    pub const RDS_INSTANCE: Self = Self(63);
    /// An ElastiCache replication group.
    /// <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html>
    pub const REPLICATION_GROUP: Self = Self(40);
    /// An S3 bucket. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
    pub const S3_BUCKET: Self = Self(63);
    /// A secret.
    /// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html>
    pub const SECRET: Self = Self(512);
    /// A security group.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html>
    pub const SECURITY_GROUP: Self = Self(255);
    /// An SNS topic. <https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html>
    pub const SNS_TOPIC: Self = Self(256);
    /// The value of the tag `Name`.
    pub const TAG: Self = Self(256);

    /// The limit in characters.
    pub const fn characters(self) -> usize {
        self.0
    }
}

/// The names of one environment's objects.
#[derive(Clone, Debug)]
pub struct Names {
    prefix: String,
    place: String,
}

impl Names {
    /// The names of the environment that `config` describes.
    pub fn new(config: &Config) -> Self {
        Self {
            prefix: format!("{}-{}", config.stack, config.environment),
            place: format!("{}-{}", config.account, config.region),
        }
    }

    /// The name of what plays `role`, such as `langsmith-prod-cluster`. Lowercase letters, digits and
    /// hyphens are expected of the role.
    pub fn name(&self, role: &str, limit: NameLimit) -> String {
        shortened(&format!("{}-{role}", self.prefix), limit)
    }

    /// A name that is unique in the whole world, by account and region:
    /// `langsmith-prod-blobs-111122223333-us-west-2`.
    pub fn global_name(&self, role: &str, limit: NameLimit) -> String {
        shortened(&format!("{}-{role}-{}", self.prefix, self.place), limit)
    }
}

/// The name itself, or as much of it as leaves room for its hash and a generation.
fn shortened(name: &str, limit: NameLimit) -> String {
    let room = limit.characters() - GENERATION_ROOM_CHARACTERS;
    if name.chars().count() <= room {
        return name.to_owned();
    }
    let kept: String = name.chars().take(room - HASH_DIGITS - 1).collect();
    format!("{}-{}", kept.trim_end_matches('-'), hash(name, HASH_DIGITS))
}

/// The beginning of a text's SHA-256, in so many hexadecimal digits: an even number.
pub(crate) fn hash(text: &str, digits: usize) -> String {
    Sha256::digest(text).iter().take(digits / 2).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    const LIMITS: [NameLimit; 7] = [
        NameLimit::REPLICATION_GROUP,
        NameLimit::EKS_CLUSTER,
        NameLimit::EKS_NODE_GROUP,
        NameLimit::IAM_ROLE,
        NameLimit::S3_BUCKET,
        NameLimit::SECURITY_GROUP,
        NameLimit::TAG,
    ];

    fn names(stack: &str, environment: &str, region: &str) -> Names {
        let text = format!(
            "profile = \"dev\"\naccount = \"111122223333\"\nregion = \"{region}\"\nstack = \"{stack}\"\n"
        );
        Names::new(&Config::parse(Path::new(&format!("{environment}.toml")), &text).unwrap())
    }

    #[test]
    fn names_say_what_they_name() {
        let names = names("langsmith", "prod", "us-west-2");
        assert_eq!(names.name("cluster", NameLimit::IAM_ROLE), "langsmith-prod-cluster");
        assert_eq!(
            names.global_name("blobs", NameLimit::S3_BUCKET),
            "langsmith-prod-blobs-111122223333-us-west-2"
        );
    }

    #[test]
    fn long_names_end_in_their_hash() {
        let names = names("observability-stack", "staging-2", "ap-northeast-1");
        assert_eq!(
            names.global_name("blobs", NameLimit::S3_BUCKET),
            "observability-stack-staging-2-blobs-111122223333-ap-8eaa53c7"
        );
    }

    proptest! {
        #[test]
        fn names_fit_and_differ(
            (stack, environment) in ("[a-z][a-z0-9]{0,9}(-[a-z0-9]{1,8})?", "[a-z][a-z0-9]{0,7}(-[a-z0-9]{1,6})?"),
            other in "[a-z][a-z0-9]{0,14}",
            roles in proptest::collection::btree_set("[a-z]{1,40}(-[a-z0-9]{1,40})?", 2..6),
        ) {
            prop_assume!(!["sg", "internal", "sthree", "amzn-s3"].contains(&stack.as_str()));
            let mine = names(&stack, &environment, "ap-southeast-1");
            let elsewhere = names(&stack, &environment, "ap-southeast-2");
            let others = names(&stack, &other, "ap-southeast-1");
            for limit in LIMITS {
                let mut seen = BTreeSet::new();
                for role in &roles {
                    let name = mine.name(role, limit);
                    prop_assert_eq!(&name, &elsewhere.name(role, limit));
                    let global = mine.global_name(role, limit);
                    prop_assert_ne!(&global, &elsewhere.global_name(role, limit));
                    if other != environment {
                        prop_assert_ne!(&name, &others.name(role, limit));
                    }
                    for name in [name, global] {
                        prop_assert!(name.len() + "-99".len() <= limit.characters());
                        prop_assert!(name.starts_with(|first: char| first.is_ascii_lowercase()));
                        prop_assert!(!name.ends_with('-'));
                        let is_legal = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
                        prop_assert!(name.bytes().all(is_legal));
                        prop_assert!(seen.insert(name), "two roles of {:?} have one name", roles);
                    }
                }
            }
        }
    }
}
