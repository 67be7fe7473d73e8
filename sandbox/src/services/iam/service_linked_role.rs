//! Roles that services make for themselves, and that only they change.
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceLinkedRole.html>

use std::collections::BTreeMap;

use winterbaume_iam::model::{
    CreateServiceLinkedRoleResponse, DeleteServiceLinkedRoleResponse,
    GetServiceLinkedRoleDeletionStatusResponse,
};
use winterbaume_iam::wire;

use super::errors::{invalid_input, no_such_entity};
use super::fields::{ROLE_NAME, description, name, required};
use super::role::{Role, add, find};
use super::tags::Tags;
use crate::cloud::call::{Call, Reply};
use crate::protocol::response;

/// Services and the names of their roles.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html>
const ROLES: &[(&str, &str)] = &[
    ("autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling"),
    ("backup.amazonaws.com", "AWSServiceRoleForBackup"),
    ("eks-fargate.amazonaws.com", "AWSServiceRoleForAmazonEKSForFargate"),
    ("eks-nodegroup.amazonaws.com", "AWSServiceRoleForAmazonEKSNodegroup"),
    ("eks.amazonaws.com", "AWSServiceRoleForAmazonEKS"),
    ("elasticache.amazonaws.com", "AWSServiceRoleForElastiCache"),
    ("elasticloadbalancing.amazonaws.com", "AWSServiceRoleForElasticLoadBalancing"),
    ("rds.amazonaws.com", "AWSServiceRoleForRDS"),
    ("spot.amazonaws.com", "AWSServiceRoleForEC2Spot"),
    ("spotfleet.amazonaws.com", "AWSServiceRoleForEC2SpotFleet"),
];

pub(super) fn create_service_linked_role(call: &mut Call<'_>) -> Reply {
    let service = required(call.params, "AWSServiceName")?;
    let description = description(call.params)?;
    call.params.finish()?;
    let (_, name) = ROLES.iter().find(|(known, _)| *known == service).ok_or_else(|| {
        invalid_input(format!("The sandbox does not have the service-linked role of {service}."))
    })?;
    let trust = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["sts:AssumeRole"], "Principal": {"Service": [service]}}],
    });
    let role = Role {
        name: (*name).to_owned(),
        path: format!("/aws-service-role/{service}/"),
        id: format!("AROA{}", call.identifiers.alphanumeric(17)),
        trust_policy: trust.to_string(),
        description,
        max_session_seconds: 3600,
        boundary: None,
        tags: Tags::new(),
        inline: BTreeMap::new(),
        attached: Vec::new(),
        created: call.now,
        linked_to: Some(service.to_owned()),
    };
    let answer = role.answer(&call.scope.account);
    add(call, role).map_err(|error| match error.code.as_str() {
        "EntityAlreadyExists" => invalid_input(format!(
            "Service role name {name} has been taken in this account, please try a different suffix."
        )),
        _ => error,
    })?;
    Ok(response(wire::serialize_create_service_linked_role_response(&CreateServiceLinkedRoleResponse {
        role: Some(answer),
    })))
}

pub(super) fn delete_service_linked_role(call: &mut Call<'_>) -> Reply {
    let name = name(call.params, "RoleName", ROLE_NAME)?;
    call.params.finish()?;
    let Some(service) = find(call, name)?.linked_to.clone() else {
        return Err(invalid_input(format!("The role {name} is not a service-linked role.")));
    };
    let task = format!("task/aws-service-role/{service}/{name}/{}", call.identifiers.hexadecimal(32));
    let scope = call.scope.global();
    call.tables.iam.roles.remove(&scope, name);
    Ok(response(wire::serialize_delete_service_linked_role_response(&DeleteServiceLinkedRoleResponse {
        deletion_task_id: Some(task),
    })))
}

/// Deletions are over at once, so a task that names a role's path has succeeded.
pub(super) fn get_service_linked_role_deletion_status(call: &mut Call<'_>) -> Reply {
    let task = required(call.params, "DeletionTaskId")?;
    call.params.finish()?;
    if !task.starts_with("task/aws-service-role/") {
        return Err(no_such_entity(format!("Deletion Task ID {task} was not found.")));
    }
    Ok(response(wire::serialize_get_service_linked_role_deletion_status_response(
        &GetServiceLinkedRoleDeletionStatusResponse { reason: None, status: Some("SUCCEEDED".to_owned()) },
    )))
}
