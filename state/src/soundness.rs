//! Whether a snapshot may be stored, or be taken for one that was.

use lsinfra_engine::Snapshot;
use lsinfra_engine::snapshot::check_integrity;

/// Every way in which a snapshot is unsound, `None` if it is sound.
pub(crate) fn unsound(snapshot: &Snapshot) -> Option<String> {
    let problems: Vec<String> = check_integrity(snapshot).iter().map(ToString::to_string).collect();
    (!problems.is_empty()).then(|| problems.join("; "))
}
