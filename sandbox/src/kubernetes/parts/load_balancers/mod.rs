//! The AWS Load Balancer Controller's part: what Ingresses of its class and Services of type LoadBalancer ask for is made in
//! Elastic Load Balancing and EC2, with the rights of the controller's role, and removed with them.
//! <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/>
//!
//! [`ingress`] and [`service`] say what is asked for, as a [`model::Stack`]; [`deploy`] makes the account like it.

mod annotations;
mod bindings;
mod deploy;
mod ingress;
mod model;
mod security_groups;
mod service;
mod subnets;
mod workloads;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use kube::api::{Api, Patch, PatchParams};
use kube::runtime::reflector::Store;
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;

use self::deploy::Deployer;
use self::model::Stack;
use self::workloads::Workloads;
use super::events::Events;
use super::{Context, Controller, Deployed, PartError, finalizers};

/// The label of the controller's deployment.
const CONTROLLER: &str = "aws-load-balancer-controller";
/// The controller that classes of Ingresses name.
const INGRESS_CONTROLLER: &str = "ingress.k8s.aws/alb";
/// How long what failed is left alone, as long as nothing else is asked for.
const TRY_AGAIN: Duration = Duration::from_millis(500);
/// The manager of the fields that the controller sets.
const FIELD_MANAGER: &str = "aws-load-balancer-controller";

/// The part.
pub(super) struct LoadBalancers {
    context: Context,
    deployed: Deployed,
    classes: Store<IngressClass>,
    ingresses: Store<Ingress>,
    workloads: Workloads,
    events: Events,
    /// How it stands with what was asked for, by stack.
    known: BTreeMap<String, Known>,
}

/// What is remembered of a stack.
struct Known {
    stack: Option<Stack>,
    /// When it failed last, if it did.
    failed: Option<Instant>,
}

/// What has become of a stack.
enum Outcome {
    /// It is there, under this host name.
    Answers(String),
    /// It is gone.
    Gone,
    /// It is on its way out.
    Going,
}

/// Those that share a load balancer.
struct Group {
    id: String,
    finalizer: String,
    members: Vec<Arc<Ingress>>,
    /// Those that are to go, or ask for something else by now.
    leaving: Vec<Arc<Ingress>>,
}

impl Controller for LoadBalancers {
    async fn begin(context: Context) -> Result<Self, PartError> {
        let client = &context.client;
        let part = Self {
            deployed: context.deployed(),
            classes: context.watch(Api::all(client.clone())),
            ingresses: context.watch(Api::all(client.clone())),
            workloads: Workloads::watch(&context),
            events: Events::new(client.clone(), "ingress"),
            known: BTreeMap::new(),
            context: context.clone(),
        };
        // Without all of them something would look as if it were not there.
        part.classes.wait_until_ready().await?;
        part.ingresses.wait_until_ready().await?;
        part.workloads.wait_until_ready().await?;
        Ok(part)
    }

    async fn reconcile(&mut self) -> Result<(), PartError> {
        let Some(controller) = self.deployed.ready(CONTROLLER) else {
            // Another one may begin anew.
            self.known.clear();
            return Ok(());
        };
        let mut first_error = None;
        for group in self.groups() {
            if let Err(error) = self.reconcile_group(&controller, group).await {
                first_error.get_or_insert(error);
            }
        }
        for service in self.workloads.services.state() {
            if let Err(error) = self.reconcile_service(&controller, &service).await {
                first_error.get_or_insert(error);
            }
        }
        first_error.map_or(Ok(()), Err)
    }
}

impl LoadBalancers {
    /// The Ingresses that are the controller's business, by what they share.
    fn groups(&self) -> Vec<Group> {
        let mut groups: BTreeMap<String, Group> = BTreeMap::new();
        let is_ours = |name: &str| {
            let class = self.classes.find(|class| class.name_any() == name);
            class.and_then(|class| class.spec.as_ref()?.controller.clone()).as_deref()
                == Some(INGRESS_CONTROLLER)
        };
        for ingress in self.ingresses.state() {
            let class = ingress.spec.as_ref().and_then(|spec| spec.ingress_class_name.as_deref());
            let by_annotation =
                ingress.annotations().get("kubernetes.io/ingress.class").is_some_and(|class| class == "alb");
            let wants = by_annotation || class.is_some_and(is_ours);
            let (id, finalizer) = ingress::group_of(&ingress);
            let is_member = wants && ingress.metadata.deletion_timestamp.is_none();
            for held in ingress::finalizers(&ingress).filter(|held| !is_member || *held != finalizer) {
                let id = ingress::group_of_finalizer(&ingress, held);
                let group = groups.entry(id.clone()).or_insert_with(|| Group::new(id, held.to_owned()));
                group.leaving.push(Arc::clone(&ingress));
            }
            if is_member {
                let group = groups.entry(id.clone()).or_insert_with(|| Group::new(id, finalizer));
                group.members.push(ingress);
            }
        }
        groups.into_values().collect()
    }

