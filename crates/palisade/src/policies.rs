//! `palisade policies …`: files become policies of a Region, by name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use palisade_core::policy::{self, Document, PolicyFile, Tag};
use serde_json::{Value, json};

use crate::args;
use crate::client::Client;
use crate::commands::{text, text_of};
use crate::failure::{Exit, Failure, Outcome, unreadable};
use crate::report::{self, Cell};
use crate::terminal::{print, print_by, print_json, print_line, warn};

/// `palisade policies …`
pub fn run(command: &args::Policies) -> Outcome {
    match command {
        args::Policies::List(args) => list(args),
        args::Policies::Get(args) => {
            let client = Client::new(&args.server)?;
            let id = policy_id(&client, &args.policy)?;
            let policy = client.call("GetPolicy", &json!({"PolicyId": id}))?;
            print_json(&policy)?;
            Ok(Exit::Done)
        }
        args::Policies::Put(args) => put(args),
        args::Policies::Delete(args) => {
            let client = Client::new(&args.server)?;
            let id = policy_id(&client, &args.policy)?;
            client.call("DeletePolicy", &json!({"PolicyId": id}))?;
            let named = if args.policy == id { String::new() } else { format!(" ({id})") };
            print_line(&format!("deleted {}{named} in {}", args.policy, client.region()))?;
            Ok(Exit::Done)
        }
    }
}

fn list(args: &args::PolicyList) -> Outcome {
    let client = Client::new(&args.server)?;
    let list = summaries(&client)?;
    let columns =
        ["PolicyName", "PolicyId", "SecurityServiceType", "ResourceType", "RemediationEnabled"];
    let cell = |policy: &Value, name: &str| match policy.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let text = match args.output {
        args::Output::Json => return print_json(&json!({"PolicyList": list})).map(|()| Exit::Done),
        args::Output::Csv => {
            let rows = list.iter().map(|policy| columns.map(|name| cell(policy, name)));
            let lines = [columns.map(str::to_owned)].into_iter().chain(rows);
            return print_by(|to| report::lines::write(lines, to)).map(|()| Exit::Done);
        }
        args::Output::Table if list.is_empty() => {
            let region = client.region();
            print_line(&format!("no policies in {region}; `palisade policies put FILE` puts one"))?;
            return Ok(Exit::Done);
        }
        args::Output::Table => {
            let mut table = report::table();
            table.set_header(["Name", "Id", "Type", "Resources", "Remediation"]);
            for policy in &list {
                let cells = columns.map(|name| (name, cell(policy, name)));
                table.add_row(cells.map(|(name, text)| match name {
                    "PolicyName" => Cell::name(text),
                    "RemediationEnabled" if text == "true" => Cell::new("on"),
                    "RemediationEnabled" => Cell::new("off"),
                    "ResourceType" if text == "ResourceTypeList" => Cell::new("several types"),
                    _ => Cell::new(text),
                }));
            }
            report::finished(&table)
        }
    };
    print(&text)?;
    Ok(Exit::Done)
}

/// What became of a policy that was put.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Done {
    /// There was none of its name.
    Created,
    /// The one of its name, or of its id, was replaced.
    Updated,
    /// The one of its name says the same already.
    Unchanged,
}

impl Done {
    fn text(self) -> &'static str {
        match self {
            Done::Created => "created",
            Done::Updated => "updated",
            Done::Unchanged => "unchanged",
        }
    }
}

/// A policy file, read.
struct Given {
    path: PathBuf,
    file: PolicyFile,
}

fn put(args: &args::PolicyPut) -> Outcome {
    let client = Client::new(&args.server)?;
    // All are read before any is put: a file that cannot be used leaves nothing half done.
    let mut given = Vec::new();
    for path in policy_files(&args.files)? {
        let file = read(&path).map_err(|failure| of_file(&path, failure))?;
        given.push(Given { path, file });
    }
    if !args.new {
        refuse_rivals(&given)?;
    }
    for Given { path, file } in given {
        let (id, done) =
            put_one(&client, file, args.new).map_err(|failure| of_file(&path, failure))?;
        let (done, region) = (done.text(), client.region());
        print_line(&format!("{done} {id} in {region} from {}", path.display()))?;
    }
    Ok(Exit::Done)
}

/// A failure with the file that it is about.
fn of_file(path: &Path, failure: Failure) -> Failure {
    let told = |why: String| format!("`{}`: {why}", path.display());
    match failure {
        Failure::Usage(why) => Failure::Usage(told(why)),
        Failure::Input(why) => Failure::Input(told(why)),
        Failure::Refused(why) => Failure::Refused(told(why)),
        failure @ (Failure::Unwelcome(_)
        | Failure::Unwell(_)
        | Failure::Unwritten(_)
        | Failure::Gone) => failure,
    }
}

