//! "Did you mean": the known name that is closest to a mistyped one.

/// The closest of `known`, if it is close enough to be meant.
pub(crate) fn closest<'a>(text: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|name| (strsim::jaro_winkler(text, name), *name))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_close_is_suggested() {
        assert_eq!(closest("prd", &["dev", "prod"]), Some("prod"));
        assert_eq!(closest("staging", &["dev", "prod"]), None);
    }
}
