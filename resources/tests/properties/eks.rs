//! Launch templates, clusters, and what EKS manages in them.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{InstanceType, RequestLaunchTemplateData};
use lsinfra_engine::{Output, Resource, Stack, Value};
use lsinfra_resources::aws::Arn;
use lsinfra_resources::aws::ec2::{
    BlockDeviceMapping, LaunchTemplate, LaunchTemplateOutputs, LaunchedResourceType, MetadataOptions,
    SubnetId, TagSpecification, VolumeType, VpcId,
};
use lsinfra_resources::aws::eks::{
    AccessEntry, AccessEntryType, AccessPolicy, Addon, AddonConfiguration, AmiType, AuthenticationMode,
    CapacityType, Cluster, ClusterOutputs, LogType, MaxUnavailable, NodeGroup, PodIdentityAssociation,
    ResolveConflicts, SupportType, Taint, TaintEffect,
};
use lsinfra_resources::aws::iam::RoleOutputs;

use crate::case::{Case, Subject};
use crate::ground::{Network, cidr, key, network, nothing, role, subnet, texts, vpc};
use crate::rig::tags;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        launch_template(),
        launch_template_of_an_image(),
        cluster_case(),
        cluster_of_another_vpc(),
        cluster_of_another_mode(),
        node_group(),
        node_group_of_a_template(),
        node_group_of_another_version(),
        addon(),
        access_entry(),
        access_entry_of_nodes(),
        association(),
    ]
}

/// A network and the roles that EKS, nodes and pods take on.
struct Place {
    network: Network,
    /// In the zone of the first subnet.
    spare_subnet: Output<SubnetId>,
    clusters: [Resource<RoleOutputs>; 2],
    nodes: [Resource<RoleOutputs>; 2],
    pods: [Resource<RoleOutputs>; 2],
    keys: [Output<Arn>; 2],
}

fn place(stack: &Stack) -> Place {
    let roles = |names: [&str; 2], service: &str| names.map(|name| role(stack, name, service));
    let network = network(stack);
    Place {
        spare_subnet: subnet(stack, &network.vpc_id, "10.0.4.0/24", 'a'),
        network,
        clusters: roles(["cluster-one", "cluster-two"], "eks.amazonaws.com"),
        nodes: roles(["nodes-one", "nodes-two"], "ec2.amazonaws.com"),
        pods: roles(["pods-one", "pods-two"], "pods.eks.amazonaws.com"),
        keys: ["one", "two"].map(|name| key(stack, name).arn.clone()),
    }
}

fn plain(place: &Place) -> Cluster {
    Cluster {
        name: "main".into(),
        version: "1.34".into(),
        role_arn: place.clusters[0].arn.clone().into(),
        subnet_ids: place.network.subnet_ids[..2].iter().cloned().collect(),
        ..Cluster::default()
    }
}

