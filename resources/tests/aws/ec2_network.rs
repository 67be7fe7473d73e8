//! VPCs, subnets, gateways.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use lsinfra_engine::provider::{ErrorKind, Observation, ReadRequest};
use lsinfra_engine::{PhysicalId, Value};

use lsinfra_resources::aws::ec2::{
    AllocationId, ElasticIp, InternetGateway, NatGateway, Subnet, SubnetId, Vpc, VpcId,
};

use crate::harness::{Object, Region, secret_key, tags};
use crate::quirks;

pub(crate) fn cidr(text: &str) -> Ipv4Net {
    text.parse().unwrap()
}

pub(crate) async fn vpc(region: &Region) -> Object {
    let inputs = Vpc { cidr_block: cidr("10.0.0.0/16").into(), ..Vpc::default() };
    region.create("vpc", inputs).await
}

pub(crate) async fn subnet(region: &Region, vpc: &Object, name: &str, range: &str) -> Object {
    let inputs = Subnet {
        vpc_id: vpc.output::<VpcId>("id").into(),
        cidr_block: cidr(range).into(),
        ..Subnet::default()
    };
    region.create(name, inputs).await
}

#[tokio::test]
async fn a_vpc_lives() {
    let region = Region::open("us-east-1").await;
    let inputs = Vpc {
        cidr_block: cidr("10.1.0.0/16").into(),
        enable_dns_hostnames: true.into(),
        tags: tags([("Name", "main"), ("owner", "someone")]).into(),
        ..Vpc::default()
    };
    let mut vpc = region.create("main", inputs.clone()).await;
    assert!(vpc.output::<String>("default_security_group_id").starts_with("sg-"));
    let arn = format!("arn:aws:ec2:us-east-1:{}:vpc/{}", region.connection.account, vpc.id());
    assert_eq!(vpc.output::<String>("arn"), arn);

    let inputs = Vpc { tags: tags([("Name", "renamed"), ("team", "infra")]).into(), ..inputs };
    vpc.update(inputs.clone()).await;
    let inputs = Vpc { enable_dns_hostnames: false.into(), enable_dns_support: false.into(), ..inputs };
    vpc.update(inputs.clone()).await;
    // No longer given, they go back to AWS's defaults: support, but no host names.
    let inputs = Vpc { enable_dns_support: Default::default(), ..inputs };
    vpc.update(inputs.clone()).await;
    vpc.inputs.insert("enable_dns_support".to_owned(), true.into());
    vpc.assert_no_drift().await;
    let inputs = Vpc { tags: Default::default(), enable_dns_support: true.into(), ..inputs };
    vpc.update(inputs).await;
    vpc.assert_observed("tags", Some(Value::Map(Default::default()))).await;
    assert!(vpc.find().await.unwrap().is_some(), "ownership tags outlive the stack's own");
    vpc.delete().await;
}

#[tokio::test]
async fn a_subnet_lives() {
    let region = Region::open("us-east-2").await;
    let vpc = vpc(&region).await;
    let inputs = Subnet {
        vpc_id: vpc.output::<VpcId>("id").into(),
        cidr_block: cidr("10.0.1.0/24").into(),
        availability_zone: "us-east-2b".into(),
        map_public_ip_on_launch: true.into(),
        tags: tags([("kubernetes.io/role/elb", "1")]).into(),
    };
    let mut subnet = region.create("public-1", inputs.clone()).await;
    let inputs = Subnet { tags: tags([("kubernetes.io/role/elb", "2")]).into(), ..inputs };
    subnet.update(inputs.clone()).await;
    subnet.update(Subnet { map_public_ip_on_launch: Default::default(), ..inputs.clone() }).await;
    subnet.assert_observed("map_public_ip_on_launch", Some(false.into())).await;
    subnet.update(inputs).await;
    subnet.delete().await;
    vpc.delete().await;
}

#[tokio::test]
async fn a_subnet_of_a_vpc_that_is_not_there_is_not_found() {
    let region = Region::open("us-west-1").await;
    let inputs = Subnet {
        vpc_id: VpcId::new("vpc-0123456789abcdef0").into(),
        cidr_block: cidr("10.0.0.0/24").into(),
        ..Subnet::default()
    };
    if quirks::does("CreateSubnet: takes a VPC that is not there") {
        return;
    }
    let subnet = region.declare("orphan", inputs);
    let error = subnet.provider.create(&subnet.step, &subnet.inputs).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound, "{error:?}");
    assert_eq!(error.code.as_deref(), Some("InvalidVpcID.NotFound"));
    assert!(error.request_id.is_some());
}

