//! `/policies/new` and `/policies/{policy}/edit`: a draft is written, previewed, and only then put.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use palisade_api::App;
use palisade_api::own::in_process::{self, Operation};
use palisade_api::own::{Refused, readers};
use palisade_api::printable::escaped_json;
use palisade_api::visit::{Form, Sender};
use palisade_core::policy::PolicyType;
use palisade_store::PolicyRecord;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::acting::{Done, Size, act};
use crate::answer::{page, read};
use crate::commands;
use crate::coverage::Covers;
use crate::draft::{Draft, FIELDS, Field, Kind, Unread};
use crate::frame::{Frame, Link};
use crate::pages::audit::difference;
use crate::pages::changes::read_moment;
use crate::pages::policy::at_home;
use crate::reader::Reader;
use crate::shown::{Count, Moment, Words};
use crate::views::editor::{
    EditError, Editor, FieldShown, PolicyPreview, PreviewList, PreviewShown,
};

/// Rows of one list of a preview that are shown.
const LISTED_MAX: usize = 20;
/// The type of a new policy unless another is asked for.
const FIRST_TYPE: &str = "SECURITY_GROUPS_CONTENT_AUDIT";

/// Answers the form for a new policy.
pub async fn show_new(State(app): State<Arc<App>>, request: Request) -> Response {
    page(app, request, |reader| {
        let asked = reader.asked("type").unwrap_or(FIRST_TYPE);
        let known = PolicyType::ALL.iter().any(|known| known.as_str() == asked);
        let of_type = if known { asked } else { FIRST_TYPE };
        Ok(editor(reader, None, Draft::of_type(of_type).text())?.shown())
    })
    .await
}

/// Answers the form of the version in force.
pub async fn show_edit(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    page(app, request, move |reader| {
        let record = of(reader, &id)?;
        let text = Draft::of_record(&record).text();
        Ok(editor(reader, Some(record), text)?.shown())
    })
    .await
}

/// Does what a button of the form for a new policy says.
pub async fn change_new(State(app): State<Arc<App>>, request: Request) -> Response {
    act(app, request, Size::Policy, |reader, sender, form| {
        done(reader, sender, form, editor(reader, None, typed(form))?)
    })
    .await
}

/// Does what a button of the form of a policy says.
pub async fn change_edit(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    act(app, request, Size::Policy, move |reader, sender, form| {
        let record = of(reader, &id)?;
        done(reader, sender, form, editor(reader, Some(record), typed(form))?)
    })
    .await
}

fn of(reader: &Reader<'_>, id: &str) -> Result<Arc<PolicyRecord>, Refused> {
    // One that this edition cannot parse can be put anew all the same.
    let mut all = readers::policies(&reader.view, reader.caller());
    let record = all.find(|record| record.id.as_str() == id).cloned();
    let record =
        record.ok_or_else(|| Refused::not_found(format!("policy `{id}` does not exist")))?;
    at_home(reader, &record)?;
    Ok(record)
}

fn typed(form: &Form) -> String {
    form.member("text").replace("\r\n", "\n")
}

/// A draft at work.
struct Editing {
    record: Option<Arc<PolicyRecord>>,
    draft: Result<Draft, Unread>,
    /// An error of the endpoint.
    refused: Option<Refused>,
    preview: Option<PreviewShown>,
    /// The page before the draft is in it.
    page: Editor,
}

fn editor(
    reader: &Reader<'_>,
    record: Option<Arc<PolicyRecord>>,
    text: String,
) -> Result<Editing, Refused> {
    let mut crumbs = vec![Link::to("Policies", reader.place.to("/policies"))];
    let (title, action) = match &record {
        None => ("New policy".to_owned(), reader.place.to("/policies/new")),
        Some(record) => {
            let page = reader.place.to(&format!("/policies/{}", record.id));
            crumbs.push(Link::to(&record.document.policy_name, page));
            let action = reader.place.to(&format!("/policies/{}/edit", record.id));
            (format!("Edit {}", record.document.policy_name), action)
        }
    };
    let mut frame = Frame::covering(reader, "/policies", title, &Covers::Nothing)?
        .below(crumbs)
        .with_commands(vec![
            commands::palisade(reader, "preview policy.json"),
            commands::palisade(reader, "policies put policy.json"),
            commands::aws(reader, "put-policy --cli-input-json file://policy.json"),
        ]);
    frame.exports.clear();
    let types = PolicyType::ALL.map(|known| {
        let name = known.as_str();
        (name, reader.place.with("/policies/new", &[("type", name)]), false)
    });
    let draft = Draft::read(&text);
    let page = Editor {
        is_new: record.is_none(),
        text,
        errors: Vec::new(),
        excerpt: String::new(),
        types: if record.is_none() { types.into() } else { Vec::new() },
        policy_type: String::new(),
        sections: Vec::new(),
        is_overtaken: false,
        difference: Vec::new(),
        preview: None,
        previewed: String::new(),
        action,
        frame,
    };
    Ok(Editing { record, draft, refused: None, preview: None, page })
}

