//! Deleting instances, with or without a last snapshot.

use std::time::Duration;

use winterbaume_rds::model::DeleteDBInstanceResult;
use winterbaume_rds::wire;

use super::describe::answer;
use super::find;
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::{DB_INSTANCE_DELETING, DB_SNAPSHOT_CREATING};
use crate::protocol::response;
use crate::services::common::tag_list::Tags;
use crate::services::rds::errors::{instance_state, invalid_combination};
use crate::services::rds::{fields, snapshot};

pub(in crate::services::rds) fn delete(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let name = params.required("DBInstanceIdentifier")?.to_ascii_lowercase();
    let skips_snapshot = params.parsed("SkipFinalSnapshot")?.unwrap_or(false);
    let final_snapshot = match params.text("FinalDBSnapshotIdentifier") {
        Some(_) => Some(fields::identifier(params, "FinalDBSnapshotIdentifier", snapshot::LONGEST_NAME)?),
        None => None,
    };
    // The sandbox makes no automated backups that could stay.
    let _: Option<bool> = params.parsed("DeleteAutomatedBackups")?;
    params.finish()?;
    let mut instance = find(call, &name)?;
    match (&final_snapshot, skips_snapshot) {
        (None, false) => {
            return Err(invalid_combination(
                "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
            ));
        }
        (Some(_), true) => {
            return Err(invalid_combination(
                "FinalDBSnapshotIdentifier can not be specified when SkipFinalSnapshot is specified.",
            ));
        }
        _ => {}
    }
    if instance.gone_at.is_some() {
        return Err(instance_state(format!("Instance {name} is already being deleted.")));
    }
    if instance.settings.deletion_protection {
        return Err(invalid_combination(
            "Cannot delete protected DB Instance, please disable deletion protection and try again.",
        ));
    }
    let mut takes = DB_INSTANCE_DELETING;
    if let Some(snapshot_name) = &final_snapshot {
        instance.require_available(&name, call.now)?;
        snapshot::take(call, &name, &instance, snapshot_name, Tags::new())?;
        takes += DB_SNAPSHOT_CREATING;
    }
    instance.gone_at = Some(call.over_at(takes).max(call.now + Duration::from_nanos(1)));
    let d_b_instance = Some(answer(call, &name, &instance, "deleting"));
    call.tables.rds.instances.insert(&call.scope, name, instance);
    Ok(response(wire::serialize_delete_d_b_instance_response(&DeleteDBInstanceResult { d_b_instance })))
}
