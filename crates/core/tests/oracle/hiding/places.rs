//! What can be hidden of a case, and how.

use serde_json::{Value, json};

use super::plants::Plant;
use super::told;
use crate::random::Random;

/// The kinds of hidings; each is tried.
pub const KINDS: [&str; 5] =
    ["a member of an item", "a member of a body", "an item", "a file", "a recorder's item"];

/// Values that are tried in place of a hidden one, at the most.
const VALUES_MAX: usize = 6;

/// Something hidden.
pub struct Hiding {
    pub kind: &'static str,
    /// Where it was, for people, and for doing it again to a smaller case.
    pub place: Place,
    /// The case without it.
    pub case: Value,
    /// Values that it might have had, and the cases in which it has them.
    pub values: Vec<(Value, Value)>,
}

/// Where something is hidden: of which file, of which resource's state, which member.
#[derive(Clone, Debug)]
pub struct Place {
    file: String,
    item: Option<Value>,
    member: Option<Vec<String>>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "file `{}`", self.file)?;
        if let Some(item) = &self.item {
            write!(f, ", {} {}", item["resourceType"], item["resourceId"])?;
        }
        self.member.iter().try_for_each(|path| write!(f, ", {}", path.join(".")))
    }
}

impl Place {
    /// The resource whose state, or a part of it, is hidden.
    pub fn resource(&self) -> Option<&Value> {
        self.item.as_ref()
    }

    pub fn file(&self) -> &str {
        &self.file
    }

    pub fn is_member(&self) -> bool {
        self.member.is_some()
    }

    /// Whether it is a member without which an item is of nobody knows which resource or when.
    pub fn tells_which(&self) -> bool {
        let names = [
            "awsAccountId",
            "accountId",
            "awsRegion",
            "resourceType",
            "resourceId",
            "configurationItemCaptureTime",
        ];
        let path = self.member.as_deref().unwrap_or_default();
        matches!(path, [name] if names.contains(&name.as_str()))
    }
}

impl Hiding {
    /// The same hiding of a smaller case, with the same values; `None` where it is not there.
    pub fn again(&self, case: &Value) -> Option<Hiding> {
        let Hiding { kind, place, .. } = self;
        let hidden = hide(case, place)?;
        let member = place.member.as_ref();
        let values = self
            .values
            .iter()
            .filter_map(|(value, _)| Some((value.clone(), set(case, place, member?, value)?)));
        Some(Hiding { kind, place: place.clone(), case: hidden, values: values.collect() })
    }
}

/// Hides something of a case; the member of a plant where one is aimed at.
pub fn pick(
    case: &Value,
    other: &Value,
    aim: Option<&Plant>,
    random: &mut Random,
) -> Option<Hiding> {
    let kind = match random.below(20) {
        _ if aim.is_some_and(|plant| plant.path.len() > 1) => KINDS[1],
        _ if aim.is_some() => KINDS[0],
        0..4 => KINDS[0],
        4..14 => KINDS[1],
        14..16 => KINDS[2],
        16..18 => KINDS[3],
        _ => KINDS[4],
    };
    let files = case["files"].as_array()?;
    let at = random.below(files.len().max(1));
    let file = files.get(at)?;
    let name = file["name"].as_str()?.to_owned();
    if kind == "a file" {
        let place = Place { file: name, item: None, member: None };
        let case = hide(case, &place)?;
        return Some(Hiding { kind, place, case, values: vec![] });
    }
    let items = told::items(file);
    let eligible: Vec<&Value> = items
        .iter()
        .filter(|item| match kind {
            "an item" => !told::is_whole(file) && !told::says_gone(item),
            "a recorder's item" => told::is_recorder(item),
            _ => !told::says_gone(item) && aim.is_none_or(|plant| plant.concerns(item)),
        })
        .collect();
    let item = *eligible.get(random.below(eligible.len().max(1)))?;
    let identity = told::identity(item);
    let mut place = Place { file: name, item: Some(identity), member: None };
    if matches!(kind, "an item" | "a recorder's item") {
        let case = hide(case, &place)?;
        return Some(Hiding { kind, place, case, values: vec![] });
    }
    let mut paths = members(item, kind == "a member of a body");
    paths.retain(|path| aim.is_none_or(|plant| path == plant.path));
    let path = paths.get(random.below(paths.len().max(1)))?.clone();
    if says_none_by_absence(case, item, &path) {
        return None;
    }
    place.member = Some(path.clone());
    let hidden = hide(case, &place)?;
    let values = candidates(case, other, item, &path, random)
        .into_iter()
        .filter_map(|value| Some((value.clone(), set(case, &place, &path, &value)?)))
        .collect();
    Some(Hiding { kind, place, case: hidden, values })
}

