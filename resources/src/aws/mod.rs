//! Amazon Web Services.
//!
//! Start reading at [`ec2::Vpc`]: an inputs structure, an outputs structure, and the calls between
//! them. No type of the SDK appears in a public signature.

mod arn;
mod connection;
mod connector;
pub mod dynamodb;
pub mod ec2;
mod error;
mod facts;
mod guard;
pub mod iam;
mod identity;
mod policy;
mod property;
pub mod s3;
mod scope;
mod tags;
mod wait;

use std::sync::Arc;

use lsinfra_engine::ResourceType;
use lsinfra_engine::provider::{Connect, Providers, TaskProvider, TaskType, TypedProvider};

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
    add::<ec2::LaunchTemplate>(providers, &connect);
    add::<ec2::FlowLog>(providers, &connect);
    add_task::<ec2::ExistingVpc>(providers, &connect);
    add_task::<ec2::ExistingSubnet>(providers, &connect);
    add::<dynamodb::Table>(providers, &connect);
    add::<s3::Bucket>(providers, &connect);
    add::<iam::OpenIdConnectProvider>(providers, &connect);
    add::<iam::Policy>(providers, &connect);
    add::<iam::Role>(providers, &connect);
}
