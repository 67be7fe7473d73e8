//! Secrets: what is drawn at random, what a person gives, and the addresses of the data stores that carry
//! some of it.
//!
//! They are in two kinds of secrets, since a data store needs its password before it has an address.
//! Keys have the names that LangSmith's chart reads.

use std::collections::BTreeMap;

use lsinfra_engine::output::SecretInput;
use lsinfra_engine::{Output, Resource, Secret as SecretValue, Stack};
use lsinfra_resources::aws::secretsmanager::{Alphabet, Generated as Drawn, Recipe, Secret, SecretOutputs};

use super::data::{DATABASE, Data, MASTER_USER};
use super::given::{CLICKHOUSE_PASSWORD, given_secrets};
use super::{Environment, StackError, names};
use crate::config::{AuthMode, ClickhouseMode};
use crate::naming::NameLimit;

/// Characters of a password or token.
const PASSWORD_LENGTH: u32 = 48;

/// Bytes of what LangSmith signs and hashes with.
const KEY_BYTES: u32 = 32;

/// Bytes of a Fernet key, which the optional products of LangSmith encrypt with.
/// <https://github.com/fernet/spec/blob/master/Spec.md>
const FERNET_BYTES: u32 = 32;

/// The port of ClickHouse's HTTP interface and of its native one, where it runs in the cluster.
const CLICKHOUSE_PORTS: (u16, u16) = (8123, 9000);

/// The user by which the operator of ClickHouse looks after its replicas.
const OPERATOR_USER: &str = "clickhouse_operator";

/// A secret that something in the cluster reads, with the keys that it has there.
pub(super) struct Delivered {
    pub(super) secret: Resource<SecretOutputs>,
    pub(super) keys: Vec<String>,
}

/// What does not wait for a data store.
pub(super) struct Generated {
    /// LangSmith's own keys.
    pub(super) app: Delivered,
    pub(super) postgres_password: Output<SecretValue>,
    pub(super) redis_token: Output<SecretValue>,
    /// How LangSmith reaches ClickHouse.
    pub(super) clickhouse: Delivered,
    /// How its operator does, where it has one.
    pub(super) clickhouse_operator: Option<Delivered>,
}

/// How LangSmith reaches the data stores outside of the cluster.
pub(super) struct Connections {
    pub(super) postgres: Delivered,
    pub(super) redis: Delivered,
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
        .filter(|secret| secret.name != CLICKHOUSE_PASSWORD)
        .map(|secret| (secret.name.to_owned(), SecretValue::asked(secret.name)))
        .collect();
    if let AuthMode::Oidc { issuer_url } = &config.auth.mode {
        given.insert("oauth_issuer_url".to_owned(), SecretValue::plain(issuer_url));
    }
    let keys = app.iter().map(|(key, _)| (*key).to_owned()).chain(given.keys().cloned()).collect();
    let app = Secret {
        values: given.into(),
        recovery_window_in_days: if environment.is_prod() { 30_u32 } else { 0 }.into(),
        ..generated(environment, "app", "Keys of LangSmith itself", app)
    };
    let app = stack.add("app", app)?.protect(config.protect).retain_on_delete(config.keeps_data());
    let password = |role: &str, key: &str, description: &str| {
        let secret = generated(environment, role, description, [(key, drawn_password())]);
        Ok::<_, StackError>(SecretOutputs::clone(&*stack.add(role, secret)?))
    };
    let postgres = password("postgres-password", "password", "Password of PostgreSQL's master user")?;
    let redis = password("redis-token", "token", "Token that clients of Redis show")?;
    Ok(Generated {
        app: Delivered { secret: app, keys },
        postgres_password: postgres.secrets.field("password"),
        redis_token: redis.secrets.field("token"),
        clickhouse: clickhouse(stack, environment)?,
        clickhouse_operator: match config.clickhouse.mode {
            ClickhouseMode::Replicated => Some(clickhouse_operator(stack, environment)?),
            ClickhouseMode::Single | ClickhouseMode::External => None,
        },
    })
}

