//! `palisade aws`: what is to be allowed at AWS.

use palisade_aws::policy;
use palisade_sources::settings::is_role_name;
use serde_json::{Value, json};

use crate::args::{Aws, AwsPolicy, AwsTemplate};
use crate::failure::{Exit, Failure, Outcome};
use crate::terminal::print_json;

/// Runs a command.
pub fn run(command: &Aws) -> Outcome {
    match command {
        Aws::Policy(AwsPolicy::Read) => print_json(&policy::read())?,
        Aws::Template(args) => print_json(&template(args)?)?,
    }
    Ok(Exit::Done)
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
