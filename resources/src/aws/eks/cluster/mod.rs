//! Clusters.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_Cluster.html>

mod change;
mod settings;

use std::collections::BTreeMap;
use std::task::Poll;

use async_trait::async_trait;
use aws_sdk_eks::types::{
    Cluster as SdkCluster, ClusterStatus, CreateAccessConfigRequest, KubernetesNetworkConfigRequest,
    UpgradePolicyRequest, VpcConfigRequest,
};
use futures_util::future::try_join_all;
use ipnet::Ipv4Net;
use lsinfra_engine::provider::{ChangeKind, Changes, Existing, Found, Objection, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext, Value,
};

use self::change::{Change, ClusterCalls, encryption};
pub use self::settings::{AuthenticationMode, LogType, SupportType};
use self::settings::{logging, logs_on};
use crate::aws::ec2::{SecurityGroupId, SubnetId, VpcId};
use crate::aws::eks::calls::{
    LIMIT_CLUSTER_NAME, READ_AT_ONCE, change_tags, check_upgrade, check_version, issue, sdk_tags, tags_of,
    texts,
};
use crate::aws::error::During;
use crate::aws::property::{self, problem};
use crate::aws::scope::Scope;
use crate::aws::wait::{MINUTES, until_deleted};
use crate::aws::{Arn, AwsClients, AwsConnection, durations, tags};

