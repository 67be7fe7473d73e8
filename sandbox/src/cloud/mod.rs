//! Everything behind the one lock: time, identifiers, tables, faults, the call log and the store. Owns the order in
//! which a call passes through them; must not know HTTP connections or any service's rules.

pub(crate) mod call;
pub(crate) mod calls;
pub(crate) mod clock;
mod control_planes;
pub(crate) mod identifiers;
pub(crate) mod lifecycle;
pub(crate) mod principal;
pub(crate) mod table;
pub(crate) mod tokens;

use std::time::Duration;

use sha2::{Digest, Sha256};

use self::call::{Call, Operation};
use self::calls::{CallLog, CallRecord, Effect, Outcome};
use self::clock::Clock;
use self::identifiers::Identifiers;
use self::principal::Principal;
use self::table::{Lag, Moment, Scope, Sight};
use crate::faults::draw::{Coin, Drawn, Faults, Injected};
use crate::faults::plan::HoldPoint;
use crate::options::Pace;
use crate::protocol::Response;
use crate::protocol::error::{Protocol, ServiceError};
use crate::protocol::json;
use crate::protocol::params::Params;
use crate::protocol::request::Request;
use crate::services::{self, Item, Service, Tables};
use crate::storage::Store;

/// The cloud: one value, one lock around it, one call at a time.
pub(crate) struct Cloud {
    tables: Tables,
    clock: Clock,
    identifiers: Identifiers,
    store: Store,
    pace: Pace,
    has_kubernetes: bool,
    default_account: String,
    pub(crate) faults: Faults,
    pub(crate) calls: CallLog,
}

/// A call that was counted and logged but not yet carried out.
pub(crate) struct Admitted {
    /// Its number in the call log.
    pub(crate) number: u64,
    /// `service:Operation`.
    pub(crate) name: String,
    /// What goes wrong with it.
    pub(crate) injected: Option<Injected>,
    /// How long it waits before its effect, in real time.
    pub(crate) delay: Duration,
    /// Where it is held.
    pub(crate) hold: Option<HoldPoint>,
    protocol: Protocol,
    /// `None` if the sandbox does not have it.
    service: Option<&'static dyn Service>,
    operation: Result<&'static Operation, String>,
    count: u64,
}

/// Why an account cannot be given a hosted zone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HostedZoneError {
    /// The name is none.
    #[error("{0}")]
    Name(String),
    /// It could not be written down.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// The value that every answer carries as its request id.
pub(crate) fn request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

impl Cloud {
    /// A cloud on what a store held.
    pub(crate) fn new(
        opened: crate::storage::Opened,
        clock: Clock,
        pace: Pace,
        default_account: String,
    ) -> Self {
        let crate::storage::Opened { store, tables, identifiers, .. } = opened;
        Self {
            tables,
            clock,
            identifiers,
            store,
            pace,
            has_kubernetes: false,
            default_account,
            faults: Faults::default(),
            calls: CallLog::default(),
        }
    }

    /// Sandbox time, written down, since whoever is told it should never be told an earlier one; unwritten if nothing
    /// can be written any more, since a sandbox whose disk is full must still say what it is.
    pub(crate) fn tell_time(&mut self) -> jiff::Timestamp {
        let elapsed = self.clock.elapsed();
        // The next call that changes anything is answered with the error.
        let _ = self.store.append(self.identifiers.next(), Vec::new(), elapsed);
        self.clock.at(elapsed)
    }

    /// How long lifecycles take.
    pub(crate) fn pace(&self) -> Pace {
        self.pace
    }

    /// The account of keys that name none.
    pub(crate) fn account(&self) -> &str {
        &self.default_account
    }

