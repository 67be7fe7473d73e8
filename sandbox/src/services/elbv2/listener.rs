//! Listeners. <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Listener.html>

use serde::{Deserialize, Serialize};
use winterbaume_elasticloadbalancingv2::model::{
    Action as ActionAnswer, Certificate, DeleteListenerOutput, DescribeListenersOutput,
    FixedResponseActionConfig, ForwardActionConfig, Listener as ListenerAnswer, RedirectActionConfig,
    TargetGroupStickinessConfig, TargetGroupTuple,
};
use winterbaume_elasticloadbalancingv2::wire;

use super::answers::{invalid, no_listener, page};
use super::{load_balancer, rule, target_group};
use crate::cloud::call::{Call, Reply};
use crate::cloud::table::Scope;
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::common::tag_list::Tags;
use crate::services::{Tables, acm};

/// A listener, kept under its ARN.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Listener {
    pub(crate) load_balancer_arn: String,
    pub(crate) settings: Settings,
    pub(crate) tags: Tags,
}

/// What a listener is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// `HTTP`, `HTTPS`, `TCP`, ...
    pub(crate) protocol: String,
    pub(crate) port: u16,
    /// The ARNs of its certificates, the default one first.
    pub(crate) certificates: Vec<String>,
    pub(crate) ssl_policy: Option<String>,
    /// What becomes of a request that no rule is about.
    pub(crate) action: Action,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Action {
    /// A target gets it.
    Forward {
        /// The group of the target.
        target_group_arn: String,
    },
    /// The client is sent elsewhere.
    Redirect {
        /// `HTTPS`.
        protocol: String,
        /// The port there.
        port: String,
        /// Such as `HTTP_301`.
        status_code: String,
    },
    /// It is answered at once.
    FixedResponse {
        /// Such as `404`.
        status_code: String,
    },
}

impl Action {
    /// The ARN of the target group that it is about.
    pub(crate) fn target_group(&self) -> Option<&str> {
        match self {
            Self::Forward { target_group_arn } => Some(target_group_arn),
            Self::Redirect { .. } | Self::FixedResponse { .. } => None,
        }
    }

    /// The action as answers have it.
    pub(super) fn answer(&self) -> ActionAnswer {
        match self {
            Self::Forward { target_group_arn } => ActionAnswer {
                forward_config: Some(ForwardActionConfig {
                    target_group_stickiness_config: Some(TargetGroupStickinessConfig {
                        duration_seconds: None,
                        enabled: Some(false),
                    }),
                    target_groups: Some(
                        vec![TargetGroupTuple {
                            target_group_arn: Some(target_group_arn.clone()),
                            weight: Some(1),
                        }]
                        .into(),
                    ),
                }),
                target_group_arn: Some(target_group_arn.clone()),
                r#type: "forward".to_owned(),
                ..ActionAnswer::default()
            },
            Self::Redirect { protocol, port, status_code } => ActionAnswer {
                redirect_config: Some(RedirectActionConfig {
                    host: Some("#{host}".to_owned()),
                    path: Some("/#{path}".to_owned()),
                    port: Some(port.clone()),
                    protocol: Some(protocol.clone()),
                    query: Some("#{query}".to_owned()),
                    status_code: status_code.clone(),
                }),
                r#type: "redirect".to_owned(),
                ..ActionAnswer::default()
            },
            Self::FixedResponse { status_code } => ActionAnswer {
                fixed_response_config: Some(FixedResponseActionConfig {
                    content_type: Some("text/plain".to_owned()),
                    message_body: None,
                    status_code: status_code.clone(),
                }),
                r#type: "fixed-response".to_owned(),
                ..ActionAnswer::default()
            },
        }
    }
}

impl Listener {
    fn answer(&self, arn: &str) -> ListenerAnswer {
        let Settings { protocol, port, certificates, ssl_policy, action } = self.settings.clone();
        // An answer names the default certificate alone.
        let certificates: Vec<_> = certificates
            .into_iter()
            .take(1)
            .map(|arn| Certificate { certificate_arn: Some(arn), is_default: None })
            .collect();
        ListenerAnswer {
            certificates: (!certificates.is_empty()).then(|| certificates.into()),
            default_actions: Some(vec![action.answer()].into()),
            listener_arn: Some(arn.to_owned()),
            load_balancer_arn: Some(self.load_balancer_arn.clone()),
            port: Some(i32::from(port)),
            protocol: Some(protocol),
            ssl_policy,
            ..ListenerAnswer::default()
        }
    }
}

