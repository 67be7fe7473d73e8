//! The names of environments, as all stores take them.

/// A text that is no environment: it must be `<stack>/<environment>`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name:?} is no environment: expected `<stack>/<environment>`, each of letters, digits and - _ . and \
     not beginning with a dot"
)]
pub struct EnvironmentNameError {
    name: String,
}

/// Stack and environment of a name.
///
/// # Errors
/// [`EnvironmentNameError`], so that no name leads out of a store.
pub(crate) fn parts(environment: &str) -> Result<(&str, &str), EnvironmentNameError> {
    match environment.split_once('/') {
        Some((stack, name)) if is_part(stack) && is_part(name) => Ok((stack, name)),
        _ => Err(EnvironmentNameError { name: environment.to_owned() }),
    }
}

/// Whether a text can be a part of an environment's name.
pub(crate) fn is_part(name: &str) -> bool {
    let is_legal =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    !name.is_empty() && !name.starts_with('.') && name.chars().all(is_legal)
}
