//! Identity and Access Management: roles, policies, instance profiles and identity providers of an account. A global
//! service: its rows have no region. <https://docs.aws.amazon.com/IAM/latest/APIReference/welcome.html>

mod aws_managed;
mod documents;
mod errors;
mod fields;
mod instance_profile;
mod managed_policy;
mod oidc_provider;
mod pages;
pub(crate) mod permission;
mod policy_versions;
mod role;
mod role_policies;
mod service_linked_role;
mod simulation;
mod tags;
#[cfg(test)]
mod tests;

pub(crate) use self::documents::principal_exists;
pub(crate) use self::oidc_provider::exists as has_oidc_provider;
pub(crate) use self::role::{by_arn as role_by_arn, by_name as role_by_name, in_account as find_role};

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Item, Service, Tables, by_action};
use crate::cloud::call::{Operation, changes, reads};
use crate::cloud::table::{Scope, tables};
use crate::protocol::error::Protocol;
use crate::protocol::request::Request;

tables! {
    /// What IAM keeps.
    pub(crate) struct IamTables {
        /// Roles by name.
        roles: role::Role = ("iam/role", Eventual),
        /// The account's own managed policies by ARN.
        policies: managed_policy::Policy = ("iam/policy", Eventual),
        /// Instance profiles by name.
        instance_profiles: instance_profile::InstanceProfile = ("iam/instance-profile", Eventual),
        /// OpenID Connect providers by ARN.
        oidc_providers: oidc_provider::OidcProvider = ("iam/oidc-provider", Eventual),
    }
}

const OPERATIONS: &[Operation] = &[
    changes("CreateRole", role::create_role),
    reads("GetRole", role::get_role),
    reads("ListRoles", role::list_roles),
    changes("UpdateRole", role::update_role),
    changes("UpdateAssumeRolePolicy", role::update_assume_role_policy),
    changes("DeleteRole", role::delete_role),
    changes("TagRole", role::tag_role),
    changes("UntagRole", role::untag_role),
    reads("ListRoleTags", role::list_role_tags),
    changes("PutRolePermissionsBoundary", role::put_role_permissions_boundary),
    changes("DeleteRolePermissionsBoundary", role::delete_role_permissions_boundary),
    changes("PutRolePolicy", role_policies::put_role_policy),
    reads("GetRolePolicy", role_policies::get_role_policy),
    reads("ListRolePolicies", role_policies::list_role_policies),
    changes("DeleteRolePolicy", role_policies::delete_role_policy),
    changes("AttachRolePolicy", role_policies::attach_role_policy),
    changes("DetachRolePolicy", role_policies::detach_role_policy),
    reads("ListAttachedRolePolicies", role_policies::list_attached_role_policies),
    changes("CreatePolicy", managed_policy::create_policy),
    reads("GetPolicy", managed_policy::get_policy),
    reads("ListPolicies", managed_policy::list_policies),
    changes("DeletePolicy", managed_policy::delete_policy),
    reads("ListEntitiesForPolicy", managed_policy::list_entities_for_policy),
    changes("TagPolicy", managed_policy::tag_policy),
    changes("UntagPolicy", managed_policy::untag_policy),
    reads("ListPolicyTags", managed_policy::list_policy_tags),
    changes("CreatePolicyVersion", policy_versions::create_policy_version),
    reads("GetPolicyVersion", policy_versions::get_policy_version),
    reads("ListPolicyVersions", policy_versions::list_policy_versions),
    changes("SetDefaultPolicyVersion", policy_versions::set_default_policy_version),
    changes("DeletePolicyVersion", policy_versions::delete_policy_version),
    changes("CreateInstanceProfile", instance_profile::create_instance_profile),
    reads("GetInstanceProfile", instance_profile::get_instance_profile),
    reads("ListInstanceProfiles", instance_profile::list_instance_profiles),
    reads("ListInstanceProfilesForRole", instance_profile::list_instance_profiles_for_role),
    changes("AddRoleToInstanceProfile", instance_profile::add_role_to_instance_profile),
    changes("RemoveRoleFromInstanceProfile", instance_profile::remove_role_from_instance_profile),
    changes("DeleteInstanceProfile", instance_profile::delete_instance_profile),
    changes("TagInstanceProfile", instance_profile::tag_instance_profile),
    changes("UntagInstanceProfile", instance_profile::untag_instance_profile),
    reads("ListInstanceProfileTags", instance_profile::list_instance_profile_tags),
    changes("CreateOpenIDConnectProvider", oidc_provider::create_oidc_provider),
    reads("GetOpenIDConnectProvider", oidc_provider::get_oidc_provider),
    reads("ListOpenIDConnectProviders", oidc_provider::list_oidc_providers),
    changes("DeleteOpenIDConnectProvider", oidc_provider::delete_oidc_provider),
    changes("UpdateOpenIDConnectProviderThumbprint", oidc_provider::update_oidc_provider_thumbprint),
    changes("AddClientIDToOpenIDConnectProvider", oidc_provider::add_client_id),
    changes("RemoveClientIDFromOpenIDConnectProvider", oidc_provider::remove_client_id),
    changes("TagOpenIDConnectProvider", oidc_provider::tag_oidc_provider),
    changes("UntagOpenIDConnectProvider", oidc_provider::untag_oidc_provider),
    reads("ListOpenIDConnectProviderTags", oidc_provider::list_oidc_provider_tags),
    changes("CreateServiceLinkedRole", service_linked_role::create_service_linked_role),
    changes("DeleteServiceLinkedRole", service_linked_role::delete_service_linked_role),
    reads("GetServiceLinkedRoleDeletionStatus", service_linked_role::get_service_linked_role_deletion_status),
    reads("SimulatePrincipalPolicy", simulation::simulate_principal_policy),
];

/// The service.
pub(crate) struct Iam;

impl Service for Iam {
    fn name(&self) -> &'static str {
        "iam"
    }

    fn protocol(&self) -> Protocol {
        Protocol::AwsQuery
    }

    fn operation(&self, request: &Request) -> Result<&'static Operation, String> {
        by_action(OPERATIONS, request)
    }

    fn operations(&self) -> Vec<&'static str> {
        OPERATIONS.iter().map(|operation| operation.name).collect()
    }

    /// Service-linked roles count as made by AWS.
    fn inventory(&self, tables: &Tables, _now: Timestamp) -> Vec<Item> {
        let item = |kind: &str, scope: &Scope, id: &str, tags: &BTreeMap<String, String>| Item {
            service: "iam".to_owned(),
            kind: kind.to_owned(),
            id: id.to_owned(),
            account: scope.account.to_string(),
            region: String::new(),
            tags: tags.clone(),
        };
        let tables = &tables.iam;
        let roles = tables.roles.all().filter(|(_, _, role)| role.linked_to.is_none());
        let mut items: Vec<Item> =
            roles.map(|(scope, name, role)| item("role", scope, name, &role.tags)).collect();
        items.extend(
            tables.policies.all().map(|(scope, arn, policy)| item("policy", scope, arn, &policy.tags)),
        );
        let profiles = tables.instance_profiles.all();
        items.extend(
            profiles.map(|(scope, name, profile)| item("instance-profile", scope, name, &profile.tags)),
        );
        let providers = tables.oidc_providers.all();
        items.extend(
            providers.map(|(scope, arn, provider)| item("oidc-provider", scope, arn, &provider.tags)),
        );
        items
    }
}
