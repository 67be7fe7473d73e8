//! The control planes of the account's clusters: a task for each, that runs its processes and brings its nodes about. Owns
//! when they start and stop, from the beginning or from when somebody asks for them; must not know how they are run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Shared;
use super::control::token_review_url;
use crate::kubernetes::parts::{Account, Parts};
use crate::kubernetes::{Binaries, Cluster, ControlPlane, ControlPlaneError, FOLDER, Part, Settings};
use crate::protocol::request::Request;
use crate::services::eks::control_plane::{ClusterKey, WantedCluster};

/// How often it is looked whether time has brought about anything, and whether all processes are there. What calls bring
/// about is looked at after each.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// How often a new control plane is started before its cluster is given up: somebody may take a port meanwhile.
const ATTEMPTS: u32 = 3;
/// How long those of an earlier process may take before the sandbox answers without them.
const START_PATIENCE: Duration = Duration::from_secs(20);
/// How long an answer is kept back that waits for one.
const ANSWER_PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN_FOR_ANSWERS: Duration = Duration::from_millis(20);

/// The task that keeps the control planes, once it runs.
pub(super) struct ControlPlanes {
    /// A folder for each cluster, by its identity.
    folder: PathBuf,
    /// The sandbox's own address.
    url: String,
    /// The parts that are not played.
    without: BTreeSet<Part>,
    /// The identities of the clusters whose processes run, or are about to.
    running: Arc<Mutex<BTreeSet<String>>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// That control planes which answered before are about to do so again.
pub(super) struct Returning(mpsc::Receiver<()>);

impl Returning {
    /// Blocks until they do, or for a while.
    pub(super) fn wait(self) {
        // It ends when all senders are gone. There is nothing to be done about those that take longer.
        let _ = self.0.recv_timeout(START_PATIENCE);
    }
}

impl ControlPlanes {
    /// None yet, in a sandbox's folder and at its address.
    pub(super) fn new(folder: &Path, url: &str, without: BTreeSet<Part>) -> std::io::Result<Self> {
        // Its processes have working folders of their own.
        let folder = std::path::absolute(folder.join(FOLDER))?;
        let running = Arc::default();
        Ok(Self { folder, url: url.to_owned(), without, running, task: Mutex::new(None) })
    }

    /// Begins to keep them in a runtime, unless they are kept already.
    pub(super) fn begin(
        &self,
        runtime: &tokio::runtime::Handle,
        shared: &Arc<Shared>,
        binaries: Binaries,
    ) -> std::io::Result<Option<Returning>> {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if task.is_some() {
            return Ok(None);
        }
        shared.cloud().begin_kubernetes()?;
        let keeper = Keeper {
            shared: Arc::clone(shared),
            binaries,
            folder: self.folder.clone(),
            url: self.url.clone(),
            without: self.without.clone(),
            running: Arc::clone(&self.running),
        };
        let (up, are_up) = mpsc::channel();
        *task = Some(runtime.spawn(Arc::new(keeper).keep(up)));
        Ok(Some(Returning(are_up)))
    }

    /// Whether processes still run of a cluster that is gone.
    fn is_one_ending(&self, shared: &Shared) -> bool {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).clone();
        running.iter().any(|identity| !shared.cloud().has_cluster(identity))
    }

    /// The parts that are not played in clusters.
    pub(super) fn without(&self) -> &BTreeSet<Part> {
        &self.without
    }

    /// Waits until all of them have ended, once the sandbox stops.
    pub(super) async fn ended(&self) {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            // A panic has been reported on stderr; the processes have ended with the value that held them.
            let _ = task.await;
        }
    }
}

/// Keeps the answer to a request back while nothing but a control plane, or the nodes in it, is missing to what it asks
/// for, or one that is gone has yet to end: those take real time, of which callers at the instant pace have none.
pub(super) async fn catch_up(shared: &Shared, operation: &str, request: &Request) {
    if !["eks:DescribeCluster", "eks:DescribeNodegroup"].contains(&operation) {
        return;
    }
    let mut stop = shared.stop.subscribe();
    let begun = Instant::now();
    let is_behind = || shared.cloud().is_behind(request) || shared.control_planes.is_one_ending(shared);
    while begun.elapsed() < ANSWER_PATIENCE && is_behind() {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            () = tokio::time::sleep(LOOK_AGAIN_FOR_ANSWERS) => {}
        }
    }
}

/// What all tasks go by.
struct Keeper {
    shared: Arc<Shared>,
    binaries: Binaries,
    /// The parts that are not played.
    without: BTreeSet<Part>,
    /// A folder for each cluster, by its identity.
    folder: PathBuf,
    /// The sandbox's own address.
    url: String,
    running: Arc<Mutex<BTreeSet<String>>>,
}

/// The task of one cluster, which ends when nothing is wanted of it any more.
struct Kept {
    wanted: watch::Sender<WantedCluster>,
    task: JoinHandle<()>,
}

impl Kept {
    async fn end(self) {
        drop(self.wanted);
        let _ = self.task.await;
    }
}

