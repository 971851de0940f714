//! Organizations and STS: which accounts there are, and how to act in one.

use super::rates::{ORGANIZATIONS, STS};
use super::table::table;
use crate::call::{Access, call};
use crate::service::Service::{Organizations, Sts};

/// The greatest page of Organizations.
const PAGE: u32 = 20;

table! {
    ACCOUNTS:
    /// The organization: its id, its management account.
    DESCRIBE_ORGANIZATION = call(Organizations, "DescribeOrganization", &["organizations:DescribeOrganization"], &ORGANIZATIONS);
    /// Its root.
    LIST_ROOTS = call(Organizations, "ListRoots", &["organizations:ListRoots"], &ORGANIZATIONS)
        .list("Roots").pages("NextToken", "MaxResults", PAGE);
    /// The OUs below a root or an OU.
    LIST_ORGANIZATIONAL_UNITS_FOR_PARENT = call(
        Organizations, "ListOrganizationalUnitsForParent", &["organizations:ListOrganizationalUnitsForParent"], &ORGANIZATIONS,
    ).list("OrganizationalUnits").pages("NextToken", "MaxResults", PAGE);
    /// One OU.
    DESCRIBE_ORGANIZATIONAL_UNIT = call(
        Organizations, "DescribeOrganizationalUnit", &["organizations:DescribeOrganizationalUnit"], &ORGANIZATIONS,
    );
    /// All accounts, each with its `Paths` in the tree.
    LIST_ACCOUNTS = call(Organizations, "ListAccounts", &["organizations:ListAccounts"], &ORGANIZATIONS)
        .list("Accounts").pages("NextToken", "MaxResults", PAGE);
    /// The accounts directly below a root or an OU.
    LIST_ACCOUNTS_FOR_PARENT = call(
        Organizations, "ListAccountsForParent", &["organizations:ListAccountsForParent"], &ORGANIZATIONS,
    ).list("Accounts").pages("NextToken", "MaxResults", PAGE);
    /// The parent of an account or an OU.
    LIST_PARENTS = call(Organizations, "ListParents", &["organizations:ListParents"], &ORGANIZATIONS)
        .list("Parents").pages("NextToken", "MaxResults", PAGE);
    /// The accounts that a service is delegated to.
    LIST_DELEGATED_ADMINISTRATORS = call(
        Organizations, "ListDelegatedAdministrators", &["organizations:ListDelegatedAdministrators"], &ORGANIZATIONS,
    ).list("DelegatedAdministrators").pages("NextToken", "MaxResults", PAGE);
    /// The tags of an account, an OU or a root.
    LIST_TAGS_FOR_ORGANIZATION_RESOURCE = call(
        Organizations, "ListTagsForResource", &["organizations:ListTagsForResource"], &ORGANIZATIONS,
    ).list("Tags").paging(crate::call::Paging { token_in: "NextToken", token_out: "NextToken", more: None, size: None });
    /// A session as a role.
    ASSUME_ROLE = call(Sts, "AssumeRole", &["sts:AssumeRole"], &STS).shape("AssumeRoleResponse").access(Access::Session);
    /// Who the caller is. Everybody may ask.
    GET_CALLER_IDENTITY = call(Sts, "GetCallerIdentity", &[], &STS).shape("GetCallerIdentityResponse");
}
