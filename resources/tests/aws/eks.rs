//! Clusters, and what EKS manages in them.

use std::collections::BTreeMap;

use lsinfra_engine::Value;
use lsinfra_engine::provider::{ChangeKind, ErrorKind};
use lsinfra_resources::aws::ec2::{SecurityGroup, SecurityGroupId, Subnet, SubnetId, VpcId};
use lsinfra_resources::aws::eks::{
    AccessEntry, AccessPolicy, AccessScope, Addon, AddonConfiguration, AuthenticationMode, Cluster,
    KUBERNETES_VERSIONS, LogType, MaxUnavailable, NodeGroup, PodIdentityAssociation, ResolveConflicts,
    SupportType, Taint, TaintEffect, kubernetes_versions,
};
use lsinfra_resources::aws::iam::Role;
use lsinfra_resources::aws::{Arn, PolicyDocument, Principal, Statement};

use crate::ec2_network::vpc;
use crate::harness::{Object, Region, properties, tags};
use crate::quirks;

/// A region with EKS.
async fn open(region: &str) -> Option<Region> {
    if quirks::does("CreateCluster: drops the access config, and there are no add-ons or access entries") {
        return None;
    }
    Some(Region::open(region).await)
}

/// A network and the roles that EKS, nodes and pods take on.
struct Place {
    vpc: Object,
    subnets: Vec<Object>,
    roles: BTreeMap<&'static str, Object>,
}

impl Place {
    async fn new(region: &Region) -> Self {
        let vpc = vpc(region).await;
        let subnets = vec![
            subnet(region, &vpc, "a", "10.0.1.0/24", 'a').await,
            subnet(region, &vpc, "b", "10.0.2.0/24", 'b').await,
        ];
        let mut roles = BTreeMap::new();
        for (name, service) in [
            ("cluster", "eks.amazonaws.com"),
            ("node", "ec2.amazonaws.com"),
            ("pod", "pods.eks.amazonaws.com"),
        ] {
            roles.insert(name, role(region, name, service).await);
        }
        Self { vpc, subnets, roles }
    }

    fn subnet_ids(&self) -> Vec<SubnetId> {
        self.subnets.iter().map(|subnet| subnet.output("id")).collect()
    }

    fn role(&self, name: &str) -> Arn {
        self.roles[name].output("arn")
    }

    fn cluster(&self, region: &Region) -> Cluster {
        Cluster {
            name: region.fresh_name("cluster").into(),
            version: "1.34".into(),
            role_arn: self.role("cluster").into(),
            vpc_id: self.vpc.output::<VpcId>("id").into(),
            subnet_ids: self.subnet_ids().into(),
            authentication_mode: AuthenticationMode::Api.into(),
            bootstrap_creator_admin: false.into(),
            ..Cluster::default()
        }
    }

    fn group(&self, cluster: &Object, region: &Region) -> NodeGroup {
        NodeGroup {
            cluster_name: cluster.output::<String>("name").into(),
            name: region.fresh_name("group").into(),
            node_role_arn: self.role("node").into(),
            subnet_ids: self.subnet_ids().into(),
            min_size: 1.into(),
            max_size: 3.into(),
            ..NodeGroup::default()
        }
    }

    async fn delete(self) {
        for subnet in self.subnets {
            subnet.delete().await;
        }
        self.vpc.delete().await;
        for role in self.roles.into_values() {
            role.delete().await;
        }
    }
}

async fn subnet(region: &Region, vpc: &Object, name: &str, range: &str, zone: char) -> Object {
    let inputs = Subnet {
        vpc_id: vpc.output::<VpcId>("id").into(),
        cidr_block: range.parse::<ipnet::Ipv4Net>().unwrap().into(),
        availability_zone: format!("{}{zone}", region.connection.region).into(),
        ..Subnet::default()
    };
    region.create(name, inputs).await
}

async fn role(region: &Region, name: &str, service: &str) -> Object {
    let trust = Statement::allow(["sts:AssumeRole", "sts:TagSession"]).to(Principal::service(service));
    let inputs = Role {
        name: region.fresh_name(name).into(),
        assume_role_policy: PolicyDocument::new([trust]).into(),
        ..Role::default()
    };
    region.create(name, inputs).await
}

