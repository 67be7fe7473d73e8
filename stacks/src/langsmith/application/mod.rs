//! The application: LangSmith itself, and its name in the DNS.

mod values;

use lsinfra_engine::{Output, Resource, Stack};
use lsinfra_resources::aws::Arn;
use lsinfra_resources::aws::route53::{AliasTarget, RecordSet, RecordType};
use lsinfra_resources::helm::{Chart, Release};
use lsinfra_resources::kubernetes::networking::IngressLoadBalancer;

use super::data::Data;
use super::edge::Edge;
use super::names::{LANGSMITH_INGRESS, LANGSMITH_RELEASE};
use super::platform::Platform;
use super::secrets::{Connections, Generated};
use super::workload_roles::WorkloadRoles;
use super::{Environment, StackError};
use crate::config::{ClickhouseMode, Config, EdgeConfig};

pub use values::{UnknownValue, unknown_values};

/// <https://github.com/langchain-ai/helm>
const REPOSITORY: &str = "https://langchain-ai.github.io/helm";
const CHART: &str = "langsmith";

/// The chart of LangSmith at the version of the config.
pub fn chart(config: &Config) -> Chart {
    Chart {
        repository: REPOSITORY.to_owned(),
        name: CHART.to_owned(),
        version: config.charts.langsmith.clone(),
        digest: None,
    }
}

/// How long one hook may take: the first migrations of ClickHouse are the longest.
const HOOK_SECONDS: u64 = 45 * 60;

/// How long pods may take: nodes come first, and images of gigabytes.
const ROLLOUT_SECONDS: u64 = 30 * 60;

/// What LangSmith stands on.
pub(super) struct Foundation<'a> {
    pub(super) platform: &'a Platform,
    pub(super) data: &'a Data,
    pub(super) roles: &'a WorkloadRoles,
    pub(super) generated: &'a Generated,
    pub(super) connections: &'a Connections,
    /// The zone of its name and the certificate, if it has one.
    pub(super) edge: Option<(&'a EdgeConfig, &'a Edge)>,
}

/// Declares LangSmith, and gives the host name of its load balancer. `stack` is a place whose connection is that of the
/// cluster, `dns` one that is the account's.
pub(super) fn declare(
    stack: &Stack,
    dns: &Stack,
    environment: &Environment<'_>,
    foundation: &Foundation<'_>,
) -> Result<Output<String>, StackError> {
    let platform = foundation.platform;
    let certificate_arn: Option<&Output<Arn>> = foundation.edge.map(|(_, edge)| &edge.certificate_arn);
    let facts = values::Facts {
        bucket_name: &foundation.data.blobs.name,
        role_arn: &foundation.roles.langsmith,
        certificate_arn,
        secret_versions: &secret_versions(foundation),
    };
    let release = Release {
        name: LANGSMITH_RELEASE.into(),
        namespace: platform.namespace.clone().into(),
        chart: chart(environment.config).into(),
        values: values::values(environment, &facts).output().into(),
        apply_crds: true.into(),
        hook_timeout_seconds: HOOK_SECONDS.into(),
        rollout_timeout_seconds: ROLLOUT_SECONDS.into(),
        ..Release::default()
    };
    // Where the chart brings ClickHouse, its data goes with the release.
    let config = environment.config;
    let holds_data = config.clickhouse.mode == ClickhouseMode::Single;
    let release = stack.add(LANGSMITH_RELEASE, release)?.protect(config.protect && holds_data);
    let release = platform.parts.iter().fold(release, Resource::depends_on);
    let validation = foundation.edge.map(|(_, edge)| &edge.validation);
    let release = validation.into_iter().fold(release, Resource::depends_on);

    let load_balancer = stack.add(
        LANGSMITH_RELEASE,
        IngressLoadBalancer {
            namespace: release.namespace.clone().into(),
            ingress: LANGSMITH_INGRESS.into(),
        },
    )?;
    let load_balancer = load_balancer.depends_on(&release);
    if let Some((config, edge)) = foundation.edge {
        let target = load_balancer.hosted_zone_id.zip(&load_balancer.hostname);
        let target = target.map(|(zone_id, dns_name): (String, String)| AliasTarget {
            zone_id,
            dns_name,
            evaluate_target_health: false,
        });
        dns.add(
            LANGSMITH_RELEASE,
            RecordSet {
                zone_id: edge.zone.id.clone().into(),
                name: config.hostname.as_str().into(),
                record_type: RecordType::A.into(),
                alias: target.into(),
                ..RecordSet::default()
            },
        )?;
    }
    Ok(load_balancer.hostname.clone())
}

/// The versions of all that LangSmith's pods read at their start, as one text.
fn secret_versions(foundation: &Foundation<'_>) -> Output<String> {
    let (generated, connections) = (foundation.generated, foundation.connections);
    let read = [&generated.app, &connections.postgres, &connections.redis, &generated.clickhouse];
    Output::all(read.map(|delivered| delivered.secret.version_id.clone())).map(|versions| versions.join(" "))
}