/// Reads a policy file.
///
/// # Errors
/// It cannot be read, or is none.
pub fn read(path: &Path) -> Result<PolicyFile, Failure> {
    let text = std::fs::read(path).map_err(|error| unreadable(path, error))?;
    PolicyFile::parse(&text).map_err(|refusal| Failure::Usage(refusal.to_string()))
}

/// The files given, and those of the folders given, in order.
///
/// # Errors
/// A path cannot be read, or there is no file.
pub fn policy_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            let inside = crate::files::find(std::slice::from_ref(path))?;
            let is_json = |path: &PathBuf| path.extension().is_some_and(|end| end == "json");
            let before = found.len();
            found.extend(inside.into_iter().filter(is_json));
            if found.len() == before {
                return Err(Failure::Usage(format!(
                    "no policy file (`….json`) in the folder `{}`",
                    path.display()
                )));
            }
        } else {
            found.push(path.clone());
        }
    }
    Ok(found)
}

/// Of two policies of one name, put by name, the second would replace the first.
fn refuse_rivals(given: &[Given]) -> Result<(), Failure> {
    let mut by_name: BTreeMap<&str, &Path> = BTreeMap::new();
    for Given { path, file } in given.iter().filter(|given| given.file.policy.policy_id.is_none()) {
        let name = &file.policy.policy_name;
        if let Some(first) = by_name.insert(name, path) {
            return Err(Failure::Usage(format!(
                "`{}` and `{}` both hold a policy named `{name}`: the second would replace the first; \
                 rename one, or say --new to have both",
                first.display(),
                path.display()
            )));
        }
    }
    Ok(())
}

/// Puts one policy; answers its id and what was done. Unless it is to be `new`, one that carries no id
/// takes the place of the one of the same name in the client's Region.
///
/// # Errors
/// The server refuses it, or several there have its name.
pub fn put_one(client: &Client, file: PolicyFile, new: bool) -> Result<(String, Done), Failure> {
    for remark in policy::remarks(&file.policy) {
        warn(format_args!("policy `{}`: {remark}", file.policy.policy_name));
    }
    let is_named = file.policy.policy_id.is_some();
    let (policy, there) = replacing(client, file.policy, !new)?;
    if let Some((there, arn)) = &there
        && says_the_same(&policy, there)
        && has_tags(client, arn, &file.tags)?
    {
        return Ok((text_of(there, "PolicyId"), Done::Unchanged));
    }
    let done = if is_named || there.is_some() { Done::Updated } else { Done::Created };
    let answer = client.call("PutPolicy", &request(&policy, &file.tags))?;
    let id = answer.get("Policy").map(|policy| text_of(policy, "PolicyId")).unwrap_or_default();
    tell_emptiness(client, &id, &policy.policy_name);
    Ok((id, done))
}

/// The PutPolicy request of a policy file. With `by_name` it updates the policy of the same name, where there
/// is one.
///
/// # Errors
/// The text is no policy file, or several policies have its name.
pub fn put_request(client: &Client, text: &[u8], by_name: bool) -> Result<Value, Failure> {
    let file = PolicyFile::parse(text).map_err(|refusal| Failure::Usage(refusal.to_string()))?;
    let (policy, _) = replacing(client, file.policy, by_name)?;
    Ok(request(&policy, &file.tags))
}

/// A policy with id and token of the one of its name that is there, and that one with its ARN, if it is to take
/// its place.
fn replacing(
    client: &Client,
    mut policy: Document,
    by_name: bool,
) -> Result<(Document, Option<(Value, String)>), Failure> {
    let known = match policy.policy_id {
        None if by_name => by_exact_name(&summaries(client)?, &policy.policy_name)?,
        _ => None,
    };
    let Some(known) = known else { return Ok((policy, None)) };
    let answer = client.call("GetPolicy", &json!({"PolicyId": known}))?;
    let there = answer.get("Policy").cloned().unwrap_or_default();
    policy.policy_id = Some(text_of(&there, "PolicyId"));
    policy.policy_update_token = Some(text_of(&there, "PolicyUpdateToken"));
    Ok((policy, Some((there, text_of(&answer, "PolicyArn")))))
}

/// Whether a policy has these tags, among others it may have: putting it takes none away.
fn has_tags(client: &Client, arn: &str, wanted: &[Tag]) -> Result<bool, Failure> {
    if wanted.is_empty() {
        return Ok(true);
    }
    let answer = client.call("ListTagsForResource", &json!({ "ResourceArn": arn }))?;
    let there = answer.get("TagList").and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(wanted.iter().all(|tag| there.contains(&json!(tag))))
}

fn request(policy: &Document, tags: &[Tag]) -> Value {
    let mut request = json!({"Policy": policy});
    if let (Some(request), false) = (request.as_object_mut(), tags.is_empty()) {
        request.insert("TagList".to_owned(), json!(tags));
    }
    request
}