fn cluster_case() -> Case {
    Subject::new(place, plain)
        .used_by(|stack, place, cluster| {
            let inputs = NodeGroup {
                subnet_ids: place.network.subnet_ids[..2].iter().cloned().collect(),
                ..group(cluster, place)
            };
            stack.add("general", inputs).unwrap();
        })
        .change("version", |_, cluster| cluster.version = "1.35".into())
        .change("version", |_, cluster| cluster.version = "1.36".into())
        .one_way("version")
        .change("subnet_ids", |place, cluster| {
            cluster.subnet_ids =
                [place.spare_subnet.clone(), place.network.subnet_ids[1].clone()].into_iter().collect();
        })
        .change("security_group_ids", |place, cluster| {
            cluster.security_group_ids = place.network.security_group_ids[..1].iter().cloned().collect();
        })
        .change("security_group_ids", |place, cluster| {
            cluster.security_group_ids = place.network.security_group_ids.iter().cloned().collect();
        })
        .change("endpoint_private_access", |_, cluster| cluster.endpoint_private_access = true.into())
        .change("public_access_cidrs", |_, cluster| {
            cluster.public_access_cidrs = vec![cidr("203.0.113.0/24")].into();
        })
        .change("public_access_cidrs", |_, cluster| {
            cluster.public_access_cidrs = vec![cidr("203.0.113.0/24"), cidr("198.51.100.0/24")].into();
        })
        .change("endpoint_public_access", |_, cluster| cluster.endpoint_public_access = false.into())
        .change("endpoint_public_access", |_, cluster| cluster.endpoint_public_access = true.into())
        .change("log_types", |_, cluster| cluster.log_types = vec![LogType::Audit].into())
        .change("log_types", |_, cluster| cluster.log_types = LogType::ALL.to_vec().into())
        .change("support_type", |_, cluster| cluster.support_type = SupportType::Standard.into())
        .change("support_type", |_, cluster| cluster.support_type = SupportType::Extended.into())
        .change("deletion_protection", |_, cluster| cluster.deletion_protection = true.into())
        .change("deletion_protection", |_, cluster| cluster.deletion_protection = false.into())
        .change("tags", |_, cluster| cluster.tags = tags([("Name", "main")]).into())
        .change("tags", |_, cluster| cluster.tags = tags([("owner", "someone")]).into())
        .change("name", |_, cluster| cluster.name = "other".into())
        .change("role_arn", |place, cluster| cluster.role_arn = place.clusters[1].arn.clone().into())
        .change("service_ipv4_cidr", |_, cluster| cluster.service_ipv4_cidr = cidr("172.21.0.0/16").into())
        .change("bootstrap_creator_admin", |_, cluster| cluster.bootstrap_creator_admin = false.into())
        .change("bootstrap_self_managed_addons", |_, cluster| {
            cluster.bootstrap_self_managed_addons = false.into();
        })
        .change("encryption_key_arn", |place, cluster| {
            cluster.encryption_key_arn = place.keys[0].clone().into();
        })
        .change("encryption_key_arn", |place, cluster| {
            cluster.encryption_key_arn = place.keys[1].clone().into();
        })
        .one_way("encryption_key_arn")
        // One of both ways to the endpoint is open.
        .needs("endpoint_private_access")
        .case("")
}

/// A place with another VPC beside it.
struct Places {
    place: Place,
    vpc_id: Output<VpcId>,
    subnet_ids: [Output<SubnetId>; 2],
}

fn places(stack: &Stack) -> Places {
    let vpc_id = vpc(stack, "other", "10.1.0.0/16").id.clone();
    let subnets = [("10.1.0.0/24", 'a'), ("10.1.1.0/24", 'b')];
    let subnet_ids = subnets.map(|(range, zone)| subnet(stack, &vpc_id, range, zone));
    Places { place: place(stack), vpc_id, subnet_ids }
}

fn cluster_of_another_vpc() -> Case {
    let inputs = |places: &Places| Cluster {
        vpc_id: places.place.network.vpc_id.clone().into(),
        ..plain(&places.place)
    };
    Subject::new(places, inputs)
        .change_together(["vpc_id", "subnet_ids"], |places, cluster| {
            cluster.vpc_id = places.vpc_id.clone().into();
            cluster.subnet_ids = places.subnet_ids.iter().cloned().collect();
        })
        .case("of another VPC")
}

fn cluster_of_another_mode() -> Case {
    let inputs =
        |place: &Place| Cluster { authentication_mode: AuthenticationMode::ConfigMap.into(), ..plain(place) };
    Subject::new(place, inputs)
        .change("authentication_mode", |_, cluster| {
            cluster.authentication_mode = AuthenticationMode::ApiAndConfigMap.into();
        })
        .change("authentication_mode", |_, cluster| {
            cluster.authentication_mode = AuthenticationMode::Api.into();
        })
        .one_way("authentication_mode")
        .case("of another mode")
}

fn group(cluster: &Resource<ClusterOutputs>, place: &Place) -> NodeGroup {
    NodeGroup {
        cluster_name: cluster.name.clone().into(),
        name: "general".into(),
        node_role_arn: place.nodes[0].arn.clone().into(),
        subnet_ids: place.network.subnet_ids[..2].iter().cloned().collect(),
        min_size: 1.into(),
        max_size: 3.into(),
        ..NodeGroup::default()
    }
}

/// Two clusters with a template for nodes in them.
struct Clusters {
    place: Place,
    clusters: [Resource<ClusterOutputs>; 2],
    templates: [Resource<LaunchTemplateOutputs>; 2],
}

