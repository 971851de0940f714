use crate::evaluate::{Finding, Gap, ViolationReason, WafFinding};

use super::*;

fn violator(id: &str, wanted: &str) -> Violator {
    Violator {
        resource_type: ResourceType::LOAD_BALANCER,
        id: id.try_into().unwrap(),
        violations: vec![Violation {
            reason: ViolationReason::ResourceMissingWebAcl,
            finding: Finding::Waf(WafFinding::WebAcl {
                found: None,
                wanted: wanted.into(),
                differences: vec![],
            }),
        }],
    }
}

fn judgement(violators: &[&str], gaps: &[(DependentService, &str)]) -> Judgement {
    Judgement {
        violators: violators.iter().map(|id| violator(id, "acl")).collect(),
        gaps: gaps.iter().map(|(service, text)| Gap::new(*service, text)).collect(),
        in_scope: 10,
        ..Judgement::default()
    }
}

/// What a store holds after a change.
fn applied(before: &Record, change: &Change) -> Record {
    let mut rows: BTreeMap<_, _> = before
        .violators
        .iter()
        .map(|row| ((row.resource_type.clone(), row.id.clone()), row.clone()))
        .collect();
    for key in &change.removed {
        assert!(rows.remove(key).is_some(), "{key:?} was there to remove");
    }
    for row in &change.put {
        rows.insert((row.resource_type.clone(), row.id.clone()), row.clone());
    }
    Record { entry: Some(change.entry.clone()), violators: rows.into_values().collect() }
}

/// A record after judging at moments 100, 200, … one after the other.
fn after(judgements: &[Judgement]) -> Record {
    let mut record = Record::default();
    for (at, judgement) in (1..).zip(judgements) {
        if let Some(change) = advance(&record, judgement, 1, at * 100) {
            record = applied(&record, &change);
        }
    }
    record
}

fn since(record: &Record) -> Vec<(&str, i64)> {
    record.violators.iter().map(|row| (row.id.as_str(), row.since_ms)).collect()
}

#[test]
fn a_first_judgement_is_always_written() {
    let change = advance(&Record::default(), &judgement(&[], &[]), 7, 100).unwrap();
    assert!(change.history);
    let entry = change.entry;
    assert_eq!(entry.status, Some(Status::Compliant));
    assert_eq!((entry.violator_count, entry.in_scope, entry.since_ms), (0, 10, 100));
    assert_eq!(entry.policy_revision, 7);
    assert_eq!((change.put.len(), change.removed.len()), (0, 0));
}

#[test]
fn the_same_judgement_again_writes_nothing() {
    for same in [
        judgement(&[], &[]),
        judgement(&["a", "b"], &[]),
        judgement(&["a"], &[(DependentService::Config, "x.")]),
    ] {
        let record = after(std::slice::from_ref(&same));
        assert_eq!(advance(&record, &same, 1, 999), None);
    }
}

#[test]
fn since_moves_with_status_count_and_issues_alone() {
    let clean = judgement(&[], &[]);
    let gap = judgement(&[], &[(DependentService::Config, "x.")]);
    let one = judgement(&["a"], &[]);
    let another = judgement(&["b"], &[]);
    let two = judgement(&["a", "b"], &[]);
    let wider = Judgement { in_scope: 11, ..clean.clone() };
    for (name, first, then, history) in [
        ("status lost", &clean, &gap, true),
        ("status turned", &clean, &one, true),
        ("count", &one, &two, true),
        ("which, not how many", &one, &another, false),
        ("in scope", &clean, &wider, false),
    ] {
        let record = after(std::slice::from_ref(first));
        let change = advance(&record, then, 1, 200).expect(name);
        assert_eq!(change.history, history, "{name}");
        assert_eq!(change.entry.since_ms, if history { 200 } else { 100 }, "{name}");
    }
}

#[test]
fn a_new_revision_is_written_without_history() {
    let same = judgement(&["a"], &[]);
    let change = advance(&after(std::slice::from_ref(&same)), &same, 2, 200).unwrap();
    assert_eq!((change.history, change.entry.policy_revision), (false, 2));
    assert_eq!((change.entry.since_ms, change.put.len()), (100, 0));
}

