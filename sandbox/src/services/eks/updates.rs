//! Updates: changes that take a while, and what becomes of them.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_Update.html>

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::errors::{no_addon, no_cluster, no_node_group, not_found};
use super::requests::{page_answer, page_of, uuid};
use super::{EksTables, WIRE, row_id};
use crate::cloud::call::{Call, Reply};
use crate::cloud::table::Scope;
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;
use crate::protocol::json::seconds;

/// An update.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Update {
    target: Target,
    /// Such as `VersionUpdate`.
    kind: String,
    /// What it changes: AWS's names of the parameters, and their values as texts.
    params: Vec<(String, String)>,
    created: Timestamp,
    over_at: Timestamp,
}

/// What an update changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Target {
    /// The cluster itself.
    Cluster,
    /// A node group of it.
    NodeGroup(String),
    /// An add-on of it.
    Addon(String),
}

impl Target {
    fn of(members: &Members<'_>) -> Result<Self, ServiceError> {
        let (node_group, addon) = (members.text("nodegroupName")?, members.text("addonName")?);
        Ok(match (node_group, addon) {
            (Some(name), _) => Self::NodeGroup(name.to_owned()),
            (None, Some(name)) => Self::Addon(name.to_owned()),
            (None, None) => Self::Cluster,
        })
    }

    /// Refuses a target that is not there.
    fn check(&self, call: &Call<'_>, cluster: &str) -> Result<(), ServiceError> {
        let (eks, scope) = (&call.tables.eks, &call.scope);
        if eks.clusters.find(scope, cluster).is_none() {
            return Err(no_cluster(cluster));
        }
        match self {
            Self::Cluster => Ok(()),
            Self::NodeGroup(name) => {
                let found = eks.node_groups.find(scope, &row_id(cluster, name));
                found.map(|_| ()).ok_or_else(|| no_node_group(cluster, name))
            }
            Self::Addon(name) => {
                let found = eks.addons.find(scope, &row_id(cluster, name));
                found.map(|_| ()).ok_or_else(|| no_addon(cluster, name))
            }
        }
    }
}

/// A change that is about to start.
#[derive(Debug)]
pub(super) struct Beginning<'a> {
    /// The cluster.
    pub(super) cluster: &'a str,
    /// What changes.
    pub(super) target: Target,
    /// AWS's name of the kind.
    pub(super) kind: &'a str,
    /// What it changes.
    pub(super) params: Vec<(String, String)>,
    /// How long it takes on AWS.
    pub(super) on_aws: Duration,
}

/// Starts an update; answers with its id and when it is over.
pub(super) fn begin(call: &mut Call<'_>, beginning: Beginning<'_>) -> (String, Timestamp) {
    let Beginning { cluster, target, kind, params, on_aws } = beginning;
    let id = uuid(call);
    let over_at = call.over_at(on_aws);
    let update = Update { target, kind: kind.to_owned(), params, created: call.now, over_at };
    call.tables.eks.updates.insert(&call.scope, row_id(cluster, &id), update);
    (id, over_at)
}

/// The answer of the call that started an update.
pub(super) fn started(call: &Call<'_>, cluster: &str, id: &str) -> Reply {
    let update = call.tables.eks.updates.get(&call.scope, &row_id(cluster, id));
    let update = update.ok_or_else(|| unknown(id))?;
    Ok(WIRE.json.answer(&json!({"update": answer(id, update, call.just_before())})))
}

/// Whether an update is there.
pub(super) fn exists(eks: &EksTables, scope: &Scope, cluster: &str, id: &str) -> bool {
    eks.updates.contains(scope, &row_id(cluster, id))
}

/// Forgets the updates of what is gone; all of a cluster without a target.
pub(super) fn forget(eks: &mut EksTables, scope: &Scope, cluster: &str, target: Option<&Target>) {
    let updates = eks.updates.newest_within(scope, &row_id(cluster, ""));
    let of_target = updates.filter(|(_, update)| target.is_none_or(|target| update.target == *target));
    let ids: Vec<String> = of_target.map(|(id, _)| id.to_owned()).collect();
    for id in ids {
        eks.updates.remove(scope, &id);
    }
}

pub(super) fn describe_update(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let cluster = members.required("name")?;
    let id = members.required("updateId")?;
    let target = Target::of(&members)?;
    call.document.finish()?;
    target.check(call, cluster)?;
    let update = call.tables.eks.updates.find(&call.scope, &row_id(cluster, id));
    let update = update.filter(|update| update.target == target).ok_or_else(|| unknown(id))?;
    Ok(WIRE.json.answer(&json!({"update": answer(id, update, call.now)})))
}

pub(super) fn list_updates(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let cluster = members.required("name")?;
    let target = Target::of(&members)?;
    let request = page_of(&members)?;
    call.document.finish()?;
    target.check(call, cluster)?;
    let updates = call.tables.eks.updates.within(&call.scope, &row_id(cluster, ""));
    let of_target = updates.filter(|(_, update)| update.target == target);
    let list = of_target.map(|(row, _)| {
        let id = row.rsplit('/').next().unwrap_or_default();
        (id.to_owned(), id.into())
    });
    Ok(WIRE.json.answer(&page_answer(&request, "updateIds", list.collect())))
}

fn unknown(id: &str) -> ServiceError {
    not_found(format!("No update found for ID: {id}"))
}

fn answer(id: &str, update: &Update, now: Timestamp) -> Value {
    let params = update.params.iter().map(|(kind, value)| json!({"type": kind, "value": value}));
    json!({
        "id": id,
        "status": if now < update.over_at { "InProgress" } else { "Successful" },
        "type": update.kind,
        "params": params.collect::<Vec<_>>(),
        "createdAt": seconds(update.created),
        "errors": [],
    })
}
