//! Which Availability Zones must have an endpoint (semantics §5.7, §11 rows 54, 60).

use super::*;

const LACKS: &str = "MISSING_FIREWALL_SUBNET_IN_AZ";

/// The firewall without its subnet in zone `b`.
const ONLY_A: [&str; 3] = ["-firewall", "+firewall OWN vpc-1 arn:fp subnet-fa", "-table rtb-fb"];

fn rows(rows: &[(&str, &[&str], &str)]) {
    for (switches, edits, wanted) in rows {
        let judgement = judge_text(switches, &edited(edits));
        let wanted = wanted.replace("LACKS", LACKS);
        assert_eq!(told(&judgement), wanted, "{switches} {edits:?}");
    }
}

#[test]
fn where_subnets_decide_zones_that_reach_the_internet_need_an_endpoint() {
    let [gone, only_a, bare] = ONLY_A;
    rows(&[
        (
            "",
            &[gone, only_a, bare, "-table rtb-b", "+table rtb-b vpc-1 subnet-b | 0.0.0.0/0>igw-1"],
            "subnet-b LACKS",
        ),
        // By a prefix list as well, by IPv6 not.
        (
            "",
            &[gone, only_a, bare, "-table rtb-b", "+table rtb-b vpc-1 subnet-b | pl-1>igw-1"],
            "subnet-b LACKS",
        ),
        ("", &[gone, only_a, bare, "-table rtb-b", "+table rtb-b vpc-1 subnet-b | ::/0>igw-1"], ""),
        (
            "",
            &[gone, only_a, bare, "-table rtb-b", "+table rtb-b vpc-1 subnet-b | 0.0.0.0/0>nat-1"],
            "",
        ),
        // Through another zone's endpoint.
        (
            "",
            &[gone, only_a, bare, "-table rtb-b", "+table rtb-b vpc-1 subnet-b | 0.0.0.0/0>vpce-a"],
            "subnet-b LACKS",
        ),
        // Through an endpoint that is not Firewall Manager's.
        (
            "",
            &[gone, only_a, bare, "-table rtb-b", "+table rtb-b vpc-1 subnet-b | 0.0.0.0/0>vpce-b"],
            "",
        ),
        (
            "",
            &["+table rtb-c vpc-1 subnet-c | 0.0.0.0/0>vpce-x"],
            "[AWSCONFIG AWS::EC2::VPCEndpoint vpce-x was not recorded.]",
        ),
        // The main table serves who has no other.
        (
            "",
            &["-table rtb-main", "+table rtb-main vpc-1 main | 0.0.0.0/0>igw-1"],
            "subnet-c LACKS",
        ),
        (
            "",
            &["-table rtb-main"],
            "[AWSCONFIG The main route table of VPC vpc-1 was not recorded.]",
        ),
        (
            "",
            &["+unseen rtb-x AWS::EC2::RouteTable"],
            "[AWSCONFIG The configuration of AWS::EC2::RouteTable rtb-x was not recorded.]",
        ),
        (
            "",
            &["-table rtb-main", "+table rtb-main vpc-1 ? | 10.0.0.0/16>local"],
            "[AWSCONFIG What route table rtb-main is associated with was not recorded.]",
        ),
        (
            "",
            &["-table rtb-a", "+table rtb-a vpc-1 subnet-a | ?"],
            "[AWSCONFIG The routes of route table rtb-a were not recorded.]",
        ),
        (
            "",
            &["-table rtb-a", "+table rtb-a vpc-1 subnet-a | 0.0.0.0/0>igw-1 9.0.0.0/8>?"],
            "[AWSCONFIG The target of 9.0.0.0/8 of AWS::EC2::RouteTable rtb-a was not recorded.]",
        ),
        // The smallest of those that reach it names the zone.
        (
            "",
            &[
                "-table rtb-main",
                "+table rtb-main vpc-1 main | 0.0.0.0/0>igw-1",
                "+subnet subnet-c0 vpc-1 us-east-1c use1-az3",
                "+subnet subnet-b9 vpc-1 us-east-1c use1-az3",
                "+table rtb-9 vpc-1 subnet-b9 | ",
            ],
            "subnet-c LACKS",
        ),
    ]);
}