impl Keeper {
    /// Until the sandbox stops. `up` is dropped when the control planes that answered before do so again.
    async fn keep(self: Arc<Self>, up: mpsc::Sender<()>) {
        let mut stop = self.shared.stop.subscribe();
        let mut calls = self.shared.calls.subscribe();
        let mut kept: BTreeMap<String, Kept> = BTreeMap::new();
        let mut up = Some(up);
        self.sweep();
        loop {
            calls.mark_unchanged();
            let wanted = self.shared.cloud().wanted_clusters();
            let is_gone = |identity: &String| !wanted.iter().any(|cluster| cluster.key.identity == *identity);
            let gone: Vec<String> = kept.keys().filter(|identity| is_gone(identity)).cloned().collect();
            for identity in gone {
                if let Some(cluster) = kept.remove(&identity) {
                    cluster.end().await;
                    self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&identity);
                }
            }
            for cluster in wanted {
                let identity = cluster.key.identity.clone();
                if let Some(kept) = kept.get(&identity) {
                    kept.wanted.send_if_modified(|known| {
                        let is_other = *known != cluster;
                        *known = cluster;
                        is_other
                    });
                } else {
                    let up = up.clone().filter(|_| !cluster.is_new);
                    let (wanted, receiver) = watch::channel(cluster);
                    self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(identity.clone());
                    let task = tokio::spawn(Arc::clone(&self).keep_one(receiver, up));
                    kept.insert(identity, Kept { wanted, task });
                }
            }
            up = None;
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                _ = calls.changed() => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
        for cluster in kept.into_values() {
            cluster.end().await;
        }
    }

    /// Removes what is left of clusters that are gone.
    fn sweep(&self) {
        let folders = fs_err::read_dir(&self.folder).into_iter().flatten().flatten();
        for folder in folders {
            let identity = folder.file_name().to_string_lossy().into_owned();
            if !self.shared.cloud().has_cluster(&identity) {
                // What cannot be removed now is tried again by the next process.
                let _ = fs_err::remove_dir_all(folder.path());
            }
        }
    }

    /// Runs the control plane of one cluster for as long as it is wanted, however often its processes end.
    async fn keep_one(
        self: Arc<Self>,
        mut wanted: watch::Receiver<WantedCluster>,
        mut up: Option<mpsc::Sender<()>>,
    ) {
        let WantedCluster { key, mut is_new, .. } = wanted.borrow().clone();
        let folder = self.folder.join(&key.identity);
        let mut attempts = 0;
        while let Err(error) = self.run(&key, &folder, &mut wanted, &mut is_new, &mut up).await {
            attempts += 1;
            if is_new && attempts == ATTEMPTS {
                // What cannot be written down is an error of the next call that changes anything.
                let _ = self.shared.cloud().control_plane_failed(&key, &error.to_string());
                return;
            }
            tokio::select! {
                () = unwanted(&mut wanted) => break,
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
        if !*self.shared.stop.borrow() {
            let _ = fs_err::remove_dir_all(folder);
        }
    }

    /// Until it is not wanted any more, or fails.
    async fn run(
        &self,
        key: &ClusterKey,
        folder: &Path,
        wanted: &mut watch::Receiver<WantedCluster>,
        is_new: &mut bool,
        up: &mut Option<mpsc::Sender<()>>,
    ) -> Result<(), ControlPlaneError> {
        let WantedCluster { service_ipv4_cidr, issuer, .. } = wanted.borrow().clone();
        let token_review_url = token_review_url(&self.url, &key.identity);
        let settings =
            Settings { service_ipv4_cidr, issuer, token_review_url, without: self.without.clone() };
        let is_cluster_new = *is_new;
        let started = async {
            let plane = ControlPlane::start(&self.binaries, folder, &settings).await?;
            let client = plane.client().await?;
            let cluster = Cluster::new(client.clone(), is_cluster_new).await?;
            Ok::<_, ControlPlaneError>((plane, client, cluster))
        };
        let (mut plane, client, mut cluster) = tokio::select! {
            started = started => started?,
            () = unwanted(wanted) => return Ok(()),
        };
        let authority = plane.certificate_authority()?;
        self.shared.cloud().control_plane_answers(key, &plane.endpoint(), &authority)?;
        *is_new = false;
        *up = None;
        let account = Account::new(Arc::clone(&self.shared.cloud), self.shared.calls.clone(), key.clone());
        let _parts = Parts::start(&client, &account, &self.without, folder);
        loop {
            plane.check()?;
            let WantedCluster { nodes, joining, .. } = wanted.borrow_and_update().clone();
            let are_there = tokio::select! {
                // What the API server refuses now it may take later.
                kept = cluster.keep_nodes(&nodes) => kept.unwrap_or(false),
                () = unwanted(wanted) => return Ok(()),
            };
            if are_there && !joining.is_empty() {
                self.shared.cloud().nodes_joined(key, &joining)?;
            }
            let pause = if are_there { LOOK_AGAIN } else { LOOK_AGAIN_FOR_ANSWERS };
            tokio::select! {
                changed = wanted.changed() => if changed.is_err() { return Ok(()) },
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

/// Waits until nothing is wanted any more.
async fn unwanted(wanted: &mut watch::Receiver<WantedCluster>) {
    while wanted.changed().await.is_ok() {}
}
