//! What the program is made of, as a CycloneDX 1.5 document: every crate that is linked into it or
//! runs while it is built, and the C that those bring.
//!
//! It is read of `cargo metadata`, whose graph leaves out what is of tests or other systems, and of
//! `Cargo.lock`, which has the checksums. No serial number and no time are in it: the same sources
//! make the same document.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::json::{at, list, put, text};
use super::licences;
use super::product::Package;
use super::report::{Checked, Report};
use super::tool::must;
use crate::folders::root;

/// Writes and checks the document.
///
/// # Errors
/// When cargo cannot be asked, or does not say what is needed.
pub fn make(package: &Package, report: &mut Report) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let told = must(
        Command::new(cargo)
            .args(["metadata", "--format-version=1", "--locked", "--filter-platform"])
            .arg(&package.triple)
            .current_dir(root()),
    )?;
    let metadata: Value = serde_json::from_str(&told.out).map_err(|error| error.to_string())?;
    let lock = fs::read_to_string(root().join("Cargo.lock"))
        .map_err(|error| format!("Cargo.lock: {error}"))?;
    let mut document = document(&metadata, &checksums(&lock))?;
    report.check("licences of crates", licensed(&document, &licences::allowed()?));
    let native = native(&metadata, &package.triple)?;
    if let Some(components) = document.pointer_mut("/components").and_then(Value::as_array_mut) {
        components.extend(native);
    }
    let text = serde_json::to_string_pretty(&document).map_err(|error| error.to_string())?;
    let name = format!("palisade-{}-{}.cdx.json", package.version, package.triple);
    package.write(&name, format!("{text}\n").as_bytes())?;
    report.check("SBOM", complete(&document, &lock));
    Ok(())
}

/// Checksums of `Cargo.lock`, by name and version.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let mut all = BTreeMap::new();
    for block in lock.split("[[package]]") {
        let value = |key: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(key));
            line.map(|rest| rest.trim_matches(['"', ' ', '=']).to_owned())
        };
        if let (Some(name), Some(version), Some(sum)) =
            (value("name ="), value("version ="), value("checksum ="))
        {
            all.insert((name, version), sum);
        }
    }
    all
}

/// A crate, as the graph has it.
struct Crate<'m> {
    package: &'m Value,
    /// Ids of what it is built with and linked with, and whether that runs at build time alone.
    needs: Vec<(&'m str, bool)>,
}

impl Crate<'_> {
    fn word(&self, name: &str) -> &str {
        self.package.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The reference within the document.
    fn reference(&self) -> String {
        format!("{}@{}", self.word("name"), self.word("version"))
    }

    fn is_macro(&self) -> bool {
        list(self.package, "/targets").iter().any(|target| text(target, "/kind/0") == "proc-macro")
    }
}

fn graph(metadata: &Value) -> Result<BTreeMap<&str, Crate<'_>>, String> {
    let packages = list(metadata, "/packages").iter();
    let by_id: BTreeMap<&str, &Value> =
        packages.map(|package| (text(package, "/id"), package)).collect();
    let mut graph = BTreeMap::new();
    for node in list(metadata, "/resolve/nodes") {
        let id = text(node, "/id");
        let package =
            by_id.get(id).copied().ok_or_else(|| format!("cargo tells nothing of `{id}`"))?;
        let mut needs = Vec::new();
        for dependency in list(node, "/deps") {
            let kinds = list(dependency, "/dep_kinds");
            let is_linked = kinds.iter().any(|kind| at(kind, "/kind").is_null());
            if is_linked || kinds.iter().any(|kind| text(kind, "/kind") == "build") {
                needs.push((text(dependency, "/pkg"), !is_linked));
            }
        }
        graph.insert(id, Crate { package, needs });
    }
    Ok(graph)
}

/// Crates that are reached from the program: those that are linked, and those that only run while it
/// is built.
fn reached<'m>(
    graph: &BTreeMap<&'m str, Crate<'m>>,
) -> Result<(&'m str, BTreeMap<&'m str, bool>), String> {
    let program = graph.iter().find(|(_, one)| one.word("name") == "palisade");
    let program = *program.ok_or("cargo's graph has no `palisade`")?.0;
    // What is linked first, so that a crate which is both counts as linked.
    let mut is_linked: BTreeMap<&str, bool> = BTreeMap::new();
    let mut at_build: BTreeSet<&str> = BTreeSet::new();
    let mut open = vec![program];
    while let Some(id) = open.pop() {
        if is_linked.insert(id, true).is_some() {
            continue;
        }
        for (needed, only_build) in
            graph.get(id).map(|one| one.needs.as_slice()).unwrap_or_default()
        {
            match *only_build || graph.get(needed).is_some_and(Crate::is_macro) {
                true => _ = at_build.insert(needed),
                false => open.push(needed),
            }
        }
    }
    let mut open: Vec<&str> = at_build.into_iter().collect();
    while let Some(id) = open.pop() {
        if is_linked.contains_key(id) {
            continue;
        }
        is_linked.insert(id, false);
        open.extend(
            graph.get(id).into_iter().flat_map(|one| &one.needs).map(|(needed, _)| *needed),
        );
    }
    Ok((program, is_linked))
}

