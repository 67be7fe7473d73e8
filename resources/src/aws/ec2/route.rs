//! Routes, one by one.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html>

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_ec2::types::{Route as SdkRoute, RouteTable as SdkRouteTable};
use ipnet::Ipv4Net;
use lsinfra_engine::provider::{Changes, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext, Value,
};

use crate::aws::AwsClients;
use crate::aws::durations;
use crate::aws::ec2::object;
use crate::aws::ec2::{InternetGatewayId, NatGatewayId, RouteTableId, cidr};
use crate::aws::error::{During, not_found};
use crate::aws::property::{self, problem};
use crate::aws::wait::{until_deleted, until_seen};

/// A route: where packets for a range of addresses are sent.
///
/// Exactly one of `gateway_id` and `nat_gateway_id` is given. A route has no tags: it is known by its
/// table and destination, and taken for ours only when its target is the declared one.
#[derive(Clone, Default, Inputs)]
pub struct Route {
    /// The table.
    #[input(required, replace)]
    pub route_table_id: Input<RouteTableId>,
    /// The addresses that it is for.
    #[input(required, replace)]
    pub destination_cidr_block: Input<Ipv4Net>,
    /// The target: an internet gateway.
    pub gateway_id: Input<InternetGatewayId>,
    /// The target: a NAT gateway.
    pub nat_gateway_id: Input<NatGatewayId>,
}

/// What a route gives.
#[derive(Clone, Outputs)]
pub struct RouteOutputs {
    /// The addresses that it is for.
    pub destination_cidr_block: Output<Ipv4Net>,
}

/// Joins table and destination to the id of a route: `rtb-…_0.0.0.0/0`.
fn route_id(table: &RouteTableId, destination: Ipv4Net) -> PhysicalId {
    PhysicalId::new(format!("{table}_{destination}"))
}

fn table_id(id: &PhysicalId) -> PhysicalId {
    PhysicalId::new(id.as_str().split('_').next().unwrap_or_default())
}

fn route_of<'a>(table: &'a SdkRouteTable, id: &PhysicalId) -> Option<&'a SdkRoute> {
    let (_, destination) = id.as_str().split_once('_')?;
    table.routes().iter().find(|route| route.destination_cidr_block() == Some(destination))
}

fn gateway(route: &SdkRoute) -> Option<InternetGatewayId> {
    route.gateway_id().filter(|id| id.starts_with("igw-")).map(InternetGatewayId::new)
}

fn nat_gateway(route: &SdkRoute) -> Option<NatGatewayId> {
    route.nat_gateway_id().map(NatGatewayId::new)
}

impl Route {
    fn has_target_of(&self, route: &SdkRoute) -> bool {
        self.gateway_id.get() == gateway(route) && self.nat_gateway_id.get() == nat_gateway(route)
    }

    fn id(&self) -> Option<PhysicalId> {
        Some(route_id(&self.route_table_id.get()?, self.destination_cidr_block.get()?))
    }

    async fn lookup(client: &AwsClients, id: &PhysicalId) -> Result<Option<SdkRoute>, ProviderError> {
        let table: Option<SdkRouteTable> = object::by_id(&client.ec2, &table_id(id)).await?;
        Ok(table.and_then(|table| route_of(&table, id).cloned()))
    }

    /// Sends the route to its target.
    async fn replace(&self, client: &AwsClients) -> Result<(), ProviderError> {
        let request = client
            .ec2
            .replace_route()
            .set_route_table_id(self.route_table_id.get().map(String::from))
            .set_destination_cidr_block(self.destination())
            .set_gateway_id(self.gateway_id.get().map(String::from))
            .set_nat_gateway_id(self.nat_gateway_id.get().map(String::from));
        request.send().await.during("ReplaceRoute").map(|_| ())
    }

    fn destination(&self) -> Option<String> {
        self.destination_cidr_block.get().map(|cidr| cidr.to_string())
    }
}

#[async_trait]
impl ResourceType for Route {
    const TYPE: &'static str = "aws:ec2:Route";
    const ID_FORM: &'static str =
        "the id of its table and its destination, joined by an underscore: `rtb-0a1b_0.0.0.0/0`";
    const SERVICE: &'static str = "ec2";
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = RouteOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = Vec::new();
        if self.gateway_id.is_given() == self.nat_gateway_id.is_given() {
            problems.push(problem("gateway_id", "give exactly one of gateway_id and nat_gateway_id"));
        }
        problems.extend(cidr::check_host_bits("destination_cidr_block", &self.destination_cidr_block));
        problems
    }

    fn predict(&self, _connection: &Value) -> RouteOutputs {
        RouteOutputs { destination_cidr_block: property::repeated(&self.destination_cidr_block) }
    }

    async fn create(&self, client: &AwsClients, _step: &StepContext) -> Result<PhysicalId, ProviderError> {
        client
            .ec2
            .create_route()
            .set_route_table_id(self.route_table_id.get().map(String::from))
            .set_destination_cidr_block(self.destination())
            .set_gateway_id(self.gateway_id.get().map(String::from))
            .set_nat_gateway_id(self.nat_gateway_id.get().map(String::from))
            .customize()
            .config_override(object::sent_once())
            .send()
            .await
            .during("CreateRoute")?;
        object::created("CreateRoute", self.id().as_ref().map(PhysicalId::as_str))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<RouteOutputs, ProviderError> {
        let route = until_seen(step, Self::CONSISTENCY_WINDOW, || async {
            let absent = || not_found(format!("the route {id} does not exist"));
            Self::lookup(client, id).await?.ok_or_else(absent)
        })
        .await?;
        if !self.has_target_of(&route) {
            self.replace(client).await?;
        }
        Ok(RouteOutputs { destination_cidr_block: property::repeated(&self.destination_cidr_block) })
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let table_ids: BTreeSet<PhysicalId> = objects.iter().map(|object| table_id(&object.id)).collect();
        let tables = object::by_ids::<SdkRouteTable>(&client.ec2, &table_ids).await?;
        let observe = |object: &Existing<Self>| {
            let table = tables.get(table_id(&object.id).as_str())?;
            let route = route_of(table, &object.id)?;
            let destination = cidr::parse(route.destination_cidr_block());
            let inputs = Self {
                route_table_id: property::observed(table.route_table_id().map(RouteTableId::new)),
                destination_cidr_block: property::observed(destination),
                gateway_id: property::observed_or_absent(gateway(route)),
                nat_gateway_id: property::observed_or_absent(nat_gateway(route)),
            };
            let outputs = RouteOutputs { destination_cidr_block: property::told(destination) };
            Some(Observed { inputs, outputs })
        };
        Ok(objects.iter().map(observe).collect())
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<RouteOutputs, ProviderError> {
        if changes.is_empty() {
            return self.complete(client, step, id).await;
        }
        self.replace(client).await?;
        Ok(RouteOutputs { destination_cidr_block: property::repeated(&self.destination_cidr_block) })
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        _id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let request = client
                .ec2
                .delete_route()
                .set_route_table_id(self.route_table_id.get().map(String::from))
                .set_destination_cidr_block(self.destination());
            request.send().await.during("DeleteRoute").map(|_| ())
        })
        .await
    }

    async fn find(&self, client: &AwsClients, _step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let Some(id) = self.id() else { return Ok(None) };
        let route = Self::lookup(client, &id).await?;
        Ok(route.filter(|route| self.has_target_of(route)).map(|_| Found { id, failed: None }))
    }
}
