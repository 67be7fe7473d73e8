//! The changes that bring a cluster to its inputs: EKS takes one kind at a time, and one after the other.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateClusterConfig.html>

use std::net::Ipv4Addr;
use std::task::Poll;

use aws_sdk_eks::Client;
use aws_sdk_eks::types::{
    Cluster as SdkCluster, ClusterStatus, EncryptionConfig, Provider, UpdateAccessConfigRequest,
    UpgradePolicyRequest, VpcConfigRequest,
};
use ipnet::Ipv4Net;
use lsinfra_engine::StepContext;
use lsinfra_engine::provider::{ErrorKind, ProviderError};

use super::settings::{logging, logs_on};
use super::{AuthenticationMode, Cluster, LogType, SupportType, failure};
use crate::aws::Arn;
use crate::aws::eks::calls::{Target, downgrade, finished, minor, same_set, texts, unless_already_so};
use crate::aws::error::{During, found, not_found};
use crate::aws::scope::Scope;
use crate::aws::wait::{MINUTES, until_seen};

/// One kind of change.
pub(super) enum Change {
    Access(AuthenticationMode),
    Encryption(Arn),
    Endpoint { public: bool, private: bool, cidrs: Option<Vec<Ipv4Net>> },
    Logging(Vec<LogType>),
    Protection(bool),
    Support(SupportType),
    Vpc { subnets: Vec<String>, groups: Vec<String> },
}

/// The ranges that a public endpoint answers to when nothing else is said.
fn everywhere() -> Vec<Ipv4Net> {
    vec![Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0)]
}

impl Cluster {
    /// What has to change about a cluster, but for its version.
    pub(super) fn changes(&self, scope: Scope<'_, Self>, actual: &SdkCluster) -> Vec<Change> {
        let mut changes = Vec::new();
        let mode = scope.wanted_or_reset("authentication_mode", &self.authentication_mode).flatten();
        if let Some(mode) = mode
            && super::mode(actual) != Some(mode)
        {
            changes.push(Change::Access(mode));
        }
        let key = scope.wanted_or_reset("encryption_key_arn", &self.encryption_key_arn).flatten();
        if let Some(key) = key
            && super::encryption_key(actual).as_ref() != Some(&key)
        {
            changes.push(Change::Encryption(key));
        }
        changes.extend(self.endpoint_change(scope, actual));
        if let Some(on) = scope.wanted("log_types", &self.log_types, Vec::new()) {
            let is_there = |on: &[LogType]| {
                let actual = logs_on(actual.logging());
                on.iter().all(|kind| actual.contains(kind)) && actual.iter().all(|kind| on.contains(kind))
            };
            if scope.is_change("log_types") || !is_there(&on) {
                changes.push(Change::Logging(on));
            }
        }
        let support = scope.wanted("support_type", &self.support_type, SupportType::Extended);
        if let Some(support) = support
            && (scope.is_change("support_type") || super::support_type(actual) != Some(support))
        {
            changes.push(Change::Support(support));
        }
        if let Some(is_on) = scope.wanted("deletion_protection", &self.deletion_protection, false)
            && (scope.is_change("deletion_protection")
                || actual.deletion_protection().unwrap_or(false) != is_on)
        {
            changes.push(Change::Protection(is_on));
        }
        changes.extend(self.vpc_change(scope, actual));
        changes
    }

    fn endpoint_change(&self, scope: Scope<'_, Self>, actual: &SdkCluster) -> Option<Change> {
        let vpc = actual.resources_vpc_config()?;
        let public = scope.wanted("endpoint_public_access", &self.endpoint_public_access, true);
        let private = scope.wanted("endpoint_private_access", &self.endpoint_private_access, false);
        let cidrs = scope.wanted("public_access_cidrs", &self.public_access_cidrs, everywhere());
        let is_change = ["endpoint_public_access", "endpoint_private_access", "public_access_cidrs"]
            .into_iter()
            .any(|field| scope.is_change(field));
        let differs = public.is_some_and(|public| public != vpc.endpoint_public_access())
            || private.is_some_and(|private| private != vpc.endpoint_private_access())
            || cidrs.as_ref().is_some_and(|cidrs| {
                let wanted: Vec<String> = cidrs.iter().map(ToString::to_string).collect();
                !same_set(&wanted, vpc.public_access_cidrs())
            });
        (is_change || differs).then(|| Change::Endpoint {
            // What is given goes before what is read, which may be out of date.
            public: public
                .or_else(|| self.endpoint_public_access.get())
                .unwrap_or(vpc.endpoint_public_access()),
            private: private
                .or_else(|| self.endpoint_private_access.get())
                .unwrap_or(vpc.endpoint_private_access()),
            cidrs,
        })
    }

    fn vpc_change(&self, scope: Scope<'_, Self>, actual: &SdkCluster) -> Option<Change> {
        let vpc = actual.resources_vpc_config()?;
        let subnets = scope.wanted_or_reset("subnet_ids", &self.subnet_ids).flatten().map(texts);
        let groups = scope.wanted("security_group_ids", &self.security_group_ids, Vec::new()).map(texts);
        let is_change = scope.is_change("subnet_ids") || scope.is_change("security_group_ids");
        let differs = subnets.as_ref().is_some_and(|subnets| !same_set(subnets, vpc.subnet_ids()))
            || groups.as_ref().is_some_and(|groups| !same_set(groups, vpc.security_group_ids()));
        (is_change || differs).then(|| Change::Vpc {
            subnets: subnets
                .or_else(|| self.subnet_ids.get().map(texts))
                .unwrap_or_else(|| vpc.subnet_ids().to_vec()),
            groups: groups
                .or_else(|| self.security_group_ids.get().map(texts))
                .unwrap_or_else(|| vpc.security_group_ids().to_vec()),
        })
    }
}

