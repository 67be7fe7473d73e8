//! Makes the account like a stack, or removes what it has of one, with the rights of the controller's role.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Account, PartError};
use super::model::{ActionModel, ListenerModel, Stack, TargetGroupModel};
use super::security_groups::{self, Place};
use super::subnets;
use crate::cloud::call::Call;
use crate::cloud::principal::Principal;
use crate::protocol::error::ServiceError;
use crate::services::eks::control_plane;
use crate::services::elbv2::listener::{self, Action};
use crate::services::elbv2::load_balancer::{self, Specification};
use crate::services::elbv2::rule::{self, Rule};
use crate::services::elbv2::target_group::{self, Settings};
use crate::services::iam::permission;
use crate::services::policy_document::Circumstances;

/// The tag of everything that a cluster's controller made, whose value is the cluster's name.
pub(super) const CLUSTER_TAG: &str = "elbv2.k8s.aws/cluster";

type Tags = BTreeMap<String, String>;

/// The controller as it acts in the account.
pub(super) struct Deployer {
    account: Account,
    principal: Principal,
    /// The cluster's name, as the controller was told it.
    cluster: String,
    vpc_id: String,
    /// The security group of the nodes.
    nodes: String,
}

/// What there is of a stack.
pub(super) struct Deployed {
    /// The load balancer's.
    pub(super) hostname: String,
    /// The ARNs of its target groups, by their names.
    pub(super) target_groups: BTreeMap<String, String>,
}

/// What the controller's role may do.
pub(super) struct Rights;

impl Rights {
    /// An action with nothing more to it.
    pub(super) fn plain(&self, call: &Call<'_>, action: &str, arn: &str) -> Result<(), ServiceError> {
        permission::check(call, action, arn, &Circumstances::default())
    }

    /// An action on something in a VPC.
    pub(super) fn in_vpc(
        &self,
        call: &Call<'_>,
        action: &str,
        arn: &str,
        vpc_id: &str,
    ) -> Result<(), ServiceError> {
        let vpc = call.arn("ec2", &format!("vpc/{vpc_id}"));
        permission::check(call, action, arn, &Circumstances::default().with("ec2:Vpc", vpc))
    }

    /// An action that makes something with tags.
    pub(super) fn tagging(
        &self,
        call: &Call<'_>,
        action: &str,
        arn: &str,
        tags: &Tags,
    ) -> Result<(), ServiceError> {
        let tags = tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        permission::check(call, action, arn, &Circumstances::default().tagging(tags))
    }

    /// An action on something that has tags.
    pub(super) fn tagged(
        &self,
        call: &Call<'_>,
        action: &str,
        arn: &str,
        tags: &Tags,
    ) -> Result<(), ServiceError> {
        let tags = tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        permission::check(call, action, arn, &Circumstances::default().tagged(tags))
    }
}

impl Deployer {
    /// The controller with a session of its role; `named` is the cluster's name as its arguments have it.
    pub(super) fn new(
        account: Account,
        principal: Principal,
        named: Option<&str>,
    ) -> Result<Self, PartError> {
        let network = account.look(|call| control_plane::network(call.tables, account.cluster()));
        let (vpc_id, nodes) =
            network.ok_or_else(|| PartError::Object("the cluster is gone from the account".to_owned()))?;
        let cluster = named.unwrap_or(&account.cluster().name).to_owned();
        Ok(Self { principal, cluster, vpc_id, nodes, account })
    }

    /// The cluster's name.
    pub(super) fn cluster(&self) -> &str {
        &self.cluster
    }

    /// Makes the account like a stack.
    pub(super) fn deploy(&self, stack: &Stack) -> Result<Deployed, PartError> {
        let deployed = self.account.change(&self.principal, |call| self.deploy_within(call, stack))?;
        Ok(deployed?)
    }

    /// Removes what the account has of a stack, and what load balancers share unless others need it. Refused as long as
    /// something is still on its way out.
    pub(super) fn remove(&self, prefix: &str, id: &str, has_others: bool) -> Result<(), PartError> {
        let removed =
            self.account.change(&self.principal, |call| self.remove_within(call, prefix, id, has_others))?;
        Ok(removed?)
    }

