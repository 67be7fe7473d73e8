//! Each type through its life: made, kept as it is, changed, mended, replaced, found after a crash, taken over, deleted.

use std::collections::BTreeMap;
use std::sync::Arc;

use libtest_mimic::Trial;
use lsinfra_engine::plan::{Action, Reason, Step};
use lsinfra_engine::provider::Observation;
use lsinfra_engine::{ResourceType, Secret as SecretValue, Urn};
use lsinfra_resources::kubernetes::core::{
    ConfigMap, LocalObjectReference, Namespace, Secret, ServiceAccount,
};
use lsinfra_resources::kubernetes::meta::Manifest;
use lsinfra_resources::kubernetes::networking::{
    IpBlock, NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer,
    NetworkPolicyPort, PolicyType,
};
use lsinfra_resources::kubernetes::policy::PodDisruptionBudget;
use lsinfra_resources::kubernetes::storage::{ReclaimPolicy, StorageClass, VolumeBindingMode};
use lsinfra_resources::kubernetes::{IntOrString, LabelSelector};
use secrecy::SecretString;
use serde_json::{Value as Json, json};

use crate::rig::{Deaf, Environment, Other, properties, secret_key};
use crate::{trial, wait};

/// One type, and what becomes of an object of it.
struct Life<R> {
    /// Where the cluster has objects of it.
    path: &'static str,
    /// The object.
    first: R,
    /// The object after a change of each input that can change in place.
    changed: R,
    /// The object after a change that needs a new one, and the path of that.
    replaced: R,
    replaced_path: &'static str,
    /// What somebody else changes of ours, and of what is not ours.
    drift: Json,
    others: Json,
}

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("namespaces", || wait(namespace().live("namespaces"))),
        trial("service_accounts", || wait(service_account().live("service-accounts"))),
        trial("secrets", || wait(secret().live("secrets"))),
        trial("config_maps", || wait(config_map().live("config-maps"))),
        trial("storage_classes", || wait(storage_class().live("storage-classes"))),
        trial("pod_disruption_budgets", || wait(budget().live("budgets"))),
        trial("network_policies", || wait(network_policy().live("policies"))),
        trial("manifests", || wait(deployment().live("manifests"))),
    ]
}