/// A cluster.
pub(super) struct ClusterCalls<'a> {
    pub(super) eks: &'a Client,
    pub(super) name: &'a str,
}

impl ClusterCalls<'_> {
    /// The cluster; `None` if there is none of that name.
    pub(super) async fn get(&self) -> Result<Option<SdkCluster>, ProviderError> {
        let answer = self.eks.describe_cluster().name(self.name).send().await.during("DescribeCluster");
        Ok(found(answer)?.and_then(|answer| answer.cluster))
    }

    /// The cluster; [`ErrorKind::NotFound`] if there is none of that name.
    pub(super) async fn require(&self) -> Result<SdkCluster, ProviderError> {
        self.get().await?.ok_or_else(|| not_found(format!("the cluster {} does not exist", self.name)))
    }

    /// The cluster once it is active, at a version if one is named.
    pub(super) async fn ready(
        &self,
        step: &StepContext,
        version: Option<&str>,
    ) -> Result<SdkCluster, ProviderError> {
        let window = <Cluster as lsinfra_engine::ResourceType>::CONSISTENCY_WINDOW;
        step.poll(MINUTES, || async {
            let cluster = until_seen(step, window, || self.require()).await?;
            if let Some(reason) = failure(&cluster) {
                return Err(ProviderError::new(ErrorKind::CreationFailed, reason));
            }
            let status = cluster.status().map_or("UNKNOWN", |status| status.as_str()).to_ascii_lowercase();
            let is_there = cluster.status() == Some(&ClusterStatus::Active)
                && version.is_none_or(|version| cluster.version() == Some(version));
            let state = if is_there { Poll::Ready(cluster) } else { Poll::Pending };
            Ok((state, format!("cluster {} is {status}", self.name)))
        })
        .await
    }

    /// Makes one change, and waits for it.
    pub(super) async fn make(&self, step: &StepContext, change: Change) -> Result<(), ProviderError> {
        let request = self.eks.update_cluster_config().name(self.name);
        let request = match change {
            Change::Encryption(key) => return self.encrypt(step, &key).await,
            Change::Access(mode) => {
                let access = UpdateAccessConfigRequest::builder().authentication_mode(mode.to_sdk()).build();
                request.access_config(access)
            }
            Change::Endpoint { public, private, cidrs } => {
                let cidrs = cidrs.map(|cidrs| cidrs.iter().map(ToString::to_string).collect());
                let vpc = VpcConfigRequest::builder()
                    .endpoint_public_access(public)
                    .endpoint_private_access(private)
                    .set_public_access_cidrs(cidrs);
                request.resources_vpc_config(vpc.build())
            }
            Change::Logging(on) => request.logging(logging(&on)),
            Change::Protection(is_on) => request.deletion_protection(is_on),
            Change::Support(support) => {
                let policy = UpgradePolicyRequest::builder().support_type(support.to_sdk()).build();
                request.upgrade_policy(policy)
            }
            Change::Vpc { subnets, groups } => {
                let vpc = VpcConfigRequest::builder()
                    .set_subnet_ids(Some(subnets))
                    .set_security_group_ids(Some(groups));
                request.resources_vpc_config(vpc.build())
            }
        };
        match unless_already_so(request.send().await.during("UpdateClusterConfig"))? {
            Some(answer) => finished(self.eks, step, self.name, Target::Cluster, answer.update).await,
            None => Ok(()),
        }
    }

    async fn encrypt(&self, step: &StepContext, key: &Arn) -> Result<(), ProviderError> {
        let request = self.eks.associate_encryption_config().cluster_name(self.name);
        let answer = request.encryption_config(encryption(key)).send().await;
        let answer = answer.during("AssociateEncryptionConfig")?;
        finished(self.eks, step, self.name, Target::Cluster, answer.update).await
    }

    /// Takes a cluster to a version, one minor version after the other.
    pub(super) async fn upgrade(
        &self,
        step: &StepContext,
        actual: &str,
        wanted: &str,
    ) -> Result<(), ProviderError> {
        let (Some(from), Some(to)) = (minor(actual), minor(wanted)) else {
            let message = format!("cluster {}: no way from version {actual} to {wanted}", self.name);
            return Err(ProviderError::new(ErrorKind::Invalid, message));
        };
        if to < from {
            return Err(ProviderError::new(ErrorKind::Invalid, downgrade("cluster", actual, wanted)));
        }
        for next in from + 1..=to {
            let version = format!("1.{next}");
            let request = self.eks.update_cluster_version().name(self.name).version(&version);
            let answer = request.send().await.during("UpdateClusterVersion")?;
            finished(self.eks, step, self.name, Target::Cluster, answer.update).await?;
            self.ready(step, Some(&version)).await?;
        }
        Ok(())
    }
}

/// The encryption of secrets with a key.
#[expect(deprecated, reason = "EKS encrypts everything by now, and refuses a request that does not say what")]
pub(super) fn encryption(key: &Arn) -> EncryptionConfig {
    let provider = Provider::builder().key_arn(key.as_str()).build();
    EncryptionConfig::builder().resources("secrets").provider(provider).build()
}
