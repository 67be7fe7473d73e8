//! What keeps a cluster from being asked, and what is said of it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use libtest_mimic::Trial;
use lsinfra_engine::provider::{ErrorKind, Observation, ProviderError, Providers, ReadRequest};
use lsinfra_engine::{PhysicalId, Properties, Property, Urn};
use lsinfra_resources::aws::{AwsConnection, AwsConnector};
use lsinfra_resources::kubernetes::core::ConfigMap;
use lsinfra_resources::kubernetes::{self, ClusterConnection, KubernetesConnector};
use lsinfra_sandbox::Kubernetes;

use crate::rig::{Account, Deaf, Environment, properties, secret_key, shared};
use crate::{trial, wait};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a_caller_without_access_entry_is_told_how_to_get_one", || wait(unknown_caller())),
        trial("nobody_at_the_address_is_told_from_a_cluster_that_is_gone", || wait(unreachable())),
        trial("who_is_not_the_cluster_is_not_believed", || wait(untrusted())),
        trial("a_busy_cluster_is_asked_again", || wait(busy())),
        trial("nothing_is_sent_once_the_lock_is_lost", || wait(lock_lost())),
    ]
}

fn map() -> ConfigMap {
    ConfigMap { namespace: "default".into(), name: "settings".into(), ..ConfigMap::default() }
}

/// What comes of reading a config map through that connection.
async fn read(connection: &ClusterConnection, account: &Account) -> Result<Observation, ProviderError> {
    let provider = account.providers.get("kubernetes:core:ConfigMap").unwrap();
    let request = ReadRequest {
        id: PhysicalId::new("default/settings"),
        inputs: properties(&map()),
        outputs: Properties::new(),
        secret_key: secret_key(),
    };
    Ok(provider.read(&connection.to_value(), &[request]).await?.remove(0))
}

async fn unknown_caller() {
    let shared = shared();
    let other = AwsConnection::new("444455556666", &shared.cluster.aws.region);
    let connection = ClusterConnection { aws: other, ..shared.cluster.clone() };
    let error = read(&connection, &shared.account).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Denied, Some("Unauthorized")));
    let entry = "aws eks create-access-entry --cluster-name main --principal-arn arn:aws:iam::444455556666:user/sandbox";
    assert!(error.message.contains(entry), "{}", error.message);
}

async fn unreachable() {
    // Of a sandbox without Kubernetes, nobody answers at the endpoint.
    let account = Arc::new(Account::open(Kubernetes::Never).await);
    let environment = Environment::of(Arc::clone(&account), account.connection.to_value());
    let stack = environment.stack();
    stack.output("connection", &account.declare_cluster(&stack, false));
    environment.up(&stack).await;
    let connection =
        ClusterConnection::from_value(&environment.snapshot().await.outputs["connection"]).unwrap();
    // A certificate authority that is one.
    let certificate_authority = shared().cluster.certificate_authority.clone();
    let connection = ClusterConnection { certificate_authority, ..connection };
    let error = read(&connection, &account).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::TimedOut, Some("ClusterUnreachable")));
    assert!(error.message.contains("private"), "{}", error.message);

    environment.destroy().await;
    assert_eq!(read(&connection, &account).await.unwrap(), Observation::Gone);
    let urn: Urn = "kubernetes:core:ConfigMap/settings".parse().unwrap();
    let step = lsinfra_engine::StepContext {
        connection: connection.to_value(),
        ..environment.step(&urn, "l", Arc::new(Deaf))
    };
    let provider = environment.provider(&urn);
    provider.delete(&step, &PhysicalId::new("default/settings"), &properties(&map())).await.unwrap();
    let error = provider.create(&step, &properties(&map())).await.unwrap_err();
    assert!(error.message.contains("the cluster main is gone"), "{}", error.message);
}

async fn untrusted() {
    let shared = shared();
    let certificate = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let certificate_authority =
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, certificate.cert.pem());
    let connection = ClusterConnection { certificate_authority, ..shared.cluster.clone() };
    let error = read(&connection, &shared.account).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Invalid, Some("ClusterUntrusted")));
}

/// A server that answers so, each request once.
fn answering(answers: Vec<&'static str>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for status in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = [0; 8192];
            let _ = stream.read(&mut head).unwrap();
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    url
}

async fn busy() {
    let shared = shared();
    let server =
        answering(vec!["429 Too Many Requests", "503 Service Unavailable", "500 Internal Server Error"]);
    let connection = ClusterConnection { server, ..shared.cluster.clone() };
    for kind in [ErrorKind::Throttled, ErrorKind::Unclear, ErrorKind::Unclear] {
        let error = read(&connection, &shared.account).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.is_transient());
    }
}

async fn lock_lost() {
    let shared = shared();
    let connector = Arc::new(AwsConnector::sandbox(shared.account.serving.url()));
    connector.guard(Arc::new(|| false));
    let mut providers = Providers::default();
    kubernetes::register(&mut providers, Arc::new(KubernetesConnector::new(connector)));
    let environment = Environment::open();
    let urn: Urn = "kubernetes:core:ConfigMap/settings".parse().unwrap();
    let step = environment.step(&urn, "l", Arc::new(Deaf));
    let provider = providers.get(urn.resource_type()).unwrap();
    let error = provider.create(&step, &properties(&map())).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Abandoned, "{error}");
    assert_eq!(read(&shared.cluster, &shared.account).await.unwrap(), Observation::Gone, "nothing was made");
}
