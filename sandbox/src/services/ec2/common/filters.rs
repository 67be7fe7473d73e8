//! Filters of Describe operations: names and values with wildcards, any of the values, all of the filters.
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>

use super::tags::Tags;
use crate::protocol::error::ServiceError;
use crate::protocol::params::Params;

/// The filters of one request.
#[derive(Debug)]
pub(crate) struct Filters {
    filters: Vec<(String, Vec<String>)>,
}

impl Filters {
    /// Reads the filters, whose list is called `Filter` in every operation; a name that is neither a tag filter nor in
    /// `known` is refused.
    pub(crate) fn read(params: &Params, known: &[&str]) -> Result<Self, ServiceError> {
        let mut filters = Vec::new();
        for prefix in params.structures("Filter") {
            let name = params.required(&format!("{prefix}.Name"))?.to_owned();
            let values: Vec<String> =
                params.list(&format!("{prefix}.Value")).into_iter().map(str::to_owned).collect();
            let is_known = name.starts_with("tag:") || name == "tag-key" || known.contains(&name.as_str());
            if !is_known {
                let text = format!("The filter '{name}' is invalid");
                return Err(ServiceError::new(400, "InvalidParameterValue", text));
            }
            filters.push((name, values));
        }
        Ok(Self { filters })
    }

    /// Whether an object with these tags and these values per filter name is selected.
    pub(crate) fn select(&self, tags: Option<&Tags>, values_of: impl Fn(&str) -> Vec<String>) -> bool {
        self.filters.iter().all(|(name, patterns)| {
            let fits = |value: &str| patterns.iter().any(|pattern| matches(pattern, value));
            if let Some(key) = name.strip_prefix("tag:") {
                tags.and_then(|tags| tags.get(key)).is_some_and(|value| fits(value))
            } else if name == "tag-key" {
                tags.into_iter().flatten().any(|(key, _)| fits(key))
            } else {
                values_of(name).iter().any(|value| fits(value))
            }
        })
    }
}

/// Whether a text fits a pattern in which `*` stands for any text and `?` for any character.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at_pattern, mut at_text) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while at_text < text.len() {
        match pattern.get(at_pattern) {
            Some('*') => {
                last_star = Some((at_pattern, at_text));
                at_pattern += 1;
            }
            Some(&character) if character == '?' || character == text[at_text] => {
                at_pattern += 1;
                at_text += 1;
            }
            _ => match last_star {
                // Let the last star take one more character, and try again from there.
                Some((star, taken)) => {
                    last_star = Some((star, taken + 1));
                    at_pattern = star + 1;
                    at_text = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at_pattern..].iter().all(|&character| character == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn wildcards_stand_for_any_text_or_character() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a", "b", false),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c*e", "abcde", true),
            ("a*c*f", "abcde", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "", true),
            ("", "a", false),
            ("**a", "bba", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
