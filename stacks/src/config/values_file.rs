//! A file with values of LangSmith's chart, as Helm would take it: YAML, of which JSON is a part.
//!
//! Whether the chart knows a key is not known here: that is in the chart. But no value may be a secret, since
//! values are in state and plans.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::document::Document;

/// The values of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValuesFile {
    /// The file, from the working folder.
    pub file: PathBuf,
    /// Its content: an object.
    pub values: Value,
}

/// The end of the key of a chart's value that is a secret.
/// <https://github.com/langchain-ai/helm/blob/main/charts/langsmith/values.yaml>
const SECRET_ENDS: [&str; 15] = [
    "password",
    "licensekey",
    "apikeysalt",
    "jwtsecret",
    "clientsecret",
    "signingsecret",
    "encryptionkey",
    "encryptionkeyprevious",
    "connectionurl",
    "accesskey",
    "accesskeysecret",
    "accountkey",
    "connectionstring",
    "signingjwks",
    "signingjwk",
];

/// The file that the key names, relative to the config's; `Some(None)` if there is none.
pub(super) fn read(document: &mut Document<'_>, config: &Path) -> Option<Option<ValuesFile>> {
    let path = "langsmith.values_file";
    if !document.is_given(path) {
        return Some(None);
    }
    let name = document.text(path)?;
    let file = config.parent().unwrap_or_else(|| Path::new("")).join(&name.value);
    let help = "it is looked for beside the config file";
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) => {
            document.problem(&name, path, format!("cannot read {}: {error}", file.display()), help);
            return None;
        }
    };
    let values = match serde_saphyr::from_str::<Value>(&text) {
        Ok(values @ Value::Object(_)) => values,
        Ok(Value::Null) => Value::Object(serde_json::Map::new()),
        Ok(_) => {
            let message = format!("{} holds no map of values", file.display());
            document.problem(&name, path, message, "allowed: keys and values, as for helm");
            return None;
        }
        Err(error) => {
            // The first line has the place; the others repeat the text, which may hold anything.
            let error = error.to_string();
            let error = error.lines().next().unwrap_or_default();
            let message = format!("{} is no YAML: {error}", file.display());
            document.problem(&name, path, message, "allowed: YAML or JSON, one document");
            return None;
        }
    };
    let mut secrets = Vec::new();
    find_secrets(&values, "", &mut secrets);
    for secret in &secrets {
        let message =
            format!("{}: `{secret}` is a secret, and values are in state and plans", file.display());
        let help = "take it out: secrets are read from Secrets Manager (docs/secrets.md)";
        document.problem(&name, path, message, help);
    }
    secrets.is_empty().then_some(Some(ValuesFile { file, values }))
}

/// The dotted paths of texts that are secrets by their key's name.
fn find_secrets(value: &Value, path: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let lower = name.to_lowercase();
                let is_secret = SECRET_ENDS.iter().any(|end| lower.ends_with(end));
                match member {
                    Value::String(text) if is_secret && !text.is_empty() => into.push(path),
                    member => find_secrets(member, &path, into),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find_secrets(item, &format!("{path}[{index}]"), into);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_a_secret_is_known_by_its_name_and_not_where_it_is_only_named() {
        let values = json!({
            "config": {"apiKeySalt": "x", "existingSecretName": "mine", "basicAuth": {"jwtSecret": "y", "initialOrgAdminPassword": ""}},
            "postgres": {"external": {"connectionUrl": "postgres://", "connectionUrlSecretKey": "url"}},
            "backend": {"deployment": {"extraEnv": [{"name": "A", "password": "z"}]}},
        });
        let mut found = Vec::new();
        find_secrets(&values, "", &mut found);
        found.sort();
        assert_eq!(
            found,
            [
                "backend.deployment.extraEnv[0].password",
                "config.apiKeySalt",
                "config.basicAuth.jwtSecret",
                "postgres.external.connectionUrl",
            ]
        );
    }
}
