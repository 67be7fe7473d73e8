//! Subnet groups and parameter groups.

use super::{ok, refused, replication_group, subnet_group};
use crate::testing::{TestCloud, text, texts};

#[test]
fn groups_in_use_stay() {
    let mut cloud = TestCloud::realistic();
    let (_, ids) = subnet_group(&mut cloud);
    let group =
        [("CacheParameterGroupName", "pg"), ("CacheParameterGroupFamily", "redis7"), ("Description", "d")];
    ok(&mut cloud, "CreateCacheParameterGroup", &group);
    assert_eq!(refused(&mut cloud, "CreateCacheParameterGroup", &group), "CacheParameterGroupAlreadyExists");
    replication_group(&mut cloud, &[("CacheParameterGroupName", "pg")]);
    let subnets = [("CacheSubnetGroupName", "subnets")];
    let parameters = [("CacheParameterGroupName", "pg")];
    assert_eq!(refused(&mut cloud, "DeleteCacheSubnetGroup", &subnets), "CacheSubnetGroupInUse");
    let modify = [("CacheSubnetGroupName", "subnets"), ("SubnetIds.SubnetIdentifier.1", &*ids[0])];
    assert_eq!(refused(&mut cloud, "ModifyCacheSubnetGroup", &modify), "SubnetInUse");
    assert_eq!(
        refused(&mut cloud, "DeleteCacheParameterGroup", &parameters),
        "InvalidCacheParameterGroupState"
    );
    ok(&mut cloud, "DeleteReplicationGroup", &[("ReplicationGroupId", "main")]);
    cloud.advance(6 * 60);
    ok(&mut cloud, "DeleteCacheSubnetGroup", &subnets);
    ok(&mut cloud, "DeleteCacheParameterGroup", &parameters);
    assert_eq!(refused(&mut cloud, "DescribeCacheSubnetGroups", &subnets), "CacheSubnetGroupNotFoundFault");
    assert_eq!(
        refused(&mut cloud, "DescribeCacheParameterGroups", &parameters),
        "CacheParameterGroupNotFound"
    );
    let absent = [
        ("CacheSubnetGroupName", "other"),
        ("CacheSubnetGroupDescription", "d"),
        ("SubnetIds.SubnetIdentifier.1", "subnet-00000000000000000"),
    ];
    assert_eq!(refused(&mut cloud, "CreateCacheSubnetGroup", &absent), "InvalidSubnet");
}

#[test]
fn parameters_are_set_checked_and_reset() {
    let mut cloud = TestCloud::realistic();
    let group =
        [("CacheParameterGroupName", "pg"), ("CacheParameterGroupFamily", "redis7"), ("Description", "d")];
    ok(&mut cloud, "CreateCacheParameterGroup", &group);
    let parameter = |name, value| {
        [
            ("CacheParameterGroupName", "pg"),
            ("ParameterNameValues.ParameterNameValue.1.ParameterName", name),
            ("ParameterNameValues.ParameterNameValue.1.ParameterValue", value),
        ]
    };
    ok(&mut cloud, "ModifyCacheParameterGroup", &parameter("maxmemory-policy", "noeviction"));
    for (name, value) in [
        ("maxmemory-policy", "never"),
        ("timeout", "soon"),
        ("reserved-memory-percent", "101"),
        ("maxmemory", "1"),
        ("no-such-parameter", "1"),
    ] {
        let code = refused(&mut cloud, "ModifyCacheParameterGroup", &parameter(name, value));
        assert_eq!(code, "InvalidParameterValue", "{name}");
    }
    let user = [("CacheParameterGroupName", "pg"), ("Source", "user")];
    let body = ok(&mut cloud, "DescribeCacheParameters", &user);
    assert_eq!(texts(&body, "ParameterName"), ["maxmemory-policy"]);
    assert_eq!(text(&body, "ParameterValue"), "noeviction");
    let reset = &parameter("maxmemory-policy", "")[..2];
    ok(&mut cloud, "ResetCacheParameterGroup", reset);
    let body = ok(&mut cloud, "DescribeCacheParameters", &user);
    assert_eq!(text(&body, "ParameterName"), "");
}
