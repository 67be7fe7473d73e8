//! Whom the API server wants to reach: a service, as far as a pod behind it is ready, or a kubelet.

use std::net::IpAddr;

use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::Client;
use kube::api::{Api, ListParams};

/// The port of kubelets.
pub(in crate::kubernetes) const KUBELET_PORT: u16 = 10_250;

/// Whom the API server wants to reach.
#[derive(Debug)]
pub(super) enum Target {
    /// A service.
    Service {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// A pod of it that is ready.
        pod: Box<Pod>,
    },
    /// The kubelet of any node.
    Kubelet,
}

/// Why nobody is reached.
#[derive(Debug, thiserror::Error)]
pub(super) enum TargetError {
    /// There is nobody at that address.
    #[error("no route to {0}")]
    Nobody(String),
    /// A service has no pod that is ready.
    #[error("no endpoints available for service {namespace}/{name}")]
    NotReady {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// The API server, which asks, did not answer itself.
    #[error("the API server does not answer")]
    Api(#[from] kube::Error),
    /// A request could not be read to its end.
    #[error("a request ended early")]
    Unread,
}

impl Target {
    /// Whom an address such as `10.100.3.7:443` belongs to.
    pub(super) async fn find(client: &Client, address: &str) -> Result<Self, TargetError> {
        let nobody = || TargetError::Nobody(address.to_owned());
        let (host, port) = address.rsplit_once(':').ok_or_else(nobody)?;
        let host = host.trim_matches(['[', ']']);
        if host.parse::<IpAddr>().is_ok() {
            let at_address = ListParams::default().fields(&format!("spec.clusterIP={host}"));
            let services: Api<Service> = Api::all(client.clone());
            if let Some(service) = services.list_metadata(&at_address).await?.items.pop() {
                let namespace = service.metadata.namespace.unwrap_or_default();
                let name = service.metadata.name.unwrap_or_default();
                let pod = Box::new(ready_pod(client, &namespace, &name).await?);
                return Ok(Self::Service { namespace, name, pod });
            }
        }
        if port.parse() == Ok(KUBELET_PORT) { Ok(Self::Kubelet) } else { Err(nobody()) }
    }
}

/// A pod behind a service that is ready.
///
/// # Errors
/// [`TargetError::NotReady`] and [`TargetError::Api`].
pub(super) async fn ready_pod(client: &Client, namespace: &str, service: &str) -> Result<Pod, TargetError> {
    let slices: Api<EndpointSlice> = Api::namespaced(client.clone(), namespace);
    let of_service = ListParams::default().labels(&format!("kubernetes.io/service-name={service}"));
    let endpoints = slices
        .list(&of_service)
        .await?
        .items
        .into_iter()
        .flat_map(|slice| slice.endpoints.into_iter().flatten());
    let ready = endpoints.filter(|endpoint| {
        let conditions = endpoint.conditions.as_ref();
        conditions.and_then(|conditions| conditions.ready).unwrap_or(true)
    });
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let names: Vec<String> = ready.filter_map(|endpoint| endpoint.target_ref?.name).collect();
    for name in names {
        if let Some(pod) = pods.get_opt(&name).await? {
            return Ok(pod);
        }
    }
    Err(TargetError::NotReady { namespace: namespace.to_owned(), name: service.to_owned() })
}
