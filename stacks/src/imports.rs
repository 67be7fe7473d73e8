//! Which declared resources the imports of a file mean.

use std::collections::BTreeSet;

use lsinfra_engine::{Graph, PhysicalId, Urn};

use crate::config::{Imports, InvalidConfig, most_similar};

/// Why a name means no resource that an object could be imported for. Texts are fragments.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDeclared {
    /// No resource of that type is declared.
    #[error("the stack declares no resource of type {resource_type:?}")]
    Type {
        /// The type as it was given.
        resource_type: String,
        /// The type that was probably meant.
        meant: Option<String>,
    },
    /// No resource of that name is declared.
    #[error("the stack declares no resource {name:?}{}", of_type(resource_type.as_deref()))]
    Name {
        /// The name as it was given.
        name: String,
        /// The type as it was given.
        resource_type: Option<String>,
        /// The name that was probably meant.
        meant: Option<String>,
    },
    /// Several resources have that name.
    #[error("{name:?} means more than one resource: {}", urns.iter().map(Urn::as_str).collect::<Vec<_>>().join(", "))]
    Several {
        /// The name as it was given.
        name: String,
        /// The resources.
        urns: Vec<Urn>,
    },
}

fn of_type(resource_type: Option<&str>) -> String {
    resource_type.map(|resource_type| format!(" of type {resource_type}")).unwrap_or_default()
}

impl NotDeclared {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Type { meant: Some(meant), .. } | Self::Name { meant: Some(meant), .. } => {
                format!("did you mean {meant}?")
            }
            Self::Type { .. } | Self::Name { .. } => {
                "`lsinfra graph` shows what the stack declares".to_owned()
            }
            Self::Several { .. } => "give more of its URN".to_owned(),
        }
    }
}

/// The declared resource that `name`, a URN or its end, means among those of `resource_type`, a type or
/// its end.
///
/// # Errors
/// [`NotDeclared`] if it means none, or several.
pub fn find(graph: &Graph, resource_type: Option<&str>, name: &str) -> Result<Urn, NotDeclared> {
    let is_of_type = |urn: &&Urn| {
        resource_type.is_none_or(|wanted| {
            let before = urn.resource_type().strip_suffix(wanted);
            before.is_some_and(|before| before.is_empty() || before.ends_with(':'))
        })
    };
    let declared = || graph.declarations().map(|declaration| &declaration.urn);
    let known: Vec<&Urn> = declared().filter(is_of_type).collect();
    if let (Some(resource_type), true) = (resource_type, known.is_empty()) {
        let types: BTreeSet<&str> = declared().map(Urn::resource_type).collect();
        let meant = most_similar(resource_type, types.into_iter()).map(str::to_owned);
        return Err(NotDeclared::Type { resource_type: resource_type.to_owned(), meant });
    }
    if let Some(urn) = known.iter().find(|urn| urn.as_str() == name) {
        return Ok((*urn).clone());
    }
    let meant: Vec<&Urn> = known.iter().copied().filter(|urn| urn.ends_with(name)).collect();
    match meant.as_slice() {
        [urn] => Ok((*urn).clone()),
        [] => {
            let ends = known.iter().flat_map(|urn| std::iter::once(urn.as_str()).chain(urn.ends()));
            let meant = most_similar(name, ends).map(str::to_owned);
            let resource_type = resource_type.map(str::to_owned);
            Err(NotDeclared::Name { name: name.to_owned(), resource_type, meant })
        }
        several => {
            let urns = several.iter().map(|urn| (*urn).clone()).collect();
            Err(NotDeclared::Several { name: name.to_owned(), urns })
        }
    }
}

