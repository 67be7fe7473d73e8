//! The namespaces of LangSmith and of the controllers that have one of their own.

use lsinfra_engine::{Resource, Stack};
use lsinfra_resources::kubernetes::ObjectOutputs;
use lsinfra_resources::kubernetes::core::Namespace;

use super::super::names::{CLICKHOUSE_OPERATOR, EXTERNAL_SECRETS, LANGSMITH_NAMESPACE};
use super::super::{Environment, StackError};
use super::Foundation;
use crate::config::{ClickhouseMode, SecretsDelivery};

/// The namespaces.
pub(super) struct Namespaces {
    pub(super) langsmith: Resource<ObjectOutputs>,
    pub(super) external_secrets: Option<Resource<ObjectOutputs>>,
    pub(super) clickhouse_operator: Option<Resource<ObjectOutputs>>,
}

pub(super) fn declare(
    stack: &Stack,
    environment: &Environment<'_>,
    foundation: &Foundation<'_>,
) -> Result<Namespaces, StackError> {
    let config = environment.config;
    // What is in a namespace goes before it, and while it goes, nodes and add-ons still have to work.
    let add = |name: &str| {
        let namespace = stack.add(name, Namespace { name: name.into(), ..Namespace::default() })?;
        Ok::<_, StackError>(namespace.depends_on(&foundation.nodes.general))
    };
    let add_if = |is_wanted: bool, name: &str| is_wanted.then(|| add(name)).transpose();
    Ok(Namespaces {
        langsmith: add(LANGSMITH_NAMESPACE)?,
        external_secrets: add_if(
            config.secrets_delivery == SecretsDelivery::ExternalSecrets,
            EXTERNAL_SECRETS,
        )?,
        clickhouse_operator: add_if(
            config.clickhouse.mode == ClickhouseMode::Replicated,
            CLICKHOUSE_OPERATOR,
        )?,
    })
}
