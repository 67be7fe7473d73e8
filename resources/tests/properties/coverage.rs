//! That nothing is left out: every type has a case, and every input is changed in one.

use std::collections::BTreeSet;
use std::sync::Arc;

use lsinfra_engine::provider::Providers;
use lsinfra_engine::schema::Kind;
use lsinfra_resources::aws::{self, AwsConnector};

use crate::case::Case;
use crate::unseen::UNSEEN;

/// The types that own no object, so that there is nothing to update, to replace or to mend.
const WITHOUT_OBJECTS: &[(&str, &str)] = &[
    ("aws:acm:CertificateValidation", "waits until a certificate is issued"),
    ("aws:ec2:ExistingNetwork", "looks up a VPC and subnets that others own"),
    ("aws:rds:FindFinalSnapshot", "looks up what a deleted instance left"),
    ("aws:route53:FindHostedZone", "looks up the hosted zone of a host name"),
];

/// Fails with all that is left out.
pub(crate) fn verify(cases: &[Case]) {
    let mut providers = Providers::default();
    aws::register(&mut providers, Arc::new(AwsConnector::sandbox("http://127.0.0.1:1")));
    let mut problems = Vec::new();
    for provider in providers.all() {
        let schema = provider.schema();
        let resource_type = schema.resource_type;
        if schema.kind != Kind::Managed {
            if !WITHOUT_OBJECTS.iter().any(|(listed, _)| *listed == resource_type) {
                problems.push(format!("{resource_type} is not listed as one that owns no object"));
            }
            continue;
        }
        let replaces = |name: &&str| schema.input(name).is_some_and(|field| field.replace);
        let of_type = cases.iter().filter(|case| case.resource_type == resource_type);
        let (mut replaced, mut updated) = (BTreeSet::new(), BTreeSet::new());
        for case in of_type {
            for fields in &case.changes {
                let into = if fields.iter().any(replaces) { &mut replaced } else { &mut updated };
                into.extend(fields.iter().copied());
            }
            updated.extend(case.meddling.iter().map(|(field, _)| *field));
        }
        for field in schema.inputs {
            let changed = if field.replace { &replaced } else { &updated };
            if !changed.contains(field.name) {
                problems.push(format!("{resource_type}: {} never changes", field.name));
            }
        }
    }
    for unseen in UNSEEN {
        let schema = providers.get(unseen.resource_type).map(|provider| provider.schema());
        if schema.and_then(|schema| schema.input(unseen.input)).is_none() {
            problems.push(format!("{} has no input {}", unseen.resource_type, unseen.input));
        }
        assert!(unseen.reason.contains("https://"), "{}: a page says so", unseen.input);
    }
    assert!(problems.is_empty(), "left out:\n{}", problems.join("\n"));
}
