//! `AWS::WAFRegional::WebACL` and `AWS::WAF::WebACL` (formats §9).

use crate::inventory::{Body, ClassicAcl, ClassicRule};

use super::shape::{IdText, Many, Text, TextIn, Whole, shape};
use super::source::{Source, apart, sorted};

shape! {
    AclBody {
        name: Text<'a> = "name",
        // The service API calls them `Rules`.
        rules: Many<RuleBody<'a>> = "rulesList" | "rules",
        associations: Many<AssociationBody<'a>> = "associationList",
    }
}

shape! {
    RuleBody {
        id: IdText<'a> = "ruleId",
        priority: Whole = "priority",
        kind: Text<'a> = "type",
        override_action: ActionBody<'a> = "overrideAction",
        excluded: Many<ExcludedBody<'a>> = "excludedRules",
    }
}

shape! {
    ActionBody {
        kind: Text<'a> = "type",
    }
}

shape! {
    ExcludedBody {
        id: IdText<'a> = "ruleId",
    }
}

shape! {
    AssociationBody {
        resource: IdText<'a> = "resourceArn",
    }
}

/// A resource that an association does not name may be any: the list is then not told.
pub(super) fn read(source: &Source<'_>) -> Result<Body, String> {
    let body: AclBody<'_> = source.body()?;
    let told = body.rules.iter().flat_map(|rules| &rules.0).filter_map(|rule| rule.priority);
    apart("rulesList", told.map(|Whole(priority)| priority))?;
    let rules = body.rules.map(|rules| {
        let mut rules: Vec<ClassicRule> = rules.0.into_iter().map(rule).collect();
        if rules.iter().all(|rule| rule.priority.is_some()) {
            rules.sort_by_key(|rule| rule.priority);
        }
        rules
    });
    let resources = body.associations.and_then(|associations| {
        let named = associations.0.into_iter().map(|one| one.resource.and_then(TextIn::filled));
        named.collect::<Option<Vec<_>>>().map(sorted)
    });
    let name = body.name.and_then(TextIn::filled).or_else(|| source.item.name.clone());
    Ok(Body::ClassicAcl(ClassicAcl { name, rules, resources }))
}

/// `None` for an action that is neither of the two.
fn counts(action: &str) -> Option<bool> {
    let is = |known: &str| action.eq_ignore_ascii_case(known);
    (is("COUNT") || is("NONE")).then(|| is("COUNT"))
}

/// The service API leaves out which rules are excluded where none is, but never a group's type and its
/// override action: where either is absent a projection left parts out.
fn rule(body: RuleBody<'_>) -> ClassicRule {
    let count = body.override_action.and_then(|action| action.kind).and_then(TextIn::filled);
    let is_whole = body.kind.is_some() && count.is_some();
    let excluded = match body.excluded {
        None => is_whole.then(Vec::new),
        Some(excluded) => {
            let named = excluded.0.into_iter().map(|one| one.id.and_then(TextIn::filled));
            named.collect::<Option<Vec<_>>>().map(sorted)
        }
    };
    ClassicRule {
        id: body.id.and_then(TextIn::filled),
        priority: body.priority.map(|Whole(priority)| priority),
        is_group: body.kind.map(|kind| kind.as_str().eq_ignore_ascii_case("GROUP")),
        count: count.and_then(|action| counts(&action)),
        excluded,
    }
}