#[tokio::test]
async fn each_setting_of_a_cluster_changes_in_place_and_back() {
    let Some(region) = open("eu-west-1").await else { return };
    let place = Place::new(&region).await;
    let plain = place.cluster(&region);
    let mut cluster = region.create("main", plain.clone()).await;
    assert!(cluster.output::<String>("endpoint").starts_with("http"));
    assert!(cluster.output::<String>("oidc_issuer").starts_with("http"));
    if quirks::does("UpdateClusterConfig: is not there") {
        cluster.delete().await;
        return place.delete().await;
    }
    let group = SecurityGroup {
        name: region.fresh_name("control").into(),
        description: "for a test".into(),
        vpc_id: place.vpc.output::<VpcId>("id").into(),
        ..SecurityGroup::default()
    };
    let group = region.create("control", group).await;
    let other = subnet(&region, &place.vpc, "other", "10.0.3.0/24", 'a').await;
    let cidr = |text: &str| text.parse().unwrap();
    let all = Cluster {
        security_group_ids: vec![group.output::<SecurityGroupId>("id")].into(),
        endpoint_public_access: true.into(),
        endpoint_private_access: true.into(),
        public_access_cidrs: vec![cidr("203.0.113.0/24"), cidr("198.51.100.0/24")].into(),
        log_types: LogType::ALL.to_vec().into(),
        support_type: SupportType::Standard.into(),
        deletion_protection: true.into(),
        tags: tags([("Name", "main")]).into(),
        ..plain.clone()
    };
    cluster.update(all.clone()).await;
    let moved = vec![other.output::<SubnetId>("id"), place.subnets[1].output("id")];
    for changed in [
        Cluster { subnet_ids: moved.into(), ..all.clone() },
        Cluster { security_group_ids: Vec::new().into(), ..all.clone() },
        Cluster { endpoint_public_access: false.into(), ..all.clone() },
        Cluster { public_access_cidrs: vec![cidr("192.0.2.0/24")].into(), ..all.clone() },
        Cluster { log_types: vec![LogType::Audit].into(), ..all.clone() },
        Cluster { log_types: Vec::new().into(), ..all.clone() },
        Cluster { support_type: SupportType::Extended.into(), ..all.clone() },
        Cluster { deletion_protection: false.into(), ..all.clone() },
        Cluster { tags: tags([("Name", "main"), ("owner", "someone")]).into(), ..all.clone() },
    ] {
        cluster.update(changed).await;
        cluster.update(all.clone()).await;
    }
    let error = cluster.try_delete().await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Invalid, Some("InvalidRequestException")));

    // No longer given, each goes back to AWS's default.
    cluster.update(plain.clone()).await;
    cluster.inputs = properties(&all);
    cluster.assert_observed("endpoint_private_access", Some(false.into())).await;
    cluster.assert_observed("public_access_cidrs", Some(Value::List(vec!["0.0.0.0/0".into()]))).await;
    cluster.assert_observed("log_types", Some(Value::List(Vec::new()))).await;
    cluster.assert_observed("support_type", Some("extended".into())).await;
    cluster.assert_observed("deletion_protection", Some(false.into())).await;
    cluster.inputs = properties(&plain);

    cluster.delete().await;
    group.delete().await;
    other.delete().await;
    place.delete().await;
}

#[tokio::test]
async fn a_cluster_is_upgraded_version_by_version_and_encrypted_later() {
    let Some(region) = open("eu-west-2").await else { return };
    let place = Place::new(&region).await;
    let plain = place.cluster(&region);
    let mut cluster = region.create("main", plain.clone()).await;
    if quirks::does("UpdateClusterConfig: is not there") {
        cluster.delete().await;
        return place.delete().await;
    }
    let newer = Cluster { version: "1.36".into(), ..plain.clone() };
    cluster.update(newer.clone()).await;
    assert_eq!(cluster.output::<String>("version"), "1.36");

    let previous = properties(&newer);
    let problems = cluster.provider.check_change(&previous, &properties(&plain), ChangeKind::Update);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].problem.path, "version");
    let error =
        cluster.provider.complete(&cluster.step, cluster.id(), &properties(&plain)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid, "{error:?}");

    // What a cluster does not have can be added to it.
    let key = Arn::new(format!("arn:aws:kms:eu-west-2:{}:key/1", region.connection.account));
    cluster.inputs = properties(&Cluster { encryption_key_arn: key.into(), ..newer });
    cluster.assert_observed("encryption_key_arn", Some(Value::Null)).await;
    cluster.provider.complete(&cluster.step, cluster.id(), &cluster.inputs).await.unwrap();
    cluster.assert_no_drift().await;
    cluster.delete().await;
    place.delete().await;
}

