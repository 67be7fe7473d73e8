//! Names of databases, which RDS and ElastiCache check alike.

use lsinfra_engine::InputProblem;

use crate::aws::property::problem;

/// What is wrong with a name. Both services keep names in lower case; one that is not could not be found again as it was
/// given. <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html#RDS_Limits.Constraints>
pub(crate) fn check(field: &str, name: Option<String>, longest: usize) -> Option<InputProblem> {
    let name = name?;
    let legal = |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '-';
    let fits = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(legal)
        && name.len() <= longest
        && !name.ends_with('-')
        && !name.contains("--");
    (!fits).then(|| {
        let message = format!(
            "{name:?}: up to {longest} lower-case letters, digits and hyphens, with a letter first, \
             no hyphen last and no two together"
        );
        problem(field, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_service_would_refuse_or_change_are_problems() {
        let problem = |name: &str| check("name", Some(name.to_owned()), 40);
        assert_eq!(problem("langsmith-prod-pg-2"), None);
        assert_eq!(check("name", None, 40), None);
        for name in ["", "1a", "Upper", "a_b", "a--b", "a-", &"a".repeat(41)] {
            assert!(problem(name).is_some(), "{name}");
        }
    }
}