/// A cluster: a Kubernetes control plane that AWS runs.
#[derive(Clone, Default, Inputs)]
pub struct Cluster {
    /// Its name, unique in account and region.
    #[input(required, replace, name = 100)]
    pub name: Input<String>,
    /// The minor version of Kubernetes, such as `1.36`. It only ever rises, one minor version after the other.
    #[input(computed)]
    pub version: Input<String>,
    /// The role that EKS takes on for it.
    #[input(required, replace)]
    pub role_arn: Input<Arn>,
    /// The VPC of its subnets. EKS is not told, since the subnets say it; but a cluster cannot leave its VPC, so that
    /// another one here means another cluster.
    #[input(replace)]
    pub vpc_id: Input<VpcId>,
    /// The subnets in which it has its network interfaces, in two zones at least. Others can take their place in the
    /// same VPC and the same zones.
    #[input(required, set)]
    pub subnet_ids: Input<Vec<SubnetId>>,
    /// The security groups of those interfaces, beside the one that EKS makes.
    #[input(set)]
    pub security_group_ids: Input<Vec<SecurityGroupId>>,
    /// Whether its API can be reached from outside the VPC; it is by default.
    pub endpoint_public_access: Input<bool>,
    /// Whether its API can be reached inside the VPC without leaving it; it is not by default.
    pub endpoint_private_access: Input<bool>,
    /// The ranges from which its API can be reached from outside; by default all.
    #[input(set)]
    pub public_access_cidrs: Input<Vec<Ipv4Net>>,
    /// The range of the addresses of services, /12 to /24.
    #[input(replace, computed)]
    pub service_ipv4_cidr: Input<Ipv4Net>,
    /// The control-plane logs that go to CloudWatch: these and no others.
    #[input(set)]
    pub log_types: Input<Vec<LogType>>,
    /// Where it looks for who may use it. It only goes from the ConfigMap towards access entries.
    #[input(computed)]
    pub authentication_mode: Input<AuthenticationMode>,
    /// Whether whoever creates it becomes its administrator; so it is by default.
    #[input(replace)]
    pub bootstrap_creator_admin: Input<bool>,
    /// Whether it comes with AWS's networking add-ons, unmanaged; so it does by default.
    #[input(replace)]
    pub bootstrap_self_managed_addons: Input<bool>,
    /// The KMS key that encrypts its secrets. It can be added to a cluster, but never changed or taken away.
    #[input(replace, restorable)]
    pub encryption_key_arn: Input<Arn>,
    /// What becomes of it when the standard support of its version ends.
    pub support_type: Input<SupportType>,
    /// Whether EKS refuses to delete it.
    pub deletion_protection: Input<bool>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What a cluster gives, once it is active.
#[derive(Clone, Outputs)]
pub struct ClusterOutputs {
    /// Its name.
    pub name: Output<String>,
    /// Its ARN.
    pub arn: Output<Arn>,
    /// The address of its API.
    pub endpoint: Output<String>,
    /// The certificate authority of its API: PEM in base64.
    pub certificate_authority: Output<String>,
    /// The issuer of its service account tokens: an address that an OIDC provider of IAM stands for.
    pub oidc_issuer: Output<String>,
    /// The security group that EKS made for its control plane and its nodes.
    pub security_group_id: Output<SecurityGroupId>,
    /// The minor version of Kubernetes that it has.
    #[output(volatile)]
    pub version: Output<String>,
    /// EKS's own version of its control plane, such as `eks.13`.
    #[output(volatile)]
    pub platform_version: Output<String>,
}

fn outputs(client: &AwsClients, name: &str, cluster: &SdkCluster) -> ClusterOutputs {
    let vpc = cluster.resources_vpc_config();
    let issuer = cluster.identity().and_then(|identity| identity.oidc()).and_then(|oidc| oidc.issuer());
    let authority = cluster.certificate_authority().and_then(|authority| authority.data());
    let text = |text: Option<&str>| property::told(text.map(str::to_owned));
    ClusterOutputs {
        name: name.to_owned().into(),
        arn: client.connection.arn("eks", &format!("cluster/{name}")).into(),
        endpoint: text(cluster.endpoint()),
        certificate_authority: text(authority),
        oidc_issuer: text(issuer),
        security_group_id: property::told(
            vpc.and_then(|vpc| vpc.cluster_security_group_id()).map(SecurityGroupId::new),
        ),
        version: text(cluster.version()),
        platform_version: text(cluster.platform_version()),
    }
}

fn mode(cluster: &SdkCluster) -> Option<AuthenticationMode> {
    let access = cluster.access_config()?;
    access.authentication_mode().and_then(AuthenticationMode::from_sdk)
}

fn encryption_key(cluster: &SdkCluster) -> Option<Arn> {
    let config = cluster.encryption_config().first()?;
    config.provider()?.key_arn().map(Arn::new)
}

fn support_type(cluster: &SdkCluster) -> Option<SupportType> {
    cluster.upgrade_policy()?.support_type().and_then(SupportType::from_sdk)
}

/// Why EKS has given a cluster up, if it has.
fn failure(cluster: &SdkCluster) -> Option<String> {
    if cluster.status() != Some(&ClusterStatus::Failed) {
        return None;
    }
    let issues = cluster.health().map(|health| health.issues()).unwrap_or_default().iter();
    let issues: Vec<String> = issues
        .map(|found| {
            let code = found.code().map_or("Other", |code| code.as_str());
            issue(code, found.message(), found.resource_ids())
        })
        .collect();
    let reasons = if issues.is_empty() { "EKS gives no reason".to_owned() } else { issues.join("; ") };
    Some(format!("the cluster {} failed: {reasons}", cluster.name().unwrap_or_default()))
}

impl Cluster {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<ClusterOutputs, ProviderError> {
        let calls = ClusterCalls { eks: &client.eks, name: id.as_str() };
        let mut cluster = calls.ready(step, None).await?;
        let changes = tags::changes(step, scope, self, |inputs| &inputs.tags, &tags_of(cluster.tags()));
        change_tags(&client.eks, cluster.arn().unwrap_or_default(), changes).await?;
        for change in self.changes(scope, &cluster) {
            calls.make(step, change).await?;
        }
        let version = scope.wanted_or_reset("version", &self.version).flatten();
        if let (Some(wanted), Some(actual)) = (&version, cluster.version()) {
            calls.upgrade(step, actual, wanted).await?;
            cluster = calls.ready(step, Some(wanted)).await?;
        }
        Ok(outputs(client, id.as_str(), &cluster))
    }

