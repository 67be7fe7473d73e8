//! Security Token Service: who a key belongs to, and keys for roles.
//! <https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html>

mod assume_role;
mod caller_identity;
#[cfg(test)]
mod tests;
mod trust;
mod web_identity;

pub(crate) use web_identity::assume_role_with_web_identity;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Item, Service, Tables, by_action};
use crate::cloud::call::{Operation, changes, reads};
use crate::cloud::table::tables;
use crate::protocol::error::Protocol;
use crate::protocol::request::Request;

tables! {
    /// What STS keeps.
    pub(crate) struct StsTables {
        /// Sessions by access key id, in the empty scope, since a key is looked up before its account is known.
        sessions: Session = ("sts/session", Strong),
    }
}

/// The session that a temporary access key stands for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    /// The role's account.
    pub(crate) account: String,
    /// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
    pub(crate) arn: String,
    /// `AROA...:SESSION`.
    pub(crate) assumed_role_id: String,
    /// When its credentials end.
    pub(crate) expires_at: Timestamp,
    /// What its tokens for clusters are signed with; `None` for sessions from before those were checked.
    pub(crate) secret_access_key: Option<String>,
}

/// How long the sandbox knows that a key has expired, and does not take it for the key of its own user.
const KNOWN_AS_EXPIRED: Duration = Duration::from_secs(24 * 60 * 60);

const OPERATIONS: &[Operation] = &[
    reads("GetCallerIdentity", caller_identity::get_caller_identity),
    changes("AssumeRole", assume_role::assume_role),
];

/// The service.
pub(crate) struct Sts;

impl Service for Sts {
    fn name(&self) -> &'static str {
        "sts"
    }

    fn protocol(&self) -> Protocol {
        Protocol::AwsQuery
    }

    fn operation(&self, request: &Request) -> Result<&'static Operation, String> {
        by_action(OPERATIONS, request)
    }

    fn operations(&self) -> Vec<&'static str> {
        OPERATIONS.iter().map(|operation| operation.name).collect()
    }

    /// Forgets sessions that ended long ago.
    fn settle(&self, tables: &mut Tables, now: Timestamp) {
        tables.sts.sessions.remove_where(|_, session| session.expires_at + KNOWN_AS_EXPIRED <= now);
    }

    fn inventory(&self, _tables: &Tables, _now: Timestamp) -> Vec<Item> {
        Vec::new()
    }
}
