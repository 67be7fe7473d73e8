//! Flow logs.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_FlowLog.html>

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{
    Filter, FlowLog as SdkFlowLog, FlowLogsResourceType, LogDestinationType as SdkDestinationType,
    ResourceType as TagTarget, Tag, TrafficType as SdkTrafficType,
};
use lsinfra_engine::provider::{Changes, ErrorKind, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, Property, ResourceType, StepContext,
};
use serde::{Deserialize, Serialize};

use crate::aws::ec2::object::{self, Ec2Object};
use crate::aws::ec2::{FlowLogId, VpcId};
use crate::aws::error::{During, refused};
use crate::aws::property::{self, problem};
use crate::aws::scope::Scope;
use crate::aws::wait::until_deleted;
use crate::aws::{Arn, AwsClients, durations, tags};

/// A flow log: records of the traffic of a VPC.
#[derive(Clone, Default, Inputs)]
pub struct FlowLog {
    /// The VPC.
    #[input(required, replace)]
    pub vpc_id: Input<VpcId>,
    /// Which traffic is recorded.
    #[input(required, replace)]
    pub traffic_type: Input<TrafficType>,
    /// What kind of place the records go to.
    #[input(required, replace)]
    pub log_destination_type: Input<LogDestinationType>,
    /// The log group, or the bucket with or without a folder.
    #[input(required, replace)]
    pub log_destination: Input<Arn>,
    /// The role by which records are written to a log group; of a bucket, its policy decides.
    #[input(replace)]
    pub deliver_logs_permission_arn: Input<Arn>,
    /// How long traffic is summed up before it is recorded: 60 or 600.
    #[input(replace, computed)]
    pub max_aggregation_interval_seconds: Input<i32>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// Which traffic is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "snake_case")]
pub enum TrafficType {
    /// What security groups and network ACLs let through.
    Accept,
    /// What they do not.
    Reject,
    /// Both.
    All,
}

/// What kind of place records go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "kebab-case")]
pub enum LogDestinationType {
    /// A log group.
    CloudWatchLogs,
    /// A bucket.
    S3,
}

/// What a flow log gives.
#[derive(Clone, Outputs)]
pub struct FlowLogOutputs {
    /// Its id.
    pub id: Output<FlowLogId>,
    /// Its ARN.
    pub arn: Output<Arn>,
}

impl Ec2Object for SdkFlowLog {
    const NAME: &'static str = "flow log";
    const ID_FILTER: &'static str = "flow-log-id";

    async fn describe(ec2: &Client, filters: Vec<Filter>) -> Result<Vec<Self>, ProviderError> {
        let pages = ec2.describe_flow_logs().set_filter(Some(filters)).into_paginator().items().send();
        pages.try_collect().await.during("DescribeFlowLogs")
    }

    /// By ids, which emulators know better than the filter; those that are not there are left out.
    async fn describe_ids(ec2: &Client, ids: &[&str]) -> Result<Vec<Self>, ProviderError> {
        let wanted = ids.iter().map(|id| (*id).to_owned()).collect();
        let pages = ec2.describe_flow_logs().set_flow_log_ids(Some(wanted)).into_paginator().items().send();
        pages.try_collect().await.during("DescribeFlowLogs")
    }

    fn id(&self) -> &str {
        self.flow_log_id().unwrap_or_default()
    }

    fn tags(&self) -> &[Tag] {
        self.tags()
    }
}

/// Where records go: AWS shows a log group by its name alone if it was given so.
fn destination(client: &AwsClients, log: &SdkFlowLog) -> Option<Arn> {
    let group =
        || log.log_group_name().map(|name| client.connection.arn("logs", &format!("log-group:{name}")));
    log.log_destination().filter(|arn| !arn.is_empty()).map(Arn::new).or_else(group)
}

fn outputs(client: &AwsClients, log: &SdkFlowLog) -> FlowLogOutputs {
    FlowLogOutputs {
        id: FlowLogId::new(log.id()).into(),
        arn: client.connection.arn("ec2", &format!("vpc-flow-log/{}", log.id())).into(),
    }
}

impl FlowLog {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<FlowLogOutputs, ProviderError> {
        let log: SdkFlowLog =
            object::tagged(&client.ec2, step, scope, self, |inputs| &inputs.tags, id).await?;
        Ok(outputs(client, &log))
    }

