//! Changing replication groups.

use std::time::Duration;

use winterbaume_elasticache::model::ModifyReplicationGroupResult;
use winterbaume_elasticache::wire;

use super::create::check_token;
use super::describe::answer;
use super::settings::{Asked, Settings};
use super::{Applying, ReplicationGroup, find};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::{REPLICATION_GROUP_CONFIGURING, REPLICATION_GROUP_MODIFYING};
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::common::windows::WeeklyWindow;
use crate::services::elasticache::engine_version::{self, Engine};
use crate::services::elasticache::errors::{invalid_combination, invalid_value};
use crate::services::elasticache::parameter_group;

pub(in crate::services::elasticache) fn modify(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let name = params.required("ReplicationGroupId")?.to_ascii_lowercase();
    let asked = Asked::read(params)?;
    let engine = params.text("Engine");
    let number = params.text("EngineVersion");
    let token = params.text("AuthToken");
    let strategy = params.text("AuthTokenUpdateStrategy");
    let is_immediate = params.parsed("ApplyImmediately")?.unwrap_or(false);
    params.finish()?;
    let mut group = find(call, &name)?;
    group.require_available(&name, call.now)?;
    let mut target = group.target().clone();
    upgrade(&mut target, engine, number)?;
    asked.put(&mut target);
    target.check(call, &group.vpc_id, group.members.len())?;
    let mut takes = Duration::ZERO;
    match (token, strategy) {
        (Some(token), Some("ROTATE" | "SET")) => {
            check_token(token, group.encrypts_transit)?;
            if !is_immediate {
                return Err(invalid_combination(
                    "The AUTH token modification is only supported when ApplyImmediately is set to true.",
                ));
            }
            if target != *group.target() {
                return Err(invalid_combination(
                    "The AUTH token modification cannot be combined with other modifications.",
                ));
            }
            group.token_changed_at = Some(call.now);
            takes = REPLICATION_GROUP_CONFIGURING;
        }
        (None, None) => {}
        (Some(_), Some(other)) => {
            return Err(invalid_value(format!("Invalid AuthTokenUpdateStrategy: {other}")));
        }
        _ => {
            return Err(invalid_combination(
                "AuthToken and AuthTokenUpdateStrategy must be specified together.",
            ));
        }
    }
    for member in &group.members {
        let interfaces = &mut call.tables.ec2.network_interfaces;
        if let Some(interface) = interfaces.get_mut(&call.scope, &member.interface) {
            interface.groups.clone_from(&target.security_groups);
        }
    }
    schedule(call, &mut group, target, takes, is_immediate)?;
    let answer = answer(call, &name, &group, group.status(call.now));
    call.tables.elasticache.replication_groups.insert(&call.scope, name, group);
    Ok(response(wire::serialize_modify_replication_group_response(&ModifyReplicationGroupResult {
        replication_group: Some(answer),
    })))
}

/// Another version, never an older one; with another family comes its default parameter group.
fn upgrade(target: &mut Settings, engine: Option<&str>, number: Option<&str>) -> Result<(), ServiceError> {
    if engine.is_none() && number.is_none() {
        return Ok(());
    }
    let old = target.version;
    let engine = engine.map_or(Ok(old.engine()), Engine::parse)?;
    let new = engine_version::wanted(engine, number)?;
    if new < old {
        return Err(invalid_combination(format!(
            "Cannot modify the engine from {} {} to {} {}.",
            old.engine().name(),
            old.number(),
            new.engine().name(),
            new.number()
        )));
    }
    if new.family() != old.family() {
        target.parameter_group = parameter_group::default_name(new.family());
    }
    target.version = new;
    Ok(())
}

/// Begins with what is to be, and leaves to the maintenance window what interrupts the nodes.
fn schedule(
    call: &Call<'_>,
    group: &mut ReplicationGroup,
    target: Settings,
    at_least: Duration,
    is_immediate: bool,
) -> Result<(), ServiceError> {
    let old = group.settings.clone();
    let interrupts = target.node_type != old.node_type || target.version != old.version;
    let fails_over_anew =
        target.automatic_failover != old.automatic_failover || target.multi_az != old.multi_az;
    let takes = match (interrupts && is_immediate, fails_over_anew) {
        (true, _) => REPLICATION_GROUP_MODIFYING,
        (false, true) => REPLICATION_GROUP_CONFIGURING,
        (false, false) => at_least,
    };
    let nodes = group.members.len();
    let first = if interrupts && !is_immediate {
        let parameter_group =
            if target.version == old.version { &target.parameter_group } else { &old.parameter_group };
        Settings {
            node_type: old.node_type.clone(),
            version: old.version,
            parameter_group: parameter_group.clone(),
            ..target.clone()
        }
    } else {
        target.clone()
    };
    group.phases.drop_after(call.now);
    group.applying = None;
    group.deferred = None;
    if takes.is_zero() {
        group.settings = first;
    } else {
        // What takes no time is in force already.
        group.settings = Settings {
            node_type: old.node_type,
            version: old.version,
            parameter_group: if first.version == old.version {
                first.parameter_group.clone()
            } else {
                old.parameter_group
            },
            automatic_failover: old.automatic_failover,
            multi_az: old.multi_az,
            ..first.clone()
        };
        let in_force_at = group.phases.follow(call, &[("modifying", takes)]);
        group.applying = Some(Applying { settings: first, nodes, in_force_at });
    }
    if interrupts && !is_immediate {
        let window = WeeklyWindow::parse(&target.maintenance_window)
            .ok_or_else(|| invalid_value("The maintenance window is none."))?;
        let from = window.next(call.now);
        let in_force_at = from + (call.over_at(REPLICATION_GROUP_MODIFYING) - call.now);
        group.phases.plan("modifying", from, in_force_at);
        group.deferred = Some(Applying { settings: target, nodes, in_force_at });
    }
    Ok(())
}
