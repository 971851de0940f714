//! One configuration item in either dialect, in the words of the delivery dialect (formats §2 to
//! §4, §7; semantics §11 row 50).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Mutation, any_case, number, read, text, written};

pub const RECORDER: &str = "AWS::Config::ConfigurationRecorder";

/// Numbers of states that are beyond are moments, not counters: 2001 in milliseconds.
const NUMBERS_TELL_MS: i64 = 1_000_000_000_000;

/// The types that verdicts read, as AWS writes them.
const KINDS: &[&str] = &[
    RECORDER,
    "AWS::WAFv2::WebACL",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::ElasticLoadBalancing::LoadBalancer",
    "AWS::ApiGateway::Stage",
    "AWS::CloudFront::Distribution",
    "AWS::EC2::EIP",
    "AWS::Shield::Protection",
    "AWS::ShieldRegional::Protection",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::NetworkInterface",
    "AWS::EC2::Instance",
    "AWS::EC2::PrefixList",
    "AWS::EC2::SecurityGroupVpcAssociation",
    "AWS::EC2::VPC",
    "AWS::EC2::Subnet",
    "AWS::EC2::NetworkAcl",
    "AWS::EC2::RouteTable",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::VPCEndpoint",
    "AWS::NetworkFirewall::Firewall",
    "AWS::NetworkFirewall::FirewallPolicy",
    "AWS::WAF::WebACL",
    "AWS::WAFRegional::WebACL",
    "AWS::Route53Resolver::FirewallRuleGroupAssociation",
];

/// What can be read of an item, and the item where all that is needed can.
#[derive(Debug, Default)]
pub struct Item {
    pub account: Option<String>,
    pub region: Option<String>,
    pub kind: Option<String>,
    pub id: Option<String>,
    pub captured_ms: Option<i64>,
    pub whole: Option<Value>,
}

