//! What is told of clusters.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeCluster.html>

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Cluster, Issue, Status, endpoint, find};
use crate::cloud::call::{Call, Reply};
use crate::protocol::json::seconds;
use crate::services::eks::requests::{page_answer, page_of};
use crate::services::eks::{WIRE, roles, versions};

/// Every kind of control-plane log.
pub(super) const LOG_TYPES: &[&str] = &["api", "audit", "authenticator", "controllerManager", "scheduler"];

pub(in crate::services::eks) fn describe_cluster(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let name = members.required("name")?;
    call.document.finish()?;
    let cluster = find(call, name)?;
    Ok(WIRE.json.answer(&json!({"cluster": answer(call, name, cluster, call.now)})))
}

pub(in crate::services::eks) fn list_clusters(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let request = page_of(&members)?;
    call.document.finish()?;
    let clusters = call.tables.eks.clusters.iter(&call.scope);
    let list = clusters.map(|(name, _)| (name.to_owned(), name.into())).collect();
    Ok(WIRE.json.answer(&page_answer(&request, "clusters", list)))
}

/// A cluster as answers have it at a time; a creating call shows the moment before.
pub(super) fn answer(call: &Call<'_>, name: &str, cluster: &Cluster, at: Timestamp) -> Value {
    let settings = &cluster.settings;
    let status = cluster.status(at);
    let off: Vec<&str> =
        LOG_TYPES.iter().filter(|kind| !settings.log_types.contains(**kind)).copied().collect();
    let on: Vec<&str> =
        LOG_TYPES.iter().filter(|kind| settings.log_types.contains(**kind)).copied().collect();
    let groups = [(on, true), (off, false)].into_iter().filter(|(kinds, _)| !kinds.is_empty());
    let logging: Vec<Value> =
        groups.map(|(kinds, is_on)| json!({"types": kinds, "enabled": is_on})).collect();
    let issues: Vec<Value> = issues(call, cluster, status).iter().map(Issue::answer).collect();
    let mut answer = json!({
        "name": name,
        "arn": call.arn("eks", &format!("cluster/{name}")),
        "createdAt": seconds(cluster.created),
        "version": settings.version,
        "roleArn": cluster.role_arn,
        "resourcesVpcConfig": {
            "subnetIds": settings.subnet_ids,
            "securityGroupIds": settings.security_group_ids,
            "clusterSecurityGroupId": cluster.security_group_id,
            "vpcId": cluster.vpc_id,
            "endpointPublicAccess": settings.endpoint_public_access,
            "endpointPrivateAccess": settings.endpoint_private_access,
            "publicAccessCidrs": settings.public_access_cidrs,
        },
        "kubernetesNetworkConfig": {
            "serviceIpv4Cidr": cluster.service_ipv4_cidr,
            "ipFamily": "ipv4",
            "elasticLoadBalancing": {"enabled": false},
        },
        "logging": {"clusterLogging": logging},
        "status": status.name(),
        "certificateAuthority": {},
        "clientRequestToken": cluster.client_token,
        "platformVersion": versions::find(&settings.version).map(|version| version.platform),
        "tags": cluster.tags,
        "health": {"issues": issues},
        "accessConfig": {
            "authenticationMode": settings.authentication_mode,
            "bootstrapClusterCreatorAdminPermissions": cluster.bootstrap_creator_admin,
        },
        "upgradePolicy": {"supportType": settings.support_type},
        "deletionProtection": settings.is_protected,
    });
    if let Some(key) = &settings.encryption_key {
        answer["encryptionConfig"] = json!([{"resources": ["secrets"], "provider": {"keyArn": key}}]);
    }
    // While it is being created there is nothing yet to connect to.
    if !matches!(status, Status::Creating | Status::Failed) {
        let region = &call.scope.region;
        answer["endpoint"] = endpoint::url(cluster, region).into();
        answer["certificateAuthority"] = json!({"data": endpoint::certificate_authority(cluster)});
        answer["identity"] = json!({"oidc": {"issuer": endpoint::oidc_issuer(cluster, region)}});
    }
    answer
}

fn issues(call: &Call<'_>, cluster: &Cluster, status: Status) -> Vec<Issue> {
    let is_usable = matches!(status, Status::Active | Status::Updating);
    let has_role = roles::trusts(&call.tables.iam, &cluster.role_arn, roles::OF_CLUSTERS);
    match &cluster.failure {
        Some(failure) if status == Status::Failed => vec![failure.clone()],
        _ if is_usable && !has_role => vec![role_is_gone(&cluster.role_arn)],
        _ => Vec::new(),
    }
}

/// EKS can no longer take on the cluster's role.
pub(super) fn role_is_gone(arn: &str) -> Issue {
    Issue::new("IamRoleNotFound", format!("The role {arn} does not exist or cannot be assumed by EKS."), arn)
}
