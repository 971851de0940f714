//! Rare cases in which palisade-core and the semantics are known to part ways: each by a name, as narrow
//! as it can be told, until one of the two is mended. `PALISADE_SURVEY` shows them all the same.

use serde_json::Value;

use crate::naive::Outcome;

const SCOPE_OF_USE: &str = "WEB_ACL_CONFIGURATION_OR_SCOPE_OF_USE";

/// The name of the difference that a case shows, if it is a known one.
pub fn known(case: &Value, naive: &Outcome, core: &Outcome) -> Option<&'static str> {
    let data = case["policy"]["SecurityServicePolicyData"]["ManagedServiceData"].as_str();
    if !data.is_some_and(|data| data.contains("RETROFIT_EXISTING")) {
        return None;
    }
    let filtered = case["policy"]["ResourceTags"].as_array().is_some_and(|tags| !tags.is_empty());
    let mut more = core.violators.difference(&naive.violators);
    let is_superset = core.violators.is_superset(&naive.violators);
    // A web ACL is named as one on strangers, and whether those are in scope is not told: such a
    // resource counts neither way (semantics §11 row 38).
    if filtered
        && is_superset
        && naive.issues == core.issues
        && core.violators != naive.violators
        && more.all(|(.., reason)| reason == SCOPE_OF_USE)
    {
        return Some("strangers whose tags are not told");
    }
    // A web ACL is on strangers, of which one may have changed since: whether that shows beside it.
    let named = naive.violators.iter().any(|(.., reason)| reason == SCOPE_OF_USE);
    (named && naive.violators == core.violators && naive.status == core.status)
        .then_some("strangers that may have changed")
}
