//! What a part is given: the cluster's API with watches on it, and the account.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, pin_mut};
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::Api;
use kube::runtime::reflector::{self, Store};
use kube::runtime::watcher::{self, watcher};
use kube::{Client, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::Account;

/// How long after an error a watch begins again: the kind's definition may not be there yet.
const WATCH_AGAIN: Duration = Duration::from_millis(500);

/// What one part works with. Its watches end with the last of its clones.
#[derive(Clone)]
pub(crate) struct Context {
    /// The cluster's API, with all rights.
    pub(crate) client: Client,
    /// The account that has the cluster.
    pub(crate) account: Account,
    news: Arc<Notify>,
    watches: Arc<Mutex<JoinSet<()>>>,
}

impl Context {
    pub(super) fn new(client: Client, account: Account) -> Self {
        Self { client, account, news: Arc::default(), watches: Arc::default() }
    }

    /// Watches the objects of a kind. What is written by this part shows in there a moment later.
    pub(crate) fn watch<K>(&self, api: Api<K>) -> Store<K>
    where
        K: Resource + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
        K::DynamicType: Default + Eq + Hash + Clone + Send + Sync,
    {
        self.watch_as(api, K::DynamicType::default())
    }

    /// The same of a kind that only its API resource names, such as one of a chart's.
    pub(crate) fn watch_as<K>(&self, api: Api<K>, kind: K::DynamicType) -> Store<K>
    where
        K: Resource + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
        K::DynamicType: Eq + Hash + Clone + Send + Sync,
    {
        let mut writer = reflector::store::Writer::new(kind);
        let store = writer.as_reader();
        let news = Arc::clone(&self.news);
        let watch = async move {
            let events = watcher(api, watcher::Config::default());
            pin_mut!(events);
            while let Some(event) = events.next().await {
                match event {
                    Ok(event) => {
                        writer.apply_watcher_event(&event);
                        news.notify_one();
                    }
                    Err(_) => tokio::time::sleep(WATCH_AGAIN).await,
                }
            }
        };
        self.watches.lock().unwrap_or_else(PoisonError::into_inner).spawn(watch);
        store
    }

    /// Watches the deployments of the cluster, by which a part knows whether its controller would run.
    pub(crate) fn deployed(&self) -> Deployed {
        Deployed { deployments: self.watch(Api::all(self.client.clone())) }
    }

    /// Waits until a watch has news, since the last time.
    pub(super) async fn news(&self) {
        self.news.notified().await;
    }
}

/// The deployments of a cluster.
pub(crate) struct Deployed {
    deployments: Store<Deployment>,
}

impl Deployed {
    /// The deployment with this value of the label `app.kubernetes.io/name`, if a pod of it is ready.
    pub(crate) fn ready(&self, name: &str) -> Option<Arc<Deployment>> {
        self.deployments.find(|deployment| {
            let labels = deployment.metadata.labels.as_ref();
            let named = labels.and_then(|labels| labels.get("app.kubernetes.io/name"));
            let status = deployment.status.as_ref();
            let ready = status.and_then(|status| status.ready_replicas).unwrap_or_default();
            named.is_some_and(|named| named == name)
                && ready > 0
                && deployment.metadata.deletion_timestamp.is_none()
        })
    }
}
