//! EC2's state machines, each rule as a caller meets it.

mod endpoints;
mod flow_logs;
mod gateways;
mod instance_types;
mod launch_templates;
mod networks;
mod requests;
mod route_tables;
mod security_groups;
mod volumes;
