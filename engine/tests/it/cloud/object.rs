//! One object of the simulated cloud: its life over time, and how it looks from outside.

use std::collections::{BTreeMap, BTreeSet};

use lsinfra_engine::{Properties, Value};
use tokio::time::Instant;

use crate::cloud::catalog::SimulatedType;

/// One object. It stays on record after its end.
#[derive(Clone, Debug)]
pub(crate) struct CloudObject {
    pub(crate) id: String,
    pub(crate) simulated_type: SimulatedType,
    pub(crate) account: String,
    /// What its fields are set to; a field that is not there has its default.
    pub(crate) inputs: Properties,
    pub(crate) tags: BTreeMap<String, String>,
    /// When it stops being pending; updates push it out.
    pub(crate) settled_at: Instant,
    /// Whether the cloud gives it up when it should become ready.
    pub(crate) fails: bool,
    /// When it is gone, once its deletion has begun.
    pub(crate) gone_at: Option<Instant>,
    /// From when on reads show that it exists, what its fields are, and that it is gone.
    pub(crate) visible_from: Instant,
    pub(crate) fields_visible_from: Instant,
    pub(crate) end_visible_from: Instant,
    /// What reads show until `fields_visible_from`.
    pub(crate) stale_inputs: Properties,
}

/// Where an object is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Pending,
    Ready,
    Failed,
    Deleting,
    Gone,
}

/// What a read shows of an object.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) id: String,
    pub(crate) phase: Phase,
    pub(crate) inputs: Properties,
    pub(crate) outputs: Properties,
    pub(crate) tags: BTreeMap<String, String>,
}

impl CloudObject {
    /// Where it is in its life.
    pub(crate) fn phase(&self, now: Instant) -> Phase {
        match self.gone_at {
            Some(gone_at) if gone_at <= now => Phase::Gone,
            Some(_) => Phase::Deleting,
            None if now < self.settled_at => Phase::Pending,
            None if self.fails => Phase::Failed,
            None => Phase::Ready,
        }
    }

    /// Whether it is there in any way.
    pub(crate) fn exists(&self, now: Instant) -> bool {
        self.phase(now) != Phase::Gone
    }

    /// Whether others may refer to it.
    pub(crate) fn can_be_used(&self, now: Instant) -> bool {
        matches!(self.phase(now), Phase::Pending | Phase::Ready)
    }

    /// What a read shows; a consistent one shows things as they are.
    pub(crate) fn view(&self, now: Instant, consistent: bool) -> Option<View> {
        let phase = self.phase(now);
        if consistent {
            return (phase != Phase::Gone).then(|| self.shown(phase, &self.inputs, true));
        }
        let shows = match phase {
            Phase::Gone => now < self.end_visible_from,
            // A service that has accepted a deletion knows the object.
            Phase::Deleting => true,
            _ => self.visible_from <= now,
        };
        let fresh = self.fields_visible_from <= now;
        let phase = if phase == Phase::Gone { Phase::Deleting } else { phase };
        shows.then(|| self.shown(phase, if fresh { &self.inputs } else { &self.stale_inputs }, fresh))
    }

    fn shown(&self, phase: Phase, inputs: &Properties, with_tags: bool) -> View {
        let mut inputs = inputs.clone();
        for field in self.simulated_type.schema.inputs {
            inputs.entry(field.name.to_owned()).or_insert(default_of(field.name).unwrap_or_default());
        }
        // No cloud shows a secret again.
        inputs.remove("password");
        View {
            id: self.id.clone(),
            phase,
            inputs,
            outputs: self.outputs(),
            tags: if with_tags { self.tags.clone() } else { BTreeMap::new() },
        }
    }

    /// What it gives.
    pub(crate) fn outputs(&self) -> Properties {
        let label = self.inputs.get("label").and_then(Value::as_text).unwrap_or_default();
        self.simulated_type
            .schema
            .outputs
            .iter()
            .map(|field| {
                let text = match field.name {
                    "arn" => arn(&self.account, &self.id),
                    "address" => format!("address-of-{}", self.id),
                    "endpoint" => format!("https://{}/{label}", self.id),
                    _ => self.id.clone(),
                };
                (field.name.to_owned(), Value::Text(text))
            })
            .collect()
    }

    /// The value of a field as text.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.inputs.get(field).and_then(Value::as_text)
    }

    /// Whose object it is: the ownership tags' URN and generation.
    pub(crate) fn owner(&self) -> Option<(&str, &str)> {
        Some((self.tags.get("lsinfra:urn")?, self.tags.get("lsinfra:generation")?))
    }
}

/// What a read shows of a field that is not set: nothing is said of one without a default but that it
/// is not there.
pub(crate) fn default_of(field: &str) -> Option<Value> {
    match field {
        "label" | "settings" => Some(Value::text("")),
        "groups" | "links" | "parents" => Some(Value::List(Vec::new())),
        "tags" => Some(Value::Map(BTreeMap::new())),
        _ => None,
    }
}

/// The ARN of a named object.
pub(crate) fn arn(account: &str, name: &str) -> String {
    format!("arn:sim:{account}:{name}")
}

/// The fields that refer to other objects by their ids.
pub(crate) const HOLDING: &[&str] = &["parents", "groups"];

/// The ids in such fields.
pub(crate) fn held_ids(inputs: &Properties, fields: &[&str]) -> BTreeSet<String> {
    fields
        .iter()
        .filter_map(|field| inputs.get(*field))
        .flat_map(|value| match value {
            Value::List(items) => items.as_slice(),
            _ => &[],
        })
        .filter_map(Value::as_text)
        .map(str::to_owned)
        .collect()
}
