//! Resources that a web ACL protects: load balancers, API stages, distributions (formats §9).

use serde_json::value::RawValue;

use crate::inventory::{Body, ClassicLoadBalancer, LoadBalancer, WafAssociation, WafTarget};

use super::plain::{Plain, filled, set, skip_other};
use super::shape::{Group, Many, Text, TextIn, shape};
use super::{Embedded, Source, embedded, group_ids, parse, sorted};

/// The attribute that names the associated web ACL.
const WEB_ACL_ATTRIBUTE: &str = "waf.web_acl_id";

shape! {
    BalancerBody {
        kind: Text<'a> = "type",
        groups: Many<TextIn<'a, Group>> = "securityGroups",
    }
}

shape! {
    BalancerSupplement {
        attributes: &'a RawValue = "LoadBalancerAttributes",
    }
}

shape! {
    Attribute {
        key: Text<'a> = "key",
        value: Text<'a> = "value",
    }
}

shape! {
    StageBody {
        web_acl: Text<'a> = "webAclArn",
    }
}

shape! {
    DistributionBody {
        config: DistributionConfig<'a> = "distributionConfig",
    }
}

shape! {
    DistributionConfig {
        web_acl: Text<'a> = "webACLId",
    }
}

pub(super) fn read_load_balancer(source: &Source<'_>) -> Result<Body, String> {
    match plain_load_balancer(source) {
        Some(balancer) => Ok(Body::LoadBalancer(balancer)),
        None => read_any_load_balancer(source),
    }
}

/// The short way; what is unusual or wrong is left to the long way.
fn plain_load_balancer(source: &Source<'_>) -> Option<LoadBalancer> {
    source.is_json.then_some(())?;
    let (mut kind, mut groups) = (None, None);
    let mut plain = Plain::new(source.configuration);
    plain.object(|key, plain| match key {
        "type" => set(&mut kind, plain.text()?),
        "securityGroups" => {
            set(&mut groups, plain.list(|plain| plain.text().map(Box::<str>::from))?)
        }
        _ => skip_other(key, &["type", "securityGroups"], plain),
    })?;
    let mut attributes = None;
    let mut supplement = Plain::new(source.supplementary);
    supplement.object(|key, plain| match key {
        "LoadBalancerAttributes" => set(&mut attributes, plain.list(plain_attribute)?),
        _ => skip_other(key, &["LoadBalancerAttributes"], plain),
    })?;
    let mut attributes = attributes.into_iter().flatten();
    let named = attributes.find(|(key, _)| *key == Some(WEB_ACL_ATTRIBUTE));
    let web_acl = named.and_then(|(_, value)| value);
    (plain.is_done() && supplement.is_done()).then_some(LoadBalancer {
        kind: filled(kind).map(Box::from),
        groups: groups.map(sorted),
        web_acl: said(web_acl.map(|acl| Text::of(acl.into()))),
    })
}

/// Key and value.
fn plain_attribute<'a>(plain: &mut Plain<'a>) -> Option<(Option<&'a str>, Option<&'a str>)> {
    let (mut name, mut value) = (None, None);
    plain.object(|key, plain| match key {
        "key" => set(&mut name, plain.text()?),
        "value" => set(&mut value, plain.text()?),
        _ => skip_other(key, &["key", "value"], plain),
    })?;
    Some((name, value))
}

/// The long way.
fn read_any_load_balancer(source: &Source<'_>) -> Result<Body, String> {
    let body: BalancerBody<'_> = source.body()?;
    let supplement: BalancerSupplement<'_> =
        parse("supplementaryConfiguration", source.supplementary)?;
    let attributes = match supplement.attributes {
        Some(raw) => embedded("LoadBalancerAttributes", raw.get())?,
        None => None,
    };
    let attributes: Many<Attribute<'_>> =
        parse("LoadBalancerAttributes", attributes.as_ref().map_or("[]", Embedded::json))?;
    let named = attributes.0.into_iter().find(|attribute| {
        attribute.key.as_ref().is_some_and(|key| key.as_str() == WEB_ACL_ATTRIBUTE)
    });
    Ok(Body::LoadBalancer(LoadBalancer {
        kind: body.kind.and_then(Text::filled),
        groups: body.groups.map(|groups| group_ids(Some(groups))),
        web_acl: said(named.and_then(|attribute| attribute.value)),
    }))
}

pub(super) fn read_classic(source: &Source<'_>) -> Result<Body, String> {
    let body: BalancerBody<'_> = source.body()?;
    Ok(Body::ClassicLoadBalancer(ClassicLoadBalancer {
        groups: body.groups.map(|groups| group_ids(Some(groups))),
    }))
}

