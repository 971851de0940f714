//! Where entries are and where they must be.

use crate::evaluate::{CONFLICTS_MAX, EntryFaultReason};

use super::*;

/// Faults in few words: `first in 1 <- 3 Order Conflict(100,110)`.
fn faults(first: &str, last: &str, held: &str) -> Vec<String> {
    let (rule, held) = (rule(first, last), entries(held));
    let all = orders(&rule, &held);
    let told = |fault: EntryFault| {
        let part = if fault.expected.part == EntryPart::First { "first" } else { "last" };
        let direction = if fault.expected.entry.egress { "out" } else { "in" };
        let at = fault.actual_order.map_or("nowhere".to_owned(), |at| at.to_string());
        let reasons = fault.reasons().map(|reason| match reason {
            EntryFaultReason::Missing => "Missing".to_owned(),
            EntryFaultReason::Order => "Order".to_owned(),
            EntryFaultReason::Conflict => {
                let numbers = fault.conflicts.iter().map(|with| with.number.unwrap().to_string());
                format!("Conflict({})", numbers.collect::<Vec<_>>().join(","))
            }
        });
        let reasons: Vec<String> = reasons.collect();
        format!("{part} {direction} {} <- {at} {}", fault.expected_order, reasons.join(" "))
    };
    all.iter().flat_map(Order::faults).map(told).collect()
}

use crate::evaluate::acl_order::Order;

const A: &str = "in deny tcp 22 0.0.0.0/0";
const B: &str = "in deny tcp 23 0.0.0.0/0";
const Y: &str = "in deny tcp 25 0.0.0.0/0";
const Z: &str = "in deny tcp 26 0.0.0.0/0";
/// A custom entry that is about other traffic.
const C: &str = "in allow tcp 443 0.0.0.0/0";

/// Letters of the entries above, in order, at numbers 10, 20, …
fn held(letters: &str) -> String {
    let text = |letter| match letter {
        'A' => A,
        'B' => B,
        'C' => C,
        'Y' => Y,
        'Z' => Z,
        other => panic!("{other}"),
    };
    let all = letters.chars().enumerate();
    all.map(|(at, letter)| format!("{}0 {}; ", at + 1, text(letter))).collect()
}

/// Semantics §5.11: [first entries in order] + [custom …] + [last entries in order].
#[test]
fn first_custom_and_last_entries_stand_in_that_order() {
    let (ab, yz) = (format!("{A}; {B}"), format!("{Y}; {Z}"));
    for (letters, wanted) in [
        ("ABYZ", &[][..]),
        ("ABCYZ", &[]),
        ("ABCCCYZ", &[]),
        // What is wanted at an end may be a custom entry besides.
        ("ABCACYCYZ", &[]),
        ("ABAYZ", &[]),
        (
            "",
            &[
                "first in 1 <- nowhere Missing",
                "first in 2 <- nowhere Missing",
                "last in 3 <- nowhere Missing",
                "last in 4 <- nowhere Missing",
            ],
        ),
        (
            "CC",
            &[
                "first in 1 <- nowhere Missing",
                "first in 2 <- nowhere Missing",
                "last in 5 <- nowhere Missing",
                "last in 6 <- nowhere Missing",
            ],
        ),
        ("BCYZ", &["first in 1 <- nowhere Missing"]),
        ("ACYZ", &["first in 2 <- nowhere Missing"]),
        ("ABCZ", &["last in 4 <- nowhere Missing"]),
        ("ABCY", &["last in 5 <- nowhere Missing"]),
        ("BACYZ", &["first in 1 <- 2 Order", "first in 2 <- 1 Order"]),
        ("CABYZ", &["first in 1 <- 2 Order", "first in 2 <- 3 Order"]),
        ("ACBYZ", &["first in 2 <- 3 Order"]),
        ("ABYCZ", &["last in 4 <- 3 Order"]),
        ("ABYZC", &["last in 4 <- 3 Order", "last in 5 <- 4 Order"]),
        ("ABCZY", &["last in 4 <- 5 Order", "last in 5 <- 4 Order"]),
        (
            "YZCAB",
            &[
                "first in 1 <- 4 Order",
                "first in 2 <- 5 Order",
                "last in 4 <- 1 Order",
                "last in 5 <- 2 Order",
            ],
        ),
        ("CBYZ", &["first in 1 <- nowhere Missing", "first in 2 <- 2 Order"]),
        ("BBCYZ", &["first in 1 <- nowhere Missing"]),
    ] {
        assert_eq!(faults(&ab, &yz, &held(letters)), wanted, "{letters}");
    }
    // One entry cannot be both the first and the last one.
    assert_eq!(faults(A, A, &held("A")), ["last in 2 <- nowhere Missing"]);
    assert_eq!(faults(A, A, &held("AA")), [""; 0]);
    assert_eq!(faults(A, A, &held("ACA")), [""; 0]);
    assert_eq!(faults(A, A, &held("CA")), ["first in 1 <- nowhere Missing"]);
    assert_eq!(faults(&format!("{A}; {A}"), "", &held("AC")), ["first in 2 <- nowhere Missing"]);
    assert_eq!(faults(&format!("{A}; {A}"), "", &held("ACA")), ["first in 2 <- 3 Order"]);
}

