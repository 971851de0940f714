//! What every engine promises: one suite of facts about [`Store`], run by each engine.
//!
//! An engine brings a [`Bed`] and writes `contract_suite!(make_bed)` into its tests. What an engine
//! cannot do is a `skipped:` line with a reason.

pub mod age;
pub mod audit;
pub mod changes;
pub mod control;
pub mod durability;
pub mod facts;
pub mod intake;
pub mod keys;
pub mod known;
pub mod ledger;
pub mod missed;
pub mod networks;
pub mod order;
pub mod past;
pub mod protections;
pub mod reading;
pub mod work;

use crate::Store;

/// A store under test.
pub trait Bed {
    /// The store.
    fn store(&self) -> &dyn Store;

    /// Drops the store without a word and opens it again; `false` when nothing of it outlives the
    /// process.
    fn reopen(&mut self) -> bool;

    /// Whether leases stand when the node that took them is gone: another one cannot know that it is.
    fn leases_outlive_their_node(&self) -> bool {
        false
    }
}

/// Makes one test of each fact, run on the bed that `$make` makes; with `if there`, on one that it may make.
macro_rules! contract_suite {
    (if there $make:path) => {
        $crate::contract::contract_suite! { @facts { $make() } }
    };
    (@facts $made:tt) => {
        $crate::contract::contract_suite! { @tests $made;
            control::a_new_store_is_empty
            control::what_was_committed_is_read_back
            control::a_commit_at_another_revision_conflicts_and_changes_nothing
            control::a_put_replaces_and_a_remove_removes
            control::an_organization_is_replaced_whole
            control::an_organization_that_is_known_is_kept_until_another_one_is_put
            control::what_stands_beside_policies_is_put_replaced_and_removed
            control::what_changes_no_judgement_marks_no_work
            intake::items_of_a_type_are_read_page_by_page
            ledger::one_violator_is_found_by_its_key
            control::a_removed_policy_takes_all_it_caused_and_closes_its_history
            keys::keys_are_kept_in_order_of_creation
            keys::a_key_keeps_its_name_its_role_and_its_end
            keys::who_signs_out_everywhere_stays_so_whatever_moment_comes_later
            keys::keys_are_disabled_sealed_anew_and_removed
            keys::a_change_of_keys_is_made_whole_at_its_revision_or_not_at_all
            keys::the_last_use_of_a_key_only_moves_forward
            keys::the_sealing_key_is_remembered_at_the_revision_it_was_decided_on
            audit::an_event_is_read_back_as_it_was_told
            audit::an_event_stands_or_falls_with_its_change
            audit::an_event_alone_moves_no_revision
            audit::deliveries_and_marks_are_told_in_their_transaction
            audit::deliveries_that_change_nothing_leave_no_event
            audit::events_are_read_newest_first_in_pages_and_by_filter
            audit::events_expire_and_their_places_are_not_given_again
            intake::what_is_delivered_is_loaded
            intake::a_file_is_remembered_if_it_would_change_nothing_again
            intake::at_least_the_items_of_the_types_asked_for_are_loaded
            intake::a_newer_state_replaces_and_an_older_one_is_stale
            intake::a_deletion_leaves_a_tombstone_that_older_states_do_not_revive
            intake::a_state_without_a_body_stands_beside_the_one_before
            intake::states_that_contradict_each_other_are_in_doubt_until_a_later_one
            intake::a_snapshot_shows_what_is_gone
            intake::a_state_seen_at_the_snapshots_moment_stays
            intake::a_late_observation_of_what_is_gone_is_stale
            intake::a_later_sight_revives_what_was_gone
            intake::a_snapshot_is_silent_about_types_it_does_not_cover
            intake::a_type_once_held_stays_held
            intake::a_deleted_recorder_is_told
            age::global_items_of_another_region_do_not_renew_a_shard
            age::a_shard_is_as_old_as_what_is_told_of_it_whenever_it_is_sent
            age::what_a_snapshot_of_another_region_holds_is_as_old_as_its_items
            age::the_inventory_is_as_old_as_its_oldest_shard
            age::what_claims_to_be_of_the_future_is_no_age_and_ends_nothing
            age::what_was_noted_while_the_clock_was_ahead_counts_as_now_when_it_is_set_back
            age::another_setting_of_staleness_marks_every_shard
            age::time_far_ahead_is_believed_when_a_delivery_tells_of_it
            intake::accounts_outside_the_organization_are_kept_and_counted
            intake::a_change_marks_its_shard_and_a_repeat_marks_nothing
            age::what_makes_an_old_shard_newer_marks_it
            intake::the_first_whole_snapshot_marks_its_shard_even_when_it_is_empty
            missed::a_gap_is_open_until_something_from_its_moment_on_closes_it
            missed::a_gap_of_any_type_is_closed_type_by_type
            missed::a_gap_without_a_region_or_an_account_is_one_of_each
            missed::gaps_mark_the_shards_they_concern_and_repeats_mark_nothing
            missed::what_closes_a_gap_marks_the_shards_that_had_it
            missed::a_gap_of_global_protections_marks_the_account
            missed::a_gap_of_regional_protections_is_one_of_every_region_of_the_account
            missed::gaps_survive_a_reopen_and_expire_when_they_are_closed
            known::a_type_is_known_by_a_recorder_a_snapshot_of_it_or_a_listing
            known::what_comes_to_be_known_makes_the_shard_due
            known::a_listing_shows_what_is_gone
            order::any_order_of_a_hand_made_story_ends_the_same
            order::any_order_of_random_deliveries_ends_as_in_memory
            reading::references_are_loaded_when_they_exist
            reading::readers_are_marked_when_a_referenced_item_changes_goes_or_returns
            reading::readers_are_marked_when_a_list_is_put_or_removed
            reading::readers_are_marked_when_a_resource_set_names_others
            reading::a_reader_that_reads_no_more_is_not_marked
            reading::what_a_fact_is_worth_is_loaded_with_it
            reading::readers_are_marked_when_what_they_read_is_worth_more_or_less
            reading::a_gap_opened_between_lease_and_first_settlement_is_not_missed
            networks::what_other_accounts_list_and_hold_is_loaded
            networks::a_change_in_one_account_marks_those_that_share_a_network
            networks::facts_of_networks_are_those_of_all_shards_and_their_readers_are_marked
            reading::policies_of_common_groups_stay_known_and_their_readers_are_told
            reading::policies_of_common_groups_that_a_setting_names_are_known_for_as_long
            reading::policies_of_common_groups_learnt_during_a_lease_are_not_missed
            reading::a_change_between_lease_and_first_settlement_is_not_missed
            reading::a_list_put_between_lease_and_first_settlement_is_not_missed
            protections::an_accounts_protections_are_loaded_with_each_of_its_shards
            protections::a_changed_protection_marks_the_shard_its_resource_is_in
            protections::what_becomes_known_of_protections_marks_the_account
            work::due_shards_are_leased_oldest_first_with_all_their_marks
            work::a_lease_holds_others_off_until_its_last_millisecond
            work::a_lease_lasts_as_long_as_its_holder_says
            work::a_lease_that_is_given_up_leaves_its_work_due
            work::what_an_overtaken_worker_settles_is_dropped
            work::a_late_settlement_counts_while_nobody_else_took_the_shard
            work::a_mark_made_during_a_lease_stays_due
            work::another_policys_mark_waits_for_the_shards_lease
            work::work_for_later_waits_and_only_moves_nearer
            work::settling_schedules_what_time_alone_changes
            work::a_policys_judgement_never_postpones_the_shards_own_time
            work::marks_and_leases_are_counted
            work::a_put_policy_is_fanned_out_in_steps
            work::a_fan_out_reaches_who_has_an_entry_or_may_get_one
            work::a_fan_out_replaced_or_overtaken_is_left_alone
            work::other_rules_fan_every_policy_out_once
            ledger::a_judgement_is_written_and_read_back
            ledger::differences_are_applied
            ledger::a_judgement_that_changes_nothing_moves_only_last_updated
            ledger::outcomes_of_another_revision_or_a_removed_policy_are_dropped
            ledger::a_dropped_outcome_does_not_move_last_updated
            ledger::an_account_out_of_scope_is_closed
            ledger::entries_come_in_ranges_exact_at_their_edges
            ledger::violators_come_in_pages
            ledger::history_comes_newest_first
            ledger::expiry_keeps_the_state_that_held_then
            ledger::tombstones_and_gone_items_expire_but_a_recorders_stays
            past::what_was_answered_is_told_of_its_moment
            past::a_settlement_is_told_from_its_own_moment_on
            past::violators_that_ended_keep_their_end_and_last_evidence
            past::what_was_decided_is_told_of_its_moment
            past::the_past_begins_with_the_first_write_and_moves_with_expiry
            past::moments_never_go_back_and_are_brought_back_with_the_clock
            changes::a_changed_item_is_due_with_what_it_was
            changes::what_a_snapshot_shows_to_be_gone_is_a_change
            changes::the_state_that_was_judged_is_what_it_was
            changes::what_was_judged_is_taken_away_and_what_came_later_stays
            changes::what_an_overtaken_worker_judged_stays_a_change
            changes::more_changes_than_the_limit_make_the_shard_due
            changes::what_is_learnt_of_the_shard_makes_the_shard_due
            changes::of_a_changed_shard_the_support_and_the_rows_of_the_changes_are_loaded
            changes::judging_changes_moves_last_updated_of_every_policy
            changes::changes_survive_a_reopen
            changes::a_revision_stands_until_the_facts_of_its_shard_change
            durability::everything_survives_a_reopen
            durability::versions_survive_a_reopen_and_leases_do_not
        }
    };
    (@tests { $made:expr }; $($group:ident :: $fact:ident)+) => {
        $(#[test] fn $fact() {
            if let Some(mut bed) = $made {
                $crate::contract::$group::$fact(&mut bed);
            }
        })+
    };
    ($make:path) => {
        $crate::contract::contract_suite! { @facts { Some($make()) } }
    };
}
pub(crate) use contract_suite;
