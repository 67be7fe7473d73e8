//! Stacks as text, short enough to read a failing case.

use std::fmt;

use crate::stack::{HomeSpec, ResourceSpec, StackSpec};

impl fmt::Debug for StackSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "stack:")?;
        self.resources.iter().try_for_each(|resource| writeln!(formatter, "  {resource:?}"))
    }
}

impl fmt::Debug for ResourceSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {} identity={}", self.key, self.urn(), self.identity)?;
        let values = [
            ("label", self.label),
            ("settings", self.settings),
            ("description", self.description),
            ("window", self.window),
            ("password", self.password),
            ("tags", self.tags),
        ];
        for (name, value) in values {
            if let Some(value) = value.filter(|_| self.simulated_type.has_input(name)) {
                write!(formatter, " {name}={value}")?;
            }
        }
        for (name, keys) in
            [("parents", &self.parents), ("groups", &self.groups), ("depends_on", &self.options.depends_on)]
        {
            if !keys.is_empty() {
                write!(formatter, " {name}={keys:?}")?;
            }
        }
        for link in &self.links {
            let mapped = if link.mapped { " mapped" } else { "" };
            write!(formatter, " link={}[{}]{mapped}", link.to, link.output)?;
        }
        if let Some(container) = self.container {
            write!(formatter, " container={container}")?;
        }
        match self.home {
            HomeSpec::Account { account: 0, role: 0 } => {}
            HomeSpec::Account { account, role } => write!(formatter, " account={account}/{role}")?,
            HomeSpec::Inside(cluster) => write!(formatter, " inside={cluster}")?,
        }
        let options = &self.options;
        let flags = [
            ("protect", options.protect),
            ("retain_on_delete", options.retain_on_delete),
            ("delete_before_replace", options.delete_before_replace),
            ("deleted_with", options.deleted_with),
            ("ignore_label", options.ignore_label),
            ("replace_on_label", options.replace_on_label),
        ];
        for (name, _) in flags.iter().filter(|(_, set)| *set) {
            write!(formatter, " {name}")?;
        }
        if !options.aliases.is_empty() {
            write!(formatter, " aliases={:?}", options.aliases)?;
        }
        Ok(())
    }
}
