//! Route monitoring (semantics §5.7, §11 row 61).

use crate::evaluate::{FirewallFinding, RouteRemedy, RouteStep};

use super::*;

const TABLE_A: &str = "-table rtb-a";
const TABLE_B: &str = "-table rtb-b";
const TABLE_FA: &str = "-table rtb-fa";
const TABLE_I: &str = "-table rtb-i";

#[test]
fn traffic_that_goes_through_the_zones_endpoint_both_ways_complies() {
    for switches in ["monitor", "monitor listed=us-east-1a,us-east-1b", "monitor single"] {
        let judgement = judge_text(switches, GOOD);
        assert_eq!(told(&judgement), "", "{switches}");
        assert_eq!(judgement.status(), Some(Status::Compliant));
    }
}

#[test]
fn a_subnet_is_judged_by_its_own_routes() {
    let not = "subnet-a INTERNET_TRAFFIC_NOT_INSPECTED";
    check(&[
        ("monitor", &[TABLE_A, "+table rtb-a vpc-1 subnet-a | 0.0.0.0/0>igw-1"], not),
        ("monitor", &[TABLE_A, "+table rtb-a vpc-1 subnet-a | 0.0.0.0/0>vpce-a ::/0>igw-1"], not),
        ("monitor", &[TABLE_A, "+table rtb-a vpc-1 subnet-a | 0.0.0.0/0>vpce-a pl-1>igw-1"], not),
        // Who does not reach the internet is not looked at, who is not monitored either.
        (
            "monitor",
            &[
                TABLE_I,
                "+table rtb-i vpc-1 igw-1 | 10.0.2.0/24>vpce-b",
                TABLE_A,
                "+table rtb-a vpc-1 subnet-a | 0.0.0.0/0>nat-1",
            ],
            "",
        ),
        ("", &[TABLE_A, "+table rtb-a vpc-1 subnet-a | 0.0.0.0/0>igw-1"], ""),
        // Into another zone.
        (
            "monitor",
            &[TABLE_B, "+table rtb-b vpc-1 subnet-b | 0.0.0.0/0>vpce-a"],
            "subnet-b TRAFFIC_INSPECTION_CROSSES_AZ_BOUNDARY",
        ),
        ("monitor single", &[TABLE_B, "+table rtb-b vpc-1 subnet-b | 0.0.0.0/0>vpce-a"], ""),
        (
            "monitor cross listed=us-east-1a,us-east-1b",
            &[TABLE_B, "+table rtb-b vpc-1 subnet-b | 0.0.0.0/0>vpce-a"],
            "subnet-b TRAFFIC_INSPECTION_CROSSES_AZ_BOUNDARY",
        ),
        // Another's endpoint.
        (
            "monitor",
            &[
                TABLE_A,
                "+table rtb-a vpc-1 subnet-a | 0.0.0.0/0>vpce-x",
                "+endpoint vpce-x vpc-1 subnet-c",
                TABLE_I,
                "+table rtb-i vpc-1 igw-1 | 10.0.2.0/24>vpce-b",
            ],
            "subnet-a INVALID_ROUTE_CONFIGURATION",
        ),
        // It comes in through the endpoint, and there is no way back.
        (
            "monitor",
            &[TABLE_A, "+table rtb-a vpc-1 subnet-a | 10.0.0.0/16>local"],
            "igw-1 UNEXPECTED_TARGET_GATEWAY_ROUTES; subnet-a INVALID_ROUTE_CONFIGURATION",
        ),
        (
            "monitor",
            &[TABLE_A, "+table rtb-a vpc-1 subnet-a | 0.0.0.0/0>vpce-a!"],
            "subnet-a BLACK_HOLE_ROUTE_DETECTED",
        ),
        (
            "monitor",
            &[TABLE_A, "+table rtb-a vpc-1 subnet-a | 0.0.0.0/0>vpce-a 9.0.0.0/8>pcx-1!"],
            "",
        ),
        (
            "monitor",
            &[TABLE_A, "+table rtb-a vpc-1 subnet-a | 0.0.0.0/0>vpce-a ::/0>vpce-a"],
            "[AWSVPC Palisade does not judge IPv6 routes to firewall endpoints yet: ::/0 of rtb-a.]",
        ),
        (
            "monitor",
            &["-subnet subnet-a", "+subnet subnet-a vpc-1 us-east-1a use1-az1"],
            "igw-1 UNEXPECTED_TARGET_GATEWAY_ROUTES; \
             [AWSCONFIG The IPv4 range of AWS::EC2::Subnet subnet-a was not recorded.]",
        ),
    ]);
}

