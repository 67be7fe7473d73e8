//! What stands behind load balancers: services, the pods that are ready, and nodes.

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Service, ServicePort};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt;
use kube::api::Api;
use kube::runtime::reflector::{ObjectRef, Store};

use super::super::service_accounts::ServiceAccounts;
use super::super::{Context, PartError};
use crate::services::elbv2::target_group::Target;

/// The label of endpoint slices that names their service.
const SERVICE_LABEL: &str = "kubernetes.io/service-name";

/// The workloads of a cluster.
pub(super) struct Workloads {
    pub(super) services: Store<Service>,
    slices: Store<EndpointSlice>,
    nodes: Store<Node>,
    pub(super) service_accounts: ServiceAccounts,
}

/// A port of a service, as a target group takes it.
pub(super) struct Backend {
    /// The port of the target group.
    pub(super) port: u16,
    pub(super) targets: BTreeSet<Target>,
}

impl Workloads {
    /// Begins to watch them.
    pub(super) fn watch(context: &Context) -> Self {
        let client = &context.client;
        Self {
            services: context.watch(Api::all(client.clone())),
            slices: context.watch(Api::all(client.clone())),
            nodes: context.watch(Api::all(client.clone())),
            service_accounts: ServiceAccounts::watch(context),
        }
    }

    /// Waits until all of them are known.
    pub(super) async fn wait_until_ready(&self) -> Result<(), PartError> {
        self.services.wait_until_ready().await?;
        self.slices.wait_until_ready().await?;
        self.nodes.wait_until_ready().await?;
        self.service_accounts.wait_until_ready().await
    }

    /// A service.
    pub(super) fn service(&self, namespace: &str, name: &str) -> Result<Arc<Service>, String> {
        let service = self.services.get(&ObjectRef::new(name).within(namespace));
        service.ok_or_else(|| format!("Service \"{name}\" not found"))
    }

    /// A port of a service by its name or number, and what is behind it.
    pub(super) fn backend(
        &self,
        service: &Service,
        wanted: &IntOrString,
        target_type: &str,
    ) -> Result<Backend, String> {
        let namespace = service.namespace().unwrap_or_default();
        let ports = service.spec.as_ref().and_then(|spec| spec.ports.as_ref()).into_iter().flatten();
        let port = ports.into_iter().find(|port| match wanted {
            IntOrString::Int(number) => port.port == *number,
            IntOrString::String(name) => port.name.as_deref() == Some(name.as_str()),
        });
        let Some(port) = port else {
            let wanted = match wanted {
                IntOrString::Int(number) => number.to_string(),
                IntOrString::String(name) => name.clone(),
            };
            return Err(format!(
                "unable to find port {wanted} on service {namespace}/{}",
                service.name_any()
            ));
        };
        match target_type {
            "ip" => Ok(self.pods(&namespace, &service.name_any(), port)),
            "instance" => self.instances(&namespace, &service.name_any(), port),
            other => Err(format!("unknown targetType: {other}")),
        }
    }

    fn pods(&self, namespace: &str, service: &str, port: &ServicePort) -> Backend {
        let mut targets = BTreeSet::new();
        for slice in self.slices.state() {
            let is_its = slice.namespace().as_deref() == Some(namespace)
                && slice.labels().get(SERVICE_LABEL).is_some_and(|name| name == service);
            if !is_its {
                continue;
            }
            let name = port.name.as_deref().unwrap_or_default();
            let ports = slice.ports.iter().flatten();
            let numbers: Vec<u16> = ports
                .filter(|port| port.name.as_deref().unwrap_or_default() == name)
                .filter_map(|port| u16::try_from(port.port?).ok())
                .collect();
            let is_ready = |ready: Option<bool>| ready.unwrap_or(true);
            for endpoint in slice.endpoints.iter().flatten() {
                let conditions = endpoint.conditions.as_ref();
                if is_ready(conditions.and_then(|conditions| conditions.ready)) {
                    for address in &endpoint.addresses {
                        let target = |port: &u16| Target { id: address.clone(), port: *port };
                        targets.extend(numbers.iter().map(target));
                    }
                }
            }
        }
        // Targets bring their own ports, so the group's says nothing where they have a name.
        let port = match &port.target_port {
            Some(IntOrString::Int(number)) => u16::try_from(*number).unwrap_or(1),
            Some(IntOrString::String(_)) => 1,
            None => u16::try_from(port.port).unwrap_or(1),
        };
        Backend { port, targets }
    }

    fn instances(&self, namespace: &str, service: &str, port: &ServicePort) -> Result<Backend, String> {
        let port = port.node_port.and_then(|port| u16::try_from(port).ok()).ok_or_else(|| {
            format!("TargetGroup port is empty. When using Instance targets, service {namespace}/{service} must be of type 'NodePort' or 'LoadBalancer'")
        })?;
        let instance = |node: &Node| {
            let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
            let mut conditions = conditions.into_iter().flatten();
            let is_ready = conditions.any(|one| one.type_ == "Ready" && one.status == "True");
            let provider = node.spec.as_ref().and_then(|spec| spec.provider_id.clone())?;
            let id = provider.rsplit('/').next()?.to_owned();
            is_ready.then_some(Target { id, port })
        };
        let targets = self.nodes.state().iter().filter_map(|node| instance(node)).collect();
        Ok(Backend { port, targets })
    }
}