    /// Moves a manual clock.
    #[cfg(test)]
    pub(crate) fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
    }

    /// Counts and logs a call, and draws what goes wrong with it.
    pub(crate) fn admit(&mut self, request: &Request) -> Admitted {
        let scope = &request.credentials;
        let service = services::find(&scope.service);
        let operation = match service {
            Some(service) => service.operation(request),
            None => Err(request.asked_for()),
        };
        let protocol = service.map_or_else(|| Protocol::of(&request.headers), Service::protocol);
        let (name, effect) = match &operation {
            Ok(operation) => (operation.name, operation.effect),
            Err(name) => (name.as_str(), Effect::Reads),
        };
        let full_name = format!("{}:{name}", scope.service);
        let is_changing = effect == Effect::Changes;
        let has_condition = ["if-match", "if-none-match"].iter().any(|name| request.header(name).is_some());
        let is_conditional = is_changing && has_condition && matches!(protocol, Protocol::S3);
        let Drawn { injected, delay, hold, count } =
            self.faults.draw(&full_name, is_changing, is_conditional);
        let number = self.calls.next_number();
        self.calls.enter(CallRecord {
            number,
            time: self.clock.now(),
            service: scope.service.clone(),
            operation: name.to_owned(),
            region: scope.region.clone(),
            path: request.path.clone(),
            effect,
            outcome: Outcome::Pending,
            injected: injected.map(|injected| injected.name().to_owned()),
            stale: false,
            digest: digest(request),
            user_agent: user_agent(request).to_owned(),
            request_bytes: request.body.len() as u64,
        });
        Admitted { number, name: full_name, injected, delay, hold, protocol, service, operation, count }
    }

    /// Carries out an admitted call; what it changed is written down when this returns. `None` means that the
    /// connection is to be closed without an answer.
    pub(crate) fn carry_out(
        &mut self,
        admitted: &Admitted,
        request: &Request,
    ) -> std::io::Result<Option<Response>> {
        let id = request_id();
        let protocol = admitted.protocol;
        if admitted.injected == Some(Injected::DroppedConnection) {
            self.calls.conclude(admitted.number, Outcome::Error("(connection dropped)".to_owned()), false);
            return Ok(None);
        }
        let reply = self.reply(admitted, request);
        self.write_down()?;
        let outcome = match &reply {
            Ok(response) if response.status().is_client_error() => {
                Outcome::Error(response.status().to_string())
            }
            Ok(_) => Outcome::Ok,
            Err(error) => Outcome::Error(error.code.clone()),
        };
        let stale = self.tables.each().iter().any(|table| table.was_behind());
        self.calls.conclude(admitted.number, outcome, stale);
        if admitted.injected == Some(Injected::LostResponse) {
            return Ok(None);
        }
        let mut response = reply.unwrap_or_else(|error| error.response(protocol, &id));
        if let Ok(value) = id.parse::<http::HeaderValue>() {
            if let Some(second) = protocol.second_request_id_header() {
                response.headers_mut().insert(second, value.clone());
            }
            response.headers_mut().insert(protocol.request_id_header(), value);
        }
        Ok(Some(response))
    }

    fn reply(&mut self, admitted: &Admitted, request: &Request) -> call::Reply {
        let protocol = admitted.protocol;
        let now = self.clock.now();
        self.begin(&Moment::plain(now));
        services::settle(&mut self.tables, now);
        let principal =
            Principal::of(&request.credentials.access_key, &self.default_account, &self.tables, now)?;
        match admitted.injected {
            Some(Injected::Throttled) => return Err(protocol.throttled(&admitted.name)),
            Some(Injected::ServerError) => return Err(protocol.server_error()),
            Some(Injected::Conflict) => return Err(Protocol::conditional_conflict()),
            Some(Injected::Denied) => return Err(protocol.denied(&principal.arn, &admitted.name)),
            Some(Injected::DroppedConnection | Injected::LostResponse) | None => {}
        }
        let Some(service) = admitted.service else {
            return Err(protocol.no_service(&request.credentials.service));
        };
        let operation = match &admitted.operation {
            Ok(operation) => *operation,
            Err(name) => return Err(protocol.not_implemented(service.name(), name)),
        };
        let plan = self.faults.plan();
        let quotas = plan.quotas.clone();
        let shuffle = plan.shuffle.then_some(plan.seed ^ admitted.number);
        if plan.consistency_window_ms > 0 {
            let coin = Coin { seed: plan.seed, operation: admitted.name.clone(), count: admitted.count };
            let lag = Lag {
                until: now + Duration::from_millis(plan.consistency_window_ms),
                certain_reads: plan.stale_reads,
            };
            let (lag, sight) = match operation.effect {
                Effect::Changes => (Some(lag), Sight::Missing(coin)),
                Effect::Reads => (None, Sight::Older(coin)),
            };
            self.begin(&Moment { now, lag, sight });
        }
        let params = Params::new(if protocol.has_form() { request.form() } else { Vec::new() });
        let document = protocol.document(request)?;
        let scope = Scope::new(&principal.account, &request.credentials.region);
        let mut call = Call {
            request,
            params: &params,
            document: &document,
            scope,
            principal,
            tables: &mut self.tables,
            identifiers: &mut self.identifiers,
            blobs: self.store.blobs(),
            now,
            pace: self.pace,
            has_kubernetes: self.has_kubernetes,
            quotas,
            shuffle,
        };
        service.guard(&call)?;
        let reply = (operation.run)(&mut call);
        let is_unfinished = (protocol.has_form() && !params.is_finished())
            || (protocol.has_document() && !document.is_finished());
        if reply.is_ok() && is_unfinished {
            let text = format!("{} did not account for all of its parameters", admitted.name);
            return Err(ServiceError::new(500, "InternalFailure", text));
        }
        reply
    }

    fn begin(&mut self, moment: &Moment) {
        for table in self.tables.each() {
            table.begin(moment);
        }
    }

    fn write_down(&mut self) -> std::io::Result<()> {
        let mut changes = Vec::new();
        for table in self.tables.each() {
            table.take_changes(&mut changes)?;
        }
        self.store.append(self.identifiers.next(), changes, self.clock.elapsed())?;
        if self.store.is_overgrown() {
            let mut rows = Vec::new();
            for table in self.tables.each() {
                table.dump(&mut rows)?;
            }
            // What was changed is written down already: a log that stays long is tried again with the next call.
            let _ = self.store.compact(self.identifiers.next(), rows, self.clock.elapsed());
        }
        Ok(())
    }

    /// Makes sure that an account has a public hosted zone of a name, as one that was there before anything else.
    pub(crate) fn ensure_hosted_zone(&mut self, account: &str, name: &str) -> Result<(), HostedZoneError> {
        self.begin(&Moment::plain(self.clock.now()));
        services::route53::ensure(&mut self.tables, &mut self.identifiers, account, name)
            .map_err(|error| HostedZoneError::Name(error.message))?;
        Ok(self.write_down()?)
    }

    /// Everything that exists and that AWS did not make by itself.
    pub(crate) fn inventory(&mut self) -> std::io::Result<Vec<Item>> {
        let now = self.clock.now();
        self.begin(&Moment::plain(now));
        services::settle(&mut self.tables, now);
        self.write_down()?;
        Ok(services::inventory(&self.tables, now))
    }
}

/// What the client says of itself: the SDKs' own header says more than the one that proxies may replace.
fn user_agent(request: &Request) -> &str {
    request.header("x-amz-user-agent").or_else(|| request.header("user-agent")).unwrap_or_default()
}

fn digest(request: &Request) -> String {
    let mut hash = Sha256::new();
    hash.update(request.method.as_str());
    hash.update(&request.path);
    hash.update(request.header(json::TARGET).unwrap_or_default());
    for (name, value) in &request.query {
        if !name.to_ascii_lowercase().starts_with("x-amz-") {
            hash.update(name);
            hash.update([0]);
            hash.update(value);
            hash.update([0]);
        }
    }
    hash.update(&request.body);
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