/// Paths of all members: those of the item itself, or those of its bodies.
fn members(item: &Value, of_bodies: bool) -> Vec<Vec<String>> {
    let mut paths = vec![];
    let bodies = ["configuration", "supplementaryConfiguration", "relationships"];
    for (key, value) in item.as_object().into_iter().flatten() {
        if !of_bodies {
            paths.push(vec![key.clone()]);
        } else if bodies.contains(&key.as_str()) {
            below(&told::opened(value), &mut vec![key.clone()], &mut paths);
        }
    }
    paths
}

fn below(value: &Value, path: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
    let mut step = |key: &str, inner: &Value, is_member: bool, path: &mut Vec<String>| {
        path.push(key.to_owned());
        if is_member {
            paths.push(path.clone());
        }
        below(inner, path, paths);
        path.pop();
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| step(key, inner, true, path)),
        Value::Array(list) => {
            // An element of a list is no member: a list claims to be all of it.
            list.iter()
                .enumerate()
                .for_each(|(at, inner)| step(&at.to_string(), inner, false, path));
        }
        _ => {}
    }
}

/// Members whose absence is itself what AWS tells, or which something else in the case tells as well:
/// hiding one hides nothing.
fn says_none_by_absence(case: &Value, item: &Value, path: &[String]) -> bool {
    let is = |name: &str| path.last().is_some_and(|last| last.eq_ignore_ascii_case(name));
    let has = |part: &str| path.iter().any(|step| step.eq_ignore_ascii_case(part));
    let id = item["resourceId"].as_str().unwrap_or_default();
    match told::kind(item).as_str() {
        "aws::wafv2::webacl" => {
            // The ARN tells the name.
            let name = item["configuration"]["Name"].as_str().unwrap_or_default();
            if path == ["configuration", "Name"] && id.contains(&format!("/webacl/{name}/")) {
                return true;
            }
            // A web ACL that Firewall Manager neither made nor touched has none of its groups.
            let untouched = ["ManagedByFirewallManager", "RetrofittedByFirewallManager"]
                .iter()
                .all(|flag| told::opened(&item["configuration"])[*flag] == false);
            if untouched && path.len() == 2 && path[1].ends_with("ProcessFirewallManagerRuleGroups")
            {
                return true;
            }
            // WAFv2's API leaves out what a rule group's statement does not have.
            let of_group = has("PreProcessFirewallManagerRuleGroups")
                || has("PostProcessFirewallManagerRuleGroups");
            let optional = [
                "Version",
                "ExcludedRules",
                "ScopeDownStatement",
                "ManagedRuleGroupConfigs",
                "RuleActionOverrides",
            ];
            of_group && optional.iter().any(|name| is(name))
        }
        // An item of the type's schema has no `Recording`: it was delivered, so the recorder
        // records. Recorders older than service-linked ones have no scope.
        "aws::config::configurationrecorder" => is("Recording") || is("RecordingScope"),
        // Shield's API leaves out a response that was never configured.
        "aws::shield::protection" | "aws::shieldregional::protection" => {
            is("ApplicationLayerAutomaticResponseConfig")
                || is("ApplicationLayerAutomaticResponseConfiguration")
        }
        // Each of these repeats the other.
        "aws::ec2::securitygroup" if is("ipRanges") || is("ipv4Ranges") => {
            let parents = path.get(..path.len() - 1).unwrap_or_default();
            let both = |permission: &Value| {
                permission["ipv4Ranges"].is_array() && permission["ipRanges"].is_array()
            };
            at(item, parents).is_some_and(both)
        }
        // Each interface has an item of its own, which tells its groups too.
        "aws::ec2::instance" if is("groups") => true,
        // That it has none is contradicted by interfaces' own items, which decide.
        "aws::ec2::instance" if is("networkInterfaces") => {
            told::opened(&item["configuration"])["networkInterfaces"] == Value::Array(vec![])
        }
        // So does the instance of an interface.
        "aws::ec2::networkinterface"
            if path == ["configuration", "groups"] || path == ["configuration"] =>
        {
            told_by_an_instance(case, id)
        }
        // The ARN tells the kind of load balancer.
        "aws::elasticloadbalancingv2::loadbalancer"
            if is("type") || (path == ["configuration"] && !id.contains("/app/")) =>
        {
            true
        }
        // A resource is its account's unless another is said to own it.
        _ if is("ownerId") => true,
        // The number of a state is its moment (formats §3).
        _ if path == ["configurationItemCaptureTime"] => item["configurationStateId"].is_u64(),
        // A web ACL's relationships tell whom it protects (semantics §10 row 16).
        _ if is("webACLId")
            || is("webAclArn")
            || is("distributionConfig")
            || has("LoadBalancerAttributes")
            || is("supplementaryConfiguration")
            || path == ["configuration"] =>
        {
            told_by_a_web_acl(case, item, id)
        }
        // The body lists the tags once more (formats §4).
        _ if path == ["tags"] => {
            let body = &item["configuration"];
            ["tags", "Tags", "tagSet"].iter().any(|name| body[*name].is_array())
        }
        _ => false,
    }
}

