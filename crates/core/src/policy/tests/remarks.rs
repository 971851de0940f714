//! Semantics §11 rows 47 and 49.

use super::*;

fn told(data: &str, edits: Value) -> Vec<String> {
    let document = edited("WAFV2", ALB, data, edits);
    assert!(parsed(&document).is_ok(), "accepted in any case");
    remarks(&document)
}

#[test]
fn a_tag_filter_that_nothing_can_meet_is_told() {
    let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
    let filter = |tags: Value, exclude: bool, operator: Value| {
        let edits = json!({"ResourceTags": tags, "ExcludeResourceTags": exclude,
            "ResourceTagLogicalOperator": operator});
        told(WEB, edits).join("; ")
    };
    let both = json!([tag("env", "prod"), tag("team", "a"), tag("env", "test")]);
    let at_once = "ResourceTags ask for two values of `env` at once, which no resource has: ";
    assert!(
        filter(both.clone(), false, json!("AND"))
            .starts_with(&format!("{at_once}nothing is in scope"))
    );
    assert!(filter(both.clone(), false, json!(null)).starts_with(at_once));
    assert!(
        filter(both.clone(), true, json!(null))
            .starts_with(&format!("{at_once}no resource is left out"))
    );
    assert_eq!(filter(both, false, json!("OR")), "");
    let without_value = json!([{"Key": "env"}, tag("env", "x")]);
    assert!(filter(without_value, false, json!(null)).starts_with(at_once));
    let repeated = json!([tag("env", "x"), tag("env", "x"), tag("ENV", "y")]);
    assert_eq!(filter(repeated, false, json!(null)), "");
}

#[test]
fn resource_sets_in_the_data_are_told_where_they_belong() {
    let data = r#"{"resourceSetIds":["x"],"defaultAction":{"type":"ALLOW"}}"#;
    let [told] = told(data, json!({})).try_into().unwrap();
    assert!(told.contains("`ResourceSetIds` stands in the policy itself"), "{told}");
}

#[test]
fn unknown_members_are_told_to_their_limit() {
    let of = |count: usize| {
        let members: Vec<String> = (0..count).map(|n| format!(r#""x{n:02}":1"#)).collect();
        told(&format!(r#"{{"defaultAction":{{"type":"ALLOW"}},{}}}"#, members.join(",")), json!({}))
    };
    let one =
        "in ManagedServiceData `x00` is not known; it is kept and echoed, and judged by nobody";
    assert_eq!(of(1), [one]);
    assert_eq!(of(UNKNOWN_MEMBERS_MAX).len(), UNKNOWN_MEMBERS_MAX);
    let more = of(UNKNOWN_MEMBERS_MAX + 1);
    assert_eq!(more.last().unwrap(), "in ManagedServiceData 1 more members are not known");
    assert_eq!(more.len(), UNKNOWN_MEMBERS_MAX + 1);
}
