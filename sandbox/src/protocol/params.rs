//! The parameters of a Query request, read by name. It remembers what was read, so that an operation can refuse what it
//! does not know instead of dropping it.
//!
//! The generated deserializers of the `winterbaume-*` crates are not used for these requests: for EC2 they expect member
//! names (`TagSpecifications.item.1`) where clients send the names of the wire (`TagSpecification.1`), and they drop
//! what they do not know.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use super::error::ServiceError;

/// The parameters of one request. Lists are `Name.1`, `Name.2` in EC2 and `Name.member.1` elsewhere; both are read.
#[derive(Debug)]
pub(crate) struct Params {
    values: BTreeMap<String, String>,
    read: RefCell<BTreeSet<String>>,
    finished: std::cell::Cell<bool>,
}

impl Params {
    /// Parameters from decoded pairs; those of the protocol itself count as read.
    pub(crate) fn new(pairs: Vec<(String, String)>) -> Self {
        let of_the_protocol = |name: &str| {
            ["Action", "Version", "DryRun"].contains(&name) || name.to_ascii_lowercase().starts_with("x-amz-")
        };
        let values: BTreeMap<_, _> = pairs.into_iter().collect();
        let read = values.keys().filter(|name| of_the_protocol(name)).cloned().collect();
        Self { values, read: RefCell::new(read), finished: std::cell::Cell::new(false) }
    }

    /// A parameter's text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let (name, value) = self.values.get_key_value(name)?;
        self.read.borrow_mut().insert(name.clone());
        Some(value)
    }

    /// The text of a parameter that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, ServiceError> {
        match self.text(name) {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(ServiceError::new(
                400,
                "MissingParameter",
                format!("The request must contain the parameter {name}"),
            )),
        }
    }

    /// A parameter as a number or a truth value.
    pub(crate) fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, ServiceError> {
        self.text(name).map(|text| text.parse().map_err(|_| malformed(name, text))).transpose()
    }

    /// The texts of a list.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        let each = |format: &dyn Fn(usize) -> String| -> Vec<&str> {
            (1..).map_while(|index| self.text(&format(index))).collect()
        };
        let ec2 = each(&|index| format!("{name}.{index}"));
        if ec2.is_empty() { each(&|index| format!("{name}.member.{index}")) } else { ec2 }
    }

    /// The prefixes of a list's structures, `Name.1` or `Name.member.1`, for as many as there are.
    pub(crate) fn structures(&self, name: &str) -> Vec<String> {
        let each = |format: &dyn Fn(usize) -> String| -> Vec<String> {
            (1..).map(format).take_while(|prefix| self.has_within(prefix)).collect()
        };
        let ec2 = each(&|index| format!("{name}.{index}"));
        if ec2.is_empty() { each(&|index| format!("{name}.member.{index}")) } else { ec2 }
    }

    /// Whether anything was given under a structure's name.
    pub(crate) fn has_within(&self, prefix: &str) -> bool {
        let prefix = format!("{prefix}.");
        self.values.range(prefix.clone()..).next().is_some_and(|(name, _)| name.starts_with(&prefix))
    }

    /// Refuses the request if it has a parameter that was not read. An operation calls this after it has read its
    /// parameters and before it changes anything.
    pub(crate) fn finish(&self) -> Result<(), ServiceError> {
        self.finished.set(true);
        let read = self.read.borrow();
        match self.values.keys().find(|name| !read.contains(*name)) {
            Some(name) => Err(ServiceError::new(
                400,
                "UnknownParameter",
                format!("The sandbox does not have the parameter {name} of this operation."),
            )),
            None => Ok(()),
        }
    }

    /// Whether `finish` was called.
    pub(crate) fn is_finished(&self) -> bool {
        self.finished.get()
    }

    /// All parameters as one text, for a call's digest.
    pub(crate) fn canonical(&self) -> String {
        self.values.iter().map(|(name, value)| format!("{name}={value}\n")).collect()
    }
}

fn malformed(name: &str, text: &str) -> ServiceError {
    ServiceError::new(400, "InvalidParameterValue", format!("Invalid value '{text}' for {name}."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::protocol::request::pairs;

    #[test]
    fn both_kinds_of_lists_and_nested_structures_are_read() {
        let params = Params::new(pairs(
            "Action=X&Version=1&VpcId.1=a&VpcId.2=b&Names.member.1=c&Filter.1.Name=n&Filter.1.Value.1=v&Max=5",
        ));
        assert_eq!(params.list("VpcId"), ["a", "b"]);
        assert_eq!(params.list("Names"), ["c"]);
        assert_eq!(params.structures("Filter"), ["Filter.1"]);
        assert_eq!(params.required("Filter.1.Name").unwrap(), "n");
        assert_eq!(params.list("Filter.1.Value"), ["v"]);
        assert_eq!(
            params.finish().unwrap_err().message,
            "The sandbox does not have the parameter Max of this operation."
        );
        assert_eq!(params.parsed::<u32>("Max").unwrap(), Some(5));
        params.finish().unwrap();
    }

    #[test]
    fn what_is_missing_or_malformed_is_named() {
        let params = Params::new(pairs("Max=many&Empty="));
        assert_eq!(params.parsed::<u32>("Max").unwrap_err().code, "InvalidParameterValue");
        assert_eq!(params.required("Empty").unwrap_err().code, "MissingParameter");
        assert_eq!(params.required("Absent").unwrap_err().code, "MissingParameter");
    }
}
