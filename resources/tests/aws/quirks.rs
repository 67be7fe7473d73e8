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
