//! How people log in to LangSmith.

use super::document::Document;
use super::edge::{EdgeConfig, is_email};

/// How people log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthConfig {
    /// With what.
    pub mode: AuthMode,
    /// The address of the first administrator.
    pub admin_email: String,
}

/// With what people log in. Programs use API keys in either case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthMode {
    /// An address and a password that LangSmith keeps.
    /// <https://docs.langchain.com/langsmith/self-host-basic-auth>
    Basic,
    /// An identity provider that speaks OpenID Connect, by the flow with a client secret.
    /// <https://docs.langchain.com/langsmith/self-host-sso>
    Oidc {
        /// Where the provider says how it is used: a URL with `https`.
        issuer_url: String,
    },
}

impl AuthMode {
    /// The word in the config file.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Oidc { .. } => "oidc",
        }
    }
}

pub(super) fn auth(document: &mut Document<'_>, edge: Option<&Option<EdgeConfig>>) -> Option<AuthConfig> {
    let is_oidc = document.choice("auth.mode", &[("basic", false), ("oidc", true)]);
    let path = "auth.admin_email";
    let email = document.text(path);
    if let Some(email) = email.as_ref().filter(|email| !is_email(&email.value)) {
        let message = format!("{:?} is no address", email.value);
        document.problem(email, path, message, "allowed: such as \"ada@example.com\"");
    }
    let is_oidc = is_oidc?;
    let issuer = issuer_url(document, is_oidc.value);
    if is_oidc.value && edge.is_some_and(Option::is_none) {
        let message = "an identity provider sends people back to a host name, and there is none";
        document.problem(&is_oidc, "auth.mode", message, "add edge.hostname, or take \"basic\"");
    }
    let mode = match issuer {
        Some(issuer_url) => AuthMode::Oidc { issuer_url },
        None if is_oidc.value => return None,
        None => AuthMode::Basic,
    };
    Some(AuthConfig { mode, admin_email: email?.value })
}

/// The issuer's URL, which one of the modes needs and the other one has no use for.
fn issuer_url(document: &mut Document<'_>, is_oidc: bool) -> Option<String> {
    let path = "auth.issuer_url";
    if !is_oidc && !document.is_given(path) {
        return None;
    }
    let url = document.text(path)?;
    if !is_oidc {
        let message = "an issuer is of use with `auth.mode = \"oidc\"` only";
        document.problem(&url, path, message, "take it out, or set the mode");
        return None;
    }
    let rest = url.value.strip_prefix("https://").unwrap_or_default();
    if rest.is_empty() || !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = format!("{:?} is no URL of an issuer", url.value);
        document.problem(&url, path, message, "allowed: such as \"https://login.example.com\"");
        return None;
    }
    Some(url.value)
}
