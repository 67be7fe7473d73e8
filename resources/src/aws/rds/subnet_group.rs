//! DB subnet groups.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBSubnetGroup.html>

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_rds::Client;
use aws_sdk_rds::types::DbSubnetGroup;
use lsinfra_engine::provider::{Changes, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext, Value,
};

use crate::aws::ec2::SubnetId;
use crate::aws::error::{During, found, not_found};
use crate::aws::property::{self, problem};
use crate::aws::rds::SubnetGroupName;
use crate::aws::rds::calls::{self, sdk_tags, sent_once};
use crate::aws::scope::Scope;
use crate::aws::wait::{until_deleted, until_seen};
use crate::aws::{Arn, AwsClients, AwsConnection, durations, names, tags};

/// The subnets in which DB instances may stand, in two availability zones at least.
#[derive(Clone, Default, Inputs)]
pub struct SubnetGroup {
    /// Its name, in lower case.
    #[input(required, replace, name = 255)]
    pub name: Input<String>,
    /// What it is for.
    #[input(required)]
    pub description: Input<String>,
    /// The subnets, all of one VPC.
    #[input(required, set)]
    pub subnet_ids: Input<Vec<SubnetId>>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What a DB subnet group gives.
#[derive(Clone, Outputs)]
pub struct SubnetGroupOutputs {
    /// Its name.
    pub name: Output<SubnetGroupName>,
    /// Its ARN.
    pub arn: Output<Arn>,
}

fn arn(connection: &AwsConnection, name: &str) -> Arn {
    calls::arn(connection, "subgrp", name)
}

fn outputs(connection: &AwsConnection, name: &str) -> SubnetGroupOutputs {
    SubnetGroupOutputs { name: SubnetGroupName::new(name).into(), arn: arn(connection, name).into() }
}

fn subnets(group: &DbSubnetGroup) -> Vec<SubnetId> {
    let mut ids: Vec<SubnetId> =
        group.subnets().iter().filter_map(|subnet| subnet.subnet_identifier()).map(SubnetId::new).collect();
    ids.sort();
    ids
}

async fn get(rds: &Client, name: &str) -> Result<Option<DbSubnetGroup>, ProviderError> {
    let answer = rds.describe_db_subnet_groups().db_subnet_group_name(name).send().await;
    let groups = found(answer.during("DescribeDBSubnetGroups"))?.and_then(|answer| answer.db_subnet_groups);
    let is_it = |group: &DbSubnetGroup| group.db_subnet_group_name() == Some(name);
    Ok(groups.unwrap_or_default().into_iter().find(is_it))
}

async fn require(rds: &Client, name: &str) -> Result<DbSubnetGroup, ProviderError> {
    let absent = || not_found(format!("the DB subnet group {name} does not exist"));
    get(rds, name).await?.ok_or_else(absent)
}

impl SubnetGroup {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<SubnetGroupOutputs, ProviderError> {
        let group = until_seen(step, Self::CONSISTENCY_WINDOW, || require(&client.rds, id.as_str())).await?;
        let arn = arn(&client.connection, id.as_str());
        let actual = until_seen(step, Self::CONSISTENCY_WINDOW, || async {
            let absent = || not_found(format!("the DB subnet group {id} has no tags yet"));
            calls::tags(&client.rds, &arn).await?.ok_or_else(absent)
        })
        .await?;
        let changes = tags::changes(step, scope, self, |inputs| &inputs.tags, &actual);
        calls::change_tags(&client.rds, &arn, changes).await?;
        self.converge_subnets(client, &group, id, scope).await?;
        Ok(outputs(&client.connection, id.as_str()))
    }

