//! What people see: golden screens at 80 and 120 columns, and piped. `INSTA_UPDATE=always` writes them; look at
//! each before it is kept.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Command;

use crate::acts;
use crate::terminal::{WIDTHS, in_terminal, plain, streams, too_wide};
use crate::world::{WORLD, words_of};

/// Screens of the sample's server: a name, and the command line.
const SCREENS: [(&str, &str); 29] = [
    ("audit", "audit --limit 6"),
    ("changes", "changes --since 2026-11-01T08:30:00Z"),
    (
        "check",
        "check --region us-east-1 --policy now/policies --organization now/organization.json now/AWSLogs",
    ),
    (
        "check_violators",
        "check --region us-east-1 --policy now/policies/partner-stages.json --organization now/organization.json --violators now/AWSLogs",
    ),
    ("compliance", "compliance --limit 12"),
    ("compliance_all_regions", "compliance --all-regions --sort status --limit 6"),
    ("compliance_at", "compliance no-remote-administration --at 2026-11-01T08:30:00Z --limit 6"),
    ("compliance_matrix", "compliance --matrix"),
    ("compliance_one_policy", "compliance no-remote-administration --sort violators --limit 8"),
    ("compliance_unknown", "compliance --status unknown"),
    ("diff", "diff --from 2026-11-01T08:30:00Z"),
    ("explain_complies", "explain no-remote-administration security-tooling sg-0a5d17c0ffee0a0d1"),
    ("explain_violates", "explain no-remote-administration legacy-erp {resource}"),
    ("history", "history no-remote-administration legacy-erp"),
    (
        "history_ended",
        "history no-remote-administration shared-services --at 2026-11-01T08:30:00Z --limit 3",
    ),
    ("history_out_of_scope", "history no-remote-administration sandbox-01"),
    ("policies_get", "policies get partner-stages"),
    ("policies_list", "policies list"),
    ("preview_edited", "preview policies/no-remote-administration.json"),
    ("preview_new", "preview policies/payments-single-ports.json"),
    ("preview_nothing", "preview policies/partner-stages.json"),
    ("refused_option", "violators no-remote-administration --out csv"),
    ("refused_policy", "violators no-such-policy legacy-erp"),
    ("sources", "sources"),
    ("violators", "violators no-remote-administration build-and-release"),
    ("violators_complies", "violators no-remote-administration log-archive"),
    ("violators_every_account", "violators partner-stages"),
    ("violators_not_known", "violators no-remote-administration kiosk-prod"),
    ("waivers_list", "waivers list"),
];

/// Screens of a server of which nothing is known yet.
const OF_NOTHING: [(&str, &str); 7] = [
    ("nothing_audit", "audit"),
    ("nothing_changes", "changes"),
    ("nothing_compliance", "compliance"),
    ("nothing_policies", "policies list"),
    ("nothing_sources", "sources"),
    ("nothing_violators", "violators a-policy"),
    ("nothing_waivers", "waivers list"),
];

/// Commands without a screen, and why.
const WITHOUT: [(&str, &str); 7] = [
    ("aws doctor", "it asks AWS"),
    ("aws policy read", "a document of AWS's"),
    ("aws policy run", "a document of AWS's"),
    ("aws template", "a document of AWS's"),
    ("collect", "it asks AWS"),
    ("completions", "a shell's script"),
    ("serve", "it goes on"),
];

/// Each with its own snapshot, so that what changes is seen where it is.
pub fn kept(name: &str, text: &str) {
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(name, text);
    });
}

/// What is another each time, in as many columns: ages by the real clock.
pub fn redacted(text: &str) -> String {
    let mut lines = String::new();
    for line in text.lines() {
        let line = match line.split_once("Z, ") {
            Some((before, rest)) if rest.ends_with(" ago:") => format!("{before}Z, a while ago:"),
            Some((before, rest)) if rest.contains(" ago, so since") => {
                let (_, rest) = rest.split_once(" ago, ").unwrap();
                format!("{before}Z, a while ago, {rest}")
            }
            _ => line.to_owned(),
        };
        let minutes = (46..60).map(|minutes| format!(" {minutes} min"));
        let line = minutes.fold(line, |line, text| line.replace(&text, " 45 min"));
        lines.push_str(&line);
        lines.push('\n');
    }
    lines
}

/// What `check` reads was written when the test began: moments stand for any.
fn timeless(name: &str, text: &str) -> String {
    let mut told = text.to_owned();
    if !name.starts_with("check") {
        return told;
    }
    for word in text.split_whitespace() {
        if word.len() == 20 && word.ends_with('Z') && word.parse::<jiff::Timestamp>().is_ok() {
            told = told.replace(word, "YYYY-MM-DDTHH:MM:SSZ");
        }
    }
    told
}