impl Item {
    pub fn read(element: &Value, broken: Option<Mutation>) -> Item {
        if element.is_array() {
            // It is no item: what is in it tells where it is, if it is at one with itself, not which
            // item it is, nor of when.
            let kind = only(element, &["resourceType"]);
            return Item {
                account: only(element, &["awsAccountId", "accountId"]),
                region: only(element, &["awsRegion"]),
                kind: kind.map(|kind| self::kind(&kind)),
                ..Item::default()
            };
        }
        let Value::Object(members) = element else { return Item::default() };
        // Names are read without regard to case (formats §11 rule 2).
        let get = |names: &[&str]| {
            let found = members.iter().find(|(key, value)| {
                names.iter().any(|name| name.eq_ignore_ascii_case(key)) && !value.is_null()
            });
            found.map(|(_, value)| value)
        };
        // What stands twice is not told, and spoils the item (row 69).
        let twice = match broken {
            Some(Mutation::MembersTwicePass) => BTreeSet::new(),
            _ => written::twice(element, broken == Some(Mutation::LettersMakeTwoMembers)),
        };
        let get = |names: &[&str]| {
            let twice = names.iter().any(|name| twice.contains(&name.to_ascii_lowercase()));
            get(names).filter(|_| !twice)
        };
        let said = |names: &[&str]| {
            get(names).and_then(Value::as_str).filter(|said| !said.is_empty()).map(str::to_owned)
        };
        let state = get(&["configurationStateId"]);
        let state = state.and_then(|state| match state {
            Value::String(digits) => digits.parse::<u64>().ok(),
            number => number.as_u64(),
        });
        let kind = said(&["resourceType"]).filter(|kind| is_type(kind)).map(|kind| match broken {
            Some(Mutation::LettersOfTypesCount) => kind,
            _ => self::kind(&kind),
        });
        let region = said(&["awsRegion"]).filter(|region| is_region(region));
        // Where resources of a type never are tells no Region (row 39).
        let nowhere = region.as_deref() == Some("global")
            && kind.as_deref().is_some_and(never_global)
            && broken != Some(Mutation::RegionalTypesAreGlobal);
        let mut read = Item {
            account: said(&["awsAccountId", "accountId"]).filter(|account| is_account(account)),
            region: region.filter(|_| !nowhere),
            kind,
            id: said(&["resourceId"]),
            captured_ms: match get(&["configurationItemCaptureTime"]) {
                Some(told) => moment_ms(told),
                // The number of a state is its moment since version 1.3 (formats §3).
                None => state.map(|state| state as i64).filter(|state| *state > NUMBERS_TELL_MS),
            },
            whole: None,
        };
        let (Some(account), Some(region), Some(kind), Some(id), Some(_)) =
            (&read.account, &read.region, &read.kind, &read.id, read.captured_ms)
        else {
            return read;
        };
        // A body that cannot be read is one that is not shown (row 39).
        let body = get(&["configuration"]).map_or(Some(Value::Null), parsed_body);
        let status = said(&["configurationItemStatus"]).unwrap_or_else(|| "OK".to_owned());
        let more = get(&["supplementaryConfiguration"]).cloned().unwrap_or_default();
        let relations = get(&["relationships"]).cloned().unwrap_or_default();
        let body_is_bad = |body: &Value| {
            !status.starts_with("ResourceDeleted")
                && is_bad(kind, &plain(body), &more, &relations, broken)
                && broken != Some(Mutation::NullsInListsPass)
        };
        let tags = get(&["tags"]).map(unwrapped).unwrap_or_default();
        let doubled = !twice.is_empty()
            || body.as_ref().is_some_and(|body| stands_twice(kind, body, &more, &tags, broken));
        let unreadable = (doubled || body.as_ref().is_none_or(body_is_bad))
            && broken != Some(Mutation::UnreadableItemsPass);
        // What cannot be read tells nothing, not even in part.
        let body = body.filter(|_| !unreadable).unwrap_or_default();
        let pass = match kind.as_str() {
            "AWS::Shield::Protection" | "AWS::ShieldRegional::Protection" => {
                Mutation::UntoldArnsProtectNothing
            }
            _ => Mutation::UntoldRulesAreNone,
        };
        let untold = tells_nothing(kind, &body) && broken != Some(pass);
        let mut whole = json!({
            "awsAccountId": account, "awsRegion": region, "resourceType": kind, "resourceId": id,
            "configurationItemCaptureTime": read.captured_ms, "configuration": plain(&body),
        });
        whole["configurationItemStatus"] = json!(status);
        whole["mute"] = json!(unreadable || untold || get(&["mute"]).is_some());
        whole["unreadable"] = json!(unreadable);
        whole["configurationStateId"] = json!(state);
        whole["resourceName"] = json!(said(&["resourceName"]));
        if let Some(Value::Object(map)) = get(&["supplementaryConfiguration"]) {
            let map: Map<String, Value> =
                map.iter().map(|(key, value)| (key.clone(), plain(&unwrapped(value)))).collect();
            whole["supplementaryConfiguration"] = Value::Object(map);
        }
        // One that does not say with what leaves all untold (row 38).
        let named = |relation: &Value| {
            ["resourceType", "resourceId"].iter().all(|member| !text(&relation[*member]).is_empty())
        };
        let pass = broken == Some(Mutation::RelationshipsNeedNoId);
        if let Value::Array(mut relations) = relations
            && (pass || relations.iter().all(named))
        {
            for relation in &mut relations {
                if let Some(named) = relation["resourceType"].as_str() {
                    relation["resourceType"] = json!(self::kind(named));
                }
            }
            whole["relationships"] = Value::Array(relations);
        }
        // The lists tell where there is no map at all.
        let tags = match get(&["tags"]) {
            Some(_) if doubled => None,
            Some(tags) => tag_map(tags, broken),
            None if unreadable => None,
            None => tags_inside(&whole, broken),
        };
        if let Some(tags) = tags {
            whole["tags"] = tags;
        }
        read.whole = Some(whole);
        read
    }
}

fn is_account(said: &str) -> bool {
    said.chars().all(|c| c.is_ascii_digit())
}

