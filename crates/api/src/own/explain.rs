//! `GET /palisade/v1/explain`: how a resource stands to a policy, and why.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use palisade_core::evaluate::{self, Finding, ItemSeen, Lacking, Missing};
use palisade_core::ident::{AccountId, Region, ResourceType};
use palisade_core::inventory::Version;
use palisade_wire::shapes::{DependentServiceName, ViolationReason};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::accounts::Policy;
use super::answer::{Refused, RefusedShape, SMALL_BODY_SIZE_MAX, answer, finish, moment, query};
use super::explanation::{self, Which};
use super::known::{account_name, unit_path};
use super::readers::{self, AsOf};
use super::violators::WaivedBy;
use crate::app::App;
use crate::caller::Caller;
use crate::wire_names::{reason, service_name};

pub(super) const NAME: &str = "palisade:explain";

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// The policy's id.
    #[param(value_type = String, required = true)]
    policy: Option<String>,
    /// The member account's id.
    #[param(value_type = String, required = true)]
    account: Option<String>,
    /// The resource's Region; by default the policy's.
    region: Option<String>,
    /// The resource's type; where it is left out, the resource of that id or name.
    #[serde(rename = "type")]
    resource_type: Option<String>,
    /// The resource's id or, where none has that id, its name.
    #[param(value_type = String, required = true)]
    id: Option<String>,
}

/// How a resource stands to a policy.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum VerdictWord {
    /// It breaks the policy.
    Violates,
    /// It is as the policy wants it.
    Complies,
    /// The policy is not about it.
    OutOfScope,
    /// Nothing can be claimed.
    Unknown,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Explanation)]
struct Shown {
    policy: Policy,
    account: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    account_name: Option<String>,
    /// The organizational units above the account, from the root down.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    unit_path: Option<String>,
    region: String,
    resource_type: String,
    resource_id: String,
    verdict: VerdictWord,
    /// The verdict as a person says it.
    sentence: String,
    /// Since when it violates, where the ledger knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    since: Option<String>,
    /// The waiver that covers it: it is a violator all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = WaivedBy, required = false)]
    waiver: Option<WaivedBy>,
    /// Which filter leaves it out: `account`, `include-map`, `exclude-map`, `administrator-scope`, `region`,
    /// `resource-type`, `tags`, `owner`, `older-policy` or `special-rule`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    filter: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    violations: Vec<Violation>,
    /// What it was held against, member by member.
    held_against: Vec<Held>,
    /// Members beyond those told.
    #[serde(skip_serializing_if = "is_zero")]
    more_held: u64,
    /// The versions of the items that it was judged by, its own first.
    items: Vec<ItemShown>,
    /// What stood in the way of knowing, or of knowing more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<MissingShown>,
    /// What would end the verdict, the likeliest first.
    ends_by: Vec<String>,
    /// The newest moment that deliveries tell of the account and Region.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    as_of: Option<String>,
    /// How long ago that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i64, required = false)]
    age_seconds: Option<i64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedViolation)]
struct Violation {
    #[schema(value_type = String)]
    reason: ViolationReason,
    summary: String,
    #[schema(value_type = Object)]
    finding: Finding,
}

/// One member of what the resource was held against.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HeldAgainst)]
struct Held {
    what: String,
    wanted: String,
    found: String,
    /// Whether that is as wanted; null: it was not told.
    fits: Option<bool>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ExplainedItem)]
struct ItemShown {
    account: String,
    region: String,
    resource_type: String,
    resource_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    name: Option<String>,
    #[serde(flatten)]
    version: VersionShown,
    /// Whether that version tells its configuration.
    told: bool,
    /// A later version that tells nothing of the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = VersionShown, required = false)]
    later: Option<VersionShown>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ItemVersion)]
struct VersionShown {
    /// `configurationStateId`
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    state_id: Option<String>,
    /// `configurationItemCaptureTime`
    #[schema(format = DateTime)]
    captured_at: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MissingFact)]
struct MissingShown {
    #[schema(value_type = String)]
    service: DependentServiceName,
    text: String,
    /// What kind of fact: `inventory`, `recording`, `listing`, `newer-inventory`, `configuration`,
    /// `later-configuration`, `tags` or `other`.
    fact: &'static str,
    /// What would supply it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    ends_by: Option<String>,
}

/// `GET /palisade/v1/explain?policy=&account=&region=&type=&id=`
#[utoipa::path(
    get,
    path = "/palisade/v1/explain",
    summary = "How a resource stands to a policy and why: what it is held against, by which version of which items, what would end it; for the operator and the policy's owner",
    params(Asked),
    responses(
        (status = 200, description = "The explanation, judged now by what is held", body = Shown),
        (status = 404, description = "No such policy, account or resource", body = RefusedShape),
    )
)]
pub(super) async fn show(State(app): State<Arc<App>>, request: Request) -> Response {
    let asked: Asked = match query(request.uri()) {
        Ok(asked) => asked,
        Err(refused) => return finish::<()>(&app, NAME, Err(refused)),
    };
    answer(&app, NAME, request, SMALL_BODY_SIZE_MAX, move |app, request| {
        explained(app, request.caller(), &asked)
    })
    .await
}

