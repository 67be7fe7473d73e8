//! The processes of one control plane: etcd, the API server, the controller manager, the scheduler and kwok, in a folder
//! that keeps what they know.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kube::Client;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};

use super::certificates::Certificates;
use super::files::{make_private_folder, write_private};
use super::guarded::{Guarded, Program};
use super::network::{Network, Proxy};
use super::ports::Ports;
use super::{Binaries, ControlPlaneError, Part};

/// How long an API server may take until it is ready: four seconds on a machine with nothing else to do.
const PATIENCE: Duration = Duration::from_secs(180);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// What kwok does in the place of kubelets.
const STAGES: &str = include_str!("stages.yaml");
/// Where kwok takes the addresses of pods from.
const POD_RANGE: &str = "100.64.0.1/16";

/// What the first callers of a cluster of EKS find there: pods cannot be made without the first two, and the rights of the
/// third are put together after the beginning. A path of each, and what it has once it is complete.
const MADE_BY_CONTROLLERS: &[(&str, &str)] = &[
    ("/api/v1/namespaces/default/serviceaccounts/default", "/metadata/name"),
    ("/api/v1/namespaces/default/configmaps/kube-root-ca.crt", "/metadata/name"),
    ("/apis/rbac.authorization.k8s.io/v1/clusterroles/view", "/rules/0"),
    ("/apis/rbac.authorization.k8s.io/v1/clusterroles/edit", "/rules/0"),
    ("/apis/rbac.authorization.k8s.io/v1/clusterroles/admin", "/rules/0"),
];

/// What a control plane is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The range of the addresses of services.
    pub(crate) service_ipv4_cidr: String,
    /// The issuer of the tokens of service accounts.
    pub(crate) issuer: String,
    /// Where the API server asks who a token belongs to.
    pub(crate) token_review_url: String,
    /// The parts that are not played.
    pub(crate) without: BTreeSet<Part>,
}

/// A running control plane. Dropping it ends its processes; what they know stays in its folder.
#[derive(Debug)]
pub(crate) struct ControlPlane {
    folder: PathBuf,
    ports: Ports,
    certificates: Certificates,
    /// In the order in which they are to end.
    processes: Vec<Guarded>,
    /// What the API server reaches in the cluster, once it is ready.
    network: Option<Network>,
}

impl ControlPlane {
    /// Starts one in a folder of its own, and waits until it is ready.
    ///
    /// # Errors
    /// Any [`ControlPlaneError`].
    pub(crate) async fn start(
        binaries: &Binaries,
        folder: &Path,
        settings: &Settings,
    ) -> Result<Self, ControlPlaneError> {
        make_private_folder(folder)?;
        let ports = Ports::free(folder).await?;
        let certificates = Certificates::ensure(folder)?;
        let proxy = Proxy::bind(&certificates).await?;
        let folder = folder.to_owned();
        let mut plane = Self { folder, ports, certificates, processes: Vec::new(), network: None };
        plane.configure(settings, &proxy)?;
        for program in [plane.etcd(binaries), plane.api_server(binaries, settings)] {
            plane.spawn(&program)?;
        }
        plane.wait_until("kube-apiserver", "/readyz", |_| true).await?;
        plane.network = Some(proxy.answer(plane.client().await?, settings.without.clone()));
        let others = [plane.controller_manager(binaries), plane.scheduler(binaries), plane.kwok(binaries)];
        for program in others {
            plane.spawn(&program)?;
        }
        for (path, pointer) in MADE_BY_CONTROLLERS {
            let is_there = |object: &str| {
                let object: Option<Value> = serde_json::from_str(object).ok();
                object.is_some_and(|object| !matches!(object.pointer(pointer), None | Some(Value::Null)))
            };
            plane.wait_until("kube-controller-manager", path, is_there).await?;
        }
        Ok(plane)
    }

