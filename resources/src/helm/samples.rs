//! Made-up steps for the tests of this module.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use lsinfra_engine::cancel::cancellation;
use lsinfra_engine::clock::Clock;
use lsinfra_engine::provider::Progress;
use lsinfra_engine::{SecretKey, StepContext, Value};

struct Nobody;

#[async_trait::async_trait]
impl Progress for Nobody {
    fn waiting(&self, _: &str) {}

    async fn settled(&self) {}
}

/// A step on a resource.
pub(crate) fn step(urn: &str) -> StepContext {
    let tags = [
        ("lsinfra:lineage", "0190b3a4-0000-7000-8000-000000000000"),
        ("lsinfra:environment", "langsmith/dev"),
        ("lsinfra:urn", urn),
        ("lsinfra:generation", "1"),
    ];
    StepContext {
        urn: urn.parse().unwrap(),
        generation: 1,
        connection: Value::Null,
        owner_tags: tags.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        tags_pending: false,
        unprotected: false,
        client_token: String::new(),
        secret_key: SecretKey::new([7; 32]),
        clock: Clock::system(),
        deadline: jiff::Timestamp::MAX,
        progress: Arc::new(Nobody),
        cancellation: cancellation().1,
    }
}