fn document(metadata: &Value, sums: &BTreeMap<(String, String), String>) -> Result<Value, String> {
    let graph = graph(metadata)?;
    let (program, reached) = reached(&graph)?;
    let (mut components, mut dependencies) = (Vec::new(), Vec::new());
    let mut own = Value::Null;
    for (id, is_linked) in &reached {
        let Some(one) = graph.get(id) else { continue };
        let needs =
            one.needs.iter().filter_map(|(needed, _)| graph.get(needed)).map(Crate::reference);
        let needs: BTreeSet<String> = needs.collect();
        dependencies.push(json!({"ref": one.reference(), "dependsOn": needs}));
        let component = component(one, *is_linked, sums)?;
        match *id == program {
            true => own = component,
            false => components.push(component),
        }
    }
    put(&mut own, "type", "application");
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": own},
        "components": components,
        "dependencies": dependencies,
    }))
}

fn component(
    one: &Crate<'_>,
    is_linked: bool,
    sums: &BTreeMap<(String, String), String>,
) -> Result<Value, String> {
    let (name, version) = (one.word("name"), one.word("version"));
    let mut component = json!({
        "type": "library",
        "bom-ref": one.reference(),
        "name": name,
        "version": version,
        "scope": if is_linked { "required" } else { "excluded" },
    });
    let licence = one.word("license");
    if licence.is_empty() {
        return Err(format!("{} tells no licence", one.reference()));
    }
    // The form that crates had before SPDX expressions.
    let licences = json!([{"expression": licence.replace('/', " OR ")}]);
    put(&mut component, "licenses", licences);
    // Crates of the workspace come from nowhere else.
    if !at(one.package, "/source").is_null() {
        put(&mut component, "purl", format!("pkg:cargo/{name}@{version}"));
        let sum = sums.get(&(name.to_owned(), version.to_owned()));
        let sum =
            sum.ok_or_else(|| format!("Cargo.lock has no checksum of {}", one.reference()))?;
        put(&mut component, "hashes", json!([{"alg": "SHA-256", "content": sum}]));
    }
    Ok(component)
}

/// C that crates bring with them, and the C library where it is linked in. Scanners know their flaws
/// by their own versions, not by the crate's.
fn native(metadata: &Value, triple: &str) -> Result<Vec<Value>, String> {
    let header = |name: &str, path: &str, define: &str| {
        let mut packages = list(metadata, "/packages").iter();
        let found = packages.find(|package| text(package, "/name") == name);
        let manifest = found.map(|package| Path::new(text(package, "/manifest_path")));
        let folder = manifest.and_then(Path::parent);
        let path = folder.ok_or_else(|| format!("cargo does not tell where {name} is"))?.join(path);
        let header =
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        defined(&header, define).ok_or_else(|| format!("{} defines no {define}", path.display()))
    };
    let sqlite = header("libsqlite3-sys", "sqlite3/sqlite3.h", "SQLITE_VERSION")?;
    let mut all = vec![library("sqlite", &sqlite, "blessing", "sqlite:sqlite")];
    if triple.ends_with("-gnu") {
        let told = must(Command::new("getconf").arg("GNU_LIBC_VERSION"))?.out;
        let version = told.trim().strip_prefix("glibc ");
        let version = version.ok_or("getconf does not tell glibc's version")?;
        all.push(library("glibc", version, "LGPL-2.1-or-later", "gnu:glibc"));
    }
    Ok(all)
}

fn library(name: &str, version: &str, licence: &str, vendor_and_product: &str) -> Value {
    json!({
        "type": "library",
        "bom-ref": format!("{name}@{version}"),
        "name": name,
        "version": version,
        "scope": "required",
        "licenses": [{"expression": licence}],
        "cpe": format!("cpe:2.3:a:{vendor_and_product}:{version}:*:*:*:*:*:*:*"),
    })
}

/// The text that a header defines a name as.
fn defined(header: &str, name: &str) -> Option<String> {
    header.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let is_it = words.next() == Some("#define") && words.next() == Some(name);
        is_it.then(|| words.next().map(|word| word.trim_matches('"').to_owned())).flatten()
    })
}

