//! Filters of Describe operations: names and values with wildcards, any of the values, all of the filters.
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>

use super::tags::Tags;
use crate::protocol::error::ServiceError;
use crate::protocol::params::Params;
use crate::services::policy_document::matches_exactly;

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
            let fits = |value: &str| patterns.iter().any(|pattern| matches_exactly(pattern, value));
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