fn texts<const N: usize>(texts: [(&str, &str); N]) -> BTreeMap<String, String> {
    texts.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn namespace() -> Life<Namespace> {
    let first = Namespace {
        name: "of-life".into(),
        labels: texts([("a", "1"), ("b", "1")]).into(),
        ..Namespace::default()
    };
    let changed = Namespace {
        labels: texts([("a", "2")]).into(),
        annotations: texts([("example.com/c", "3")]).into(),
        ..first.clone()
    };
    Life {
        path: "/api/v1/namespaces/of-life",
        replaced: Namespace { name: "of-life-2".into(), ..changed.clone() },
        replaced_path: "/api/v1/namespaces/of-life-2",
        drift: json!({"metadata": {"labels": {"a": "x"}, "annotations": {"example.com/c": null}}}),
        others: json!({"metadata": {"labels": {"other": "x"}}}),
        first,
        changed,
    }
}

fn service_account() -> Life<ServiceAccount> {
    let first = ServiceAccount {
        namespace: "service-accounts".into(),
        name: "backend".into(),
        annotations: texts([("eks.amazonaws.com/role-arn", "arn:aws:iam::1:role/a")]).into(),
        ..ServiceAccount::default()
    };
    let changed = ServiceAccount {
        labels: texts([("a", "1")]).into(),
        annotations: texts([("eks.amazonaws.com/role-arn", "arn:aws:iam::1:role/b")]).into(),
        automount_service_account_token: false.into(),
        image_pull_secrets: vec![LocalObjectReference { name: "registry".to_owned() }].into(),
        ..first.clone()
    };
    Life {
        path: "/api/v1/namespaces/service-accounts/serviceaccounts/backend",
        replaced: ServiceAccount { name: "frontend".into(), ..changed.clone() },
        replaced_path: "/api/v1/namespaces/service-accounts/serviceaccounts/frontend",
        drift: json!({
            "metadata": {"annotations": {"eks.amazonaws.com/role-arn": "x"}},
            "automountServiceAccountToken": true,
        }),
        others: json!({"metadata": {"annotations": {"other": "x"}}}),
        first,
        changed,
    }
}

fn secret() -> Life<Secret> {
    let given = |text: &str| SecretValue::given(&secret_key(), SecretString::from(text.to_owned()));
    let of = |values: Vec<(&str, SecretValue)>| -> BTreeMap<String, SecretValue> {
        values.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    };
    let url = SecretValue::template([SecretValue::plain("redis://:"), given("hunter2")]);
    let first = Secret {
        namespace: "secrets".into(),
        name: "redis".into(),
        secret_type: "Opaque".to_owned().into(),
        string_data: of(vec![("url", url.clone()), ("old", given("an old value"))]).into(),
        ..Secret::default()
    };
    let changed = Secret {
        labels: texts([("a", "1")]).into(),
        annotations: texts([("example.com/a", "1")]).into(),
        string_data: of(vec![("url", url), ("new", given("a new value"))]).into(),
        ..first.clone()
    };
    Life {
        path: "/api/v1/namespaces/secrets/secrets/redis",
        replaced: Secret { secret_type: "example.com/redis".to_owned().into(), ..changed.clone() },
        replaced_path: "/api/v1/namespaces/secrets/secrets/redis",
        drift: json!({"data": {"url": "b3RoZXI=", "new": null}}),
        others: json!({"data": {"other": "b3RoZXI="}}),
        first,
        changed,
    }
}

fn config_map() -> Life<ConfigMap> {
    let first = ConfigMap {
        namespace: "config-maps".into(),
        name: "settings".into(),
        data: texts([("a", "1"), ("b.conf", "x = 1\n")]).into(),
        ..ConfigMap::default()
    };
    let changed = ConfigMap {
        labels: texts([("a", "1")]).into(),
        annotations: texts([("example.com/a", "1")]).into(),
        data: texts([("b.conf", "x = 2\n"), ("c", "3")]).into(),
        ..first.clone()
    };
    Life {
        path: "/api/v1/namespaces/config-maps/configmaps/settings",
        replaced: ConfigMap { name: "settings-2".into(), ..changed.clone() },
        replaced_path: "/api/v1/namespaces/config-maps/configmaps/settings-2",
        drift: json!({"data": {"b.conf": "x = 3\n", "c": null}}),
        others: json!({"data": {"other": "x"}}),
        first,
        changed,
    }
}

fn storage_class() -> Life<StorageClass> {
    let first = StorageClass {
        name: "gp3".into(),
        provisioner: "ebs.csi.aws.com".into(),
        parameters: texts([("type", "gp3")]).into(),
        reclaim_policy: ReclaimPolicy::Delete.into(),
        volume_binding_mode: VolumeBindingMode::WaitForFirstConsumer.into(),
        ..StorageClass::default()
    };
    let changed = StorageClass {
        labels: texts([("a", "1")]).into(),
        annotations: texts([("example.com/a", "1")]).into(),
        is_default: true.into(),
        allow_volume_expansion: true.into(),
        mount_options: vec!["noatime".to_owned()].into(),
        ..first.clone()
    };
    let path = "/apis/storage.k8s.io/v1/storageclasses/gp3";
    Life {
        path,
        // Its name is how it is asked for: the new one takes the place of the old one.
        replaced: StorageClass {
            parameters: texts([("type", "gp3"), ("iops", "7000")]).into(),
            reclaim_policy: ReclaimPolicy::Retain.into(),
            ..changed.clone()
        },
        replaced_path: path,
        drift: json!({
            "metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "false"}},
            "allowVolumeExpansion": false,
        }),
        others: json!({"metadata": {"labels": {"other": "x"}}}),
        first,
        changed,
    }
}

fn budget() -> Life<PodDisruptionBudget> {
    let first = PodDisruptionBudget {
        namespace: "budgets".into(),
        name: "backend".into(),
        selector: LabelSelector::labels([("app", "backend")]).into(),
        min_available: IntOrString::String("50%".to_owned()).into(),
        ..PodDisruptionBudget::default()
    };
    let changed = PodDisruptionBudget {
        labels: texts([("a", "1")]).into(),
        annotations: texts([("example.com/a", "1")]).into(),
        selector: LabelSelector::labels([("app", "frontend")]).into(),
        min_available: Default::default(),
        max_unavailable: IntOrString::Int(1).into(),
        ..first.clone()
    };
    Life {
        path: "/apis/policy/v1/namespaces/budgets/poddisruptionbudgets/backend",
        replaced: PodDisruptionBudget { name: "frontend".into(), ..changed.clone() },
        replaced_path: "/apis/policy/v1/namespaces/budgets/poddisruptionbudgets/frontend",
        drift: json!({"spec": {"maxUnavailable": 2, "selector": {"matchLabels": {"more": "x"}}}}),
        others: json!({"spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}}),
        first,
        changed,
    }
}

fn network_policy() -> Life<NetworkPolicy> {
    let pods = |name: &str| NetworkPolicyPeer {
        pod_selector: Some(LabelSelector::labels([("app", name)])),
        ..NetworkPolicyPeer::default()
    };
    let port =
        |number| NetworkPolicyPort { protocol: None, port: Some(IntOrString::Int(number)), end_port: None };
    let range = IpBlock { cidr: "10.0.0.0/16".parse().unwrap(), except: Vec::new() };
    let first = NetworkPolicy {
        namespace: "policies".into(),
        name: "backend".into(),
        pod_selector: LabelSelector::default().into(),
        policy_types: vec![PolicyType::Ingress].into(),
        ingress: vec![NetworkPolicyIngressRule { from: vec![pods("frontend")], ports: vec![port(80)] }]
            .into(),
        ..NetworkPolicy::default()
    };
    let to = NetworkPolicyPeer { ip_block: Some(range), ..NetworkPolicyPeer::default() };
    let changed = NetworkPolicy {
        labels: texts([("a", "1")]).into(),
        annotations: texts([("example.com/a", "1")]).into(),
        pod_selector: LabelSelector::labels([("app", "backend")]).into(),
        policy_types: vec![PolicyType::Egress, PolicyType::Ingress].into(),
        ingress: vec![NetworkPolicyIngressRule { from: vec![pods("other")], ports: vec![port(81)] }].into(),
        egress: vec![NetworkPolicyEgressRule { to: vec![to], ports: Vec::new() }].into(),
        ..first.clone()
    };
    Life {
        path: "/apis/networking.k8s.io/v1/namespaces/policies/networkpolicies/backend",
        replaced: NetworkPolicy { name: "frontend".into(), ..changed.clone() },
        replaced_path: "/apis/networking.k8s.io/v1/namespaces/policies/networkpolicies/frontend",
        // One more peer, in a list that is one thing.
        drift: json!({"spec": {"ingress": [{
            "from": [{"podSelector": {"matchLabels": {"app": "other"}}}, {"podSelector": {}}],
            "ports": [{"port": 81}],
        }]}}),
        others: json!({"metadata": {"labels": {"other": "x"}}}),
        first,
        changed,
    }
}

fn deployment() -> Life<Manifest> {
    let of = |name: &str, image: &str, env: Json, labels: Json| {
        Manifest::of(json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": "manifests", "labels": labels},
            "spec": {
                "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{
                        "name": "web",
                        "image": image,
                        "env": env,
                        "ports": [{"containerPort": 80}],
                        "resources": {"requests": {"cpu": "1000m", "memory": "1024Mi"}},
                    }]},
                },
            },
        }))
    };
    let env = json!([{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]);
    let changed = || of("web", "web:2", json!([{"name": "B", "value": "3"}]), json!({"a": "1"}));
    Life {
        path: "/apis/apps/v1/namespaces/manifests/deployments/web",
        first: of("web", "web:1", env, json!({})),
        changed: changed(),
        replaced: Manifest { name: "web-2".into(), ..changed() },
        replaced_path: "/apis/apps/v1/namespaces/manifests/deployments/web-2",
        drift: json!({"spec": {"template": {"spec": {"containers": [{
            "name": "web", "image": "web:3", "ports": [{"containerPort": 80, "protocol": "TCP"}],
        }]}}}}),
        // As an autoscaler does.
        others: json!({"spec": {"replicas": 3}}),
    }
}

