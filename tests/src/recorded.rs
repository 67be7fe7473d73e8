//! What the environment's state knows, asked through the command line.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::invocation::Invocation;

/// The answer of `state list --output json`, as far as scenarios need it.
#[derive(Clone, Debug, Deserialize)]
pub struct Recorded {
    /// How often the state was written.
    pub serial: u64,
    /// Every object of every resource.
    pub objects: Vec<RecordedObject>,
}

/// One object.
#[derive(Clone, Debug, Deserialize)]
pub struct RecordedObject {
    /// Its resource.
    pub urn: String,
    /// Its type, such as `aws:ec2:Vpc`.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// The resource's name.
    pub name: String,
    /// Which of the resource's objects it is, from 1.
    pub generation: u32,
    /// Its id, if known.
    pub physical_id: Option<String>,
    /// `incoming`, `current`, `superseded` or `retained`.
    pub role: String,
    /// `ready`, `creating`, `creation_failed`, `updating` or `deleting`.
    pub status: String,
}

impl Recorded {
    /// Asks; `list` is a `state list` command without `--output`.
    pub fn ask(list: Invocation) -> Self {
        let ended = list.args(["--output", "json"]).succeed();
        serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}\n{}", ended.transcript()))
    }

    /// As [`Recorded::ask`]; nothing where no operation has got as far as being recorded.
    pub fn ask_if_any(list: Invocation) -> Self {
        let ended = list.args(["--output", "json"]).run();
        if ended.status.code() == Some(1) && ended.json()["error"]["code"] == "LS0312" {
            return Self { serial: 0, objects: Vec::new() };
        }
        serde_json::from_value(ended.expect_code(0).json()).unwrap()
    }

    /// The ids of all objects.
    pub fn ids(&self) -> BTreeSet<&str> {
        self.objects.iter().filter_map(|object| object.physical_id.as_deref()).collect()
    }

    /// The one object of a type and name.
    ///
    /// # Panics
    /// If there is none or are several.
    pub fn only(&self, resource_type: &str, name: &str) -> &RecordedObject {
        let mut found =
            self.objects.iter().filter(|object| object.resource_type == resource_type && object.name == name);
        match (found.next(), found.next()) {
            (Some(object), None) => object,
            (None, _) => panic!("no {resource_type} {name} in {self:#?}"),
            _ => panic!("several {resource_type} {name} in {self:#?}"),
        }
    }

    /// The id of the one object of a type and name.
    ///
    /// # Panics
    /// As [`Recorded::only`], or if it is not known.
    pub fn id(&self, resource_type: &str, name: &str) -> &str {
        self.only(resource_type, name).physical_id.as_deref().expect("the id is known")
    }
}
