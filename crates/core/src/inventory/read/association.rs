//! Resources that a web ACL protects: load balancers, API stages, distributions (formats §9).

use serde_json::value::RawValue;

use crate::inventory::{Body, ClassicLoadBalancer, LoadBalancer, WafAssociation, WafTarget};

use super::shape::{Group, IdText, Many, Text, TextIn, shape};
use super::source::{Embedded, Source, embedded, group_ids, parse};

/// The attribute that names the associated web ACL.
const WEB_ACL_ATTRIBUTE: &str = "waf.web_acl_id";

shape! {
    BalancerBody {
        kind: Text<'a> = "type",
        groups: Many<TextIn<'a, Group>> = "securityGroups",
        vpc: IdText<'a> = "vpcId",
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
        web_acl: IdText<'a> = "webAclArn",
    }
}

shape! {
    DistributionBody {
        config: DistributionConfig<'a> = "distributionConfig",
    }
}

shape! {
    DistributionConfig {
        web_acl: IdText<'a> = "webACLId",
    }
}

pub(super) fn read_load_balancer(source: &Source<'_>) -> Result<Body, String> {
    let body: BalancerBody<'_> = source.body()?;
    let supplement: BalancerSupplement<'_> =
        parse("supplementaryConfiguration", source.supplementary)?;
    let attributes = match supplement.attributes {
        Some(raw) => embedded("LoadBalancerAttributes", raw.get())?,
        None => None,
    };
    let attributes: Many<Attribute<'_>> =
        parse("LoadBalancerAttributes", attributes.as_ref().map_or("[]", Embedded::json))?;
    let mut all = attributes.0.into_iter().filter(|attribute| {
        attribute.key.as_ref().is_some_and(|key| key.as_str() == WEB_ACL_ATTRIBUTE)
    });
    let named = all.next();
    if all.next().is_some() {
        return Err(format!("`LoadBalancerAttributes`: `{WEB_ACL_ATTRIBUTE}` stands there twice"));
    }
    Ok(Body::LoadBalancer(LoadBalancer {
        kind: body.kind.and_then(|kind| kind_of(kind.as_str())),
        groups: body.groups.map(|groups| group_ids(Some(groups))),
        web_acl: said(named.and_then(|attribute| attribute.value)),
        vpc: body.vpc.and_then(TextIn::filled),
    }))
}

/// One of the kinds that there are. Another is not told: what is no application load balancer is out
/// of scope (semantics §10 row 18).
fn kind_of(text: &str) -> Option<Box<str>> {
    let kinds = ["application", "network", "gateway"];
    kinds.iter().any(|kind| text.eq_ignore_ascii_case(kind)).then(|| text.into())
}

pub(super) fn read_classic(source: &Source<'_>) -> Result<Body, String> {
    let body: BalancerBody<'_> = source.body()?;
    Ok(Body::ClassicLoadBalancer(ClassicLoadBalancer {
        groups: body.groups.map(|groups| group_ids(Some(groups))),
        vpc: body.vpc.and_then(TextIn::filled),
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
fn said<W>(attribute: Option<TextIn<'_, W>>) -> WafAssociation {
    match attribute.map(TextIn::filled) {
        None => WafAssociation::Unsaid,
        Some(None) => WafAssociation::Bare,
        Some(Some(acl)) => WafAssociation::Acl(acl),
    }
}