impl<R: ResourceType> Life<R> {
    async fn live(self, namespace: &str) {
        let environment = Environment::open();
        let other = Other::new().await;
        other.make("/api/v1/namespaces", &json!({"metadata": {"name": namespace}})).await;
        let declare = |inputs: &R| {
            let stack = environment.stack();
            let urn = stack.add("subject", inputs.clone()).unwrap().urn().clone();
            (stack, urn)
        };

        // It comes about, and stays as it is.
        let (stack, urn) = declare(&self.first);
        let step = only(environment.up(&stack).await.steps);
        assert_eq!(step.action, Action::Create);
        environment.assert_settled(&stack, "once it is made").await;
        let live = other.get(self.path).await.unwrap();
        let lineage = environment.snapshot().await.lineage.to_string();
        assert_eq!(live["metadata"]["annotations"]["lsinfra.dev/urn"], *urn.as_str());
        assert_eq!(live["metadata"]["labels"]["lsinfra.dev/lineage"], *lineage);
        assert_eq!(managers(&live), ["lsinfra Apply"], "what is taken away later must be ours");

        // Each input changes in place, and what is no longer given goes away.
        let (stack, _) = declare(&self.changed);
        let step = only(environment.up(&stack).await.steps);
        assert_eq!(step.action, Action::Update, "{:?}", step.changes);
        environment.assert_settled(&stack, "once it is changed").await;

        // What others have in it is no drift; what they change of ours is, and is mended.
        other.edit(self.path, &self.others).await;
        environment.assert_settled(&stack, "with what is another's").await;
        other.edit(self.path, &self.drift).await;
        let plan = environment.up(&stack).await;
        assert_eq!(plan.drift.len(), 1, "{:?}", plan.drift);
        let step = only(plan.steps);
        assert_eq!((step.action, step.reasons.contains(&Reason::Drifted)), (Action::Update, true));
        environment.assert_settled(&stack, "once it is mended").await;

        // Somebody deletes it: it is made anew.
        other.delete(self.path).await;
        crate::until("it is gone", async || other.get(self.path).await.is_none().then_some(())).await;
        let step = only(environment.up(&stack).await.steps);
        assert_eq!(step.reasons.first(), Some(&Reason::Gone));

        // What cannot change in place makes a new object.
        let (stack, _) = declare(&self.replaced);
        let plan = environment.up(&stack).await;
        assert_eq!(plan.steps.iter().filter(|step| step.replacement).count(), 2, "{:?}", plan.steps);
        environment.assert_settled(&stack, "once it is replaced").await;
        if self.replaced_path != self.path {
            assert!(other.get(self.path).await.is_none(), "the old one is gone");
        }

        // Another environment neither makes it, nor takes it over, nor deletes it.
        self.is_left_alone_by_strangers(&urn, &lineage).await;

        environment.destroy().await;
        assert!(other.get(self.replaced_path).await.is_none());
        self.is_found_after_a_crash(&environment, &urn).await;
        self.is_taken_over(namespace, &other).await;
        if self.path != format!("/api/v1/namespaces/{namespace}") {
            other.delete(&format!("/api/v1/namespaces/{namespace}")).await;
        }
    }