/// Does what the button says.
fn done(
    reader: &Reader<'_>,
    sender: &Sender,
    form: &Form,
    mut editing: Editing,
) -> Result<Done<Editor>, Refused> {
    let Some(mut draft) = editing.draft.as_ref().ok().cloned() else {
        return Ok(Done::Refused(editing.shown(), StatusCode::BAD_REQUEST));
    };
    let asked = form.member("act");
    if asked == "fill" || asked == "fill-and-preview" {
        for (nth, field) in FIELDS.iter().enumerate() {
            // A box that is not ticked sends nothing; of fields that the page did not have nothing is known.
            if form.members().contains_key(&format!("has-{nth}")) {
                field.put(&mut draft, form.member(&format!("f-{nth}")));
            }
        }
    }
    if asked == "rebase"
        && let Some(record) = &editing.record
    {
        draft = draft.with_token(&record.token);
    }
    if asked == "put" && form.member("previewed") == hash(&draft) {
        let input = json!({ "Policy": draft.request() });
        match in_process::call(
            reader.app,
            sender,
            &reader.place.region,
            Operation::PutPolicy,
            &input,
        ) {
            Ok(put) => {
                let id =
                    put.pointer("/Policy/PolicyId").and_then(Value::as_str).unwrap_or_default();
                return Ok(Done::To(reader.place.to(&format!("/policies/{id}"))));
            }
            Err(refused) => editing.refused = Some(refused),
        }
    } else if asked != "fill" {
        // A text that was not previewed as it is now is previewed, whatever the button was.
        let body = json!({ "policies": [{ "Policy": draft.request() }] });
        let told = in_process::preview(reader.app, sender, &reader.place.region, &body);
        match told.and_then(read::<Told>) {
            Ok(told) => editing.preview = Some(told.shown()),
            Err(refused) => editing.refused = Some(refused),
        }
    }
    if let Some(refused) = editing.refused.take_if(|refused| !refused.status.is_client_error()) {
        return Err(refused);
    }
    editing.page.text = draft.text();
    editing.draft = Ok(draft);
    match editing.refused.as_ref().map(|refused| refused.status) {
        Some(status) => Ok(Done::Refused(editing.shown(), status)),
        None => Ok(Done::Shown(editing.shown())),
    }
}

/// The text of a draft under one hash.
fn hash(draft: &Draft) -> String {
    let hash = Sha256::digest(draft.request().to_string());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Editing {
    fn shown(self) -> Editor {
        let Editing { record, draft, refused, preview, mut page } = self;
        // What is left of hidden characters is none of JSON's: it shows as what cannot be read.
        let is_layout = |c: char| !c.is_control() || ['\n', '\t'].contains(&c);
        let told = |c| if is_layout(c) { c } else { char::REPLACEMENT_CHARACTER };
        page.text = escaped_json(&page.text).chars().map(told).collect();
        let draft = match draft {
            Ok(draft) => draft,
            Err(unread) => {
                page.errors
                    .push(EditError { field: "text".to_owned(), words: Words(unread.message) });
                page.excerpt = unread.excerpt;
                return page;
            }
        };
        page.policy_type = draft.policy_type().to_owned();
        for (name, _, is_this) in &mut page.types {
            *is_this = *name == page.policy_type;
        }
        if let Some(refused) = &refused {
            let field = FIELDS.iter().position(|field| {
                (field.is_of_all() || field.is_of(&page.policy_type))
                    && is_about(&refused.message, field.member())
            });
            page.errors.push(EditError {
                field: field.map_or("text".to_owned(), |nth| format!("f-{nth}")),
                words: Words::from(&refused.message),
            });
        }
        let shown = |(nth, field): (usize, &Field)| {
            let shown = shown(nth, field, &draft);
            let is_wrong = page.errors.iter().any(|error| error.field == shown.id);
            FieldShown { is_wrong, ..shown }
        };
        let all = || FIELDS.iter().enumerate();
        let common = all().filter(|(_, field)| field.is_of_all()).map(shown).collect();
        let own: Vec<_> =
            all().filter(|(_, field)| field.is_of(&page.policy_type)).map(shown).collect();
        page.sections = vec![("Every policy".to_owned(), common)];
        if !own.is_empty() {
            page.sections.push((page.policy_type.clone(), own));
        }
        if let Some(record) = &record {
            page.is_overtaken = draft.token().is_some_and(|token| token != record.token);
            let (mut before, mut after) = (Draft::of_record(record), draft.clone());
            for one in [&mut before, &mut after] {
                one.set(&["PolicyUpdateToken"], None);
            }
            page.difference = difference(Some(&before.0), Some(&after.0));
        }
        page.previewed = if preview.is_some() { hash(&draft) } else { String::new() };
        page.preview = preview;
        page
    }
}

/// Whether a refusal names a member, as the model writes it or as a policy does.
fn is_about(message: &str, member: &str) -> bool {
    let mut camel = member.to_owned();
    if let Some(first) = camel.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    [member, camel.as_str()]
        .iter()
        .any(|name| message.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == *name))
}

