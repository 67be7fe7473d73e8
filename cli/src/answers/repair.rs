//! The answer of `state repair`.

use lsinfra_engine::snapshot::Finding;
use serde::Serialize;

use super::FORMAT_VERSION;
use crate::render::finding::{Explanation, explain};

/// `state repair`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct StateRepairAnswer {
    format_version: u32,
    /// `<stack>/<environment>`.
    environment: String,
    /// The serial of the new snapshot, null if nothing was repaired.
    serial: Option<u64>,
    /// Everything that was found, repaired or not.
    findings: Vec<FindingAnswer>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct FindingAnswer {
    /// Such as `dangling_dependency`.
    kind: &'static str,
    /// The resource that it is about: of several, the first.
    urn: Option<String>,
    message: String,
    /// What follows from it.
    meaning: &'static str,
    /// What to do if it is left.
    way_out: &'static str,
    /// Whether it was put right.
    repaired: bool,
}

impl StateRepairAnswer {
    /// What was `found`, of which `left` is left.
    pub(crate) fn new(environment: &str, serial: Option<u64>, found: &[Finding], left: &[Finding]) -> Self {
        let findings = found.iter().map(|finding| {
            let Explanation { kind, meaning, way_out } = explain(finding);
            FindingAnswer {
                kind,
                urn: finding.urn().map(ToString::to_string),
                message: finding.to_string(),
                meaning,
                way_out,
                repaired: !left.contains(finding),
            }
        });
        Self {
            format_version: FORMAT_VERSION,
            environment: environment.to_owned(),
            serial,
            findings: findings.collect(),
        }
    }
}
