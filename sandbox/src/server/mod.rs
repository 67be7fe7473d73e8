//! The listener: one port on 127.0.0.1, on threads of its own. Owns connections, holding and stopping; must not know
//! what a call does.

mod answer;
mod control;
mod control_planes;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::control_planes::ControlPlanes;
use crate::cloud::Cloud;
use crate::cloud::clock::Clock;
use crate::cloud::principal::is_account;
use crate::faults::held::HeldCalls;
use crate::process::{self, Endpoint, FolderLock};
use crate::storage::Store;
use crate::{Error, Kubernetes, Options, Pace, Result};

/// How long a stopping sandbox waits for answers under way.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
/// The file that keeps the port.
const PORT_NAME: &str = "port";

/// What connections share.
struct Shared {
    cloud: Arc<Mutex<Cloud>>,
    held: HeldCalls,
    stop: watch::Sender<bool>,
    /// How often somebody has called, or a part has changed something.
    calls: watch::Sender<u64>,
    last_call: Mutex<Instant>,
    nonce: String,
    control_planes: ControlPlanes,
    /// Whether control planes may be asked for: they are not left out on purpose.
    may_have_kubernetes: bool,
}

impl Shared {
    /// The cloud, for one call at a time. A call that panicked has had its connection closed; the next goes on.
    fn cloud(&self) -> MutexGuard<'_, Cloud> {
        self.cloud.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn touch(&self) {
        *self.last_call.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn idle_since(&self) -> Instant {
        *self.last_call.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A sandbox that is being served by this process. Dropping it stops it.
#[derive(Debug)]
pub struct Serving {
    endpoint: Endpoint,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.endpoint.url
    }

    /// How to reach it, as [`crate::connect`] finds it.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Blocks until the sandbox has stopped: asked to through its control endpoint, or idle.
    pub fn wait(mut self) {
        self.join();
    }

    /// Stops the sandbox, and blocks until it has.
    pub fn stop(self) {
        drop(self);
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            // A panic of the listener's thread has been reported on stderr, and there is nothing left to stop.
            let _ = thread.join();
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.join();
    }
}

/// Serves a folder's account until it is stopped. The listener has threads of its own: this returns as soon as it
/// answers, and may be called with or without an async runtime.
///
/// # Errors
/// [`Error::InUse`] if another process serves the folder; [`Error::NewerFormat`] and [`Error::Damaged`] for an account
/// that cannot be read; [`Error::Pace`] and [`Error::Account`] for such options; [`Error::Io`].
pub fn serve(options: Options) -> Result<Serving> {
    let speed = options.pace.speed();
    if !(speed.is_finite() && speed > 0.0) {
        return Err(Error::Pace { speed });
    }
    if !is_account(&options.account) {
        return Err(Error::Account { account: options.account });
    }
    fs_err::create_dir_all(&options.folder)?;
    let lock = FolderLock::take(&options.folder)?;
    let opened = Store::open(&options.folder, options.seed)?;
    let clock = Clock::running(opened.epoch, opened.elapsed, speed);
    let listener = bind(&options)?;
    let port = listener.local_addr()?.port();
    fs_err::write(options.folder.join(PORT_NAME), port.to_string())?;
    let endpoint = Endpoint {
        url: format!("http://127.0.0.1:{port}"),
        pid: std::process::id(),
        nonce: uuid::Uuid::new_v4().to_string(),
    };
    let cloud = Cloud::new(opened, clock, options.pace, options.account.clone());
    let shared = Arc::new(Shared {
        cloud: Arc::new(Mutex::new(cloud)),
        held: HeldCalls::default(),
        stop: watch::Sender::new(false),
        calls: watch::Sender::new(0),
        last_call: Mutex::new(Instant::now()),
        nonce: endpoint.nonce.clone(),
        control_planes: ControlPlanes::new(&options.folder, &endpoint.url, options.without)?,
        may_have_kubernetes: !matches!(options.kubernetes, Kubernetes::Never),
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    listener.set_nonblocking(true)?;
    let listener = {
        let _entered = runtime.enter();
        TcpListener::from_std(listener)?
    };
    if let Kubernetes::Of(binaries) = options.kubernetes
        && let Some(returning) = shared.control_planes.begin(runtime.handle(), &shared, binaries)?
    {
        returning.wait();
    }
    process::announce(&options.folder, &endpoint)?;
    let stop = shared.stop.clone();
    let thread = std::thread::Builder::new().name("sandbox".to_owned()).spawn(move || {
        runtime.block_on(async {
            listen(listener, Arc::clone(&shared), options.idle_stop).await;
            shared.control_planes.ended().await;
        });
        runtime.shutdown_timeout(Duration::ZERO);
        process::withdraw(&options.folder);
        drop(lock);
    })?;
    Ok(Serving { endpoint, stop, thread: Some(thread) })
}

/// The port asked for, or the kept one, or a free one if that is taken.
fn bind(options: &Options) -> Result<std::net::TcpListener> {
    let on = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port));
    if let Some(port) = options.port {
        return Ok(on(port)?);
    }
    match kept_port(&options.folder).map(on) {
        Some(Ok(listener)) => Ok(listener),
        Some(Err(_)) | None => Ok(on(0)?),
    }
}

fn kept_port(folder: &Path) -> Option<u16> {
    fs_err::read_to_string(folder.join(PORT_NAME)).ok()?.trim().parse().ok()
}

async fn listen(listener: TcpListener, shared: Arc<Shared>, idle_stop: Option<Duration>) {
    let mut stop = shared.stop.subscribe();
    let mut connections = JoinSet::new();
    loop {
        let idle = async {
            match idle_stop {
                Some(idle) => tokio::time::sleep_until((shared.idle_since() + idle).into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            () = idle => {
                let quiet = shared.idle_since().elapsed();
                if idle_stop.is_some_and(|idle| quiet >= idle) {
                    shared.stop.send_replace(true);
                }
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => {
                // An accept fails when the client has gone already, or for want of file descriptors, which passes.
                if let Ok((stream, _)) = accepted {
                    connections.spawn(converse(stream, Arc::clone(&shared)));
                }
            }
        }
    }
    drop(listener);
    let answered = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(LAST_ANSWERS, answered).await;
}

/// One connection, until its client closes it or the sandbox stops.
async fn converse(stream: tokio::net::TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let mut stop = shared.stop.subscribe();
    let service = service_fn(|request| answer::answer(Arc::clone(&shared), request));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // An error here is a client that went away or an answer that is withheld: nothing is left to be done about either.
    let stopping = async {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    tokio::select! {
        _ = connection.as_mut() => {}
        () = stopping => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// The pace in force, as `status` names it.
fn pace_of(pace: Pace) -> (String, f64) {
    (pace.name(), pace.speed())
}