fn clusters(stack: &Stack) -> Clusters {
    let place = place(stack);
    let cluster = |name: &str| {
        let inputs = Cluster {
            name: name.into(),
            authentication_mode: AuthenticationMode::Api.into(),
            ..plain(&place)
        };
        stack.add(name, inputs).unwrap()
    };
    let clusters = ["one", "two"].map(cluster);
    let template = |name: &str| {
        let inputs = LaunchTemplate {
            name: name.into(),
            instance_type: "m6i.xlarge".into(),
            ..LaunchTemplate::default()
        };
        stack.add(name, inputs).unwrap()
    };
    Clusters { clusters, templates: ["one", "two"].map(template), place }
}

fn taint(key: &str, effect: TaintEffect) -> Taint {
    Taint { key: key.to_owned(), value: "x".to_owned(), effect }
}

fn node_group() -> Case {
    let inputs = |ground: &Clusters| group(&ground.clusters[0], &ground.place);
    Subject::new(clusters, inputs)
        .change("max_size", |_, group| group.max_size = 6.into())
        .change("min_size", |_, group| group.min_size = 2.into())
        .change("desired_size", |_, group| group.desired_size = 3.into())
        .change("labels", |_, group| group.labels = tags([("role", "general")]).into())
        .change("labels", |_, group| group.labels = tags([("role", "other"), ("tier", "1")]).into())
        .change("taints", |_, group| group.taints = vec![taint("a", TaintEffect::NoSchedule)].into())
        .change("taints", |_, group| group.taints = vec![taint("a", TaintEffect::NoExecute)].into())
        .change("max_unavailable", |_, group| group.max_unavailable = MaxUnavailable::Percentage(50).into())
        .change("max_unavailable", |_, group| group.max_unavailable = MaxUnavailable::Nodes(2).into())
        .change("force_update", |_, group| group.force_update = true.into())
        .change("tags", |_, group| group.tags = tags([("Name", "general")]).into())
        .change("tags", |_, group| group.tags = tags([("owner", "someone")]).into())
        .change("name", |_, group| group.name = "other".into())
        .change("node_role_arn", |ground, group| {
            group.node_role_arn = ground.place.nodes[1].arn.clone().into();
        })
        .change("subnet_ids", |ground, group| {
            group.subnet_ids = ground.place.network.subnet_ids[1..3].iter().cloned().collect();
        })
        .change("instance_types", |_, group| group.instance_types = texts(["m6i.xlarge"]).into())
        .change("ami_type", |_, group| group.ami_type = AmiType::BottlerocketX8664.into())
        .change("capacity_type", |_, group| group.capacity_type = CapacityType::Spot.into())
        .change("disk_size_gib", |_, group| group.disk_size_gib = 50.into())
        .change("cluster_name", |ground, group| {
            group.cluster_name = ground.clusters[1].name.clone().into();
        })
        .case("")
}

fn node_group_of_a_template() -> Case {
    let inputs = |ground: &Clusters| NodeGroup {
        launch_template_id: ground.templates[0].id.clone().into(),
        launch_template_version: 1.into(),
        ..group(&ground.clusters[0], &ground.place)
    };
    Subject::new(clusters, inputs)
        .change("launch_template_version", |_, group| group.launch_template_version = 2.into())
        .change_together(["launch_template_id", "launch_template_version"], |ground, group| {
            group.launch_template_id = ground.templates[1].id.clone().into();
            group.launch_template_version = 1.into();
        })
        .prepared_by(|rig, group| {
            Box::pin(async {
                let request = aws_sdk_ec2::Client::new(&rig.sdk_config()).create_launch_template_version();
                let id = group.inputs["launch_template_id"].as_text().unwrap();
                let same =
                    RequestLaunchTemplateData::builder().instance_type(InstanceType::M6iXlarge).build();
                let request = request.launch_template_id(id).source_version("1").launch_template_data(same);
                request.send().await.unwrap();
            })
        })
        .case("of a launch template")
}

/// Nodes do not go back to an older version.
/// <https://docs.aws.amazon.com/eks/latest/userguide/update-managed-node-group.html>
fn node_group_of_another_version() -> Case {
    let ground = |stack: &Stack| {
        let place = place(stack);
        let cluster = Cluster { version: "1.36".into(), ..plain(&place) };
        (stack.add("main", cluster).unwrap(), place)
    };
    let inputs = |(cluster, place): &(Resource<ClusterOutputs>, Place)| NodeGroup {
        version: "1.34".into(),
        ..group(cluster, place)
    };
    Subject::new(ground, inputs)
        .change("version", |_, group| group.version = "1.35".into())
        .change("version", |_, group| group.version = "1.36".into())
        .one_way("version")
        .change("release_version", |_, group| group.release_version = "1.36.0-20991230".into())
        .change("release_version", |_, group| group.release_version = "1.36.0-20991231".into())
        .one_way("release_version")
        .case("of another version")
}

