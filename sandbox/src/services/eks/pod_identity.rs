//! Pod identity associations: the roles of service accounts.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_PodIdentityAssociation.html>

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::errors::{in_use, no_cluster, not_found};
use super::requests::{Tags, page_answer, page_of, tags_of, token_of};
use super::{WIRE, cluster, roles, row_id};
use crate::cloud::call::{Call, Reply};
use crate::cloud::table::Scope;
use crate::cloud::tokens::once;
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;
use crate::protocol::json::seconds;
use crate::services::Tables;

/// The namespace of add-ons.
const OF_ADDONS: &str = "kube-system";

/// An association.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PodIdentityAssociation {
    namespace: String,
    service_account: String,
    role_arn: String,
    /// The ARN of the add-on that it was made for.
    owner_arn: Option<String>,
    disable_session_tags: bool,
    /// Its tags.
    pub(super) tags: Tags,
    created: Timestamp,
    modified: Timestamp,
}

impl PodIdentityAssociation {
    /// Whether it was made for an add-on.
    pub(super) fn is_of_addon(&self) -> bool {
        self.owner_arn.is_some()
    }
}

/// What an add-on's request wants for one of its service accounts.
#[derive(Debug)]
pub(super) struct Wanted {
    service_account: String,
    role_arn: String,
}

/// What an add-on's request wants.
pub(super) fn wanted(members: &Members<'_>) -> Result<Option<Vec<Wanted>>, ServiceError> {
    let Some(list) = members.structures("podIdentityAssociations")? else { return Ok(None) };
    let one = |one: Members<'_>| {
        Ok(Wanted {
            service_account: one.required("serviceAccount")?.to_owned(),
            role_arn: one.required("roleArn")?.to_owned(),
        })
    };
    list.into_iter().map(one).collect::<Result<_, _>>().map(Some)
}

/// Makes what an add-on wants; answers with the ids.
pub(super) fn make_for_addon(
    call: &mut Call<'_>,
    cluster: &str,
    owner_arn: &str,
    wanted: Vec<Wanted>,
) -> Result<Vec<String>, ServiceError> {
    for Wanted { service_account, role_arn } in &wanted {
        check(call, cluster, OF_ADDONS, service_account, role_arn)?;
    }
    let make = |Wanted { service_account, role_arn }: Wanted| {
        let association = PodIdentityAssociation {
            namespace: OF_ADDONS.to_owned(),
            service_account,
            role_arn,
            owner_arn: Some(owner_arn.to_owned()),
            disable_session_tags: false,
            tags: Tags::new(),
            created: call.now,
            modified: call.now,
        };
        insert(call, cluster, association)
    };
    Ok(wanted.into_iter().map(make).collect())
}

/// Removes associations.
pub(super) fn unmake(call: &mut Call<'_>, cluster: &str, ids: &[String]) {
    for id in ids {
        call.tables.eks.pod_identity_associations.remove(&call.scope, &row_id(cluster, id));
    }
}

fn insert(call: &mut Call<'_>, cluster: &str, association: PodIdentityAssociation) -> String {
    let id = format!("a-{}", call.identifiers.hexadecimal(17));
    call.tables.eks.pod_identity_associations.insert(&call.scope, row_id(cluster, &id), association);
    id
}

fn check(
    call: &Call<'_>,
    cluster: &str,
    namespace: &str,
    service_account: &str,
    role_arn: &str,
) -> Result<(), ServiceError> {
    let mut known = call.tables.eks.pod_identity_associations.within(&call.scope, &row_id(cluster, ""));
    let same =
        known.find(|(_, known)| known.namespace == namespace && known.service_account == service_account);
    if let Some((row, _)) = same {
        let id = row.rsplit('/').next().unwrap_or_default();
        return Err(in_use(format!("Association already exists: {id}")).with("clusterName", cluster));
    }
    roles::check_pod_role(call, role_arn)
}

pub(super) fn create_pod_identity_association(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let cluster = members.required("clusterName")?;
    let token = token_of(call, &members, "CreatePodIdentityAssociation")?;
    let association = PodIdentityAssociation {
        namespace: members.required("namespace")?.to_owned(),
        service_account: members.required("serviceAccount")?.to_owned(),
        role_arn: members.required("roleArn")?.to_owned(),
        owner_arn: None,
        disable_session_tags: members.truth("disableSessionTags")?.unwrap_or(false),
        tags: tags_of(&members)?,
        created: call.now,
        modified: call.now,
    };
    call.document.finish()?;
    let exists = |tables: &Tables, scope: &Scope, id: &str| {
        tables.eks.pod_identity_associations.contains(scope, &row_id(cluster, id))
    };
    let id = once(call, token, exists, |call| {
        cluster::find_active(call, cluster)?;
        let PodIdentityAssociation { namespace, service_account, role_arn, .. } = &association;
        check(call, cluster, namespace, service_account, role_arn)?;
        Ok(insert(call, cluster, association))
    })?;
    shown(call, cluster, &id)
}

