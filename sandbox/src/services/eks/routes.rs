//! The ways to operations.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_Operations.html>

use super::{access, addon, cluster, node_group, pod_identity, tags, updates, versions};
use crate::cloud::call::{Operation, changes, reads};
use crate::protocol::rest_json::Kind::{Integer, Texts, Truth};
use crate::protocol::rest_json::{Kind, Route};

const fn route(
    method: &'static str,
    path: &'static str,
    query: &'static [(&'static str, Kind)],
    operation: Operation,
) -> Route {
    Route { method, path, query, operation }
}

const NONE: &[(&str, Kind)] = &[];
const PAGED: &[(&str, Kind)] = &[("maxResults", Integer)];
const CLUSTERS: &[(&str, Kind)] = &[("maxResults", Integer), ("include", Texts)];
const VERSIONS: &[(&str, Kind)] =
    &[("maxResults", Integer), ("defaultOnly", Truth), ("includeAll", Truth), ("clusterVersions", Texts)];
const ADDON_VERSIONS: &[(&str, Kind)] =
    &[("maxResults", Integer), ("types", Texts), ("publishers", Texts), ("owners", Texts)];
const PRESERVE: &[(&str, Kind)] = &[("preserve", Truth)];
const TAG_KEYS: &[(&str, Kind)] = &[("tagKeys", Texts)];