/// The listeners of a load balancer, with their ARNs.
pub(crate) fn of<'t>(
    tables: &'t Tables,
    scope: &Scope,
    load_balancer_arn: &str,
) -> impl Iterator<Item = (&'t str, &'t Listener)> {
    let prefix = format!("{}/", load_balancer_arn.replacen(":loadbalancer/", ":listener/", 1));
    tables.elbv2.listeners.within(scope, &prefix)
}

/// The one that there is under an ARN.
pub(super) fn find<'c>(call: &'c Call<'_>, arn: &str) -> Result<&'c Listener, ServiceError> {
    call.tables.elbv2.listeners.find(&call.scope, arn).ok_or_else(no_listener)
}

/// Makes a listener and answers with its ARN.
///
/// # Errors
/// What `CreateListener` refuses: a port that is taken, certificates that are not there or not issued, a target group that is not
/// there.
pub(crate) fn make(
    call: &mut Call<'_>,
    load_balancer_arn: &str,
    settings: Settings,
    tags: Tags,
) -> Result<String, ServiceError> {
    load_balancer::find(call, load_balancer_arn)?;
    check(call, &settings)?;
    if of(call.tables, &call.scope, load_balancer_arn).any(|(_, one)| one.settings.port == settings.port) {
        let text = "A listener already exists on this port for this load balancer";
        return Err(ServiceError::new(400, "DuplicateListener", format!("{text} '{load_balancer_arn}'")));
    }
    let id = call.identifiers.hexadecimal(16);
    let arn = format!("{}/{id}", load_balancer_arn.replacen(":loadbalancer/", ":listener/", 1));
    let listener = Listener { load_balancer_arn: load_balancer_arn.to_owned(), settings, tags };
    call.tables.elbv2.listeners.insert(&call.scope, &arn, listener);
    Ok(arn)
}

/// Changes a listener, whose port stays.
///
/// # Errors
/// What [`make`] refuses of settings, and that there is none.
pub(crate) fn change(call: &mut Call<'_>, arn: &str, settings: Settings) -> Result<(), ServiceError> {
    check(call, &settings)?;
    let listener = call.tables.elbv2.listeners.get_mut(&call.scope, arn).ok_or_else(no_listener)?;
    listener.settings = settings;
    Ok(())
}

fn check(call: &Call<'_>, settings: &Settings) -> Result<(), ServiceError> {
    if settings.protocol == "HTTPS" && settings.certificates.is_empty() {
        return Err(ServiceError::new(
            400,
            "ValidationError",
            "A certificate must be specified for HTTPS listeners",
        ));
    }
    for arn in &settings.certificates {
        match acm::is_issued(call, arn) {
            Some(true) => {}
            Some(false) => {
                let text = format!(
                    "The certificate '{arn}' must have a fully-qualified domain name, a supported signature, and a supported key size."
                );
                return Err(ServiceError::new(400, "UnsupportedCertificate", text));
            }
            None => {
                let text = format!("Certificate '{arn}' not found");
                return Err(ServiceError::new(400, "CertificateNotFound", text));
            }
        }
    }
    match settings.action.target_group() {
        Some(arn) => target_group::find(call, arn).map(drop),
        None => Ok(()),
    }
}

/// Deletes a listener with its rules.
pub(crate) fn unmake(call: &mut Call<'_>, arn: &str) {
    let rules: Vec<String> = rule::of(call.tables, &call.scope, arn).map(|(arn, _)| arn.to_owned()).collect();
    for rule in rules {
        call.tables.elbv2.rules.remove(&call.scope, &rule);
    }
    call.tables.elbv2.listeners.remove(&call.scope, arn);
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let arns = params.list("ListenerArns");
    let balancer = params.text("LoadBalancerArn");
    let page = page(params)?;
    params.finish()?;
    let found: Vec<_> = match balancer {
        Some(balancer) => {
            load_balancer::find(call, balancer)?;
            of(call.tables, &call.scope, balancer)
                .map(|(arn, listener)| (arn.to_owned(), listener.answer(arn)))
                .collect()
        }
        None if arns.is_empty() => {
            return Err(invalid("You must specify either listener ARNs or a load balancer ARN"));
        }
        None => arns
            .iter()
            .map(|arn| Ok(((*arn).to_owned(), find(call, arn)?.answer(arn))))
            .collect::<Result<_, ServiceError>>()?,
    };
    let page = page.page(found);
    Ok(response(wire::serialize_describe_listeners_response(&DescribeListenersOutput {
        listeners: Some(page.items.into()),
        next_marker: page.marker,
    })))
}

pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let arn = call.params.required("ListenerArn")?;
    call.params.finish()?;
    find(call, arn)?;
    unmake(call, arn);
    Ok(response(wire::serialize_delete_listener_response(&DeleteListenerOutput {})))
}