pub(super) fn describe_pod_identity_association(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let (cluster, id) = (members.required("clusterName")?, members.required("associationId")?);
    call.document.finish()?;
    let association = find(call, cluster, id)?;
    Ok(WIRE.json.answer(&json!({"association": answer(call, cluster, id, association)})))
}

pub(super) fn list_pod_identity_associations(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let cluster = members.required("clusterName")?;
    let (namespace, account) = (members.text("namespace")?, members.text("serviceAccount")?);
    let request = page_of(&members)?;
    call.document.finish()?;
    cluster::find(call, cluster)?;
    let all = call.tables.eks.pod_identity_associations.within(&call.scope, &row_id(cluster, ""));
    let found = all.filter(|(_, association)| {
        namespace.is_none_or(|namespace| association.namespace == namespace)
            && account.is_none_or(|account| association.service_account == account)
    });
    let list = found.map(|(row, association)| {
        let id = row.rsplit('/').next().unwrap_or_default();
        let mut summary = answer(call, cluster, id, association);
        if let Some(members) = summary.as_object_mut() {
            let of_a_summary =
                ["clusterName", "namespace", "serviceAccount", "associationArn", "associationId", "ownerArn"];
            members.retain(|name, _| of_a_summary.contains(&name.as_str()));
        }
        (id.to_owned(), summary)
    });
    Ok(WIRE.json.answer(&page_answer(&request, "associations", list.collect())))
}

pub(super) fn update_pod_identity_association(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let (cluster, id) = (members.required("clusterName")?, members.required("associationId")?);
    // Asking again with the same values changes nothing, so that its token need not be remembered.
    members.text("clientRequestToken")?;
    let role_arn = members.text("roleArn")?;
    let disable_session_tags = members.truth("disableSessionTags")?;
    call.document.finish()?;
    find(call, cluster, id)?;
    if let Some(arn) = role_arn {
        roles::check_pod_role(call, arn)?;
    }
    let now = call.now;
    if let Some(found) = call.tables.eks.pod_identity_associations.get_mut(&call.scope, &row_id(cluster, id))
    {
        if let Some(arn) = role_arn {
            arn.clone_into(&mut found.role_arn);
        }
        found.disable_session_tags = disable_session_tags.unwrap_or(found.disable_session_tags);
        found.modified = now;
    }
    shown(call, cluster, id)
}

pub(super) fn delete_pod_identity_association(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let (cluster, id) = (members.required("clusterName")?, members.required("associationId")?);
    call.document.finish()?;
    let association = find(call, cluster, id)?;
    let answer = json!({"association": answer(call, cluster, id, association)});
    call.tables.eks.pod_identity_associations.remove(&call.scope, &row_id(cluster, id));
    Ok(WIRE.json.answer(&answer))
}

fn find<'c>(call: &'c Call<'_>, cluster: &str, id: &str) -> Result<&'c PodIdentityAssociation, ServiceError> {
    let (eks, scope) = (&call.tables.eks, &call.scope);
    if eks.clusters.find(scope, cluster).is_none() {
        return Err(no_cluster(cluster));
    }
    eks.pod_identity_associations.find(scope, &row_id(cluster, id)).ok_or_else(|| unknown(cluster, id))
}

fn unknown(cluster: &str, id: &str) -> ServiceError {
    not_found(format!("Association {id} not found in cluster {cluster}")).with("clusterName", cluster)
}

/// The answer with an association that the call itself made or changed.
fn shown(call: &Call<'_>, cluster: &str, id: &str) -> Reply {
    let association = call.tables.eks.pod_identity_associations.get(&call.scope, &row_id(cluster, id));
    let association = association.ok_or_else(|| unknown(cluster, id))?;
    Ok(WIRE.json.answer(&json!({"association": answer(call, cluster, id, association)})))
}

/// The ARN of an association.
pub(super) fn arn(call: &Call<'_>, cluster: &str, id: &str) -> String {
    call.arn("eks", &format!("podidentityassociation/{cluster}/{id}"))
}

fn answer(call: &Call<'_>, cluster: &str, id: &str, association: &PodIdentityAssociation) -> Value {
    let mut answer = json!({
        "clusterName": cluster,
        "namespace": association.namespace,
        "serviceAccount": association.service_account,
        "roleArn": association.role_arn,
        "associationArn": arn(call, cluster, id),
        "associationId": id,
        "tags": association.tags,
        "createdAt": seconds(association.created),
        "modifiedAt": seconds(association.modified),
        "disableSessionTags": association.disable_session_tags,
    });
    if let Some(owner) = &association.owner_arn {
        answer["ownerArn"] = owner.as_str().into();
    }
    answer
}
