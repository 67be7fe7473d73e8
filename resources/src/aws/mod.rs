//! Amazon Web Services.
//!
//! Start reading at [`ec2::Vpc`]: an inputs structure, an outputs structure, and the calls between
//! them. No type of the SDK appears in a public signature.

pub mod acm;
mod arn;
pub mod cloudwatch;
mod connection;
mod connector;
pub mod ec2;
mod error;
mod facts;
mod guard;
pub mod iam;
mod identity;
pub mod logs;
mod policy;
mod property;
pub mod route53;
pub mod s3;
mod scope;
pub mod sns;
mod tags;
mod wait;

use std::sync::Arc;

use lsinfra_engine::ResourceType;
use lsinfra_engine::provider::{Connect, Providers, TaskProvider, TypedProvider};

pub use arn::Arn;
pub use connection::AwsConnection;
pub use connector::{AwsClients, AwsConnector, LONGEST_CALL};
pub use facts::availability_zones;
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
    add::<s3::Bucket>(providers, &connect);
    add::<iam::Role>(providers, &connect);
    add::<route53::HostedZone>(providers, &connect);
    add::<route53::RecordSet>(providers, &connect);
    providers.register(TaskProvider::<route53::FindHostedZone>::new(Arc::clone(&connect)));
    add::<acm::Certificate>(providers, &connect);
    providers.register(TaskProvider::<acm::CertificateValidation>::new(Arc::clone(&connect)));
    add::<logs::LogGroup>(providers, &connect);
    add::<sns::Topic>(providers, &connect);
    add::<sns::Subscription>(providers, &connect);
    add::<cloudwatch::MetricAlarm>(providers, &connect);
}
