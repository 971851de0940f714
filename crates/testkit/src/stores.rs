//! Stores that fail or interfere in one role, and do as a sound one in all others.

/// Implements roles of `palisade_store` for a wrapper by the store in one of its fields. The wrapper
/// implements the roles that are left out by itself.
///
/// ```text
/// delegate_roles!([impl<F: Fn() + Send + Sync>] Wrapper<F> => field: Keys, Ledger);
/// ```
#[macro_export]
macro_rules! delegate_roles {
    ($impl:tt $outer:ty => $inner:tt: $($role:ident),+) => {
        $($crate::delegate_role!($role $impl $outer => $inner);)+
    };
}

/// One role of [`delegate_roles`].
#[doc(hidden)]
#[macro_export]
macro_rules! delegate_role {
    (Control $impl:tt $outer:ty => $inner:tt) => {
        $crate::delegate!($impl palisade_store::Control, $outer => $inner:
            control_revision() -> u64;
            control_since(known: Option<&palisade_store::ControlState>) -> palisade_store::ControlState;
            control_at(at_ms: i64) -> palisade_store::ControlState;
            versions(after_ms: i64, through_ms: i64) -> Vec<palisade_store::Version>;
            commit(at: u64, changes: &[palisade_store::ControlChange], now_ms: i64) -> u64;
        );
    };
    (Keys $impl:tt $outer:ty => $inner:tt) => {
        $crate::delegate!($impl palisade_store::Keys, $outer => $inner:
            key(id: &str) -> Option<palisade_store::KeyRecord>;
            keys() -> Vec<palisade_store::KeyRecord>;
            keys_revision() -> u64;
            sealed_under() -> Option<String>;
            commit_keys(
                at: u64,
                changes: &[palisade_store::KeyChange],
                event: &palisade_store::AuditEvent,
            ) -> u64;
            used_keys(uses: &[(String, i64)]) -> ();
            sealing_key() -> [u8; 32];
        );
    };
    (AuditLog $impl:tt $outer:ty => $inner:tt) => {
        $crate::delegate!($impl palisade_store::AuditLog, $outer => $inner:
            audit(filter: &palisade_store::AuditFilter, limit: usize)
                -> Vec<palisade_store::AuditRow>;
            expire_audit(before_ms: i64) -> u64;
        );
    };
    (Inventory $impl:tt $outer:ty => $inner:tt) => {
        $crate::delegate!($impl palisade_store::Inventory, $outer => $inner:
            accept_file(
                file: Option<&palisade_store::FileHash>,
                delivery: &palisade_core::inventory::Delivery,
                now_ms: i64,
                event: Option<&dyn Fn(&palisade_store::Accepted) -> palisade_store::AuditEvent>,
            ) -> palisade_store::Accepted;
            accept_again(file: &palisade_store::FileHash) -> Option<palisade_store::Repeated>;
            load(want: &palisade_store::Want<'_>) -> palisade_store::Loaded;
            newest_ms(shard: &palisade_core::ident::ShardId) -> Option<i64>;
            newest_each_ms(
                region: &palisade_core::ident::Region,
                after: Option<&palisade_core::ident::AccountId>,
                through: &palisade_core::ident::AccountId,
            ) -> Vec<(palisade_core::ident::AccountId, i64)>;
            items(
                shard: &palisade_core::ident::ShardId,
                of: &palisade_core::ident::ResourceType,
                after: Option<&palisade_core::ident::ResourceId>,
                limit: usize,
            ) -> Vec<palisade_core::inventory::Item>;
            inventory_ages() -> palisade_store::InventoryAges;
        );
    };
    (Premises $impl:tt $outer:ty => $inner:tt) => {
        $crate::delegate!($impl palisade_store::Premises, $outer => $inner:
            judge_by(rules: u32, assumed: &str, now_ms: i64) -> usize;
            name_common_policies(
                named: &std::collections::BTreeSet<palisade_core::ident::PolicyId>,
                now_ms: i64,
            ) -> bool;
            stale_by(stale_after_ms: Option<i64>, now_ms: i64) -> bool;
            look_at_clock(now_ms: i64, passed_ms: i64) -> palisade_store::Clock;
        );
    };
    (Work $impl:tt $outer:ty => $inner:tt) => {
        $crate::delegate!($impl palisade_store::Work, $outer => $inner:
            mark(
                marks: &[palisade_store::Mark],
                now_ms: i64,
                event: Option<&palisade_store::AuditEvent>,
            ) -> ();
            fan_outs() -> Vec<palisade_store::FanOut>;
            reached(
                fan_out: &palisade_store::FanOut,
                region: &palisade_core::ident::Region,
                limit: usize,
            ) -> Vec<palisade_core::ident::AccountId>;
            advance_fan_out(
                fan_out: &palisade_store::FanOut,
                shards: &[palisade_core::ident::ShardId],
                next: Option<&palisade_core::ident::AccountId>,
                now_ms: i64,
            ) -> bool;
            lease(now_ms: i64, lease_ms: i64, shards_max: usize) -> Vec<palisade_store::Lease>;
            prolong(leases: &[palisade_store::Lease], until_ms: i64) -> ();
            release(leases: &[palisade_store::Lease], not_before_ms: Option<i64>) -> ();
            settle_at(settlements: &[palisade_store::Settlement], now_ms: i64) -> ();
            work(now_ms: i64) -> palisade_store::WorkCounts;
        );
    };
    (Ledger $impl:tt $outer:ty => $inner:tt) => {
        $crate::delegate!($impl palisade_store::Ledger, $outer => $inner:
            entries(
                policy: &palisade_core::ident::PolicyId,
                after: Option<&palisade_core::ident::AccountId>,
                through: Option<&palisade_core::ident::AccountId>,
                limit: usize,
            ) -> Vec<palisade_store::EntryRow>;
            entry(
                policy: &palisade_core::ident::PolicyId,
                account: &palisade_core::ident::AccountId,
            ) -> Option<palisade_store::EntryRow>;
            violators(
                policy: &palisade_core::ident::PolicyId,
                account: &palisade_core::ident::AccountId,
                after: Option<&(
                    palisade_core::ident::ResourceType,
                    palisade_core::ident::ResourceId,
                )>,
                limit: usize,
            ) -> Vec<palisade_core::ledger::ViolatorRow>;
            violator(
                policy: &palisade_core::ident::PolicyId,
                account: &palisade_core::ident::AccountId,
                resource: &(palisade_core::ident::ResourceType, palisade_core::ident::ResourceId),
            ) -> Option<palisade_core::ledger::ViolatorRow>;
            history(
                policy: &palisade_core::ident::PolicyId,
                account: &palisade_core::ident::AccountId,
                limit: usize,
            ) -> Vec<palisade_store::HistoryRow>;
            span() -> palisade_store::Span;
            entries_at(
                policy: &palisade_core::ident::PolicyId,
                after: Option<&palisade_core::ident::AccountId>,
                through: Option<&palisade_core::ident::AccountId>,
                limit: usize,
                at_ms: i64,
            ) -> Vec<(palisade_core::ident::AccountId, palisade_store::HistoryRow)>;
            entry_at(
                policy: &palisade_core::ident::PolicyId,
                account: &palisade_core::ident::AccountId,
                at_ms: i64,
            ) -> Option<palisade_store::HistoryRow>;
            violators_at(
                policy: &palisade_core::ident::PolicyId,
                account: &palisade_core::ident::AccountId,
                after: Option<&(
                    palisade_core::ident::ResourceType,
                    palisade_core::ident::ResourceId,
                )>,
                limit: usize,
                at_ms: i64,
            ) -> Vec<palisade_core::ledger::ViolatorRow>;
            past_violators(
                policy: &palisade_core::ident::PolicyId,
                account: &palisade_core::ident::AccountId,
                after_ms: i64,
                through_ms: i64,
            ) -> Vec<palisade_store::PastViolator>;
            expire(before_ms: i64) -> u64;
        );
    };
    (Health $impl:tt $outer:ty => $inner:tt) => {
        $crate::delegate!($impl palisade_store::Health, $outer => $inner:
            ready() -> ();
            probe() -> ();
            effort() -> palisade_store::Effort;
        );
    };
}

/// Methods of one trait, by a field.
#[doc(hidden)]
#[macro_export]
macro_rules! delegate {
    (
        [$($impl:tt)*] $role:path, $outer:ty => $inner:tt:
        $($method:ident($($name:ident: $of:ty),* $(,)?) -> $answer:ty;)*
    ) => {
        $($impl)* $role for $outer {
            $(fn $method(&self, $($name: $of),*) -> palisade_store::Result<$answer> {
                self.$inner.$method($($name),*)
            })*
        }
    };
}
