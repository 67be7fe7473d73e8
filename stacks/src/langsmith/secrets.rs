//! Secrets: what is drawn at random, what a person gives, and the addresses of the data stores that carry
//! some of it.
//!
//! They are in two kinds of secrets, since a data store needs its password before it has an address.
//! Keys have the names that LangSmith's chart reads.

use std::collections::BTreeMap;

use lsinfra_engine::output::SecretInput;
use lsinfra_engine::{Output, Secret as SecretValue, Stack};
use lsinfra_resources::aws::Arn;
use lsinfra_resources::aws::secretsmanager::{Alphabet, Generated as Drawn, Recipe, Secret, SecretOutputs};

use super::data::{DATABASE, Data, MASTER_USER};
use super::given::given_secrets;
use super::{Environment, StackError};
use crate::config::{AuthMode, ClickhouseMode};
use crate::naming::NameLimit;

/// Characters of a password or token.
const PASSWORD_LENGTH: u32 = 48;

/// Bytes of what LangSmith signs and hashes with.
const KEY_BYTES: u32 = 32;

/// Bytes of a Fernet key, which the optional products of LangSmith encrypt with.
/// <https://github.com/fernet/spec/blob/master/Spec.md>
const FERNET_BYTES: u32 = 32;

/// What is drawn at random.
pub(super) struct Generated {
    pub(super) app_arn: Output<Arn>,
    pub(super) postgres_password: Output<SecretValue>,
    pub(super) redis_token: Output<SecretValue>,
    /// None where ClickHouse is elsewhere and has a password of its own.
    pub(super) clickhouse_arn: Option<Output<Arn>>,
}

/// How LangSmith reaches its data stores.
pub(super) struct Connections {
    pub(super) postgres_arn: Output<Arn>,
    pub(super) redis_arn: Output<Arn>,
}

/// Declares what is drawn at random, and with LangSmith's own keys what is given. Keys of products that are
/// not in use are there all the same, so that one that is switched on finds its own. All of them stay as long
/// as any of its data: without them kept data is of no use.
pub(super) fn declare(stack: &Stack, environment: &Environment<'_>) -> Result<Generated, StackError> {
    let config = environment.config;
    let key = |breaks: &str| Drawn::new(Recipe::Base64 { bytes: KEY_BYTES }).never_rotate(breaks);
    let fernet = |product: &str| {
        let recipe = Recipe::Base64Url { bytes: FERNET_BYTES };
        Drawn::new(recipe).never_rotate(format!("everything that {product} stored encrypted"))
    };
    let app = [
        ("api_key_salt", key("every API key of LangSmith: none can be restored")),
        ("jwt_secret", key("every session of LangSmith, and every token that it signed")),
        ("agent_builder_encryption_key", fernet("Agent Builder")),
        ("engine_encryption_key", fernet("Engine")),
        ("insights_encryption_key", fernet("Insights")),
        ("polly_encryption_key", fernet("Polly")),
    ];
    let mut given: BTreeMap<String, SecretValue> = given_secrets(config)
        .iter()
        .map(|secret| (secret.name.to_owned(), SecretValue::asked(secret.name)))
        .collect();
    if let AuthMode::Oidc { issuer_url } = &config.auth.mode {
        given.insert("oauth_issuer_url".to_owned(), SecretValue::plain(issuer_url));
    }
    let app = Secret {
        values: given.into(),
        recovery_window_in_days: if environment.is_prod() { 30_u32 } else { 0 }.into(),
        ..generated(environment, "app", "Keys of LangSmith itself", app)
    };
    let app = stack.add("app", app)?.protect(config.protect).retain_on_delete(config.keeps_data());
    let password = |role: &str, key: &str, description: &str| {
        let recipe = Recipe::Text { alphabet: Alphabet::UrlSafe, length: PASSWORD_LENGTH };
        let secret = generated(environment, role, description, [(key, Drawn::new(recipe))]);
        Ok::<_, StackError>(SecretOutputs::clone(&*stack.add(role, secret)?))
    };
    let postgres = password("postgres-password", "password", "Password of PostgreSQL's master user")?;
    let redis = password("redis-token", "token", "Token that clients of Redis show")?;
    let clickhouse_arn = match config.clickhouse.mode {
        ClickhouseMode::External => None,
        ClickhouseMode::Single | ClickhouseMode::Replicated => {
            Some(password("clickhouse", "clickhouse_password", "Password of ClickHouse's user")?.arn)
        }
    };
    Ok(Generated {
        app_arn: app.arn.clone(),
        postgres_password: postgres.secrets.field("password"),
        redis_token: redis.secrets.field("token"),
        clickhouse_arn,
    })
}

/// Declares the addresses, with what they carry.
pub(super) fn declare_connections(
    stack: &Stack,
    environment: &Environment<'_>,
    generated: &Generated,
    data: &Data,
) -> Result<Connections, StackError> {
    let connection = |role: &str, description: &str, url: Output<SecretValue>| {
        let secret = Secret {
            values: Output::fields([("connection_url".to_owned(), url)]).into(),
            ..secret(environment, role, description)
        };
        Ok::<_, StackError>(stack.add(role, secret)?.arn.clone())
    };
    let port = |port: &Output<u16>| SecretInput::from(port.map(|port| port.to_string()));
    let scheme = format!("postgres://{MASTER_USER}:");
    let path = format!("/{DATABASE}?sslmode=require");
    let postgres = Output::template([
        SecretInput::from(scheme.as_str()),
        SecretInput::percent_encoded(generated.postgres_password.clone()),
        "@".into(),
        data.postgres.address.clone().into(),
        ":".into(),
        port(&data.postgres.port),
        path.as_str().into(),
    ]);
    let redis = Output::template([
        "rediss://:".into(),
        SecretInput::percent_encoded(generated.redis_token.clone()),
        "@".into(),
        data.redis.primary_address.clone().into(),
        ":".into(),
        port(&data.redis.port),
    ]);
    Ok(Connections {
        postgres_arn: connection("postgres", "How LangSmith reaches PostgreSQL", postgres)?,
        redis_arn: connection("redis", "How LangSmith reaches Redis", redis)?,
    })
}

fn generated<const N: usize>(
    environment: &Environment<'_>,
    role: &str,
    description: &str,
    drawn: [(&str, Drawn); N],
) -> Secret {
    let drawn: BTreeMap<String, Drawn> = drawn.map(|(key, drawn)| (key.to_owned(), drawn)).into();
    Secret { generated: drawn.into(), ..secret(environment, role, description) }
}

/// A secret without values. Its key is the account's own for secrets. It is gone at once when it is
/// deleted: it is of no use without its data store, and would keep its name from the next one.
fn secret(environment: &Environment<'_>, role: &str, description: &str) -> Secret {
    Secret {
        name: environment.names.name(role, NameLimit::SECRET).into(),
        description: description.into(),
        recovery_window_in_days: 0.into(),
        tags: environment.tags(role).into(),
        ..Secret::default()
    }
}