    /// The address of its API server.
    pub(crate) fn endpoint(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports.api)
    }

    /// The certificate by which it is known, as PEM text.
    pub(crate) fn certificate_authority(&self) -> std::io::Result<String> {
        fs_err::read_to_string(self.certificates.authority())
    }

    /// A client with all rights.
    pub(crate) async fn client(&self) -> Result<Client, ControlPlaneError> {
        let kubeconfig = Kubeconfig::read_from(self.kubeconfig())?;
        let mut config =
            kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        // It is on this machine, whatever the environment says of proxies.
        config.proxy_url = None;
        Ok(Client::try_from(config)?)
    }

    /// Refuses to go on once one of its processes has ended.
    pub(crate) fn check(&mut self) -> Result<(), ControlPlaneError> {
        for process in &mut self.processes {
            if let Some(status) = process.ended()? {
                let name = process.name();
                return Err(ControlPlaneError::Ended { name, status, log: log(&self.folder, name) });
            }
        }
        Ok(())
    }

    /// Waits until a path of the API server answers as it ought to, which is `name`'s to see to.
    async fn wait_until(
        &mut self,
        name: &'static str,
        path: &str,
        is_right: impl Fn(&str) -> bool,
    ) -> Result<(), ControlPlaneError> {
        let client = self.client().await?;
        let begun = Instant::now();
        loop {
            self.check()?;
            let request = http::Request::get(path).body(Vec::new()).map_err(kube::Error::HttpError)?;
            if client.request_text(request).await.is_ok_and(|answer| is_right(&answer)) {
                return Ok(());
            }
            let waited = begun.elapsed();
            if waited > PATIENCE {
                return Err(ControlPlaneError::Silent { name, waited, log: log(&self.folder, name) });
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    fn spawn(&mut self, program: &Program) -> Result<(), ControlPlaneError> {
        let process = Guarded::spawn(program, &self.folder, &log(&self.folder, program.name))?;
        // The last to be started ends first.
        self.processes.insert(0, process);
        Ok(())
    }

    fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    fn webhook_config(&self) -> PathBuf {
        self.folder.join("token-webhook")
    }

    fn egress(&self) -> PathBuf {
        self.folder.join("egress")
    }

    fn stages(&self) -> PathBuf {
        self.folder.join("stages.yaml")
    }

    /// Writes what the processes read.
    fn configure(&self, settings: &Settings, proxy: &Proxy) -> Result<(), ControlPlaneError> {
        let (certificate, key) = self.certificates.administrator();
        let own = kubeconfig(
            &json!({"server": self.endpoint(), "certificate-authority": self.certificates.authority()}),
            &json!({"client-certificate": certificate, "client-key": key}),
        );
        write_private(&self.kubeconfig(), own.to_string().as_bytes())?;
        let webhook = kubeconfig(&json!({"server": settings.token_review_url}), &json!({}));
        write_private(&self.webhook_config(), webhook.to_string().as_bytes())?;
        let egress = proxy.configuration(&self.certificates);
        write_private(&self.egress(), egress.to_string().as_bytes())?;
        Ok(write_private(&self.stages(), STAGES.as_bytes())?)
    }

    fn etcd(&self, binaries: &Binaries) -> Program {
        let clients = format!("http://127.0.0.1:{}", self.ports.etcd);
        let peers = format!("http://127.0.0.1:{}", self.ports.etcd_peers);
        Arguments::default()
            .path("data-dir", &self.folder.join("etcd"))
            .text("listen-client-urls", &clients)
            .text("advertise-client-urls", &clients)
            .text("listen-peer-urls", &peers)
            .text("initial-advertise-peer-urls", &peers)
            .text("initial-cluster", &format!("default={peers}"))
            // As with the rest of the sandbox, a power failure may lose the newest; the end of a process loses nothing.
            .text("unsafe-no-fsync", "true")
            .text("log-level", "warn")
            .program(binaries, "etcd")
    }

    fn api_server(&self, binaries: &Binaries, settings: &Settings) -> Program {
        let (certificate, key) = self.certificates.server();
        let (public, private) = self.certificates.service_accounts();
        Arguments::default()
            .text("etcd-servers", &format!("http://127.0.0.1:{}", self.ports.etcd))
            .text("bind-address", "127.0.0.1")
            .text("secure-port", &self.ports.api.to_string())
            // The address of the `kubernetes` service's endpoint, which cannot be a loopback address: nobody connects.
            .text("advertise-address", "192.0.2.1")
            .text("endpoint-reconciler-type", "none")
            .path("tls-cert-file", &certificate)
            .path("tls-private-key-file", &key)
            .path("client-ca-file", &self.certificates.authority())
            .path("service-account-key-file", &public)
            .path("service-account-signing-key-file", &private)
            .text("service-account-issuer", &settings.issuer)
            .text("service-cluster-ip-range", &settings.service_ipv4_cidr)
            .text("authorization-mode", "Node,RBAC")
            .path("authentication-token-webhook-config-file", &self.webhook_config())
            .text("authentication-token-webhook-version", "v1")
            .path("egress-selector-config-file", &self.egress())
            // A change of access entries counts as soon as it can: API servers remember a token for ten seconds anyway.
            .text("authentication-token-webhook-cache-ttl", "0s")
            .text("profiling", "false")
            .program(binaries, "kube-apiserver")
    }

    fn controller_manager(&self, binaries: &Binaries) -> Program {
        let (_, private) = self.certificates.service_accounts();
        self.client_program()
            .path("root-ca-file", &self.certificates.authority())
            .path("service-account-private-key-file", &private)
            .text("use-service-account-credentials", "true")
            .program(binaries, "kube-controller-manager")
    }

    fn scheduler(&self, binaries: &Binaries) -> Program {
        self.client_program().program(binaries, "kube-scheduler")
    }

    /// What the two have in common: nothing to elect, nothing to serve, and no need to be gentle.
    fn client_program(&self) -> Arguments {
        Arguments::default()
            .path("kubeconfig", &self.kubeconfig())
            .text("leader-elect", "false")
            .text("secure-port", "0")
            .text("kube-api-qps", "500")
            .text("kube-api-burst", "1000")
            .text("profiling", "false")
    }

    fn kwok(&self, binaries: &Binaries) -> Program {
        Arguments::default()
            .path("kubeconfig", &self.kubeconfig())
            .path("config", &self.stages())
            .text("manage-all-nodes", "false")
            .text("manage-nodes-with-annotation-selector", "kwok.x-k8s.io/node=fake")
            .text("node-lease-duration-seconds", "40")
            .text("cidr", POD_RANGE)
            .program(binaries, "kwok")
    }
}

/// Where a program's output goes.
fn log(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.log"))
}

/// A kubeconfig of one cluster and one user. JSON is YAML.
fn kubeconfig(cluster: &Value, user: &Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "sandbox", "cluster": cluster}],
        "users": [{"name": "sandbox", "user": user}],
        "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": "sandbox"}}],
        "current-context": "sandbox",
    })
}

/// Arguments of the form `--name=value`.
#[derive(Default)]
struct Arguments(Vec<OsString>);

impl Arguments {
    fn text(self, name: &str, value: &str) -> Self {
        self.path(name, Path::new(value))
    }

    fn path(mut self, name: &str, value: &Path) -> Self {
        let mut argument = OsString::from(format!("--{name}="));
        argument.push(value);
        self.0.push(argument);
        self
    }

    fn program(self, binaries: &Binaries, name: &'static str) -> Program {
        Program { name, path: binaries.program(name), args: self.0 }
    }
}
