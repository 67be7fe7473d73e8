//! Security groups and their rules.

use lsinfra_engine::Value;
use lsinfra_engine::provider::ErrorKind;
use lsinfra_resources::aws::ec2::{
    DefaultSecurityGroup, Direction, Protocol, SecurityGroup, SecurityGroupId, SecurityGroupRule, VpcId,
};

use crate::ec2_network::{cidr, vpc};
use crate::harness::{Object, Region, tags};
use crate::quirks;

async fn group(region: &Region, vpc: &Object, name: &str) -> Object {
    let inputs = SecurityGroup {
        name: region.fresh_name(name).into(),
        description: "for a test".into(),
        vpc_id: vpc.output::<VpcId>("id").into(),
        tags: tags([("Name", name)]).into(),
    };
    region.create(name, inputs).await
}

fn rule(group: &Object, direction: Direction) -> SecurityGroupRule {
    SecurityGroupRule {
        group_id: group.output::<SecurityGroupId>("id").into(),
        direction: direction.into(),
        protocol: Protocol::Tcp.into(),
        from_port: 5432.into(),
        to_port: 5432.into(),
        ..SecurityGroupRule::default()
    }
}

#[tokio::test]
async fn a_group_has_the_declared_rules_only() {
    let region = Region::open("ap-south-1").await;
    let vpc = vpc(&region).await;
    let database = group(&region, &vpc, "database").await;
    let cluster = group(&region, &vpc, "cluster").await;

    // The rule that AWS gives to a new group is gone, so that declaring the same one is no duplicate.
    let everything = SecurityGroupRule {
        protocol: Protocol::All.into(),
        from_port: Default::default(),
        to_port: Default::default(),
        cidr_ipv4: cidr("0.0.0.0/0").into(),
        ..rule(&cluster, Direction::Egress)
    };
    let egress = region.create("everything", everything).await;
    // And it stays when its group is completed again, as after a crash.
    cluster.provider.complete(&cluster.step, cluster.id(), &cluster.inputs).await.unwrap();
    egress.assert_no_drift().await;

    let inputs = SecurityGroupRule {
        referenced_group_id: cluster.output::<SecurityGroupId>("id").into(),
        description: "from the cluster".into(),
        tags: tags([("Name", "from-cluster")]).into(),
        ..rule(&database, Direction::Ingress)
    };
    let mut ingress = region.create("from-cluster", inputs.clone()).await;
    let inputs = SecurityGroupRule { description: "PostgreSQL from the cluster".into(), ..inputs };
    ingress.update(inputs.clone()).await;
    let inputs = SecurityGroupRule { tags: tags([("Name", "renamed")]).into(), ..inputs };
    ingress.update(inputs.clone()).await;
    ingress.update(SecurityGroupRule { description: Default::default(), ..inputs }).await;
    if !quirks::does("ModifySecurityGroupRules: keeps a description that is no longer given") {
        ingress.assert_observed("description", Some(Value::text(""))).await;
    }

    ingress.delete().await;
    egress.delete().await;
    cluster.delete().await;
    database.delete().await;
    vpc.delete().await;
}

#[tokio::test]
async fn a_rule_is_given_once() {
    let region = Region::open("ap-northeast-1").await;
    let vpc = vpc(&region).await;
    let group = group(&region, &vpc, "group").await;
    let inputs =
        SecurityGroupRule { cidr_ipv4: cidr("10.0.0.0/16").into(), ..rule(&group, Direction::Ingress) };
    let first = region.create("first", inputs.clone()).await;
    let second = region.declare("second", inputs);
    if !quirks::does("AuthorizeSecurityGroupIngress: takes a rule twice") {
        let error = second.provider.create(&second.step, &second.inputs).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::AlreadyExists);
        assert_eq!(error.code.as_deref(), Some("InvalidPermission.Duplicate"));
    }
    assert_eq!(second.find().await.unwrap(), None, "the first one is not the second");
    first.delete().await;
    group.delete().await;
    vpc.delete().await;
}

#[tokio::test]
async fn the_default_group_is_emptied_and_let_go() {
    let region = Region::open("ap-northeast-2").await;
    let vpc = vpc(&region).await;
    let inputs = DefaultSecurityGroup {
        vpc_id: vpc.output::<VpcId>("id").into(),
        rules: Vec::new().into(),
        tags: tags([("Name", "unused")]).into(),
    };
    let mut default = region.create("default", inputs.clone()).await;
    assert_eq!(default.id().as_str(), vpc.output::<String>("default_security_group_id"));
    default.update(DefaultSecurityGroup { tags: Default::default(), ..inputs.clone() }).await;

    // A rule that someone adds is drift, in words; an update removes it.
    let intruder = SecurityGroupRule {
        group_id: default.output::<SecurityGroupId>("id").into(),
        direction: Direction::Ingress.into(),
        protocol: Protocol::Tcp.into(),
        from_port: 22.into(),
        to_port: 22.into(),
        cidr_ipv4: cidr("0.0.0.0/0").into(),
        ..SecurityGroupRule::default()
    };
    let intruder = region.stranger().create("ssh", intruder).await;
    let drift = Value::List(vec![Value::text("ingress tcp 22 from 0.0.0.0/0")]);
    default.assert_observed("rules", Some(drift.clone())).await;
    default.inputs.insert("rules".to_owned(), drift);
    default.update(DefaultSecurityGroup { tags: Default::default(), ..inputs }).await;
    assert_eq!(intruder.read().await, lsinfra_engine::provider::Observation::Gone);

    default.try_delete().await.unwrap();
    assert_eq!(default.find().await.unwrap(), None);
    vpc.delete().await;
}