/// In custom mode, traffic of a zone that has no endpoint may cross where the policy says so.
#[test]
fn traffic_of_a_zone_without_an_endpoint_may_cross_where_the_policy_lets_it() {
    let cross: &[&str] = &[
        "+table rtb-c vpc-1 subnet-c | 0.0.0.0/0>vpce-b",
        TABLE_I,
        "+table rtb-i vpc-1 igw-1 | 10.0.1.0/24>vpce-a 10.0.2.0/24>vpce-b 10.0.3.0/24>vpce-b",
    ];
    let listed = "listed=us-east-1a,us-east-1b";
    check(&[
        (&format!("monitor cross {listed}"), cross, ""),
        (
            &format!("monitor {listed}"),
            cross,
            "igw-1 UNEXPECTED_TARGET_GATEWAY_ROUTES; \
             subnet-c TRAFFIC_INSPECTION_CROSSES_AZ_BOUNDARY",
        ),
    ]);
}

#[test]
fn a_firewall_subnet_leads_to_the_internet_and_into_the_vpc_alone() {
    check(&[
        (
            "monitor",
            &[TABLE_FA, "+table rtb-fa vpc-1 subnet-fa | 10.0.0.0/16>local"],
            "subnet-fa FIREWALL_SUBNET_MISSING_EXPECTED_ROUTE",
        ),
        (
            "monitor",
            &[TABLE_FA, "+table rtb-fa vpc-1 subnet-fa | 8.0.0.0/8>igw-1"],
            "subnet-fa FIREWALL_SUBNET_MISSING_EXPECTED_ROUTE",
        ),
        // What subnets send through it is enough.
        (
            "monitor",
            &[
                TABLE_A,
                "+table rtb-a vpc-1 subnet-a | 8.8.0.0/16>vpce-a",
                TABLE_FA,
                "+table rtb-fa vpc-1 subnet-fa | 8.0.0.0/8>igw-1",
            ],
            "",
        ),
        (
            "monitor",
            &[TABLE_FA, "+table rtb-fa vpc-1 subnet-fa | 0.0.0.0/0>igw-1 9.0.0.0/8>pcx-1"],
            "subnet-fa UNEXPECTED_FIREWALL_ROUTES",
        ),
        (
            "monitor",
            &[TABLE_FA, "+table rtb-fa vpc-1 subnet-fa | 0.0.0.0/0>igw-1 9.0.0.0/8>pcx-1!"],
            "subnet-fa BLACK_HOLE_ROUTE_DETECTED_IN_FIREWALL_SUBNET",
        ),
        (
            "monitor",
            &[TABLE_FA, "+table rtb-fa vpc-1 subnet-fa | ?"],
            "[AWSCONFIG The routes of route table rtb-fa were not recorded.]",
        ),
    ]);
}

#[test]
fn what_enters_by_the_gateway_goes_through_the_zones_endpoint() {
    let table = |routes: &str| format!("+table rtb-i vpc-1 igw-1 | {routes}");
    let rows = [
        (
            "10.0.1.0/25>vpce-b 10.0.1.0/24>vpce-a 10.0.2.0/24>vpce-b",
            "igw-1 UNEXPECTED_TARGET_GATEWAY_ROUTES",
        ),
        // The third subnet has no way back.
        ("10.0.1.0/24>vpce-a 10.0.2.0/23>vpce-b", "subnet-c INVALID_ROUTE_CONFIGURATION"),
        ("10.0.1.0/24>vpce-a", "igw-1 INTERNET_GATEWAY_MISSING_EXPECTED_ROUTE"),
        // The narrowest route counts.
        (
            "10.0.0.0/16>vpce-b 10.0.1.0/24>vpce-a 10.0.2.0/24>vpce-a 10.0.3.0/24>local",
            "igw-1 INTERNET_GATEWAY_MISSING_EXPECTED_ROUTE",
        ),
        ("10.0.1.0/24>vpce-a 10.0.2.0/24>vpce-a", "igw-1 INTERNET_GATEWAY_MISSING_EXPECTED_ROUTE"),
        ("10.0.1.0/24>vpce-a 10.0.2.0/24>vpce-b!", "igw-1 INTERNET_GATEWAY_MISSING_EXPECTED_ROUTE"),
        (
            "10.0.1.0/24>vpce-a 10.0.2.0/24>vpce-b 10.0.3.0/24>vpce-b",
            "igw-1 UNEXPECTED_TARGET_GATEWAY_ROUTES; subnet-c INVALID_ROUTE_CONFIGURATION",
        ),
        (
            "10.0.1.0/24>vpce-a 10.0.2.0/24>eni-1",
            "igw-1 UNEXPECTED_TARGET_GATEWAY_ROUTES INTERNET_GATEWAY_MISSING_EXPECTED_ROUTE",
        ),
        ("?", "[AWSCONFIG The routes of route table rtb-i were not recorded.]"),
    ];
    for (routes, wanted) in rows {
        check(&[("monitor", &[TABLE_I, &table(routes)], wanted)]);
    }
    check(&[
        ("monitor", &[TABLE_I], "igw-1 MISSING_TARGET_GATEWAY"),
        // Nobody reaches the internet: there is nothing that it should have.
        ("monitor", &[TABLE_I, TABLE_A, TABLE_B], ""),
        (
            "monitor",
            &["-gateway", "+gateway igw-1 ?"],
            "[AWSCONFIG The attachments of AWS::EC2::InternetGateway igw-1 were not recorded.]",
        ),
        (
            "monitor",
            &["-gateway", "+unseen igw-1 AWS::EC2::InternetGateway"],
            "[AWSCONFIG The configuration of AWS::EC2::InternetGateway igw-1 was not recorded.]",
        ),
    ]);
}

