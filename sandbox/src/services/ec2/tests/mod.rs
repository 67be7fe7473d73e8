//! EC2's state machines, each rule as a caller meets it.

mod endpoints;
mod gateways;
mod networks;
mod requests;
mod route_tables;
mod security_groups;
