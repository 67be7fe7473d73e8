//! How many calls a preview makes.
//!
//! Owns the table of what reads each type: which operations answer for all of its objects at once, and which AWS has
//! for one object only.

use std::collections::BTreeMap;

use libtest_mimic::Trial;
use lsinfra_sandbox::CallRecord;
use lsinfra_tests::{EnvironmentFile, Project, Recorded, Sandbox, SandboxOptions};

use crate::scenario;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        scenario("an_unchanged_preview_of_prod_reads_each_type_in_batches", preview),
        scenario("a_preview_without_refresh_asks_for_identity_and_state_only", preview_without_refresh),
    ]
}

/// How many operations may read a type for all of its objects, and how many calls that is for all types together.
const LIMIT_CALLS_PER_TYPE: usize = 3;

/// What reads the objects of one type.
struct Reads {
    resource_type: &'static str,
    /// Operations that answer for all objects of the type: each is called once.
    batched: &'static [&'static str],
    /// Operations that AWS has for one object only.
    single: &'static [Single],
}

/// An operation that is called for each object.
struct Single {
    operation: &'static str,
    /// How often for each object.
    times: usize,
    /// Why not once for all.
    #[expect(dead_code, reason = "it is for the reader")]
    reason: &'static str,
}

const fn single(operation: &'static str, reason: &'static str) -> Single {
    Single { operation, times: 1, reason }
}