    async fn reconcile_group(&mut self, controller: &Deployment, group: Group) -> Result<(), PartError> {
        let Group { id, finalizer, members, leaving } = group;
        for ingress in &members {
            finalizers::hold(&self.api(&**ingress), &**ingress, &finalizer).await?;
        }
        let key = format!("{}/{id}", ingress::PREFIX);
        let deployer = self.deployer(controller);
        let built = match &deployer {
            Ok(deployer) if !members.is_empty() => {
                let workloads = &self.workloads;
                self.context
                    .account
                    .look(|call| ingress::build(call, deployer.cluster(), &id, &members, workloads))
                    .map(Some)
            }
            Ok(_) => Ok(None),
            Err(error) => Err(error.to_string()),
        };
        let stack = match built {
            Ok(stack) => stack,
            Err(reason) => {
                let text = format!("Failed build model due to {reason}");
                for ingress in members.iter().chain(&leaving) {
                    self.events.tell(&**ingress, true, "FailedBuildModel", &text).await?;
                }
                return Err(PartError::Object(format!("{key}: {reason}")));
            }
        };
        let Ok(deployer) = deployer else { return Ok(()) };
        if !self.is_due(&key, stack.as_ref(), !leaving.is_empty()) {
            return Ok(());
        }
        match self.bring_about(&deployer, (ingress::PREFIX, &id), key, stack).await {
            Ok(Outcome::Answers(hostname)) => {
                for ingress in &members {
                    self.answer_ingress(ingress, &hostname).await?;
                    let text = "Successfully reconciled";
                    self.events.tell(&**ingress, false, "SuccessfullyReconciled", text).await?;
                }
            }
            Ok(Outcome::Gone) => {}
            Ok(Outcome::Going) => return Ok(()),
            Err(error) => {
                let text = format!("Failed deploy model due to {error}");
                for ingress in members.iter().chain(&leaving) {
                    self.events.tell(&**ingress, true, "FailedDeployModel", &text).await?;
                }
                return Err(error);
            }
        }
        for ingress in leaving {
            finalizers::release(&self.api(&*ingress), &*ingress, &finalizer).await?;
        }
        Ok(())
    }

    async fn reconcile_service(
        &mut self,
        controller: &Deployment,
        service: &Arc<Service>,
    ) -> Result<(), PartError> {
        let is_member = service::is_ours(service) && service.metadata.deletion_timestamp.is_none();
        let is_held = service.finalizers().iter().any(|held| held == service::FINALIZER);
        if !is_member && !is_held {
            return Ok(());
        }
        if is_member {
            finalizers::hold(&self.api(&**service), &**service, service::FINALIZER).await?;
        }
        let id = format!("{}/{}", service.namespace().unwrap_or_default(), service.name_any());
        let key = format!("{}/{id}", service::PREFIX);
        let deployer = self.deployer(controller);
        let built = match &deployer {
            Ok(deployer) if is_member => {
                service::build(deployer.cluster(), &id, service, &self.workloads).map(Some)
            }
            Ok(_) => Ok(None),
            Err(error) => Err(error.to_string()),
        };
        let stack = match built {
            Ok(stack) => stack,
            Err(reason) => {
                let text = format!("Failed build model due to {reason}");
                self.events.tell(&**service, true, "FailedBuildModel", &text).await?;
                return Err(PartError::Object(format!("{key}: {reason}")));
            }
        };
        let Ok(deployer) = deployer else { return Ok(()) };
        if !self.is_due(&key, stack.as_ref(), !is_member) {
            return Ok(());
        }
        match self.bring_about(&deployer, (service::PREFIX, &id), key, stack).await {
            Ok(Outcome::Answers(hostname)) => {
                self.answer_service(service, &hostname).await?;
                let text = "Successfully reconciled";
                self.events.tell(&**service, false, "SuccessfullyReconciled", text).await
            }
            Ok(Outcome::Going) => Ok(()),
            Ok(Outcome::Gone) => {
                let status = json!({"status": {"loadBalancer": null}});
                self.patch_status(&**service, &status).await?;
                finalizers::release(&self.api(&**service), &**service, service::FINALIZER).await
            }
            Err(error) => {
                let text = format!("Failed deploy model due to {error}");
                self.events.tell(&**service, true, "FailedDeployModel", &text).await?;
                Err(error)
            }
        }
    }