fn is_region(said: &str) -> bool {
    said.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// A text without blanks, of a service.
fn is_type(said: &str) -> bool {
    said.contains("::") && !said.chars().any(char::is_whitespace)
}

/// Types whose resources are in Regions, as far as verdicts read them.
fn never_global(kind: &str) -> bool {
    let anywhere = [
        "AWS::WAFv2::WebACL",
        "AWS::WAF::WebACL",
        "AWS::CloudFront::Distribution",
        "AWS::Shield::Protection",
    ];
    KINDS.contains(&kind) && !anywhere.contains(&kind)
}

/// Whether something that is read of a body, or of what comes with it, cannot be: a null in a list,
/// an owner that is no account, a rule that makes no sense (row 39).
fn is_bad(
    kind: &str,
    body: &Value,
    more: &Value,
    relations: &Value,
    broken: Option<Mutation>,
) -> bool {
    let has_null = |list: &Value| super::list(list).iter().any(Value::is_null);
    let no_groups = |groups: &Value| {
        let id = |group: &Value| !group.as_str().unwrap_or(text(&group["groupId"])).is_empty();
        !super::list(groups).iter().all(id)
    };
    let owner = &body["ownerId"];
    let bad_owner = !owner.is_null() && *owner != "" && {
        let said = text(owner);
        said.len() != 12 || !is_account(said)
    };
    let bad = match kind {
        "AWS::EC2::SecurityGroup" => {
            let permissions = [&body["ipPermissions"], &body["ipPermissionsEgress"]];
            let mut all = permissions.into_iter().flat_map(super::list);
            bad_owner || all.any(|permission| !super::rules::makes_sense(permission))
        }
        "AWS::EC2::VPC" | "AWS::EC2::Subnet" => bad_owner,
        "AWS::EC2::RouteTable" => has_null(&body["associations"]) || has_null(&body["routes"]),
        "AWS::NetworkFirewall::Firewall" => has_null(&body["firewall"]["subnetMappings"]),
        "AWS::NetworkFirewall::FirewallPolicy" => {
            let lists = [
                "statelessRuleGroupReferences",
                "statefulRuleGroupReferences",
                "statelessDefaultActions",
                "statelessFragmentDefaultActions",
                "statefulDefaultActions",
            ];
            lists.iter().any(|list| has_null(&body["firewallPolicy"][*list]))
        }
        "AWS::EC2::NetworkAcl" => {
            let mut entries = super::list(&body["entries"]).iter();
            has_null(&body["associations"]) || !entries.all(super::nacl::makes_sense)
        }
        "AWS::WAF::WebACL" | "AWS::WAFRegional::WebACL" => {
            has_null(any_case(body, "rulesList")) || has_null(any_case(body, "associationList"))
        }
        "AWS::EC2::NetworkInterface" => bad_owner || no_groups(&body["groups"]),
        "AWS::EC2::Instance" => {
            let entries = super::list(&body["networkInterfaces"]);
            no_groups(&body["securityGroups"])
                || entries.iter().any(|entry| entry.is_null() || no_groups(&entry["groups"]))
        }
        "AWS::ElasticLoadBalancingV2::LoadBalancer" => {
            let attributes = unwrapped(&more["LoadBalancerAttributes"]);
            no_groups(&body["securityGroups"]) || has_null(&attributes)
        }
        "AWS::ElasticLoadBalancing::LoadBalancer" => no_groups(&body["securityGroups"]),
        "AWS::EC2::PrefixList" => has_null(any_case(body, "Entries")),
        "AWS::WAFv2::WebACL" => {
            ["PreProcessFirewallManagerRuleGroups", "PostProcessFirewallManagerRuleGroups"]
                .iter()
                .any(|side| has_null(any_case(body, side)))
        }
        _ => false,
    };
    bad || kind == "AWS::WAFv2::WebACL" && has_null(relations) || has_equals(kind, body, broken)
}

/// Whether two of what must have numbers of their own share one (row 69).
fn has_equals(kind: &str, body: &Value, broken: Option<Mutation>) -> bool {
    let of_one_priority = |member: &str| {
        let priority = |one: &Value| number(any_case(one, "priority"), None);
        let all = any_case(body, member);
        read::share_a_number(all, &|one| priority(one).map(|priority| priority.to_string()))
    };
    match kind {
        _ if broken == Some(Mutation::EqualPrioritiesPass) && kind != "AWS::EC2::NetworkAcl" => {
            false
        }
        "AWS::WAFv2::WebACL" => {
            of_one_priority("PreProcessFirewallManagerRuleGroups")
                || of_one_priority("PostProcessFirewallManagerRuleGroups")
                || of_one_priority("Rules") && broken != Some(Mutation::OwnRulesMayBeEqual)
        }
        "AWS::WAF::WebACL" | "AWS::WAFRegional::WebACL" => of_one_priority("rulesList"),
        "AWS::EC2::NetworkAcl" if broken != Some(Mutation::EqualRuleNumbersPass) => {
            read::share_a_number(&body["entries"], &|entry| {
                let way = entry["egress"].as_bool()?;
                number(&entry["ruleNumber"], None).map(|number| format!("{way} {number}"))
            })
        }
        _ => false,
    }
}

/// Whether a member stands twice in what is read of a body, or in the tags (row 69).
fn stands_twice(
    kind: &str,
    body: &Value,
    more: &Value,
    tags: &Value,
    broken: Option<Mutation>,
) -> bool {
    if broken == Some(Mutation::MembersTwicePass) {
        return false;
    }
    let twice = written::twice(body, false);
    let of_body = read::members(kind).iter().any(|member| {
        twice.contains(&member.to_ascii_lowercase()) || written::any_twice(any_case(body, member))
    });
    let of_more = kind == "AWS::ElasticLoadBalancingV2::LoadBalancer"
        && written::twice(more, false).contains("loadbalancerattributes");
    let letters_count = broken != Some(Mutation::LettersOfTagsDoNotCount);
    let of_tags = !written::twice(tags, letters_count).is_empty()
        || read::share_a_number(tags, &|pair| {
            pair["key"].as_str().or(pair["Key"].as_str()).map(str::to_owned)
        });
    of_body || of_more || of_tags
}

/// A value that may be JSON in a text (formats §2).
fn unwrapped(value: &Value) -> Value {
    match value {
        Value::String(text) => written::document(text).unwrap_or_else(|| json!(text)),
        other => other.clone(),
    }
}

/// What every member of one of these names says, however deep, if all say the same.
fn only(value: &Value, names: &[&str]) -> Option<String> {
    fn said(value: &Value, names: &[&str], all: &mut BTreeSet<String>) {
        for (name, inner) in value.as_object().into_iter().flatten() {
            if names.contains(&name.as_str()) {
                all.extend(inner.as_str().map(str::to_owned));
            }
            said(inner, names, all);
        }
        value.as_array().into_iter().flatten().for_each(|inner| said(inner, names, all));
    }
    let mut all = BTreeSet::new();
    said(value, names, &mut all);
    (all.len() == 1).then(|| all.pop_first()).flatten()
}

/// The body: JSON, JSON in a text, or nothing; `None` where it cannot be read.
fn parsed_body(body: &Value) -> Option<Value> {
    match body {
        Value::Object(_) => Some(body.clone()),
        Value::String(text) if text.trim().is_empty() => Some(Value::Null),
        Value::String(text) => match written::document(text)? {
            inner @ (Value::Object(_) | Value::Null) => Some(inner),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a body tells nothing of what is asked of its type.
fn tells_nothing(kind: &str, body: &Value) -> bool {
    if kind == "AWS::EC2::Instance" && body.is_object() {
        // Each has an interface, unless it is terminated (formats §9): none tells nothing of its groups.
        let none = super::list(any_case(body, "networkInterfaces")).is_empty();
        let terminated = body["state"]["name"] == "terminated";
        return any_case(body, "securityGroups").is_null() && none && !terminated;
    }
    if kind == RECORDER && body.is_object() {
        // One that delivers nothing need not tell what it records (row 36).
        let internal = any_case(body, "RecordingScope") == "INTERNAL";
        let group = any_case(body, "RecordingGroup");
        let but = any_case(any_case(group, "ExclusionByResourceTypes"), "ResourceTypes");
        let strategy = any_case(any_case(group, "RecordingStrategy"), "UseOnly");
        let lists = [but, any_case(group, "ResourceTypes")];
        let none = strategy.is_null()
            && any_case(group, "AllSupported").is_null()
            && lists.iter().all(|types| super::list(types).is_empty());
        let but_what = strategy == "EXCLUSION_BY_RESOURCE_TYPES" && but.is_null();
        return !internal && (none || but_what);
    }
    let members: &[&str] = match kind {
        "AWS::EC2::SecurityGroup" => &["ipPermissions", "ipPermissionsEgress"],
        "AWS::EC2::NetworkInterface" => &["groups"],
        "AWS::Shield::Protection" | "AWS::ShieldRegional::Protection" => &["ResourceArn"],
        _ => return false,
    };
    body.is_object() && members.iter().all(|member| any_case(body, member).is_null())
}

/// Tags as a map, from a map or from a list of pairs. A tag whose value is not told leaves all of
/// them untold (row 38).
fn tag_map(tags: &Value, broken: Option<Mutation>) -> Option<Value> {
    let lax = broken == Some(Mutation::TagsWithoutValueAreEmpty);
    match tags {
        Value::Object(map) => (lax || map.values().all(Value::is_string)).then(|| tags.clone()),
        Value::Array(pairs) => {
            let mut map = Map::new();
            for pair in pairs {
                let part = |lower: &str, upper: &str| {
                    pair[lower].as_str().or(pair[upper].as_str()).map(str::to_owned)
                };
                map.insert(
                    part("key", "Key")?,
                    json!(part("value", "Value").or(lax.then(String::new))?),
                );
            }
            Some(Value::Object(map))
        }
        _ => None,
    }
}

/// The same tags inside the body, for items that have no map of their own (formats §4).
fn tags_inside(item: &Value, broken: Option<Mutation>) -> Option<Value> {
    let (body, more) = (&item["configuration"], &item["supplementaryConfiguration"]);
    [&body["tags"], &body["Tags"], &body["tagSet"], &more["Tags"], &more["tags"]]
        .into_iter()
        .find_map(|tags| tag_map(tags, broken))
}

/// Numbers without `.0`, texts without their wrapping (formats §7).
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 => json!(float as i64),
            _ => value.clone(),
        },
        Value::Array(elements) => {
            let unwrap = |element: &Value| match element {
                Value::Object(map) if map.len() == 1 && map.contains_key("value") => {
                    plain(&map["value"])
                }
                other => plain(other),
            };
            elements.iter().map(unwrap).collect()
        }
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, value)| (key.clone(), plain(value))).collect())
        }
        _ => value.clone(),
    }
}