    fn observe(client: &AwsClients, log: &SdkFlowLog) -> Self {
        let traffic_type = match log.traffic_type() {
            Some(SdkTrafficType::Accept) => Some(TrafficType::Accept),
            Some(SdkTrafficType::Reject) => Some(TrafficType::Reject),
            Some(SdkTrafficType::All) => Some(TrafficType::All),
            _ => None,
        };
        let destination_type = match log.log_destination_type() {
            Some(SdkDestinationType::CloudWatchLogs) => Some(LogDestinationType::CloudWatchLogs),
            Some(SdkDestinationType::S3) => Some(LogDestinationType::S3),
            _ => None,
        };
        Self {
            vpc_id: property::observed(log.resource_id().map(VpcId::new)),
            traffic_type: property::observed(traffic_type),
            log_destination_type: property::observed(destination_type),
            log_destination: property::observed(destination(client, log)),
            deliver_logs_permission_arn: property::observed_or_absent(
                log.deliver_logs_permission_arn().map(Arn::new),
            ),
            max_aggregation_interval_seconds: property::observed(log.max_aggregation_interval()),
            tags: object::observed_tags(log),
        }
    }
}

#[async_trait]
impl ResourceType for FlowLog {
    const TYPE: &'static str = "aws:ec2:FlowLog";
    const SERVICE: &'static str = "ec2";
    const CLIENT_TOKEN: bool = true;
    // AWS refuses a second one with the same destination.
    const SINGLETON: bool = true;
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = FlowLogOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        let has_role = self.deliver_logs_permission_arn.is_given();
        let message = match self.log_destination_type.get() {
            Some(LogDestinationType::CloudWatchLogs) if !has_role => {
                Some("a log group is written to by a role")
            }
            Some(LogDestinationType::S3) if has_role => Some("a bucket is written to without a role"),
            _ => None,
        };
        problems.extend(message.map(|message| problem("deliver_logs_permission_arn", message)));
        if self.max_aggregation_interval_seconds.get().is_some_and(|seconds| ![60, 600].contains(&seconds)) {
            problems.push(problem("max_aggregation_interval_seconds", "60 or 600 seconds"));
        }
        problems
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let answer = client
            .ec2
            .create_flow_logs()
            .client_token(&step.client_token)
            .resource_type(FlowLogsResourceType::Vpc)
            .set_resource_ids(self.vpc_id.get().map(|id| vec![String::from(id)]))
            .set_traffic_type(self.traffic_type.get().map(|kind| match kind {
                TrafficType::Accept => SdkTrafficType::Accept,
                TrafficType::Reject => SdkTrafficType::Reject,
                TrafficType::All => SdkTrafficType::All,
            }))
            .set_log_destination_type(self.log_destination_type.get().map(|kind| match kind {
                LogDestinationType::CloudWatchLogs => SdkDestinationType::CloudWatchLogs,
                LogDestinationType::S3 => SdkDestinationType::S3,
            }))
            .set_log_destination(self.log_destination.get().map(String::from))
            .set_deliver_logs_permission_arn(self.deliver_logs_permission_arn.get().map(String::from))
            .set_max_aggregation_interval(self.max_aggregation_interval_seconds.get())
            .tag_specifications(object::tag_specification(TagTarget::VpcFlowLog, step, &self.tags))
            .send()
            .await
            .during("CreateFlowLogs")?;
        // The call succeeds even if it creates nothing: the answer says what it refused.
        if let Some(error) = answer.unsuccessful().iter().find_map(|item| item.error()) {
            let text = error.message().unwrap_or_default();
            let error = refused("CreateFlowLogs", error.code().unwrap_or_default(), text);
            // A role that was created a moment ago is not yet known to the service that assumes it.
            let is_new = text.contains("Unable to assume given IAM role");
            return Err(if is_new { ProviderError { kind: ErrorKind::NotFound, ..error } } else { error });
        }
        object::created("CreateFlowLogs", answer.flow_log_ids().first().map(String::as_str))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<FlowLogOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let ids = objects.iter().map(|object| &object.id);
        let logs = object::by_ids::<SdkFlowLog>(&client.ec2, ids).await?;
        let observe = |object: &Existing<Self>| {
            let log = logs.get(object.id.as_str())?;
            Some(Observed { inputs: Self::observe(client, log), outputs: outputs(client, log) })
        };
        Ok(objects.iter().map(observe).collect())
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<FlowLogOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let request = client.ec2.delete_flow_logs().flow_log_ids(id.as_str());
            let answer = request.send().await.during("DeleteFlowLogs")?;
            match answer.unsuccessful().iter().find_map(|item| item.error()) {
                None => Ok(()),
                Some(error) => {
                    let (code, text) =
                        (error.code().unwrap_or_default(), error.message().unwrap_or_default());
                    Err(refused("DeleteFlowLogs", code, text))
                }
            }
        })
        .await?;
        object::gone::<SdkFlowLog>(&client.ec2, step, id).await
    }

    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        object::find::<SdkFlowLog>(&client.ec2, step).await
    }
}