    async fn observe(
        client: &AwsClients,
        object: &Existing<Self>,
    ) -> Result<Option<Observed<Self>>, ProviderError> {
        let name = object.id.as_str();
        let cluster = ClusterCalls { eks: &client.eks, name }.get().await?;
        let Some(cluster) = cluster.filter(|found| found.status() != Some(&ClusterStatus::Deleting)) else {
            return Ok(None);
        };
        let recorded = &object.inputs;
        let vpc = cluster.resources_vpc_config();
        let network = cluster.kubernetes_network_config();
        let access = cluster.access_config();
        let ids = |texts: &[String]| texts.iter().map(SubnetId::new).collect::<Vec<_>>();
        let groups = |texts: &[String]| texts.iter().map(SecurityGroupId::new).collect::<Vec<_>>();
        let cidrs = |texts: &[String]| texts.iter().filter_map(|text| text.parse().ok()).collect::<Vec<_>>();
        let inputs = Self {
            name: name.into(),
            version: property::observed(cluster.version().map(str::to_owned)),
            role_arn: property::observed(cluster.role_arn().map(Arn::new)),
            // It never leaves its VPC, so that what was applied stands; what is imported is asked.
            vpc_id: if recorded.vpc_id.is_given() {
                recorded.vpc_id.clone()
            } else {
                property::observed(vpc.and_then(|vpc| vpc.vpc_id()).map(VpcId::new))
            },
            subnet_ids: property::observed(vpc.map(|vpc| ids(vpc.subnet_ids()))),
            security_group_ids: property::observed(vpc.map(|vpc| groups(vpc.security_group_ids()))),
            endpoint_public_access: property::observed(vpc.map(|vpc| vpc.endpoint_public_access())),
            endpoint_private_access: property::observed(vpc.map(|vpc| vpc.endpoint_private_access())),
            public_access_cidrs: property::observed(vpc.map(|vpc| cidrs(vpc.public_access_cidrs()))),
            service_ipv4_cidr: property::observed(
                network.and_then(|network| network.service_ipv4_cidr()?.parse().ok()),
            ),
            log_types: logs_on(cluster.logging()).into(),
            authentication_mode: property::observed(mode(&cluster)),
            bootstrap_creator_admin: property::observed(
                access.and_then(|access| access.bootstrap_cluster_creator_admin_permissions()),
            ),
            // Said once, at the creation, and never told.
            bootstrap_self_managed_addons: recorded.bootstrap_self_managed_addons.clone(),
            encryption_key_arn: property::observed_or_absent(encryption_key(&cluster)),
            support_type: property::observed(support_type(&cluster)),
            deletion_protection: property::observed(cluster.deletion_protection()),
            tags: tags::observed(&tags_of(cluster.tags())).into(),
        };
        Ok(Some(Observed { inputs, outputs: outputs(client, name, &cluster) }))
    }

    fn check_name(&self) -> Option<InputProblem> {
        let name = self.name.get()?;
        let mut characters = name.chars();
        let is_legal = characters.next().is_some_and(|first| first.is_ascii_alphanumeric())
            && characters.all(|character| character.is_ascii_alphanumeric() || "-_".contains(character));
        let message = "letters, digits, hyphens and underscores, the first a letter or digit";
        (!is_legal || name.len() > LIMIT_CLUSTER_NAME)
            .then(|| problem("name", format!("{name:?}: 1 to {LIMIT_CLUSTER_NAME} {message}")))
    }
}

impl Cluster {
    /// What EKS does not do to one that exists.
    fn refused_updates(&self, previous: &Self) -> Vec<InputProblem> {
        let mut problems = Vec::new();
        problems.extend(check_upgrade("cluster", &previous.version, &self.version));
        let modes = (previous.authentication_mode.get(), self.authentication_mode.get());
        if let (Some(before), Some(after)) = modes
            && after < before
        {
            let message = format!(
                "the cluster has {} and EKS never goes back to {}: access entries stay in force",
                before.name(),
                after.name()
            );
            problems.push(problem("authentication_mode", message));
        }
        problems
    }
}

#[async_trait]
impl ResourceType for Cluster {
    const TYPE: &'static str = "aws:eks:Cluster";
    const ID_FORM: &'static str = "its name";
    const SERVICE: &'static str = "eks";
    const CLIENT_TOKEN: bool = true;
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = ClusterOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        problems.extend(self.check_name());
        problems.extend(check_version(&self.version));
        if self.subnet_ids.get().is_some_and(|subnets| subnets.len() < 2) {
            problems.push(problem("subnet_ids", "a cluster needs two subnets at least, in different zones"));
        }
        let is_private = self.endpoint_private_access.get().unwrap_or(false);
        let may_be_private =
            self.endpoint_private_access.is_given() && self.endpoint_private_access.get().is_none();
        if self.endpoint_public_access.get() == Some(false) && !is_private && !may_be_private {
            let message = "without public access, private access must be on, or nobody reaches the cluster";
            problems.push(problem("endpoint_private_access", message));
        }
        let range = self.service_ipv4_cidr.get();
        if range
            .is_some_and(|range| !(12..=24).contains(&range.prefix_len()) || !range.network().is_private())
        {
            problems.push(problem("service_ipv4_cidr", "a range of private addresses, /12 to /24"));
        }
        problems
    }

