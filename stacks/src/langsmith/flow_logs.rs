//! Flow logs: who talked to whom, in prod.

use lsinfra_engine::{Output, Stack};
use lsinfra_resources::aws::ec2::{FlowLog, LogDestinationType, TrafficType, VpcId};
use lsinfra_resources::aws::logs::LogGroup;

use super::{Environment, StackError, identity};
use crate::naming::NameLimit;

/// How long traffic is summed up before it is recorded: what costs least.
const AGGREGATION_SECONDS: i32 = 600;

pub(super) fn declare(
    stack: &Stack,
    identity_stack: &Stack,
    environment: &Environment<'_>,
    vpc_id: &Output<VpcId>,
) -> Result<(), StackError> {
    let role = "flow-logs";
    let group = stack.add(
        role,
        LogGroup {
            name: environment.names.name(role, NameLimit::LOG_GROUP).into(),
            retention_days: environment.log_retention_days().into(),
            tags: environment.tags(role).into(),
            ..LogGroup::default()
        },
    )?;
    let role_arn = identity::flow_logs_role(identity_stack, environment, &group.arn)?;
    stack.add(
        role,
        FlowLog {
            vpc_id: vpc_id.into(),
            traffic_type: TrafficType::All.into(),
            log_destination_type: LogDestinationType::CloudWatchLogs.into(),
            log_destination: group.arn.clone().into(),
            deliver_logs_permission_arn: role_arn.into(),
            max_aggregation_interval_seconds: AGGREGATION_SECONDS.into(),
            tags: environment.tags(role).into(),
        },
    )?;
    Ok(())
}
