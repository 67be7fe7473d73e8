//! VPC endpoints.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcEndpoint.html>

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{
    Filter, ResourceType as TagTarget, Tag, VpcEndpoint as SdkEndpoint, VpcEndpointType as SdkType,
};
use lsinfra_engine::provider::{Changes, ErrorKind, Existing, Found, Observed, PollInterval, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, Property, ResourceType, StepContext,
};
use serde::{Deserialize, Serialize};

use crate::aws::ec2::object::{self, Ec2Object, Lifecycle, filter};
use crate::aws::ec2::{RouteTableId, SecurityGroupId, SubnetId, VpcEndpointId, VpcId};
use crate::aws::error::{During, found, refused};
use crate::aws::policy::{self, PolicyDocument};
use crate::aws::property::{self, problem};
use crate::aws::scope::Scope;
use crate::aws::wait::{MINUTES, until_deleted};
use crate::aws::{Arn, AwsClients, durations, tags};

/// A VPC endpoint: the way to a service of AWS that does not leave the VPC.
#[derive(Clone, Default, Inputs)]
pub struct VpcEndpoint {
    /// The VPC.
    #[input(required, replace)]
    pub vpc_id: Input<VpcId>,
    /// The service, such as `com.amazonaws.us-west-2.s3`.
    #[input(required, replace)]
    pub service_name: Input<String>,
    /// How the service is reached.
    #[input(required, replace)]
    pub endpoint_type: Input<VpcEndpointType>,
    /// The tables that get routes to a gateway endpoint.
    #[input(set)]
    pub route_table_ids: Input<Vec<RouteTableId>>,
    /// The subnets in which an interface endpoint has its network interfaces.
    #[input(set)]
    pub subnet_ids: Input<Vec<SubnetId>>,
    /// The security groups of an interface endpoint.
    #[input(set, computed)]
    pub security_group_ids: Input<Vec<SecurityGroupId>>,
    /// Whether the service's public names resolve to an interface endpoint inside the VPC. AWS's pages do not agree on
    /// what it is by itself.
    #[input(computed)]
    pub private_dns_enabled: Input<bool>,
    /// What may be done through it; by default everything.
    pub policy: Input<PolicyDocument>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// How the service behind an endpoint is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "snake_case")]
pub enum VpcEndpointType {
    /// Through routes: S3 and DynamoDB.
    Gateway,
    /// Through network interfaces.
    Interface,
}

/// What a VPC endpoint gives, once it is available.
#[derive(Clone, Outputs)]
pub struct VpcEndpointOutputs {
    /// Its id.
    pub id: Output<VpcEndpointId>,
    /// Its ARN.
    pub arn: Output<Arn>,
}

impl Ec2Object for SdkEndpoint {
    const NAME: &'static str = "VPC endpoint";
    const ID_FILTER: &'static str = "vpc-endpoint-id";
    const POLL: PollInterval = MINUTES;

    async fn describe(ec2: &Client, filters: Vec<Filter>) -> Result<Vec<Self>, ProviderError> {
        let pages = ec2.describe_vpc_endpoints().set_filters(Some(filters)).into_paginator().items().send();
        pages.try_collect().await.during("DescribeVpcEndpoints")
    }

    /// Asks by id first: emulators do not know the filter. AWS refuses the whole question if one of
    /// the ids is not there.
    async fn describe_ids(ec2: &Client, ids: &[&str]) -> Result<Vec<Self>, ProviderError> {
        let wanted = ids.iter().map(|id| (*id).to_owned()).collect();
        let pages = ec2.describe_vpc_endpoints().set_vpc_endpoint_ids(Some(wanted)).into_paginator();
        match found(pages.items().send().try_collect().await.during("DescribeVpcEndpoints"))? {
            Some(endpoints) => Ok(endpoints),
            None if ids.len() == 1 => Ok(Vec::new()),
            None => Self::describe(ec2, vec![filter(Self::ID_FILTER, ids.iter().copied())]).await,
        }
    }

    fn id(&self) -> &str {
        self.vpc_endpoint_id().unwrap_or_default()
    }

    fn tags(&self) -> &[Tag] {
        self.tags()
    }

    fn lifecycle(&self) -> Lifecycle {
        // AWS writes the states in lower case, the API's model with capitals.
        match self.state().map(|state| state.as_str().to_ascii_lowercase()).as_deref() {
            Some("pending" | "pendingacceptance") => Lifecycle::Pending,
            Some(state @ ("failed" | "rejected" | "expired")) => {
                let text = self.last_error().and_then(|error| error.message()).or(self.failure_reason());
                let text = text.unwrap_or("AWS gives no reason");
                Lifecycle::Failed(format!("the VPC endpoint {} is {state}: {text}", self.id()))
            }
            Some("deleting") => Lifecycle::Deleting,
            Some("deleted") => Lifecycle::Deleted,
            _ => Lifecycle::Ready,
        }
    }
}

/// What has to be added to and removed from a set.
struct SetChange {
    add: Option<Vec<String>>,
    remove: Option<Vec<String>>,
}

impl SetChange {
    fn new<T: Into<String>>(wanted: Option<Vec<T>>, actual: Vec<String>) -> Self {
        let Some(wanted) = wanted else { return Self { add: None, remove: None } };
        let wanted: BTreeSet<String> = wanted.into_iter().map(Into::into).collect();
        let actual: BTreeSet<String> = actual.into_iter().collect();
        let part = |left: &BTreeSet<String>, right: &BTreeSet<String>| {
            let part: Vec<String> = left.difference(right).cloned().collect();
            (!part.is_empty()).then_some(part)
        };
        Self { add: part(&wanted, &actual), remove: part(&actual, &wanted) }
    }