    fn check_change(&self, previous: &Self, change: ChangeKind) -> Vec<Objection> {
        match change {
            ChangeKind::Update => self.refused_updates(previous).into_iter().map(Objection::from).collect(),
            ChangeKind::Replace | ChangeKind::Recreate => Vec::new(),
        }
    }

    fn predict(&self, connection: &Value) -> ClusterOutputs {
        let name = property::repeated(&self.name);
        let arn = match (self.name.get(), AwsConnection::read(connection)) {
            (Some(name), Ok(connection)) => connection.arn("eks", &format!("cluster/{name}")).into(),
            _ => Output::unknown(),
        };
        ClusterOutputs { name, arn, version: property::repeated(&self.version), ..ClusterOutputs::unknown() }
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let name = self.name.get().unwrap_or_default();
        let cidrs = self.public_access_cidrs.get();
        let vpc = VpcConfigRequest::builder()
            .set_subnet_ids(self.subnet_ids.get().map(texts))
            .set_security_group_ids(self.security_group_ids.get().map(texts))
            .set_endpoint_public_access(self.endpoint_public_access.get())
            .set_endpoint_private_access(self.endpoint_private_access.get())
            .set_public_access_cidrs(cidrs.map(|cidrs| cidrs.iter().map(ToString::to_string).collect()));
        let network = self.service_ipv4_cidr.get().map(|range| {
            KubernetesNetworkConfigRequest::builder().service_ipv4_cidr(range.to_string()).build()
        });
        let access = CreateAccessConfigRequest::builder()
            .set_authentication_mode(self.authentication_mode.get().map(AuthenticationMode::to_sdk))
            .set_bootstrap_cluster_creator_admin_permissions(self.bootstrap_creator_admin.get());
        let has_access = self.authentication_mode.is_given() || self.bootstrap_creator_admin.is_given();
        let upgrade = self
            .support_type
            .get()
            .map(|support_type| UpgradePolicyRequest::builder().support_type(support_type.to_sdk()).build());
        let answer = client
            .eks
            .create_cluster()
            .client_request_token(&step.client_token)
            .name(&name)
            .set_version(self.version.get())
            .set_role_arn(self.role_arn.get().map(String::from))
            .resources_vpc_config(vpc.build())
            .set_kubernetes_network_config(network)
            .set_logging(self.log_types.get().map(|on| logging(&on)))
            .set_encryption_config(self.encryption_key_arn.get().map(|key| vec![encryption(&key)]))
            .set_access_config(has_access.then(|| access.build()))
            .set_bootstrap_self_managed_addons(self.bootstrap_self_managed_addons.get())
            .set_upgrade_policy(upgrade)
            .set_deletion_protection(self.deletion_protection.get())
            .set_tags(Some(sdk_tags(&tags::of_creation(step, &self.tags))))
            .send()
            .await;
        answer.during("CreateCluster")?;
        Ok(PhysicalId::new(name))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<ClusterOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let mut observed = Vec::with_capacity(objects.len());
        for chunk in objects.chunks(READ_AT_ONCE) {
            observed.extend(try_join_all(chunk.iter().map(|object| Self::observe(client, object))).await?);
        }
        Ok(observed)
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<ClusterOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let calls = ClusterCalls { eks: &client.eks, name: id.as_str() };
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let cluster = calls.require().await?;
            tags::require_lineage(step, &format!("the cluster {id}"), &tags_of(cluster.tags()))?;
            if step.unprotected && cluster.deletion_protection() == Some(true) {
                calls.make(step, Change::Protection(false)).await?;
            }
            let request = client.eks.delete_cluster().name(id.as_str());
            request.send().await.during("DeleteCluster").map(|_| ())
        })
        .await?;
        step.poll(MINUTES, || async {
            let state = if calls.get().await?.is_some() { Poll::Pending } else { Poll::Ready(()) };
            Ok((state, format!("cluster {id} is being deleted")))
        })
        .await
    }

    /// A cluster of that name is ours if its tags say so: a name alone proves nothing.
    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let Some(name) = self.name.get() else { return Ok(None) };
        let cluster = ClusterCalls { eks: &client.eks, name: &name }.get().await?;
        let owned = cluster.filter(|cluster| {
            cluster.status() != Some(&ClusterStatus::Deleting)
                && tags::are_owned(step, &tags_of(cluster.tags()))
        });
        Ok(owned.map(|cluster| Found { id: PhysicalId::new(name), failed: failure(&cluster) }))
    }
}

