//! Amazon Web Services.
//!
//! Start reading at [`ec2::Vpc`]: an inputs structure, an outputs structure, and the calls between
//! them. No type of the SDK appears in a public signature.

pub mod acm;
mod arn;
pub mod cloudwatch;
mod connection;
mod connector;
pub mod dynamodb;
pub mod ec2;
pub mod eks;
pub mod elasticache;
pub(crate) mod error;
mod facts;
pub(crate) mod guard;
pub mod iam;
mod identity;
pub mod kms;
pub mod logs;
mod names;
pub(crate) mod plain_text;
mod policy;
pub(crate) mod property;
pub mod rds;
pub mod route53;
pub mod s3;
mod scope;
pub mod secretsmanager;
pub mod sns;
pub(crate) mod tags;
pub(crate) mod wait;

use std::sync::Arc;

use lsinfra_engine::ResourceType;
use lsinfra_engine::provider::{Connect, Providers, TaskProvider, TaskType, TypedProvider};

use crate::durations;

pub use arn::Arn;
pub use connection::AwsConnection;
pub use connector::{AwsClients, AwsConnector, LONGEST_CALL};
pub use facts::{InstanceType, availability_zones, instance_type_offerings, instance_types};
pub use identity::{Caller, CallerError, caller};
pub use policy::{Effect, PolicyDocument, Principal, Star, Statement, Texts};

/// Adds the providers of all AWS types. They share `connector` and its clients.
pub fn register(providers: &mut Providers, connector: Arc<AwsConnector>) {
    let connect: Arc<dyn Connect<AwsClients>> = connector;
    fn add<R: ResourceType<Client = AwsClients>>(
        providers: &mut Providers,
        connect: &Arc<dyn Connect<AwsClients>>,
    ) {
        providers.register(TypedProvider::<R>::new(Arc::clone(connect)));
    }
    fn add_task<T: TaskType<Client = AwsClients>>(
        providers: &mut Providers,
        connect: &Arc<dyn Connect<AwsClients>>,
    ) {
        providers.register(TaskProvider::<T>::new(Arc::clone(connect)));
    }
    add::<ec2::Vpc>(providers, &connect);
    add::<ec2::DefaultSecurityGroup>(providers, &connect);
    add::<ec2::Subnet>(providers, &connect);
    add::<ec2::InternetGateway>(providers, &connect);
    add::<ec2::ElasticIp>(providers, &connect);
    add::<ec2::NatGateway>(providers, &connect);
    add::<ec2::RouteTable>(providers, &connect);
    add::<ec2::Route>(providers, &connect);
    add::<ec2::RouteTableAssociation>(providers, &connect);
    add::<ec2::SecurityGroup>(providers, &connect);
    add::<ec2::SecurityGroupRule>(providers, &connect);
    add::<ec2::VpcEndpoint>(providers, &connect);
    add::<eks::Cluster>(providers, &connect);
    add::<eks::NodeGroup>(providers, &connect);
    add::<eks::Addon>(providers, &connect);
    add::<eks::AccessEntry>(providers, &connect);
    add::<eks::PodIdentityAssociation>(providers, &connect);
    add::<ec2::LaunchTemplate>(providers, &connect);
    add::<ec2::FlowLog>(providers, &connect);
    add_task::<ec2::ExistingNetwork>(providers, &connect);
    add::<dynamodb::Table>(providers, &connect);
    add::<s3::Bucket>(providers, &connect);
    add::<iam::OpenIdConnectProvider>(providers, &connect);
    add::<iam::Policy>(providers, &connect);
    add::<iam::Role>(providers, &connect);
    add::<kms::Key>(providers, &connect);
    add::<kms::Alias>(providers, &connect);
    add::<secretsmanager::Secret>(providers, &connect);
    add::<rds::SubnetGroup>(providers, &connect);
    add::<rds::ParameterGroup>(providers, &connect);
    add::<rds::Instance>(providers, &connect);
    add::<elasticache::SubnetGroup>(providers, &connect);
    add::<elasticache::ParameterGroup>(providers, &connect);
    add::<elasticache::ReplicationGroup>(providers, &connect);
    add::<route53::HostedZone>(providers, &connect);
    add::<route53::RecordSet>(providers, &connect);
    add_task::<rds::FindFinalSnapshot>(providers, &connect);
    add_task::<route53::FindHostedZone>(providers, &connect);
    add::<acm::Certificate>(providers, &connect);
    add_task::<acm::CertificateValidation>(providers, &connect);
    add::<logs::LogGroup>(providers, &connect);
    add::<sns::Topic>(providers, &connect);
    add::<sns::Subscription>(providers, &connect);
    add::<cloudwatch::MetricAlarm>(providers, &connect);
}

#[cfg(test)]
mod tests {
    use lsinfra_engine::ResourceType;
    use lsinfra_engine::schema::Kind;

    use super::*;

    /// What those read who import an object: a type whose ids have a form of their own has a line there.
    #[test]
    fn the_manual_tells_the_form_of_ids() {
        let manual = include_str!("../../../docs/import.md");
        let mut providers = Providers::default();
        register(&mut providers, Arc::new(AwsConnector::sandbox("http://127.0.0.1:1")));
        let of_aws = <ec2::Vpc as ResourceType>::ID_FORM;
        let managed = providers.all().filter(|provider| provider.schema().kind == Kind::Managed);
        let forms = managed.map(|provider| (provider.schema().resource_type, provider.id_form()));
        for (resource_type, form) in forms.filter(|(_, form)| *form != of_aws) {
            let line = format!("| `{resource_type}` | {form} |");
            assert!(manual.lines().any(|listed| listed == line), "missing: {line}");
        }
    }
}
