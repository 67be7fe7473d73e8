//! The secrets that a person gives, since nobody can make them up: what they are called and what they must
//! look like. It must not know how they are given.

use crate::config::{AuthMode, ClickhouseMode, Config};

/// The password of a ClickHouse elsewhere.
pub(super) const CLICKHOUSE_PASSWORD: &str = "clickhouse_password";

/// Characters of which LangSmith wants one in a password. [`PASSWORD`] lists them, too.
const SYMBOLS: &str = r"!#$%()+,-./:?@[\]^_{~}";

const PASSWORD: &str =
    r"it needs 12 characters, among them a small letter, a capital and one of !#$%()+,-./:?@[\]^_{~}";

/// A secret that a person gives.
#[derive(Clone, Copy, Debug)]
pub struct GivenSecret {
    /// Its name: that of its key in Secrets Manager, which is the one that LangSmith's chart reads.
    pub name: &'static str,
    /// What it is.
    pub description: &'static str,
    rule: fn(&str) -> Option<&'static str>,
}

/// The secrets that an environment takes. Each is needed until Secrets Manager has it.
pub fn given_secrets(config: &Config) -> Vec<GivenSecret> {
    let secret = |name, description| GivenSecret { name, description, rule: |_| None };
    let mut secrets = vec![secret("langsmith_license_key", "the license of LangSmith")];
    match &config.auth.mode {
        AuthMode::Basic => secrets.push(GivenSecret {
            rule: |password| (!is_password(password)).then_some(PASSWORD),
            ..secret("initial_org_admin_password", "the first administrator's password")
        }),
        AuthMode::Oidc { .. } => secrets.extend([
            secret("oauth_client_id", "LangSmith's client id at the identity provider"),
            secret("oauth_client_secret", "LangSmith's client secret at the identity provider"),
        ]),
    }
    if config.clickhouse.mode == ClickhouseMode::External {
        secrets.push(secret(CLICKHOUSE_PASSWORD, "the password of ClickHouse's user"));
    }
    secrets
}

impl GivenSecret {
    /// Checks a value.
    ///
    /// # Errors
    /// What is wrong with it, without a part of it.
    pub fn check(&self, value: &str) -> Result<(), &'static str> {
        let problem = if value.is_empty() {
            Some("it is empty")
        } else if value.trim() != value {
            Some("it begins or ends with white space")
        } else if !value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
            Some("it has a line break or another character that is not in ASCII")
        } else {
            (self.rule)(value)
        };
        problem.map_or(Ok(()), Err)
    }

    /// A value that has the right form and opens nothing: for where there is no LangSmith behind it.
    pub fn placeholder(&self) -> String {
        format!("Placeholder-{}", self.name)
    }
}

/// <https://docs.langchain.com/langsmith/self-host-basic-auth>
fn is_password(text: &str) -> bool {
    text.len() >= 12
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
        && text.bytes().any(|byte| byte.is_ascii_uppercase())
        && text.chars().any(|character| SYMBOLS.contains(character))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;

    const DEV: &str = "profile = \"dev\"\naccount = \"111122223333\"\nregion = \"us-west-2\"\n";
    const OIDC: &str = "[edge]\nhostname = \"langsmith.example.com\"\n\
                        [auth]\nmode = \"oidc\"\nissuer_url = \"https://login.example.com\"\n";

    fn secrets(text: &str) -> Vec<GivenSecret> {
        given_secrets(&Config::parse(Path::new("dev.toml"), text).unwrap())
    }

    fn names(text: &str) -> Vec<&'static str> {
        secrets(text).iter().map(|secret| secret.name).collect()
    }

    #[test]
    fn what_is_given_depends_on_how_people_log_in() {
        assert_eq!(names(DEV), ["langsmith_license_key", "initial_org_admin_password"]);
        assert_eq!(
            names(&format!("{DEV}{OIDC}")),
            ["langsmith_license_key", "oauth_client_id", "oauth_client_secret"]
        );
        let external = "[clickhouse]\nmode = \"external\"\nhost = \"clickhouse.example.com\"\n";
        assert_eq!(
            names(&format!("{DEV}{external}")),
            ["langsmith_license_key", "initial_org_admin_password", "clickhouse_password"]
        );
    }

    #[test]
    fn values_are_checked_and_never_repeated() {
        let [license, password] = secrets(DEV)[..] else { panic!("two secrets") };
        for good in ["lcl_0123", "a key with spaces", "-----BEGIN"] {
            assert_eq!(license.check(good), Ok(()), "{good}");
        }
        for bad in ["", " ", "lcl_0123\n", " lcl_0123", "lcl\n0123", "lizenzschlüssel"] {
            let problem = license.check(bad).unwrap_err();
            assert!(bad.trim().is_empty() || !problem.contains(bad.trim()), "{problem}");
        }
        assert_eq!(password.check("Correct-horse"), Ok(()));
        for bad in ["Short-1", "correct-horse", "CORRECT-HORSE", "CorrectHorse9"] {
            assert_eq!(password.check(bad), Err(PASSWORD), "{bad}");
        }
        assert!(PASSWORD.contains(SYMBOLS));
    }

    #[test]
    fn placeholders_have_the_right_form() {
        for secret in secrets(DEV).iter().chain(&secrets(&format!("{DEV}{OIDC}"))) {
            assert_eq!(secret.check(&secret.placeholder()), Ok(()), "{}", secret.name);
        }
    }
}
