//! The OpenSearch node of the tests: `JUMUN_TEST_OPENSEARCH_URL`, else the one that script/stack starts for this target folder.
//! It outlives the tests: the next run finds it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const KEY: &str = "JUMUN_TEST_OPENSEARCH_URL";

/// Its address.
pub(crate) fn url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| std::env::var(KEY).unwrap_or_else(|_| started()))
}

fn started() -> String {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let own = std::env::current_exe().unwrap();
    let data: PathBuf = own.ancestors().nth(3).unwrap().join("test-stack");
    let output = Command::new(repository.join("script/stack"))
        .args(["up", "--only", "opensearch", "--data-dir"])
        .arg(&data)
        .output()
        .expect("script/stack");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let line = said.lines().find_map(|line| line.strip_prefix(KEY)?.strip_prefix('='));
    line.unwrap_or_else(|| panic!("no {KEY} in {said}")).to_owned()
}
