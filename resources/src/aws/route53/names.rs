//! Domain names as people write them and as Route 53 answers them.
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html>

/// The longest name, in characters without its last dot.
pub(super) const LIMIT_NAME_CHARACTERS: usize = 253;
const LIMIT_LABEL_CHARACTERS: usize = 63;

/// A name in lower case, without a dot at its end, and with `*` instead of its escape.
pub(super) fn normal(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase().replace("\\052", "*")
}

/// Why a text is no name of a record or a zone; `None` if it is one.
pub(super) fn problem_of(name: &str) -> Option<String> {
    let name = normal(name);
    let is_label = |label: &str| {
        let legal = |one: char| one.is_ascii_alphanumeric() || one == '-' || one == '_';
        (1..=LIMIT_LABEL_CHARACTERS).contains(&label.len()) && label.chars().all(legal)
    };
    let rest = name.strip_prefix("*.").unwrap_or(&name);
    if name.len() <= LIMIT_NAME_CHARACTERS && rest.split('.').all(is_label) {
        return None;
    }
    Some(format!(
        "{name:?}: a domain name has labels of 1 to 63 letters, digits, hyphens and underscores, and at most \
         {LIMIT_NAME_CHARACTERS} characters"
    ))
}

/// Whether `hostname` is `zone` or below it. Both are normal.
pub(super) fn is_within(hostname: &str, zone: &str) -> bool {
    hostname.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// An id without what Route 53 writes before it.
pub(super) fn bare_id(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostname_is_within_a_zone_by_whole_labels() {
        assert!(is_within("a.example.com", "example.com"));
        assert!(is_within("example.com", "example.com"));
        assert!(!is_within("anexample.com", "example.com"));
        assert!(!is_within("com", "example.com"));
    }

    #[test]
    fn names_have_labels() {
        assert_eq!(normal("\\052.Example.COM."), "*.example.com");
        for name in ["example.com", "*.example.com.", "_x.example.com", "a"] {
            assert_eq!(problem_of(name), None, "{name}");
        }
        for name in ["", "a..b", "a.*.b", "a b", &"x".repeat(64), &"abc.".repeat(64)] {
            assert!(problem_of(name).is_some(), "{name}");
        }
    }
}