#[tokio::test]
async fn one_that_is_missing_does_not_hide_the_others() {
    let region = Region::open("eu-west-1").await;
    let vpc = vpc(&region).await;
    let first = subnet(&region, &vpc, "first", "10.0.1.0/24").await;
    let second = subnet(&region, &vpc, "second", "10.0.2.0/24").await;
    let ids = [second.id().clone(), PhysicalId::new("subnet-0123456789abcdef0"), first.id().clone()];
    let requests = ids.map(|id| ReadRequest {
        id,
        inputs: first.inputs.clone(),
        outputs: first.outputs.clone(),
        secret_key: secret_key(),
    });
    let answers = first.provider.read(&first.step.connection, &requests).await.unwrap();
    let ranges: Vec<Option<Value>> = answers
        .into_iter()
        .map(|answer| match answer {
            Observation::Gone => None,
            Observation::Present { inputs, .. } => inputs.get("cidr_block").cloned(),
        })
        .collect();
    assert_eq!(ranges, [Some("10.0.2.0/24".into()), None, Some("10.0.1.0/24".into())]);

    // And what is still in use cannot be deleted, but could be later.
    let error = vpc.try_delete().await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Conflict, Some("DependencyViolation")));
    first.delete().await;
    second.delete().await;
    vpc.delete().await;
}

#[tokio::test]
async fn only_what_carries_our_lineage_is_found() {
    let region = Region::open("eu-west-2").await;
    let inputs = || Vpc { cidr_block: cidr("10.0.0.0/16").into(), ..Vpc::default() };
    let ours = region.create("same", inputs()).await;
    let theirs = region.stranger().create("same", inputs()).await;
    assert_ne!(ours.id(), theirs.id());
    assert_eq!(ours.find().await.unwrap().map(|found| found.id).as_ref(), ours.id.as_ref());
    assert_eq!(theirs.find().await.unwrap().map(|found| found.id).as_ref(), theirs.id.as_ref());
    ours.delete().await;
    theirs.delete().await;
}

#[tokio::test]
async fn a_way_to_the_internet_lives() {
    let region = Region::open("eu-west-3").await;
    let vpc = vpc(&region).await;
    let subnet = subnet(&region, &vpc, "public", "10.0.1.0/24").await;
    let inputs =
        InternetGateway { vpc_id: vpc.output::<VpcId>("id").into(), tags: tags([("Name", "way")]).into() };
    let mut gateway = region.create("way", inputs.clone()).await;
    gateway.update(InternetGateway { tags: tags([("Name", "out")]).into(), ..inputs }).await;

    let mut address = region.create("nat", ElasticIp { tags: tags([("Name", "nat")]).into() }).await;
    let ip: Ipv4Addr = address.output("public_ip");
    address.update(ElasticIp { tags: Default::default() }).await;

    let inputs = NatGateway {
        subnet_id: subnet.output::<SubnetId>("id").into(),
        allocation_id: address.output::<AllocationId>("id").into(),
        tags: tags([("Name", "nat")]).into(),
    };
    let mut nat = region.create("nat", inputs.clone()).await;
    if !quirks::does("DescribeNatGateways: leaves out the public address") {
        assert_eq!(nat.output::<Ipv4Addr>("public_ip"), ip);
    }
    nat.update(NatGateway { tags: tags([("Name", "renamed")]).into(), ..inputs }).await;

    nat.delete().await;
    address.delete().await;
    gateway.delete().await;
    subnet.delete().await;
    vpc.delete().await;
}

#[tokio::test]
async fn a_nat_gateway_that_aws_gave_up_is_told_apart() {
    let region = Region::open("ap-southeast-1").await;
    if quirks::does("CreateNatGateway: needs no internet gateway") {
        return;
    }
    let vpc = vpc(&region).await;
    let subnet = subnet(&region, &vpc, "public", "10.0.1.0/24").await;
    let address = region.create("nat", ElasticIp::default()).await;
    let inputs = NatGateway {
        subnet_id: subnet.output::<SubnetId>("id").into(),
        allocation_id: address.output::<AllocationId>("id").into(),
        ..NatGateway::default()
    };
    let mut nat = region.declare("nat", inputs);
    let id = nat.provider.create(&nat.step, &nat.inputs).await.unwrap();
    let again = nat.provider.create(&nat.step, &nat.inputs).await.unwrap();
    assert_eq!(id, again, "the same client token is the same gateway");
    let error = nat.provider.complete(&nat.step, &id, &nat.inputs).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::CreationFailed);
    assert!(error.message.contains("no Internet gateway"), "{error}");
    let found = nat.find().await.unwrap().unwrap();
    assert_eq!((&found.id, found.failed.as_ref()), (&id, Some(&error.message)));
    nat.id = Some(id);
    nat.delete().await;
    address.delete().await;
    subnet.delete().await;
    vpc.delete().await;
}
