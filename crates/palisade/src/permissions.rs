//! `palisade aws`: what is to be allowed at AWS, and what is not yet.

use std::collections::{BTreeMap, BTreeSet};

use palisade_aws::{CallError, Reason, Service, calls, policy};
use palisade_core::ident::Region;
use palisade_sources::settings::is_role_name;
use palisade_sources::{Collection, FailedType};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::args::{Aws, AwsDoctor, AwsPolicy, AwsTemplate};
use crate::collect::external_id;
use crate::failure::{Exit, Failure, Outcome};
use crate::reading::Asked;
use crate::report::counted;
use crate::serve;
use crate::terminal::{print_json, print_line};

/// Runs a command.
pub fn run(command: &Aws) -> Outcome {
    match command {
        Aws::Policy(AwsPolicy::Read) => print_json(&policy::read())?,
        Aws::Policy(AwsPolicy::Run(args)) => print_json(&run_policy(&args.role)?)?,
        Aws::Template(args) => print_json(&template(args)?)?,
        Aws::Try(args) => return serve::runtime()?.block_on(doctor(args)),
    }
    Ok(Exit::Done)
}

/// What whoever runs Palisade may do: the reading of accounts is the role's.
fn run_policy(role: &str) -> Result<Value, Failure> {
    if !is_role_name(role) {
        return Err(Failure::Usage(format!("--role: `{role}` is no name of a role")));
    }
    let of = |services: &[Service]| {
        let calls = calls::all().filter(|call| services.contains(&call.service));
        calls.flat_map(|call| call.iam).copied().collect::<BTreeSet<&str>>()
    };
    let statement = |id: &str, actions: BTreeSet<&str>, resource: &str| json!({"Sid": id, "Effect": "Allow", "Action": actions, "Resource": resource});
    let act = BTreeSet::from(["sts:AssumeRole"]);
    Ok(json!({
        "Version": "2012-10-17",
        "Statement": [
            statement("PalisadeAct", act, &format!("arn:*:iam::*:role/{role}")),
            statement("PalisadeOrganization", of(&[Service::Organizations]), "*"),
            statement("PalisadeDeliveries", of(&[Service::S3, Service::Sqs]), "*"),
        ],
    }))
}

/// Lists every type of one account in one Region, and tells the calls that failed with the permissions that they need.
async fn doctor(args: &AwsDoctor) -> Outcome {
    let aws = crate::aws::Aws::of_environment()?;
    let own = aws.account().await?;
    let account = args.account.as_ref().map_or(own.clone(), ToString::to_string);
    let region = args.region.as_ref().map_or(aws.region().to_owned(), ToString::to_string);
    let region = Region::named(&region).map_err(|error| Failure::Usage(error.to_string()))?;
    let asked = Asked {
        aws,
        own: Some(own),
        role: args.role.clone(),
        external_id: args.external_id.as_deref().map(external_id).transpose()?,
        regions: Some(vec![region]),
        at_once: 1,
    };
    let (to, mut from) = mpsc::channel::<Collection>(1);
    let accounts = [account];
    let receiving = async {
        let (mut complete, mut failures) = (0, BTreeMap::new());
        while let Some(collection) = from.recv().await {
            complete += collection.complete.len();
            for FailedType { resource_type, error } in collection.failed {
                let types: &mut Vec<String> = failures.entry(shown(&error)).or_default();
                types.push(resource_type.to_string());
            }
        }
        (complete, failures)
    };
    let (read, (complete, failures)) = tokio::join!(asked.each(&accounts, to), receiving);
    read?;
    for (failure, types) in &failures {
        print_line(&format!("{failure}\n    not listed: {}", types.join(", ")))?;
    }
    let [account] = accounts;
    print_line(&match failures.len() {
        0 => format!("account {account}: every call was answered"),
        some => format!("account {account}: {} answered nothing", counted(some as u64, "call")),
    })?;
    match (complete, failures.is_empty()) {
        (_, true) => Ok(Exit::Done),
        (0, false) => Err(Failure::Unwell("no call was answered".to_owned())),
        _ => Ok(Exit::Undecided),
    }
}

