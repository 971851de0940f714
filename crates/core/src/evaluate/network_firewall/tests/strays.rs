//! Endpoints outside of the listed zones (semantics §5.7).

use crate::evaluate::{FirewallFinding, RouteStep};

use super::*;

#[test]
fn an_endpoint_in_a_zone_that_is_not_listed_any_more_is_kept_while_routes_lead_there() {
    let used = "subnet-b ROUTE_HAS_OUT_OF_SCOPE_ENDPOINT; \
                subnet-fb FIREWALL_SUBNET_IS_OUT_OF_SCOPE";
    let unused = ["-table rtb-b", "-table rtb-i"];
    check(&[
        ("listed=us-east-1a", &[], used),
        ("listed=use1-az1", &[], used),
        ("central=us-east-1a", &[], used),
        // Of the gateway alone.
        ("listed=us-east-1a", &["-table rtb-b"], "subnet-fb FIREWALL_SUBNET_IS_OUT_OF_SCOPE"),
        ("listed=us-east-1a", &unused, ""),
        // Where subnets decide, nothing is listed.
        ("", &["-table rtb-b"], ""),
        (
            "listed=use1-az1",
            &["-subnet subnet-fb", "+subnet subnet-fb vpc-1 us-east-1b ?"],
            "[AWSCONFIG The id of the Availability Zone of AWS::EC2::Subnet subnet-fb was not recorded.]",
        ),
    ]);
}

#[test]
fn the_policy_may_list_the_zone_again() {
    let judgement = judge_text("listed=us-east-1a", GOOD);
    let violations = judgement.violators.iter().flat_map(|one| &one.violations);
    let told: Vec<Vec<(String, bool)>> = violations
        .map(|one| {
            let crate::evaluate::Finding::Firewalls(finding) = &one.finding else { panic!() };
            let (FirewallFinding::FirewallSubnetOutOfScope { remedies, .. }
            | FirewallFinding::RoutesOutOfScope { remedies, .. }) = finding
            else {
                panic!("{finding:?}");
            };
            let told = |step: &RouteStep| match step {
                RouteStep::UpdateZones { creation, .. } => creation.to_string(),
                other => other.summary(),
            };
            let all = remedies.iter().map(|one| (told(&one.steps[0]), one.is_default));
            all.collect()
        })
        .collect();
    let zones = r#"{"endpointLocation":{"availabilityZoneConfigList":[{"availabilityZoneName":"us-east-1a"},{"availabilityZoneName":"us-east-1b"}]}}"#;
    let listed = (zones.to_owned(), true);
    let gone = ("take the route 0.0.0.0/0 out of rtb-b".to_owned(), false);
    assert_eq!(told, [vec![listed.clone(), gone], vec![listed]]);
}