    async fn is_left_alone_by_strangers(&self, urn: &Urn, lineage: &str) {
        let stranger = Environment::open();
        let stack = stranger.stack();
        stack.add("subject", self.replaced.clone()).unwrap();
        let (_, report) = stranger.try_up(&stack).await;
        let told = format!("{:?}", report.steps);
        assert!(told.contains("already exists"), "{told}");
        let provider = stranger.provider(urn);
        let inputs = properties(&self.replaced);
        let step = stranger.step(urn, "another", Arc::new(Deaf));
        assert_eq!(provider.find(&step, &inputs).await.unwrap(), None);
        // The owner's steps know its id.
        let owned = stranger.step(urn, lineage, Arc::new(Deaf));
        let id = provider.find(&owned, &inputs).await.unwrap();
        let Some(found) = id else { return };
        assert!(provider.delete(&step, &found.id, &inputs).await.is_err(), "a stranger's is not deleted");
        assert!(provider.complete(&step, &found.id, &inputs).await.is_err(), "nor changed");
    }

    async fn is_found_after_a_crash(&self, environment: &Environment, urn: &Urn) {
        let (provider, inputs) = (environment.provider(urn), properties(&self.first));
        let step = environment.step(urn, "crashed", Arc::new(Deaf));
        assert_eq!(provider.find(&step, &inputs).await.unwrap(), None);
        let id = provider.create(&step, &inputs).await.unwrap();
        assert_eq!(provider.find(&step, &inputs).await.unwrap().map(|found| found.id), Some(id.clone()));
        let outputs = provider.complete(&step, &id, &inputs).await.unwrap();
        assert_eq!(provider.complete(&step, &id, &inputs).await.unwrap(), outputs, "completed twice");
        let predicted = provider.predict(&inputs, &step.connection);
        assert_eq!(predicted["name"], outputs["name"]);
        provider.delete(&step, &id, &inputs).await.unwrap();
        provider.delete(&step, &id, &inputs).await.unwrap();
        assert_eq!(provider.find(&step, &inputs).await.unwrap(), None);
    }

