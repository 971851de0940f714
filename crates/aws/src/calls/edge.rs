//! CloudFront, Shield and WAF: what stands at the edge.

use super::rates::{CLOUD_FRONT, UNPUBLISHED, WAF_ASSOCIATIONS, WAF_READ};
use super::table::table;
use crate::call::{Items, Paging, call};
use crate::service::Service::{CloudFront, Shield, Waf, WafRegional, WafV2};

/// The greatest page of WAF.
const PAGE: u32 = 100;

const MARKER: Paging = Paging {
    token_in: "NextMarker",
    token_out: "NextMarker",
    more: None,
    size: Some(("Limit", PAGE)),
};

table! {
    EDGE:
    /// Distributions with their web ACLs.
    LIST_DISTRIBUTIONS = call(CloudFront, "ListDistributions", &["cloudfront:ListDistributions"], &CLOUD_FRONT)
        .get("/2020-05-31/distribution").shape("ListDistributionsResult")
        .items(Items::Unless { path: "DistributionList/Items", witness: "DistributionList/Quantity" })
        .paging(Paging {
            token_in: "Marker",
            token_out: "DistributionList/NextMarker",
            more: Some("DistributionList/IsTruncated"),
            size: Some(("MaxItems", 100)),
        });
    /// The tags of a distribution, by ARN.
    LIST_TAGS_FOR_DISTRIBUTION = call(
        CloudFront, "ListTagsForResource", &["cloudfront:ListTagsForResource"], &CLOUD_FRONT,
    ).get("/2020-05-31/tagging").shape("ListTagsForResourceResult").list("Tags/Items");
    /// Whether the account has Shield Advanced.
    GET_SUBSCRIPTION_STATE = call(Shield, "GetSubscriptionState", &["shield:GetSubscriptionState"], &UNPUBLISHED);
    /// Protections; the pages are of 20 where none is asked for.
    LIST_PROTECTIONS = call(Shield, "ListProtections", &["shield:ListProtections"], &UNPUBLISHED)
        .list("Protections").pages("NextToken", "MaxResults", 10_000);
    /// Attacks in a span of time.
    LIST_ATTACKS = call(Shield, "ListAttacks", &["shield:ListAttacks"], &UNPUBLISHED)
        .list("AttackSummaries").pages("NextToken", "MaxResults", 10_000);
    /// One attack.
    DESCRIBE_ATTACK = call(Shield, "DescribeAttack", &["shield:DescribeAttack"], &UNPUBLISHED);
    /// The tags of a protection.
    LIST_TAGS_FOR_PROTECTION = call(Shield, "ListTagsForResource", &["shield:ListTagsForResource"], &UNPUBLISHED)
        .list("Tags");
    /// Web ACLs of a scope.
    LIST_WEB_ACLS = call(WafV2, "ListWebACLs", &["wafv2:ListWebACLs"], &WAF_READ).list("WebACLs").paging(MARKER);
    /// One web ACL with its rules.
    GET_WEB_ACL = call(WafV2, "GetWebACL", &["wafv2:GetWebACL"], &WAF_READ);
    /// The resources of one type that a web ACL is associated with. It asks for permissions of the resource's service, too.
    LIST_RESOURCES_FOR_WEB_ACL = call(
        WafV2, "ListResourcesForWebACL",
        &[
            "wafv2:ListResourcesForWebACL", "elasticloadbalancing:DescribeWebACLAssociation",
            "appsync:ListResourcesForWebACL", "cognito-idp:ListResourcesForWebACL",
            "apprunner:ListAssociatedServicesForWebAcl", "amplify:ListResourcesForWebACL",
            "ec2:DescribeVerifiedAccessInstanceWebAclAssociations",
        ],
        &WAF_ASSOCIATIONS,
    ).list("ResourceArns");
    /// The web ACL of one resource. It asks for permissions of the resource's service, too.
    GET_WEB_ACL_FOR_RESOURCE = call(
        WafV2, "GetWebACLForResource",
        &[
            "wafv2:GetWebACLForResource", "wafv2:GetWebACL", "elasticloadbalancing:GetLoadBalancerWebACL",
            "appsync:GetWebACLForResource",
        ],
        &WAF_ASSOCIATIONS,
    );
    /// Rule groups of a scope.
    LIST_WAF_RULE_GROUPS = call(WafV2, "ListRuleGroups", &["wafv2:ListRuleGroups"], &WAF_READ)
        .list("RuleGroups").paging(MARKER);
    /// One rule group.
    GET_WAF_RULE_GROUP = call(WafV2, "GetRuleGroup", &["wafv2:GetRuleGroup"], &WAF_READ);
    /// Where web ACLs of a scope log to.
    LIST_WAF_LOGGING_CONFIGURATIONS = call(
        WafV2, "ListLoggingConfigurations", &["wafv2:ListLoggingConfigurations"], &WAF_READ,
    ).list("LoggingConfigurations").paging(MARKER);
    /// The tags of a web ACL or a rule group.
    LIST_TAGS_FOR_WAF_RESOURCE = call(WafV2, "ListTagsForResource", &["wafv2:ListTagsForResource"], &WAF_READ)
        .list("TagInfoForResource/TagList").paging(MARKER);
    /// Classic web ACLs of a Region.
    LIST_CLASSIC_WEB_ACLS = call(WafRegional, "ListWebACLs", &["waf-regional:ListWebACLs"], &WAF_READ)
        .list("WebACLs").paging(MARKER);
    /// One of them.
    GET_CLASSIC_WEB_ACL = call(WafRegional, "GetWebACL", &["waf-regional:GetWebACL"], &WAF_READ);
    /// The resources of one type that it is associated with.
    LIST_RESOURCES_FOR_CLASSIC_WEB_ACL = call(
        WafRegional, "ListResourcesForWebACL", &["waf-regional:ListResourcesForWebACL"], &WAF_ASSOCIATIONS,
    ).list("ResourceArns");
    /// Classic rule groups of a Region.
    LIST_CLASSIC_RULE_GROUPS = call(WafRegional, "ListRuleGroups", &["waf-regional:ListRuleGroups"], &WAF_READ)
        .list("RuleGroups").paging(MARKER);
    /// Classic web ACLs of CloudFront.
    LIST_GLOBAL_CLASSIC_WEB_ACLS = call(Waf, "ListWebACLs", &["waf:ListWebACLs"], &WAF_READ)
        .list("WebACLs").paging(MARKER);
    /// One of them.
    GET_GLOBAL_CLASSIC_WEB_ACL = call(Waf, "GetWebACL", &["waf:GetWebACL"], &WAF_READ);
    /// Classic rule groups of CloudFront.
    LIST_GLOBAL_CLASSIC_RULE_GROUPS = call(Waf, "ListRuleGroups", &["waf:ListRuleGroups"], &WAF_READ)
        .list("RuleGroups").paging(MARKER);
}
