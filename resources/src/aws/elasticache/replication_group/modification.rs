//! What has to change about a replication group, beside the number of its nodes and its token, as one call.
//! <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyReplicationGroup.html>

use std::collections::BTreeSet;

use aws_sdk_elasticache::Client;
use aws_sdk_elasticache::operation::modify_replication_group::builders::ModifyReplicationGroupFluentBuilder;
use lsinfra_engine::{Input, InputProblem, PhysicalId, Property};

use super::engine::numbers;
use super::object::Described;
use super::{Engine, ReplicationGroup, is_version};
use crate::aws::property::problem;
use crate::aws::scope::Scope;

/// Compares inputs with what is there, and remembers whether anything has to be sent.
struct Comparison<'a> {
    scope: Scope<'a, ReplicationGroup>,
    /// Whether what a plan saw differ is sent although a read, which may be older, shows it as wanted.
    insists: bool,
    is_needed: bool,
}

impl Comparison<'_> {
    /// What an input has to become, if it is not that already.
    fn differing<T: Property + PartialEq>(
        &mut self,
        field: &str,
        input: &Input<T>,
        default: T,
        actual: Option<T>,
    ) -> Option<T> {
        let wanted = self.scope.wanted(field, input, default)?;
        let insists = self.insists && self.scope.is_change(field);
        if actual.as_ref() == Some(&wanted) && !insists {
            return None;
        }
        self.is_needed = true;
        Some(wanted)
    }

    /// The same for an input that must be given, or that AWS chooses and keeps if it is not.
    fn chosen<T: Property + PartialEq>(
        &mut self,
        field: &str,
        input: &Input<T>,
        actual: Option<T>,
    ) -> Option<T> {
        let wanted = input.get()?;
        self.differing(field, input, wanted, actual)
    }
}

impl ReplicationGroup {
    /// The call that brings a replication group to its inputs as far as `scope` covers them; `None` if it is there.
    pub(super) fn modification(
        &self,
        elasticache: &Client,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
        actual: &Described,
        insists: bool,
    ) -> Option<ModifyReplicationGroupFluentBuilder> {
        let mut differs = Comparison { scope, insists, is_needed: false };
        let text = |text: Option<&str>| text.map(str::to_owned);
        let (engine, version) = self.upgrade(scope, actual);
        differs.is_needed |= version.is_some() || engine.is_some();
        let group = self.wanted_parameter_group(scope, actual, insists, version.is_some());
        differs.is_needed |= group.is_some();
        let covers = matches!(scope, Scope::Given) || scope.is_change("security_group_ids");
        let security_groups = self.security_group_ids.get().filter(|wanted| {
            let wanted: BTreeSet<_> = wanted.iter().cloned().collect();
            let is_there = actual.security_groups().as_ref() == Some(&wanted);
            covers && (!is_there || insists && scope.is_change("security_group_ids"))
        });
        differs.is_needed |= security_groups.is_some();
        // What waits for the window comes with any change that is made at once, even with none.
        differs.is_needed |= self.apply_immediately.get() == Some(true) && actual.has_pending();
        let request = elasticache
            .modify_replication_group()
            .replication_group_id(id.as_str())
            .apply_immediately(self.apply_immediately.get().unwrap_or(false))
            .set_engine(engine.map(|engine| engine.name().to_owned()))
            .set_engine_version(version)
            .set_cache_parameter_group_name(group)
            .set_security_group_ids(
                security_groups.map(|groups| groups.into_iter().map(String::from).collect()),
            )
            .set_replication_group_description(differs.chosen(
                "description",
                &self.description,
                text(actual.group.description()),
            ))
            .set_cache_node_type(differs.chosen("node_type", &self.node_type, text(actual.node_type())))
            .set_automatic_failover_enabled(differs.differing(
                "automatic_failover_enabled",
                &self.automatic_failover_enabled,
                false,
                actual.automatic_failover(),
            ))
            .set_multi_az_enabled(differs.differing(
                "multi_az_enabled",
                &self.multi_az_enabled,
                false,
                actual.multi_az(),
            ))
            .set_snapshot_retention_limit(differs.differing(
                "snapshot_retention_days",
                &self.snapshot_retention_days,
                0,
                actual.group.snapshot_retention_limit(),
            ))
            .set_snapshot_window(differs.chosen(
                "snapshot_window",
                &self.snapshot_window,
                text(actual.group.snapshot_window()),
            ))
            .set_preferred_maintenance_window(differs.chosen(
                "maintenance_window",
                &self.maintenance_window,
                self.spelt_as_declared(actual.maintenance_window()),
            ))
            .set_auto_minor_version_upgrade(differs.differing(
                "auto_minor_version_upgrade",
                &self.auto_minor_version_upgrade,
                true,
                actual.group.auto_minor_version_upgrade(),
            ));
        differs.is_needed.then_some(request)
    }

    /// What speaks against an older version. From Valkey there is a way back to Redis OSS.
    /// <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/VersionManagement.HowTo.html>
    pub(super) fn refused_version(&self, previous: &Self) -> Option<InputProblem> {
        let (before, after) = (previous.engine_version.get()?, self.engine_version.get()?);
        let goes_back = numbers(&after) < numbers(&before);
        (goes_back && Engine::of_version(&after) == Engine::of_version(&before)).then(|| {
            let message = format!(
                "the replication group is at {before} and ElastiCache never goes back to {after}: declare \
                 {before} or a newer version"
            );
            problem("engine_version", message)
        })
    }

    /// A window in the spelling in which it is declared, if only case differs.
    pub(super) fn spelt_as_declared(&self, window: Option<&str>) -> Option<String> {
        let declared = self.maintenance_window.get();
        let same = |declared: &String| window.is_some_and(|window| window.eq_ignore_ascii_case(declared));
        declared.filter(same).or_else(|| window.map(str::to_owned))
    }

    /// The engine and version to upgrade to. What AWS made of the wanted version counts as that.
    fn upgrade(&self, scope: Scope<'_, Self>, actual: &Described) -> (Option<Engine>, Option<String>) {
        let covers = |field: &str| matches!(scope, Scope::Given) || scope.is_change(field);
        let engine = self.engine.get().filter(|wanted| covers("engine") && actual.engine() != Some(*wanted));
        let is_there =
            |wanted: &str| actual.engine_version().is_some_and(|actual| is_version(actual, wanted));
        let version = self
            .engine_version
            .get()
            .filter(|wanted| covers("engine_version") && !is_there(wanted) || engine.is_some());
        (engine, version)
    }

    /// The parameter group to take: another one, or the same again with an upgrade, for which AWS wants it named. One that is
    /// no longer given makes way for AWS's own.
    fn wanted_parameter_group(
        &self,
        scope: Scope<'_, Self>,
        actual: &Described,
        insists: bool,
        is_upgraded: bool,
    ) -> Option<String> {
        let is_change = scope.is_change("parameter_group_name");
        let covers = matches!(scope, Scope::Given) || is_change || is_upgraded;
        let given = self.parameter_group_name.get().map(String::from).filter(|_| covers);
        let own = || {
            let engine = self.engine.get().or(actual.engine())?;
            let version = self.engine_version.get().or(actual.engine_version().map(str::to_owned))?;
            is_change.then(|| format!("default.{}", engine.family(&version)))
        };
        let wanted = given.or_else(own)?;
        let is_there = actual.parameter_group() == Some(wanted.as_str());
        (!is_there || insists && is_change).then_some(wanted)
    }
}
