//! Reads the source and refuses what the compiler lets pass: arrows between crates and stages that
//! point the wrong way, banned module names, words that do not belong in the project's files.

mod circles;
mod citations;
mod places;

use std::fs;
use std::path::{Path, PathBuf};

use crate::folders::root;

/// Stages of `core` in the order data flows; a stage may use those before it and `ident`.
const STAGES: &[(&str, &[&str])] = &[
    ("ident", &[]),
    ("utf8", &[]),
    ("inventory", &["ident"]),
    ("organization", &["ident", "utf8"]),
    ("scope", &["ident", "inventory", "organization"]),
    ("policy", &["ident", "utf8", "inventory", "organization", "scope"]),
    ("lists", &["ident", "policy"]),
    ("evaluate", &["ident", "inventory", "organization", "scope", "lists", "policy"]),
    ("ledger", &["ident", "evaluate"]),
    ("waiver", &["ident", "organization"]),
];

/// Crates and those of the project that they may depend on.
const CRATES: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("wire", &[]),
    ("store", &["palisade-core"]),
    ("aws", &["palisade-wire"]),
    ("sources", &["palisade-core", "palisade-aws"]),
    ("api", &["palisade-core", "palisade-wire", "palisade-store"]),
    ("dashboard", &["palisade-core", "palisade-store", "palisade-api"]),
    (
        "palisade",
        &[
            "palisade-core",
            "palisade-wire",
            "palisade-store",
            "palisade-aws",
            "palisade-sources",
            "palisade-api",
            "palisade-dashboard",
        ],
    ),
    ("testkit", &[]),
    ("xtask", &[]),
];

/// Names that say nothing about what a module does.
const BANNED_MODULES: &[&str] =
    &["utils", "util", "helpers", "helper", "common", "manager", "misc"];

/// What writes to standard output or error and panics, or loses what it wrote, where it cannot.
const PRINTING: [&str; 7] = [
    concat!("print", "!("),
    concat!("println", "!("),
    concat!("eprint", "!("),
    concat!("eprintln", "!("),
    concat!("io::std", "out("),
    concat!("io::std", "err("),
    concat!("use std::io::std", "out"),
];

/// The files that may: they say what becomes of it.
const PRINTERS: [&str; 2] = ["crates/palisade/src/terminal.rs", "crates/palisade/src/logging.rs"];

/// Runs every check; answers how many files were read.
///
/// # Errors
/// Every finding, one a line.
pub fn run() -> Result<usize, String> {
    let root = root();
    let mut findings = Vec::new();
    let sources = sources(&root.join("crates"), "rs");
    for path in &sources {
        let text =
            fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let name = path.strip_prefix(&root).unwrap_or(path).display().to_string();
        stage_arrows(&name, &text, &mut findings);
        banned_modules(&name, &mut findings);
        open_ends(&name, &text, &mut findings);
        prints(&name, &text, &mut findings);
    }
    crate_arrows(&root, &mut findings)?;
    named_tests(&root, &mut findings)?;
    citations::check(&root, &sources, &mut findings)?;
    circles::check(&root, &mut findings)?;
    places::check(&root, &mut findings)?;
    if sources.len() < 20 {
        findings.push(format!("only {} source files were found below crates", sources.len()));
    }
    if findings.is_empty() { Ok(sources.len()) } else { Err(findings.join("\n")) }
}