const fn batched(resource_type: &'static str, batched: &'static [&'static str]) -> Reads {
    Reads { resource_type, batched, single: &[] }
}

const TAGS_OF_ONE: &str = "the describing operation leaves out tags, and the one that has them takes one ARN";
const EKS: &str = "EKS lists names only, and describes one by one";
const IAM: &str = "IAM's lists leave out tags and policies, but for that of the account's whole IAM \
                   (GetAccountAuthorizationDetails), which takes a right that nobody should need for one stack";
const BUCKET: &str = "S3 has an operation for each setting of a bucket";

const READS: &[Reads] = &[
    Reads {
        resource_type: "aws:acm:Certificate",
        batched: &[],
        single: &[
            single("acm:DescribeCertificate", "ListCertificates leaves out the validation and the tags"),
            single("acm:ListTagsForCertificate", TAGS_OF_ONE),
        ],
    },
    batched("aws:acm:CertificateValidation", &[]),
    Reads {
        resource_type: "aws:cloudwatch:MetricAlarm",
        batched: &["monitoring:DescribeAlarms"],
        single: &[single("monitoring:ListTagsForResource", TAGS_OF_ONE)],
    },
    batched(
        "aws:ec2:DefaultSecurityGroup",
        &["ec2:DescribeSecurityGroups", "ec2:DescribeSecurityGroupRules"],
    ),
    batched("aws:ec2:ElasticIp", &["ec2:DescribeAddresses"]),
    batched("aws:ec2:FlowLog", &["ec2:DescribeFlowLogs"]),
    batched("aws:ec2:InternetGateway", &["ec2:DescribeInternetGateways"]),
    batched("aws:ec2:LaunchTemplate", &["ec2:DescribeLaunchTemplates", "ec2:DescribeLaunchTemplateVersions"]),
    batched("aws:ec2:NatGateway", &["ec2:DescribeNatGateways"]),
    batched("aws:ec2:Route", &["ec2:DescribeRouteTables"]),
    batched("aws:ec2:RouteTable", &["ec2:DescribeRouteTables"]),
    batched("aws:ec2:RouteTableAssociation", &["ec2:DescribeRouteTables"]),
    batched("aws:ec2:SecurityGroup", &["ec2:DescribeSecurityGroups"]),
    batched("aws:ec2:SecurityGroupRule", &["ec2:DescribeSecurityGroupRules"]),
    batched("aws:ec2:Subnet", &["ec2:DescribeSubnets"]),
    Reads {
        resource_type: "aws:ec2:Vpc",
        batched: &["ec2:DescribeVpcs"],
        single: &[Single {
            operation: "ec2:DescribeVpcAttribute",
            times: 2,
            reason: "it answers for one VPC and one attribute",
        }],
    },
    batched("aws:ec2:VpcEndpoint", &["ec2:DescribeVpcEndpoints"]),
    Reads {
        resource_type: "aws:eks:AccessEntry",
        batched: &[],
        single: &[single("eks:DescribeAccessEntry", EKS), single("eks:ListAssociatedAccessPolicies", EKS)],
    },
    Reads { resource_type: "aws:eks:Addon", batched: &[], single: &[single("eks:DescribeAddon", EKS)] },
    Reads { resource_type: "aws:eks:Cluster", batched: &[], single: &[single("eks:DescribeCluster", EKS)] },
    Reads {
        resource_type: "aws:eks:NodeGroup",
        batched: &[],
        single: &[single("eks:DescribeNodegroup", EKS)],
    },
    Reads {
        resource_type: "aws:elasticache:ParameterGroup",
        batched: &["elasticache:DescribeCacheParameterGroups"],
        single: &[
            single("elasticache:DescribeCacheParameters", "it answers for one group"),
            single("elasticache:ListTagsForResource", TAGS_OF_ONE),
        ],
    },
    Reads {
        resource_type: "aws:elasticache:ReplicationGroup",
        batched: &["elasticache:DescribeReplicationGroups", "elasticache:DescribeCacheClusters"],
        single: &[single("elasticache:ListTagsForResource", TAGS_OF_ONE)],
    },
    Reads {
        resource_type: "aws:elasticache:SubnetGroup",
        batched: &["elasticache:DescribeCacheSubnetGroups"],
        single: &[single("elasticache:ListTagsForResource", TAGS_OF_ONE)],
    },
    Reads {
        resource_type: "aws:iam:OpenIdConnectProvider",
        batched: &[],
        single: &[single("iam:GetOpenIDConnectProvider", IAM)],
    },
    Reads {
        resource_type: "aws:iam:Role",
        batched: &[],
        single: &[
            single("iam:GetRole", IAM),
            single("iam:ListAttachedRolePolicies", IAM),
            single("iam:ListRolePolicies", IAM),
            // No role of the stack has more than one inline policy.
            single("iam:GetRolePolicy", IAM),
        ],
    },
    batched("aws:kms:Alias", &["kms:ListAliases"]),
    Reads {
        resource_type: "aws:kms:Key",
        batched: &[],
        single: &[
            single("kms:DescribeKey", "ListKeys shows ids only"),
            single("kms:GetKeyRotationStatus", "it answers for one key"),
            single("kms:ListResourceTags", TAGS_OF_ONE),
        ],
    },
    Reads {
        resource_type: "aws:logs:LogGroup",
        batched: &["logs:DescribeLogGroups"],
        single: &[single("logs:ListTagsForResource", TAGS_OF_ONE)],
    },
    batched("aws:rds:FindFinalSnapshot", &["rds:DescribeDBSnapshots"]),
    batched("aws:rds:Instance", &["rds:DescribeDBInstances"]),
    Reads {
        resource_type: "aws:rds:ParameterGroup",
        batched: &["rds:DescribeDBParameterGroups"],
        single: &[
            Single {
                operation: "rds:DescribeDBParameters",
                times: 2,
                reason: "it answers for one group, and a family has more parameters than a page",
            },
            single("rds:ListTagsForResource", TAGS_OF_ONE),
        ],
    },
    Reads {
        resource_type: "aws:rds:SubnetGroup",
        batched: &["rds:DescribeDBSubnetGroups"],
        single: &[single("rds:ListTagsForResource", TAGS_OF_ONE)],
    },
    batched("aws:route53:FindHostedZone", &["route53:ListHostedZones"]),
    batched("aws:route53:RecordSet", &["route53:ListResourceRecordSets"]),
    Reads {
        resource_type: "aws:s3:Bucket",
        batched: &[],
        single: &[
            single("s3:GetBucketEncryption", BUCKET),
            single("s3:GetBucketLifecycleConfiguration", BUCKET),
            single("s3:GetBucketOwnershipControls", BUCKET),
            single("s3:GetBucketPolicy", BUCKET),
            single("s3:GetBucketTagging", BUCKET),
            single("s3:GetBucketVersioning", BUCKET),
            single("s3:GetPublicAccessBlock", BUCKET),
        ],
    },
    batched("aws:secretsmanager:Secret", &["secretsmanager:ListSecrets"]),
    Reads {
        resource_type: "aws:sns:Subscription",
        batched: &[],
        single: &[single(
            "sns:GetSubscriptionAttributes",
            "ListSubscriptionsByTopic leaves out the attributes",
        )],
    },
    Reads {
        resource_type: "aws:sns:Topic",
        batched: &[],
        single: &[
            single("sns:GetTopicAttributes", "ListTopics shows ARNs only"),
            single("sns:ListTagsForResource", TAGS_OF_ONE),
        ],
    },
    // A record without an object.
    batched("lsinfra:langsmith:Choices", &[]),
];

/// What keeping state in the account's bucket takes when it is only read: the snapshot and the newest record of an
/// operation, each found in a list, and the key for digests of secrets, which may be the environment's own or the bucket's.
const STATE: &[(&str, usize)] =
    &[("s3:GetObject", 2), ("s3:ListObjectsV2", 2), ("secretsmanager:GetSecretValue", 2)];

/// The example of a production environment with a person in it, provisioned.
fn provisioned() -> (Project, Sandbox) {
    let project = Project::new(&EnvironmentFile::prod());
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../environments/prod.toml");
    let example = std::fs::read_to_string(example).unwrap();
    let admins = "[cluster]\nadmin_arns = [\"arn:aws:iam::111122223333:role/admin\"]\n";
    let text = example.replace("[cluster]\n", admins);
    assert_ne!(text, example);
    project.write_text(&text);
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes"]).succeed();
    sandbox.take_all_calls();
    (project, sandbox)
}

fn counted(calls: Vec<CallRecord>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for call in calls {
        *counts.entry(format!("{}:{}", call.service, call.operation)).or_default() += 1;
    }
    counts
}

fn preview() {
    let (project, sandbox) = provisioned();
    project.sandboxed(&["preview", "--exit-code"]).succeed();
    let mut calls = counted(sandbox.take_all_calls());
    for (operation, times) in STATE {
        assert_eq!(calls.remove(*operation), Some(*times), "{operation}");
    }

    // What the types of nodes have, beside what this release knows of them.
    assert_eq!(calls.remove("ec2:DescribeInstanceTypes"), Some(1));

    let recorded = Recorded::ask(project.sandboxed(&["state", "list"]));
    let mut objects: BTreeMap<&str, usize> = BTreeMap::new();
    for object in &recorded.objects {
        *objects.entry(&object.resource_type).or_default() += 1;
    }
    let mut allowed: BTreeMap<&str, usize> = BTreeMap::new();
    for (resource_type, objects) in &objects {
        let reads = READS.iter().find(|reads| reads.resource_type == *resource_type);
        let reads = reads.unwrap_or_else(|| panic!("{resource_type} is in use and has no line in READS"));
        assert!(reads.batched.len() <= LIMIT_CALLS_PER_TYPE, "{resource_type}");
        for operation in reads.batched {
            *allowed.entry(operation).or_default() += 1;
        }
        for single in reads.single {
            *allowed.entry(single.operation).or_default() += single.times * objects;
        }
    }
    let too_many: Vec<String> = calls
        .iter()
        .filter_map(|(operation, count)| {
            let allowed = allowed.get(operation.as_str()).copied().unwrap_or_default();
            (*count > allowed).then(|| format!("{operation}: {count}, {allowed} allowed"))
        })
        .collect();
    assert!(too_many.is_empty(), "{too_many:#?}");
    let (total, limit) = (calls.values().sum::<usize>(), LIMIT_CALLS_PER_TYPE * objects.len());
    assert!(total <= limit, "{total} calls for {} types: {calls:#?}", objects.len());
}

fn preview_without_refresh() {
    let (project, sandbox) = provisioned();
    project.sandboxed(&["preview", "--no-refresh", "--exit-code"]).succeed();
    // The sandbox's account is its own: there is no identity to ask for.
    let calls = counted(sandbox.take_all_calls());
    assert_eq!(calls, STATE.iter().map(|(operation, times)| ((*operation).to_owned(), *times)).collect());
}