#[tokio::test]
async fn a_node_group_changes_in_place_and_leaves_the_autoscaler_alone() {
    let Some(region) = open("eu-west-3").await else { return };
    let place = Place::new(&region).await;
    let mut cluster = region.create("main", place.cluster(&region)).await;
    let plain = place.group(&cluster, &region);
    let mut group = region.create("general", plain.clone()).await;
    assert!(!group.output::<String>("auto_scaling_group_name").is_empty());
    if quirks::does("UpdateNodegroupConfig: is not there") {
        group.delete().await;
        cluster.delete().await;
        return place.delete().await;
    }
    let taint = |key: &str, effect| Taint { key: key.to_owned(), value: "x".to_owned(), effect };
    let all = NodeGroup {
        max_size: 6.into(),
        desired_size: 2.into(),
        labels: tags([("role", "general"), ("tier", "1")]).into(),
        taints: vec![taint("a", TaintEffect::NoSchedule), taint("b", TaintEffect::NoExecute)].into(),
        max_unavailable: MaxUnavailable::Percentage(50).into(),
        tags: tags([("Name", "general")]).into(),
        ..plain.clone()
    };
    group.update(all.clone()).await;
    for changed in [
        NodeGroup { min_size: 0.into(), ..all.clone() },
        NodeGroup { max_size: 4.into(), ..all.clone() },
        NodeGroup { desired_size: 4.into(), ..all.clone() },
        NodeGroup { labels: tags([("role", "other")]).into(), ..all.clone() },
        NodeGroup { taints: vec![taint("a", TaintEffect::PreferNoSchedule)].into(), ..all.clone() },
        NodeGroup { taints: Vec::new().into(), ..all.clone() },
        NodeGroup { max_unavailable: MaxUnavailable::Nodes(2).into(), ..all.clone() },
        NodeGroup { tags: tags([("owner", "someone")]).into(), ..all.clone() },
        NodeGroup { force_update: true.into(), ..all.clone() },
    ] {
        group.update(changed).await;
        group.update(all.clone()).await;
    }
    // An autoscaler's choice is no drift, and a change of the bounds brings in what is outside them.
    let (before, autoscaled) =
        (group.inputs.clone(), properties(&NodeGroup { desired_size: 6.into(), ..all.clone() }));
    group.update(NodeGroup { desired_size: 6.into(), ..all.clone() }).await;
    assert_eq!(group.inputs, autoscaled);
    group.inputs = before;
    group.assert_no_drift().await;
    group.update(NodeGroup { max_size: 5.into(), ..all.clone() }).await;
    group.inputs = properties(&NodeGroup { max_size: 3.into(), ..all.clone() });
    group.assert_observed("desired_size", Some(5.into())).await;
    group.inputs = properties(&NodeGroup { max_size: 5.into(), ..all.clone() });

    // No longer given, each goes back to AWS's default.
    group.update(NodeGroup { min_size: 1.into(), max_size: 5.into(), ..plain.clone() }).await;
    group.inputs = properties(&all);
    group.assert_observed("labels", Some(Value::Map(BTreeMap::new()))).await;
    group.assert_observed("taints", Some(Value::List(Vec::new()))).await;
    group.inputs = properties(&NodeGroup { max_size: 5.into(), ..plain.clone() });

    // Nodes follow their cluster.
    let newer = Cluster { version: "1.35".into(), ..place_again(&cluster) };
    cluster.update(newer).await;
    group.update(NodeGroup { max_size: 5.into(), version: "1.35".into(), ..plain }).await;
    assert_eq!(group.output::<String>("version"), "1.35");
    group.delete().await;
    cluster.delete().await;
    place.delete().await;
}

/// The inputs of a cluster, typed again.
fn place_again(cluster: &Object) -> Cluster {
    <Cluster as lsinfra_engine::Inputs>::from_properties(&cluster.inputs).unwrap()
}

