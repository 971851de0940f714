use crate::evaluate::world::group;
use crate::inventory::Body;

use super::super::opening::openings;
use super::*;

fn with_opening<T>(rule: &str, read: impl FnOnce(Opening<'_>) -> T) -> T {
    let item = group("sg-1", rule);
    let Body::SecurityGroup(group) = &item.body else { panic!("a group") };
    read(openings(group)[0])
}

fn texts(openings: &[Opening<'_>]) -> String {
    openings.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Rows of `rule | other rule | in common | what is left | in what the rule goes beyond the other`;
/// `-` for nothing, `no rule` where rules cannot say it.
fn check(table: &str) {
    for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [ours, theirs, common, left, beyond] = cells[..] else { panic!("{row}") };
        with_opening(ours, |ours| {
            with_opening(theirs, |theirs| {
                let found = ours.common(&theirs).map(|found| found.to_string());
                assert_eq!(found.as_deref().unwrap_or("-"), common, "{row}");
                let found = match ours.without(&theirs).as_deref() {
                    None => "no rule".to_owned(),
                    Some([]) => "-".to_owned(),
                    Some(left) => texts(left),
                };
                assert_eq!(found, left, "{row}");
                let found: Vec<_> =
                    ours.mismatches(&theirs).into_iter().map(Mismatch::as_str).collect();
                let found = if found.is_empty() { "-".to_owned() } else { found.join(" ") };
                assert_eq!(found, beyond, "{row}");
            });
        });
    }
}

#[test]
fn what_is_common_left_and_beyond() {
    check(
        "in tcp 22 10.0.0.0/8     | in tcp 22 0.0.0.0/0      | tcp 22 from 10.0.0.0/8    | -                         | -
         in tcp 20-25 0.0.0.0/0   | in tcp 22 0.0.0.0/0      | tcp 22 from 0.0.0.0/0     | tcp 20-21 from 0.0.0.0/0, tcp 23-25 from 0.0.0.0/0 | PortRangeMismatch
         in tcp 22-25 0.0.0.0/0   | in tcp 0-22 0.0.0.0/0    | tcp 22 from 0.0.0.0/0     | tcp 23-25 from 0.0.0.0/0  | PortRangeMismatch
         in tcp * 0.0.0.0/0       | in tcp 1-65535 0.0.0.0/0 | tcp 1-65535 from 0.0.0.0/0 | tcp 0 from 0.0.0.0/0     | PortRangeMismatch
         in tcp 22 0.0.0.0/0      | in tcp 22 10.0.0.0/8     | tcp 22 from 10.0.0.0/8    | no rule                   | CidrMismatch
         in tcp 22 10.0.0.0/8     | in tcp 22 10.128.0.0/9   | tcp 22 from 10.128.0.0/9  | tcp 22 from 10.0.0.0/9    | CidrMismatch
         in tcp 22 ::/0           | in tcp 22 8000::/1       | tcp 22 from 8000::/1      | tcp 22 from ::/1          | CidrMismatch
         in tcp 22 10.0.0.0/8     | in tcp 22 ::/0           | -                         | tcp 22 from 10.0.0.0/8    | NoAvailableCidr
         in tcp 22 sg-9           | in tcp 22 0.0.0.0/0      | -                         | tcp 22 from sg-9          | NoAvailableCidr
         in tcp 22 pl-1           | in tcp 22 pl-2           | -                         | no rule                   | NoAvailableCidr
         in tcp 20-25 pl-1        | in tcp 22 pl-1           | tcp 22 from pl-1          | tcp 20-21 from pl-1, tcp 23-25 from pl-1 | PortRangeMismatch
         in tcp 20-25 0.0.0.0/0   | in tcp 22 10.0.0.0/8     | tcp 22 from 10.0.0.0/8    | no rule                   | PortRangeMismatch CidrMismatch
         in -1 * 10.0.0.0/8       | in tcp 22 10.0.0.0/8     | tcp 22 from 10.0.0.0/8    | no rule                   | ProtocolMismatch
         in tcp 22 10.0.0.0/8     | in udp 22 10.0.0.0/8     | -                         | tcp 22 from 10.0.0.0/8    | ProtocolMismatch
         in tcp 23 10.0.0.0/8     | in udp 22 10.0.0.0/8     | -                         | tcp 23 from 10.0.0.0/8    | ProtocolMismatch PortRangeMismatch
         in 50 * 10.0.0.0/8       | in udp 22 10.0.0.0/8     | -                         | protocol 50 from 10.0.0.0/8 | ProtocolMismatch
         in tcp 22 10.0.0.0/8     | out tcp 22 10.0.0.0/8    | -                         | tcp 22 from 10.0.0.0/8    | DirectionMismatch
         in icmp -1/-1 10.0.0.0/8 | in icmp 8/-1 10.0.0.0/8  | icmp type 8 code any from 10.0.0.0/8 | no rule        | PortRangeMismatch
         in icmp 8/-1 10.0.0.0/8  | in icmp -1/0 10.0.0.0/8  | icmp type 8 code 0 from 10.0.0.0/8 | no rule          | PortRangeMismatch
         in 50 * 10.0.0.0/8       | in -1 * 10.0.0.0/9       | protocol 50 from 10.0.0.0/9 | protocol 50 from 10.128.0.0/9 | CidrMismatch",
    );
}

/// Rows of `candidates | remedies`, the default one starred.
#[test]
fn a_rule_is_narrowed_where_one_candidate_holds_all_others() {
    for (candidates, want) in [
        ("", "remove*"),
        ("in tcp 22 10.0.0.0/8", "tcp 22-22 Ipv4(\"10.0.0.0/8\")*, remove"),
        ("in tcp 22 10.0.0.0/8; in tcp 22 10.1.0.0/16", "tcp 22-22 Ipv4(\"10.0.0.0/8\")*, remove"),
        ("in tcp 22 10.0.0.0/8; in tcp 23 10.0.0.0/8", "remove*"),
        ("out -1 * ::/0", "-1 - Ipv6(\"::/0\")*, remove"),
        ("in icmp 8/-1 pl-1", "icmp 8- PrefixList(\"pl-1\")*, remove"),
        ("in 50 * 10.0.0.0/8", "50 - Ipv4(\"10.0.0.0/8\")*, remove"),
    ] {
        let item = group("sg-1", candidates);
        let Body::SecurityGroup(group) = &item.body else { panic!("a group") };
        let port = |port: Option<u16>| port.map(|port| port.to_string()).unwrap_or_default();
        let found: Vec<String> = remedies(openings(group))
            .iter()
            .map(|remedy| {
                let star = if remedy.is_default { "*" } else { "" };
                match &remedy.action {
                    RuleAction::Remove => format!("remove{star}"),
                    RuleAction::Modify(to) => {
                        let (from, last) = (port(to.from_port), port(to.to_port));
                        format!("{} {from}-{last} {:?}{star}", to.protocol, to.peer)
                    }
                }
            })
            .collect();
        assert_eq!(found.join(", "), want, "{candidates}");
    }
}
