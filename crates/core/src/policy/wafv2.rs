//! `WAFV2`: which web ACL protects a resource (semantics §5.1).

use crate::ident::ResourceType;
use crate::inventory::{ACTION_COUNT, RuleActions, RuleGroupId, canonical, configs};

use super::Refusal;
use super::facts::{Count, DependentService, Facts};
use super::shape::Shape::{Any, Flag, IfSent, List, ListOrNull, Object, Text, Whole};
use super::shape::{Node, Shape, TYPE, TYPED};

/// What is true of the type.
pub(super) static FACTS: Facts = Facts {
    has_details: true,
    makes_web_acls: true,
    ..Facts::new(
        "WAFV2",
        &[
            ResourceType::API_GATEWAY_STAGE,
            ResourceType::CLOUDFRONT_DISTRIBUTION,
            ResourceType::LOAD_BALANCER,
        ],
        DependentService::Waf,
        &DATA,
    )
};

static DATA: Shape = Object(&[
    TYPE,
    ("preProcessRuleGroups", List(&RULE_GROUP)),
    ("postProcessRuleGroups", List(&RULE_GROUP)),
    ("defaultAction", TYPED),
    ("customRequestHandling", Any),
    ("customResponse", Any),
    ("overrideCustomerWebACLAssociation", Flag),
    ("loggingConfiguration", LOGGING),
    ("sampledRequestsEnabledForDefaultActions", Flag),
    ("captchaConfig", IMMUNITY),
    ("challengeConfig", IMMUNITY),
    ("tokenDomains", ListOrNull(&Text)),
    // Keys of requestBody are kinds of resource; the set grows.
    ("associationConfig", Object(&[("requestBody", Any)])),
    ("optimizeUnassociatedWebACL", Flag),
    ("webACLSource", Text),
]);

const RULE_GROUP: Shape = Object(&[
    ("ruleGroupArn", Text),
    ("overrideAction", TYPED),
    (
        "managedRuleGroupIdentifier",
        Object(&[
            ("versionEnabled", Flag),
            ("version", Text),
            ("vendorName", Text),
            ("managedRuleGroupName", Text),
            ("managedRuleGroupConfigs", GROUP_CONFIGS),
        ]),
    ),
    // Met beside the identifier as well as inside it (semantics §5.1).
    ("managedRuleGroupConfigs", GROUP_CONFIGS),
    ("ruleGroupType", Text),
    ("excludeRules", List(&Object(&[("name", Text)]))),
    ("sampledRequestsEnabled", Flag),
    // In no published example; a web ACL's own rules have one.
    ("scopeDownStatement", IfSent(&Any)),
    ("ruleActionOverrides", ListOrNull(&Object(&[("name", Text), ("actionToUse", Any)]))),
]);

/// One object a rule set, under a key met in several casings; its members are WAF's own.
const GROUP_CONFIGS: Shape = ListOrNull(&Any);

const LOGGING: Shape = Object(&[
    ("logDestinationConfigs", List(&Text)),
    ("redactedFields", List(&Object(&[("redactedFieldType", Text), ("redactedFieldValue", Text)]))),
    (
        "loggingFilterConfigs",
        Object(&[
            ("defaultBehavior", Text),
            (
                "filters",
                List(&Object(&[
                    ("behavior", Text),
                    ("requirement", Text),
                    (
                        "conditions",
                        List(&Object(&[("actionCondition", Text), ("labelNameCondition", Text)])),
                    ),
                ])),
            ),
        ]),
    ),
]);

const IMMUNITY: Shape = Object(&[("immunityTimeProperty", Object(&[("immunityTime", Whole)]))]);

/// What a WAFV2 policy demands.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Wafv2 {
    /// `preProcessRuleGroups`, in order.
    pub first: Vec<RuleGroup>,
    /// `postProcessRuleGroups`, in order.
    pub last: Vec<RuleGroup>,
    /// `webACLSource` is `RETROFIT_EXISTING`.
    pub retrofit: bool,
    /// `overrideCustomerWebACLAssociation`
    pub override_customer_web_acl: bool,
}

/// A rule group that the policy's web ACL must carry, in the form in which it is compared.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RuleGroup {
    /// `ruleGroupArn`, or the vendor and name of `managedRuleGroupIdentifier`.
    pub id: RuleGroupId,
    /// The version, when `versionEnabled` with a `version`; without, any will do.
    pub version: Option<Box<str>>,
    /// `overrideAction` is COUNT.
    pub count: bool,
    /// `excludeRules`, which are set to count, and `ruleActionOverrides`: rule and canonical action,
    /// sorted, without repeats.
    pub rule_actions: RuleActions,
    /// `managedRuleGroupConfigs` of both places, see [`crate::inventory::configs`].
    pub configs: Vec<Box<str>>,
    /// `scopeDownStatement`, canonical; empty when there is none.
    pub scope_down: Box<str>,
}

/// Most `redactedFields` of a logging configuration.
pub const REDACTED_FIELDS_MAX: usize = 20;

/// Names that log destinations must have.
const LOG_DESTINATION_PREFIX: &str = "aws-waf-logs-";

