//! Resources named on the command line: from a URN or its end to exactly one resource.

use std::collections::BTreeSet;

use lsinfra_engine::{Record, Snapshot, Urn};

use crate::error::{CommandError, ErrorCode};
use crate::suggest;

/// The resources that `names` mean among `known`.
///
/// # Errors
/// [`ErrorCode::UnknownResource`] for a name that means none, or several.
pub(crate) fn resolve(names: &[String], known: &BTreeSet<Urn>) -> Result<BTreeSet<Urn>, CommandError> {
    names.iter().map(|name| resolve_one(name, known)).collect()
}

/// The recorded resource that `name` means.
///
/// # Errors
/// As [`resolve`].
pub(crate) fn recorded<'a>(
    name: &str,
    snapshot: &'a Snapshot,
) -> Result<(&'a Urn, &'a Record), CommandError> {
    let known = snapshot.resources.keys().cloned().collect();
    let urn = resolve_one(name, &known)?;
    snapshot.resources.get_key_value(&urn).ok_or_else(|| unknown(name, &known))
}

fn resolve_one(name: &str, known: &BTreeSet<Urn>) -> Result<Urn, CommandError> {
    if let Some(urn) = known.iter().find(|urn| urn.as_str() == name) {
        return Ok(urn.clone());
    }
    let meant: Vec<&Urn> = known.iter().filter(|urn| urn.ends_with(name)).collect();
    match meant.as_slice() {
        [urn] => Ok((*urn).clone()),
        [] => Err(unknown(name, known)),
        several => Err(CommandError::new(
            ErrorCode::UnknownResource,
            format!("{name:?} means more than one resource"),
        )
        .details(several.iter().map(ToString::to_string))
        .hint("give more of its URN")),
    }
}

fn unknown(name: &str, known: &BTreeSet<Urn>) -> CommandError {
    let error = CommandError::new(ErrorCode::UnknownResource, format!("there is no resource {name:?}"));
    // Both the whole URN and its shorter ends are candidates, since any of them may have been meant.
    let ends: Vec<&str> =
        known.iter().flat_map(|urn| std::iter::once(urn.as_str()).chain(urn.ends())).collect();
    match suggest::closest(name, &ends) {
        Some(meant) => error.hint(format!("did you mean {meant}?")),
        None => {
            error.hint("`lsinfra graph` shows what the stack declares, `lsinfra state list` what is recorded")
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn known() -> BTreeSet<Urn> {
        ["network/aws:ec2:Vpc/main", "network/aws:ec2:RouteTable/main", "network/aws:ec2:Subnet/private-1"]
            .map(|urn| urn.parse().unwrap())
            .into()
    }

    fn one(name: &str) -> Result<String, CommandError> {
        resolve_one(name, &known()).map(|urn| urn.to_string())
    }

    #[test]
    fn a_urn_or_its_unique_end() {
        for name in
            ["network/aws:ec2:Subnet/private-1", "aws:ec2:Subnet/private-1", "Subnet/private-1", "private-1"]
        {
            assert_eq!(one(name).unwrap(), "network/aws:ec2:Subnet/private-1");
        }
    }

    #[test]
    fn several_are_listed() {
        let error = one("main").unwrap_err();
        assert_eq!(error.details, ["network/aws:ec2:RouteTable/main", "network/aws:ec2:Vpc/main"]);
    }

    #[test]
    fn mistyped_names_are_guessed() {
        assert_eq!(one("privat-1").unwrap_err().hints, ["did you mean private-1?"]);
        assert_eq!(one("aws:ec2:Vpc/man").unwrap_err().hints, ["did you mean aws:ec2:Vpc/main?"]);
        // A part of a name is not its end.
        assert!(one("rivate-1").is_err());
    }
}