    /// An object that somebody else made becomes ours, without being made anew.
    async fn is_taken_over(&self, namespace: &str, other: &Other) {
        let made = Environment::open();
        let stack = made.stack();
        let urn = stack.add("subject", self.changed.clone()).unwrap().urn().clone();
        made.up(&stack).await;
        let object = made.object(&urn).await;
        let id = object.physical_id.clone().unwrap();
        let whose = json!({"metadata": {"annotations": {
            "lsinfra.dev/lineage": null, "lsinfra.dev/environment": null, "lsinfra.dev/urn": null, "lsinfra.dev/generation": null,
        }}});
        let environment = Environment::open();
        let stack = environment.stack();
        let declared = stack.add("subject", self.changed.clone()).unwrap().import(id.as_str());
        let urn = declared.urn().clone();
        assert!(environment.preview(&stack).await.is_err(), "it is another environment's");
        other.edit(self.path, &whose).await;
        let uid = other.get(self.path).await.unwrap()["metadata"]["uid"].clone();
        environment.up(&stack).await;
        environment.assert_settled(&stack, "once it is taken over").await;
        let live = other.get(self.path).await.unwrap();
        assert_eq!(live["metadata"]["uid"], uid, "{namespace}: it is the same");
        assert_eq!(live["metadata"]["annotations"]["lsinfra.dev/urn"], *urn.as_str());
        let object = environment.object(&urn).await;
        let Observation::Present { owner_tags, inputs, .. } = environment.read(&urn, &object).await.unwrap()
        else {
            panic!("it is there")
        };
        assert_eq!(owner_tags.len(), 4);
        assert!(inputs.values().all(|value| !format!("{value:?}").contains("lsinfra.dev")), "{inputs:?}");
        environment.destroy().await;
        assert!(other.get(self.path).await.is_none());
    }
}

fn only(steps: Vec<Step>) -> Step {
    let [step] = <[Step; 1]>::try_from(steps).unwrap_or_else(|steps| panic!("one step: {steps:#?}"));
    step
}

/// Who manages fields of an object, but for its status.
fn managers(object: &Json) -> Vec<String> {
    let entries = object["metadata"]["managedFields"].as_array().unwrap().iter();
    let entries = entries.filter(|entry| entry.get("subresource").is_none());
    let told = entries.map(|entry| {
        format!("{} {}", entry["manager"].as_str().unwrap(), entry["operation"].as_str().unwrap())
    });
    told.filter(|manager| !manager.starts_with("kube-")).collect()
}