#[test]
fn a_violator_keeps_the_moment_it_became_one() {
    let record = after(&[
        judgement(&["a"], &[]),
        judgement(&["a", "b"], &[]),
        judgement(&["b"], &[]),
        judgement(&["a", "b"], &[]),
    ]);
    assert_eq!(since(&record), [("a", 400), ("b", 200)]);
}

#[test]
fn a_violator_is_dated_by_the_state_that_it_was_first_found_by() {
    let mut record = Record::default();
    let captured = [("a found at 100", vec!["a"], 7), ("b found at 200", vec!["a", "b"], 8)];
    for (at_ms, (_, found, captured_ms)) in [100, 200].into_iter().zip(captured) {
        let mut change = advance(&record, &judgement(&found, &[]), 1, at_ms).unwrap();
        change.date(at_ms, |_, _| Some(captured_ms));
        record = applied(&record, &change);
    }
    let mut changed = judgement(&["a", "b"], &[]);
    changed.violators[0] = violator("a", "another acl");
    let mut change = advance(&record, &changed, 1, 300).unwrap();
    change.date(300, |_, _| Some(9));
    record = applied(&record, &change);
    let dates = record.violators.iter().map(|row| (row.id.as_str(), row.since_ms, row.began_ms()));
    assert_eq!(dates.collect::<Vec<_>>(), [("a", 100, 7), ("b", 200, 8)]);
    let undated = ViolatorRow { captured_ms: None, ..record.violators[0].clone() };
    assert_eq!(undated.began_ms(), 100, "an older ledger knows when it was judged");
}

#[test]
fn changed_evidence_is_put_and_keeps_its_moment() {
    let mut changed = judgement(&["a", "b"], &[]);
    let record = after(std::slice::from_ref(&changed));
    changed.violators[1] = violator("b", "another acl");
    let change = advance(&record, &changed, 1, 200).unwrap();
    assert!(!change.history);
    assert_eq!(change.removed, []);
    let [row] = change.put.as_slice() else { panic!("{:?}", change.put) };
    assert_eq!((row.id.as_str(), row.since_ms), ("b", 100));
    assert_eq!(row.violations, changed.violators[1].violations);
}

#[test]
fn a_change_applied_gives_the_judgement() {
    let sets: [&[&str]; 4] = [&["a", "b", "c"], &["b"], &[], &["c", "d"]];
    let mut record = Record::default();
    for set in sets.iter().cycle().take(9) {
        let now = judgement(set, &[]);
        let change = advance(&record, &now, 1, 100).unwrap();
        record = applied(&record, &change);
        let ids: Vec<_> = record.violators.iter().map(|row| row.id.as_str()).collect();
        assert_eq!(ids, *set);
        assert_eq!(record.entry.as_ref().unwrap().violator_count, set.len() as u64);
    }
}

#[test]
fn what_could_not_be_read_leaves_older_results_with_an_issue() {
    let issue = "The stored inventory of the account could not be read.";
    for (name, judged, revision, status, count) in [
        ("a violation stands", vec![judgement(&["alb-1"], &[])], 1, Some(Status::NonCompliant), 1),
        ("compliance does not", vec![judgement(&[], &[])], 1, None, 0),
        ("nothing was judged yet", vec![], 1, None, 0),
        ("another policy's results do not", vec![judgement(&["alb-1"], &[])], 2, None, 0),
    ] {
        let before = after(&judged);
        let change = hold(&before, Obstacle::Unreadable, revision, 500).unwrap();
        let held = applied(&before, &change);
        let entry = held.entry.as_ref().unwrap();
        assert_eq!((entry.status, entry.violator_count), (status, count), "{name}");
        assert_eq!(entry.issues, [(DependentService::Config, issue.to_owned())].into(), "{name}");
        let since: Vec<_> = (0..count).map(|_| ("alb-1", 100)).collect();
        assert_eq!(self::since(&held), since, "{name}");
        let again = |obstacle| hold(&held, obstacle, revision, 600);
        assert_eq!(again(Obstacle::Unreadable), None, "{name}: said once");
        let other = again(Obstacle::Failed).unwrap().entry;
        assert!(other.issues[&DependentService::Config].contains("could not be judged"), "{name}");
        for entry in [entry, &other] {
            assert!(!holds(Some(entry), revision), "{name}: no difference is added to it");
        }
    }
}