#[tokio::test]
async fn an_add_on_changes_in_place() {
    let Some(region) = open("eu-north-1").await else { return };
    let place = Place::new(&region).await;
    let cluster = region.create("main", place.cluster(&region)).await;
    let plain = Addon {
        cluster_name: cluster.output::<String>("name").into(),
        addon_name: "vpc-cni".into(),
        addon_version: "v1.20.5-eksbuild.1".into(),
        ..Addon::default()
    };
    let mut addon = region.create("cni", plain.clone()).await;
    let env = |name: &str| {
        let env = BTreeMap::from([(name.to_owned(), Value::text("1"))]);
        AddonConfiguration::new([("env", Value::Map(env))])
    };
    let all = Addon {
        service_account_role_arn: place.role("pod").into(),
        configuration: env("WARM_ENI_TARGET").into(),
        resolve_conflicts: ResolveConflicts::Overwrite.into(),
        tags: tags([("Name", "cni")]).into(),
        ..plain.clone()
    };
    addon.update(all.clone()).await;
    for changed in [
        Addon { addon_version: "v1.21.1-eksbuild.3".into(), ..all.clone() },
        Addon { configuration: env("WARM_IP_TARGET").into(), ..all.clone() },
        Addon { service_account_role_arn: place.role("node").into(), ..all.clone() },
        Addon { resolve_conflicts: ResolveConflicts::Preserve.into(), ..all.clone() },
        Addon { tags: tags([("owner", "someone")]).into(), ..all.clone() },
    ] {
        addon.update(changed).await;
        addon.update(all.clone()).await;
    }
    // No longer given, each goes back to AWS's default.
    addon.update(plain.clone()).await;
    addon.inputs = properties(&all);
    if !quirks::does("UpdateAddon: keeps what is taken away") {
        addon.assert_observed("service_account_role_arn", Some(Value::Null)).await;
        addon.assert_observed("configuration", Some(Value::Null)).await;
    }
    addon.inputs = properties(&plain);
    addon.delete().await;
    cluster.delete().await;
    place.delete().await;
}

#[tokio::test]
async fn an_access_entry_has_exactly_its_policies() {
    let Some(region) = open("eu-central-1").await else { return };
    let place = Place::new(&region).await;
    let cluster = region.create("main", place.cluster(&region)).await;
    let plain = AccessEntry {
        cluster_name: cluster.output::<String>("name").into(),
        principal_arn: place.role("pod").into(),
        ..AccessEntry::default()
    };
    let mut entry = region.create("admin", plain.clone()).await;
    let admin = || AccessPolicy::of_cluster("aws", "AmazonEKSClusterAdminPolicy");
    let view = |namespaces: [&str; 2]| AccessPolicy {
        scope: AccessScope::Namespaces(namespaces.map(str::to_owned).to_vec()),
        ..AccessPolicy::of_cluster("aws", "AmazonEKSViewPolicy")
    };
    let all = AccessEntry {
        kubernetes_groups: vec!["ops".to_owned(), "dev".to_owned()].into(),
        username: "admin".into(),
        policies: vec![admin(), view(["b", "a"])].into(),
        tags: tags([("Name", "admin")]).into(),
        ..plain.clone()
    };
    entry.update(all.clone()).await;
    for changed in [
        AccessEntry { kubernetes_groups: vec!["dev".to_owned()].into(), ..all.clone() },
        AccessEntry { username: "someone".into(), ..all.clone() },
        AccessEntry { policies: vec![view(["b", "a"])].into(), ..all.clone() },
        AccessEntry { policies: vec![admin(), view(["a", "c"])].into(), ..all.clone() },
        AccessEntry { policies: Vec::new().into(), ..all.clone() },
        AccessEntry { tags: tags([("owner", "someone")]).into(), ..all.clone() },
    ] {
        entry.update(changed).await;
        entry.update(all.clone()).await;
    }
    entry.update(AccessEntry { username: "admin".into(), ..plain.clone() }).await;
    entry.inputs = properties(&all);
    entry.assert_observed("policies", Some(Value::List(Vec::new()))).await;
    entry.assert_observed("kubernetes_groups", Some(Value::List(Vec::new()))).await;
    entry.inputs = properties(&plain);
    entry.delete().await;
    cluster.delete().await;
    place.delete().await;
}

