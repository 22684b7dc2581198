//! Programs of others, for the tests that need a real one.

use std::env;
use std::path::PathBuf;

/// The program `name`: the one that `variable` names, an installed one, or the one that `scripts/fetch-test-programs` has unpacked.
///
/// # Panics
/// If there is none; the message says what to run.
pub(crate) fn find(name: &str, variable: &str) -> PathBuf {
    if let Some(named) = env::var_os(variable) {
        return named.into();
    }
    let fetched = format!("{}/target/tools/{name}/usr/bin", env!("CARGO_MANIFEST_DIR"));
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([PathBuf::from(fetched)]);
    let found = folders.map(|folder| folder.join(name)).find(|program| program.exists());
    found.unwrap_or_else(|| {
        panic!("this test needs {name}: run scripts/fetch-test-programs, or name one in {variable}")
    })
}