/// Every crate may be used as `deny.toml` wants it.
fn licensed(document: &Value, allowed: &[String]) -> Result<Checked, String> {
    let components = list(document, "/components");
    for component in components {
        let expression = text(component, "/licenses/0/expression");
        if !licences::is_allowed(expression, allowed) {
            return Err(format!("{}: `{expression}`", text(component, "/bom-ref")));
        }
    }
    Ok(Checked::Seen(format!("{} are allowed by deny.toml", components.len())))
}

/// Every reference of the document leads to a component, and the lock file knows each of its crates.
fn complete(document: &Value, lock: &str) -> Result<Checked, String> {
    let components = list(document, "/components");
    let own = at(document, "/metadata/component");
    let mut references = BTreeSet::new();
    for component in components.iter().chain([own]) {
        let reference = text(component, "/bom-ref");
        if !references.insert(reference) {
            return Err(format!("`{reference}` is there twice"));
        }
        let is_native = !text(component, "/cpe").is_empty();
        let line = format!("\nname = \"{}\"\n", text(component, "/name"));
        if !is_native && !lock.contains(&line) {
            return Err(format!("Cargo.lock does not know `{reference}`"));
        }
    }
    for dependency in list(document, "/dependencies") {
        let needs = list(dependency, "/dependsOn").iter();
        for reference in needs.chain([at(dependency, "/ref")]) {
            if !reference.as_str().is_some_and(|reference| references.contains(reference)) {
                return Err(format!("{reference} is no component"));
            }
        }
    }
    let count = |scope: &str| components.iter().filter(|one| text(one, "/scope") == scope).count();
    match (count("required"), count("excluded")) {
        (0, _) => Err("it names nothing that is linked".to_owned()),
        (linked, built) => {
            Ok(Checked::Seen(format!("{linked} linked, {built} of the build alone")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"aa\"\n\n\
                        [[package]]\nname = \"b\"\nversion = \"1.0.0\"\nchecksum = \"bb\"\n\n\
                        [[package]]\nname = \"palisade\"\nversion = \"0.1.0\"\n";

    fn metadata() -> Value {
        let package = |name: &str, version: &str, source: Value, kind: &str| {
            json!({"id": name, "name": name, "version": version, "source": source, "license": "MIT/Apache-2.0",
                "targets": [{"kind": [kind]}]})
        };
        let dep = |name: &str, kind: Value| json!({"pkg": name, "dep_kinds": [{"kind": kind}]});
        json!({
            "packages": [
                package("palisade", "0.1.0", Value::Null, "lib"),
                package("a", "1.0.0", "registry".into(), "lib"),
                package("b", "1.0.0", "registry".into(), "proc-macro"),
                package("tests", "1.0.0", "registry".into(), "lib"),
            ],
            "resolve": {"nodes": [
                {"id": "palisade", "deps": [dep("a", Value::Null), dep("tests", "dev".into())]},
                {"id": "a", "deps": [dep("b", Value::Null)]},
                {"id": "b", "deps": []},
                {"id": "tests", "deps": []},
            ]},
        })
    }

    #[test]
    fn what_is_linked_is_told_apart_from_what_runs_at_build_time_and_tests_are_left_out() {
        let document = document(&metadata(), &checksums(LOCK)).unwrap();
        let scopes: Vec<(&str, &str)> = document["components"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["name"].as_str().unwrap(), one["scope"].as_str().unwrap()))
            .collect();
        assert_eq!(scopes, [("a", "required"), ("b", "excluded")]);
        assert_eq!(document["components"][0]["hashes"][0]["content"], "aa");
        assert_eq!(document["components"][0]["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(document["metadata"]["component"]["name"], "palisade");
        assert!(complete(&document, LOCK).is_ok());
        assert!(licensed(&document, &["MIT".to_owned()]).is_ok());
        assert!(licensed(&document, &["ISC".to_owned()]).is_err());
    }

    #[test]
    fn a_document_with_a_hole_is_not_complete() {
        let mut lacking = document(&metadata(), &checksums(LOCK)).unwrap();
        lacking["components"].as_array_mut().unwrap().remove(0);
        assert_eq!(complete(&lacking, LOCK).err().unwrap(), "\"a@1.0.0\" is no component");
        let none = BTreeMap::new();
        let why = document(&metadata(), &none).unwrap_err();
        assert_eq!(why, "Cargo.lock has no checksum of a@1.0.0");
    }

    #[test]
    fn a_header_defines_a_version() {
        let header =
            "#define SQLITE_VERSION_NUMBER 3050004\n#define SQLITE_VERSION        \"3.50.4\"\n";
        assert_eq!(defined(header, "SQLITE_VERSION"), Some("3.50.4".to_owned()));
        assert_eq!(defined(header, "OTHER"), None);
    }
}
