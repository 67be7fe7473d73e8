//! Which route table a subnet uses.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RouteTableAssociation.html>

use std::collections::BTreeMap;
use std::task::Poll;

use async_trait::async_trait;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{
    RouteTable as SdkRouteTable, RouteTableAssociation as SdkAssociation, RouteTableAssociationStateCode,
};
use lsinfra_engine::provider::{Changes, ErrorKind, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{Input, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext};

use crate::aws::durations;
use crate::aws::ec2::object::{self, Ec2Object, LIMIT_FILTER_VALUES, filter};
use crate::aws::ec2::{RouteTableAssociationId, RouteTableId, SubnetId};
use crate::aws::error::{During, found, not_found};
use crate::aws::wait::{SECONDS, until_deleted, until_seen};
use crate::aws::{AwsClients, property};

/// Makes a subnet use a route table instead of the VPC's main one.
///
/// A subnet has at most one association, and AWS gives it a new id whenever its table changes: so the
/// subnet's id is the id under which it is known here. It has no tags, and is taken for ours only
/// when its table is the declared one.
#[derive(Clone, Default, Inputs)]
pub struct RouteTableAssociation {
    /// The subnet.
    #[input(required, replace)]
    pub subnet_id: Input<SubnetId>,
    /// The table.
    #[input(required)]
    pub route_table_id: Input<RouteTableId>,
}

/// What an association gives.
#[derive(Clone, Outputs)]
pub struct RouteTableAssociationOutputs {
    /// Its id.
    #[output(volatile)]
    pub id: Output<RouteTableAssociationId>,
}

/// The associations of subnets, by subnet.
async fn by_subnets(
    ec2: &Client,
    subnets: impl IntoIterator<Item = &PhysicalId>,
) -> Result<BTreeMap<String, SdkAssociation>, ProviderError> {
    let subnets: Vec<&str> = subnets.into_iter().map(PhysicalId::as_str).collect();
    let mut associations = BTreeMap::new();
    for chunk in subnets.chunks(LIMIT_FILTER_VALUES) {
        let filters = vec![filter("association.subnet-id", chunk.iter().copied())];
        for table in SdkRouteTable::describe(ec2, filters).await? {
            for association in table.associations.unwrap_or_default() {
                let Some(subnet) = association.subnet_id().map(str::to_owned) else { continue };
                if chunk.contains(&subnet.as_str()) && is_there(&association) {
                    associations.insert(subnet, association);
                }
            }
        }
    }
    Ok(associations)
}

fn is_there(association: &SdkAssociation) -> bool {
    use RouteTableAssociationStateCode::{Disassociated, Disassociating};
    !matches!(state(association), Some(Disassociated | Disassociating))
}

fn state(association: &SdkAssociation) -> Option<&RouteTableAssociationStateCode> {
    association.association_state().and_then(|state| state.state())
}

fn outputs(association: &SdkAssociation) -> RouteTableAssociationOutputs {
    let id = association.route_table_association_id().map(RouteTableAssociationId::new);
    RouteTableAssociationOutputs { id: property::told(id) }
}

impl RouteTableAssociation {
    async fn require(ec2: &Client, id: &PhysicalId) -> Result<SdkAssociation, ProviderError> {
        let absent = || not_found(format!("the subnet {id} is associated with no route table"));
        by_subnets(ec2, [id]).await?.remove(id.as_str()).ok_or_else(absent)
    }

    /// Makes the subnet use the declared table. If the read of `association` was out of date, AWS does
    /// not find it, and the engine comes again.
    async fn replace(
        &self,
        ec2: &Client,
        step: &StepContext,
        id: &PhysicalId,
        association: SdkAssociation,
    ) -> Result<RouteTableAssociationOutputs, ProviderError> {
        let request = ec2
            .replace_route_table_association()
            .set_association_id(association.route_table_association_id)
            .set_route_table_id(self.route_table_id.get().map(String::from));
        let answer = request.send().await.during("ReplaceRouteTableAssociation")?;
        self.settled(ec2, step, id, answer.new_association_id).await
    }

    /// Waits until the association of this id is there and in force.
    async fn settled(
        &self,
        ec2: &Client,
        step: &StepContext,
        id: &PhysicalId,
        association_id: Option<String>,
    ) -> Result<RouteTableAssociationOutputs, ProviderError> {
        step.poll(SECONDS, || async {
            let association = found(Self::require(ec2, id).await)?
                .filter(|association| association.route_table_association_id == association_id);
            let Some(association) = association else {
                return Ok((Poll::Pending, format!("{id} is not seen with its route table yet")));
            };
            match state(&association) {
                Some(RouteTableAssociationStateCode::Failed) => {
                    let text = association.association_state().and_then(|state| state.status_message());
                    let text = text.unwrap_or("AWS gives no reason");
                    let message = format!("the association of {id} with its route table failed: {text}");
                    Err(ProviderError::new(ErrorKind::CreationFailed, message))
                }
                Some(RouteTableAssociationStateCode::Associating) => {
                    Ok((Poll::Pending, format!("route table is being associated with {id}")))
                }
                _ => Ok((Poll::Ready(outputs(&association)), String::new())),
            }
        })
        .await
    }

    fn has_table_of(&self, association: &SdkAssociation) -> bool {
        self.route_table_id.get().map(String::from).as_deref() == association.route_table_id()
    }
}

#[async_trait]
impl ResourceType for RouteTableAssociation {
    const TYPE: &'static str = "aws:ec2:RouteTableAssociation";
    const ID_FORM: &'static str = "the id of its subnet: `subnet-0a1b`";
    const SERVICE: &'static str = "ec2";
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = RouteTableAssociationOutputs;
    type Client = AwsClients;

    async fn create(&self, client: &AwsClients, _step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let request = client
            .ec2
            .associate_route_table()
            .set_subnet_id(self.subnet_id.get().map(String::from))
            .set_route_table_id(self.route_table_id.get().map(String::from))
            .customize()
            .config_override(object::sent_once());
        request.send().await.during("AssociateRouteTable")?;
        object::created("AssociateRouteTable", self.subnet_id.get().as_ref().map(SubnetId::as_str))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<RouteTableAssociationOutputs, ProviderError> {
        let association =
            until_seen(step, Self::CONSISTENCY_WINDOW, || Self::require(&client.ec2, id)).await?;
        if self.has_table_of(&association) {
            self.settled(&client.ec2, step, id, association.route_table_association_id).await
        } else {
            self.replace(&client.ec2, step, id, association).await
        }
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let associations = by_subnets(&client.ec2, objects.iter().map(|object| &object.id)).await?;
        let observe = |object: &Existing<Self>| {
            let association = associations.get(object.id.as_str())?;
            let inputs = Self {
                subnet_id: SubnetId::new(object.id.as_str()).into(),
                route_table_id: property::observed(association.route_table_id().map(RouteTableId::new)),
            };
            Some(Observed { inputs, outputs: outputs(association) })
        };
        Ok(objects.iter().map(observe).collect())
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<RouteTableAssociationOutputs, ProviderError> {
        if changes.is_empty() {
            return self.complete(client, step, id).await;
        }
        let association =
            until_seen(step, Self::CONSISTENCY_WINDOW, || Self::require(&client.ec2, id)).await?;
        self.replace(&client.ec2, step, id, association).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let association = Self::require(&client.ec2, id).await?.route_table_association_id;
            let request = client.ec2.disassociate_route_table().set_association_id(association);
            request.send().await.during("DisassociateRouteTable").map(|_| ())
        })
        .await
    }

    async fn find(&self, client: &AwsClients, _step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let Some(subnet) = self.subnet_id.get() else { return Ok(None) };
        let id = PhysicalId::new(subnet.as_str());
        let association = by_subnets(&client.ec2, [&id]).await?.remove(id.as_str());
        Ok(association
            .filter(|association| self.has_table_of(association))
            .map(|_| Found { id, failed: None }))
    }
}
