//! Route tables.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RouteTable.html>

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Filter, ResourceType as TagTarget, RouteTable as SdkRouteTable, Tag};
use lsinfra_engine::provider::{Changes, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext};

use crate::aws::ec2::object::{self, Ec2Object};
use crate::aws::ec2::{RouteTableId, VpcId};
use crate::aws::error::During;
use crate::aws::scope::Scope;
use crate::aws::wait::until_deleted;
use crate::aws::{Arn, AwsClients, durations, property, tags};

/// A route table. Its routes and the subnets that use it are resources of their own.
#[derive(Clone, Default, Inputs)]
pub struct RouteTable {
    /// The VPC.
    #[input(required, replace)]
    pub vpc_id: Input<VpcId>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What a route table gives.
#[derive(Clone, Outputs)]
pub struct RouteTableOutputs {
    /// Its id.
    pub id: Output<RouteTableId>,
    /// Its ARN.
    pub arn: Output<Arn>,
}

impl Ec2Object for SdkRouteTable {
    const NAME: &'static str = "route table";
    const ID_FILTER: &'static str = "route-table-id";

    async fn describe(ec2: &Client, filters: Vec<Filter>) -> Result<Vec<Self>, ProviderError> {
        let pages = ec2.describe_route_tables().set_filters(Some(filters)).into_paginator().items().send();
        pages.try_collect().await.during("DescribeRouteTables")
    }

    fn id(&self) -> &str {
        self.route_table_id().unwrap_or_default()
    }

    fn tags(&self) -> &[Tag] {
        self.tags()
    }
}

impl RouteTable {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<RouteTableOutputs, ProviderError> {
        let table: SdkRouteTable =
            object::tagged(&client.ec2, step, scope, self, |inputs| &inputs.tags, id).await?;
        Ok(outputs(client, &table))
    }
}

fn outputs(client: &AwsClients, table: &SdkRouteTable) -> RouteTableOutputs {
    RouteTableOutputs {
        id: RouteTableId::new(table.id()).into(),
        arn: client.connection.arn("ec2", &format!("route-table/{}", table.id())).into(),
    }
}

#[async_trait]
impl ResourceType for RouteTable {
    const TYPE: &'static str = "aws:ec2:RouteTable";
    const SERVICE: &'static str = "ec2";
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = RouteTableOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        tags::check(&self.tags)
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let answer = client
            .ec2
            .create_route_table()
            .set_vpc_id(self.vpc_id.get().map(String::from))
            .tag_specifications(object::tag_specification(TagTarget::RouteTable, step, &self.tags))
            .customize()
            .config_override(object::sent_once())
            .send()
            .await
            .during("CreateRouteTable")?;
        object::created("CreateRouteTable", answer.route_table().and_then(SdkRouteTable::route_table_id))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<RouteTableOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let ids = objects.iter().map(|object| &object.id);
        let tables = object::by_ids::<SdkRouteTable>(&client.ec2, ids).await?;
        let observe = |object: &Existing<Self>| {
            let table = tables.get(object.id.as_str())?;
            let inputs = Self {
                vpc_id: property::observed(table.vpc_id().map(VpcId::new)),
                tags: object::observed_tags(table),
            };
            Some(Observed { inputs, outputs: outputs(client, table) })
        };
        Ok(objects.iter().map(observe).collect())
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<RouteTableOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let request = client.ec2.delete_route_table().route_table_id(id.as_str());
            request.send().await.during("DeleteRouteTable").map(|_| ())
        })
        .await
    }

    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        object::find::<SdkRouteTable>(&client.ec2, step).await
    }
}
