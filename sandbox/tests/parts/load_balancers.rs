//! The load balancer controller's part.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::Ingress;
use kube::Client;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use lsinfra_sandbox::Part;
use serde_json::{Value, json};

use super::account::{Account, element_of, encoded};
use super::{api, controller, create, event, install, sandbox, until, wait};

const CONTROLLER: &str = "aws-load-balancer-controller";
const RIGHTS: &[&str] = &["elasticloadbalancing:*", "ec2:*", "acm:*"];

fn elb(account: &Account, form: &str) -> String {
    account.query("elasticloadbalancing", &format!("Version=2015-12-01&{form}"))
}

fn balancers(account: &Account) -> Vec<String> {
    let body = elb(account, "Action=DescribeLoadBalancers");
    let arns = body.split("<LoadBalancerArn>").skip(1);
    arns.map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

/// A cluster with nodes, and the controller's role.
fn nodes(account: &Account, actions: &[&str]) -> String {
    account.cluster("c");
    account.group("c", "general", json!({"scalingConfig": {"minSize": 2, "maxSize": 2, "desiredSize": 2}}));
    account.federate("c");
    let subject = format!("kube-system:{CONTROLLER}");
    account.role_of_service_account("balancing", "c", &subject, actions)
}

/// The same with a web server of two pods, and what looks like the controller.
async fn cluster(account: &Account, actions: &[&str]) -> Client {
    let role = nodes(account, actions);
    let client = account.client("c").await;
    create(&client, &controller(CONTROLLER, "kube-system", &role, &["--cluster-name=c"])).await;
    create(&client, &web()).await;
    create(&client, &[binding_kind()]).await;
    client
}

/// The kind by which the controller says what is behind target groups, as far as it counts here.
fn binding_kind() -> Value {
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "targetgroupbindings.elbv2.k8s.aws"},
        "spec": {
            "group": "elbv2.k8s.aws",
            "scope": "Namespaced",
            "names": {"kind": "TargetGroupBinding", "plural": "targetgroupbindings"},
            "versions": [{
                "name": "v1beta1",
                "served": true,
                "storage": true,
                "schema": {"openAPIV3Schema": schema},
            }],
        },
    })
}

fn web() -> Vec<Value> {
    vec![
        json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {"name": "alb"},
            "spec": {"controller": "ingress.k8s.aws/alb"},
        }),
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{
                        "name": "web",
                        "image": "web",
                        "ports": [{"name": "http", "containerPort": 8080}],
                    }]},
                },
            },
        }),
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
        }),
    ]
}

fn ingress(annotations: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "web", "namespace": "default", "annotations": {
            "alb.ingress.kubernetes.io/target-type": "ip",
            "alb.ingress.kubernetes.io/healthcheck-path": "/health",
            "alb.ingress.kubernetes.io/load-balancer-attributes": "idle_timeout.timeout_seconds=360",
            "alb.ingress.kubernetes.io/tags": "stack=test",
        }},
        "spec": {
            "ingressClassName": "alb",
            "rules": [{
                "host": "a.example.com",
                "http": {"paths": [{
                    "path": "/",
                    "pathType": "Prefix",
                    "backend": {"service": {"name": "web", "port": {"number": 80}}},
                }]},
            }],
        },
    });
    for (key, value) in annotations.as_object().unwrap() {
        object["metadata"]["annotations"][format!("alb.ingress.kubernetes.io/{key}")] = value.clone();
    }
    object
}

async fn hostname(client: &Client) -> String {
    let ingresses: Api<Ingress> = Api::default_namespaced(client.clone());
    until(async || {
        let status = ingresses.get("web").await.unwrap().status?.load_balancer?;
        status.ingress?.into_iter().find_map(|one| one.hostname)
    })
    .await
}

