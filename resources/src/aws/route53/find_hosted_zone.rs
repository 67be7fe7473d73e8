//! Which of the account's public hosted zones a hostname belongs to.

use async_trait::async_trait;
use lsinfra_engine::provider::{ErrorKind, ProviderError, TaskType};
use lsinfra_engine::schema::Kind;
use lsinfra_engine::{Input, InputProblem, Inputs, Output, Outputs, StepContext};

use crate::aws::AwsClients;
use crate::aws::error::During;
use crate::aws::property::problem;
use crate::aws::route53::HostedZoneId;
use crate::aws::route53::names::{bare_id, is_within, normal, problem_of};

/// Looks up the public hosted zone whose name is the longest suffix of a hostname. Private zones do not count.
#[derive(Clone, Default, Inputs)]
pub struct FindHostedZone {
    /// The hostname, such as `langsmith.example.com`.
    #[input(required)]
    pub hostname: Input<String>,
}

/// The zone.
#[derive(Clone, Outputs)]
pub struct FindHostedZoneOutputs {
    /// Its id.
    pub id: Output<HostedZoneId>,
    /// Its domain name, without a dot at its end.
    pub name: Output<String>,
}

/// The ids and the name of the zones with the longest name that `hostname` is within.
fn longest<'z>(hostname: &str, zones: &'z [(String, String)]) -> Option<(&'z str, Vec<&'z str>)> {
    let matching = || zones.iter().filter(|(_, name)| is_within(hostname, name));
    let (_, name) = matching().max_by_key(|(_, name)| name.len())?;
    Some((name, matching().filter(|(_, other)| other == name).map(|(id, _)| id.as_str()).collect()))
}

#[async_trait]
impl TaskType for FindHostedZone {
    const TYPE: &'static str = "aws:route53:FindHostedZone";
    const KIND: Kind = Kind::Lookup;
    const SERVICE: &'static str = "route53";

    type Outputs = FindHostedZoneOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let hostname = self.hostname.get();
        hostname
            .and_then(|name| problem_of(&name))
            .map(|text| problem("hostname", text))
            .into_iter()
            .collect()
    }

    async fn run(
        &self,
        client: &AwsClients,
        _step: &StepContext,
    ) -> Result<FindHostedZoneOutputs, ProviderError> {
        let hostname = normal(&self.hostname.get().unwrap_or_default());
        let pages = client.route53.list_hosted_zones().into_paginator().items().send();
        let zones = pages.try_collect().await.during("ListHostedZones")?;
        let zones: Vec<(String, String)> = zones
            .iter()
            .filter(|zone| !zone.config().is_some_and(|config| config.private_zone()))
            .map(|zone| (bare_id(zone.id()).to_owned(), normal(zone.name())))
            .collect();
        let account = &client.connection.account;
        match longest(&hostname, &zones) {
            Some((name, ids)) if ids.len() == 1 => Ok(FindHostedZoneOutputs {
                id: HostedZoneId::new(ids[0]).into(),
                name: name.to_owned().into(),
            }),
            Some((name, ids)) => {
                let message = format!(
                    "the account {account} has {} public hosted zones {name} ({}): which of them is meant for {hostname} cannot be told",
                    ids.len(),
                    ids.join(", "),
                );
                Err(ProviderError::new(ErrorKind::Invalid, message))
            }
            None => {
                let message = format!(
                    "the account {account} has no public hosted zone that {hostname} belongs to: none of {} has a name that it ends with",
                    zones.len(),
                );
                Err(ProviderError::new(ErrorKind::Invalid, message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_wins_and_may_be_shared() {
        let zones = ["example.com", "eu.example.com", "eu.example.com", "other.org"];
        let zones: Vec<(String, String)> =
            zones.iter().zip(1..).map(|(name, number)| (format!("Z{number}"), (*name).to_owned())).collect();
        assert_eq!(longest("a.example.com", &zones), Some(("example.com", vec!["Z1"])));
        assert_eq!(longest("a.eu.example.com", &zones), Some(("eu.example.com", vec!["Z2", "Z3"])));
        assert_eq!(longest("anexample.com", &zones), None);
    }
}
