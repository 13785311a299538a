//! Puts the git commit into `--version`: that of the clone, or what
//! `SUBSTRATE_CLI_GIT_COMMIT_HASH` says where there is no `.git`, as in the copy that the
//! scripts build (`scripts/lib/source.py`).

/// The variable that `generate_cargo_keys` reads.
const COMMIT: &str = "SUBSTRATE_CLI_GIT_COMMIT_HASH";

fn main() {
    println!("cargo:rerun-if-env-changed={COMMIT}");
    // With one such line cargo looks at nothing else by itself.
    println!("cargo:rerun-if-changed=src");
    substrate_build_script_utils::generate_cargo_keys();
    if std::env::var_os(COMMIT).is_none() {
        substrate_build_script_utils::rerun_if_git_head_changed();
    }
}
