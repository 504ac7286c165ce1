/* store_suite.h - what every backend of the store must do, seen through store.h alone.
 *
 * A backend's test opens an empty store with a window of SUITE_DEDUPE seconds and runs each of SUITE_TESTS on it; the
 * clock stands at SUITE_NOW.
 */
#pragma once
#include "store.h"

enum { SUITE_NOW = 1800000000, SUITE_DEDUPE = 7 * 86400 };

struct suite {
	struct event_base *base;
	struct store *store;
};

#define SUITE_TESTS(X)                                                 \
	X(a_citizen_never_seen_has_version_0_and_nothing)              \
	X(a_step_is_stored_whole)                                      \
	X(a_step_of_another_version_changes_nothing)                   \
	X(a_step_that_fails_late_leaves_nothing)                       \
	X(a_repeat_is_refused_whole_and_told_what_is_stored)           \
	X(a_repeat_after_the_window_is_new)                            \
	X(the_same_provider_id_of_others_is_no_repeat)                 \
	X(without_a_provider_id_nothing_is_a_repeat)                   \
	X(steps_are_applied_in_the_order_of_their_calls)               \
	X(no_callback_runs_inside_a_call)                              \
	X(profile_and_session_are_replaced_each_by_itself)             \
	X(an_answer_is_kept_for_the_repeat)                            \
	X(a_journal_grows_and_keeps_every_byte)                        \
	X(an_ended_dialog_leaves_the_open_ones_and_is_found_by_its_id) \
	X(a_dialog_may_begin_and_end_in_one_step)                      \
	X(a_dialog_without_a_citizen_needs_no_guard)                   \
	X(what_is_appended_to_no_dialog_is_a_conflict)                 \
	X(parts_wait_once_each_until_they_are_joined)                  \
	X(a_part_is_known_when_its_message_is_joined)                  \
	X(an_insert_takes_a_key_once)                                  \
	X(an_insert_writes_one_entry_or_the_other)                     \
	X(a_put_replaces_and_a_delete_removes_with_their_index)        \
	X(an_index_follows_each_kind_of_value)                         \
	X(records_are_found_by_type_and_range)                         \
	X(records_come_in_the_order_that_is_asked_for)                 \
	X(an_update_changes_the_record_that_is_there)                  \
	X(an_update_keeps_a_record_within_its_size)                    \
	X(an_increment_is_bounded_and_makes_its_record)                \
	X(many_increments_lose_none)                                   \
	X(a_find_goes_on_behind_its_last_row)                          \
	X(records_are_counted_by_a_field)                              \
	X(a_chain_is_whole_as_it_was_inserted)                         \
	X(a_changed_record_breaks_its_chain)                           \
	X(a_missing_record_breaks_its_chain)                           \
	X(a_chain_without_its_end_is_short)                            \
	X(a_record_that_was_not_inserted_breaks_the_chain)             \
	X(a_table_that_never_was_has_no_chain)                         \
	X(an_outbound_message_is_kept_with_all_that_it_has)            \
	X(an_update_with_an_old_lease_is_lost)                         \
	X(a_receipt_finds_its_message_by_the_telcos_id)                \
	X(stop_drops_what_waits_and_was_not_asked_for)                 \
	X(a_citizens_messages_are_found_whatever_led_to_them)          \
	X(messages_are_found_after_their_provider_id_went_to_another)  \
	X(reports_wait_until_they_are_forgotten)                       \
	X(a_bundle_is_stored_once)                                     \
	X(a_start_finds_what_is_unfinished)                            \
	X(a_start_finds_dialogs_by_citizen)                            \
	X(an_answer_puts_off_when_a_dialog_expires)                    \
	X(retaining_changes_nothing_of_when_dialogs_expire)            \
	X(pages_go_on_behind_the_last_row)                             \
	X(parts_that_have_waited_are_found_by_citizen)                 \
	X(who_said_stop_is_found)                                      \
	X(what_is_old_goes_in_shares_and_the_rest_stays)               \
	X(what_is_old_goes_from_behind_what_stays)                     \
	X(what_is_young_stays_and_what_a_clock_ahead_numbered_goes)    \
	X(a_reply_that_outlives_its_message_is_still_found)            \
	X(ended_dialogs_of_every_bundle_go_when_they_are_old)          \
	X(a_bundle_stays_while_a_dialog_knows_it)                      \
	X(a_bundle_that_was_put_within_a_day_stays)                    \
	X(bundles_that_nobody_needs_go_in_shares)

#define SUITE_DECLARE(name) void suite_##name(struct suite *suite);
SUITE_TESTS(SUITE_DECLARE)

/* For the backends' own tests: each runs the loop until the answer is there. */
struct step *suite_message(const char *citizen, int64_t version, int64_t serial,
			   const char *provider_id); /* a step with one inbound message */
struct outbound *suite_add_outbound(struct step *step, int64_t serial); /* queued, asked for */
enum store_result suite_commit(struct suite *suite, struct step *step); /* frees the step */
int suite_commit_error(struct suite *suite, struct step *step);
int64_t suite_version(struct suite *suite, const char *citizen);
unsigned suite_count(struct suite *suite, const struct find *find);
