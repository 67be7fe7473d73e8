//! The state of the simulated cloud and the rules by which calls change it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use lsinfra_engine::provider::{ErrorKind, ProviderError};
use lsinfra_engine::{Properties, Value};
use tokio::time::Instant;

use crate::cloud::catalog::{Naming, SimulatedType};
use crate::cloud::log::Call;
use crate::cloud::object::{CloudObject, HOLDING, Phase, View, held_ids};
use crate::random::Dice;

/// A result of a rule.
pub(crate) type Answer<T> = Result<T, ProviderError>;

/// Everything that is in the cloud.
#[derive(Clone)]
pub(crate) struct World {
    /// All objects that ever were, by id.
    pub(crate) objects: BTreeMap<String, CloudObject>,
    /// For how long at most reads may show the world before a change.
    pub(crate) staleness: Duration,
    /// Whether an object on others' lists of groups cannot be deleted.
    pub(crate) groups_hold: bool,
    /// How many creations are still given up, by URN.
    pub(crate) doomed: BTreeMap<String, u32>,
    /// What lookups answer with.
    pub(crate) answers: String,
    /// Subjects that checks do not pass.
    pub(crate) failing_subjects: BTreeSet<String>,
    pub(crate) log: Vec<Call>,
    /// The fields that the last modifying call sent.
    pub(crate) last_modified: Vec<String>,
    /// What must never happen and did.
    pub(crate) violations: Vec<String>,
    tokens: HashMap<String, Token>,
    dice: Dice,
    created: u64,
}

/// What a client token was used for.
#[derive(Clone)]
struct Token {
    id: String,
    inputs: Properties,
}

/// What a creating call asks for.
#[derive(Clone, Debug)]
pub(crate) struct Creation {
    pub(crate) simulated_type: SimulatedType,
    pub(crate) account: String,
    pub(crate) token: Option<String>,
    pub(crate) inputs: Properties,
    pub(crate) tags: BTreeMap<String, String>,
}

/// An error of the cloud.
pub(crate) fn refuse<T>(kind: ErrorKind, message: impl Into<String>) -> Answer<T> {
    Err(ProviderError::new(kind, message))
}

impl World {
    pub(crate) fn new(dice: Dice, staleness: Duration) -> Self {
        Self {
            objects: BTreeMap::new(),
            staleness,
            groups_hold: true,
            doomed: BTreeMap::new(),
            answers: "first".to_owned(),
            failing_subjects: BTreeSet::new(),
            log: Vec::new(),
            last_modified: Vec::new(),
            violations: Vec::new(),
            tokens: HashMap::new(),
            dice,
            created: 0,
        }
    }

    /// The objects that are there.
    pub(crate) fn existing(&self, now: Instant) -> impl Iterator<Item = &CloudObject> {
        self.objects.values().filter(move |object| object.exists(now))
    }