    fn place(&self) -> Place<'_> {
        Place { cluster: &self.cluster, vpc_id: &self.vpc_id, nodes: &self.nodes, rights: &Rights }
    }

    fn identity(&self, prefix: &str, id: &str) -> Tags {
        Tags::from([
            (CLUSTER_TAG.to_owned(), self.cluster.clone()),
            (format!("{prefix}/stack"), id.to_owned()),
        ])
    }

    fn tags(&self, stack: &Stack, resource: &str) -> Tags {
        let mut tags = stack.tags.clone();
        tags.extend(self.identity(stack.prefix, &stack.id));
        tags.insert(format!("{}/resource", stack.prefix), resource.to_owned());
        tags
    }

    fn deploy_within(&self, call: &mut Call<'_>, stack: &Stack) -> Result<Deployed, ServiceError> {
        let place = self.place();
        let (groups, backend) = match &stack.groups {
            Some(named) => (named.clone(), None),
            None => {
                let tags = self.tags(stack, "ManagedLBSecurityGroup");
                let managed = security_groups::managed(call, &place, stack, tags)?;
                let backend = security_groups::backend(call, &place)?;
                (vec![managed, backend.clone()], Some(backend))
            }
        };
        let balancer = self.balancer(call, stack, groups)?;
        let mut arns = BTreeMap::new();
        for group in &stack.target_groups {
            arns.insert(group.resource.as_str(), self.target_group(call, stack, group)?);
        }
        self.listeners(call, stack, &balancer, &arns)?;
        for (arn, _) in self.own_target_groups(call, stack.prefix, &stack.id) {
            if !arns.values().any(|wanted| *wanted == arn) {
                target_group::unmake(call, &arn)?;
            }
        }
        if let Some(backend) = backend {
            let ports = self.ports(call);
            security_groups::open_nodes(call, &place, &backend, &ports)?;
        }
        let named = stack
            .target_groups
            .iter()
            .filter_map(|group| Some((group.name.clone(), arns.get(group.resource.as_str())?.clone())));
        Ok(Deployed {
            target_groups: named.collect(),
            hostname: load_balancer::find(call, &balancer)?.dns_name.clone(),
        })
    }

    /// The ARN of the stack's load balancer, which is made if it is not there, and made anew if it cannot be changed so.
    fn balancer(
        &self,
        call: &mut Call<'_>,
        stack: &Stack,
        groups: Vec<String>,
    ) -> Result<String, ServiceError> {
        let tags = self.tags(stack, "LoadBalancer");
        let any = call.arn("elasticloadbalancing", "loadbalancer/*");
        if let Some((arn, is_such)) = self.own_balancer(call, stack) {
            if is_such {
                let own = load_balancer::find(call, &arn)?.tags.clone();
                let action = "elasticloadbalancing:ModifyLoadBalancerAttributes";
                Rights.tagged(call, action, &arn, &own)?;
                load_balancer::change(call, &arn, &groups, &stack.attributes, &tags)?;
                return Ok(arn);
            }
            load_balancer::unmake(call, &arn)?;
        }
        Rights.tagging(call, "elasticloadbalancing:CreateLoadBalancer", &any, &tags)?;
        let subnets = match &stack.subnets {
            Some(named) => named.clone(),
            None => subnets::discover(call, &self.cluster, &self.vpc_id, stack.scheme, stack.kind)
                .map_err(|reason| ServiceError::new(400, "SubnetNotFound", reason))?,
        };
        load_balancer::make(
            call,
            Specification {
                name: stack.name.clone(),
                kind: stack.kind,
                scheme: stack.scheme.to_owned(),
                subnets,
                groups,
                attributes: stack.attributes.clone(),
                tags,
            },
        )
    }

    /// The ARN of the stack's load balancer if there is one, and whether it is what is wanted.
    fn own_balancer(&self, call: &Call<'_>, stack: &Stack) -> Option<(String, bool)> {
        let identity = self.identity(stack.prefix, &stack.id);
        let mut all = load_balancer::all(call.tables, &call.scope);
        let (arn, found) = all.find(|(_, balancer)| has(&balancer.tags, &identity))?;
        let is_such = found.scheme == stack.scheme && found.kind == stack.kind && found.name == stack.name;
        Some((arn.to_owned(), is_such))
    }

    fn target_group(
        &self,
        call: &mut Call<'_>,
        stack: &Stack,
        wanted: &TargetGroupModel,
    ) -> Result<String, ServiceError> {
        let settings = Settings {
            name: wanted.name.clone(),
            vpc_id: self.vpc_id.clone(),
            protocol: wanted.protocol.clone(),
            port: wanted.port,
            target_type: wanted.target_type.clone(),
            health_check: wanted.health_check.clone(),
            attributes: wanted.attributes.clone(),
        };
        let own = self.own_target_groups(call, stack.prefix, &stack.id);
        let arn = match own.into_iter().find(|(_, name)| *name == wanted.name) {
            Some((arn, _)) => {
                target_group::change(call, &arn, &settings.health_check, &settings.attributes)?;
                arn
            }
            None => {
                let tags = self.tags(stack, &wanted.resource);
                let any = call.arn("elasticloadbalancing", "targetgroup/*");
                Rights.tagging(call, "elasticloadbalancing:CreateTargetGroup", &any, &tags)?;
                target_group::make(call, settings, tags)?
            }
        };
        let tags = target_group::find(call, &arn)?.tags.clone();
        Rights.tagged(call, "elasticloadbalancing:RegisterTargets", &arn, &tags)?;
        target_group::register(call, &arn, &wanted.targets)?;
        Ok(arn)
    }

    /// The ARNs and names of the target groups of a stack.
    fn own_target_groups(&self, call: &Call<'_>, prefix: &str, id: &str) -> Vec<(String, String)> {
        let identity = self.identity(prefix, id);
        let all = call.tables.elbv2.target_groups.iter(&call.scope);
        let own = all.filter(|(_, group)| has(&group.tags, &identity));
        own.map(|(arn, group)| (arn.to_owned(), group.settings.name.clone())).collect()
    }

    /// The ports of all targets of the cluster.
    fn ports(&self, call: &Call<'_>) -> BTreeSet<u16> {
        let all = call.tables.elbv2.target_groups.iter(&call.scope);
        let own = all.filter(|(_, group)| group.tags.get(CLUSTER_TAG) == Some(&self.cluster));
        own.flat_map(|(_, group)| group.registered()).map(|target| target.port).collect()
    }

    fn listeners(
        &self,
        call: &mut Call<'_>,
        stack: &Stack,
        balancer: &str,
        groups: &BTreeMap<&str, String>,
    ) -> Result<(), ServiceError> {
        let own: Vec<(String, u16)> = listener::of(call.tables, &call.scope, balancer)
            .map(|(arn, listener)| (arn.to_owned(), listener.settings.port))
            .collect();
        for (arn, port) in &own {
            if stack.listeners.iter().all(|wanted| wanted.port != *port) {
                listener::unmake(call, arn);
            }
        }
        for wanted in &stack.listeners {
            let settings = settings(wanted, groups)?;
            let arn = match own.iter().find(|(_, port)| *port == wanted.port) {
                Some((arn, _)) => {
                    listener::change(call, arn, settings)?;
                    arn.clone()
                }
                None => {
                    let tags = load_balancer::find(call, balancer)?.tags.clone();
                    Rights.tagged(call, "elasticloadbalancing:CreateListener", balancer, &tags)?;
                    let tags = self.tags(stack, &wanted.port.to_string());
                    listener::make(call, balancer, settings, tags)?
                }
            };
            let mut rules = Vec::new();
            for (priority, rule) in (1..).zip(&wanted.rules) {
                rules.push(Rule {
                    priority,
                    hosts: rule.hosts.clone(),
                    paths: rule.paths.clone(),
                    action: action(&rule.action, groups)?,
                    tags: self.tags(stack, &format!("{}:{priority}", wanted.port)),
                });
            }
            rule::set(call, &arn, rules);
        }
        Ok(())
    }

    fn remove_within(
        &self,
        call: &mut Call<'_>,
        prefix: &str,
        id: &str,
        has_others: bool,
    ) -> Result<(), ServiceError> {
        let identity = self.identity(prefix, id);
        let balancers: Vec<(String, Tags)> = load_balancer::all(call.tables, &call.scope)
            .filter(|(_, balancer)| has(&balancer.tags, &identity))
            .map(|(arn, balancer)| (arn.to_owned(), balancer.tags.clone()))
            .collect();
        for (arn, tags) in balancers {
            Rights.tagged(call, "elasticloadbalancing:DeleteLoadBalancer", &arn, &tags)?;
            load_balancer::unmake(call, &arn)?;
        }
        for (arn, _) in self.own_target_groups(call, prefix, id) {
            let tags = target_group::find(call, &arn)?.tags.clone();
            Rights.tagged(call, "elasticloadbalancing:DeleteTargetGroup", &arn, &tags)?;
            target_group::unmake(call, &arn)?;
        }
        let place = self.place();
        security_groups::remove_managed(call, &place, &identity)?;
        if !has_others {
            security_groups::remove_backend(call, &place)?;
        }
        Ok(())
    }
}