/// A type by its own letters (row 50).
pub fn kind(said: &str) -> String {
    let known = KINDS.iter().find(|kind| kind.eq_ignore_ascii_case(said));
    known.map_or(said, |kind| kind).to_owned()
}

/// The Region that an item belongs to (semantics §10 row 4).
pub fn home(region: &str, broken: Option<Mutation>, place: Option<&str>) -> String {
    match (region, place) {
        ("global", Some(place)) if broken == Some(Mutation::GlobalItemsStayWhereTheyCome) => {
            place.to_owned()
        }
        ("global", _) => "us-east-1".to_owned(),
        _ => region.to_owned(),
    }
}

/// A state of which no more is known than when, and of which resource it is.
pub fn without_body(item: &Value, captured_ms: i64) -> Value {
    json!({
        "awsAccountId": item["awsAccountId"], "awsRegion": item["awsRegion"],
        "resourceType": item["resourceType"], "resourceId": item["resourceId"],
        "configurationItemCaptureTime": captured_ms, "configuration": null,
        "configurationItemStatus": "OK", "mute": true, "unreadable": false,
        "configurationStateId": captured_ms, "no age": true,
    })
}

pub fn is_deleted(item: &Value) -> bool {
    text(&item["configurationItemStatus"]).starts_with("ResourceDeleted")
}

