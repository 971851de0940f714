//! A type of policy has few places. A variant of an enum that tells types of policy apart, or kinds of
//! findings, may stand in those; anywhere else it needs a license, so that whoever adds a type need not
//! look for more.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::circles::names::Modules;
use super::circles::tokens::{Token, shipped};

/// The enums: of the last, whose names end so, there is one a family of findings.
const ENUMS: [&str; 4] = ["PolicyType", "Rule", FINDING, FAMILY];
const FINDING: &str = "Finding";
const FAMILY: &str = "…Finding";

/// Where a type has its places: the enum, a file or the begin of its name, and how often the file may name
/// one variant. Once is one match.
const PLACES: &[Place] = &[
    ("PolicyType", "crates/core/src/policy/kinds.rs", usize::MAX),
    ("Rule", "crates/core/src/policy/kinds.rs", usize::MAX),
    ("Rule", "crates/core/src/evaluate/mod.rs", 1),
    (FAMILY, "crates/core/src/evaluate/", usize::MAX),
    (FINDING, "crates/api/src/violations.rs", 1),
    (FAMILY, "crates/api/src/violations/", usize::MAX),
];

type Place = (&'static str, &'static str, usize);

/// What else names a variant: the enum, the file, how often, and why no further type has to.
const LICENSED: &[License] = &[
    (
        "PolicyType",
        "crates/api/src/administrators/scope.rs",
        1,
        "AWS refuses to grant third-party firewalls, in words of their own",
    ),
    (
        "PolicyType",
        "crates/api/src/protection.rs",
        1,
        "GetProtectionStatus is an operation of Shield Advanced alone",
    ),
    (
        "PolicyType",
        "crates/core/src/policy/web_acl_name.rs",
        1,
        "WAFV2's own file: how web ACLs of its policies are named",
    ),
    (
        "Finding",
        "crates/core/src/evaluate/third_party_firewall.rs",
        1,
        "what is judged as under NETWORK_FIREWALL is told of the vendor's firewall",
    ),
    (
        "PolicyType",
        "fuzz/src/targets/policies.rs",
        2,
        "members of a document beside its data that these two types must have",
    ),
];