fn shown(nth: usize, field: &Field, draft: &Draft) -> FieldShown {
    let (kind, choices): (_, &'static [&'static str]) = match field.kind {
        Kind::Text => ("text", &[]),
        Kind::Flag | Kind::OptionFlag(_) => ("flag", &[]),
        Kind::Number | Kind::OptionNumber(_) => ("number", &[]),
        Kind::Choice(choices) | Kind::OptionChoice(_, choices) => ("choice", choices),
        Kind::Lines | Kind::Named(_) | Kind::Types | Kind::Tags => ("lines", &[]),
    };
    let typed = field.typed(draft);
    let typed =
        typed.split('\n').map(palisade_api::printable::escaped).collect::<Vec<_>>().join("\n");
    FieldShown {
        id: format!("f-{nth}"),
        label: field.label,
        help: field.help,
        kind,
        typed,
        choices,
        is_wrong: false,
    }
}

/// What the endpoint answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    changes: bool,
    policies: Vec<ToldPolicy>,
    nothing_in_scope: Vec<String>,
    unread_count: u64,
    judged_at: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToldPolicy {
    name: String,
    becomes: String,
    accounts: Both<u64>,
    entered: List<ToldAccount>,
    left: List<ToldAccount>,
    resources_in_scope: Both<u64>,
    violators: Both<u64>,
    standings: Both<Stand>,
    gained: List<ToldViolator>,
    lost: List<ToldViolator>,
    altered: List<ToldViolator>,
}

#[derive(Deserialize)]
struct Both<T> {
    before: T,
    after: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stand {
    compliant: u64,
    non_compliant: u64,
    unknown: u64,
}

#[derive(Deserialize)]
struct List<T> {
    count: u64,
    first: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToldAccount {
    account: String,
    account_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToldViolator {
    #[serde(flatten)]
    whose: ToldAccount,
    resource_type: String,
    resource_id: String,
    summary: String,
}

impl Told {
    fn shown(self) -> PreviewShown {
        PreviewShown {
            judged: read_moment(&self.judged_at).unwrap_or(Moment(0)),
            changes: self.changes,
            nothing_in_scope: !self.nothing_in_scope.is_empty(),
            unread: Count(self.unread_count),
            policies: self.policies.into_iter().map(policy).collect(),
        }
    }
}

fn policy(told: ToldPolicy) -> PolicyPreview {
    let stand = &told.standings;
    let figures = [
        ("accounts in scope", told.accounts.before, told.accounts.after),
        ("resources in scope", told.resources_in_scope.before, told.resources_in_scope.after),
        ("violators", told.violators.before, told.violators.after),
        ("accounts with violators", stand.before.non_compliant, stand.after.non_compliant),
        ("accounts not known", stand.before.unknown, stand.after.unknown),
        ("accounts complying", stand.before.compliant, stand.after.compliant),
    ];
    let accounts = |list: List<ToldAccount>| List {
        count: list.count,
        first: list
            .first
            .into_iter()
            .map(|one| {
                (Words(one.account), Words(one.account_name.unwrap_or_default()), Words::from(""))
            })
            .collect(),
    };
    let violators = |list: List<ToldViolator>| List {
        count: list.count,
        first: list
            .first
            .into_iter()
            .map(|one| {
                let ToldAccount { account, account_name } = one.whose;
                let account = match account_name {
                    Some(name) => format!("{name} ({account})"),
                    None => account,
                };
                let whose = format!("{} in {account}", one.resource_type);
                (Words(one.resource_id), Words(whose), Words(one.summary))
            })
            .collect(),
    };
    let lists = [
        ("+", "violates", "new violators", violators(told.gained)),
        ("-", "complies", "violators that end", violators(told.lost)),
        ("~", "other", "violators in another way", violators(told.altered)),
        ("+", "other", "accounts that enter the scope", accounts(told.entered)),
        ("-", "other", "accounts that leave the scope", accounts(told.left)),
    ];
    let lists = lists.into_iter().filter(|(_, _, _, list)| list.count > 0);
    let is_new = told.becomes == "new";
    PolicyPreview {
        name: Words(told.name),
        becomes: match told.becomes.as_str() {
            "new" => "is new",
            "kept" => "stays as it is; its scope is another",
            "removed" => "goes",
            _ => "is put anew",
        },
        figures: figures
            .map(|(name, before, after)| (name, (!is_new).then_some(Count(before)), Count(after)))
            .into(),
        lists: lists
            .map(|(mark, class, name, mut list)| {
                list.first.truncate(LISTED_MAX);
                let more = Count(list.count.saturating_sub(list.first.len() as u64));
                PreviewList { mark, class, name, count: Count(list.count), first: list.first, more }
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_belongs_to_the_member_that_it_names() {
        for (message, member, is) in [
            ("Value '' at 'policy.policyName' failed to satisfy constraint", "PolicyName", true),
            (
                "ManagedServiceData: `securityGroupAction` must be an object",
                "securityGroupAction",
                true,
            ),
            ("`PolicyNames` is no member", "PolicyName", false),
        ] {
            assert_eq!(is_about(message, member), is, "{message}");
        }
    }
}
