//! `WAFV2`: which web ACL protects a resource (semantics §5.1).

/// What a WAFV2 policy demands.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Wafv2 {
    /// `preProcessRuleGroups`, in order.
    pub first: Vec<RuleGroup>,
    /// `postProcessRuleGroups`, in order.
    pub last: Vec<RuleGroup>,
    /// `webACLSource` is `RETROFIT_EXISTING`.
    pub retrofit: bool,
    /// `overrideCustomerWebACLAssociation`
    pub override_customer_web_acl: bool,
}

/// A rule group that the policy's web ACL must carry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RuleGroup {
    /// `ruleGroupArn`
    Own {
        /// ARN of the group.
        arn: Box<str>,
        /// `overrideAction` is COUNT.
        count: bool,
    },
    /// `managedRuleGroupIdentifier`
    Managed {
        /// `vendorName`
        vendor: Box<str>,
        /// `managedRuleGroupName`
        name: Box<str>,
        /// The version, when `versionEnabled` with a `version`.
        version: Option<Box<str>>,
        /// `overrideAction` is COUNT.
        count: bool,
    },
}