    /// Makes an object.
    pub(crate) fn create(&mut self, creation: Creation, now: Instant) -> Answer<String> {
        self.reach(&creation.account, now)?;
        if let Some(token) = creation.token.as_ref().and_then(|token| self.tokens.get(token)) {
            if token.inputs == creation.inputs {
                return Ok(token.id.clone());
            }
            self.violations.push(format!("the token of {} was used with other parameters", token.id));
            return refuse(ErrorKind::Invalid, "the token was used with other parameters");
        }
        let references = held_ids(&creation.inputs, HOLDING).into_iter().chain(container(&creation.inputs));
        self.require(references, now)?;
        let id = self.new_id(&creation, now)?;
        self.check_single(&creation, now);
        let urn = creation.tags.get("lsinfra:urn").cloned().unwrap_or_default();
        let fails = match self.doomed.get_mut(&urn) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        };
        if let Some(token) = creation.token {
            self.tokens.insert(token, Token { id: id.clone(), inputs: creation.inputs.clone() });
        }
        let mut inputs = creation.inputs;
        if creation.simulated_type.has_input("window") && !inputs.contains_key("window") {
            inputs.insert("window".to_owned(), Value::text(format!("chosen-for-{id}")));
        }
        let object = CloudObject {
            id: id.clone(),
            simulated_type: creation.simulated_type,
            account: creation.account,
            stale_inputs: inputs.clone(),
            inputs,
            tags: creation.tags,
            settled_at: now + self.around(creation.simulated_type.schema.durations.create),
            fails,
            gone_at: None,
            visible_from: now + self.stale_for(),
            fields_visible_from: now + self.stale_for(),
            end_visible_from: now,
        };
        self.objects.insert(id.clone(), object);
        Ok(id)
    }

    /// Sets fields, or gives them back to their defaults.
    pub(crate) fn modify(
        &mut self,
        id: &str,
        fields: &BTreeMap<String, Option<Value>>,
        now: Instant,
    ) -> Answer<()> {
        self.last_modified = fields.keys().cloned().collect();
        let (held, stale) = (self.stale_for(), self.objects.get(id).map(|object| object.inputs.clone()));
        let object = self.reachable(id, now)?;
        if matches!(object.phase(now), Phase::Deleting | Phase::Failed) {
            return refuse(ErrorKind::Conflict, format!("{id} is {:?}", object.phase(now)));
        }
        let simulated_type = object.simulated_type;
        let mut inputs = object.inputs.clone();
        for (name, value) in fields {
            let fixed = simulated_type.schema.input(name).is_some_and(|field| field.replace);
            if fixed && object.inputs.get(name) != value.as_ref() {
                self.violations.push(format!("{name} of {id} was to be changed in place"));
                return refuse(ErrorKind::Invalid, format!("{name} of {id} cannot be changed"));
            }
            match value {
                Some(value) => inputs.insert(name.clone(), value.clone()),
                None => inputs.remove(name),
            };
        }
        let references: Vec<String> =
            held_ids(&inputs, HOLDING).difference(&held_ids(&object.inputs, HOLDING)).cloned().collect();
        self.require(references, now)?;
        let settled_at = now + self.around(simulated_type.schema.durations.update);
        if let Some(object) = self.objects.get_mut(id)
            && object.inputs != inputs
        {
            object.inputs = inputs;
            object.stale_inputs = stale.unwrap_or_default();
            object.fields_visible_from = now + held;
            object.settled_at = object.settled_at.max(settled_at);
        }
        Ok(())
    }

    /// Begins the deletion of an object and of what lives in it.
    pub(crate) fn delete(&mut self, id: &str, now: Instant) -> Answer<()> {
        let object = self.reachable(id, now)?;
        if object.phase(now) == Phase::Deleting {
            return Ok(());
        }
        if let Some(holder) = self.holder(id, now) {
            return refuse(ErrorKind::Conflict, format!("{holder} still uses {id}"));
        }
        let contents = self.contents(id, now);
        let delay = object.simulated_type.schema.durations.delete;
        let gone_at = now + self.around(delay);
        for id in contents.iter().map(String::as_str).chain([id]) {
            self.end(id, gone_at);
        }
        Ok(())
    }

    fn holder(&self, id: &str, now: Instant) -> Option<&str> {
        let fields: &[&str] = if self.groups_hold { &["parents", "groups"] } else { &["parents"] };
        let holds = |object: &&CloudObject| held_ids(&object.inputs, fields).contains(id);
        self.existing(now).find(holds).map(|object| object.id.as_str())
    }

    /// Changes a field as someone else would. Returns whether the object was there.
    pub(crate) fn meddle(&mut self, id: &str, field: &str, value: Value, now: Instant) -> bool {
        match self.objects.get_mut(id) {
            Some(object) if object.exists(now) => {
                object.inputs.insert(field.to_owned(), value);
                true
            }
            _ => false,
        }
    }

    /// Takes a field away as someone else would. Returns whether the object was there.
    pub(crate) fn take_away(&mut self, id: &str, field: &str, now: Instant) -> bool {
        let exists = self.objects.get(id).is_some_and(|object| object.exists(now));
        if exists {
            self.forget(id, field);
        }
        exists
    }

    /// Deletes an object with its contents as someone else would, if nothing uses them. Returns what is
    /// gone.
    pub(crate) fn vanish_if_unused(&mut self, id: &str, now: Instant) -> Vec<String> {
        let going: Vec<String> = self.contents(id, now).into_iter().chain([id.to_owned()]).collect();
        let used =
            |id: &String| self.holder(id, now).is_some_and(|holder| !going.iter().any(|id| id == holder));
        if going.iter().any(used) || !self.objects.get(id).is_some_and(|object| object.exists(now)) {
            return Vec::new();
        }
        for id in &going {
            if let Some(object) = self.objects.get_mut(id) {
                object.gone_at = Some(now);
                object.end_visible_from = now;
            }
        }
        going
    }

    /// The objects that live in one.
    fn contents(&self, id: &str, now: Instant) -> Vec<String> {
        let inside = account_in(id);
        let contents =
            self.existing(now).filter(|other| other.text("container") == Some(id) || other.account == inside);
        contents.map(|other| other.id.clone()).collect()
    }

    /// Adds an object with those fields that someone else made, with a tag of its own. Returns its id.
    pub(crate) fn add_foreign(
        &mut self,
        simulated_type: SimulatedType,
        inputs: Properties,
        tags: BTreeMap<String, String>,
        now: Instant,
    ) -> String {
        let note = ("note".to_owned(), self.objects.len().to_string());
        let tags = tags.into_iter().chain([note]).collect();
        let account = "account-0".to_owned();
        let id = self.create(Creation { simulated_type, account, token: None, inputs, tags }, now).unwrap();
        let object = self.objects.get_mut(&id).unwrap();
        (object.settled_at, object.visible_from, object.fields_visible_from) = (now, now, now);
        id
    }

    /// Adds an object that is not ours.
    pub(crate) fn add_strangers(&mut self, name: &str, simulated_type: SimulatedType, now: Instant) {
        let inputs = Properties::from([("name".to_owned(), Value::text(name))]);
        let (account, tags) = ("account-0".to_owned(), BTreeMap::new());
        let creation = Creation { simulated_type, account, token: None, inputs, tags };
        self.create(creation, now).unwrap();
    }

    /// Gives a field back to its default, as if nobody had ever touched it.
    pub(crate) fn forget(&mut self, id: &str, field: &str) {
        if let Some(object) = self.objects.get_mut(id) {
            object.inputs.remove(field);
        }
    }

    /// What a read of one object shows.
    pub(crate) fn describe(&self, account: &str, id: &str, now: Instant) -> Option<View> {
        self.objects
            .get(id)
            .filter(|object| object.account == account)
            .and_then(|object| object.view(now, false))
    }

    /// What a read of all objects of a type shows.
    pub(crate) fn list(&self, account: &str, resource_type: &str, now: Instant) -> Vec<View> {
        self.objects
            .values()
            .filter(|object| object.account == account)
            .filter(|object| object.simulated_type.schema.resource_type == resource_type)
            .filter_map(|object| object.view(now, false))
            .collect()
    }

    /// The object that a client token made.
    pub(crate) fn made_by(&self, token: &str) -> Option<&str> {
        self.tokens.get(token).map(|token| token.id.as_str())
    }

    /// Whether an account answers: one inside a cluster only as long as the cluster is there.
    pub(crate) fn reach(&self, account: &str, now: Instant) -> Answer<()> {
        let cluster = account.strip_prefix(INSIDE);
        let there = cluster.is_none_or(|id| self.objects.get(id).is_some_and(|object| object.exists(now)));
        if there { Ok(()) } else { refuse(ErrorKind::Denied, format!("{account} does not answer")) }
    }

    fn reachable(&self, id: &str, now: Instant) -> Answer<&CloudObject> {
        match self.objects.get(id) {
            Some(object) if object.exists(now) => Ok(object),
            _ => refuse(ErrorKind::NotFound, format!("there is no {id}")),
        }
    }

    fn require(&self, ids: impl IntoIterator<Item = String>, now: Instant) -> Answer<()> {
        match ids.into_iter().find(|id| !self.objects.get(id).is_some_and(|object| object.can_be_used(now))) {
            Some(id) => refuse(ErrorKind::NotFound, format!("there is no {id}")),
            None => Ok(()),
        }
    }

    fn new_id(&mut self, creation: &Creation, now: Instant) -> Answer<String> {
        let text = |field: &str| creation.inputs.get(field).and_then(Value::as_text);
        match creation.simulated_type.naming {
            Naming::Name => {
                let name = text("name").unwrap_or_default().to_owned();
                if self.objects.get(&name).is_some_and(|object| object.exists(now)) {
                    return refuse(ErrorKind::AlreadyExists, format!("there is a {name} already"));
                }
                return Ok(name);
            }
            Naming::Slot => {
                let slot = text("slot");
                let taken = self.existing(now).any(|object| {
                    object.simulated_type.naming == Naming::Slot && object.text("slot") == slot
                });
                if taken {
                    return refuse(ErrorKind::AlreadyExists, format!("{slot:?} is taken"));
                }
            }
            Naming::Token | Naming::Tags => {}
        }
        self.created += 1;
        let kind = creation.simulated_type.schema.resource_type.rsplit(':').next().unwrap_or_default();
        Ok(format!("{}-{:04}", kind.to_lowercase(), self.created))
    }

    /// No double: one physical object for one URN and generation.
    fn check_single(&mut self, creation: &Creation, now: Instant) {
        let double = self
            .existing(now)
            .find(|object| object.tags == creation.tags)
            .map(|object| format!("a double of {} was made: {:?}", object.id, object.owner()));
        self.violations.extend(double);
    }

    fn end(&mut self, id: &str, gone_at: Instant) {
        let stale = self.stale_for();
        if let Some(object) = self.objects.get_mut(id)
            && object.gone_at.is_none_or(|earlier| gone_at < earlier)
        {
            object.gone_at = Some(gone_at);
            object.end_visible_from = gone_at + stale;
        }
    }

    fn around(&mut self, typical: Duration) -> Duration {
        self.created += 1;
        self.dice.between(self.created, typical / 2, typical * 2)
    }

    fn stale_for(&mut self) -> Duration {
        self.created += 1;
        self.dice.fork(7).between(self.created, Duration::ZERO, self.staleness)
    }
}

/// The prefix of accounts that are the inside of a cluster.
const INSIDE: &str = "inside-";

/// The account that is the inside of a cluster.
pub(crate) fn account_in(cluster: &str) -> String {
    format!("{INSIDE}{cluster}")
}

fn container(inputs: &Properties) -> Option<String> {
    inputs.get("container").and_then(Value::as_text).map(str::to_owned)
}
