//! The AWS Load Balancer Controller, which makes the load balancers of Ingresses.
//! <https://kubernetes-sigs.github.io/aws-load-balancer-controller/>

use lsinfra_engine::{Output, Resource};
use lsinfra_resources::kubernetes::ObjectOutputs;
use lsinfra_resources::kubernetes::meta::DryRun;
use lsinfra_resources::kubernetes::networking::ClusterLoadBalancers;
use serde_json::{Value, json};

use super::super::json::Json;
use super::super::names::{LOAD_BALANCER_CONTROLLER, SYSTEM_NAMESPACE};
use super::super::{Environment, StackError};
use super::{Controller, Controllers, ROLE_ANNOTATION, chart, service_account};

/// <https://github.com/aws/eks-charts/tree/master/stable/aws-load-balancer-controller>
const REPOSITORY: &str = "https://aws.github.io/eks-charts";

/// Declares it, and gives what proves that it works and what it makes.
pub(super) fn declare(
    controllers: &Controllers<'_>,
    namespace: &Resource<ObjectOutputs>,
) -> Result<[Resource<()>; 3], StackError> {
    let (environment, foundation) = (controllers.environment, controllers.foundation);
    let values = Json::new(fixed(environment, controllers.replicas()))
        .with(&["clusterName"], &foundation.control_plane.cluster.name)
        .with(&["vpcId"], foundation.vpc_id)
        .with(
            &["serviceAccount", "annotations", ROLE_ANNOTATION],
            &foundation.roles.load_balancer_controller,
        );
    let release = controllers.add(Controller {
        release: LOAD_BALANCER_CONTROLLER,
        namespace: Output::known(&SYSTEM_NAMESPACE.to_owned()),
        chart: chart(
            REPOSITORY,
            "aws-load-balancer-controller",
            &environment.config.charts.aws_load_balancer_controller,
        ),
        values,
    })?;
    let made = ClusterLoadBalancers { cluster_name: foundation.control_plane.cluster.name.clone().into() };
    let made = controllers.stack.add("main", made)?.depends_on(&release);
    let probe = Json::new(probe_ingress()).with(&["metadata", "namespace"], &namespace.name);
    let accepted = controllers
        .stack
        .run("load-balancer-webhook", DryRun { manifest: probe.output().into() })?
        .depends_on(&release);
    Ok([release.erased(), made.erased(), accepted.erased()])
}

fn fixed(environment: &Environment<'_>, replicas: u8) -> Value {
    let mut values = json!({
        "replicaCount": replicas,
        "region": environment.config.region.as_str(),
        "serviceAccount": service_account(LOAD_BALANCER_CONTROLLER),
        "defaultTargetType": "ip",
        "defaultTags": default_tags(environment),
        // Services of the type LoadBalancer are not used, and one that is stays with whom it was meant for.
        "enableServiceMutatorWebhook": false,
        // Its role has no permissions for these.
        "enableShield": false,
        "enableWaf": false,
        "enableWafv2": false,
        // A new certificate at each upgrade would be unknown to those who have just read the old one.
        "keepTLSSecret": true,
    });
    if replicas > 1 {
        values["podDisruptionBudget"] = json!({"maxUnavailable": 1});
    }
    values
}

/// The environment's tags, as far as the controller's way of writing them down can tell them apart.
fn default_tags(environment: &Environment<'_>) -> Value {
    let is_plain = |text: &str| !text.contains([',', '=']);
    let tags = environment.config.tags.iter().filter(|(key, value)| is_plain(key) && is_plain(value));
    tags.map(|(key, value)| (key.clone(), Value::from(value.as_str())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// An Ingress that nothing comes of: it shows that the controller's webhook answers, without which no Ingress is taken.
fn probe_ingress() -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": "load-balancer-webhook-probe",
            "annotations": {"alb.ingress.kubernetes.io/target-type": "ip"},
        },
        "spec": {
            "ingressClassName": "alb",
            "defaultBackend": {"service": {"name": "probe", "port": {"number": 80}}},
        },
    })
}