fn explained(app: &App, caller: &Caller, asked: &Asked) -> Result<Shown, Refused> {
    let view = app.view()?;
    let record = readers::policy(&view, caller, told("policy", asked.policy.as_deref())?)?;
    let account = told("account", asked.account.as_deref())?;
    let account = AccountId::try_from(account)
        .ok()
        .filter(|id| view.organization().is_some_and(|known| known.accounts.contains_key(id)))
        .ok_or_else(|| {
            Refused::not_found(format!("account `{account}` is not in the organization"))
        })?;
    let region = match &asked.region {
        None => record.region.clone(),
        Some(region) => Region::named(region)
            .map_err(|error| Refused::invalid(format!("`region` is `{region}`: {error}")))?,
    };
    let resource_type = asked.resource_type.as_deref().map(type_of).transpose()?;
    let which = Which {
        account: &account,
        region: &region,
        resource_type: resource_type.as_ref(),
        named: told("id", asked.id.as_deref())?,
    };
    let explained = explanation::explain(app, &view, caller, &record, which)?;
    let (explanation, newest_ms) = (explained.explanation, explained.newest_ms);
    let key = &explanation.key;
    let (verdict, filter, violations) = match &explanation.verdict {
        evaluate::Explained::Violates { violations, .. } => {
            (VerdictWord::Violates, None, violations.as_slice())
        }
        evaluate::Explained::Complies => (VerdictWord::Complies, None, [].as_slice()),
        evaluate::Explained::OutOfScope(filter) => {
            (VerdictWord::OutOfScope, Some(filter.word()), [].as_slice())
        }
        evaluate::Explained::Unknown(_) => (VerdictWord::Unknown, None, [].as_slice()),
    };
    let since = match verdict {
        VerdictWord::Violates => {
            let resource = (key.resource_type.clone(), key.id.clone());
            let row = readers::violator(app, &view, &record, &account, &resource)?;
            row.map(|row| moment(row.began_ms()))
        }
        VerdictWord::Complies | VerdictWord::OutOfScope | VerdictWord::Unknown => None,
    };
    let as_of = AsOf { view: view.clone(), at_ms: None };
    let waiving = as_of.waiving(app, &record);
    let waiver = match verdict {
        VerdictWord::Violates => waiving.of_resource(&account, &key.resource_type, &key.id),
        VerdictWord::Complies | VerdictWord::OutOfScope | VerdictWord::Unknown => None,
    };
    let now_ms = app.clock.now_ms();
    let newest_ms = newest_ms.map(|newest_ms| newest_ms.min(now_ms));
    Ok(Shown {
        policy: Policy::of(&record),
        account_name: account_name(&view, &account),
        unit_path: unit_path(&view, &account),
        account: account.to_string(),
        region: region.to_string(),
        resource_type: key.resource_type.to_string(),
        resource_id: key.id.to_string(),
        verdict,
        sentence: explanation.sentence(),
        since,
        waiver: waiver.map(WaivedBy::of),
        filter,
        violations: violations.iter().map(violation).collect(),
        held_against: explanation.held_against.iter().map(held).collect(),
        more_held: explanation.more_held,
        items: explanation.items.iter().map(item).collect(),
        missing: explanation.missing().iter().map(missing).collect(),
        ends_by: explanation.ends_by(),
        as_of: newest_ms.map(moment),
        age_seconds: newest_ms.map(|newest_ms| now_ms.saturating_sub(newest_ms) / 1_000),
    })
}

/// A type by its form: AWS Config has types that no policy is about.
fn type_of(text: &str) -> Result<ResourceType, Refused> {
    let is_formed = text.split("::").filter(|part| !part.is_empty()).count() == 3;
    ResourceType::try_from(text).ok().filter(|_| is_formed).ok_or_else(|| {
        Refused::invalid(format!(
            "`type` is `{text}`; give AWS Config's name of one, such as `AWS::EC2::SecurityGroup`"
        ))
    })
}

fn told<'a>(member: &str, value: Option<&'a str>) -> Result<&'a str, Refused> {
    value.ok_or_else(|| {
        Refused::invalid(format!("`{member}` is missing; give `policy`, `account` and `id`"))
    })
}

fn violation(one: &evaluate::Violation) -> Violation {
    Violation {
        reason: reason(one.reason),
        summary: one.finding.summary(),
        finding: one.finding.clone(),
    }
}

fn held(one: &evaluate::Held) -> Held {
    Held {
        what: one.what.to_string(),
        wanted: one.wanted.to_string(),
        found: one.found.to_string(),
        fits: one.fits,
    }
}

fn item(seen: &ItemSeen) -> ItemShown {
    ItemShown {
        account: seen.key.account.to_string(),
        region: seen.key.region.to_string(),
        resource_type: seen.key.resource_type.to_string(),
        resource_id: seen.key.id.to_string(),
        name: seen.name.as_deref().map(str::to_owned),
        version: version(&seen.version),
        told: seen.is_told,
        later: seen.unseen_since.as_ref().map(version),
    }
}

fn version(version: &Version) -> VersionShown {
    VersionShown {
        state_id: version.state.map(|state| state.to_string()),
        captured_at: moment(version.captured_ms),
    }
}

fn missing(one: &Missing) -> MissingShown {
    MissingShown {
        service: service_name(one.gap.service),
        text: one.gap.text.to_string(),
        fact: match &one.fact {
            Lacking::Inventory => "inventory",
            Lacking::Recording(_) => "recording",
            Lacking::Listing { .. } => "listing",
            Lacking::Newer => "newer-inventory",
            Lacking::Configuration(..) => "configuration",
            Lacking::LaterConfiguration(..) => "later-configuration",
            Lacking::Tags(..) => "tags",
            Lacking::Other => "other",
        },
        ends_by: one.ends_by.clone(),
    }
}
