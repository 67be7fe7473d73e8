//! Objects in a cluster, by the Kubernetes API.
//!
//! Where to start reading: [`ClusterConnection`] says where an object lives, [`KubernetesConnector`] makes the client, and
//! [`core::ConfigMap`] is a type that is nothing but its page; `objects.rs` has the calls of all of them, `fields.rs` what
//! counts as drift. No type of the client appears in a public signature.

pub mod autoscaling;
pub mod batch;
mod connection;
mod connector;
pub mod core;
pub(crate) mod error;
mod fields;
pub(crate) mod hold;
pub(crate) mod kind;
pub mod meta;
pub mod metrics;
pub mod networking;
mod object;
pub(crate) mod objects;
mod ownership;
pub mod policy;
mod quantity;
mod selector;
pub mod storage;
mod token;
mod transport;
mod wait_for;
pub(crate) mod why;

use std::sync::Arc;
use std::time::Duration;

use lsinfra_engine::ResourceType;
use lsinfra_engine::provider::{Connect, Providers, TaskProvider, TypedProvider};

pub use connection::ClusterConnection;
pub use connector::{KubernetesClient, KubernetesConnector};
pub use error::{SLOW, UNAUTHORIZED, UNREACHABLE, UNTRUSTED};
pub(crate) use fields::FIELD_MANAGER;
pub use object::ObjectOutputs;
pub use selector::{IntOrString, LabelOperator, LabelSelector, LabelSelectorRequirement};
pub use wait_for::WaitFor;

/// A cluster answers with what was written last; but a call that got no answer may still be on its way through it.
pub(crate) const CONSISTENCY_WINDOW: Duration = Duration::from_secs(30);

/// Adds the providers of all Kubernetes types. They share `connector` and its clients.
pub fn register(providers: &mut Providers, connector: Arc<KubernetesConnector>) {
    let connect: Arc<dyn Connect<KubernetesClient>> = connector;
    fn add<R: ResourceType<Client = KubernetesClient>>(
        providers: &mut Providers,
        connect: &Arc<dyn Connect<KubernetesClient>>,
    ) {
        providers.register(TypedProvider::<R>::new(Arc::clone(connect)));
    }
    add::<core::Namespace>(providers, &connect);
    add::<core::ServiceAccount>(providers, &connect);
    add::<core::Secret>(providers, &connect);
    add::<core::ConfigMap>(providers, &connect);
    add::<storage::StorageClass>(providers, &connect);
    add::<storage::DefaultClassMark>(providers, &connect);
    add::<networking::ClusterLoadBalancers>(providers, &connect);
    add::<storage::ClassVolumes>(providers, &connect);
    add::<policy::PodDisruptionBudget>(providers, &connect);
    add::<networking::NetworkPolicy>(providers, &connect);
    add::<networking::IngressLoadBalancer>(providers, &connect);
    add::<meta::Manifest>(providers, &connect);
    providers.register(TaskProvider::<meta::DryRun>::new(Arc::clone(&connect)));
    providers.register(TaskProvider::<autoscaling::DiscoveredGroups>::new(Arc::clone(&connect)));
    providers.register(TaskProvider::<metrics::NodeMetrics>::new(Arc::clone(&connect)));
    providers.register(TaskProvider::<batch::Job>::new(connect));
}

#[cfg(test)]
mod tests {
    use lsinfra_engine::schema::Kind;

    use super::*;
    use crate::aws::AwsConnector;

    /// What those read who import an object: each type has a line there.
    #[test]
    fn the_manual_tells_the_form_of_ids() {
        let manual = include_str!("../../../docs/import.md");
        let mut providers = Providers::default();
        let aws = Arc::new(AwsConnector::sandbox("http://127.0.0.1:1"));
        register(&mut providers, Arc::new(KubernetesConnector::new(aws)));
        for provider in providers.all().filter(|provider| provider.schema().kind == Kind::Managed) {
            let line = format!("| `{}` | {} |", provider.schema().resource_type, provider.id_form());
            assert!(manual.lines().any(|listed| listed == line), "missing: {line}");
        }
    }
}