/// Every route.
pub(super) const ROUTES: &[Route] = &[
    route("POST", "/clusters", NONE, changes("CreateCluster", cluster::create_cluster)),
    route("GET", "/clusters", CLUSTERS, reads("ListClusters", cluster::list_clusters)),
    route("GET", "/clusters/{name}", NONE, reads("DescribeCluster", cluster::describe_cluster)),
    route("DELETE", "/clusters/{name}", NONE, changes("DeleteCluster", cluster::delete_cluster)),
    route(
        "POST",
        "/clusters/{name}/update-config",
        NONE,
        changes("UpdateClusterConfig", cluster::update_cluster_config),
    ),
    route(
        "POST",
        "/clusters/{name}/updates",
        NONE,
        changes("UpdateClusterVersion", cluster::update_cluster_version),
    ),
    route(
        "POST",
        "/clusters/{clusterName}/encryption-config/associate",
        NONE,
        changes("AssociateEncryptionConfig", cluster::associate_encryption_config),
    ),
    route("GET", "/clusters/{name}/updates", PAGED, reads("ListUpdates", updates::list_updates)),
    route(
        "GET",
        "/clusters/{name}/updates/{updateId}",
        NONE,
        reads("DescribeUpdate", updates::describe_update),
    ),
    route(
        "GET",
        "/cluster-versions",
        VERSIONS,
        reads("DescribeClusterVersions", versions::describe_cluster_versions),
    ),
    route(
        "POST",
        "/clusters/{clusterName}/node-groups",
        NONE,
        changes("CreateNodegroup", node_group::create_nodegroup),
    ),
    route(
        "GET",
        "/clusters/{clusterName}/node-groups",
        PAGED,
        reads("ListNodegroups", node_group::list_nodegroups),
    ),
    route(
        "GET",
        "/clusters/{clusterName}/node-groups/{nodegroupName}",
        NONE,
        reads("DescribeNodegroup", node_group::describe_nodegroup),
    ),
    route(
        "DELETE",
        "/clusters/{clusterName}/node-groups/{nodegroupName}",
        NONE,
        changes("DeleteNodegroup", node_group::delete_nodegroup),
    ),
    route(
        "POST",
        "/clusters/{clusterName}/node-groups/{nodegroupName}/update-config",
        NONE,
        changes("UpdateNodegroupConfig", node_group::update_nodegroup_config),
    ),
    route(
        "POST",
        "/clusters/{clusterName}/node-groups/{nodegroupName}/update-version",
        NONE,
        changes("UpdateNodegroupVersion", node_group::update_nodegroup_version),
    ),
    route(
        "GET",
        "/addons/supported-versions",
        ADDON_VERSIONS,
        reads("DescribeAddonVersions", addon::describe_addon_versions),
    ),
    route("POST", "/clusters/{clusterName}/addons", NONE, changes("CreateAddon", addon::create_addon)),
    route("GET", "/clusters/{clusterName}/addons", PAGED, reads("ListAddons", addon::list_addons)),
    route(
        "GET",
        "/clusters/{clusterName}/addons/{addonName}",
        NONE,
        reads("DescribeAddon", addon::describe_addon),
    ),
    route(
        "DELETE",
        "/clusters/{clusterName}/addons/{addonName}",
        PRESERVE,
        changes("DeleteAddon", addon::delete_addon),
    ),
    route(
        "POST",
        "/clusters/{clusterName}/addons/{addonName}/update",
        NONE,
        changes("UpdateAddon", addon::update_addon),
    ),
    route("GET", "/access-policies", PAGED, reads("ListAccessPolicies", access::list_access_policies)),
    route(
        "POST",
        "/clusters/{clusterName}/access-entries",
        NONE,
        changes("CreateAccessEntry", access::create_access_entry),
    ),
    route(
        "GET",
        "/clusters/{clusterName}/access-entries",
        PAGED,
        reads("ListAccessEntries", access::list_access_entries),
    ),
    route(
        "GET",
        "/clusters/{clusterName}/access-entries/{principalArn}",
        NONE,
        reads("DescribeAccessEntry", access::describe_access_entry),
    ),
    route(
        "POST",
        "/clusters/{clusterName}/access-entries/{principalArn}",
        NONE,
        changes("UpdateAccessEntry", access::update_access_entry),
    ),
    route(
        "DELETE",
        "/clusters/{clusterName}/access-entries/{principalArn}",
        NONE,
        changes("DeleteAccessEntry", access::delete_access_entry),
    ),
    route(
        "POST",
        "/clusters/{clusterName}/access-entries/{principalArn}/access-policies",
        NONE,
        changes("AssociateAccessPolicy", access::associate_access_policy),
    ),
    route(
        "GET",
        "/clusters/{clusterName}/access-entries/{principalArn}/access-policies",
        PAGED,
        reads("ListAssociatedAccessPolicies", access::list_associated_access_policies),
    ),
    route(
        "DELETE",
        "/clusters/{clusterName}/access-entries/{principalArn}/access-policies/{policyArn}",
        NONE,
        changes("DisassociateAccessPolicy", access::disassociate_access_policy),
    ),
    route(
        "POST",
        "/clusters/{clusterName}/pod-identity-associations",
        NONE,
        changes("CreatePodIdentityAssociation", pod_identity::create_pod_identity_association),
    ),
    route(
        "GET",
        "/clusters/{clusterName}/pod-identity-associations",
        PAGED,
        reads("ListPodIdentityAssociations", pod_identity::list_pod_identity_associations),
    ),
    route(
        "GET",
        "/clusters/{clusterName}/pod-identity-associations/{associationId}",
        NONE,
        reads("DescribePodIdentityAssociation", pod_identity::describe_pod_identity_association),
    ),
    route(
        "POST",
        "/clusters/{clusterName}/pod-identity-associations/{associationId}",
        NONE,
        changes("UpdatePodIdentityAssociation", pod_identity::update_pod_identity_association),
    ),
    route(
        "DELETE",
        "/clusters/{clusterName}/pod-identity-associations/{associationId}",
        NONE,
        changes("DeletePodIdentityAssociation", pod_identity::delete_pod_identity_association),
    ),
    route("POST", "/tags/{resourceArn}", NONE, changes("TagResource", tags::tag_resource)),
    route("DELETE", "/tags/{resourceArn}", TAG_KEYS, changes("UntagResource", tags::untag_resource)),
    route("GET", "/tags/{resourceArn}", NONE, reads("ListTagsForResource", tags::list_tags_for_resource)),
];
