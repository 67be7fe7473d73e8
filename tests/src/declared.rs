//! What the stack declares, asked through the command line.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::invocation::Invocation;

/// The answer of `graph --output json`, as far as scenarios need it.
#[derive(Clone, Debug, Deserialize)]
pub struct Declared {
    /// Every resource.
    pub resources: Vec<DeclaredResource>,
}

/// One resource.
#[derive(Clone, Debug, Deserialize)]
pub struct DeclaredResource {
    /// Its URN.
    pub urn: String,
    /// Its type, such as `aws:ec2:Vpc`.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// The resources that it depends on.
    pub depends_on: Vec<String>,
}

impl Declared {
    /// Asks; `graph` is a `graph` command without `--output`.
    pub fn ask(graph: Invocation) -> Self {
        let ended = graph.args(["--output", "json"]).succeed();
        serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}\n{}", ended.transcript()))
    }

    /// The same without what runs in clusters, and what depends on it.
    #[must_use]
    pub fn outside_of_clusters(self) -> Self {
        let is_inside = |name: &str| ["helm:", "kubernetes:"].iter().any(|start| name.starts_with(start));
        let inside = self.resources.iter().filter(|resource| is_inside(&resource.resource_type));
        let left_out: BTreeSet<&str> = inside.flat_map(|resource| self.dependents(&resource.urn)).collect();
        let kept = self.resources.iter().filter(|resource| !left_out.contains(resource.urn.as_str()));
        Self { resources: kept.cloned().collect() }
    }

    /// The URNs of all resources of a type.
    pub fn of_type<'a>(&'a self, resource_type: &str) -> impl Iterator<Item = &'a str> {
        let resource_type = resource_type.to_owned();
        self.resources
            .iter()
            .filter(move |resource| resource.resource_type == resource_type)
            .map(|resource| resource.urn.as_str())
    }

    /// The resource of that URN.
    pub fn resource(&self, urn: &str) -> &DeclaredResource {
        let found = self.resources.iter().find(|resource| resource.urn == urn);
        found.unwrap_or_else(|| panic!("{urn} is not declared"))
    }

    /// A resource and all that depend on it, directly or not.
    pub fn dependents<'a>(&'a self, urn: &'a str) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::from([urn]);
        loop {
            let more = self.resources.iter().filter(|resource| {
                resource.depends_on.iter().any(|dependency| found.contains(dependency.as_str()))
            });
            let next: BTreeSet<&str> = more.map(|resource| resource.urn.as_str()).chain([urn]).collect();
            let next = &found | &next;
            if next == found {
                return found;
            }
            found = next;
        }
    }
}
