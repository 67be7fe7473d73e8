//! Client tokens: a creating call that is sent again with its token answers as the first time.
//! <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html>

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::call::Call;
use super::table::{Scope, tables};
use crate::protocol::error::ServiceError;
use crate::protocol::params::Params;
use crate::services::Tables;

tables! {
    /// What tokens were used for.
    pub(crate) struct TokenTables {
        /// By `service:Operation token`.
        tokens: Token = ("core/token", Strong),
    }
}

/// How long a token is remembered; AWS promises a day at least.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

/// One use of a token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Token {
    used_at: Timestamp,
    parameters: String,
    made: String,
}

/// A token that a call carries.
#[derive(Debug)]
pub(crate) struct TokenUse {
    key: String,
    parameters: String,
}

impl TokenUse {
    /// A token of an operation (`ec2:CreateNatGateway`) with everything else that was asked for, in a canonical form.
    pub(crate) fn new(operation: &str, token: &str, parameters: &str) -> Self {
        let digest = Sha256::digest(parameters.as_bytes());
        let parameters = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { key: format!("{operation} {token}"), parameters }
    }

    /// The token of a Query request, if it has one. To be asked after all parameters were read.
    pub(crate) fn of(params: &Params, operation: &str) -> Option<Self> {
        params.text("ClientToken").map(|token| Self::new(operation, token, &params.canonical()))
    }

    /// The id of what was made with this token before; a use with other parameters is an error.
    fn made(&self, call: &Call<'_>) -> Result<Option<String>, ServiceError> {
        match call.tables.core.tokens.get(&call.scope, &self.key) {
            Some(token) if token.parameters != self.parameters => Err(ServiceError::new(
                400,
                "IdempotentParameterMismatch",
                "The request uses the same client token as a previous, but non-identical request. Do not reuse a client token with different requests, unless the requests are identical.",
            )),
            Some(token) => Ok(Some(token.made.clone())),
            None => Ok(None),
        }
    }

    /// Remembers what was made.
    fn remember(self, call: &mut Call<'_>, id: &str) {
        let token = Token { used_at: call.now, parameters: self.parameters, made: id.to_owned() };
        call.tables.core.tokens.insert(&call.scope, self.key, token);
    }
}

/// Forgets tokens that were used long ago.
pub(crate) fn settle(tables: &mut TokenTables, now: Timestamp) {
    tables.tokens.remove_where(|_, token| token.used_at + REMEMBERED <= now);
}

/// Makes something once: a call whose token was used before answers with what was made then, as long as that exists.
pub(crate) fn once<'r>(
    call: &mut Call<'r>,
    token: Option<TokenUse>,
    exists: impl FnOnce(&Tables, &Scope, &str) -> bool,
    make: impl FnOnce(&mut Call<'r>) -> Result<String, ServiceError>,
) -> Result<String, ServiceError> {
    let made = token.as_ref().map(|token| token.made(call)).transpose()?.flatten();
    if let Some(id) = made.filter(|id| exists(call.tables, &call.scope, id)) {
        return Ok(id);
    }
    let id = make(call)?;
    if let Some(token) = token {
        token.remember(call, &id);
    }
    Ok(id)
}
