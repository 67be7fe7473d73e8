//! What only some machines have: Python with the packages of `tests/requirements.txt`, and the conformance scripts.

use std::path::PathBuf;

/// The interpreter that `tests/run` prepared: `LSINFRA_TEST_PYTHON`.
///
/// # Errors
/// Why there is none, for the name of a scenario that is skipped.
pub fn python() -> Result<PathBuf, &'static str> {
    match std::env::var_os("LSINFRA_TEST_PYTHON").map(PathBuf::from) {
        Some(python) if python.exists() => Ok(python),
        Some(_) => Err("no Python at LSINFRA_TEST_PYTHON"),
        None => Err("no Python: LSINFRA_TEST_PYTHON is not set"),
    }
}

/// The folder `shared/tools/aws-conformance` beside the repository's folder.
///
/// # Errors
/// Why there is none.
pub fn conformance_scripts() -> Result<PathBuf, &'static str> {
    let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let above = repository.ancestors().skip(2);
    above
        .map(|folder| folder.join("shared/tools/aws-conformance"))
        .find(|folder| folder.join("conformance.py").exists())
        .ok_or("no conformance scripts beside the repository")
}