impl Imports {
    /// Gives the resources that the entries mean the option `import`. Returns the resources.
    ///
    /// # Errors
    /// [`InvalidConfig`]: every entry that means no resource, or one that an earlier entry means; the graph
    /// is of no use then.
    pub fn declare(&self, graph: &mut Graph) -> Result<BTreeSet<Urn>, InvalidConfig> {
        let mut imported = BTreeSet::new();
        let mut problems = Vec::new();
        for entry in &self.entries {
            match find(graph, entry.resource_type.as_deref(), &entry.name) {
                Err(error) => problems.push(entry.place.problem(error.to_string(), Some(error.help()))),
                Ok(urn) if imported.contains(&urn) => {
                    let message = format!("{urn} is to import two objects");
                    problems.push(entry.place.problem(message, Some("remove one of them".to_owned())));
                }
                Ok(urn) => {
                    graph.import(&urn, PhysicalId::new(&entry.id));
                    imported.insert(urn);
                }
            }
        }
        if problems.is_empty() {
            return Ok(imported);
        }
        Err(InvalidConfig { file: self.file.clone(), problems })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;
    use crate::config::Config;
    use crate::langsmith::{Layers, langsmith};

    const MINIMAL: &str = "profile = \"dev\"\naccount = \"111122223333\"\nregion = \"us-west-2\"\n";

    fn graph_of(imports: &str) -> Result<Graph, String> {
        let text = format!("{MINIMAL}{imports}");
        let config =
            Config::parse(Path::new("environments/dev.toml"), &text).map_err(|error| error.to_string())?;
        langsmith(&config, &Layers { kubernetes: false }).map_err(|error| error.to_string())
    }

    #[test]
    fn a_resource_is_meant_by_its_urn_or_its_end_within_its_type() {
        let graph = graph_of("").unwrap();
        let found = |resource_type, name| find(&graph, resource_type, name).map(|urn| urn.to_string());
        let vpc = "network/aws:ec2:Vpc/main";
        for (resource_type, name) in [
            (Some("aws:ec2:Vpc"), "main"),
            (Some("Vpc"), vpc),
            (None, "Vpc/main"),
            (Some("ec2:Vpc"), "Vpc/main"),
        ] {
            assert_eq!(found(resource_type, name).unwrap(), vpc, "{resource_type:?} {name}");
        }
        let help = |resource_type, name| find(&graph, resource_type, name).unwrap_err().help();
        assert_eq!(help(Some("aws:ec2:Vcp"), "main"), "did you mean aws:ec2:Vpc?");
        assert_eq!(help(Some("aws:ec2:Vpc"), "mian"), "did you mean main?");
        assert_eq!(help(None, "main"), "give more of its URN");
        assert_eq!(help(None, "nothing-like-it"), "`lsinfra graph` shows what the stack declares");
        // A type is not another one that ends like it.
        assert!(find(&graph, Some("oup"), "cluster").is_err());
    }

    #[test]
    fn a_config_imports_objects() {
        let graph = graph_of("[import]\n\"Vpc/main\" = \"vpc-1\"\nblobs = \"old-bucket\"\n").unwrap();
        let imports: Vec<String> = graph
            .declarations()
            .filter_map(|declaration| {
                Some(format!("{} {}", declaration.urn, declaration.options.import.as_ref()?))
            })
            .collect();
        assert_eq!(imports, ["network/aws:ec2:Vpc/main vpc-1", "data/aws:s3:Bucket/blobs old-bucket"]);
    }

    #[test]
    fn what_means_no_resource_is_told_in_its_place() {
        let problems = graph_of("[import]\n\"Vpc/mian\" = \"vpc-1\"\nmain = \"vpc-2\"\n").err().unwrap();
        insta::assert_snapshot!(problems);
        let twice = graph_of("[import]\n\"Vpc/main\" = \"vpc-1\"\n\"aws:ec2:Vpc/main\" = \"vpc-2\"\n");
        assert!(
            twice.err().unwrap().contains("dev.toml:6:1: import.aws:ec2:Vpc/main: network/aws:ec2:Vpc/main")
        );
        let wrong = graph_of("[import]\nblobs = 7\n").err().unwrap();
        assert!(wrong.contains("dev.toml:5:9: import.blobs: expected a string, got an integer"), "{wrong}");
        assert!(graph_of("[import]\nblobs = \"\"\n").err().unwrap().contains("the id is empty"));
    }
}
