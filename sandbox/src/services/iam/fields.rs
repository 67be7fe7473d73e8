//! Parameters that IAM's operations share, with the limits that IAM sets, and values as IAM writes them.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>

use jiff::Timestamp;

use super::errors::{camel_case, constraint, validation};
use crate::protocol::error::ServiceError;
use crate::protocol::params::Params;

/// The longest names of roles, in characters.
pub(super) const ROLE_NAME: usize = 64;
/// The longest names of everything else.
pub(super) const OTHER_NAME: usize = 128;

/// A parameter that must be there.
pub(super) fn required<'p>(params: &'p Params, field: &str) -> Result<&'p str, ServiceError> {
    params.text(field).ok_or_else(|| {
        let field = camel_case(field);
        validation(format!(
            "1 validation error detected: Value null at '{field}' failed to satisfy constraint: Member must not be null"
        ))
    })
}

/// A name that must be there: letters, digits and `+=,.@_-`.
pub(super) fn name<'p>(params: &'p Params, field: &str, longest: usize) -> Result<&'p str, ServiceError> {
    let name = required(params, field)?;
    if name.is_empty() {
        return Err(constraint(name, field, "Member must have length greater than or equal to 1"));
    }
    if name.chars().count() > longest {
        let rule = format!("Member must have length less than or equal to {longest}");
        return Err(constraint(name, field, &rule));
    }
    let fits = |character: char| character.is_ascii_alphanumeric() || "+=,.@_-".contains(character);
    if !name.chars().all(fits) {
        return Err(validation(format!(
            "The specified value for {} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
            camel_case(field)
        )));
    }
    Ok(name)
}

/// A path; `/` if it is not given.
pub(super) fn path<'p>(params: &'p Params, field: &str) -> Result<&'p str, ServiceError> {
    let path = params.text(field).unwrap_or("/");
    let ends = path.starts_with('/') && path.ends_with('/');
    let fits = path.chars().all(|character| ('!'..='\u{7f}').contains(&character));
    if ends && fits && path.len() <= 512 {
        return Ok(path);
    }
    Err(validation(format!(
        "The specified value for {} is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
        camel_case(field)
    )))
}

/// A path's beginning to select by; `/` if it is not given, and it need not end with `/`.
pub(super) fn path_prefix(params: &Params) -> Result<&str, ServiceError> {
    let prefix = params.text("PathPrefix").unwrap_or("/");
    if prefix.starts_with('/') {
        return Ok(prefix);
    }
    Err(validation("The specified value for pathPrefix is invalid. It must begin with /."))
}

/// A description; an empty one counts as none.
pub(super) fn description(params: &Params) -> Result<Option<String>, ServiceError> {
    match params.text("Description") {
        Some(text) if text.chars().count() > 1000 => {
            Err(constraint(text, "Description", "Member must have length less than or equal to 1000"))
        }
        Some("") | None => Ok(None),
        Some(text) => Ok(Some(text.to_owned())),
    }
}

/// A number within bounds.
pub(super) fn number(
    params: &Params,
    field: &str,
    least: u32,
    most: u32,
) -> Result<Option<u32>, ServiceError> {
    let Some(text) = params.text(field) else { return Ok(None) };
    let Ok(number) = text.parse::<u32>() else {
        return Err(constraint(text, field, "Member must be a number"));
    };
    if number < least {
        let rule = format!("Member must have value greater than or equal to {least}");
        return Err(constraint(text, field, &rule));
    }
    if number > most {
        let rule = format!("Member must have value less than or equal to {most}");
        return Err(constraint(text, field, &rule));
    }
    Ok(Some(number))
}

/// Whether something is asked for; the default if it is not said.
pub(super) fn flag(params: &Params, field: &str, default: bool) -> Result<bool, ServiceError> {
    match params.text(field) {
        None => Ok(default),
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(other) => Err(constraint(other, field, "Member must be true or false")),
    }
}

/// A time as IAM writes it: to the second.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A document as IAM answers with it: percent-encoded but for what RFC 3986 leaves unreserved.
pub(super) fn percent_encoded(document: &str) -> String {
    let mut encoded = String::with_capacity(document.len() * 2);
    for byte in document.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn params(name: &str, value: &str) -> Params {
        Params::new(vec![(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn names_keep_to_their_characters_and_lengths() {
        assert_eq!(name(&params("RoleName", "a+=,.@_-9"), "RoleName", 64).unwrap(), "a+=,.@_-9");
        for bad in ["", "a b", "a/b", "é", &"x".repeat(65)] {
            assert_eq!(
                name(&params("RoleName", bad), "RoleName", 64).unwrap_err().code,
                "ValidationError",
                "{bad}"
            );
        }
        let missing = name(&params("Other", "x"), "RoleName", 64).unwrap_err();
        assert_eq!(
            missing.message,
            "1 validation error detected: Value null at 'roleName' failed to satisfy constraint: Member must not be null"
        );
    }

    #[test]
    fn paths_begin_and_end_with_a_slash() {
        assert_eq!(path(&params("Other", ""), "Path").unwrap(), "/");
        assert_eq!(path(&params("Path", "/a/b/"), "Path").unwrap(), "/a/b/");
        for bad in ["a/", "/a", "/a b/"] {
            assert!(path(&params("Path", bad), "Path").is_err(), "{bad}");
        }
    }

    #[test]
    fn documents_are_percent_encoded() {
        assert_eq!(percent_encoded(r#"{"a": "é~"}"#), "%7B%22a%22%3A%20%22%C3%A9~%22%7D");
    }
}