fn told_by_an_instance(case: &Value, interface: &str) -> bool {
    let files = case["files"].as_array().into_iter().flatten();
    let mut items = files.flat_map(told::items);
    items.any(|item| {
        let interfaces =
            item["configuration"]["networkInterfaces"].as_array().into_iter().flatten();
        interfaces
            .into_iter()
            .any(|one| one["networkInterfaceId"] == *interface && one["groups"].is_array())
    })
}

/// Web ACLs whose relationships are told say of each resource that it is on them, or that it is not.
fn told_by_a_web_acl(case: &Value, item: &Value, id: &str) -> bool {
    let files = case["files"].as_array().into_iter().flatten();
    let acls = files.flat_map(told::items).filter(|item| told::kind(item).contains("webacl"));
    let own = item.to_string();
    // Those that a policy takes over are held against what it calls strangers.
    let retrofits = case["policy"].to_string().contains("RETROFIT_EXISTING");
    acls.filter_map(|acl| {
        // A Classic one lists them in its body (semantics §5.2).
        let body = told::opened(&acl["configuration"]);
        let lists = body["associationList"].to_string().contains(id);
        let related = acl["relationships"].as_array()?.clone();
        Some((related, lists, acl["resourceId"].as_str().unwrap_or_default().to_owned()))
    })
    .any(|(related, lists, acl)| {
        related.iter().any(|one| one["resourceId"] == *id)
            || lists
            || retrofits
            || (!acl.is_empty() && own.contains(&acl))
    })
}

/// Values that a member might have had: what it has, what others of its kind have, what would be
/// the other truth.
fn candidates(
    case: &Value,
    other: &Value,
    item: &Value,
    path: &[String],
    random: &mut Random,
) -> Vec<Value> {
    let own = at(item, path).cloned();
    let mut values: Vec<Value> = own.clone().into_iter().collect();
    // Which state is the newer is told by these; another value would be another history.
    if matches!(
        path.first().map(String::as_str),
        Some(
            "configurationStateId"
                | "configurationItemCaptureTime"
                | "resourceId"
                | "resourceType"
                | "awsAccountId"
                | "awsRegion"
                | "configurationItemStatus"
        )
    ) {
        return values;
    }
    match &own {
        Some(Value::Bool(is)) => values.push(json!(!is)),
        Some(Value::Array(list)) if !list.is_empty() => values.push(json!([])),
        Some(Value::Object(map)) if !map.is_empty() => values.push(json!({})),
        _ => {}
    }
    if path == ["tags"] {
        let wanted = case["policy"]["ResourceTags"].as_array().cloned().unwrap_or_default();
        let map = wanted.iter().filter_map(|tag| {
            Some((tag["Key"].as_str()?.to_owned(), tag.get("Value").cloned().unwrap_or(json!(""))))
        });
        values.push(Value::Object(map.collect()));
    }
    let kind = told::kind(item);
    let mut others: Vec<Value> = [case, other]
        .iter()
        .flat_map(|case| case["files"].as_array().into_iter().flatten())
        .flat_map(told::items)
        .filter(|other| told::kind(other) == kind)
        .filter_map(|other| at(&other, path).cloned())
        .collect();
    while values.len() < VALUES_MAX && !others.is_empty() {
        let value = others.swap_remove(random.below(others.len()));
        if !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

/// The value at a path; bodies that are texts are opened.
fn at<'v>(item: &'v Value, path: &[String]) -> Option<&'v Value> {
    let mut value = item;
    for step in path {
        value = match value {
            Value::Object(map) => map.get(step)?,
            Value::Array(list) => list.get(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value)
}

/// The case without what is at a place.
fn hide(case: &Value, place: &Place) -> Option<Value> {
    change(case, place, &|item| match &place.member {
        None => None,
        Some(path) => {
            let mut item = item.clone();
            let (last, parents) = path.split_last()?;
            let parent = told::at_mut(&mut item, parents)?;
            parent.as_object_mut()?.remove(last);
            Some(item)
        }
    })
}

/// The case with another value of a member.
fn set(case: &Value, place: &Place, path: &[String], value: &Value) -> Option<Value> {
    change(case, place, &|item| {
        let mut item = item.clone();
        *told::at_mut(&mut item, path)? = value.clone();
        Some(item)
    })
}

/// The case with what is at a place replaced; `None` takes it out. `None` of all where the place is
/// not there or nothing changes.
fn change(
    case: &Value,
    place: &Place,
    replaced: &dyn Fn(&Value) -> Option<Value>,
) -> Option<Value> {
    let mut changed = case.clone();
    let files = changed["files"].as_array_mut()?;
    match &place.item {
        None => files.retain(|file| file["name"] != *place.file),
        Some(identity) => {
            // The same file may have been delivered twice.
            for file in files.iter_mut().filter(|file| file["name"] == *place.file) {
                told::replace(file, identity, replaced);
            }
        }
    }
    (changed != *case).then_some(changed)
}
