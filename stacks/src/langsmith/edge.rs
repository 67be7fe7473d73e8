//! The edge: the zone of the host name, and a certificate that its records prove.
//!
//! The record of the host name itself comes with the application, whose load balancer it names.

use lsinfra_engine::{Output, Resource, Stack};
use lsinfra_resources::aws::Arn;
use lsinfra_resources::aws::acm::{
    Certificate, CertificateValidation, CertificateValidationOutputs, ValidationRecord,
};
use lsinfra_resources::aws::route53::{FindHostedZone, HostedZone, HostedZoneId, RecordSet, RecordType};

use super::{Environment, StackError};
use crate::config::{EdgeConfig, Zone};

/// How long resolvers keep a validation record. ACM looks for it again whenever it renews.
const VALIDATION_TTL_SECONDS: i64 = 300;

/// The zone that the host name is in.
pub(super) struct ZoneOfName {
    pub(super) id: Output<HostedZoneId>,
    /// What a created zone must be delegated to.
    pub(super) name_servers: Option<Output<Vec<String>>>,
}

/// What the edge gives to the other parts.
pub(super) struct Edge {
    pub(super) zone: ZoneOfName,
    pub(super) certificate_arn: Output<Arn>,
    /// What shows that the certificate is issued: until then it is of no use.
    pub(super) validation: Resource<CertificateValidationOutputs>,
}

pub(super) fn declare(
    stack: &Stack,
    environment: &Environment<'_>,
    config: &EdgeConfig,
) -> Result<Edge, StackError> {
    let zone = zone(stack, environment, config)?;
    let certificate = stack.add(
        "main",
        Certificate {
            domain_name: config.hostname.clone().into(),
            tags: environment.tags("edge").into(),
            ..Certificate::default()
        },
    )?;
    let proof: Output<ValidationRecord> = certificate.validation_records.field(&config.hostname);
    let record = stack.add(
        "validation",
        RecordSet {
            zone_id: zone.id.clone().into(),
            name: proof.map(|record| record.name).into(),
            record_type: RecordType::Cname.into(),
            ttl_seconds: VALIDATION_TTL_SECONDS.into(),
            values: proof.map(|record| vec![record.value]).into(),
            ..RecordSet::default()
        },
    )?;
    let mut validation = CertificateValidation {
        certificate_arn: certificate.arn.clone().into(),
        validation_record_names: [record.name.clone()].into_iter().collect(),
        ..CertificateValidation::default()
    };
    if let Some(name_servers) = &zone.name_servers {
        validation.undelegated_name_servers = name_servers.clone().into();
    }
    let validation = stack.run("main", validation)?;
    Ok(Edge { zone, certificate_arn: certificate.arn.clone(), validation })
}

fn zone(stack: &Stack, environment: &Environment<'_>, config: &EdgeConfig) -> Result<ZoneOfName, StackError> {
    match &config.zone {
        Zone::Existing => {
            let found = stack.run("main", FindHostedZone { hostname: config.hostname.clone().into() })?;
            Ok(ZoneOfName { id: found.id.clone(), name_servers: None })
        }
        Zone::Created(name) => {
            // Another zone has other servers: whoever delegates to this one would have to do it again.
            let zone = stack
                .add(
                    "main",
                    HostedZone {
                        name: name.clone().into(),
                        comment: "LangSmith".into(),
                        tags: environment.tags("edge").into(),
                    },
                )?
                .protect(environment.config.protect);
            Ok(ZoneOfName { id: zone.id.clone(), name_servers: Some(zone.name_servers.clone()) })
        }
    }
}
