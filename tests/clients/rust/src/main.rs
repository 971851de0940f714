//! One call a line in, one answer a line out: the AWS SDK for Rust as a client of Palisade.
//!
//! Argument: the endpoint, which is plain HTTP. The protocol is the one that the crate speaks.

mod answer;
mod ask;

use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead as _, Write as _};

use aws_sdk_fms::config::retry::RetryConfig;
use aws_sdk_fms::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_fms::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_fms::{Client, Config};
use serde_json::{Value, json};

/// What became of a call: the result, or the error as the line protocol has it.
type Answer = Result<Value, Value>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let endpoint = std::env::args().nth(1).ok_or("give the endpoint")?;
    let mut clients: HashMap<[String; 3], Client> = HashMap::new();
    for line in std::io::stdin().lock().lines() {
        let call: Value = serde_json::from_str(&line?)?;
        let [region, access, secret] = ["region", "access", "secret"]
            .map(|name| call[name].as_str().unwrap_or_default().to_owned());
        let client = clients
            .entry([region.clone(), access.clone(), secret.clone()])
            .or_insert_with(|| client(&endpoint, region, access, secret));
        let operation = call["operation"].as_str().unwrap_or_default();
        let answer = match play(client, operation, &call["parameters"]).await {
            Ok(result) => json!({ "result": without_absent(result) }),
            Err(error) => json!({ "error": error }),
        };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn client(endpoint: &str, region: String, access: String, secret: String) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(endpoint)
        .region(Region::new(region))
        .credentials_provider(Credentials::new(access, secret, None, None, "story"))
        .retry_config(RetryConfig::disabled())
        .build();
    Client::from_conf(config)
}