fn sources(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            found.extend(sources(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The stage a file of `core` belongs to.
fn stage(name: &str) -> Option<&str> {
    let inside = name.strip_prefix("crates/core/src/")?;
    let first = inside.split('/').next()?;
    Some(first.strip_suffix(".rs").unwrap_or(first)).filter(|stage| *stage != "lib")
}

fn stage_arrows(name: &str, text: &str, findings: &mut Vec<String>) {
    let Some(stage) = stage(name) else { return };
    // Tests may look anywhere.
    if name.contains("/tests") {
        return;
    }
    let Some((_, allowed)) = STAGES.iter().find(|(known, _)| *known == stage) else {
        findings.push(format!(
            "{name}: stage `{stage}` is not in the list of stages in xtask/src/tidy.rs"
        ));
        return;
    };
    let code = text.split("#[cfg(test)]").next().unwrap_or(text);
    for (number, line) in code.lines().enumerate() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        for (used, _) in STAGES {
            let arrow = format!("crate::{used}");
            if line.contains(&arrow) && *used != stage && !allowed.contains(used) {
                findings.push(format!(
                    "{name}:{}: stage `{stage}` may not use `{used}`: data flows the other way",
                    number + 1
                ));
            }
        }
    }
}

fn banned_modules(name: &str, findings: &mut Vec<String>) {
    for part in name.split('/') {
        let part = part.strip_suffix(".rs").unwrap_or(part);
        if BANNED_MODULES.contains(&part) {
            findings.push(format!("{name}: a module called `{part}` does not say what it is"));
        }
    }
}

/// Marks of unfinished work.
fn open_ends(name: &str, text: &str, findings: &mut Vec<String>) {
    let marks =
        [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("todo", "!("), concat!("dbg", "!(")];
    for (number, line) in text.lines().enumerate() {
        for mark in marks {
            if line.contains(mark) {
                findings.push(format!("{name}:{}: `{mark}` is left open", number + 1));
            }
        }
    }
}

/// Printing by what panics. Tests and the developers' own tools may.
fn prints(name: &str, text: &str, findings: &mut Vec<String>) {
    let of_developers = ["crates/xtask/", "crates/testkit/"];
    let is_shipped =
        name.contains("/src/") && !of_developers.iter().any(|tool| name.starts_with(tool));
    if !is_shipped || PRINTERS.contains(&name) || name.contains("/tests") {
        return;
    }
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    for (number, line) in code.lines().enumerate() {
        let is_comment = line.trim_start().starts_with("//");
        // The engines' contract is a test, and says what it skips.
        let is_contract = name.starts_with("crates/store/src/contract/");
        if is_comment || is_contract {
            continue;
        }
        if let Some(by) = PRINTING.iter().find(|by| line.contains(*by)) {
            findings.push(format!(
                "{name}:{}: `{by}` panics where it cannot write; see palisade/src/terminal.rs",
                number + 1
            ));
        }
    }
}

fn crate_arrows(root: &Path, findings: &mut Vec<String>) -> Result<(), String> {
    for (name, allowed) in CRATES {
        let path = root.join("crates").join(name).join("Cargo.toml");
        let text =
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let dependencies = text
            .split("\n[")
            .filter(|section| section.starts_with("dependencies]"))
            .flat_map(str::lines);
        for line in dependencies {
            let dependency = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if dependency.starts_with("palisade") && !allowed.contains(&dependency) {
                findings.push(format!(
                    "crates/{name}/Cargo.toml: `{name}` may not depend on `{dependency}`"
                ));
            }
        }
    }
    Ok(())
}

/// Every row of the map of rules names a test, and every test it names is there.
fn named_tests(root: &Path, findings: &mut Vec<String>) -> Result<(), String> {
    let path = root.join("docs/rules.md");
    let map = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let is_there = |file: &str, test: &str| {
        fs::read_to_string(root.join("crates").join(file)).is_ok_and(|text| holds_test(&text, test))
    };
    for finding in untested_rules(&map, is_there) {
        findings.push(format!("docs/rules.md:{finding}"));
    }
    Ok(())
}

/// Rows of a table of rules without a test, and names of tests that are not there. The rows below
/// the heading that says so have none.
fn untested_rules(map: &str, is_there: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let mut findings = Vec::new();
    let tested = map.split("\n## Documented, without a test").next().unwrap_or(map);
    for (number, line) in tested.lines().enumerate() {
        let row = line.starts_with("| ") && !line.starts_with("| Rule |");
        let names = line.split('`').filter_map(|word| word.split_once(".rs::"));
        let mut count = 0;
        for (file, test) in names {
            count += 1;
            if !is_there(&format!("{file}.rs"), test) {
                findings.push(format!("{}: there is no test `{file}.rs::{test}`", number + 1));
            }
        }
        if row && count == 0 {
            findings.push(format!("{}: this rule names no test", number + 1));
        }
    }
    findings
}

/// A test is a function, or a line of a macro that makes one.
fn holds_test(text: &str, test: &str) -> bool {
    let function = format!("fn {test}(");
    text.lines().any(|line| line.contains(&function) || line.trim() == test)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_tidy() {
        assert_eq!(run().err().unwrap_or_default(), "");
    }

    #[test]
    fn an_arrow_against_the_flow_is_found() {
        let mut findings = Vec::new();
        stage_arrows(
            "crates/core/src/inventory/read.rs",
            "use crate::policy::Policy;\n",
            &mut findings,
        );
        stage_arrows(
            "crates/core/src/policy/mod.rs",
            "use crate::inventory::Item;\n",
            &mut findings,
        );
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].starts_with("crates/core/src/inventory/read.rs:1: stage `inventory`"));
    }

    #[test]
    fn printing_that_panics_is_found() {
        let text = concat!("fn f() {\n    eprintln", "!(\"x\");\n}\n");
        for (name, count) in [
            ("crates/palisade/src/serve.rs", 1),
            ("crates/api/src/app.rs", 1),
            ("crates/palisade/src/terminal.rs", 0),
            ("crates/palisade/tests/cli.rs", 0),
            ("crates/xtask/src/main.rs", 0),
        ] {
            let mut findings = Vec::new();
            prints(name, text, &mut findings);
            assert_eq!(findings.len(), count, "{name}: {findings:?}");
        }
    }

    #[test]
    fn a_name_that_says_nothing_is_found() {
        let mut findings = Vec::new();
        banned_modules("crates/api/src/helpers.rs", &mut findings);
        banned_modules("crates/api/src/policies.rs", &mut findings);
        assert_eq!(findings.len(), 1);
    }

    #[test]
    fn a_rule_without_its_test_is_found() {
        let map = "| Rule | Test |\n|---|---|\n| a | `core/a.rs::one`<br>`core/a.rs::two` |\n| b | none |\n\n\
                   ## Documented, without a test\n\n| c | why |\n";
        let found = untested_rules(map, |file, test| file == "core/a.rs" && test == "one");
        assert_eq!(found, ["3: there is no test `core/a.rs::two`", "4: this rule names no test"]);
        assert!(holds_test("#[test]\nfn one() {}", "one"));
        assert!(holds_test("scenarios! {\n    one\n}", "one"));
        assert!(!holds_test("// one of them\nfn one_more() {}", "one"));
    }
}
