//! Findings: what is wrong with what is recorded, what it means, and the way out.

use std::fmt::Write as _;

use lsinfra_engine::snapshot::{Finding, IntegrityProblem};

use crate::render::{Canvas, Tone};

/// What a finding is to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Explanation {
    /// Its kind, in snake case.
    pub(crate) kind: &'static str,
    /// What follows from it.
    pub(crate) meaning: &'static str,
    /// What to do.
    pub(crate) way_out: &'static str,
}

/// By hand: what has no rule needs somebody who looks at the cloud.
const BY_HAND: &str = "look in AWS which is right, then correct it: `lsinfra state pull > FILE`, edit, \
                       `lsinfra state push FILE`";
/// By its rule.
const BY_RULE: &str = "`lsinfra state repair` puts it right";

/// What a finding means.
pub(crate) fn explain(finding: &Finding) -> Explanation {
    let (kind, meaning, way_out) = match finding {
        Finding::Unsound(IntegrityProblem::DanglingDependency { .. }) => (
            "dangling_dependency",
            "an object that this one stands on may exist without a record: an `up` that still declares it makes \
             another one, and may then replace what stands on it",
            "what the stack no longer declares, `lsinfra state repair` drops; else `lsinfra state restore N` of a \
             serial that has it (`lsinfra history`), or drop the dependency (`lsinfra state pull > FILE`, edit, \
             `lsinfra state push FILE`) and import the missing one before the next `up`",
        ),
        Finding::Unsound(IntegrityProblem::DuplicateGeneration { .. }) => (
            "duplicate_generation",
            "the objects cannot be told apart, neither here nor by their tags: one may be a copy of the other",
            BY_HAND,
        ),
        Finding::Unsound(IntegrityProblem::DuplicateRole { .. }) => (
            "duplicate_role",
            "nobody can tell which object the resource means; the other one must be `superseded`, and is \
             then deleted by the next `up`",
            BY_HAND,
        ),
        Finding::Unsound(IntegrityProblem::GenerationAhead { .. }) => (
            "generation_ahead",
            "the next replacement could take a generation that an object has already",
            BY_RULE,
        ),
        Finding::Unsound(IntegrityProblem::SharedPhysicalId { .. }) => (
            "shared_physical_id",
            "deleting or changing one resource would delete or change the other",
            BY_HAND,
        ),
        Finding::ImpossibleStatus { .. } => (
            "impossible_status",
            "no operation leaves an object like this, so that none can be trusted to go on from it",
            BY_HAND,
        ),
        Finding::MissingId { .. } => (
            "missing_id",
            "the object cannot be read, changed or deleted",
            "find its id in AWS by the tag `lsinfra:urn` and enter it: `lsinfra state pull > FILE`, edit, \
             `lsinfra state push FILE`",
        ),
        Finding::RecordedTwice { .. } => (
            "recorded_twice",
            "nobody can tell which of the two records is meant; here they are read as one, with the objects of both",
            "`lsinfra state repair` makes one of them: of two present objects that of the newer generation stays the \
             present one, and the other is retained: it goes on existing, and nothing deletes it",
        ),
        Finding::DependencyCycle { .. } => (
            "dependency_cycle",
            "there is no order in which these could be deleted",
            "remove the dependency that is wrong: `lsinfra state pull > FILE`, edit, `lsinfra state push FILE`",
        ),
        Finding::UnknownType { .. } => (
            "unknown_type",
            "this version of lsinfra cannot read, change or delete the object",
            "use the version of lsinfra that made it, or a later one",
        ),
    };
    Explanation { kind, meaning, way_out }
}

/// All findings, each with its meaning and the way out.
pub(crate) fn findings(findings: &[Finding], canvas: Canvas) -> String {
    let mut text = String::new();
    for finding in findings {
        let Explanation { meaning, way_out, .. } = explain(finding);
        let _ = writeln!(text, "{} {finding}", canvas.paint.paint(Tone::Bad, "x"));
        let _ = writeln!(text, "    {meaning}");
        let _ = writeln!(text, "    {} {way_out}", canvas.paint.paint(Tone::Look, "hint:"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{Paint, samples};

    #[test]
    fn every_kind() {
        let canvas = Canvas { paint: Paint::PLAIN, columns: 120 };
        insta::assert_snapshot!(findings(&samples::findings(), canvas));
    }
}