fn addon() -> Case {
    fn env(name: &str) -> AddonConfiguration {
        let env = BTreeMap::from([(name.to_owned(), Value::text("1"))]);
        AddonConfiguration::new([("env", Value::Map(env))])
    }
    let inputs = |ground: &Clusters| Addon {
        cluster_name: ground.clusters[0].name.clone().into(),
        addon_name: "vpc-cni".into(),
        addon_version: "v1.20.5-eksbuild.1".into(),
        ..Addon::default()
    };
    Subject::new(clusters, inputs)
        .change("addon_version", |_, addon| addon.addon_version = "v1.21.1-eksbuild.3".into())
        .change("service_account_role_arn", |ground, addon| {
            addon.service_account_role_arn = ground.place.pods[0].arn.clone().into();
        })
        .change("service_account_role_arn", |ground, addon| {
            addon.service_account_role_arn = ground.place.pods[1].arn.clone().into();
        })
        .change("configuration", |_, addon| addon.configuration = env("WARM_ENI_TARGET").into())
        .change("configuration", |_, addon| addon.configuration = env("WARM_IP_TARGET").into())
        .change("resolve_conflicts", |_, addon| addon.resolve_conflicts = ResolveConflicts::Overwrite.into())
        .change("tags", |_, addon| addon.tags = tags([("Name", "cni")]).into())
        .change("tags", |_, addon| addon.tags = tags([("owner", "someone")]).into())
        .change("cluster_name", |ground, addon| addon.cluster_name = ground.clusters[1].name.clone().into())
        .change_together(["addon_name", "addon_version", "configuration"], |_, addon| {
            addon.addon_name = "eks-pod-identity-agent".into();
            addon.addon_version = "v1.3.10-eksbuild.3".into();
            addon.configuration = Default::default();
        })
        .case("")
}

fn access_entry() -> Case {
    let inputs = |ground: &Clusters| AccessEntry {
        cluster_name: ground.clusters[0].name.clone().into(),
        principal_arn: ground.place.pods[0].arn.clone().into(),
        ..AccessEntry::default()
    };
    fn policies(names: &[&str]) -> Vec<AccessPolicy> {
        names.iter().map(|name| AccessPolicy::of_cluster("aws", name)).collect()
    }
    Subject::new(clusters, inputs)
        .change("kubernetes_groups", |_, entry| entry.kubernetes_groups = texts(["ops"]).into())
        .change("kubernetes_groups", |_, entry| entry.kubernetes_groups = texts(["ops", "dev"]).into())
        .change("username", |_, entry| entry.username = "admin".into())
        .change("username", |_, entry| entry.username = "someone".into())
        .change("policies", |_, entry| entry.policies = policies(&["AmazonEKSClusterAdminPolicy"]).into())
        .change("policies", |_, entry| entry.policies = policies(&["AmazonEKSViewPolicy"]).into())
        .change("tags", |_, entry| entry.tags = tags([("Name", "admin")]).into())
        .change("tags", |_, entry| entry.tags = tags([("owner", "someone")]).into())
        .change("principal_arn", |ground, entry| {
            entry.principal_arn = ground.place.pods[1].arn.clone().into();
        })
        .change("cluster_name", |ground, entry| entry.cluster_name = ground.clusters[1].name.clone().into())
        .case("")
}

/// Nodes have neither groups nor policies of their own.
fn access_entry_of_nodes() -> Case {
    let inputs = |ground: &Clusters| AccessEntry {
        cluster_name: ground.clusters[0].name.clone().into(),
        principal_arn: ground.place.nodes[0].arn.clone().into(),
        ..AccessEntry::default()
    };
    Subject::new(clusters, inputs)
        .change("entry_type", |_, entry| entry.entry_type = AccessEntryType::Ec2Linux.into())
        .exclusive("entry_type")
        .case("of nodes")
}

