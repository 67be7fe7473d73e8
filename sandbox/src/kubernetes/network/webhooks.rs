//! What the admission webhooks of the charts in use say. Almost always yes: what they refuse is what would not work. Must not
//! know connections.
//! <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The class that the AWS Load Balancer Controller gives to new services that ask for a load balancer and name no class.
/// <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/nlb/>
const LOAD_BALANCER_CLASS: &str = "service.k8s.aws/nlb";

/// What is said of an object.
enum Verdict {
    Allowed,
    /// Allowed with these changes, a JSON patch.
    Changed(Value),
    /// Refused for this reason.
    Refused(&'static str),
}

/// The answer to the review in the body of a request to a path; `None` if there is none in it.
pub(super) fn answer(path: &str, body: &[u8]) -> Option<Value> {
    let review: Value = serde_json::from_slice(body).ok()?;
    let uid = review.pointer("/request/uid").filter(|_| review["kind"] == "AdmissionReview")?;
    let mut response = json!({"uid": uid, "allowed": true});
    match verdict(path, &review["request"]["object"]) {
        Verdict::Allowed => {}
        Verdict::Changed(patch) => {
            response["patchType"] = "JSONPatch".into();
            response["patch"] = STANDARD.encode(patch.to_string()).into();
        }
        Verdict::Refused(reason) => {
            response["allowed"] = false.into();
            response["status"] = json!({"code": 403, "message": reason});
        }
    }
    Some(json!({"apiVersion": review["apiVersion"], "kind": "AdmissionReview", "response": response}))
}

/// An object is null when it is about to be deleted.
fn verdict(path: &str, object: &Value) -> Verdict {
    let is_empty = |pointer: &str| match object.pointer(pointer) {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(_) => false,
    };
    match path {
        "/mutate-v1-service"
            if object.pointer("/spec/type").is_some_and(|kind| kind == "LoadBalancer")
                && is_empty("/spec/loadBalancerClass") =>
        {
            let add = json!({"op": "add", "path": "/spec/loadBalancerClass", "value": LOAD_BALANCER_CLASS});
            Verdict::Changed(json!([add]))
        }
        // https://external-secrets.io/latest/api/externalsecret/
        "/validate-external-secrets-io-v1-externalsecret"
            if !object.is_null() && is_empty("/spec/data") && is_empty("/spec/dataFrom") =>
        {
            Verdict::Refused("either data or dataFrom should be specified")
        }
        // https://external-secrets.io/latest/provider/aws-access/
        "/validate-external-secrets-io-v1-clustersecretstore"
            if !is_empty("/spec/provider/aws/auth/jwt/serviceAccountRef/name")
                && is_empty("/spec/provider/aws/auth/jwt/serviceAccountRef/namespace") =>
        {
            Verdict::Refused("invalid Auth.JWT.ServiceAccountRef: cluster scope requires namespace")
        }
        _ => Verdict::Allowed,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn asked(path: &str, object: Value) -> Value {
        let review = json!({
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {"uid": "u", "object": object},
        });
        answer(path, review.to_string().as_bytes()).unwrap()["response"].take()
    }

    #[test]
    fn most_objects_are_allowed() {
        assert_eq!(asked("/validate-networking-v1-ingress", json!({})), json!({"uid": "u", "allowed": true}));
        assert_eq!(answer("/", b"{}"), None);
        assert_eq!(answer("/", b"no json"), None);
    }

    #[test]
    fn a_service_that_asks_for_a_load_balancer_gets_the_controllers_class() {
        let service = |spec| asked("/mutate-v1-service", json!({"spec": spec}));
        let answer = service(json!({"type": "LoadBalancer"}));
        let patch = STANDARD.decode(answer["patch"].as_str().unwrap()).unwrap();
        let patch: Value = serde_json::from_slice(&patch).unwrap();
        assert_eq!(patch[0]["path"], "/spec/loadBalancerClass");
        for spec in
            [json!({"type": "ClusterIP"}), json!({"type": "LoadBalancer", "loadBalancerClass": "mine"})]
        {
            assert_eq!(service(spec)["patch"], Value::Null);
        }
    }

    #[test]
    fn what_external_secrets_cannot_work_with_is_refused() {
        let path = "/validate-external-secrets-io-v1-externalsecret";
        assert_eq!(asked(path, json!({"spec": {}}))["allowed"], false);
        assert_eq!(asked(path, json!({"spec": {"dataFrom": [{}]}}))["allowed"], true);
        assert_eq!(asked(path, Value::Null)["allowed"], true, "it is being deleted");

        let path = "/validate-external-secrets-io-v1-clustersecretstore";
        let store = |reference| {
            let auth = json!({"jwt": {"serviceAccountRef": reference}});
            asked(path, json!({"spec": {"provider": {"aws": {"auth": auth}}}}))["allowed"].take()
        };
        assert_eq!(store(json!({"name": "a"})), false);
        assert_eq!(store(json!({"name": "a", "namespace": "b"})), true);
    }
}
