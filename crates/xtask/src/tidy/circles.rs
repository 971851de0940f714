//! Files of a crate do not depend on each other in circles: what two files need of each other
//! belongs into one, or into a third below both.
//!
//! A file depends on the file that defines what its code names. A `mod` declaration and a
//! `pub use` are no dependency by themselves. A method that is called is no name: of it the type's file
//! alone is seen.

mod file;
pub(super) mod names;
pub(super) mod tokens;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::Path;

use names::{Meaning, Modules};

/// Dependencies that close a circle and may: crate, file, the file that it needs, why.
const EXCEPTIONS: &[Exception] = &[];

type Exception = (&'static str, &'static str, &'static str, &'static str);

/// What a file needs of another: the first line, and the path that stands there.
#[derive(Clone, Debug)]
struct Need {
    line: usize,
    path: String,
}

/// Of each file, the files that it needs.
type Needs = BTreeMap<String, BTreeMap<String, Need>>;

/// Adds a finding for each circle in each crate.
pub fn check(root: &Path, findings: &mut Vec<String>) -> Result<(), String> {
    let folder = root.join("crates");
    let entries = fs::read_dir(&folder).map_err(|error| format!("crates: {error}"))?;
    let mut crates: Vec<String> =
        entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    crates.sort();
    for (of, ..) in EXCEPTIONS.iter().filter(|(of, ..)| !crates.iter().any(|name| name == of)) {
        findings.push(format!("`{of}` of the exceptions in tidy/circles.rs is no crate"));
    }
    for name in crates {
        let sources = folder.join(&name).join("src");
        let load = |file: &str| fs::read_to_string(sources.join(file)).ok();
        let roots = ["lib.rs", "main.rs"].iter();
        let needs = roots.flat_map(|root| needs(&Modules::read(root, &load))).collect();
        let exceptions: Vec<&Exception> =
            EXCEPTIONS.iter().filter(|(of, ..)| *of == name).collect();
        let found = circles(needs, &exceptions);
        findings.extend(found.iter().map(|found| format!("crates/{name}/src: {found}")));
    }
    Ok(())
}

/// Which file needs which: by paths in its code, and by what it imports for itself.
fn needs(modules: &Modules) -> Needs {
    let mut needs = Needs::new();
    for (at, module) in modules.0.iter().enumerate() {
        let own = needs.entry(module.name.clone()).or_default();
        let imported = module.file.imports.iter().filter(|import| !import.is_public);
        let paths = imported.map(|import| &import.path).chain(&module.file.paths);
        for path in paths {
            let Meaning::Item(of) = modules.meaning(at, &path.parts) else { continue };
            if let Some(of) = modules.0.get(of).filter(|_| of != at) {
                let need = || Need { line: path.line, path: path.parts.join("::") };
                own.entry(of.name.clone()).or_insert_with(need);
            }
        }
    }
    needs
}

/// One line for each circle, and for each exception that is not needed.
fn circles(mut needs: Needs, exceptions: &[&Exception]) -> Vec<String> {
    let mut found = Vec::new();
    let knots = knots(&needs);
    for (_, from, to, why) in exceptions {
        let closes = knots.iter().any(|knot| knot.contains(*from) && knot.contains(*to));
        let removed = needs.get_mut(*from).and_then(|own| own.remove(*to));
        if removed.is_none() || !closes || why.is_empty() {
            found.push(format!(
                "`{from}` → `{to}` closes no circle: take it off the exceptions in tidy/circles.rs"
            ));
        }
    }
    for knot in self::knots(&needs) {
        let ring = shortest_ring(&needs, &knot);
        let steps = ring.iter().zip(ring.iter().cycle().skip(1)).map(|(from, to)| {
            let need = needs.get(from).and_then(|own| own.get(to));
            let place = need.map(|need| format!("{} `{}`", need.line, need.path));
            format!("\n    {from}:{} needs {to}", place.unwrap_or_default())
        });
        let steps: String = steps.collect();
        found.push(format!("{} files depend on each other in a circle:{steps}", knot.len()));
    }
    found
}

/// Sets of more than one file, each of which needs every other, directly or not.
fn knots(needs: &Needs) -> Vec<BTreeSet<String>> {
    let reach: BTreeMap<&str, BTreeSet<&str>> =
        needs.keys().map(|file| (file.as_str(), reached(needs, file))).collect();
    let is_back = |from: &str, to: &str| reach.get(from).is_some_and(|files| files.contains(to));
    let mut found: Vec<BTreeSet<String>> = Vec::new();
    for (file, files) in &reach {
        let knot: BTreeSet<String> = files
            .iter()
            .filter(|other| is_back(other, file))
            .map(|other| (*other).to_owned())
            .collect();
        if knot.len() > 1 && !found.contains(&knot) {
            found.push(knot);
        }
    }
    found
}