pub(super) fn read_stage(source: &Source<'_>) -> Result<Body, String> {
    let body: StageBody<'_> = source.body()?;
    Ok(Body::ApiStage(WafTarget { web_acl: said(body.web_acl) }))
}

pub(super) fn read_distribution(source: &Source<'_>) -> Result<Body, String> {
    let body: DistributionBody<'_> = source.body()?;
    let web_acl = body.config.and_then(|config| config.web_acl);
    Ok(Body::Distribution(WafTarget { web_acl: said(web_acl) }))
}

/// Absent or null says nothing; empty says that there is none (semantics §10 row 16).
fn said(attribute: Option<Text<'_>>) -> WafAssociation {
    match attribute.map(Text::filled) {
        None => WafAssociation::Unsaid,
        Some(None) => WafAssociation::Bare,
        Some(Some(acl)) => WafAssociation::Acl(acl),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"loadBalancerArn":"arn:x","state":{"code":"active","reason":null},"type":"application","availabilityZones":[{"zoneName":"a","loadBalancerAddresses":[]}],"securityGroups":["sg-2","sg-1"]}"#;
    const SUPPLEMENT: &str = r#"{"LoadBalancerAttributes":[{"key":"waf.enabled","value":"true"},{"key":"waf.web_acl_id","value":"arn:acl"}],"Tags":[]}"#;

    /// What a way makes of a balancer.
    fn by<T>(way: fn(&Source<'_>) -> T, configuration: &str, supplementary: &str) -> T {
        let text = r#"{"configurationItemCaptureTime":"2026-02-03T04:05:06.789Z","awsAccountId":"1","resourceType":"AWS::X::Y","resourceId":"lb-1","awsRegion":"eu-west-1","configurationItemStatus":"ResourceDeleted"}"#;
        let item = &super::super::read_item(text.as_bytes()).unwrap().item;
        way(&Source {
            item,
            configuration,
            supplementary,
            relationships: Some("[]"),
            is_json: true,
        })
    }

    #[test]
    fn the_usual_goes_the_short_way_and_the_unusual_the_long_one() {
        let balancer = by(plain_load_balancer, BODY, SUPPLEMENT).unwrap();
        assert_eq!(balancer.web_acl, WafAssociation::Acl("arn:acl".into()));
        assert_eq!(balancer.groups, Some(vec!["sg-1".into(), "sg-2".into()]));
        for (usual, unusual) in [
            ("\"type\"", "\"Type\""),
            ("\"application\"", "null"),
            ("\"sg-1\"", "{\"groupId\":\"sg-1\"}"),
            ("\"sg-1\"", "null"),
            ("\"LoadBalancerAttributes\"", "\"loadBalancerAttributes\""),
            ("[{\"key\"", "[null,{\"key\""),
            ("\"true\"", "true"),
            ("\"arn:acl\"", "\"\\u0061\""),
            ("\"value\"", "\"VALUE\""),
            ("\"Tags\":[]", "\"LoadBalancerAttributes\":[]"),
        ] {
            let (body, more) = (BODY.replace(usual, unusual), SUPPLEMENT.replace(usual, unusual));
            assert!(body != BODY || more != SUPPLEMENT, "{usual}");
            assert_eq!(by(plain_load_balancer, &body, &more), None, "{body} {more}");
            assert!(by(read_any_load_balancer, &body, &more).is_ok(), "{body} {more}");
        }
    }

    proptest::proptest! {
        /// Parts of the usual are taken out, doubled and exchanged: of what is JSON, the short way
        /// reads the same as the long way or nothing.
        #[test]
        fn both_ways_read_the_same(cuts in proptest::collection::vec((0_usize..200, 0_usize..200, 0_u8..3), 0..6)) {
            let both = [BODY, SUPPLEMENT].join("\n");
            let mut parts: Vec<&str> = both.split_inclusive(['{', '}', '[', ']', ',', ':', '"', '\n']).collect();
            for (from, to, how) in cuts {
                let (from, to) = (from % parts.len(), to % parts.len());
                match how {
                    0 => {
                        parts.remove(from);
                    }
                    1 => parts.insert(to, parts[from]),
                    _ => parts.swap(from, to),
                }
                if parts.is_empty() {
                    break;
                }
            }
            let text = parts.concat();
            let (body, more) = text.split_once('\n').unwrap_or((&text, SUPPLEMENT));
            let is_json = |text: &str| serde_json::from_str::<serde_json::Value>(text).is_ok();
            if is_json(body) && is_json(more)
                && let Some(balancer) = by(plain_load_balancer, body, more)
            {
                let long = by(read_any_load_balancer, body, more);
                proptest::prop_assert_eq!(long, Ok(Body::LoadBalancer(balancer)), "{}", text);
            }
        }
    }
}
