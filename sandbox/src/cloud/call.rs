//! What an operation is given to work with, and what it is.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::calls::Effect;
use super::identifiers::Identifiers;
use super::principal::Principal;
use super::table::Scope;
use crate::options::Pace;
use crate::protocol::Response;
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Document;
use crate::protocol::params::Params;
use crate::protocol::request::Request;
use crate::services::Tables;
use crate::storage::blobs::Blobs;

/// What an operation answers with.
pub(crate) type Reply = Result<Response, ServiceError>;

/// One operation of a service.
#[derive(Debug)]
pub(crate) struct Operation {
    /// AWS's name.
    pub(crate) name: &'static str,
    /// Whether it changes anything.
    pub(crate) effect: Effect,
    /// Carries it out.
    pub(crate) run: fn(&mut Call<'_>) -> Reply,
}

/// An operation that only reads.
pub(crate) const fn reads(name: &'static str, run: fn(&mut Call<'_>) -> Reply) -> Operation {
    Operation { name, effect: Effect::Reads, run }
}

/// An operation that changes something.
pub(crate) const fn changes(name: &'static str, run: fn(&mut Call<'_>) -> Reply) -> Operation {
    Operation { name, effect: Effect::Changes, run }
}

/// One call while it is carried out.
pub(crate) struct Call<'a> {
    /// The request.
    pub(crate) request: &'a Request,
    /// The parameters of the Query protocols; empty for others.
    pub(crate) params: &'a Params,
    /// The parameters of the JSON protocols; empty for others.
    pub(crate) document: &'a Document,
    /// Account and region.
    pub(crate) scope: Scope,
    /// Who asks.
    pub(crate) principal: Principal,
    /// Everything that exists, of all services.
    pub(crate) tables: &'a mut Tables,
    /// Fresh identifiers.
    pub(crate) identifiers: &'a mut Identifiers,
    /// The bodies of objects.
    pub(crate) blobs: &'a Blobs,
    /// Sandbox time.
    pub(crate) now: Timestamp,
    /// How long lifecycles take.
    pub(crate) pace: Pace,
    /// Whether new clusters get a control plane.
    pub(crate) has_kubernetes: bool,
    /// Quotas that the fault plan sets, by name.
    pub(crate) quotas: BTreeMap<String, usize>,
    /// A number that differs from call to call, if lists without an order are to be shuffled.
    pub(crate) shuffle: Option<u64>,
}

impl Call<'_> {
    /// When a lifecycle that starts now and takes this long on AWS (see [`super::lifecycle`]) is over.
    pub(crate) fn over_at(&self, on_aws: Duration) -> Timestamp {
        match self.pace {
            Pace::Instant => self.now,
            Pace::Realistic { .. } => self.now + on_aws,
        }
    }

    /// The moment before this one, at which nothing that starts now is over: what a creating call shows in its answer.
    pub(crate) fn just_before(&self) -> Timestamp {
        self.now - Duration::from_nanos(1)
    }

    /// The ARN of a regional resource of the caller's account.
    pub(crate) fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.scope.region, self.scope.account)
    }
}