/// The files that a file needs, directly or not.
fn reached<'n>(needs: &'n Needs, file: &str) -> BTreeSet<&'n str> {
    let mut found = BTreeSet::new();
    let mut next = vec![file];
    while let Some(file) = next.pop() {
        for to in needs.get(file).into_iter().flat_map(BTreeMap::keys) {
            if found.insert(to.as_str()) {
                next.push(to);
            }
        }
    }
    found
}

/// The shortest way from a file of the knot back to itself; of several, the first by name.
fn shortest_ring(needs: &Needs, knot: &BTreeSet<String>) -> Vec<String> {
    let rings = knot.iter().filter_map(|file| ring(needs, file));
    rings.min_by_key(Vec::len).unwrap_or_default()
}

/// The shortest way from a file back to itself.
fn ring(needs: &Needs, start: &str) -> Option<Vec<String>> {
    let mut ways = VecDeque::from([vec![start.to_owned()]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for to in needs.get(way.last()?).into_iter().flat_map(BTreeMap::keys) {
            if to == start {
                return Some(way);
            }
            if seen.insert(to.clone()) {
                let mut longer = way.clone();
                longer.push(to.clone());
                ways.push_back(longer);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The circles in a crate of these files.
    fn found(files: &[(&str, &str)], exceptions: &[&Exception]) -> Vec<String> {
        let load = |name: &str| {
            let file = files.iter().find(|(file, _)| *file == name);
            file.map(|(_, text)| (*text).to_owned())
        };
        circles(needs(&Modules::read("lib.rs", &load)), exceptions)
    }

    const LIB: (&str, &str) = ("lib.rs", "mod a;\nmod b;\nmod c;");

    #[test]
    fn two_files_that_need_each_other_are_a_circle() {
        let a = ("a.rs", "//! A\nuse crate::b::B;\nstruct A;");
        let b = ("b.rs", "struct B;\nfn f(_: super::a::A) {}");
        assert_eq!(
            found(&[LIB, a, b], &[]),
            ["2 files depend on each other in a circle:\n    a.rs:2 `crate::b::B` needs b.rs\
              \n    b.rs:2 `super::a::A` needs a.rs"]
        );
        let b = ("b.rs", "struct B;\n#[cfg(test)]\nmod tests { use crate::a::A; }");
        assert_eq!(found(&[LIB, a, b], &[]), [""; 0]);
    }

    #[test]
    fn the_shortest_ring_is_told() {
        let a = ("a.rs", "use crate::b;\nstruct A;\nfn f() { b::g() }");
        let b = ("b.rs", "use crate::{a::A, c};\nfn g() { c::h() }");
        let c = ("c.rs", "use crate::a::A;\nfn h() {}");
        let told = found(&[LIB, a, b, c], &[]);
        assert_eq!(told.len(), 1);
        assert!(told[0].starts_with("3 files"), "{told:?}");
        assert_eq!(told[0].lines().count(), 3, "{told:?}");
    }

    #[test]
    fn a_parent_that_hands_on_is_no_part_of_a_circle() {
        let lib = ("lib.rs", "mod m;");
        let child = ("m/x.rs", "use super::Y;\npub struct X;");
        let other = ("m/y.rs", "pub struct Y;");
        let handing = ("m.rs", "mod x;\nmod y;\npub use x::X;\npub use y::*;");
        assert_eq!(found(&[lib, handing, child, other], &[]), [""; 0]);
        let using = ("m.rs", "mod x;\nmod y;\npub use x::X;\npub struct Y(X);");
        assert_eq!(found(&[lib, using, child, other], &[]).len(), 1);
        let circle = ("m/y.rs", "use super::X;\npub struct Y;");
        assert_eq!(found(&[lib, handing, child, circle], &[]).len(), 1);
    }

    #[test]
    fn what_a_macro_makes_is_in_the_macros_file() {
        let lib = ("lib.rs", "mod m;\nmod n;");
        let parent = ("m/mod.rs", "mod x;\nmod y;\npub use x::*;\npub use y::*;");
        let made = ("m/x.rs", "make! { Made }\nfn f(_: super::Y) {}");
        let user = ("m/y.rs", "pub struct Y;");
        assert_eq!(found(&[lib, parent, made, user], &[]), [""; 0]);
        let user = ("m/y.rs", "pub struct Y(super::Made);");
        assert_eq!(found(&[lib, parent, made, user], &[]).len(), 1);
    }

    #[test]
    fn an_exception_is_for_a_circle_that_is_there() {
        let exception: Exception = ("c", "a.rs", "b.rs", "a reason");
        let a = ("a.rs", "use crate::b::B;\nstruct A;");
        let b = ("b.rs", "use crate::a::A;\nstruct B;");
        assert_eq!(found(&[LIB, a, b], &[&exception]), [""; 0]);
        let b = ("b.rs", "struct B;");
        let told = found(&[LIB, a, b], &[&exception]);
        assert!(told[0].starts_with("`a.rs` → `b.rs` closes no circle"), "{told:?}");
    }
}