/// The screens of a command by width and piped, with what each has to be.
fn screens(
    name: &str,
    line: &str,
    command: impl Fn() -> Command,
    wrong: &mut Vec<String>,
) -> String {
    let mut told = format!("$ palisade {line}\n");
    for width in WIDTHS {
        let output = command().env("COLUMNS", width.to_string()).output().unwrap();
        let text = redacted(&streams(&output));
        // Standard error is no terminal here, and JSON is no text.
        let shown = String::from_utf8(output.stdout.clone()).unwrap();
        if !shown.starts_with('{') {
            wrong.extend(too_wide(name, &shown, width));
        }
        assert!(!text.contains('\u{1b}'), "{name}: {text:?}");
        write!(told, "\n[{width} columns]\n{text}").unwrap();
        if width == WIDTHS[0] {
            let code = output.status.code().unwrap();
            let text = redacted(&String::from_utf8(output.stdout).unwrap());
            in_a_terminal(name, &command(), code, &text, wrong);
        }
    }
    let text = redacted(&streams(&command().output().unwrap()));
    write!(told, "\n[piped]\n{text}").unwrap();
    told
}

/// A terminal is as wide as `COLUMNS` of that many, and has colors unless somebody wants none.
fn in_a_terminal(
    name: &str,
    command: &Command,
    code: i32,
    by_columns: &str,
    wrong: &mut Vec<String>,
) {
    let is_refused = [64, 69].contains(&code);
    let with = |variables: &[(&str, &str)]| {
        let mut again = Command::new(command.get_program());
        again.args(command.get_args()).current_dir(command.get_current_dir().unwrap());
        for (name, value) in command.get_envs() {
            again.env(name, value.unwrap());
        }
        again.envs(variables.iter().copied());
        redacted(&in_terminal(&again, WIDTHS[0], is_refused))
    };
    let shown = with(&[("TERM", "xterm-256color")]);
    if !shown.starts_with('{') {
        wrong.extend(too_wide(name, &plain(&shown), WIDTHS[0]));
    }
    if !is_refused {
        let is_it = plain(&shown).trim_end() == by_columns.trim_end();
        wrong.extend((!is_it).then(|| format!("{name}: {shown}\n-- by COLUMNS:\n{by_columns}")));
    }
    if shown.contains('\u{1b}') {
        for none in [("NO_COLOR", "1"), ("TERM", "dumb")] {
            let shown = with(&[("TERM", "xterm-256color"), none]);
            assert!(!shown.contains('\u{1b}'), "{name} with {none:?}: {shown:?}");
        }
    }
}

#[test]
fn screens_are_as_they_were_looked_at() {
    let (mut colored, mut wrong) = (false, Vec::new());
    for (name, line) in SCREENS {
        let shown = screens(name, line, || WORLD.command(&WORLD.words(line)), &mut wrong);
        kept(name, &timeless(name, &shown));
        colored |=
            name == "check" && in_terminal(&with_term(line), WIDTHS[0], false).contains('\u{1b}');
    }
    assert!(colored, "a terminal that knows colors is shown some");
    for (name, line) in OF_NOTHING {
        let command = || WORLD.command_of_nothing(&words_of(line));
        kept(name, &screens(name, line, command, &mut wrong));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn with_term(line: &str) -> Command {
    let mut command = WORLD.command(&WORLD.words(line));
    command.env("TERM", "xterm-256color");
    command
}

/// Every command that does something, by its words.
fn leaves(command: &clap::Command, words: &str, found: &mut BTreeSet<String>) {
    for sub in command.get_subcommands() {
        let name = format!("{words}{}", sub.get_name());
        match sub.has_subcommands() {
            true => leaves(sub, &format!("{name} "), found),
            false => _ = found.insert(name),
        }
    }
}

#[test]
fn every_command_has_a_screen_and_its_help() {
    let command = palisade::args::command();
    let mut commands = BTreeSet::new();
    leaves(&command, "", &mut commands);
    let is_shown = |command: &String| {
        let mut lines = SCREENS.iter().map(|(_, line)| *line).chain(acts::lines());
        lines.any(|line| line.starts_with(&format!("{command} ")) || line == command)
    };
    let missing: Vec<&String> = commands
        .iter()
        .filter(|command| !is_shown(command) && !WITHOUT.iter().any(|(name, _)| name == command))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    let mut groups = commands.clone();
    groups.extend(commands.iter().filter_map(|words| Some(words.rsplit_once(' ')?.0.to_owned())));
    groups.insert(String::new());
    let mut wrong = Vec::new();
    for words in groups {
        let mut line = words_of(&words);
        line.push("--help");
        let name = format!("help_{}", words.replace([' ', '-'], "_"));
        let name = name.trim_end_matches('_');
        let shown = |columns: Option<usize>| {
            let mut command = WORLD.command_of_nothing(&line);
            command.envs(columns.map(|width| ("COLUMNS", width.to_string())));
            let output = command.output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{name}");
            String::from_utf8(output.stdout).unwrap()
        };
        // How a command is used is one line, whatever its width.
        let narrow = shown(Some(WIDTHS[0]));
        let texts = |text: &str| {
            text.lines().filter(|line| !line.starts_with("Usage: ")).collect::<Vec<_>>().join("\n")
        };
        let unfolded = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for columns in [Some(WIDTHS[1]), None] {
            let other = shown(columns);
            wrong.extend(too_wide(name, &texts(&other), WIDTHS[1]));
            assert!(!other.contains('\u{1b}'), "{name}");
            assert_eq!(unfolded(&other), unfolded(&narrow), "{name}: the same words");
        }
        wrong.extend(too_wide(name, &texts(&narrow), WIDTHS[0]));
        kept(name, &format!("$ palisade {}\n\n{narrow}", line.join(" ")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
