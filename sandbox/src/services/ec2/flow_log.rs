//! Flow logs: records of the traffic of a VPC, a subnet or an interface.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html>

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use winterbaume_ec2_generated::model::{
    self, CreateFlowLogsResult, DeleteFlowLogsResult, DescribeFlowLogsResult, UnsuccessfulItem,
    UnsuccessfulItemError,
};
use winterbaume_ec2_generated::wire::{
    serialize_create_flow_logs_response, serialize_delete_flow_logs_response,
    serialize_describe_flow_logs_response,
};

use super::common::answers::{invalid_value, texts, time};
use super::common::query::Query;
use super::common::tags::Tags;
use super::common::{kinds, tags};
use crate::cloud::call::{Call, Reply};
use crate::cloud::table::Scope;
use crate::cloud::tokens::{TokenUse, once};
use crate::protocol::error::ServiceError;
use crate::protocol::params::Params;
use crate::protocol::response;
use crate::services::{Tables, iam, s3};

/// What AWS writes unless told otherwise.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html>
const DEFAULT_FORMAT: &str = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}";
const CLOUD_WATCH_LOGS: &str = "cloud-watch-logs";
const S3: &str = "s3";
const FILTERS: &[&str] = &[
    "deliver-log-status",
    "flow-log-id",
    "log-destination-type",
    "log-group-name",
    "resource-id",
    "traffic-type",
];

/// A flow log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FlowLog {
    resource_id: String,
    created_at: Timestamp,
    settings: Settings,
}

/// What a request asks for, whatever the resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Settings {
    traffic_type: String,
    destination_type: String,
    destination: Option<String>,
    log_group_name: Option<String>,
    role_arn: Option<String>,
    aggregation_seconds: i32,
}

impl Settings {
    fn read(params: &Params) -> Result<Self, ServiceError> {
        let text = |name: &str| params.text(name).map(str::to_owned);
        let traffic_type = params.required("TrafficType")?.to_owned();
        if !["ACCEPT", "ALL", "REJECT"].contains(&traffic_type.as_str()) {
            return Err(invalid_value(format!("Invalid value '{traffic_type}' for TrafficType.")));
        }
        let destination_type = params.text("LogDestinationType").unwrap_or(CLOUD_WATCH_LOGS);
        let (destination, group) = (text("LogDestination"), text("LogGroupName"));
        let role_arn = text("DeliverLogsPermissionArn");
        let log_group_name = match destination_type {
            CLOUD_WATCH_LOGS => {
                if role_arn.is_none() {
                    return Err(invalid(
                        "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.",
                    ));
                }
                // The group need not exist: delivery makes it.
                Some(group_name(destination.as_deref(), group)?)
            }
            S3 if group.is_some() => {
                return Err(invalid(
                    "LogDestination type must be cloud-watch-logs if LogGroupName is provided.",
                ));
            }
            S3 if destination.is_none() => {
                return Err(invalid("LogDestination can't be empty if LogGroupName is not provided."));
            }
            S3 => None,
            other => return Err(invalid_value(format!("Invalid value '{other}' for LogDestinationType."))),
        };
        let aggregation_seconds = params.parsed("MaxAggregationInterval")?.unwrap_or(600);
        if ![60, 600].contains(&aggregation_seconds) {
            return Err(invalid("Invalid Flow Log Max Aggregation Interval"));
        }
        let destination_type = destination_type.to_owned();
        Ok(Self {
            traffic_type,
            destination_type,
            destination,
            log_group_name,
            role_arn,
            aggregation_seconds,
        })
    }
}