    fn is_empty(&self) -> bool {
        self.add.is_none() && self.remove.is_none()
    }
}

fn group_ids(endpoint: &SdkEndpoint) -> impl Iterator<Item = &str> {
    endpoint.groups().iter().filter_map(|group| group.group_id())
}

fn policy_of(endpoint: &SdkEndpoint) -> Result<Option<PolicyDocument>, ProviderError> {
    endpoint.policy_document().map(PolicyDocument::from_json).transpose()
}

impl VpcEndpoint {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<VpcEndpointOutputs, ProviderError> {
        let ec2 = &client.ec2;
        let endpoint: SdkEndpoint = object::tagged(ec2, step, scope, self, |inputs| &inputs.tags, id).await?;
        if self.modify(ec2, scope, &endpoint).await? {
            object::ready::<SdkEndpoint>(ec2, step, Self::CONSISTENCY_WINDOW, id).await?;
        }
        Ok(outputs(client, &endpoint))
    }

    /// Sends what differs in one call, if anything does.
    async fn modify(
        &self,
        ec2: &Client,
        scope: Scope<'_, Self>,
        endpoint: &SdkEndpoint,
    ) -> Result<bool, ProviderError> {
        let tables = SetChange::new(
            scope.wanted("route_table_ids", &self.route_table_ids, Vec::new()),
            endpoint.route_table_ids().to_vec(),
        );
        let subnets = SetChange::new(
            scope.wanted("subnet_ids", &self.subnet_ids, Vec::new()),
            endpoint.subnet_ids().to_vec(),
        );
        let groups = SetChange::new(
            // Without groups AWS takes the default one of the VPC, and keeps it.
            scope.wanted_or_reset("security_group_ids", &self.security_group_ids).flatten(),
            group_ids(endpoint).map(str::to_owned).collect(),
        );
        let private_dns = scope.wanted_or_reset("private_dns_enabled", &self.private_dns_enabled).flatten();
        let private_dns = private_dns.filter(|wanted| {
            scope.is_change("private_dns_enabled") || Some(*wanted) != endpoint.private_dns_enabled()
        });
        let policy = self.changed_policy(scope, endpoint)?;
        let unchanged = tables.is_empty() && subnets.is_empty() && groups.is_empty();
        if unchanged && private_dns.is_none() && policy == PolicyChange::None {
            return Ok(false);
        }
        let request = ec2
            .modify_vpc_endpoint()
            .vpc_endpoint_id(endpoint.id())
            .set_add_route_table_ids(tables.add.clone())
            .set_remove_route_table_ids(tables.remove.clone())
            .set_add_subnet_ids(subnets.add.clone())
            .set_remove_subnet_ids(subnets.remove.clone())
            .set_add_security_group_ids(groups.add.clone())
            .set_remove_security_group_ids(groups.remove.clone())
            .set_private_dns_enabled(private_dns);
        let request = match &policy {
            PolicyChange::None => request,
            PolicyChange::Reset => request.reset_policy(true),
            PolicyChange::To(policy) => request.policy_document(policy.to_json()),
        };
        request.send().await.during("ModifyVpcEndpoint").map_err(|error| match error.kind {
            // The effect of the same call, whose answer was lost: it is worked out anew.
            ErrorKind::AlreadyExists => ProviderError { kind: ErrorKind::Conflict, ..error },
            _ => error,
        })?;
        Ok(true)
    }