/// Rule set that is nothing without its configuration.
const ANTI_DDOS: &str = "AWSManagedRulesAntiDDoSRuleSet";

/// Reads the data of a WAFV2 policy, which was checked against its shape.
pub(super) fn parse(data: &Node<'_>, counts: &mut Vec<Count>) -> Result<Wafv2, Refusal> {
    let first = rule_groups(&data.get("preProcessRuleGroups"))?;
    let last = rule_groups(&data.get("postProcessRuleGroups"))?;
    super::waf::check_default_action(data)?;
    check_logging(&data.get("loggingConfiguration"))?;
    for config in ["captchaConfig", "challengeConfig"] {
        data.get(config)
            .get("immunityTimeProperty")
            .get("immunityTime")
            .whole_within(1, i64::from(u32::MAX))?;
    }
    let source = data.get("webACLSource").one_of(&["DEFAULT", "RETROFIT_EXISTING"])?;
    let partner = |group: &&RuleGroup| matches!(&group.id, RuleGroupId::Managed { vendor, .. } if &**vendor != "AWS");
    counts.push(Count {
        what: "`preProcessRuleGroups` and `postProcessRuleGroups`",
        count: first.len().saturating_add(last.len()),
        max: |quotas| quotas.rule_groups_max,
    });
    counts.push(Count {
        what: "rule groups of other vendors than AWS",
        count: first.iter().chain(&last).filter(partner).count(),
        max: |quotas| quotas.partner_rule_groups_max,
    });
    Ok(Wafv2 {
        first,
        last,
        retrofit: source == Some("RETROFIT_EXISTING"),
        override_customer_web_acl: data.get("overrideCustomerWebACLAssociation").flag(),
    })
}

fn rule_groups(groups: &Node<'_>) -> Result<Vec<RuleGroup>, Refusal> {
    groups.items().iter().map(rule_group).collect()
}

fn rule_group(group: &Node<'_>) -> Result<RuleGroup, Refusal> {
    let count =
        group.get("overrideAction").get("type").one_of(&["NONE", "COUNT"])? == Some("COUNT");
    let arn = group.get("ruleGroupArn");
    let identifier = group.get("managedRuleGroupIdentifier");
    let managed = match group.get("ruleGroupType").one_of(&["RuleGroup", "ManagedRuleGroup"])? {
        Some(text) => text == "ManagedRuleGroup",
        None => identifier.is_set(),
    };
    if managed {
        if arn.is_set() {
            return Err(arn.refuse("is given for a managed rule group; set it to null"));
        }
        return managed_rule_group(group, &identifier, count);
    }
    if identifier.is_set() {
        return Err(identifier.refuse(
            "is given for a `RuleGroup`; set it to null, or ruleGroupType to `ManagedRuleGroup`",
        ));
    }
    let overrides = group.get("ruleActionOverrides");
    if overrides.is_filled() {
        return Err(overrides.refuse("is for managed rule groups alone; leave it out"));
    }
    let Some(arn) = arn.text().filter(|text| !text.is_empty()) else {
        return Err(arn.refuse(
            "is missing; give the ARN of the rule group, or a managedRuleGroupIdentifier",
        ));
    };
    Ok(RuleGroup {
        id: RuleGroupId::Own { arn: arn.into() },
        version: None,
        count,
        rule_actions: rule_actions(group)?,
        configs: Vec::new(),
        scope_down: Box::default(),
    })
}

fn managed_rule_group(
    group: &Node<'_>,
    identifier: &Node<'_>,
    count: bool,
) -> Result<RuleGroup, Refusal> {
    identifier.required("give vendorName and managedRuleGroupName")?;
    let text = |key: &str| {
        let node = identifier.get(key);
        match node.text().filter(|text| !text.is_empty()) {
            Some(text) => Ok(Box::<str>::from(text)),
            None => Err(node.refuse("is missing; name the managed rule group's vendor and name")),
        }
    };
    let (vendor, name) = (text("vendorName")?, text("managedRuleGroupName")?);
    // Met beside the identifier as well as inside it (semantics §5.1).
    let places = [identifier.get("managedRuleGroupConfigs"), group.get("managedRuleGroupConfigs")];
    if &*name == ANTI_DDOS && !places.iter().any(Node::is_filled) {
        // Word for word (semantics §8.2).
        return Err(Refusal::input(format!(
            "{ANTI_DDOS} can't have null or empty ManagedRuleGroupConfigs."
        )));
    }
    let scope_down = group.get("scopeDownStatement");
    Ok(RuleGroup {
        id: RuleGroupId::Managed { vendor, name },
        version: version(identifier)?,
        count,
        rule_actions: rule_actions(group)?,
        configs: configs(places.iter().flat_map(Node::list)),
        scope_down: scope_down.value().map(canonical).unwrap_or_default().into(),
    })
}