/// The log group that is meant, by its name or by its ARN.
fn group_name(destination: Option<&str>, group: Option<String>) -> Result<String, ServiceError> {
    match (destination, group) {
        (None, Some(name)) => Ok(name),
        (Some(arn), None) => {
            let name = arn.split_once(":log-group:").map(|(_, name)| name.trim_end_matches(":*"));
            let name = name.filter(|name| arn.starts_with("arn:") && !name.is_empty());
            name.map(str::to_owned)
                .ok_or_else(|| invalid(&format!("LogDestination: {arn} is not a valid ARN.")))
        }
        (None, None) => Err(invalid("LogDestination can't be empty if LogGroupName is not provided.")),
        (Some(_), Some(_)) => {
            Err(invalid("Please only provide LogGroupName or only provide LogDestination."))
        }
    }
}

fn invalid(text: &str) -> ServiceError {
    ServiceError::new(400, "InvalidParameter", text)
}

pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let resource_ids: Vec<String> = params.list("ResourceId").into_iter().map(str::to_owned).collect();
    let resource_type = params.required("ResourceType")?;
    let settings = Settings::read(params)?;
    let client_token = params.text("ClientToken");
    let given = tags::at_creation(params, &kinds::FLOW_LOG)?;
    params.finish()?;
    if resource_ids.is_empty() {
        let text = "The request must contain the parameter ResourceId";
        return Err(ServiceError::new(400, "MissingParameter", text));
    }
    let token = TokenUse::of(params, "ec2:CreateFlowLogs");
    // One token stands for all flow logs of a call.
    let exists = |tables: &Tables, scope: &Scope, ids: &str| {
        ids.split(',').any(|id| tables.ec2.flow_logs.contains(scope, id))
    };
    let mut refused = Vec::new();
    let made = once(call, token, exists, |call| {
        let mut ids = Vec::new();
        for resource_id in resource_ids {
            check_resource(call, resource_type, &resource_id)?;
            check_is_new(call, &resource_id, &settings)?;
            match undeliverable(call, &settings) {
                Some((code, text)) => refused.push(unsuccessful(resource_id, code, text)),
                None => {
                    let id = call.identifiers.ec2(kinds::FLOW_LOG.prefix);
                    let row = FlowLog { resource_id, created_at: call.now, settings: settings.clone() };
                    call.tables.ec2.flow_logs.insert(&call.scope, &id, row);
                    tags::put(call, &id, given.clone());
                    ids.push(id);
                }
            }
        }
        Ok(ids.join(","))
    })?;
    let ids: Vec<String> = made.split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect();
    Ok(response(serialize_create_flow_logs_response(&CreateFlowLogsResult {
        client_token: client_token.map(str::to_owned),
        flow_log_ids: Some(texts(&ids)),
        unsuccessful: Some(refused.into()),
    })))
}

fn check_resource(call: &Call<'_>, resource_type: &str, id: &str) -> Result<(), ServiceError> {
    let (ec2, scope) = (&call.tables.ec2, &call.scope);
    match resource_type {
        "VPC" => kinds::VPC.find(&ec2.vpcs, scope, id).map(|_| ()),
        "Subnet" => kinds::SUBNET.find(&ec2.subnets, scope, id).map(|_| ()),
        "NetworkInterface" => kinds::NETWORK_INTERFACE.find(&ec2.network_interfaces, scope, id).map(|_| ()),
        other => Err(invalid_value(format!("Invalid value '{other}' for ResourceType."))),
    }
}

fn check_is_new(call: &Call<'_>, resource_id: &str, settings: &Settings) -> Result<(), ServiceError> {
    let is_same = |row: &FlowLog| {
        row.resource_id == resource_id
            && row.settings.destination == settings.destination
            && row.settings.log_group_name == settings.log_group_name
    };
    if call.tables.ec2.flow_logs.iter(&call.scope).any(|(_, row)| is_same(row)) {
        let text = "Error. There is an existing Flow Log with the same configuration and log destination.";
        return Err(ServiceError::new(400, "FlowLogAlreadyExists", text));
    }
    Ok(())
}

