//! What a record set answers with.

use aws_sdk_route53::types::{AliasTarget as SdkAliasTarget, RrType};
use lsinfra_engine::Property;
use lsinfra_engine::provider::ProviderError;
use serde::{Deserialize, Serialize};

use crate::aws::error::built;
use crate::aws::route53::names::normal;

/// The type of a record set.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordType {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// The certificate authorities that may issue certificates.
    Caa,
    /// Another name.
    Cname,
    /// Mail servers.
    Mx,
    /// Name servers, of a zone that is delegated.
    Ns,
    /// Servers of a service.
    Srv,
    /// Texts, each in quotation marks.
    Txt,
}

impl RecordType {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Caa => "CAA",
            Self::Cname => "CNAME",
            Self::Mx => "MX",
            Self::Ns => "NS",
            Self::Srv => "SRV",
            Self::Txt => "TXT",
        }
    }

    pub(super) fn to_sdk(self) -> RrType {
        RrType::from(self.name())
    }

    /// The type of that name, if it is one of these.
    pub(super) fn named(name: &str) -> Option<Self> {
        let all = [Self::A, Self::Aaaa, Self::Caa, Self::Cname, Self::Mx, Self::Ns, Self::Srv, Self::Txt];
        all.into_iter().find(|kind| kind.name() == name)
    }
}

/// What an alias stands for, such as a load balancer.
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html>
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(deny_unknown_fields)]
pub struct AliasTarget {
    /// The zone of the target: for a load balancer the one that it tells as its own, not the zone of the record.
    pub zone_id: String,
    /// The target's name.
    pub dns_name: String,
    /// Whether the record answers only while the target is healthy.
    pub evaluate_target_health: bool,
}

impl AliasTarget {
    pub(super) fn to_sdk(&self) -> Result<SdkAliasTarget, ProviderError> {
        let target = SdkAliasTarget::builder()
            .hosted_zone_id(&self.zone_id)
            .dns_name(&self.dns_name)
            .evaluate_target_health(self.evaluate_target_health);
        built(target.build())
    }

    pub(super) fn from_sdk(target: &SdkAliasTarget) -> Self {
        Self {
            zone_id: target.hosted_zone_id().to_owned(),
            dns_name: normal(target.dns_name()),
            evaluate_target_health: target.evaluate_target_health(),
        }
    }

    /// Whether two targets mean the same, although Route 53 writes names in its own way.
    pub(super) fn is_equivalent(&self, other: &Self) -> bool {
        let normal = |target: &Self| Self { dns_name: normal(&target.dns_name), ..target.clone() };
        normal(self) == normal(other)
    }
}