#[cfg(test)]
mod tests {
    use lsinfra_engine::Property;

    use super::*;

    fn problems(cluster: &Cluster) -> Vec<String> {
        cluster.check().into_iter().map(|problem| problem.path).collect()
    }

    #[test]
    fn what_aws_would_refuse_is_a_problem() {
        let subnets = |count: usize| vec![SubnetId::new("subnet-1"); count].into();
        let good = Cluster { name: "langsmith-prod".into(), subnet_ids: subnets(2), ..Cluster::default() };
        assert!(problems(&good).is_empty());
        for (cluster, path) in [
            (Cluster { name: "-a".into(), ..good.clone() }, "name"),
            (Cluster { name: "x".repeat(101).into(), ..good.clone() }, "name"),
            (Cluster { version: "1.36.3".into(), ..good.clone() }, "version"),
            (Cluster { subnet_ids: subnets(1), ..good.clone() }, "subnet_ids"),
            (Cluster { endpoint_public_access: false.into(), ..good.clone() }, "endpoint_private_access"),
            (
                Cluster {
                    service_ipv4_cidr: Ipv4Net::new_assert([8, 8, 0, 0].into(), 16).into(),
                    ..good.clone()
                },
                "service_ipv4_cidr",
            ),
        ] {
            assert_eq!(problems(&cluster), [path]);
        }
        let private = Cluster {
            endpoint_public_access: false.into(),
            endpoint_private_access: Output::unknown().into(),
            ..good
        };
        assert!(problems(&private).is_empty(), "what is not known yet may be right");
    }

    #[test]
    fn versions_and_modes_never_go_back() {
        let at = |version: &str, mode| Cluster {
            version: version.into(),
            authentication_mode: mode,
            ..Cluster::default()
        };
        let api: Input<AuthenticationMode> = AuthenticationMode::Api.into();
        let both: Input<AuthenticationMode> = AuthenticationMode::ApiAndConfigMap.into();
        let before = at("1.35", api.clone());
        assert!(at("1.36", api.clone()).refused_updates(&before).is_empty());
        assert!(at("1.35", api.clone()).refused_updates(&at("1.35", both.clone())).is_empty());
        let found = at("1.34", both).refused_updates(&before);
        let paths: Vec<&str> = found.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["version", "authentication_mode"]);
        assert!(found[0].message.contains("1.35") && found[0].message.contains("1.34"), "{found:?}");
        let unknown = Cluster { version: Output::unknown().into(), ..Cluster::default() };
        assert!(unknown.refused_updates(&before).is_empty());
    }

    #[test]
    fn the_arn_is_known_before_the_cluster_exists() {
        let connection = AwsConnection::new("123456789012", "us-west-2").to_value();
        let cluster = Cluster { name: "c".into(), ..Cluster::default() };
        let arn = cluster.predict(&connection).arn.get().map(String::from);
        assert_eq!(arn.as_deref(), Some("arn:aws:eks:us-west-2:123456789012:cluster/c"));
    }
}