    fn changed_policy(
        &self,
        scope: Scope<'_, Self>,
        endpoint: &SdkEndpoint,
    ) -> Result<PolicyChange, ProviderError> {
        let Some(wanted) = scope.wanted_or_reset("policy", &self.policy) else {
            return Ok(PolicyChange::None);
        };
        let Some(wanted) = wanted else { return Ok(PolicyChange::Reset) };
        let is_there = !scope.is_change("policy")
            && policy_of(endpoint)?.is_some_and(|actual| actual.is_equivalent(&wanted));
        Ok(if is_there { PolicyChange::None } else { PolicyChange::To(wanted) })
    }
}

/// What becomes of an endpoint's policy.
#[derive(PartialEq)]
enum PolicyChange {
    None,
    Reset,
    To(PolicyDocument),
}

fn outputs(client: &AwsClients, endpoint: &SdkEndpoint) -> VpcEndpointOutputs {
    VpcEndpointOutputs {
        id: VpcEndpointId::new(endpoint.id()).into(),
        arn: client.connection.arn("ec2", &format!("vpc-endpoint/{}", endpoint.id())).into(),
    }
}

fn texts<T: Property + Into<String>>(input: &Input<Vec<T>>) -> Option<Vec<String>> {
    input.get().map(|items| items.into_iter().map(Into::into).collect())
}

#[async_trait]
impl ResourceType for VpcEndpoint {
    const TYPE: &'static str = "aws:ec2:VpcEndpoint";
    const SERVICE: &'static str = "ec2";
    const CLIENT_TOKEN: bool = true;
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = VpcEndpointOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        let of_interfaces = [
            ("subnet_ids", self.subnet_ids.is_given()),
            ("security_group_ids", self.security_group_ids.is_given()),
            ("private_dns_enabled", self.private_dns_enabled.is_given()),
        ];
        match self.endpoint_type.get() {
            Some(VpcEndpointType::Gateway) => {
                let given = of_interfaces.into_iter().filter(|(_, given)| *given);
                problems.extend(given.map(|(path, _)| problem(path, "a gateway endpoint has no interfaces")));
            }
            Some(VpcEndpointType::Interface) if self.route_table_ids.is_given() => {
                problems.push(problem("route_table_ids", "an interface endpoint has no routes"));
            }
            _ => {}
        }
        problems
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let answer = client
            .ec2
            .create_vpc_endpoint()
            .client_token(&step.client_token)
            .set_vpc_id(self.vpc_id.get().map(String::from))
            .set_service_name(self.service_name.get())
            .set_vpc_endpoint_type(self.endpoint_type.get().map(|kind| match kind {
                VpcEndpointType::Gateway => SdkType::Gateway,
                VpcEndpointType::Interface => SdkType::Interface,
            }))
            .set_route_table_ids(texts(&self.route_table_ids))
            .set_subnet_ids(texts(&self.subnet_ids))
            .set_security_group_ids(texts(&self.security_group_ids))
            .set_private_dns_enabled(self.private_dns_enabled.get())
            .set_policy_document(self.policy.get().map(|policy| policy.to_json()))
            .tag_specifications(object::tag_specification(TagTarget::VpcEndpoint, step, &self.tags))
            .send()
            .await
            .during("CreateVpcEndpoint")?;
        object::created("CreateVpcEndpoint", answer.vpc_endpoint().and_then(SdkEndpoint::vpc_endpoint_id))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<VpcEndpointOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let ids = objects.iter().map(|object| &object.id);
        let endpoints = object::by_ids::<SdkEndpoint>(&client.ec2, ids).await?;
        let observe = |object: &Existing<Self>| {
            let Some(endpoint) = endpoints.get(object.id.as_str()) else { return Ok(None) };
            let endpoint_type = match endpoint.vpc_endpoint_type() {
                Some(SdkType::Gateway) => Some(VpcEndpointType::Gateway),
                Some(SdkType::Interface) => Some(VpcEndpointType::Interface),
                _ => None,
            };
            let inputs = Self {
                vpc_id: property::observed(endpoint.vpc_id().map(VpcId::new)),
                service_name: property::observed(endpoint.service_name().map(str::to_owned)),
                endpoint_type: property::observed(endpoint_type),
                route_table_ids: list(endpoint.route_table_ids().iter().map(RouteTableId::new)),
                subnet_ids: list(endpoint.subnet_ids().iter().map(SubnetId::new)),
                security_group_ids: list(group_ids(endpoint).map(SecurityGroupId::new)),
                private_dns_enabled: property::observed(endpoint.private_dns_enabled()),
                policy: policy::observed(&object.inputs.policy, policy_of(endpoint)?),
                tags: object::observed_tags(endpoint),
            };
            Ok(Some(Observed { inputs, outputs: outputs(client, endpoint) }))
        };
        objects.iter().map(observe).collect()
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<VpcEndpointOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let request = client.ec2.delete_vpc_endpoints().vpc_endpoint_ids(id.as_str());
            let answer = request.send().await.during("DeleteVpcEndpoints")?;
            // The call succeeds even if it deletes nothing: the answer says what it refused.
            match answer.unsuccessful().iter().find_map(|item| item.error()) {
                None => Ok(()),
                Some(error) => {
                    let (code, text) =
                        (error.code().unwrap_or_default(), error.message().unwrap_or_default());
                    Err(refused("DeleteVpcEndpoints", code, text))
                }
            }
        })
        .await?;
        object::gone::<SdkEndpoint>(&client.ec2, step, id).await
    }

    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        object::find::<SdkEndpoint>(&client.ec2, step).await
    }
}

fn list<T: Property>(items: impl Iterator<Item = T>) -> Input<Vec<T>> {
    items.collect::<Vec<T>>().into()
}
