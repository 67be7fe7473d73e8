//! The simulated cloud: it models client tokens, delays, eventual consistency, throttling, lost
//! answers and dependency violations on a virtual clock, and watches that nothing is done to it that
//! must never be done.

pub(crate) mod catalog;
pub(crate) mod faults;
pub(crate) mod log;
pub(crate) mod object;
pub(crate) mod provider;
pub(crate) mod witness;
pub(crate) mod world;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lsinfra_engine::provider::{ErrorKind, ProviderError};
use tokio::time::Instant;

use crate::cloud::faults::{Fault, Faults};
use crate::cloud::log::{Call, Verb};
use crate::cloud::witness::Witness;
use crate::cloud::world::{Answer, World};
use crate::moments::{Moment, Moments, ProcessNumber};
use crate::random::Dice;

/// More calls than any test needs: a loop without end.
const CALL_LIMIT: usize = 200_000;

/// The cloud. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Cloud {
    shared: Arc<Mutex<Shared>>,
    moments: Moments,
    dice: Dice,
}

type Effect = Box<dyn FnOnce(&mut World, Instant) + Send>;

struct Shared {
    world: World,
    faults: Faults,
    witness: Witness,
    /// Calls of the present process, faulty ones included.
    calls: u64,
    /// Calls that were sent and have had no effect yet.
    in_flight: BTreeMap<usize, Effect>,
    /// Effects of calls whose process has died since.
    late: Vec<(Instant, Effect)>,
}

/// A call about to be made.
pub(crate) struct Request<'a> {
    pub(crate) verb: Verb,
    pub(crate) urn: &'a str,
    pub(crate) generation: u32,
    pub(crate) id: Option<&'a str>,
}

impl Cloud {
    pub(crate) fn new(moments: Moments, dice: Dice, staleness: Duration, witness: Witness) -> Self {
        let shared = Shared {
            world: World::new(dice.fork(1), staleness),
            faults: Faults::default(),
            witness,
            calls: 0,
            in_flight: BTreeMap::new(),
            late: Vec::new(),
        };
        Self { shared: Arc::new(Mutex::new(shared)), moments, dice }
    }

    /// Lets the calls of the coming process be hit by faults.
    pub(crate) fn start_process(&self, faults: Faults) {
        let mut shared = self.lock();
        shared.faults = faults;
        shared.calls = 0;
    }

    /// Decides what becomes of the calls that a dead process had sent: the cloud may have them or not,
    /// and may take its time over them.
    pub(crate) fn end_process(&self) {
        let now = Instant::now();
        let mut shared = self.lock();
        for (number, effect) in std::mem::take(&mut shared.in_flight) {
            let occasion = number as u64;
            match self.dice.fork(3).below(occasion, 3) {
                0 => {}
                1 => effect(&mut shared.world, now),
                _ => {
                    let creates = shared.world.log[number].verb == Verb::Create;
                    let most = if creates { Duration::from_secs(8) } else { Duration::ZERO };
                    let at = now + self.dice.fork(4).between(occasion, Duration::ZERO, most);
                    shared.late.push((at, effect));
                }
            }
        }
    }

    /// Looks at the world, or interferes with it.
    pub(crate) fn world<T>(&self, look: impl FnOnce(&mut World, Instant) -> T) -> T {
        let mut shared = self.lock();
        let now = Instant::now();
        shared.settle(now);
        look(&mut shared.world, now)
    }

    /// As [`Cloud::world`], or nothing while a call has its effect.
    pub(crate) fn try_world<T>(&self, look: impl FnOnce(&World, Instant) -> T) -> Option<T> {
        let shared = self.shared.try_lock().ok()?;
        Some(look(&shared.world, Instant::now()))
    }

    /// An independent copy.
    pub(crate) fn fork(&self, moments: Moments, witness: Witness) -> Self {
        let mut shared = self.lock();
        shared.settle(Instant::now());
        let copy = Shared {
            world: shared.world.clone(),
            faults: Faults::default(),
            witness,
            calls: 0,
            in_flight: BTreeMap::new(),
            late: Vec::new(),
        };
        Self { shared: Arc::new(Mutex::new(copy)), moments, dice: self.dice }
    }