pub(super) fn come_and_go() {
    let folder = tempfile::tempdir().unwrap();
    let serving = sandbox(folder.path(), &[]);
    let account = Account::new(serving.url());
    account.tag_subnets("kubernetes.io/role/internal-elb", "1");
    wait(async {
        let client = cluster(&account, RIGHTS).await;
        let kinds = api(&client, "apiextensions.k8s.io/v1", "CustomResourceDefinition", None);
        until(async || {
            let kind = kinds.get("targetgroupbindings.elbv2.k8s.aws").await.unwrap();
            let conditions = kind.data["status"]["conditions"].as_array()?.clone();
            conditions.iter().any(|one| one["type"] == "Established" && one["status"] == "True").then_some(())
        })
        .await;
        create(&client, &[ingress(&json!({}))]).await;
        let host = hostname(&client).await;
        assert!(host.starts_with("internal-k8s-default-web-"), "{host}");
        assert!(host.ends_with(".us-east-1.elb.amazonaws.com"), "{host}");

        let arn = balancers(&account).remove(0);
        let tags = elb(&account, &format!("Action=DescribeTags&ResourceArns.member.1={}", encoded(&arn)));
        for (key, value) in [
            ("elbv2.k8s.aws/cluster", "c"),
            ("ingress.k8s.aws/stack", "default/web"),
            ("ingress.k8s.aws/resource", "LoadBalancer"),
            ("stack", "test"),
        ] {
            let (_, rest) = tags.split_once(&format!("<Key>{key}</Key>")).unwrap();
            assert_eq!(element_of(rest, "Value"), value);
        }
        let groups = elb(&account, &format!("Action=DescribeTargetGroups&LoadBalancerArn={}", encoded(&arn)));
        assert_eq!(element_of(&groups, "HealthCheckPath"), "/health");
        let group = element_of(&groups, "TargetGroupArn");
        let health = format!("Action=DescribeTargetHealth&TargetGroupArn={}", encoded(&group));
        until(async || {
            let body = elb(&account, &health);
            (body.matches("<State>healthy</State>").count() == 2).then_some(())
        })
        .await;
        let bindings = api(&client, "elbv2.k8s.aws/v1beta1", "TargetGroupBinding", Some("default"));
        let binding = bindings.list(&ListParams::default()).await.unwrap().items.remove(0);
        assert_eq!(binding.data["spec"]["targetGroupARN"], group);
        assert_eq!(binding.data["spec"]["serviceRef"], json!({"name": "web", "port": 80}));
        // The targets are the pods that are ready.
        let deployments: Api<Deployment> = Api::default_namespaced(client.clone());
        let one = Patch::Merge(json!({"spec": {"replicas": 1}}));
        deployments.patch("web", &PatchParams::default(), &one).await.unwrap();
        until(async || (elb(&account, &health).matches("<Id>").count() == 1).then_some(())).await;
        let described = account.query(
            "ec2",
            "Version=2016-11-15&Action=DescribeNetworkInterfaces&Filter.1.Name=description&Filter.1.Value.1=ELB*",
        );
        assert_eq!(described.matches("<networkInterfaceId>").count(), 3, "{described}");
        let security_groups = account.query(
            "ec2",
            "Version=2016-11-15&Action=DescribeSecurityGroups&Filter.1.Name=tag:elbv2.k8s.aws/cluster&Filter.1.Value.1=c",
        );
        assert_eq!(security_groups.matches("<groupId>").count(), 2, "its own, and the one that nodes know");

        // A service gets one of its own, and shares what nodes know load balancers by.
        let service = json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "direct", "namespace": "default"},
            "spec": {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
        });
        create(&client, &[service]).await;
        let services: Api<Service> = Api::default_namespaced(client.clone());
        until(async || {
            let status = services.get("direct").await.unwrap().status?.load_balancer?;
            status.ingress?.into_iter().find_map(|one| one.hostname)
        })
        .await;
        assert_eq!(balancers(&account).len(), 2);
        services.delete("direct", &DeleteParams::default()).await.unwrap();
        until(async || services.get_opt("direct").await.unwrap().is_none().then_some(())).await;
        assert_eq!(balancers(&account), [arn]);

        // Once the controller is gone, nobody removes anything.
        let controllers: Api<Deployment> = Api::namespaced(client.clone(), "kube-system");
        let scale = async |replicas: i32| {
            let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
            controllers.patch(CONTROLLER, &PatchParams::default(), &patch).await.unwrap();
            until(async || {
                let ready = controllers.get(CONTROLLER).await.unwrap().status?.ready_replicas;
                (ready.unwrap_or_default() == replicas).then_some(())
            })
            .await;
        };
        scale(0).await;
        let ingresses: Api<Ingress> = Api::default_namespaced(client.clone());
        ingresses.delete("web", &DeleteParams::default()).await.unwrap();
        let held = ingresses.get("web").await.unwrap().metadata;
        assert_eq!(held.finalizers.unwrap(), ["ingress.k8s.aws/resources"]);
        assert_eq!(balancers(&account).len(), 1);
        scale(1).await;
        until(async || ingresses.get_opt("web").await.unwrap().is_none().then_some(())).await;
        assert!(balancers(&account).is_empty());
        assert!(bindings.list(&ListParams::default()).await.unwrap().items.is_empty());
        let left = account.query(
            "ec2",
            "Version=2016-11-15&Action=DescribeSecurityGroups&Filter.1.Name=tag-key&Filter.1.Value.1=elbv2.k8s.aws/cluster",
        );
        assert!(!left.contains("<groupId>"), "{left}");
    });
}