/// A state or target that is not told may be anything (semantics §11 row 38).
#[test]
fn what_is_not_told_of_routes_is_a_gap() {
    let mut all = items(GOOD);
    for item in &mut all {
        if let Body::RouteTable(table) = &mut item.body
            && item.key.id.as_str() == "rtb-a"
        {
            table.routes.iter_mut().flatten().for_each(|route| route.active = None);
        }
    }
    let policy = policy("AWS::EC2::VPC", rule("monitor"));
    let judgement = judged(&policy, &world(all), &References::new());
    assert_eq!(judgement.status(), None);
    let gap = "AWSCONFIG The state of 0.0.0.0/0 of AWS::EC2::RouteTable rtb-a was not recorded.";
    assert!(gaps(&judgement).contains(&gap.to_owned()), "{:?}", gaps(&judgement));
}

/// The steps of the only remedy of a resource's first violation.
fn steps(edits: &[&str], id: &str) -> Vec<String> {
    let judgement = judge_text("monitor", &edited(edits));
    let violator = judgement.violators.iter().find(|one| one.id.as_str() == id).unwrap();
    let crate::evaluate::Finding::Firewalls(finding) = &violator.violations[0].finding else {
        panic!()
    };
    let remedies: &[RouteRemedy] = match finding {
        FirewallFinding::UninspectedTraffic { remedies, .. }
        | FirewallFinding::InvalidRoutes { remedies, .. }
        | FirewallFinding::UnexpectedFirewallRoutes { remedies, .. }
        | FirewallFinding::UnexpectedGatewayRoutes { remedies, .. }
        | FirewallFinding::MissingFirewallRoutes { remedies, .. }
        | FirewallFinding::MissingGatewayRoutes { remedies, .. } => remedies,
        other => panic!("{other:?}"),
    };
    assert!(remedies.iter().all(|remedy| remedy.is_default));
    let steps = remedies.iter().flat_map(|remedy| &remedy.steps);
    steps.map(RouteStep::summary).collect()
}

/// Semantics §3.7.
#[test]
fn remedies_follow_the_documented_sequences() {
    let cases: [(&[&str], &str, &[&str]); 7] = [
        (
            &[
                TABLE_A,
                "+table rtb-a vpc-1 subnet-a | 0.0.0.0/0>igw-1",
                TABLE_FA,
                "+table rtb-fa vpc-1 subnet-fa | 10.0.0.0/16>local",
                TABLE_I,
                "+table rtb-i vpc-1 igw-1 | 10.0.2.0/24>vpce-b",
            ],
            "subnet-a",
            &[
                "add to rtb-fa the route 0.0.0.0/0 to igw-1",
                "let the route 0.0.0.0/0 of rtb-a lead to vpce-a",
                "add to rtb-i the route 10.0.1.0/24 to vpce-a",
            ],
        ),
        // A table that serves another zone too is copied first.
        (
            &[TABLE_A, TABLE_B, "+table rtb-ab vpc-1 subnet-a subnet-b | 0.0.0.0/0>vpce-a"],
            "subnet-b",
            &[
                "create a route table in vpc-1 with the routes of rtb-ab",
                "let the table that was made serve the subnet by association assoc-subnet-b",
                "let the route 0.0.0.0/0 of the table that was made lead to vpce-b",
            ],
        ),
        // Nothing is suggested for IPv6.
        (&[TABLE_A, "+table rtb-a vpc-1 subnet-a | 0.0.0.0/0>vpce-a ::/0>igw-1"], "subnet-a", &[]),
        (
            &[TABLE_I],
            "igw-1",
            &[
                "create a route table in vpc-1",
                "associate the table that was made with igw-1",
                "add to the table that was made the route 10.0.1.0/24 to vpce-a",
                "add to the table that was made the route 10.0.2.0/24 to vpce-b",
            ],
        ),
        (
            &[TABLE_I, "+table rtb-i vpc-1 igw-1 | 10.0.1.0/24>vpce-a 10.0.3.0/24>eni-1"],
            "igw-1",
            &[
                "take the route 10.0.3.0/24 out of rtb-i",
                "add to rtb-i the route 10.0.2.0/24 to vpce-b",
            ],
        ),
        (
            &[TABLE_FA, "+table rtb-fa vpc-1 subnet-fa | 0.0.0.0/0>igw-1 9.0.0.0/8>pcx-1"],
            "subnet-fa",
            &["take the route 9.0.0.0/8 out of rtb-fa"],
        ),
        (
            &[TABLE_A, "+table rtb-a vpc-1 subnet-a | 10.0.0.0/16>local"],
            "subnet-a",
            &["add to rtb-a the route 0.0.0.0/0 to vpce-a"],
        ),
    ];
    for (edits, id, wanted) in cases {
        assert_eq!(steps(edits, id), wanted, "{edits:?}");
    }
}