/// How ClickHouse is reached, by the keys that LangSmith's chart reads. Its password is drawn, but for a
/// ClickHouse elsewhere, which has one.
fn clickhouse(stack: &Stack, environment: &Environment<'_>) -> Result<Delivered, StackError> {
    let config = &environment.config.clickhouse;
    let place = ClickhousePlace::of(environment);
    let mut values = BTreeMap::from(
        [
            ("clickhouse_host", place.host),
            ("clickhouse_port", place.http_port.to_string()),
            ("clickhouse_native_port", place.native_port.to_string()),
            ("clickhouse_user", place.user),
            ("clickhouse_db", place.database),
            ("clickhouse_tls", place.tls.to_string()),
        ]
        .map(|(key, value)| (key.to_owned(), SecretValue::plain(value))),
    );
    let mut keys: Vec<String> = values.keys().cloned().collect();
    keys.push(CLICKHOUSE_PASSWORD.to_owned());
    let description = "How LangSmith reaches ClickHouse";
    let role = "clickhouse";
    let secret = match config.mode {
        ClickhouseMode::External => {
            values.insert(CLICKHOUSE_PASSWORD.to_owned(), SecretValue::asked(CLICKHOUSE_PASSWORD));
            Secret { values: values.into(), ..secret(environment, role, description) }
        }
        ClickhouseMode::Single | ClickhouseMode::Replicated => Secret {
            values: values.into(),
            ..generated(environment, role, description, [(CLICKHOUSE_PASSWORD, drawn_password())])
        },
    };
    Ok(Delivered { secret: stack.add(role, secret)?, keys })
}

/// Where ClickHouse is, and as whom LangSmith comes to it.
pub(super) struct ClickhousePlace {
    pub(super) host: String,
    pub(super) http_port: u16,
    pub(super) native_port: u16,
    pub(super) user: String,
    pub(super) database: String,
    pub(super) tls: bool,
    /// Its cluster of replicas, whose name has to be known before the first table is made.
    pub(super) cluster: Option<String>,
}

impl ClickhousePlace {
    pub(super) fn of(environment: &Environment<'_>) -> Self {
        let config = &environment.config.clickhouse;
        if let Some(external) = &config.external {
            return Self {
                host: external.host.clone(),
                http_port: external.http_port,
                native_port: external.native_port,
                user: external.user.clone(),
                database: external.database.clone(),
                tls: external.tls,
                cluster: external.cluster.clone(),
            };
        }
        let is_replicated = config.mode == ClickhouseMode::Replicated;
        let service = if is_replicated { names::CLICKHOUSE_SERVICE } else { names::CHART_CLICKHOUSE_SERVICE };
        let (http_port, native_port) = CLICKHOUSE_PORTS;
        Self {
            host: format!("{service}.{}.svc.cluster.local", names::LANGSMITH_NAMESPACE),
            http_port,
            native_port,
            user: "default".to_owned(),
            database: "default".to_owned(),
            tls: false,
            cluster: is_replicated.then(|| names::CLICKHOUSE_CLUSTER.to_owned()),
        }
    }
}

/// Whom the operator of ClickHouse is: its chart has a name and a password that everybody knows.
fn clickhouse_operator(stack: &Stack, environment: &Environment<'_>) -> Result<Delivered, StackError> {
    let role = "clickhouse-operator";
    let description = "How the operator of ClickHouse reaches its replicas";
    let secret = Secret {
        values: BTreeMap::from([("username".to_owned(), SecretValue::plain(OPERATOR_USER))]).into(),
        ..generated(environment, role, description, [("password", drawn_password())])
    };
    let keys = ["username", "password"].map(str::to_owned).to_vec();
    Ok(Delivered { secret: stack.add(role, secret)?, keys })
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
        let keys = vec!["connection_url".to_owned()];
        Ok::<_, StackError>(Delivered { secret: stack.add(role, secret)?, keys })
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
        postgres: connection("postgres", "How LangSmith reaches PostgreSQL", postgres)?,
        redis: connection("redis", "How LangSmith reaches Redis", redis)?,
    })
}

fn drawn_password() -> Drawn {
    Drawn::new(Recipe::Text { alphabet: Alphabet::UrlSafe, length: PASSWORD_LENGTH })
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
