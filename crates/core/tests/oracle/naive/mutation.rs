//! Deliberate faults of the naive evaluator. Each must be noticed by the comparison, which shows
//! that agreement means something.

macro_rules! mutations {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// One broken copy of a rule.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum Mutation { $($(#[$doc])* $name),+ }

        impl Mutation {
            pub const ALL: &'static [Mutation] = &[$(Mutation::$name),+];
        }
    };
}

mutations! {
    // Accounts and tags
    SuspendedIsInScope,
    ClosingIsOutOfScope,
    UnitsAreNotNested,
    IncludeAndExcludeMixedUp,
    ExcludeWinsOverInclude,
    TagsAndReadAsOr,
    TagsOrReadAsAnd,
    TagExclusionIgnored,
    EmptyTagValueMatchesAny,
    UntoldTagsTakeOutOfScope,
    // What is held and known
    OlderStateWins,
    DeletionIgnored,
    AbsenceFromSnapshotIgnored,
    SnapshotCoversContainedTypesOnly,
    UnknownTypeCountedCompliant,
    NotRecordedCountedCompliant,
    RecorderAtRestCountedRecording,
    GapHidesViolators,
    MissingReferenceSkipped,
    // Which groups
    UnlistedGroupReported,
    AttachmentDoesNotBringIntoScope,
    InstanceReadsPrimaryGroupsOnly,
    TerminatedInstancesJudged,
    UnheldGroupCountedCompliant,
    DefaultGroupsSkipped,
    ReplicasAudited,
    ForeignGroupsAudited,
    AuditGroupHeldAgainstItself,
    // Reading of rules
    OldIpRangesIgnored,
    Ipv6Ignored,
    EgressIgnored,
    ProtocolNumberIsNoName,
    // Audit groups
    AdjacentAuditRulesJoin,
    DirectionsOfAuditRulesMixed,
    NoAuditRuleAllowsAll,
    ReferencesPassUnderAllow,
    ReferencesMatchUnderDeny,
    DenyNeedsContainment,
    OverrideAllowIgnored,
    OverrideDenyIgnored,
    OverrideAllowNeedsOverlapOnly,
    IcmpTypeIgnored,
    // Managed options
    AuditDirectionIgnored,
    AllProtocolsCountOnePort,
    PortlessProtocolsCounted,
    PortCountOffByOne,
    PrefixLengthOffByOne,
    AllProtocolsPassProtocolLists,
    IcmpCoversIcmpv6,
    CarrierGradeIsPublic,
    PrivateBlockTooWide,
    UniqueLocalIsPublic,
    EgressJudgedPublic,
    UnknownPrefixListsPrivate,
    KnownPrefixListsPublic,
    OneAllowedPortPassesRange,
    DeniedPortAtEndMissed,
    // Web ACLs
    NetworkBalancersInScope,
    EmptyAttributeAsksRelationships,
    RelationshipsOverAttribute,
    RelationshipsNeverAsked,
    ManagedFlagIgnored,
    OwnNameByPrefix,
    OverrideHidesIncorrect,
    RuleGroupsIgnored,
    RuleGroupOrderIgnored,
    OverrideActionIgnored,
    VersionIgnored,
    UntoldRuleGroupsPresent,
}