#[test]
fn listed_zones_need_an_endpoint_whatever_is_in_them() {
    let [gone, only_a, bare] = ONLY_A;
    let no_c = ["-subnet subnet-c"];
    rows(&[
        ("listed=us-east-1a,us-east-1b", &[], ""),
        ("listed=use1-az1,use1-az2", &[], ""),
        ("listed=us-east-1a,use1-az2", &[gone, only_a, bare], "subnet-b LACKS"),
        ("listed=us-east-1a,us-east-1b,us-east-1c", &[], "subnet-c LACKS"),
        // A zone without any subnet: the VPC.
        ("listed=us-east-1a,us-east-1b,us-east-1c", &no_c, "vpc-1 LACKS"),
        ("listed=us-east-1a,us-east-1b,use1-az3", &no_c, "vpc-1 LACKS"),
        (
            "listed=us-east-1a,us-east-1b,use1-az3",
            &["-subnet subnet-c", "+subnet subnet-c vpc-1 us-east-1c ?"],
            "[AWSCONFIG The id of the Availability Zone of AWS::EC2::Subnet subnet-c was not recorded.]",
        ),
        (
            "listed=us-east-1a,us-east-1b,us-east-1c",
            &["-subnet subnet-c", "+subnet subnet-c ? us-east-1c use1-az3"],
            "[AWSCONFIG The VPC of AWS::EC2::Subnet subnet-c was not recorded.]",
        ),
    ]);
}

#[test]
fn what_is_not_told_of_a_firewalls_subnets_is_a_gap() {
    rows(&[
        (
            "",
            &["-firewall", "+firewall OWN vpc-1 arn:fp ?"],
            "[AWSCONFIG The subnets of AWS::NetworkFirewall::Firewall OWN were not recorded.]",
        ),
        (
            "",
            &["-subnet subnet-fb"],
            "[AWSCONFIG AWS::EC2::Subnet subnet-fb was not recorded.]; \
             [AWSCONFIG AWS::EC2::Subnet subnet-fb, which rtb-fb serves, was not recorded.]",
        ),
        // One that a table of the VPC serves, and nothing else tells of; of another VPC's nothing follows.
        (
            "",
            &["+table rtb-x vpc-1 subnet-x | 0.0.0.0/0>igw-1"],
            "[AWSCONFIG AWS::EC2::Subnet subnet-x, which rtb-x serves, was not recorded.]",
        ),
        ("", &["+table rtb-x vpc-9 subnet-x | 0.0.0.0/0>igw-1"], ""),
        (
            "listed=us-east-1a,us-east-1b",
            &["-subnet subnet-fb", "+subnet subnet-fb vpc-1 ? use1-az2"],
            "[AWSCONFIG The Availability Zone of AWS::EC2::Subnet subnet-fb was not recorded.]",
        ),
    ]);
}

#[test]
fn a_single_endpoint_serves_the_whole_vpc() {
    let [gone, only_a, bare] = ONLY_A;
    rows(&[
        ("single", &[gone, only_a, bare], ""),
        ("single listed=us-east-1a,us-east-1b", &[gone, only_a, bare], ""),
        (
            "single",
            &[
                gone,
                "+firewall OWN vpc-1 arn:fp",
                "-table rtb-a",
                "-table rtb-b",
                "+table rtb-c vpc-1 subnet-a subnet-b subnet-c | 0.0.0.0/0>igw-1",
            ],
            "vpc-1 LACKS",
        ),
    ]);
}

/// Semantics §11 row 54, §10 row 27.
#[test]
fn of_a_centralized_policy_inspection_vpcs_alone_are_judged() {
    let [gone, only_a, bare] = ONLY_A;
    let second = "+vpc vpc-2";
    rows(&[
        ("central=us-east-1a,us-east-1b", &[second], ""),
        ("central=us-east-1a,us-east-1b", &[second, gone, only_a, bare], "subnet-b LACKS"),
        ("central=us-east-1a,us-east-1b", &[second, gone], "vpc-1 MISSING_FIREWALL"),
        (
            "central=us-east-1a",
            &["-vpc", second],
            "[AWSVPC Inspection VPC vpc-1 of account 111111111111 in Region us-east-1 could not be found.]",
        ),
    ]);
    let judgement = judge_text("central=us-east-1a,us-east-1b", &edited(&[second]));
    assert_eq!(judgement.in_scope, 1);
    // Whosever inspection VPC it is, it has to be there.
    let Rule::NetworkFirewall(mut central) = rule("central=us-east-1a") else { panic!() };
    let vpc = InspectionVpc { account: Some(account("222222222222")), id: "vpc-9".into() };
    central.placement = Placement::Inspection {
        vpcs: vec![vpc.clone()],
        zones: vec![Zone::Name("us-east-1a".into())],
    };
    let policy = policy("AWS::EC2::VPC", Rule::NetworkFirewall(central));
    let judgement = judged(&policy, &world(items(GOOD)), &References::new());
    assert_eq!(
        told(&judgement),
        "[AWSVPC Inspection VPC vpc-9 of account 222222222222 in Region us-east-1 could not be found.]"
    );
    let item = body(ResourceType::VPC, "vpc-9", Body::Vpc(Vpc::default()));
    let references = [(reference(&policy, &vpc).unwrap(), held(item))].into();
    let judgement = judged(&policy, &world(items(GOOD)), &references);
    assert_eq!((judgement.status(), judgement.in_scope), (Some(Status::Compliant), 0));
}
