//! The policy editor: previewed before it is put, errors where they belong, two tabs.

use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::site::*;

/// The sample, for tests that put policies.
fn site() -> &'static Site {
    static OWN: OnceLock<Site> = OnceLock::new();
    OWN.get_or_init(|| {
        let site = Site::open();
        site.fill();
        site
    })
}

fn first(browser: &mut Browser<'_>, name: &str) -> String {
    let shown = browser.get("/policies?region=eu-west-1&as=json").json();
    let all = shown["shown"]["policies"].as_array().unwrap().clone();
    let found = all.iter().find(|row| row["name"] == name).unwrap();
    found["policy"].as_str().unwrap().to_owned()
}

fn press<'a>(
    page: &'a Answer,
    act: &'a str,
    text: &'a str,
    more: &[(&'a str, &'a str)],
) -> Vec<(String, String)> {
    let own = [("token", page.hidden("token")), ("previewed", page.hidden("previewed"))];
    own.into_iter()
        .chain([("act", act.to_owned()), ("text", text.to_owned())])
        .chain(more.iter().map(|(name, value)| (*name, (*value).to_owned())))
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn send(browser: &mut Browser<'_>, path: &str, members: &[(String, String)]) -> Answer {
    let members: Vec<(&str, &str)> =
        members.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.post(path, &members)
}

fn in_force(region: &str, id: &str) -> Value {
    site().call(region, "GetPolicy", &json!({"PolicyId": id})).json()["Policy"].clone()
}

#[test]
fn a_version_is_previewed_before_it_is_put_and_two_tabs_do_not_overwrite_each_other() {
    let mut browser = site().browser();
    let id = first(&mut browser, "payments-single-ports");
    let path = format!("/policies/{id}/edit?region=eu-west-1");
    let (one, other) = (browser.get(&path), browser.get(&path));
    assert_eq!(one.status, 200, "{}", one.text);
    assert!(one.text.contains("None: the text says what is in force."));
    assert!(!one.text.contains("value=\"put\""), "no button before a preview");
    let before = in_force("eu-west-1", &id);
    let edited =
        one.area().replace("\"allowedPortCountPerSgRule\": 1", "\"allowedPortCountPerSgRule\": 3");
    assert_ne!(edited, one.area());
    // Put without a preview: it is previewed instead.
    let page = send(&mut browser, &path, &press(&one, "put", &edited, &[]));
    assert_eq!(page.status, 200, "{}", page.text);
    assert_eq!(in_force("eu-west-1", &id), before, "nothing was put");
    assert!(page.text.contains("What it would find") && page.text.contains("value=\"put\""));
    assert!(
        page.text.contains("class=\"minus\"") && page.text.contains("class=\"plus\""),
        "the difference"
    );
    // Another text than the one that was previewed is previewed again.
    let other_text = edited.replace("PerSgRule\": 3", "PerSgRule\": 4");
    let again = send(&mut browser, &path, &press(&page, "put", &other_text, &[]));
    assert_eq!(again.status, 200);
    assert_eq!(in_force("eu-west-1", &id), before, "nothing was put");
    let put = send(&mut browser, &path, &press(&page, "put", &edited, &[]));
    assert_eq!(put.status, 303, "{}", put.text);
    assert_ne!(in_force("eu-west-1", &id)["PolicyUpdateToken"], before["PolicyUpdateToken"]);
    // The other tab has an older token.
    let late = other.area().replace("PerSgRule\": 1", "PerSgRule\": 9");
    let refused = send(&mut browser, &path, &press(&other, "preview", &late, &[]));
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("it was changed meanwhile"), "{}", refused.text);
    assert!(refused.text.contains("value=\"rebase\"") && refused.text.contains("Overtaken"));
    assert!(refused.text.contains("PerSgRule&#34;: 9"), "what was typed stays");
    let rebased = send(&mut browser, &path, &press(&refused, "rebase", &refused.area(), &[]));
    assert_eq!(rebased.status, 200, "{}", rebased.text);
    assert!(rebased.text.contains("value=\"put\""));
    let put = send(&mut browser, &path, &press(&rebased, "put", &rebased.area(), &[]));
    assert_eq!(put.status, 303, "{}", put.text);
    let data =
        in_force("eu-west-1", &id)["SecurityServicePolicyData"]["ManagedServiceData"].clone();
    assert!(data.as_str().unwrap().contains("\"allowedPortCountPerSgRule\":9"), "{data}");
}