/// A version counts only with `versionEnabled`; else the default version is used.
fn version(identifier: &Node<'_>) -> Result<Option<Box<str>>, Refusal> {
    let version = identifier.get("version");
    if !identifier.get("versionEnabled").flag() {
        return Ok(None);
    }
    match version.text().filter(|text| !text.is_empty()) {
        Some(text) => Ok(Some(text.into())),
        None => {
            Err(version.refuse("is missing and `versionEnabled` is true; give the version to use"))
        }
    }
}

/// A rule that is excluded is set to count, as one that is overridden so (semantics §11 row 33).
fn rule_actions(group: &Node<'_>) -> Result<RuleActions, Refusal> {
    let mut actions = Vec::new();
    for rule in group.get("excludeRules").items() {
        // One without a name excludes nothing.
        let name = rule.get("name").text().filter(|name| !name.is_empty());
        actions.extend(name.map(|name| (name.into(), ACTION_COUNT.into())));
    }
    for item in group.get("ruleActionOverrides").items() {
        actions.push(action_override(&item)?);
    }
    actions.sort_unstable();
    actions.dedup();
    Ok(actions)
}

fn action_override(item: &Node<'_>) -> Result<(Box<str>, Box<str>), Refusal> {
    let name = item.get("name");
    let Some(rule) = name.text().filter(|name| !name.is_empty()) else {
        return Err(name.refuse("is missing; name the rule to override"));
    };
    let action = item.get("actionToUse");
    let known = ["allow", "block", "count", "captcha", "challenge"];
    let mut members = action.map().into_iter().flatten();
    match (members.next(), members.next()) {
        (Some((key, detail)), None) if known.contains(&key.as_str()) => {
            let detail = if detail.is_null() { "{}".to_owned() } else { canonical(detail) };
            Ok((rule.into(), format!("{{\"{key}\":{detail}}}").into()))
        }
        _ => Err(action.refuse(format!(
            "must be an object with one key, such as {{\"count\":{{}}}}: {}",
            known.join(", ")
        ))),
    }
}

fn check_logging(logging: &Node<'_>) -> Result<(), Refusal> {
    if !logging.is_set() {
        return Ok(());
    }
    let destinations = logging.get("logDestinationConfigs");
    let [destination] = destinations.items().try_into().map_err(|found: Vec<_>| {
        destinations.refuse(format!("has {} destinations; give exactly one", found.len()))
    })?;
    check_destination(&destination)?;
    let redacted = logging.get("redactedFields");
    let fields = redacted.items();
    if fields.len() > REDACTED_FIELDS_MAX {
        return Err(redacted
            .refuse(format!("has {} fields; give at most {REDACTED_FIELDS_MAX}", fields.len())));
    }
    for field in &fields {
        check_redacted(field)?;
    }
    check_filters(&logging.get("loggingFilterConfigs"))
}

/// A Firehose stream or an S3 bucket whose name begins as WAF demands.
fn check_destination(destination: &Node<'_>) -> Result<(), Refusal> {
    let name = match destination.text().map(|arn| arn.split(':').collect::<Vec<_>>()).as_deref() {
        Some(["arn", _, "firehose", _, _, stream]) => stream.strip_prefix("deliverystream/"),
        Some(["arn", _, "s3", _, _, bucket]) => Some(*bucket),
        Some(_) | None => None,
    };
    if name.is_some_and(|name| name.starts_with(LOG_DESTINATION_PREFIX)) {
        return Ok(());
    }
    Err(destination.refuse(format!(
        "must be the ARN of a Firehose stream or an S3 bucket whose name begins with \
         `{LOG_DESTINATION_PREFIX}`"
    )))
}

/// Both the documented names and those of AWS's older examples.
fn check_redacted(field: &Node<'_>) -> Result<(), Refusal> {
    let kind = field.get("redactedFieldType");
    let known = [
        "URI",
        "QUERY_STRING",
        "HEADER",
        "METHOD",
        "UriPath",
        "QueryString",
        "SingleHeader",
        "Method",
    ];
    kind.required("give URI, QUERY_STRING, HEADER or METHOD")?;
    let header = matches!(kind.one_of(&known)?, Some("HEADER" | "SingleHeader"));
    let value = field.get("redactedFieldValue");
    if header && value.text().is_none_or(str::is_empty) {
        return Err(value.refuse("is missing; name the header to redact"));
    }
    Ok(())
}

fn check_filters(config: &Node<'_>) -> Result<(), Refusal> {
    if !config.is_set() {
        return Ok(());
    }
    let behavior = config.get("defaultBehavior");
    behavior.required("give KEEP or DROP")?.one_of(&["KEEP", "DROP"])?;
    for filter in config.get("filters").items() {
        filter.get("behavior").required("give KEEP or DROP")?.one_of(&["KEEP", "DROP"])?;
        filter
            .get("requirement")
            .required("give MEETS_ALL or MEETS_ANY")?
            .one_of(&["MEETS_ALL", "MEETS_ANY"])?;
        for condition in filter.get("conditions").items() {
            let action = condition.get("actionCondition").is_set();
            if action == condition.get("labelNameCondition").is_set() {
                return Err(
                    condition.refuse("must have either `actionCondition` or `labelNameCondition`")
                );
            }
        }
    }
    Ok(())
}
