//! Which version of each chart is installed.
//!
//! They are data: the profiles have those that this release was tested with.

use super::document::Document;

/// The version of each chart, exact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartsConfig {
    /// LangSmith.
    pub langsmith: String,
    /// The AWS Load Balancer Controller.
    pub aws_load_balancer_controller: String,
    /// The cluster autoscaler.
    pub cluster_autoscaler: String,
    /// The External Secrets Operator.
    pub external_secrets: String,
    /// Altinity's operator for ClickHouse.
    pub clickhouse_operator: String,
}

pub(super) fn charts(document: &mut Document<'_>) -> Option<ChartsConfig> {
    let langsmith = version(document, "charts.langsmith");
    let aws_load_balancer_controller = version(document, "charts.aws_load_balancer_controller");
    let cluster_autoscaler = version(document, "charts.cluster_autoscaler");
    let external_secrets = version(document, "charts.external_secrets");
    let clickhouse_operator = version(document, "charts.clickhouse_operator");
    Some(ChartsConfig {
        langsmith: langsmith?,
        aws_load_balancer_controller: aws_load_balancer_controller?,
        cluster_autoscaler: cluster_autoscaler?,
        external_secrets: external_secrets?,
        clickhouse_operator: clickhouse_operator?,
    })
}

/// An exact version: a range would make tomorrow's deployment another one than today's.
fn version(document: &mut Document<'_>, path: &str) -> Option<String> {
    let version = document.text(path)?;
    if !is_exact(&version.value) {
        let message = format!("{:?} is no exact version of a chart", version.value);
        document.problem(&version, path, message, "allowed: such as \"1.2.3\"");
        return None;
    }
    Some(version.value)
}

/// <https://semver.org/>, without build metadata.
fn is_exact(version: &str) -> bool {
    let (numbers, pre_release) = match version.split_once('-') {
        Some((numbers, pre_release)) => (numbers, Some(pre_release)),
        None => (version, None),
    };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_identifier = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    numbers.split('.').count() == 3
        && numbers.split('.').all(is_number)
        && pre_release.is_none_or(|pre_release| pre_release.split('.').all(is_identifier))
}
