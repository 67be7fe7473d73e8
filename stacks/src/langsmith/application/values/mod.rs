//! The values of LangSmith's chart, generated from the config each time.
//!
//! They hold no secret: where the chart wants one, it is told the name of a secret in the cluster. Every optional product
//! is switched off or on by name, since the chart's defaults begin some of them.
//! <https://github.com/langchain-ai/helm/blob/main/charts/langsmith/values.yaml>

mod ingress;
mod known;
mod parts;
mod stores;

use lsinfra_engine::Output;
use lsinfra_resources::aws::Arn;
use serde_json::{Value, json};

pub use known::{UnknownValue, unknown_values};

use super::super::Environment;
use super::super::json::Json;
use super::super::names::{APP_SECRET, LANGSMITH_ACCOUNTS, LANGSMITH_RELEASE};
use super::super::platform::ROLE_ANNOTATION;
use crate::config::{AuthMode, Config, Profile};

const SECONDS_PER_DAY: u32 = 24 * 60 * 60;

/// The annotation by which pods restart when a secret that they read at their start changes.
const SECRETS_ANNOTATION: &str = "lsinfra.dev/secrets";

/// What the values take from other resources.
pub(in crate::langsmith) struct Facts<'a> {
    pub(in crate::langsmith) bucket_name: &'a Output<String>,
    /// The role by which LangSmith reaches its bucket.
    pub(in crate::langsmith) role_arn: &'a Output<Arn>,
    /// The certificate of the host name, if there is one.
    pub(in crate::langsmith) certificate_arn: Option<&'a Output<Arn>>,
    /// The versions of the secrets that its pods read.
    pub(in crate::langsmith) secret_versions: &'a Output<String>,
}

/// The generated values with the user's on top.
pub(in crate::langsmith) fn values(environment: &Environment<'_>, facts: &Facts<'_>) -> Json {
    let config = environment.config;
    let mut values = Json::new(fixed(environment))
        .with(&["commonPodAnnotations", SECRETS_ANNOTATION], facts.secret_versions)
        .with(&["config", "blobStorage", "bucketName"], facts.bucket_name);
    for account in LANGSMITH_ACCOUNTS {
        let path = [part_of(account), "serviceAccount", "annotations", ROLE_ANNOTATION];
        values = values.with(&path, facts.role_arn);
    }
    if let Some(certificate_arn) = facts.certificate_arn {
        values = values.with(&["ingress", "annotations", ingress::CERTIFICATE_ANNOTATION], certificate_arn);
    }
    match &config.langsmith.values {
        Some(user) => values.merged_with(user.values.clone()),
        None => values,
    }
}

/// The key of the part that a service account belongs to: `platformBackend` of `langsmith-platform-backend`.
fn part_of(account: &str) -> &'static str {
    match account.strip_prefix(LANGSMITH_RELEASE).unwrap_or(account) {
        "-platform-backend" => "platformBackend",
        "-queue" => "queue",
        "-ingest-queue" => "ingestQueue",
        _ => "backend",
    }
}

/// What does not come from other resources.
fn fixed(environment: &Environment<'_>) -> Value {
    let config = environment.config;
    let mut values = json!({
        "config": general(environment),
        "ingress": ingress::ingress(environment),
        // What the chart would begin by itself, or what an edition of it may: said here, so that nothing begins unasked.
        "insights": {"enabled": false},
        "polly": {"enabled": false},
        "fleet": {"enabled": false},
        "engine": {"enabled": false},
        "agentGateway": {"enabled": false},
        "presidioAnalyzer": {"enabled": false},
        "hostBackend": {"enabled": false},
        "sandboxes": {"enabled": false},
        "smithdb": {"enabled": false},
        "gateway": {"enabled": false},
        "istioGateway": {"enabled": false},
        "operator": {"enabled": false, "createCRDs": false},
        "postgres": stores::postgres(),
        "redis": stores::redis(),
        "clickhouse": stores::clickhouse(environment),
    });
    for (part, settings) in parts::parts(config) {
        values[part] = settings;
    }
    ingress::frontend(config, &mut values["frontend"]);
    values
}

/// The part `config`: who logs in, where blobs are, for how long traces are kept.
fn general(environment: &Environment<'_>) -> Value {
    let config = environment.config;
    let days = |days: u16| (u32::from(days) * SECONDS_PER_DAY).to_string();
    let mut general = json!({
        "existingSecretName": APP_SECRET,
        "authType": "mixed",
        "initialOrgAdminEmail": config.auth.admin_email,
        "hostname": config.edge.as_ref().map(|edge| edge.hostname.as_str()).unwrap_or_default(),
        "userOrgCreationDisabled": true,
        "personalOrgsDisabled": true,
        "deployment": {"enabled": false},
        "agentBuilder": {"enabled": false},
        "blobStorage": {
            "enabled": true,
            "engine": "S3",
            "apiURL": blob_url(environment),
        },
        "ttl": {
            "enabled": true,
            "ttl_period_seconds": {
                "shortlived": days(config.retention.short_lived_days),
                "longlived": days(config.retention.long_lived_days),
            },
        },
    });
    let is_basic = matches!(config.auth.mode, AuthMode::Basic);
    general["basicAuth"] = json!({"enabled": is_basic});
    general["oauth"] = json!({"enabled": !is_basic});
    general
}

/// The regional endpoint: the chart's default is that of another region.
/// <https://docs.aws.amazon.com/general/latest/gr/s3.html>
fn blob_url(environment: &Environment<'_>) -> String {
    let domain = match environment.connection.partition.as_str() {
        "aws-cn" => "amazonaws.com.cn",
        _ => "amazonaws.com",
    };
    format!("https://s3.{}.{domain}", environment.config.region.as_str())
}

/// The labels by which pods of one part of the chart are told from others.
fn component(part: &str) -> Value {
    json!({"app.kubernetes.io/component": format!("{LANGSMITH_RELEASE}-{part}")})
}

/// Whether parts have the size that production needs.
fn is_prod(config: &Config) -> bool {
    config.profile == Profile::Prod
}