/// A failed call with what its permission is.
fn shown(error: &CallError) -> String {
    let CallError { service, action, code, message, .. } = error;
    let iam = calls::find(service, action).map(|call| call.iam.join(", ")).unwrap_or_default();
    let needs = match error.reason {
        Reason::Denied if !iam.is_empty() => format!("\n    allow: {iam}"),
        _ => String::new(),
    };
    format!("{service}:{action} {}: {code}: {message}{needs}", error.reason.text())
}

/// The template of the role that is read as: one principal, this organization, this ExternalId, the reading calls.
fn template(args: &AwsTemplate) -> Result<Value, Failure> {
    if !is_role_name(&args.role) || args.role.contains('/') {
        return Err(Failure::Usage(format!("--role: `{}` is no name of a role", args.role)));
    }
    if !args.principal.starts_with("arn:") {
        return Err(Failure::Usage(format!(
            "--principal: `{}` is no ARN of a role or user",
            args.principal
        )));
    }
    if !args.organization_id.starts_with("o-") {
        return Err(Failure::Usage(format!(
            "--organization-id: `{}` is no id of an organization, such as `o-a1b2c3d4e5`",
            args.organization_id
        )));
    }
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"AWS": args.principal},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {
                "sts:ExternalId": args.external_id,
                "aws:PrincipalOrgID": args.organization_id,
            }},
        }],
    });
    Ok(json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The role as which Palisade reads this account. It can change nothing.",
        "Resources": {"PalisadeReadOnly": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": args.role,
                "MaxSessionDuration": 3600,
                "AssumeRolePolicyDocument": trust,
                "Policies": [{"PolicyName": "PalisadeRead", "PolicyDocument": policy::read()}],
            },
        }},
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> AwsTemplate {
        AwsTemplate {
            principal: "arn:aws:iam::111111111111:role/Palisade".to_owned(),
            external_id: "an-id".to_owned(),
            organization_id: "o-a1b2c3d4e5".to_owned(),
            role: "PalisadeReadOnly".to_owned(),
        }
    }

    #[test]
    fn the_template_lets_one_principal_read_and_nobody_else() {
        let told = template(&asked()).unwrap();
        let role = &told["Resources"]["PalisadeReadOnly"]["Properties"];
        let statement = &role["AssumeRolePolicyDocument"]["Statement"][0];
        assert_eq!(statement["Principal"]["AWS"], "arn:aws:iam::111111111111:role/Palisade");
        assert_eq!(statement["Condition"]["StringEquals"]["sts:ExternalId"], "an-id");
        assert_eq!(statement["Condition"]["StringEquals"]["aws:PrincipalOrgID"], "o-a1b2c3d4e5");
        assert_eq!(role["Policies"][0]["PolicyDocument"], policy::read());
    }

    #[test]
    fn whoever_runs_it_may_act_as_the_role_and_end_messages_and_change_nothing_else() {
        let told = run_policy("x/PalisadeReadOnly").unwrap();
        let statements = told["Statement"].as_array().unwrap();
        assert_eq!(statements[0]["Resource"], "arn:*:iam::*:role/x/PalisadeReadOnly");
        let actions = statements.iter().flat_map(|one| one["Action"].as_array().unwrap());
        let writing: Vec<&str> = actions
            .map(|action| action.as_str().unwrap())
            .filter(|action| {
                let verb = action.split(':').nth(1).unwrap();
                !["Get", "List", "Describe"].iter().any(|reads| verb.starts_with(reads))
            })
            .collect();
        let wanted = [
            "sts:AssumeRole",
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:ReceiveMessage",
        ];
        assert_eq!(writing, wanted);
        assert!(run_policy("a b").is_err());
    }

    #[test]
    fn what_is_no_principal_organization_or_role_is_refused() {
        for wrong in [
            AwsTemplate { principal: "*".to_owned(), ..asked() },
            AwsTemplate { organization_id: "x".to_owned(), ..asked() },
            AwsTemplate { role: "a b".to_owned(), ..asked() },
        ] {
            assert!(template(&wrong).is_err());
        }
    }
}