/// One call through the typed builders.
async fn play(client: &Client, operation: &str, asked: &Value) -> Answer {
    /// Sends a call whose members are set one by one, and answers its output.
    macro_rules! send {
        ($method:ident $(, $set:ident: $value:expr)*) => {
            client.$method()$(.$set($value))*.send().await.map_err(failure)?
        };
    }
    let text = |name: &str| ask::text(asked, name);
    let number = |name: &str| ask::number(asked, name);
    Ok(match operation {
        "AssociateAdminAccount" => {
            send!(associate_admin_account, set_admin_account: text("AdminAccount"));
            json!({})
        }
        "DisassociateAdminAccount" => {
            send!(disassociate_admin_account);
            json!({})
        }
        "GetAdminAccount" => {
            let out = send!(get_admin_account);
            json!({ "AdminAccount": out.admin_account,
                    "RoleStatus": out.role_status.map(|status| status.to_string()) })
        }
        "ListMemberAccounts" => {
            let out = send!(list_member_accounts, set_next_token: text("NextToken"),
                            set_max_results: number("MaxResults"));
            json!({ "MemberAccounts": out.member_accounts, "NextToken": out.next_token })
        }
        "PutPolicy" => {
            let policy = ask::optional(asked, "Policy", ask::policy).map_err(misuse)?;
            let tags = ask::optional(asked, "TagList", ask::tags).map_err(misuse)?;
            let out = send!(put_policy, set_policy: policy, set_tag_list: tags);
            json!({ "Policy": out.policy.map(answer::policy), "PolicyArn": out.policy_arn })
        }
        "GetPolicy" => {
            let out = send!(get_policy, set_policy_id: text("PolicyId"));
            json!({ "Policy": out.policy.map(answer::policy), "PolicyArn": out.policy_arn })
        }
        "ListPolicies" => {
            let out = send!(list_policies, set_next_token: text("NextToken"),
                            set_max_results: number("MaxResults"));
            json!({ "PolicyList": answer::each(out.policy_list, answer::policy_summary),
                    "NextToken": out.next_token })
        }
        "DeletePolicy" => {
            send!(delete_policy, set_policy_id: text("PolicyId"),
                  set_delete_all_policy_resources: ask::flag(asked, "DeleteAllPolicyResources"));
            json!({})
        }
        "ListComplianceStatus" => {
            let out = send!(list_compliance_status, set_policy_id: text("PolicyId"),
                            set_next_token: text("NextToken"),
                            set_max_results: number("MaxResults"));
            let list = answer::each(out.policy_compliance_status_list, answer::compliance);
            json!({ "PolicyComplianceStatusList": list, "NextToken": out.next_token })
        }
        "GetComplianceDetail" => {
            let out = send!(get_compliance_detail, set_policy_id: text("PolicyId"),
                            set_member_account: text("MemberAccount"));
            let detail = out.policy_compliance_detail.map(answer::compliance_detail);
            json!({ "PolicyComplianceDetail": detail })
        }
        "PutAppsList" => {
            let list = ask::optional(asked, "AppsList", ask::apps_list).map_err(misuse)?;
            let tags = ask::optional(asked, "TagList", ask::tags).map_err(misuse)?;
            let out = send!(put_apps_list, set_apps_list: list, set_tag_list: tags);
            json!({ "AppsList": out.apps_list.map(answer::apps_list),
                    "AppsListArn": out.apps_list_arn })
        }
        "GetAppsList" => {
            let out = send!(get_apps_list, set_list_id: text("ListId"),
                            set_default_list: ask::flag(asked, "DefaultList"));
            json!({ "AppsList": out.apps_list.map(answer::apps_list),
                    "AppsListArn": out.apps_list_arn })
        }
        "ListAppsLists" => {
            let out = send!(list_apps_lists, set_next_token: text("NextToken"),
                            set_max_results: number("MaxResults"),
                            set_default_lists: ask::flag(asked, "DefaultLists"));
            json!({ "AppsLists": answer::each(out.apps_lists, answer::apps_list_summary),
                    "NextToken": out.next_token })
        }
        "DeleteAppsList" => {
            send!(delete_apps_list, set_list_id: text("ListId"));
            json!({})
        }
        "PutProtocolsList" => {
            let list =
                ask::optional(asked, "ProtocolsList", ask::protocols_list).map_err(misuse)?;
            let tags = ask::optional(asked, "TagList", ask::tags).map_err(misuse)?;
            let out = send!(put_protocols_list, set_protocols_list: list, set_tag_list: tags);
            json!({ "ProtocolsList": out.protocols_list.map(answer::protocols_list),
                    "ProtocolsListArn": out.protocols_list_arn })
        }
        "GetProtocolsList" => {
            let out = send!(get_protocols_list, set_list_id: text("ListId"),
                            set_default_list: ask::flag(asked, "DefaultList"));
            json!({ "ProtocolsList": out.protocols_list.map(answer::protocols_list),
                    "ProtocolsListArn": out.protocols_list_arn })
        }
        "ListProtocolsLists" => {
            let out = send!(list_protocols_lists, set_next_token: text("NextToken"),
                            set_max_results: number("MaxResults"),
                            set_default_lists: ask::flag(asked, "DefaultLists"));
            let lists = answer::each(out.protocols_lists, answer::protocols_list_summary);
            json!({ "ProtocolsLists": lists, "NextToken": out.next_token })
        }
        "DeleteProtocolsList" => {
            send!(delete_protocols_list, set_list_id: text("ListId"));
            json!({})
        }
        "ListTagsForResource" => {
            let out = send!(list_tags_for_resource, set_resource_arn: text("ResourceArn"));
            json!({ "TagList": answer::each(out.tag_list, answer::tag) })
        }
        "TagResource" => {
            let tags = ask::optional(asked, "TagList", ask::tags).map_err(misuse)?;
            send!(tag_resource, set_resource_arn: text("ResourceArn"), set_tag_list: tags);
            json!({})
        }
        "UntagResource" => {
            let keys = ask::optional(asked, "TagKeys", ask::texts).map_err(misuse)?;
            send!(untag_resource, set_resource_arn: text("ResourceArn"), set_tag_keys: keys);
            json!({})
        }
        other => return Err(misuse(format!("this client has no `{other}`"))),
    })
}

/// What the service refused, by name; anything else in full.
fn failure<E, R>(error: SdkError<E, R>) -> Value
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
{
    match error.code() {
        Some(code) => json!({ "name": code, "message": error.message() }),
        None => misuse(DisplayErrorContext(error).to_string()),
    }
}

/// The call never became a refusal of the service.
fn misuse(message: String) -> Value {
    json!({ "name": "ClientFailure", "message": message })
}

/// Absent members are left out, as other clients show them.
fn without_absent(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, member)| !member.is_null())
            .map(|(name, member)| (name, without_absent(member)))
            .collect(),
        Value::Array(elements) => elements.into_iter().map(without_absent).collect(),
        other => other,
    }
}