#[tokio::test]
async fn a_pod_identity_association_changes_its_role() {
    let Some(region) = open("ap-northeast-1").await else { return };
    let vpc = vpc(&region).await;
    let subnets = vec![
        subnet(&region, &vpc, "a", "10.0.1.0/24", 'a').await,
        subnet(&region, &vpc, "c", "10.0.2.0/24", 'c').await,
    ];
    let mut roles = BTreeMap::new();
    for (name, service) in [("cluster", "eks.amazonaws.com"), ("pod", "pods.eks.amazonaws.com")] {
        roles.insert(name, role(&region, name, service).await);
    }
    let place = Place { vpc, subnets, roles };
    let other = role(&region, "other", "pods.eks.amazonaws.com").await;
    let cluster = region.create("main", place.cluster(&region)).await;
    let plain = PodIdentityAssociation {
        cluster_name: cluster.output::<String>("name").into(),
        namespace: "langsmith".into(),
        service_account: "backend".into(),
        role_arn: place.role("pod").into(),
        ..PodIdentityAssociation::default()
    };
    let mut association = region.create("backend", plain.clone()).await;
    let changed = PodIdentityAssociation { role_arn: other.output::<Arn>("arn").into(), ..plain.clone() };
    association.update(changed.clone()).await;
    if !quirks::does("TagResource: refuses pod identity associations") {
        let tags = tags([("Name", "backend")]).into();
        association.update(PodIdentityAssociation { tags, ..changed }).await;
    }
    association.update(plain).await;
    association.delete().await;
    cluster.delete().await;
    place.delete().await;
    other.delete().await;
}

#[tokio::test]
async fn what_another_environment_has_in_a_cluster_is_left_alone() {
    let Some(region) = open("us-east-2").await else { return };
    let place = Place::new(&region).await;
    let inputs = place.cluster(&region);
    let ours = region.create("ours", inputs.clone()).await;
    let mut theirs = region.stranger().declare("theirs", inputs);
    let error = theirs.provider.create(&theirs.step, &theirs.inputs).await.unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::AlreadyExists, Some("ResourceInUseException"))
    );
    assert_eq!(theirs.find().await.unwrap(), None, "a name alone proves nothing");
    theirs.id = ours.id.clone();
    assert_eq!(theirs.try_delete().await.unwrap_err().kind, ErrorKind::Invalid);

    let inputs = place.group(&ours, &region);
    let group = region.create("ours", inputs.clone()).await;
    let mut theirs = region.stranger().declare("theirs", inputs);
    let error = theirs.provider.create(&theirs.step, &theirs.inputs).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AlreadyExists);
    assert_eq!(theirs.find().await.unwrap(), None);
    theirs.id = group.id.clone();
    assert_eq!(theirs.try_delete().await.unwrap_err().kind, ErrorKind::Invalid);
    if !quirks::does("DeleteCluster: takes node groups along") {
        assert_eq!(ours.try_delete().await.unwrap_err().kind, ErrorKind::Conflict, "it has a node group");
    }
    group.delete().await;
    ours.delete().await;
    place.delete().await;
}

#[tokio::test]
async fn a_cluster_that_names_no_role_waits_for_it() {
    let Some(region) = open("ap-south-1").await else { return };
    let place = Place::new(&region).await;
    let account = &region.connection.account;
    let role_arn = Arn::new(format!("arn:aws:iam::{account}:role/not-there-yet"));
    let early = region.declare("early", Cluster { role_arn: role_arn.into(), ..place.cluster(&region) });
    if !quirks::does("CreateCluster: takes a role that is not there") {
        let error = early.provider.create(&early.step, &early.inputs).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound, "{error:?}");
    }
    place.delete().await;
}

#[tokio::test]
async fn the_table_of_versions_is_what_eks_says() {
    let Some(region) = open("us-west-2").await else { return };
    if quirks::does("DescribeClusterVersions: is not there") {
        return;
    }
    let found = kubernetes_versions(&region.connector, &region.connection).await.unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|one| {
            (one.version.as_str(), one.released, one.end_of_standard_support, one.end_of_extended_support)
        })
        .collect();
    assert_eq!(found, KUBERNETES_VERSIONS);
}