/// Why nothing could be delivered: the call succeeds and says so.
fn undeliverable(call: &Call<'_>, settings: &Settings) -> Option<(&'static str, String)> {
    if settings.destination_type == S3 {
        let arn = settings.destination.as_deref().unwrap_or_default();
        let path = arn.rsplit(":::").next().unwrap_or_default();
        let bucket = path.split('/').next().unwrap_or_default();
        let is_there = arn.contains(":s3:::") && s3::bucket_exists(call, bucket);
        return (!is_there).then(|| ("400", format!("LogDestination: {bucket} does not exist.")));
    }
    let arn = settings.role_arn.as_deref().unwrap_or_default();
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let is_there = match parts.as_slice() {
        ["arn", _, "iam", "", account, resource] => iam::find_role(call, account, resource).is_some(),
        _ => false,
    };
    (!is_there).then(|| ("InvalidParameter", "Unable to assume given IAM role".to_owned()))
}

fn unsuccessful(resource_id: String, code: &str, message: String) -> UnsuccessfulItem {
    UnsuccessfulItem {
        error: Some(UnsuccessfulItemError { code: Some(code.to_owned()), message: Some(message) }),
        resource_id: Some(resource_id),
    }
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let query = Query::read(params, &kinds::FLOW_LOG, "FlowLogId", FILTERS)?.leaving_out_missing();
    params.finish()?;
    let (ec2, scope) = (&call.tables.ec2, &call.scope);
    let found = query.run(ec2.flow_logs.iter(scope), &ec2.tags, scope, call.shuffle, |id, row, name| {
        let settings = &row.settings;
        match name {
            "deliver-log-status" => vec!["SUCCESS".to_owned()],
            "log-destination-type" => vec![settings.destination_type.clone()],
            "log-group-name" => settings.log_group_name.iter().cloned().collect(),
            "resource-id" => vec![row.resource_id.clone()],
            "traffic-type" => vec![settings.traffic_type.clone()],
            _ => vec![id.to_owned()],
        }
    })?;
    let logs: Vec<_> = found.items.iter().map(|(id, row)| wire(id, row, ec2.tags.get(scope, id))).collect();
    Ok(response(serialize_describe_flow_logs_response(&DescribeFlowLogsResult {
        flow_logs: Some(logs.into()),
        next_token: found.next_token,
    })))
}

pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let ids = call.params.list("FlowLogId");
    call.params.finish()?;
    let (ec2, scope) = (&mut call.tables.ec2, &call.scope);
    for id in &ids {
        kinds::FLOW_LOG.check(id)?;
    }
    let missing: Vec<&str> =
        ids.iter().copied().filter(|id| ec2.flow_logs.find(scope, id).is_none()).collect();
    if !missing.is_empty() {
        let list = format!("[TotalCount: {}] {}", missing.len(), missing.join(" "));
        return Err(kinds::FLOW_LOG.not_found(&list));
    }
    for id in ids {
        ec2.flow_logs.remove(scope, id);
        ec2.tags.remove(scope, id);
    }
    Ok(response(serialize_delete_flow_logs_response(&DeleteFlowLogsResult {
        unsuccessful: Some(Vec::new().into()),
    })))
}

fn wire(id: &str, row: &FlowLog, tags: Option<&Tags>) -> model::FlowLog {
    let settings = &row.settings;
    model::FlowLog {
        creation_time: Some(time(row.created_at)),
        deliver_logs_permission_arn: settings.role_arn.clone(),
        deliver_logs_status: Some("SUCCESS".to_owned()),
        flow_log_id: Some(id.to_owned()),
        flow_log_status: Some("ACTIVE".to_owned()),
        log_destination: settings.destination.clone(),
        log_destination_type: Some(settings.destination_type.clone()),
        log_format: Some(DEFAULT_FORMAT.to_owned()),
        log_group_name: settings.log_group_name.clone(),
        max_aggregation_interval: Some(settings.aggregation_seconds),
        resource_id: Some(row.resource_id.clone()),
        tags: Some(tags::wire(tags)),
        traffic_type: Some(settings.traffic_type.clone()),
        ..Default::default()
    }
}