type License = (&'static str, &'static str, usize, &'static str);

/// A variant that is named, or the enum under another name.
#[derive(Debug, PartialEq)]
struct Mention {
    of: &'static str,
    variant: String,
    line: usize,
}

/// Adds a finding for each variant that is named elsewhere, and for each license that is not used as it
/// says.
pub fn check(root: &Path, findings: &mut Vec<String>) -> Result<(), String> {
    let mut mentioned = BTreeMap::new();
    for folder in source_folders(root)? {
        let load = |file: &str| fs::read_to_string(root.join(&folder).join(file)).ok();
        for module in ["lib.rs", "main.rs"].iter().flat_map(|from| Modules::read(from, &load).0) {
            let text = load(&module.name).unwrap_or_default();
            let found = mentions(&shipped(&text));
            if !found.is_empty() {
                mentioned.insert(format!("{folder}/{}", module.name), found);
            }
        }
    }
    findings.extend(misplaced(&mentioned, PLACES, LICENSED));
    Ok(())
}

/// The folders of sources of the workspace, generated ones included: they name no such enum.
fn source_folders(root: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(root.join("crates")).map_err(|error| format!("crates: {error}"))?;
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let crates = names.map(|name| format!("crates/{name}/src"));
    let mut folders: Vec<String> =
        crates.chain(["bench/src".to_owned(), "fuzz/src".to_owned()]).collect();
    folders.sort();
    Ok(folders)
}

fn mentions(tokens: &[Token<'_>]) -> Vec<Mention> {
    let mut found = Vec::new();
    for window in tokens.windows(3) {
        let [name, second, third] = window else { continue };
        let Some(of) = guarded(name.text) else { continue };
        let is_variant = third.text.starts_with(|c: char| c.is_uppercase())
            && third.text.contains(|c: char| c.is_lowercase());
        let is_named = second.text == "::" && (is_variant || third.text == "*");
        if is_named || second.text == "as" {
            found.push(Mention { of, variant: third.text.to_owned(), line: name.line });
        }
    }
    found
}

/// The enum of this name, if it is one of those.
fn guarded(name: &str) -> Option<&'static str> {
    let is_family = name.ends_with(FINDING) && name != FINDING;
    ENUMS.into_iter().find(|known| *known == name || (*known == FAMILY && is_family))
}

/// One line for each variant that is out of place, and for each license that says something else than is
/// there.
fn misplaced(
    mentioned: &BTreeMap<String, Vec<Mention>>,
    places: &[Place],
    licensed: &[License],
) -> Vec<String> {
    let mut findings = Vec::new();
    let mut used: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (file, mentions) in mentioned {
        for (at, mention) in mentions.iter().enumerate() {
            let is_same =
                |other: &&Mention| other.of == mention.of && other.variant == mention.variant;
            let before = mentions.iter().take(at).filter(is_same).count();
            let is_here = |(of, begin, max): &&Place| {
                *of == mention.of && file.starts_with(begin) && before < *max
            };
            let Mention { of, variant, line } = mention;
            if licensed.iter().any(|(license, name, ..)| license == of && name == file) {
                let count = used.entry((of, file)).or_default();
                *count = count.saturating_add(1);
            } else if !places.iter().any(|place| is_here(&place)) {
                findings.push(format!(
                    "{file}:{line}: `{variant}` of `{of}` is named outside the places of a type of \
                     policy (CONTRIBUTING.md): make it a fact of the type, or license it with a reason \
                     in xtask/src/tidy/places.rs"
                ));
            }
        }
    }
    for (of, file, count, why) in licensed {
        let found = used.get(&(*of, *file)).copied().unwrap_or_default();
        if found != *count {
            findings.push(format!(
                "{file}: names variants of `{of}` {found} times, its license in \
                 xtask/src/tidy/places.rs is for {count} ({why})"
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = ("Rule", "crates/core/src/evaluate/mod.rs", 1);
    const LICENSE: License = ("PolicyType", "crates/a/src/b.rs", 1, "so");

    fn found(file: &str, text: &str, licensed: &[License]) -> Vec<String> {
        let mentioned = BTreeMap::from([(file.to_owned(), mentions(&shipped(text)))]);
        let lines = misplaced(&mentioned, &[PLACE], licensed);
        lines.iter().filter_map(|line| line.split(" is ").next()).map(str::to_owned).collect()
    }

    #[test]
    fn a_match_over_types_is_found_outside_their_places() {
        let one = "match rule { Rule::Wafv2(rule) => rule, Rule::UsageAudit(rule) => rule }";
        assert_eq!(found("crates/core/src/evaluate/mod.rs", one, &[]), [""; 0]);
        let two = format!("{one}\nmatch again {{ Rule::Wafv2(_) => 1, other => 2 }}");
        let again = "crates/core/src/evaluate/mod.rs:2: `Wafv2` of `Rule`";
        assert_eq!(found("crates/core/src/evaluate/mod.rs", &two, &[]), [again]);
        assert_eq!(
            found("crates/store/src/lib.rs", one, &[]),
            [
                "crates/store/src/lib.rs:1: `Wafv2` of `Rule`",
                "crates/store/src/lib.rs:1: `UsageAudit` of `Rule`"
            ]
        );
    }

    #[test]
    fn each_enum_is_known_and_so_is_one_under_another_name() {
        for (text, count) in [
            ("if policy_type == PolicyType::Waf {}", 1),
            ("let Finding::Waf(WafFinding::WebAcl { .. }) = finding;", 2),
            ("use core::PolicyType as Kind;", 1),
            ("use core::Rule::*;", 1),
            ("PolicyType::ALL.map(PolicyType::as_str)", 0),
            ("fn f(rule: &Rule, finding: Finding) {}", 0),
            ("#[cfg(test)]\nmod tests { fn f() { Rule::Wafv2 } }", 0),
            ("// Rule::Wafv2\nlet text = \"Rule::Wafv2\";", 0),
        ] {
            assert_eq!(mentions(&shipped(text)).len(), count, "{text}");
        }
    }

    #[test]
    fn a_license_is_for_so_many_and_no_other() {
        for (text, is_right) in [
            ("fn f() { PolicyType::Waf }", true),
            ("fn f() { PolicyType::Waf; PolicyType::Waf }", false),
            ("fn f() {}", false),
        ] {
            let wrong = found("crates/a/src/b.rs", text, &[LICENSE]);
            assert_eq!(wrong.is_empty(), is_right, "{text}: {wrong:?}");
        }
    }
}