    /// One call has both: it must always be told the subnets.
    async fn converge_subnets(
        &self,
        client: &AwsClients,
        group: &DbSubnetGroup,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<(), ProviderError> {
        let as_set = |ids: &[SubnetId]| ids.iter().cloned().collect::<BTreeSet<SubnetId>>();
        let description = self.description.get();
        let ids = self.subnet_ids.get().unwrap_or_default();
        let is_change = scope.is_change("description") || scope.is_change("subnet_ids");
        let is_there = group.db_subnet_group_description() == description.as_deref()
            && as_set(&subnets(group)) == as_set(&ids);
        if is_there && !is_change {
            return Ok(());
        }
        let request = client.rds.modify_db_subnet_group().db_subnet_group_name(id.as_str());
        let request = request
            .set_db_subnet_group_description(description)
            .set_subnet_ids(Some(ids.into_iter().map(String::from).collect()));
        request.send().await.during("ModifyDBSubnetGroup").map(|_| ())
    }
}

#[async_trait]
impl ResourceType for SubnetGroup {
    const TYPE: &'static str = "aws:rds:SubnetGroup";
    const ID_FORM: &'static str = "its name";
    const SERVICE: &'static str = "rds";
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = SubnetGroupOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        problems.extend(names::check("name", self.name.get(), 255));
        if self.name.get().as_deref() == Some("default") {
            problems.push(problem("name", "AWS keeps the name `default` for itself"));
        }
        if self.subnet_ids.get().is_some_and(|ids| ids.len() < 2) {
            problems.push(problem("subnet_ids", "at least two subnets, in two availability zones"));
        }
        problems
    }

    fn predict(&self, connection: &Value) -> SubnetGroupOutputs {
        match (self.name.get(), AwsConnection::read(connection)) {
            (Some(name), Ok(connection)) => outputs(&connection, &name),
            _ => SubnetGroupOutputs::unknown(),
        }
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let name = self.name.get().unwrap_or_default();
        let ids = self.subnet_ids.get().unwrap_or_default();
        client
            .rds
            .create_db_subnet_group()
            .db_subnet_group_name(&name)
            .set_db_subnet_group_description(self.description.get())
            .set_subnet_ids(Some(ids.into_iter().map(String::from).collect()))
            .set_tags(Some(sdk_tags(&tags::of_creation(step, &self.tags))))
            .customize()
            .config_override(sent_once())
            .send()
            .await
            .during("CreateDBSubnetGroup")?;
        Ok(PhysicalId::new(name))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<SubnetGroupOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let pages = client.rds.describe_db_subnet_groups().into_paginator().items().send();
        let groups: Vec<DbSubnetGroup> = pages.try_collect().await.during("DescribeDBSubnetGroups")?;
        let mut observed = Vec::with_capacity(objects.len());
        for object in objects {
            let id = object.id.as_str();
            let Some(group) = groups.iter().find(|group| group.db_subnet_group_name() == Some(id)) else {
                observed.push(None);
                continue;
            };
            let tags = calls::tags(&client.rds, &arn(&client.connection, id)).await?;
            let inputs = Self {
                name: id.into(),
                description: property::observed(group.db_subnet_group_description().map(str::to_owned)),
                subnet_ids: subnets(group).into(),
                tags: property::observed(tags.map(|tags| tags::observed(&tags))),
            };
            observed.push(Some(Observed { inputs, outputs: outputs(&client.connection, id) }));
        }
        Ok(observed)
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<SubnetGroupOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let arn = arn(&client.connection, id.as_str());
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            require(&client.rds, id.as_str()).await?;
            let absent = || not_found(format!("the DB subnet group {id} has no tags yet"));
            let actual = calls::tags(&client.rds, &arn).await?.ok_or_else(absent)?;
            tags::require_lineage(step, &format!("the DB subnet group {id}"), &actual)?;
            let request = client.rds.delete_db_subnet_group().db_subnet_group_name(id.as_str());
            request.send().await.during("DeleteDBSubnetGroup").map(|_| ())
        })
        .await
    }

    /// A group of that name is ours if its tags say so: a name alone proves nothing.
    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let Some(name) = self.name.get() else { return Ok(None) };
        let actual = calls::tags(&client.rds, &arn(&client.connection, &name)).await?;
        let owned = actual.is_some_and(|tags| tags::are_owned(step, &tags));
        Ok(owned.then(|| Found { id: PhysicalId::new(name), failed: None }))
    }
}