/// Whether the server would answer for this document what it answers already.
fn says_the_same(policy: &Document, there: &Value) -> bool {
    serde_json::from_value::<Document>(there.clone())
        .is_ok_and(|there| policy::echo(policy) == policy::echo(&there))
}

/// Warns of a policy that is about nobody.
fn tell_emptiness(client: &Client, id: &str, name: &str) {
    let asked = json!({"PolicyId": id, "MaxResults": 1});
    // The policy is put: that this is not answered is no failure.
    let accounts = client.call("ListComplianceStatus", &asked).ok();
    let listed = accounts.as_ref().and_then(|page| page.get("PolicyComplianceStatusList"));
    if listed.and_then(Value::as_array).is_some_and(Vec::is_empty) {
        warn(format_args!("policy `{name}`: no account is in its scope, so nothing is"));
    }
}

/// The summaries of every policy of the client's Region.
///
/// # Errors
/// As [`Client::every`].
pub fn summaries(client: &Client) -> Result<Vec<Value>, Failure> {
    client.every("ListPolicies", json!({}), "PolicyList")
}

/// The id of a policy named by id or name.
///
/// # Errors
/// There is none, or several have the name.
pub fn policy_id(client: &Client, named: &str) -> Result<String, Failure> {
    let list = summaries(client)?;
    if list.iter().any(|policy| text(policy, "PolicyId") == named) {
        return Ok(named.to_owned());
    }
    by_exact_name(&list, named)?.ok_or_else(|| {
        Failure::Usage(format!(
            "there is no policy `{named}` in {}; `palisade policies list` shows those there are, \
             --region asks another Region",
            client.region()
        ))
    })
}

fn by_exact_name(list: &[Value], name: &str) -> Result<Option<String>, Failure> {
    let mut found = list.iter().filter(|policy| text(policy, "PolicyName") == name);
    let first = found.next().map(|policy| text_of(policy, "PolicyId"));
    if found.next().is_some() {
        return Err(Failure::Usage(format!(
            "several policies are named `{name}`; give the id of one, as `palisade policies list` shows it"
        )));
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_several_policies_have_is_not_guessed() {
        let list = [
            json!({"PolicyId": "a", "PolicyName": "x"}),
            json!({"PolicyId": "b", "PolicyName": "x"}),
            json!({"PolicyId": "c", "PolicyName": "y"}),
        ];
        assert_eq!(by_exact_name(&list, "y").unwrap().as_deref(), Some("c"));
        assert_eq!(by_exact_name(&list, "z").unwrap(), None);
        assert!(by_exact_name(&list, "x").is_err());
    }

    fn document(data: &str) -> Value {
        json!({
            "PolicyName": "p", "ResourceType": "AWS::EC2::SecurityGroup", "ExcludeResourceTags": false,
            "RemediationEnabled": false,
            "SecurityServicePolicyData": {
                "Type": "SECURITY_GROUPS_CONTENT_AUDIT", "ManagedServiceData": data,
            },
        })
    }

    #[test]
    fn a_policy_that_says_the_same_in_other_words_is_unchanged() {
        let data = r#"{"type":"SECURITY_GROUPS_CONTENT_AUDIT","preManagedOptions":[{"denyProtocolAllValue":true}]}"#;
        let file: Document = serde_json::from_value(document(data)).unwrap();
        let there = serde_json::to_value(policy::echo(&file)).unwrap();
        assert!(says_the_same(&file, &there));
        for (other, is_same) in [
            (data.replace("true", "\"true\""), true),
            (data.replace(':', ": "), true),
            (data.replace("true", "false"), false),
        ] {
            let file: Document = serde_json::from_value(document(&other)).unwrap();
            assert_eq!(says_the_same(&file, &there), is_same, "{other}");
        }
        assert!(!says_the_same(&file, &json!({})), "an answer that cannot be read says nothing");
    }

    #[test]
    fn two_files_of_one_name_are_not_put_by_name() {
        let given = |path: &str, name: &str, id: Option<&str>| {
            let mut policy: Document = serde_json::from_value(document("{}")).unwrap();
            policy.policy_name = name.into();
            policy.policy_id = id.map(str::to_owned);
            Given { path: path.into(), file: PolicyFile { policy, tags: Vec::new() } }
        };
        let (a, b, c) = (given("a", "x", None), given("b", "y", None), given("c", "x", Some("1")));
        assert!(refuse_rivals(&[a, b, c]).is_ok());
        let refused = refuse_rivals(&[given("a", "x", None), given("b", "x", None)]).unwrap_err();
        assert!(refused.to_string().contains("`a` and `b` both hold"), "{refused}");
    }
}