    /// How many calls the present process has made.
    pub(crate) fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// Makes one call: passes the moments at which the process may die, is hit by faults, takes time.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        process: ProcessNumber,
        request: Request<'_>,
        rule: impl FnOnce(&mut World, Instant) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        self.moments.pass(process, Moment::BeforeCall).await;
        let (number, fault) = self.begin(&request);
        match fault {
            Some(Fault::Throttle) => return self.answer(number, refusal(ErrorKind::Throttled)),
            Some(Fault::FailBefore) => return self.answer(number, refusal(ErrorKind::Unclear)),
            Some(Fault::Miss) => return self.answer(number, refusal(ErrorKind::NotFound)),
            Some(Fault::LoseAnswer) | None => {}
        }
        if let Some(kind) = self.refused(&request) {
            return self.answer(number, refusal(kind));
        }
        let slot = self.send(number, &request, rule);
        let latency = |occasion| self.dice.fork(occasion).between(number as u64, Duration::ZERO, LATENCY);
        tokio::time::sleep(latency(5)).await;
        if !self.moments.is_alive(process) {
            std::future::pending::<()>().await;
        }
        self.lock().take_effect(number);
        if request.verb.is_changing() {
            self.moments.pass(process, Moment::AfterCall).await;
        }
        tokio::time::sleep(latency(6)).await;
        let answer = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (answer, fault) {
            (Some(answer), None) => self.answer(number, answer),
            _ => self.answer(number, refusal(ErrorKind::Unclear)),
        }
    }

    fn begin(&self, request: &Request<'_>) -> (usize, Option<Fault>) {
        let mut shared = self.lock();
        let fault = shared.faults.befall(shared.calls);
        shared.calls += 1;
        let number = shared.world.log.len();
        assert!(number < CALL_LIMIT, "the engine calls without end");
        shared.world.log.push(Call {
            verb: request.verb,
            urn: request.urn.to_owned(),
            generation: request.generation,
            id: request.id.map(str::to_owned),
            at: Instant::now(),
            answer: None,
            effective: false,
        });
        (number, fault)
    }

    fn refused(&self, request: &Request<'_>) -> Option<ErrorKind> {
        let shared = self.lock();
        let call = (request.urn.to_owned(), request.verb);
        let later = || {
            let same = |call: &&Call| call.urn == request.urn && call.verb == request.verb;
            shared
                .faults
                .refused_later
                .get(&call)
                .filter(|_| shared.world.log.iter().filter(same).count() > 1)
        };
        shared.faults.refused.get(&call).or_else(later).copied()
    }

    /// Puts a call on its way; its answer will be in the slot.
    fn send<T: Send + 'static>(
        &self,
        number: usize,
        request: &Request<'_>,
        rule: impl FnOnce(&mut World, Instant) -> Answer<T> + Send + 'static,
    ) -> Arc<Mutex<Option<Answer<T>>>> {
        let slot = Arc::new(Mutex::new(None));
        let filled = Arc::clone(&slot);
        let mut shared = self.lock();
        let witness = shared.witness.clone();
        let mut call = shared.world.log[number].clone();
        call.id = request.id.map(str::to_owned);
        let effect = move |world: &mut World, now: Instant| {
            let objection = witness.objection(&call, &world.log, now);
            world.violations.extend(objection);
            let answer = rule(world, now);
            world.log[number].effective = answer.is_ok();
            world.log[number].at = now;
            *filled.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        };
        shared.in_flight.insert(number, Box::new(effect));
        slot
    }

    fn answer<T>(&self, number: usize, answer: Answer<T>) -> Answer<T> {
        self.lock().world.log[number].answer = Some(answer.as_ref().map(|_| ()).map_err(|error| error.kind));
        answer
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn take_effect(&mut self, number: usize) {
        let now = Instant::now();
        self.settle(now);
        if let Some(effect) = self.in_flight.remove(&number) {
            effect(&mut self.world, now);
        }
    }

    /// Lets what is due happen.
    fn settle(&mut self, now: Instant) {
        for (at, effect) in std::mem::take(&mut self.late) {
            if at <= now {
                effect(&mut self.world, now);
            } else {
                self.late.push((at, effect));
            }
        }
    }
}

/// The longest way of a call in one direction.
const LATENCY: Duration = Duration::from_millis(150);

fn refusal<T>(kind: ErrorKind) -> Answer<T> {
    Err(ProviderError::new(kind, format!("injected: {}", kind.name())))
}
