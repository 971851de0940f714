//! A store whose file was damaged while no server had it open: refused, looked through, and taken as
//! it is when the operator says so.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "what tests share is not inside a test function, and fails like one"
)]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn palisade(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.args(words).env_remove("PALISADE_LOG").current_dir(folder).output().unwrap()
}

/// Serves until the server says where, and then asks it to end.
fn serve_and_stop(folder: &Path) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_palisade"))
        .args(["serve", "--listen", "127.0.0.1:0", "--store", "sqlite:p.db"])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    let ended = child.wait().unwrap();
    assert_eq!(ended.success(), !line.is_empty(), "{said}");
    line + &said
}

#[test]
fn a_damaged_store_is_refused_looked_through_and_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("p.db");
    assert!(serve_and_stop(folder.path()).contains("serves on"));
    let fine = palisade(folder.path(), &["doctor", "--verify", "--store", "sqlite:p.db"]);
    assert!(fine.status.success(), "{fine:?}");
    assert!(String::from_utf8_lossy(&fine.stdout).contains("nothing is damaged"), "{fine:?}");
    let mut bytes = std::fs::read(&store).unwrap();
    bytes[2 * 4096 + 4000] ^= 1;
    std::fs::write(&store, &bytes).unwrap();
    let said = serve_and_stop(folder.path());
    assert!(said.contains("not as they were when the store was closed"), "{said}");
    let keys = palisade(folder.path(), &["keys", "list", "--store", "sqlite:p.db"]);
    assert!(!keys.status.success(), "{keys:?}");
    let found = palisade(folder.path(), &["doctor", "--verify", "--store", "sqlite:p.db"]);
    assert_eq!(found.status.code(), Some(1), "{found:?}");
    assert!(String::from_utf8_lossy(&found.stdout).contains("page 3: "), "{found:?}");
    let taken = palisade(folder.path(), &["doctor", "--accept-damage", "--store", "sqlite:p.db"]);
    assert!(taken.status.success(), "{taken:?}");
    assert!(serve_and_stop(folder.path()).contains("serves on"));
}