fn has(tags: &Tags, wanted: &Tags) -> bool {
    wanted.iter().all(|(key, value)| tags.get(key) == Some(value))
}

fn settings(
    wanted: &ListenerModel,
    groups: &BTreeMap<&str, String>,
) -> Result<listener::Settings, ServiceError> {
    Ok(listener::Settings {
        protocol: wanted.protocol.clone(),
        port: wanted.port,
        certificates: wanted.certificates.clone(),
        ssl_policy: wanted.ssl_policy.clone(),
        action: action(&wanted.action, groups)?,
    })
}

fn action(wanted: &ActionModel, groups: &BTreeMap<&str, String>) -> Result<Action, ServiceError> {
    Ok(match wanted {
        ActionModel::Forward(resource) => Action::Forward {
            target_group_arn: groups.get(resource.as_str()).cloned().ok_or_else(|| {
                ServiceError::new(400, "TargetGroupNotFound", format!("no target group of {resource}"))
            })?,
        },
        ActionModel::Redirect(port) => Action::Redirect {
            protocol: "HTTPS".to_owned(),
            port: port.clone(),
            status_code: "HTTP_301".to_owned(),
        },
        ActionModel::FixedResponse(status) => Action::FixedResponse { status_code: (*status).to_owned() },
    })
}
