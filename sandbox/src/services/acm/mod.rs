//! Certificate Manager: public certificates, validated by DNS. A certificate is issued once the public DNS, which is all
//! accounts' hosted zones in Route 53, has the records that it asks for.
//! <https://docs.aws.amazon.com/acm/latest/APIReference/Welcome.html>

mod certificate;
mod describe;
mod request;
mod tags;
#[cfg(test)]
mod tests;

pub(crate) use certificate::{covering, is_issued};

use jiff::Timestamp;

use super::{Item, Service, Tables, by_target};
use crate::cloud::call::{Operation, changes, reads};
use crate::cloud::table::tables;
use crate::protocol::error::Protocol;
use crate::protocol::json::JsonService;
use crate::protocol::request::Request;

tables! {
    /// What ACM keeps.
    pub(crate) struct AcmTables {
        /// Certificates by ARN.
        certificates: certificate::Certificate = ("acm/certificate", Eventual),
    }
}

/// How ACM speaks awsJson.
static WIRE: JsonService = JsonService {
    version: "1.1",
    target: "CertificateManager",
    namespace: "",
    invalid: "ValidationException",
    throttled: |_| ("ThrottlingException", "Rate exceeded"),
    server_error: "InternalFailure",
};

const OPERATIONS: &[Operation] = &[
    changes("RequestCertificate", request::request_certificate),
    reads("DescribeCertificate", describe::describe_certificate),
    reads("ListCertificates", describe::list_certificates),
    changes("DeleteCertificate", certificate::delete_certificate),
    changes("AddTagsToCertificate", tags::add_tags_to_certificate),
    changes("RemoveTagsFromCertificate", tags::remove_tags_from_certificate),
    reads("ListTagsForCertificate", tags::list_tags_for_certificate),
];

/// The service.
pub(crate) struct Acm;

impl Service for Acm {
    fn name(&self) -> &'static str {
        "acm"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Json(&WIRE)
    }

    fn operation(&self, request: &Request) -> Result<&'static Operation, String> {
        by_target(OPERATIONS, &WIRE, request)
    }

    fn operations(&self) -> Vec<&'static str> {
        OPERATIONS.iter().map(|operation| operation.name).collect()
    }

    fn settle(&self, tables: &mut Tables, now: Timestamp) {
        certificate::settle(tables, now);
    }

    fn inventory(&self, tables: &Tables, _now: Timestamp) -> Vec<Item> {
        let certificates = tables.acm.certificates.all();
        let items = certificates.map(|(scope, arn, certificate)| Item {
            service: "acm".to_owned(),
            kind: "certificate".to_owned(),
            id: arn.to_owned(),
            account: scope.account.to_string(),
            region: scope.region.to_string(),
            tags: certificate.tags.clone(),
        });
        items.collect()
    }
}
