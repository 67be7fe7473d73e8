//! The cluster: its control plane, the key that encrypts its secrets, its logs, who administers it, and
//! the provider by which its service accounts are known to IAM.
//!
//! It is what takes longest, so it waits for as little as it can: subnets, role, key and log group.

use lsinfra_engine::{Output, Resource, Stack};
use lsinfra_resources::aws::eks::{
    AccessEntry, AccessPolicy, AuthenticationMode, Cluster, ClusterOutputs, LogType, SupportType,
};
use lsinfra_resources::aws::iam::{OpenIdConnectProvider, OpenIdConnectProviderOutputs};
use lsinfra_resources::aws::kms::{Alias, Key};
use lsinfra_resources::aws::logs::LogGroup;
use lsinfra_resources::aws::{Arn, AwsConnection};

use super::network::Network;
use super::{Environment, StackError};
use crate::config::Profile;
use crate::naming::NameLimit;

/// What administrators are given: everything in the cluster.
/// <https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html>
const ADMIN_POLICY: &str = "AmazonEKSClusterAdminPolicy";

/// Whom tokens of service accounts are for.
/// <https://docs.aws.amazon.com/eks/latest/userguide/iam-roles-for-service-accounts.html>
pub(super) const TOKEN_AUDIENCE: &str = "sts.amazonaws.com";

/// What the control plane logs: everything.
const LOG_TYPES: [LogType; 5] =
    [LogType::Api, LogType::Audit, LogType::Authenticator, LogType::ControllerManager, LogType::Scheduler];

/// What the cluster gives to the other parts.
pub(super) struct ControlPlane {
    pub(super) cluster: Resource<ClusterOutputs>,
    pub(super) oidc_provider: Resource<OpenIdConnectProviderOutputs>,
}

pub(super) fn declare(
    stack: &Stack,
    environment: &Environment<'_>,
    network: &Network,
    role_arn: &Output<Arn>,
) -> Result<ControlPlane, StackError> {
    let config = environment.config;
    let name = name(environment);
    // EKS makes the group itself if it is not there, and again if it goes first: without retention, and
    // nobody's. <https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html>
    let logs = stack.add(
        "control-plane",
        LogGroup {
            name: format!("/aws/eks/{name}/cluster").into(),
            retention_days: environment.log_retention_days().into(),
            tags: environment.tags("control-plane").into(),
            ..LogGroup::default()
        },
    )?;
    let key_arn = secrets_key(stack, environment)?;
    let public_access_cidrs = &config.cluster.public_access_cidrs;
    let mut inputs = Cluster {
        name: name.into(),
        version: config.cluster.version.clone().into(),
        role_arn: role_arn.into(),
        vpc_id: network.vpc_id.clone().into(),
        subnet_ids: network.private_subnet_ids.iter().take(zone_count(config.profile)).cloned().collect(),
        endpoint_private_access: true.into(),
        endpoint_public_access: (!public_access_cidrs.is_empty()).into(),
        log_types: LOG_TYPES.to_vec().into(),
        authentication_mode: AuthenticationMode::Api.into(),
        bootstrap_creator_admin: true.into(),
        // The add-ons are resources of their own, with versions and roles.
        bootstrap_self_managed_addons: false.into(),
        encryption_key_arn: key_arn.into(),
        support_type: SupportType::Standard.into(),
        deletion_protection: config.protect.into(),
        tags: environment.tags("cluster").into(),
        ..Cluster::default()
    };
    if !public_access_cidrs.is_empty() {
        inputs.public_access_cidrs = public_access_cidrs.clone().into();
    }
    let cluster = stack.add("main", inputs)?.depends_on(&logs).protect(config.protect);
    administrators(stack, environment, &cluster)?;
    let oidc_provider = stack.add(
        "main",
        OpenIdConnectProvider {
            url: cluster.oidc_issuer.clone().into(),
            client_ids: vec![TOKEN_AUDIENCE.to_owned()].into(),
            tags: environment.tags("cluster").into(),
            ..OpenIdConnectProvider::default()
        },
    )?;
    Ok(ControlPlane { cluster, oidc_provider })
}

/// What the cluster is called.
pub(super) fn name(environment: &Environment<'_>) -> String {
    environment.names.name("cluster", NameLimit::EKS_CLUSTER)
}

/// In how many zones the control plane has its interfaces: as many as every environment of the profile
/// has, since a cluster can never have others than at first, and an environment may get more.
/// <https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html>
fn zone_count(profile: Profile) -> usize {
    match profile {
        Profile::Dev => 2,
        Profile::Prod => 3,
    }
}

/// The key that encrypts what Kubernetes keeps as secrets. Without it they can never be read again.
/// <https://docs.aws.amazon.com/eks/latest/userguide/envelope-encryption.html>
fn secrets_key(stack: &Stack, environment: &Environment<'_>) -> Result<Output<Arn>, StackError> {
    let role = "kubernetes-secrets";
    let key = stack
        .add(
            role,
            Key {
                description: "Secrets of Kubernetes".into(),
                enable_key_rotation: true.into(),
                pending_window_in_days: if environment.is_prod() { 30 } else { 7 }.into(),
                tags: environment.tags(role).into(),
                ..Key::default()
            },
        )?
        .protect(environment.config.protect);
    stack.add(
        role,
        Alias {
            name: format!("alias/{}", environment.names.name(role, NameLimit::KMS_ALIAS)).into(),
            target_key_id: key.key_id.clone().into(),
        },
    )?;
    Ok(key.arn.clone())
}

/// Who administers the cluster beside whoever creates it.
fn administrators(
    stack: &Stack,
    environment: &Environment<'_>,
    cluster: &Resource<ClusterOutputs>,
) -> Result<(), StackError> {
    let AwsConnection { partition, .. } = &environment.connection;
    for arn in &environment.config.cluster.admin_arns {
        stack.add(
            &administrator_name(arn),
            AccessEntry {
                cluster_name: cluster.name.clone().into(),
                principal_arn: Arn::new(arn).into(),
                policies: vec![AccessPolicy::of_cluster(partition, ADMIN_POLICY)].into(),
                tags: environment.tags("administrator").into(),
                ..AccessEntry::default()
            },
        )?;
    }
    Ok(())
}

/// The name of an administrator's entry, from its ARN alone, so that no other entry moves when one goes:
/// `111122223333-role-platform`.
fn administrator_name(arn: &str) -> String {
    let principal = arn.splitn(5, ':').last().unwrap_or(arn);
    principal.replace(|character: char| !character.is_ascii_alphanumeric(), "-")
}
