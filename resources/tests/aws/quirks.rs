//! What emulators get wrong, by operation. The sandbox has no entry here.

/// Something that an emulator does otherwise than AWS.
struct Quirk {
    emulator: &'static str,
    /// The operation, and what it does.
    what: &'static str,
    effect: Effect,
}

/// What a quirk means for the tests.
enum Effect {
    /// An input of a type is not read back as it was sent.
    Input(&'static str, &'static str),
    /// An object of a type does not carry its tags from its creation on.
    TagsAtCreation(&'static str),
    /// A test asks for it by its text.
    Asked,
}

const QUIRKS: &[Quirk] = &[
    Quirk { emulator: "moto", what: "CreateNatGateway: needs no internet gateway", effect: Effect::Asked },
    Quirk {
        emulator: "ministack",
        what: "CreateNatGateway: needs no internet gateway",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "moto",
        what: "CreateBucket: drops the tags",
        effect: Effect::TagsAtCreation("aws:s3:Bucket"),
    },
    Quirk {
        emulator: "moto",
        what: "ModifySecurityGroupRules: keeps a description that is no longer given",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "moto",
        what: "GetBucketVersioning: answers with another element, which the SDK cannot read",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "moto",
        what: "ModifyVpcEndpoint: makes no routes, and DeleteVpcEndpoints fails for want of them",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "ministack",
        what: "AllocateAddress: drops the tags",
        effect: Effect::TagsAtCreation("aws:ec2:ElasticIp"),
    },
    Quirk {
        emulator: "ministack",
        what: "CreateTags: drops the tags of addresses",
        effect: Effect::Input("aws:ec2:ElasticIp", "tags"),
    },
    Quirk {
        emulator: "ministack",
        what: "AuthorizeSecurityGroupIngress: takes a rule twice",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "ministack",
        what: "ModifySecurityGroupRules: keeps a description that is no longer given",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "ministack",
        what: "CreateSubnet: takes a VPC that is not there",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "ministack",
        what: "DescribeVpcEndpoints: leaves out the policy",
        effect: Effect::Input("aws:ec2:VpcEndpoint", "policy"),
    },
    Quirk {
        emulator: "ministack",
        what: "DescribeVpcEndpoints: leaves out whether private DNS is on",
        effect: Effect::Input("aws:ec2:VpcEndpoint", "private_dns_enabled"),
    },
    Quirk { emulator: "ministack", what: "UpdateRole: ignores an empty description", effect: Effect::Asked },
    Quirk {
        emulator: "ministack",
        what: "DescribeVpcEndpoints: leaves out the security groups",
        effect: Effect::Input("aws:ec2:VpcEndpoint", "security_group_ids"),
    },
    Quirk {
        emulator: "ministack",
        what: "DescribeNatGateways: leaves out the allocation",
        effect: Effect::Input("aws:ec2:NatGateway", "allocation_id"),
    },
    Quirk {
        emulator: "ministack",
        what: "DescribeNatGateways: leaves out the public address",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "moto",
        what: "GetKeyRotationStatus: leaves out the period",
        effect: Effect::Input("aws:kms:Key", "rotation_period_in_days"),
    },
    Quirk {
        emulator: "moto",
        what: "UpdateSecret: ignores an empty description or key",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "moto",
        what: "CreateSecret: says of a secret in its recovery window only that it exists",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "ministack",
        what: "ModifyDBInstance: ignores whether minor versions are upgraded",
        effect: Effect::Input("aws:rds:Instance", "auto_minor_version_upgrade"),
    },
    Quirk {
        emulator: "ministack",
        what: "ModifyDBInstance: ignores the port",
        effect: Effect::Input("aws:rds:Instance", "port"),
    },
    Quirk {
        emulator: "ministack",
        what: "ModifyDBInstance: ignores log exports",
        effect: Effect::Input("aws:rds:Instance", "log_exports"),
    },
    Quirk {
        emulator: "ministack",
        what: "ModifyDBInstance: ignores Performance Insights",
        effect: Effect::Input("aws:rds:Instance", "performance_insights_enabled"),
    },
    Quirk {
        emulator: "ministack",
        what: "ModifyDBInstance: ignores how long Performance Insights keeps what it saw",
        effect: Effect::Input("aws:rds:Instance", "performance_insights_retention_days"),
    },
    Quirk {
        emulator: "ministack",
        what: "ModifyDBInstance: ignores the throughput",
        effect: Effect::Input("aws:rds:Instance", "storage_throughput_mib_per_second"),
    },
    Quirk { emulator: "ministack", what: "CreateDBSubnetGroup: takes a name twice", effect: Effect::Asked },
    Quirk {
        emulator: "ministack",
        what: "ModifyDBParameterGroup: lets no instance wait for a reboot",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "ministack",
        what: "CreateSecret: says of a secret in its recovery window only that it exists",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "ministack",
        what: "ModifyDBInstance: upgrades to another major version unasked",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "ministack",
        what: "RestoreDBInstanceFromDBSnapshot: drops the tags",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "ministack",
        what: "DescribeReplicationGroups: has one address for all nodes",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "ministack",
        what: "ModifyReplicationGroup: upgrades no engine",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "ministack",
        what: "DeleteReplicationGroup: takes no last snapshot",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "ministack",
        what: "ModifyReplicationGroup: ignores the maintenance window",
        effect: Effect::Input("aws:elasticache:ReplicationGroup", "maintenance_window"),
    },
    Quirk {
        emulator: "ministack",
        what: "ModifyReplicationGroup: ignores security groups",
        effect: Effect::Input("aws:elasticache:ReplicationGroup", "security_group_ids"),
    },
    Quirk {
        emulator: "ministack",
        what: "ModifyReplicationGroup: does not tell the nodes their parameter group",
        effect: Effect::Input("aws:elasticache:ReplicationGroup", "parameter_group_name"),
    },
    Quirk {
        emulator: "ministack",
        what: "ModifyReplicationGroup: ignores whether minor versions are upgraded",
        effect: Effect::Input("aws:elasticache:ReplicationGroup", "auto_minor_version_upgrade"),
    },
    Quirk {
        emulator: "moto",
        what: "ModifyDBInstance: ignores the port",
        effect: Effect::Input("aws:rds:Instance", "port"),
    },
    Quirk {
        emulator: "moto",
        what: "DescribeDBInstances: does not tell whether Performance Insights is on",
        effect: Effect::Input("aws:rds:Instance", "performance_insights_enabled"),
    },
    Quirk {
        emulator: "moto",
        what: "DescribeDBInstances: does not tell how long Performance Insights keeps what it saw",
        effect: Effect::Input("aws:rds:Instance", "performance_insights_retention_days"),
    },
    Quirk { emulator: "moto", what: "ModifyDBSubnetGroup: deletes the group", effect: Effect::Asked },
    Quirk { emulator: "moto", what: "ResetDBParameterGroup: is not there", effect: Effect::Asked },
    Quirk {
        emulator: "moto",
        what: "ModifyDBParameterGroup: lets no instance wait for a reboot",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "moto",
        what: "ModifyDBInstance: leaves nothing to the maintenance window",
        effect: Effect::Asked,
    },
    Quirk { emulator: "moto", what: "ModifyCacheSubnetGroup: is not there", effect: Effect::Asked },
    Quirk {
        emulator: "moto",
        what: "ListTagsForResource: knows no parameter groups of ElastiCache",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "moto",
        what: "ModifyDBInstance: upgrades to another major version unasked",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "moto",
        what: "ModifyDBInstance: knows no parameter groups of AWS's own",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "ministack",
        what: "ModifyDBInstance: leaves to the window what is to come at once",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "moto",
        what: "CreateCluster: drops the access config, and there are no add-ons or access entries",
        effect: Effect::Asked,
    },
    Quirk { emulator: "ministack", what: "UpdateClusterConfig: is not there", effect: Effect::Asked },
    Quirk { emulator: "ministack", what: "UpdateNodegroupConfig: is not there", effect: Effect::Asked },
    Quirk { emulator: "ministack", what: "DescribeClusterVersions: is not there", effect: Effect::Asked },
    Quirk {
        emulator: "ministack",
        what: "TagResource: changes no tags that DescribeAddon shows",
        effect: Effect::Input("aws:eks:Addon", "tags"),
    },
    Quirk {
        emulator: "ministack",
        what: "TagResource: changes no tags that DescribeAccessEntry shows",
        effect: Effect::Input("aws:eks:AccessEntry", "tags"),
    },
    Quirk {
        emulator: "ministack",
        what: "TagResource: refuses pod identity associations",
        effect: Effect::Asked,
    },
    Quirk { emulator: "ministack", what: "UpdateAddon: keeps what is taken away", effect: Effect::Asked },
    Quirk { emulator: "ministack", what: "DeleteCluster: takes node groups along", effect: Effect::Asked },
    Quirk {
        emulator: "ministack",
        what: "CreateCluster: takes a role that is not there",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "moto",
        what: "UpdateTable: leaves the encryption as it is",
        effect: Effect::Input("aws:dynamodb:Table", "kms_key_arn"),
    },
    Quirk { emulator: "moto", what: "DeleteLaunchTemplateVersions: is not there", effect: Effect::Asked },
    Quirk {
        emulator: "moto",
        what: "CreateTags: drops the tags of launch templates",
        effect: Effect::Input("aws:ec2:LaunchTemplate", "tags"),
    },
    Quirk {
        emulator: "moto",
        what: "ModifyVpcEndpoint: keeps whether private DNS is on",
        effect: Effect::Asked,
    },
    Quirk { emulator: "moto", what: "DeletePolicy: deletes a policy that a role has", effect: Effect::Asked },
    Quirk {
        emulator: "moto",
        what: "AddClientIDToOpenIDConnectProvider: is not there",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "ministack",
        what: "AddClientIDToOpenIDConnectProvider: is not there",
        effect: Effect::Asked,
    },
    Quirk { emulator: "ministack", what: "UpdateTable: takes no encryption back", effect: Effect::Asked },
    Quirk {
        emulator: "ministack",
        what: "CreateFlowLogs: drops the tags",
        effect: Effect::TagsAtCreation("aws:ec2:FlowLog"),
    },
    Quirk {
        emulator: "ministack",
        what: "DescribeLaunchTemplateVersions: leaves out the keys of volumes",
        effect: Effect::Input("aws:ec2:LaunchTemplate", "block_device_mappings"),
    },
    Quirk {
        emulator: "ministack",
        what: "DescribeInstanceTypes: takes no filter, and has figures of its own",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "ministack",
        what: "DeleteLaunchTemplateVersions: is not there",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "ministack",
        what: "UpdateOpenIDConnectProviderThumbprint: is not there",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "ministack",
        what: "CreateFlowLogs: takes a bucket that is not there",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "ministack",
        what: "DescribeFlowLogs: leaves out the role",
        effect: Effect::Input("aws:ec2:FlowLog", "deliver_logs_permission_arn"),
    },
    Quirk {
        emulator: "ministack",
        what: "DescribeFlowLogs: leaves out the aggregation interval",
        effect: Effect::Input("aws:ec2:FlowLog", "max_aggregation_interval_seconds"),
    },
    Quirk { emulator: "ministack", what: "TagOpenIDConnectProvider: is not there", effect: Effect::Asked },
    Quirk {
        emulator: "moto",
        what: "RequestCertificate: issues certificates for Amazon's own domains",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "ministack",
        what: "RequestCertificate: issues certificates for Amazon's own domains",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "moto",
        what: "DescribeLogGroups: leaves out the class",
        effect: Effect::Input("aws:logs:LogGroup", "class"),
    },
    Quirk { emulator: "ministack", what: "AssociateKmsKey: is not there", effect: Effect::Asked },
    Quirk {
        emulator: "ministack",
        what: "DescribeAlarms: has an empty description where there is none",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "ministack",
        what: "CreateTopic: takes a topic that is there with other tags",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "ministack",
        what: "Subscribe: confirms e-mail addresses by itself",
        effect: Effect::Asked,
    },
    Quirk {
        emulator: "moto",
        what: "monitoring: does not read CBOR, which the SDK speaks",
        effect: Effect::Asked,
    },
    Quirk { emulator: "moto", what: "AssociateKmsKey: is not there", effect: Effect::Asked },
    Quirk {
        emulator: "moto",
        what: "CreateTopic: takes a topic that is there with other tags",
        effect: Effect::Asked,
    },
    Quirk { emulator: "moto", what: "Subscribe: confirms e-mail addresses by itself", effect: Effect::Asked },
];

fn of_emulator() -> impl Iterator<Item = &'static Quirk> {
    let emulator = std::env::var("LSINFRA_TEST_EMULATOR").unwrap_or_default();
    QUIRKS.iter().filter(move |quirk| quirk.emulator == emulator)
}

/// Whether the emulator under test, if it is one, does this.
pub(crate) fn does(what: &str) -> bool {
    assert!(QUIRKS.iter().any(|quirk| quirk.what == what), "no emulator is known for: {what}");
    of_emulator().any(|quirk| quirk.what == what)
}

/// Whether an input of a type cannot be read back.
pub(crate) fn loses(resource_type: &str, input: &str) -> bool {
    of_emulator().any(|quirk| {
        matches!(quirk.effect, Effect::Input(of_type, name) if of_type == resource_type && name == input)
    })
}

/// Whether objects of a type are not tagged by their creation.
pub(crate) fn drops_tags_at_creation(resource_type: &str) -> bool {
    of_emulator()
        .any(|quirk| matches!(quirk.effect, Effect::TagsAtCreation(of_type) if of_type == resource_type))
}