#[test]
fn each_direction_is_judged_by_itself_and_in_the_order_of_numbers() {
    let out = "out deny tcp 22 ::/0";
    let first = format!("{A}; {out}");
    for (held, wanted) in [
        ("1 in deny tcp 22 0.0.0.0/0; 1 out deny tcp 22 ::/0", &[][..]),
        // As delivered, in no order.
        ("200 in allow -1 * 0.0.0.0/0; 7 out deny tcp 22 ::/0; 100 in deny tcp 22 0.0.0.0/0", &[]),
        ("1 in deny tcp 22 0.0.0.0/0", &["first out 1 <- nowhere Missing"]),
        ("1 out deny tcp 22 ::/0", &["first in 1 <- nowhere Missing"]),
        // The other direction, action, range, family or port is another entry.
        (
            "1 in deny tcp 22 ::/0; 1 out deny tcp 22 0.0.0.0/0",
            &["first in 1 <- nowhere Missing", "first out 1 <- nowhere Missing"],
        ),
        ("1 in allow tcp 22 0.0.0.0/0; 1 out deny tcp 22 ::/0", &["first in 1 <- nowhere Missing"]),
        ("1 in deny udp 22 0.0.0.0/0; 1 out deny tcp 22 ::/0", &["first in 1 <- nowhere Missing"]),
        (
            "1 in deny tcp 22-23 0.0.0.0/0; 1 out deny tcp 22 ::/0",
            &["first in 1 <- nowhere Missing"],
        ),
        ("1 in deny tcp 22 0.0.0.0/1; 1 out deny tcp 22 ::/0", &["first in 1 <- nowhere Missing"]),
    ] {
        assert_eq!(faults(&first, "", held), wanted, "{held}");
    }
    // EC2's own closing entries are no entries of anybody's, and do not serve as the policy's.
    for closing in ["in deny -1 * 0.0.0.0/0", "in deny -1 * ::/0"] {
        assert_eq!(faults("", closing, ""), ["last in 1 <- nowhere Missing"]);
        assert_eq!(faults("", closing, &format!("32766 {closing}")), [""; 0]);
    }
}

/// Semantics §5.11, §9 row 41.
#[test]
fn an_entry_conflicts_with_what_it_must_move_across_and_undo() {
    let last = "in allow tcp 22 0.0.0.0/0";
    for (first, last, held, wanted) in [
        (
            A,
            "",
            "10 in allow tcp 22 10.0.0.0/8; 20 in deny tcp 22 0.0.0.0/0",
            "first in 1 <- 2 Order Conflict(10)",
        ),
        (
            A,
            "",
            "10 in allow -1 * 10.0.0.0/8; 20 in deny tcp 22 0.0.0.0/0",
            "first in 1 <- 2 Order Conflict(10)",
        ),
        (
            A,
            "",
            "10 in allow tcp 20-30 0.0.0.0/0; 15 in allow -1 * 0.0.0.0/0; 20 in deny tcp 22 0.0.0.0/0",
            "first in 1 <- 3 Order Conflict(10,15)",
        ),
        (
            A,
            "",
            "10 in deny tcp 22 10.0.0.0/8; 20 in deny tcp 22 0.0.0.0/0",
            "first in 1 <- 2 Order",
        ),
        (
            A,
            "",
            "10 in allow udp 22 0.0.0.0/0; 20 in deny tcp 22 0.0.0.0/0",
            "first in 1 <- 2 Order",
        ),
        (
            A,
            "",
            "10 in allow tcp 23 0.0.0.0/0; 20 in deny tcp 22 0.0.0.0/0",
            "first in 1 <- 2 Order",
        ),
        (A, "", "10 in allow tcp 22 ::/0; 20 in deny tcp 22 0.0.0.0/0", "first in 1 <- 2 Order"),
        (
            A,
            "",
            "10 out allow tcp 22 0.0.0.0/0; 15 in allow tcp 80 ::/0; 20 in deny tcp 22 0.0.0.0/0",
            "first in 1 <- 2 Order",
        ),
        // What is behind it is not moved across.
        (
            A,
            "",
            "10 in deny tcp 80 ::/0; 20 in deny tcp 22 0.0.0.0/0; 30 in allow -1 * 0.0.0.0/0",
            "first in 1 <- 2 Order",
        ),
        // What is missing moves across nothing.
        (A, "", "10 in allow tcp 22 0.0.0.0/0", "first in 1 <- nowhere Missing"),
        (
            "",
            last,
            "10 in allow tcp 22 0.0.0.0/0; 20 in deny tcp 22 10.0.0.0/8",
            "last in 2 <- 1 Order Conflict(20)",
        ),
        (
            "",
            last,
            "5 in deny tcp 22 10.0.0.0/8; 10 in allow tcp 22 0.0.0.0/0; 20 in deny udp 22 10.0.0.0/8",
            "last in 3 <- 2 Order",
        ),
    ] {
        assert_eq!(faults(first, last, held), [wanted], "{held}");
    }
    // The policy's own entries are no custom ones.
    let between = "10 in allow tcp 22 0.0.0.0/0; 20 in deny tcp 22 0.0.0.0/0";
    assert_eq!(faults(A, last, between), ["first in 1 <- 2 Order", "last in 2 <- 1 Order"]);
}