/// Whether the resource exists but shows no body. Nothing in that of an address is ever asked for.
pub fn is_unseen(item: &Value) -> bool {
    let asked = text(&item["resourceType"]) != "AWS::EC2::EIP";
    text(&item["configurationItemStatus"]) == "ResourceNotRecorded"
        || (item["mute"] == true && (asked || item["unreadable"] != true))
        || (asked && item["configuration"].is_null())
}

/// When the recorder took a state down, milliseconds since 1970.
pub fn captured_ms(item: &Value) -> i64 {
    item["configurationItemCaptureTime"].as_i64().unwrap_or(0)
}

/// Milliseconds since 1970 of a moment as either dialect writes it.
pub fn moment_ms(moment: &Value) -> Option<i64> {
    match moment {
        Value::Number(seconds) => {
            let seconds = seconds.as_f64()?;
            // Milliseconds where seconds would be beyond the year 5000.
            Some(if seconds > 1e11 { seconds } else { seconds * 1000.0 }.round() as i64)
        }
        Value::String(text) => {
            let (date, time) = text.split_once('T')?;
            let date: Vec<i64> = date.split('-').map(|n| n.parse().ok()).collect::<Option<_>>()?;
            let (time, offset) = match time.strip_suffix('Z') {
                Some(time) => (time, 0),
                None => {
                    let (time, offset) = time.rsplit_once('+')?;
                    let (hours, minutes) = offset.split_once(':')?;
                    (time, hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?)
                }
            };
            let (time, part) = time.split_once('.').unwrap_or((time, "0"));
            let part: i64 = format!("{part:0<3}").get(..3)?.parse().ok()?;
            let time: Vec<i64> = time.split(':').map(|n| n.parse().ok()).collect::<Option<_>>()?;
            let ([year, month, day], [hour, minute, second]) =
                (date[..].try_into().ok()?, time[..].try_into().ok()?);
            Some(
                since_1970([year, month, day], [hour, minute, second]) * 1000 + part
                    - offset * 60_000,
            )
        }
        _ => None,
    }
}

/// The moment in a file's name: `20260301T000000Z`.
pub fn compact_ms(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let date = [number(0, 4)?, number(4, 6)?, number(6, 8)?];
    let time = [number(9, 11)?, number(11, 13)?, number(13, 15)?];
    Some(since_1970(date, time) * 1000)
}

fn since_1970([year, month, day]: [i64; 3], [hour, minute, second]: [i64; 3]) -> i64 {
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut days: i64 = (1970..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
    let february = if leap(year) { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    days += months.iter().take(month as usize - 1).sum::<i64>() + day - 1;
    ((days * 24 + hour) * 60 + minute) * 60 + second
}