#[test]
fn errors_stand_where_they_belong() {
    let mut browser = site().browser();
    let path = "/policies/new?region=us-east-1&type=SECURITY_GROUPS_CONTENT_AUDIT";
    let page = browser.get(path);
    let area = page.area();
    for (text, field, words) in [
        ("{\n  \"PolicyName\": oops\n}".to_owned(), "#text", "line 2 column 17"),
        (area.replace("PolicyName", "PolicyNme"), "#text", "`PolicyName` is"),
        (area.clone(), "#f-0", "policyName"),
        (
            area.replace("\"PolicyName\": \"\"", "\"PolicyName\": \"x\"").replace(
                "\"type\": \"SECURITY_GROUPS_CONTENT_AUDIT\"",
                "\"type\": \"SECURITY_GROUPS_CONTENT_AUDIT\", \"securityGroupAction\": {\"type\": \"MAYBE\"}, \"securityGroups\": [{\"id\": \"sg-1\"}]",
            ),
            "#f-11",
            "securityGroupAction",
        ),
    ] {
        let answer = send(&mut browser, path, &press(&page, "preview", &text, &[]));
        assert_eq!(answer.status, 400, "{text}");
        let (_, rest) = answer.text.split_once("role=\"alert\"").unwrap_or_else(|| panic!("{text}"));
        let alert = rest.split("</div>").next().unwrap();
        assert!(alert.contains(words), "{words}: {alert}");
        assert!(alert.contains(&format!("href=\"{field}\"")), "{field}: {alert}");
        let id = field.trim_start_matches('#');
        assert!(answer.text.contains(&format!("id=\"{id}\"")), "{field} is on the page");
        let previews = answer.text.contains("What it would find");
        assert!(!previews, "{text}");
    }
}

#[test]
fn fields_write_themselves_into_the_text() {
    let mut browser = site().browser();
    let path = "/policies/new?region=us-east-1&type=SECURITY_GROUPS_USAGE_AUDIT";
    let page = browser.get(path);
    let nth = |label: &str| {
        let (before, _) = page.text.split_once(&format!("> {label}</label>")).expect(label);
        let (_, id) = before.rsplit_once("id=\"f-").unwrap();
        id.split('"').next().unwrap().to_owned()
    };
    let used = nth("Groups must be used");
    let (has, f) = (format!("has-{used}"), format!("f-{used}"));
    let members =
        [("has-0", "1"), ("f-0", "no-stray-groups"), (has.as_str(), "1"), (f.as_str(), "on")];
    let filled = send(&mut browser, path, &press(&page, "fill", &page.area(), &members));
    assert_eq!(filled.status, 200, "{}", filled.text);
    let text: Value = serde_json::from_str(&filled.area()).unwrap();
    assert_eq!(text["PolicyName"], "no-stray-groups");
    let data = &text["SecurityServicePolicyData"]["ManagedServiceData"];
    assert_eq!(data["deleteUnusedSecurityGroups"], true);
    let previewed = send(&mut browser, path, &press(&filled, "preview", &filled.area(), &[]));
    assert_eq!(previewed.status, 200, "{}", previewed.text);
    // The page says what the endpoint says.
    let request = json!({"policies": [{"Policy": {
        "PolicyName": "no-stray-groups", "ResourceType": "AWS::EC2::SecurityGroup",
        "ExcludeResourceTags": false, "RemediationEnabled": false,
        "SecurityServicePolicyData": {
            "Type": "SECURITY_GROUPS_USAGE_AUDIT", "ManagedServiceData": data.to_string(),
        },
    }}]});
    let told = site().own("POST", "/palisade/v1/preview", request.to_string()).json();
    let violators = told["policies"][0]["violators"]["after"].as_u64().unwrap();
    assert!(violators > 0, "{told}");
    let (_, row) = previewed.text.split_once("<th scope=\"row\">violators</th>").unwrap();
    assert!(row.contains(&format!("data-label=\"Then\">{violators}<")), "{violators}: {row}");
}