#[test]
fn conflicts_are_told_to_their_limit() {
    for (count, wanted) in [
        (CONFLICTS_MAX - 1, CONFLICTS_MAX - 1),
        (CONFLICTS_MAX, CONFLICTS_MAX),
        (CONFLICTS_MAX + 1, CONFLICTS_MAX),
    ] {
        let customs = (1..=count).map(|at| format!("{at} in allow tcp 22 10.0.{at}.0/24; "));
        let held = entries(&format!("{}1000 {A}", customs.collect::<String>()));
        let rule = rule(A, "");
        let fault = &orders(&rule, &held)[0].faults()[0];
        assert_eq!(fault.conflicts.len(), wanted);
        assert!(fault.conflicts.iter().all(|with| with.part == EntryPart::Custom));
    }
}

#[test]
fn a_fault_tells_what_is_at_its_place() {
    let held = entries(&held("CAY"));
    let (rule, first_alone) = (rule(A, Z), entries(""));
    let faults = orders(&rule, &held)[0].faults();
    let at = |fault: &EntryFault| {
        fault.at_expected.as_ref().map(|held| (held.number, held.part, held.entry.clone()))
    };
    assert_eq!(at(&faults[0]), Some((Some(10), EntryPart::Custom, entry(C))));
    assert_eq!(faults[0].expected.number, Some(20));
    // Behind two custom entries and the first one.
    assert_eq!((faults[1].expected_order, at(&faults[1])), (4, None));
    assert_eq!(at(&orders(&rule, &first_alone)[0].faults()[0]), None);
}

#[test]
fn additions_get_free_numbers_where_they_must_be() {
    let (ab, yz) = (format!("{A}; {B}"), format!("{Y}; {Z}"));
    let numbers = |held: &str| -> Vec<Option<u16>> {
        let (rule, held) = (rule(&ab, &yz), entries(held));
        orders(&rule, &held)[0].additions().iter().map(|placed| placed.number).collect()
    };
    let in_order = |first: &str, middle: &str, last: &str| format!("{first}; {middle}; {last}");
    for (held, wanted) in [
        (String::new(), vec![Some(1), Some(2), Some(32_765), Some(32_766)]),
        (format!("100 {C}"), vec![Some(1), Some(2), Some(32_765), Some(32_766)]),
        (in_order(&format!("1 {A}"), &format!("2 {B}"), &format!("9 {Y}; 10 {Z}")), vec![]),
        // Between those that are in place.
        (
            in_order(&format!("1 {A}"), &format!("100 {C}"), &format!("32766 {Z}")),
            vec![Some(2), Some(32_765)],
        ),
        (
            in_order(&format!("5 {B}"), &format!("100 {C}"), &format!("110 {Y}")),
            vec![Some(1), Some(32_766)],
        ),
        (in_order(&format!("1 {B}"), &format!("100 {C}"), &format!("32766 {Y}")), vec![None, None]),
        // Before and behind the custom ones.
        (format!("2 {C}"), vec![None, None, Some(32_765), Some(32_766)]),
        (format!("3 {C}; 32765 {C}"), vec![Some(1), Some(2), None, None]),
        // Those that will go are passed over.
        (format!("1 {B}; 2 {A}; 9 {C}"), vec![Some(3), Some(4), Some(32_765), Some(32_766)]),
        (
            format!("9 {C}; 32765 {Z}; 32766 {Y}"),
            vec![Some(1), Some(2), Some(32_763), Some(32_764)],
        ),
    ] {
        assert_eq!(numbers(&held), wanted, "{held}");
    }
}