    /// Makes the account like a stack, or removes what it has of one.
    async fn bring_about(
        &mut self,
        deployer: &Deployer,
        (prefix, id): (&'static str, &str),
        key: String,
        stack: Option<Stack>,
    ) -> Result<Outcome, PartError> {
        let client = &self.context.client;
        let outcome = match &stack {
            Some(stack) => match deployer.deploy(stack) {
                Ok(deployed) => {
                    let kept = bindings::keep(client, stack, &deployed.target_groups).await;
                    kept.map(|()| Outcome::Answers(deployed.hostname))
                }
                Err(error) => Err(error),
            },
            None => match deployer.remove(prefix, id, self.others(&key)) {
                Ok(()) => {
                    bindings::remove(client, prefix, id, &BTreeSet::new()).await.map(|()| Outcome::Gone)
                }
                // The interfaces of a load balancer outlive it by a moment.
                Err(PartError::Refused(error)) if error.code == "DependencyViolation" => Ok(Outcome::Going),
                Err(error) => Err(error),
            },
        };
        let failed = (!matches!(outcome, Ok(Outcome::Answers(_) | Outcome::Gone))).then(Instant::now);
        self.known.insert(key, Known { stack, failed });
        outcome
    }

    /// Whether there is something to be done for a stack now.
    fn is_due(&self, key: &str, stack: Option<&Stack>, is_leaving: bool) -> bool {
        match self.known.get(key) {
            None => true,
            Some(known) if known.stack.as_ref() != stack => true,
            Some(Known { failed: Some(at), .. }) => at.elapsed() >= TRY_AGAIN,
            // Somebody may have left that was not there the last time.
            Some(_) => is_leaving,
        }
    }

    /// Whether anything else needs what load balancers share.
    fn others(&self, key: &str) -> bool {
        let holds = |finalizers: &[String]| {
            finalizers.iter().any(|one| one == service::FINALIZER || ingress::is_finalizer(one))
        };
        let ingresses = self.ingresses.state();
        let mut keys = ingresses
            .iter()
            .filter(|one| one.metadata.deletion_timestamp.is_none() && holds(one.finalizers()))
            .map(|one| format!("{}/{}", ingress::PREFIX, ingress::group_of(one).0));
        let services = self.workloads.services.state();
        let mut of_services = services
            .iter()
            .filter(|one| one.metadata.deletion_timestamp.is_none() && holds(one.finalizers()))
            .map(|one| {
                let namespace = one.namespace().unwrap_or_default();
                format!("{}/{namespace}/{}", service::PREFIX, one.name_any())
            });
        keys.any(|other| other != key) || of_services.any(|other| other != key)
    }

    /// The controller as it acts in the account: its role's session, and the cluster as its arguments have it.
    fn deployer(&self, controller: &Deployment) -> Result<Deployer, PartError> {
        let pod = controller.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
        let arguments = pod.into_iter().flat_map(|pod| &pod.containers).flat_map(|container| &container.args);
        let named = arguments.flatten().find_map(|argument| argument.strip_prefix("--cluster-name="));
        let session = self.workloads.service_accounts.session_of(&self.context.account, controller);
        let Some(session) = session else {
            // The pods' role would be the node's, which they cannot reach through one hop of the network.
            return Err(PartError::Object(
                "no EC2 IMDS role found, operation error ec2imds: GetMetadata".to_owned(),
            ));
        };
        Deployer::new(self.context.account.clone(), session?, named)
    }

    async fn answer_ingress(&self, ingress: &Ingress, hostname: &str) -> Result<(), PartError> {
        let status = ingress.status.as_ref().and_then(|status| status.load_balancer.as_ref());
        let mut shown = status.and_then(|status| status.ingress.as_ref()).into_iter().flatten();
        if shown.any(|one| one.hostname.as_deref() == Some(hostname)) {
            return Ok(());
        }
        let status = json!({"status": {"loadBalancer": {"ingress": [{"hostname": hostname}]}}});
        self.patch_status(ingress, &status).await
    }

    async fn answer_service(&self, service: &Service, hostname: &str) -> Result<(), PartError> {
        let status = service.status.as_ref().and_then(|status| status.load_balancer.as_ref());
        let mut shown = status.and_then(|status| status.ingress.as_ref()).into_iter().flatten();
        if shown.any(|one| one.hostname.as_deref() == Some(hostname)) {
            return Ok(());
        }
        let status = json!({"status": {"loadBalancer": {"ingress": [{"hostname": hostname}]}}});
        self.patch_status(service, &status).await
    }

    async fn patch_status<K>(&self, object: &K, status: &serde_json::Value) -> Result<(), PartError>
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope> + Clone + std::fmt::Debug + DeserializeOwned,
        K::DynamicType: Default,
    {
        let api = self.api(object);
        let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        api.patch_status(&object.name_any(), &params, &Patch::Merge(status)).await?;
        Ok(())
    }

    fn api<K>(&self, object: &K) -> Api<K>
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.context.client.clone(), &object.namespace().unwrap_or_default())
    }
}

impl Group {
    fn new(id: String, finalizer: String) -> Self {
        Self { id, finalizer, members: Vec::new(), leaving: Vec::new() }
    }
}
