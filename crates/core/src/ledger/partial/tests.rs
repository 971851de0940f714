use crate::evaluate::{
    DependentService, Finding, Gap, Judgement, Violation, ViolationReason, WafFinding,
};

use super::super::{advance, hold};
use super::*;

/// Violators as `id` or `id=what was found`, gaps as texts, and how many are in scope.
fn judgement(violators: &str, gaps: &[&str], in_scope: u64) -> Judgement {
    let violator = |word: &str| {
        let (id, found) = word.split_once('=').unwrap_or((word, ""));
        let finding = Finding::Waf(WafFinding::WebAcl {
            found: Some(found.into()),
            wanted: "acl".into(),
            differences: vec![],
        });
        let reason = ViolationReason::ResourceMissingWebAcl;
        Violator {
            resource_type: ResourceType::LOAD_BALANCER,
            id: id.try_into().unwrap(),
            violations: vec![Violation { reason, finding }],
        }
    };
    Judgement {
        violators: violators.split_whitespace().map(violator).collect(),
        gaps: gaps.iter().map(|text| Gap::new(DependentService::Config, text)).collect(),
        in_scope,
        ..Judgement::default()
    }
}

fn recorded(judgement: &Judgement) -> Record {
    let change = advance(&Record::default(), judgement, 1, 100).unwrap();
    Record { entry: Some(change.entry), violators: change.put }
}

/// Of resources that carry no gaps.
fn difference(before: &str, after: &str, in_scope: [u64; 2]) -> Difference {
    Difference {
        before: judgement(before, &[], in_scope[0]),
        after: judgement(after, &[], in_scope[1]),
    }
}

#[test]
fn a_difference_is_recorded_as_the_whole_would_be() {
    // The violators before and after, in the whole and in the part that changed.
    let cases = [
        ("a b", "a", "b", "", [1, 0]),
        ("", "c", "", "c", [0, 1]),
        ("a b", "a b=other", "b", "b=other", [1, 1]),
        ("a", "", "a", "", [1, 1]),
        ("a", "a", "", "", [1, 1]),
        ("a", "b", "a", "b", [2, 2]),
        ("a b", "a b", "b", "b", [1, 2]),
    ];
    for gaps in [&[][..], &["Something was not recorded."]] {
        for (before, after, part_before, part_after, [was, is]) in cases {
            let record = recorded(&judgement(before, gaps, 5));
            let whole = judgement(after, gaps, 5 + is - was);
            let part = difference(part_before, part_after, [was, is]);
            let change = advance_by(&record, &part, 200);
            assert_eq!(change, Ok(advance(&record, &whole, 1, 200)), "{before} to {after}");
        }
    }
}

#[test]
fn since_and_history_tell_what_changed_and_when() {
    let record = recorded(&judgement("a b", &[], 5));
    let change = advance_by(&record, &difference("b", "b=other", [1, 1]), 200).unwrap().unwrap();
    assert_eq!((change.history, change.entry.since_ms, change.put[0].since_ms), (false, 100, 100));
    let change = advance_by(&record, &difference("", "c", [1, 1]), 200).unwrap().unwrap();
    assert_eq!((change.history, change.entry.since_ms, change.put[0].since_ms), (true, 200, 200));
}

#[test]
fn what_is_not_as_recorded_is_doubted() {
    let record = recorded(&judgement("a b", &[], 2));
    let doubted = |difference| advance_by(&record, &difference, 200).unwrap_err();
    assert_eq!(doubted(difference("c", "", [1, 1])), Doubt::Record, "no row of it");
    assert_eq!(doubted(difference("a=other", "", [1, 1])), Doubt::Record, "another row of it");
    assert_eq!(doubted(difference("", "a", [1, 1])), Doubt::Record, "a row of it");
    assert_eq!(doubted(difference("a", "", [3, 1])), Doubt::Record, "fewer were in scope");
    let gone = Record { entry: None, ..record.clone() };
    assert_eq!(advance_by(&gone, &difference("", "", [1, 1]), 200), Err(Doubt::Record));
}

#[test]
fn other_gaps_are_doubted_and_the_same_are_not() {
    let record = recorded(&judgement("", &["one", "two"], 5));
    let with = |gaps| judgement("", gaps, 1);
    let moved = Difference { before: with(&["one"]), after: with(&["two"]) };
    assert_eq!(advance_by(&record, &moved, 200), Err(Doubt::Gaps));
    let same = Difference { before: with(&["one"]), after: with(&["one"]) };
    assert_eq!(advance_by(&record, &same, 200), Ok(None));
}

#[test]
fn an_entry_of_another_revision_or_of_a_moment_does_not_stand() {
    let entry = |gaps: &[&str]| recorded(&judgement("", gaps, 5)).entry.unwrap();
    assert!(!stands(None, 1));
    assert!(stands(Some(&entry(&[])), 1));
    assert!(!stands(Some(&entry(&[])), 2));
    assert!(stands(Some(&entry(&["Something was not recorded."])), 1));
    let stale = "No AWS Config delivery tells of the last 36 hours.";
    assert!(!stands(Some(&entry(&["Another thing.", stale, "Something."])), 1));
    let many: Vec<String> = (0..1000).map(|n| format!("Thing {n} was not recorded.")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(!stands(Some(&entry(&many)), 1), "more than are told");
    let held = hold(&recorded(&judgement("a", &[], 5)), Obstacle::Failed, 1, 200).unwrap().entry;
    assert!(!stands(Some(&held), 1));
}