fn association() -> Case {
    let inputs = |ground: &Clusters| PodIdentityAssociation {
        cluster_name: ground.clusters[0].name.clone().into(),
        namespace: "langsmith".into(),
        service_account: "backend".into(),
        role_arn: ground.place.pods[0].arn.clone().into(),
        ..PodIdentityAssociation::default()
    };
    Subject::new(clusters, inputs)
        .change("role_arn", |ground, association| {
            association.role_arn = ground.place.pods[1].arn.clone().into();
        })
        .change("tags", |_, association| association.tags = tags([("Name", "backend")]).into())
        .change("tags", |_, association| association.tags = tags([("owner", "someone")]).into())
        .change("namespace", |_, association| association.namespace = "other".into())
        .change("service_account", |_, association| association.service_account = "queue".into())
        .change("cluster_name", |ground, association| {
            association.cluster_name = ground.clusters[1].name.clone().into();
        })
        .case("")
}

fn launch_template() -> Case {
    fn volume(volume_size_gib: i32) -> Vec<BlockDeviceMapping> {
        vec![BlockDeviceMapping {
            device_name: "/dev/xvda".to_owned(),
            volume_size_gib,
            volume_type: VolumeType::Gp3,
            iops: None,
            throughput_mib_per_second: None,
            encrypted: true,
            kms_key_id: None,
            delete_on_termination: true,
        }]
    }
    fn metadata(http_put_response_hop_limit: i32) -> MetadataOptions {
        MetadataOptions {
            http_endpoint_enabled: true,
            http_tokens_required: true,
            http_put_response_hop_limit,
            instance_metadata_tags_enabled: false,
        }
    }
    fn named(name: &str) -> Vec<TagSpecification> {
        vec![TagSpecification { resource_type: LaunchedResourceType::Volume, tags: tags([("Name", name)]) }]
    }
    let ground = |stack: &Stack| {
        let place = place(stack);
        let cluster = stack.add("main", plain(&place)).unwrap();
        (place, cluster)
    };
    let inputs = |_: &(Place, Resource<ClusterOutputs>)| LaunchTemplate {
        name: "general".into(),
        instance_type: "m6i.xlarge".into(),
        ..LaunchTemplate::default()
    };
    Subject::new(ground, inputs)
        .used_by(|stack, (place, cluster), template| {
            let inputs = NodeGroup {
                launch_template_id: template.id.clone().into(),
                launch_template_version: template.latest_version.clone().into(),
                ..group(cluster, place)
            };
            stack.add("general", inputs).unwrap();
        })
        .change("instance_type", |_, template| template.instance_type = "m6i.2xlarge".into())
        .change("block_device_mappings", |_, template| template.block_device_mappings = volume(50).into())
        .change("block_device_mappings", |_, template| template.block_device_mappings = volume(100).into())
        .change("metadata_options", |_, template| template.metadata_options = metadata(2).into())
        .change("metadata_options", |_, template| template.metadata_options = metadata(1).into())
        .change("security_group_ids", |(place, _), template| {
            template.security_group_ids = place.network.security_group_ids[..1].iter().cloned().collect();
        })
        .change("security_group_ids", |(place, _), template| {
            template.security_group_ids = place.network.security_group_ids[1..].iter().cloned().collect();
        })
        .change("user_data", |_, template| template.user_data = "#!/bin/sh\necho one\n".into())
        .change("user_data", |_, template| template.user_data = "#!/bin/sh\necho two\n".into())
        .change("monitoring", |_, template| template.monitoring = true.into())
        .change("monitoring", |_, template| template.monitoring = false.into())
        .change("tag_specifications", |_, template| template.tag_specifications = named("one").into())
        .change("tag_specifications", |_, template| template.tag_specifications = named("two").into())
        .change("tags", |_, template| template.tags = tags([("Name", "general")]).into())
        .change("tags", |_, template| template.tags = tags([("owner", "someone")]).into())
        .change("name", |_, template| template.name = "other".into())
        .case("")
}

/// Nodes of an image of one's own join by themselves, which no node group of ours makes them do.
fn launch_template_of_an_image() -> Case {
    let inputs = |(): &()| LaunchTemplate {
        name: "general".into(),
        instance_type: "m6i.xlarge".into(),
        ..LaunchTemplate::default()
    };
    Subject::new(nothing, inputs)
        .change("image_id", |(), template| template.image_id = "ami-0123456789abcdef0".into())
        .change("image_id", |(), template| template.image_id = "ami-0123456789abcdef1".into())
        .case("of an image")
}