#[test]
fn the_count_is_not_cut() {
    let ids: Vec<_> = (0..101).map(|n| format!("alb-{n:03}")).collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let change = advance(&Record::default(), &judgement(&ids, &[]), 1, 1).unwrap();
    assert_eq!((change.entry.violator_count, change.put.len()), (101, 101));
}

#[test]
fn issues_join_texts_by_service_in_order() {
    use DependentService::{Config, Vpc};
    let judgement =
        judgement(&[], &[(Vpc, "Group sg-1."), (Config, "Type B."), (Config, "Type A.")]);
    let entry = advance(&Record::default(), &judgement, 1, 1).unwrap().entry;
    let issues: Vec<_> = entry.issues.iter().map(|(key, text)| (*key, text.as_str())).collect();
    assert_eq!(issues, [(Config, "Type A. Type B."), (Vpc, "Group sg-1.")]);
    assert_eq!(entry.status, None);
}

fn issue_of(texts: &[String]) -> String {
    let gaps: Vec<_> = texts.iter().map(|text| (DependentService::Config, text.as_str())).collect();
    let entry = advance(&Record::default(), &judgement(&[], &gaps), 1, 1).unwrap().entry;
    entry.issues.into_values().next().unwrap()
}

#[test]
fn an_issue_is_cut_between_texts_and_says_how_many_are_left_out() {
    for (count, length) in [(1, 4_000), (2, 2_000), (5, 1_000), (100, 40), (100, 41), (9_999, 42)] {
        let texts: Vec<_> = (0..count).map(|n| format!("{n:0length$}.")).collect();
        let issue = issue_of(&texts);
        assert!(issue.encode_utf16().count() <= ISSUE_TEXT_MAX, "{count} of {length}");
        let kept = texts.iter().take_while(|text| issue.contains(text.as_str())).count();
        assert!(kept > 0, "{count} of {length}");
        let end =
            if kept == count { String::new() } else { format!(" And {} more.", count - kept) };
        assert_eq!(issue, texts[..kept].join(" ") + &end);
        let room = ISSUE_TEXT_MAX - MORE_TEXT_MAX;
        let one_more = texts[..=kept.min(count - 1)].join(" ");
        assert!(kept == count || one_more.len() > room, "as many as there is room for");
    }
}

#[test]
fn issue_texts_fit_at_the_limit_and_not_beyond() {
    let room = ISSUE_TEXT_MAX - MORE_TEXT_MAX;
    assert_eq!(issue_of(&["a".repeat(room)]).len(), room);
    assert_eq!(issue_of(&["a".repeat(room - 1)]).len(), room - 1);
    assert_eq!(issue_of(&["a".repeat(room + 1)]), "And 1 more.");
    let two = ["a".repeat(room - 2), "b".to_owned()];
    assert_eq!(issue_of(&two), two.join(" "));
    let two = ["a".repeat(room - 1), "b".to_owned()];
    assert_eq!(issue_of(&two), format!("{} And 1 more.", two[0]));
}

#[test]
fn an_issue_keeps_to_the_characters_of_the_model() {
    let texts: Vec<_> = (0..400).map(|n| format!("Group sg-{n}(\"x\")'é{{}} lost.")).collect();
    let issue = issue_of(&texts);
    assert!(issue.ends_with(" more."));
    let allowed = |c: char| c.is_ascii_alphanumeric() || " _.:/=,+-@".contains(c);
    assert!(issue.chars().all(allowed), "{issue}");
}

#[test]
fn an_entry_reads_back_as_written() {
    let judgement = judgement(&["a"], &[(DependentService::Waf, "x.")]);
    let change = advance(&Record::default(), &judgement, 3, 5).unwrap();
    let bytes = postcard::to_allocvec(&change.entry).unwrap();
    assert_eq!(postcard::from_bytes::<Entry>(&bytes).unwrap(), change.entry);
    let text = serde_json::to_string(&change.put).unwrap();
    assert_eq!(serde_json::from_str::<Vec<ViolatorRow>>(&text).unwrap(), change.put);
}