pub(super) fn work_with_charts() {
    let folder = tempfile::tempdir().unwrap();
    let serving = sandbox(folder.path(), &[]);
    let account = Account::new(serving.url());
    account.tag_subnets("kubernetes.io/role/internal-elb", "1");
    let role = nodes(&account, RIGHTS);
    let role = format!("serviceAccount.annotations.eks\\.amazonaws\\.com/role-arn={role}");
    let values = ["clusterName=c", "serviceAccount.name=aws-load-balancer-controller", &role];
    install(folder.path(), CONTROLLER, "kube-system", CONTROLLER, &values);
    wait(async {
        let client = account.client("c").await;
        let controllers: Api<Deployment> = Api::namespaced(client.clone(), "kube-system");
        until(async || controllers.get(CONTROLLER).await.unwrap().status?.ready_replicas).await;
        create(&client, &web()[1..]).await;
        create(&client, &[ingress(&json!({}))]).await;
        hostname(&client).await;
        let bindings = api(&client, "elbv2.k8s.aws/v1beta1", "TargetGroupBinding", Some("default"));
        assert_eq!(bindings.list(&ListParams::default()).await.unwrap().items.len(), 1);
        let ingresses: Api<Ingress> = Api::default_namespaced(client.clone());
        ingresses.delete("web", &DeleteParams::default()).await.unwrap();
        until(async || ingresses.get_opt("web").await.unwrap().is_none().then_some(())).await;
        assert!(bindings.list(&ListParams::default()).await.unwrap().items.is_empty());
        assert!(balancers(&account).is_empty());
    });
}

pub(super) fn need_rights() {
    let folder = tempfile::tempdir().unwrap();
    let serving = sandbox(folder.path(), &[]);
    let account = Account::new(serving.url());
    wait(async {
        let client = cluster(&account, &["ec2:*"]).await;
        create(&client, &[ingress(&json!({"scheme": "internet-facing"}))]).await;
        let denied = event(&client, "default", "web", "AccessDenied").await;
        assert_eq!(denied.reason.as_deref(), Some("FailedDeployModel"));
        assert!(denied.message.unwrap().contains("elasticloadbalancing:CreateLoadBalancer"));
        account.allow("balancing", RIGHTS);
        // No subnet is said to be for load balancers, and none is public.
        event(&client, "default", "web", "unable to resolve at least one subnet").await;
        account.tag_subnets("kubernetes.io/role/elb", "");
        hostname(&client).await;

        let ingresses: Api<Ingress> = Api::default_namespaced(client.clone());
        let secure = json!({"metadata": {"annotations": {
            "alb.ingress.kubernetes.io/listen-ports": r#"[{"HTTP":80},{"HTTPS":443}]"#,
            "alb.ingress.kubernetes.io/certificate-arn": "arn:aws:acm:us-east-1:123456789012:certificate/none",
        }}});
        ingresses.patch("web", &PatchParams::default(), &Patch::Merge(secure)).await.unwrap();
        event(&client, "default", "web", "CertificateNotFound").await;
        // Without one that is named, one that covers the host is taken.
        let certificate = account.certificate("a.example.com");
        let discovered = json!({"metadata": {"annotations": {
            "alb.ingress.kubernetes.io/certificate-arn": null,
            "alb.ingress.kubernetes.io/ssl-redirect": "443",
        }}});
        ingresses.patch("web", &PatchParams::default(), &Patch::Merge(discovered)).await.unwrap();
        let balancer = balancers(&account).remove(0);
        let listeners = format!("Action=DescribeListeners&LoadBalancerArn={}", encoded(&balancer));
        let shown = until(async || {
            let body = elb(&account, &listeners);
            (body.matches("<ListenerArn>").count() == 2).then_some(body)
        })
        .await;
        assert_eq!(element_of(&shown, "CertificateArn"), certificate);
        assert!(shown.contains("<StatusCode>HTTP_301</StatusCode>"), "{shown}");
        let in_use = account.describe_certificate(&certificate)["InUseBy"].take();
        assert_eq!(in_use, json!([balancer]));
    });
    drop(serving);

    // Without the part nothing happens, whatever runs.
    let folder = tempfile::tempdir().unwrap();
    let serving = sandbox(folder.path(), &[Part::LoadBalancers]);
    let account = Account::new(serving.url());
    account.tag_subnets("kubernetes.io/role/internal-elb", "1");
    wait(async {
        let client = cluster(&account, RIGHTS).await;
        create(&client, &[ingress(&json!({}))]).await;
        let controllers: Api<Deployment> = Api::namespaced(client.clone(), "kube-system");
        until(async || controllers.get(CONTROLLER).await.unwrap().status?.ready_replicas).await;
        let ingresses: Api<Ingress> = Api::default_namespaced(client.clone());
        assert_eq!(ingresses.get("web").await.unwrap().metadata.finalizers, None);
        assert!(balancers(&account).is_empty());
    });
}
