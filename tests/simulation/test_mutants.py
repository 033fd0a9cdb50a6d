"""The promises are really guarded: break one on purpose, and their test goes red."""

import random
from pathlib import Path

import pytest

from tests.mutation import Mutant, outdated

SAMPLE = 6

PROBATION = "tests/test_probation.py::"
TURNS = "tests/test_turns.py::"
SUSPICION = "tests/test_suspicion.py::"
DELIVERY = "tests/test_delivery.py::"
PROCESSOR = "tests/test_processor.py::"
TRACKER = "tests/test_tracker.py::"
LANE = "tests/test_lane.py::"
SCHEDULE = "tests/test_schedule.py::"
PACE = "tests/test_pace.py::"
DEMAND = "tests/test_demand.py::"
REST = "tests/test_rest.py::"
TIMEOUT = "tests/test_timeout.py::"
DEADLINE = "tests/test_deadline.py::"
DELIVERED = "tests/test_delivered.py::"
OUTCOME = "tests/test_outcome.py::"
PARSING = "tests/test_parsing.py::"
PLAIN = "tests/test_plain.py::"
QUARANTINE = "tests/test_quarantine.py::"
MAPPING = "tests/test_mapping.py::"
PRESETS = "tests/test_presets.py::"
MAPPING_FILE = "tests/test_mapping_file.py::"
BACKOFF = "tests/test_backoff.py::"


MUTANTS = {
    "acks though the quarantine was not written": Mutant(
        "processor.py",
        "            unsettled.update(record.position for record, _ in now)\n",
        "",
        PROCESSOR + "test_a_bad_record_that_the_bucket_refuses_is_reported",
    ),
    "drops one event of a full request": Mutant(
        "requests.py",
        "interactions=tuple(group))",
        "interactions=tuple(group[:9]))",
    ),
    "makes a new event id each time": Mutant(
        "events.py",
        'return shortened(":".join(parts))',
        "return __import__('uuid').uuid4().hex",
    ),
    "compares sequence numbers as texts": Mutant(
        "processor.py",
        "min(unsettled, default=math.inf)",
        "min(unsettled, key=str, default=math.inf)",
    ),
    "quarantines what comes again": Mutant(
        "processor.py",
        "in rejected if record.position < below]",
        "in rejected]",
    ),
    "sends the halves of a request in the wrong order": Mutant(
        "lane.py",
        "extendleft(reversed(parts))",
        "extendleft(parts)",
    ),
    "takes no answer for a success": Mutant(
        "verdicts.py",
        "if 200 <= status < 300:",
        "if status < 300:",
    ),
    "takes events without an outcome for settled": Mutant(
        "processor.py",
        "        unsettled.update(_without_outcome(contents, result, before))\n",
        "",
    ),
    "takes a place on probation for each part of a request": Mutant(
        "tracker.py",
        "if self.on_probation and not lane.tried:",
        "if self.on_probation:",
        PROBATION + "test_three_bad_events_of_one_request_do_not_make_a_tracker_suspect",
    ),
    "never ends the request that was halved": Mutant(
        "lane.py",
        "self._parts += len(parts) - 1",
        "self._parts += len(parts)",
        PROBATION + "test_a_wrong_tracker_costs_no_more_calls_where_sessions_have_several_requests",
    ),
    "lets a request that keeps failing hold its place on probation": Mutant(
        "delivery.py",
        "            tracker.replace_on_probation()\n",
        "            pass\n",
        PROBATION + "test_requests_that_keep_failing_do_not_keep_the_others_waiting_for_a_first_success",
    ),
    "gives up a place on probation at the first failure": Mutant(
        "delivery.py",
        "if lane.suspicion.suspected and not suspected:",
        "if lane.failures == 1 and not suspected:",
        PROBATION + "test_a_failure_that_is_cured_makes_no_room_for_another_request_on_probation",
    ),
    "admits one request less on probation": Mutant(
        "tracker.py",
        "self._admitted == ADMITTED:",
        "self._admitted == ADMITTED - 1:",
        PROBATION + "test_two_bad_events_do_not_stop_a_third_from_showing_that_the_tracker_is_right",
    ),
    "suspects a tracker that has not answered": Mutant(
        "delivery.py",
        "suspect = bool(tracker.rejected) and not errors",
        "suspect = not errors",
        PROBATION + "test_a_tracker_that_has_not_answered_is_not_suspected",
    ),
    "goes on sending to a denied tracker": Mutant(
        "tracker.py",
        " or now < self._rest.over:",
        ":",
        TURNS + "test_after_a_configuration_error_one_call_at_a_time_probes_whatever_failed_before",
    ),
    "probes a denied tracker with several calls at once": Mutant(
        "tracker.py",
        "(self.denied and self.in_flight) or now < self._rest.over:",
        "now < self._rest.over:",
        TURNS + "test_a_lane_with_a_call_under_way_sends_nothing_more_once_its_tracker_is_denied",
    ),
    "takes an answer to a call from before a denial for its end": Mutant(
        "rest.py",
        "        if tried >= self._began:\n            self._seconds, self.over",
        "        if tried:\n            self._seconds, self.over",
        TURNS + "test_a_lane_with_a_call_under_way_sends_nothing_more_once_its_tracker_is_denied",
    ),
    "takes all trackers for one": Mutant(
        "delivery.py",
        "by_tracker[requests[0].tracking_id]",
        "by_tracker['']",
        TURNS + "test_a_configuration_error_of_one_tracker_keeps_no_other_from_trying_again",
    ),
    "takes what failed to the end for the fault of a tracker that is well": Mutant(
        "delivery.py",
        "if suspect or tracker.denied else",
        "if suspect or errors else",
        PROBATION + "test_requests_that_keep_failing_do_not_keep_the_others_waiting_for_a_first_success",
    ),
    "gives lanes that failed no turn beside the others": Mutant(
        "schedule.py",
        "(self._failing_turn or not self._sound)",
        "(not self._sound)",
        TURNS + "test_lanes_that_failed_take_turns_with_those_that_did_not",
    ),
    "gives lanes that did not fail no turn beside the others": Mutant(
        "schedule.py",
        "bool(self._failing) and (self._failing_turn or not self._sound)",
        "bool(self._failing)",
        TURNS + "test_lanes_that_failed_take_turns_with_those_that_did_not",
    ),
    "gives an event up as soon as it is found": Mutant(
        "suspicion.py",
        "age > trial.least_age and now - self._began >= trial.seconds",
        "age > trial.least_age",
        SUSPICION + "test_an_old_event_is_given_up_once_it_has_failed_for_a_while",
    ),
    "gives the first event up that always fails, however young": Mutant(
        "suspicion.py",
        "FIRST_TRIAL = Trial(least_age=900.0,",
        "FIRST_TRIAL = Trial(least_age=-1.0,",
        "tests/simulation/test_stress.py::"
        "test_an_event_that_always_fails_is_given_up_once_it_is_old_enough_and_no_sooner",
    ),
    "tries an event for as long in a short invocation": Mutant(
        "suspicion.py",
        "min(self.seconds, invocation / 3)",
        "self.seconds",
        SUSPICION + "test_an_old_event_is_given_up_once_it_has_failed_for_a_while",
    ),
    "tries an event for longer in a long invocation": Mutant(
        "suspicion.py",
        "min(self.seconds, invocation / 3)",
        "invocation / 3",
        SUSPICION + "test_an_old_event_is_given_up_once_it_has_failed_for_a_while",
    ),
    "begins the trial of an event again with each half": Mutant(
        "suspicion.py",
        "if not self.failing:",
        "if not self._failures:",
        SUSPICION + "test_the_time_that_an_event_has_failed_counts_from_the_first_failure_of_the_request_it_is_in",
    ),
    "goes on with the trial of an event for the next request": Mutant(
        "lane.py",
        "self.suspicion = Suspicion(self._others)",
        "self.suspicion.begin_part()",
        SUSPICION + "test_the_request_behind_an_event_that_was_given_up_is_not_suspected_for_it",
    ),
    "takes retries for a sign that the API is well": Mutant(
        "tracker.py",
        ".taken += first_attempt",
        ".taken += 1",
        SUSPICION + "test_an_old_event_is_given_up_only_while_three_in_four_others_are_taken_at_once",
    ),
    "takes earlier calls for a sign that the API is well": Mutant(
        "suspicion.py",
        "taken = self._others.taken - self._before[0]",
        "taken = self._others.taken",
        SUSPICION + "test_an_outage_that_begins_within_the_invocation_makes_no_event_suspect",
    ),
    "takes earlier failures for a sign that the API is unwell": Mutant(
        "suspicion.py",
        "self._others.failed - self._before[1] - self._failed_parts",
        "self._others.failed - self._failed_parts",
        SUSPICION + "test_failures_before_its_own_do_not_save_an_event",
    ),
    "takes an event's own failures for a sign that the API is unwell": Mutant(
        "suspicion.py",
        "self._others.failed - self._before[1] - self._failed_parts",
        "self._others.failed - self._before[1] - 1",
        SUSPICION + "test_one_other_request_that_is_taken_is_enough_to_give_an_event_up",
    ),
    "has the halves of a request inherit its pauses": Mutant(
        "lane.py",
        "self.failures = self.timeouts = 0",
        "self.timeouts = 0",
        SUSPICION + "test_a_request_that_kept_failing_is_halved_and_its_halves_do_not_inherit_its_pauses",
    ),
    "suspects a request one failure late": Mutant(
        "suspicion.py",
        "self._failures >= ATTEMPTS",
        "self._failures > ATTEMPTS",
        SUSPICION + "test_a_request_that_kept_failing_is_halved_and_its_halves_do_not_inherit_its_pauses",
    ),
    "begins calls that can't be answered in time": Mutant(
        "delivery.py",
        "len(self._in_flight) < self._engine.max_in_flight and self._deadline.leaves_time(now)",
        "len(self._in_flight) < self._engine.max_in_flight",
        DELIVERY + "test_no_call_begins_too_late_to_be_answered_in_time_and_none_is_waited_for_longer",
    ),
    "waits for a call beyond the deadline": Mutant(
        "delivery.py",
        "min(self._engine.timeout.seconds(lane.timeouts), self._deadline.at - now)",
        "self._engine.timeout.seconds(lane.timeouts)",
        DELIVERY + "test_no_call_begins_too_late_to_be_answered_in_time_and_none_is_waited_for_longer",
    ),
    "reports an error that was cured": Mutant(
        "delivery.py",
        "for lane in left if lane.failures]",
        "for lane in left if lane.error]",
        DELIVERY + "test_an_error_that_was_cured_is_not_reported",
    ),
    "pauses for the same time always": Mutant(
        "delivery.py",
        "self._engine.jitter(longest_wait(max(1, lane.failures), throttled=throttled))",
        "longest_wait(max(1, lane.failures), throttled=throttled)",
        DELIVERY + "test_pauses_are_drawn_at_random",
    ),
    "forgets what it rested for already": Mutant(
        "rest.py",
        "2 * self._seconds or FIRST",
        "FIRST",
        REST + "test_each_rest_is_twice_as_long_as_the_one_before_up_to_half_a_minute",
    ),
    "rests for longer and longer without end": Mutant(
        "rest.py",
        "min(LONGEST, 2 * self._seconds or FIRST)",
        "2 * self._seconds or FIRST",
        REST + "test_each_rest_is_twice_as_long_as_the_one_before_up_to_half_a_minute",
    ),
    "rests for each of the calls that failed together": Mutant(
        "rest.py",
        "        if tried >= self._began:\n            self._seconds = min",
        "        if tried:\n            self._seconds = min",
        REST + "test_the_failure_of_an_attempt_from_before_the_rest_makes_it_no_longer",
    ),
    "keeps a denial in mind for one invocation only": Mutant(
        "tracker.py",
        "        self.first_attempts = FirstAttempts()\n",
        "        self.first_attempts = FirstAttempts()\n        self._rest = Rest()\n",
        TRACKER + "test_it_stays_denied_in_the_next_invocation",
    ),
    "takes a probe that is throttled for one that is let through": Mutant(
        "tracker.py",
        "in LET_THROUGH",
        "is not Verdict.TRANSIENT",
        TRACKER + "test_a_probe_that_fails_otherwise_shows_nothing_and_the_next_follows_at_once",
    ),
    "takes a probe whose event is rejected for one that is denied": Mutant(
        "tracker.py",
        "in LET_THROUGH",
        "is Verdict.DELIVERED",
        TRACKER + "test_a_probe_that_is_let_through_opens_it",
    ),
    "asks a tracker at rest again and again": Mutant(
        "tracker.py",
        "return max(due, self._rest.over)",
        "return due",
        TRACKER + "test_a_denied_tracker_has_no_call_before_its_rest_is_over_and_then_one_alone",
    ),
    "slows all others for an event that always fails": Mutant(
        "tracker.py",
        "if not (verdict is Verdict.TRANSIENT and alone):",
        "if verdict:",
        TRACKER + "test_the_failures_of_a_suspected_request_do_not_slow_the_others",
    ),
    "doubts a tracker whatever the age of what it rejects": Mutant(
        "tracker.py",
        "doubting and wall - oldest <= DOUBTED_UP_TO",
        "doubting",
        TRACKER + "test_it_is_doubted_only_while_its_records_are_young_and_nobody_chose_them",
    ),
    "holds requests back though their tracker is trusted by now": Mutant(
        "tracker.py",
        "        for lane in held:\n            self.queue(lane)\n",
        "",
        TRACKER + "test_on_probation_three_requests_are_tried_and_the_others_wait_for_a_first_success",
    ),
    "counts calls of the invocation before as in flight": Mutant(
        "tracker.py",
        "self.in_flight = 0\n",
        "self.in_flight = getattr(self, 'in_flight', 0)\n",
        TRACKER + "test_an_invocation_does_not_wait_for_the_calls_of_the_one_before",
    ),
    "lets the next event like one that was given up hold the shard as long": Mutant(
        "delivery.py",
        "if self._doubting and not tracker.gave_up_lately(answer.error, now) else",
        "if self._doubting else",
        SUSPICION + "test_after_an_event_was_given_up_the_next_like_it_is_given_up_within_seconds",
    ),
    "drops a request that was denied": Mutant(
        "delivery.py",
        "                self._report_configuration(answer.error)\n                tracker.queue(lane)\n",
        "                self._report_configuration(answer.error)\n",
        TURNS + "test_a_tracker_whose_denial_is_cured_is_sent_all_it_has_in_the_same_invocation",
    ),
    "gives one tracker all the calls in flight": Mutant(
        "delivery.py",
        "min(ready, key=lambda each: each.in_flight)",
        "ready[0]",
        TURNS + "test_a_tracker_that_answers_slowly_leaves_the_others_their_calls",
    ),
    "waits for as long as a service asks": Mutant(
        "delivery.py",
        "min(answer.retry_after, LONGEST_RETRY_AFTER)",
        "answer.retry_after",
        DELIVERY + "test_one_long_retry_after_holds_back_nobody_else",
    ),
    "keeps no time to store what Personalize rejects": Mutant(
        "delivery.py",
        "            self._deadline.keep_time_to_quarantine()\n",
        "            pass\n",
        DELIVERY + "test_with_something_to_quarantine_the_invocation_keeps_time_to_store_it",
    ),
    "gives up an event that may have failed by chance": Mutant(
        "suspicion.py",
        " and chance < most",
        "",
        SUSPICION + "test_no_event_is_given_up_where_chance_may_explain_its_failures",
    ),
    "holds the failures of an event that was given up against what stood behind it": Mutant(
        "suspicion.py",
        "        self._failed_parts = self._failures = 0\n",
        "        self._failed_parts = 0\n",
        SUSPICION + "test_behind_an_event_that_was_given_up_all_is_judged_by_its_own_failures",
    ),
    "holds the time that an event was tried against what stood behind it": Mutant(
        "suspicion.py",
        "        self.failing = False\n        self._failed_parts",
        "        self._failed_parts",
        SUSPICION + "test_behind_an_event_that_was_given_up_all_is_tried_for_as_long_again",
    ),
    "halves a part of a suspected request only after eight failures more": Mutant(
        "suspicion.py",
        "part = self.suspected and events > 1",
        "part = False",
        SUSPICION + "test_a_part_of_a_suspected_request_is_halved_at_once_and_a_single_event_is_not_given_up_at_once",
    ),
    "forgets with the first half that the request was tried": Mutant(
        "lane.py",
        "        if self._parts:\n            self.suspicion",
        "        self.tried = False\n        if self._parts:\n            self.suspicion",
        LANE + "test_a_part_was_tried_with_its_request_and_the_next_was_not",
    ),
    "sends what waits before it is due": Mutant(
        "schedule.py",
        "self._waiting[0][0] <= now:",
        "self._waiting:",
        SCHEDULE + "test_a_lane_that_waits_has_no_turn_before_it_is_due",
    ),
    "takes a schedule in which all wait for an empty one": Mutant(
        "schedule.py",
        "bool(self._sound or self._failing or self._waiting)",
        "bool(self._sound or self._failing)",
        SCHEDULE + "test_a_lane_that_waits_is_something_to_send",
    ),
    "yields though it falls behind": Mutant(
        "pace.py",
        "share += (OVERLOADED if now < self._overloaded else URGENT)",
        "share += OVERLOADED",
        PACE + "test_below_the_need_throttled_calls_hardly_slow_it_and_above_it_they_do",
    ),
    "insists though it keeps up": Mutant(
        "pace.py",
        "        if self.rate < need:\n            share",
        "        if need:\n            share",
        PACE + "test_below_the_need_throttled_calls_hardly_slow_it_and_above_it_they_do",
    ),
    "insists for ever in vain": Mutant(
        "pace.py",
        "self._overloaded = now + OVERLOAD",
        "self._overloaded = now",
        PACE + "test_a_minute_of_insisting_in_vain_makes_it_yield_more_for_ten_minutes",
    ),
    "stops insisting though it helps": Mutant(
        "pace.py",
        "if self._in_vain(now):",
        "if self._insisted:",
        PACE + "test_insisting_that_helps_goes_on",
    ),
    "insists for ever though late and hardly served": Mutant(
        "pace.py",
        " or (self._late(now) and not served)",
        "",
        PACE + "test_only_a_late_function_that_its_pace_holds_back_has_insisted_in_vain",
    ),
    "takes a function in time for overloaded as its load falls": Mutant(
        "pace.py",
        "(self._late(now) and not served)",
        "not served",
        PACE + "test_only_a_late_function_that_its_pace_holds_back_has_insisted_in_vain",
    ),
    "takes slow calls for insisting in vain": Mutant(
        "pace.py",
        "if self._waited < HELD * self._insisted or self._waiting < self._insisting / 2:",
        "if not self._insisted:",
        PACE + "test_only_a_late_function_that_its_pace_holds_back_has_insisted_in_vain",
    ),
    "takes a pause for insisting in vain": Mutant(
        "pace.py",
        "min(now - since, PAUSE)",
        "now - since",
        PACE + "test_only_a_late_function_that_its_pace_holds_back_has_insisted_in_vain",
    ),
    "slows down at each throttled call of a burst": Mutant(
        "pace.py",
        "if now - since >= HALVING:",
        "if now >= since:",
        PACE + "test_throttled_calls_that_come_together_halve_it_once_a_second_at_most",
    ),
    "slows down at each failure of a round of calls": Mutant(
        "pace.py",
        "if self._outage(now) and began >= self._halved:",
        "if self._outage(now):",
        PACE + "test_in_an_outage_each_round_of_calls_halves_it_once_down_to_a_call_in_five_seconds",
    ),
    "takes a few failures among successes for an outage": Mutant(
        "pace.py",
        "self._failures >= OUTAGE and",
        "self._failures and",
        PACE + "test_failures_among_successes_do_not_slow_it",
    ),
    "returns to its whole pace at the first success after an outage": Mutant(
        "pace.py",
        "RESUMED * self._before_outage",
        "self._before_outage",
        PACE + "test_the_first_success_after_an_outage_gives_a_quarter_of_the_pace_back",
    ),
    "crawls after an outage": Mutant(
        "pace.py",
        "max(self.rate, RESUMED * self._before_outage)",
        "self.rate",
        PACE + "test_the_first_success_after_an_outage_gives_a_quarter_of_the_pace_back",
    ),
    "lets itself be throttled to nothing": Mutant(
        "pace.py",
        "LEAST_SHARE * self._demand.rate",
        "0",
        PACE + "test_some_of_what_arrives_is_tried_however_many_calls_are_throttled",
    ),
    "grows though no call waits for it": Mutant(
        "pace.py",
        "        if self._held:\n            clean",
        "        if self.rate:\n            clean",
        PACE + "test_a_pace_that_no_call_waits_for_grows_no_further",
    ),
    "makes up for all the time that no call began": Mutant(
        "pace.py",
        "max(self.next, now - ARREARS)",
        "max(self.next, now - 1)",
        PACE + "test_a_timer_that_is_late_loses_a_few_calls_at_most_and_makes_no_burst",
    ),
    "counts what is redelivered as newly arrived": Mutant(
        "demand.py",
        "[each for each in arrivals if each > since]",
        "arrivals",
        DEMAND + "test_records_that_are_redelivered_are_not_counted_again",
    ),
    "takes a burst for what always arrives": Mutant(
        "demand.py",
        "max(self._seconds, SHORTEST)",
        "max(self._seconds, 0.1)",
        DEMAND + "test_a_burst_is_spread_over_some_seconds",
    ),
    "never forgets what arrived": Mutant(
        "demand.py",
        "math.exp(-span / HORIZON)",
        "1.0",
        DEMAND + "test_what_was_minutes_ago_is_forgotten",
    ),
    "waits as long for an answer after each time-out": Mutant(
        "timeout.py",
        " * 2.0**timeouts",
        "",
        TIMEOUT + "test_each_time_out_of_a_request_doubles_the_time_of_its_next_call",
    ),
    "gives a call up sooner than answers vary": Mutant(
        "timeout.py",
        "max(SHORTEST, self._mean + 4 * self._deviation)",
        "max(SHORTEST, self._mean)",
        TIMEOUT + "test_the_first_answer_gives_the_mean_and_half_of_it_the_deviation",
    ),
    "gives a call no more time than the quickest answers took": Mutant(
        "timeout.py",
        "max(SHORTEST, self._mean + 4 * self._deviation)",
        "(self._mean + 4 * self._deviation)",
        TIMEOUT + "test_quick_answers_leave_a_call_a_second_all_the_same",
    ),
    "keeps no time to store what is bad": Mutant(
        "deadline.py",
        "QUARANTINE_MARGIN if quarantining else SETTLE_MARGIN",
        "SETTLE_MARGIN",
        DEADLINE + "test_a_margin_is_kept_at_the_end",
    ),
    "leaves a short invocation no time to send": Mutant(
        "deadline.py",
        "min(margin, self.time / 2)",
        "margin",
        DEADLINE + "test_half_of_a_short_invocation_is_for_sending",
    ),
    "remembers for ever what was delivered": Mutant(
        "delivered.py",
        " if source.sequence_number >= lowest",
        "",
        DELIVERED + "test_what_lies_below_the_checkpoint_is_forgotten_and_the_rest_is_not",
    ),
    "remembers all shards that it ever served": Mutant(
        "delivered.py",
        "while len(self._by_shard) > MOST_SHARDS:",
        "while False:",
        DELIVERED + "test_it_remembers_few_shards_and_forgets_the_one_that_it_served_longest_ago",
    ),
    "takes one event delivered for all": Mutant(
        "delivered.py",
        ".issuperset(sources)",
        ".intersection(sources)",
        DELIVERED + "test_it_knows_whether_all_of_some_events_were_taken",
    ),
    "makes requests that fail wait longer and longer": Mutant(
        "backoff.py",
        "min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(failures - 1, 30))",
        "FIRST_WAIT * 2.0 ** min(failures - 1, 30)",
        BACKOFF + "test_the_wait_doubles_with_each_failure_up_to_a_second",
    ),
    "counts what was delivered before as undelivered": Mutant(
        "outcome.py",
        " + delivered_before\n",
        "\n",
        OUTCOME + "test_each_good_event_is_delivered_rejected_delivered_before_or_undelivered",
    ),
    "sends again what was delivered before": Mutant(
        "processor.py",
        " if each.source not in before)",
        ")",
        PROCESSOR + "test_what_was_delivered_of_records_that_come_again_is_not_sent_again",
    ),
    "reports what was delivered before": Mutant(
        "processor.py",
        "result.rejected.keys() | before\n",
        "result.rejected.keys()\n",
        PROCESSOR + "test_what_was_delivered_of_records_that_come_again_is_not_sent_again",
    ),
    "leaves out what was delivered though its tracker has more": Mutant(
        "processor.py",
        "by_tracker[each.tracking_id].append",
        "by_tracker[str(each.source)].append",
        PROCESSOR + "test_where_its_tracker_has_more_what_was_delivered_is_sent_again",
    ),
    "tries the bucket once in an invocation": Mutant(
        "processor.py",
        "                self._rest_of_bucket.begin(tried, self._clock())\n",
        "                return False\n",
        PROCESSOR + "test_the_bucket_is_tried_again_in_the_same_invocation",
    ),
    "begins a write that may not end in time": Mutant(
        "processor.py",
        "return when + LONGEST_WRITE <= last",
        "return when <= last",
        PROCESSOR + "test_no_write_begins_that_may_not_end_in_time",
    ),
    "does not rest after a bug": Mutant(
        "processor.py",
        "self.outcome.counts[Metric.INTERNAL_ERRORS] or SUSPECT",
        "SUSPECT",
        PROCESSOR + "test_a_failure_of_the_relay_itself_rests_for_longer_each_time_until_an_invocation_is_without",
    ),
    "does not rest after it suspected a tracker": Mutant(
        "processor.py",
        "self.outcome.counts[Metric.INTERNAL_ERRORS] or SUSPECT in result.configuration_errors",
        "self.outcome.counts[Metric.INTERNAL_ERRORS]",
        PROCESSOR + "test_a_suspected_tracker_makes_the_invocation_rest_and_a_bad_record_does_not",
    ),
    "rests for longer than there is time to answer": Mutant(
        "processor.py",
        "min(rest.over, end - SETTLE_MARGIN)",
        "rest.over",
        PROCESSOR + "test_a_rest_leaves_time_to_answer",
    ),
    "sends what lies above a record that it fails on": Mutant(
        "processor.py",
        "for record, parsed in contents if record.position < below]",
        "for record, parsed in contents]",
        PROCESSOR + "test_a_record_that_the_relay_itself_fails_on_is_reported_and_nothing_above_it_is_sent",
    ),
    "takes on any number of events": Mutant(
        "processor.py",
        "if events >= MAX_EVENTS or",
        "if",
        PROCESSOR + "test_an_invocation_takes_on_a_bounded_number_of_events_and_the_rest_comes_again",
    ),
    "forgets the place of a payload": Mutant(
        "parsing.py",
        "        reader.sub_sequence = payload.sub_sequence\n",
        "",
        PARSING + "test_an_event_has_its_source_and_its_id_by_its_place_in_the_record",
    ),
    "lets a bad payload vanish": Mutant(
        "parsing.py",
        "            reader.reject(bad)\n",
        "            pass\n",
        PARSING + "test_a_payload_that_is_bad_as_a_whole_takes_none_of_its_neighbours_with_it",
    ),
    "rejects a payload without its place": Mutant(
        "contract.py",
        "                sub_sequence=self.sub_sequence, index=index,",
        "                index=index,",
        PARSING + "test_what_is_bad_is_rejected_in_its_place_and_under_the_id_it_would_have_had",
    ),
    "rejects an event without its index": Mutant(
        "contract.py",
        "        self.reject(bad, index, _claimed_id",
        "        self.reject(bad, None, _claimed_id",
        PARSING + "test_what_is_bad_is_rejected_in_its_place_and_under_the_id_it_would_have_had",
    ),
    "takes a rejected event for one of a record of one payload": Mutant(
        "contract.py",
        "_claimed_id(given) or self._origin.event_id(self.sub_sequence, index)",
        "_claimed_id(given) or self._origin.event_id((), index)",
        PARSING + "test_what_is_bad_is_rejected_in_its_place_and_under_the_id_it_would_have_had",
    ),
    "rejects the rest of a record for a bad payload": Mutant(
        "parsing.py",
        "            reader.reject(bad)\n",
        "            reader.reject(bad)\n            break\n",
        PARSING + "test_a_payload_that_is_bad_as_a_whole_takes_none_of_its_neighbours_with_it",
    ),
    "gives the payloads of a record one id": Mutant(
        "contract.py",
        "members.identity) or self._origin.event_id(self.sub_sequence, index)",
        "members.identity) or self._origin.event_id((), index)",
    ),
    "gives the events of a payload one id": Mutant(
        "contract.py",
        "members.identity) or self._origin.event_id(self.sub_sequence, index)",
        "members.identity) or self._origin.event_id(self.sub_sequence, None)",
    ),
    "takes the payloads of a record for one source": Mutant(
        "contract.py",
        "Source(self._position, self.sub_sequence, index)",
        "Source(self._position, (), index)",
        PARSING + "test_an_event_has_its_source_and_its_id_by_its_place_in_the_record",
    ),
    "takes the events of a payload for one source": Mutant(
        "contract.py",
        "Source(self._position, self.sub_sequence, index)",
        "Source(self._position, self.sub_sequence)",
    ),
    "leaves the payload's place out of an id": Mutant(
        "events.py",
        "        if sub_sequence:\n            parts.append(dotted(sub_sequence))\n",
        "",
    ),
    "writes the place of a payload without the layers around it": Mutant(
        "events.py",
        '".".join(map(str, sub_sequence))',
        "str(sub_sequence[-1])",
    ),
    "does not count control messages": Mutant(
        "parsing.py",
        "    reader.filtered += [CONTROL_MESSAGE] * framed.control\n",
        "",
        PARSING + "test_a_control_message_is_counted_and_never_rejected",
    ),
    "takes events of several without a time": Mutant(
        "plain.py",
        "        raise ValueError\n",
        "        pass\n",
        PLAIN + "test_an_event_of_several_needs_a_time",
    ),
    "takes a blank for an id": Mutant(
        "members.py",
        '    {"", "null"',
        '    {"null"',
        PLAIN + "test_each_value_of_each_member_is_read_as_the_contract_reads_it",
    ),
    "says of an event without a time that it had one": Mutant(
        "plain.py",
        "sent_at_given=sent_at is not None",
        "sent_at_given=True",
        PLAIN + "test_an_event_without_a_usual_member_is_read_as_the_contract_reads_it",
    ),
    "forgets an event of several that takes a closer look": Mutant(
        "parsing.py",
        "        if usual is None:\n            return ()\n",
        "        if usual is None:\n            continue\n",
        MAPPING
        + "test_an_entry_that_an_expression_cannot_take_is_rejected_in_its_place_and_takes_no_neighbour_with_it",
    ),
    "sends the nulls of an object that a path leads to": Mutant(
        "mapping.py",
        "                            value = _filled(value)\n",
        "                            pass\n",
        MAPPING + "test_the_payload_is_left_as_it_is",
    ),
    "takes the members of one object only": Mutant(
        "paths.py",
        "owners.setdefault(steps[:-1], [])",
        "owners.setdefault((), [])",
        MAPPING + "test_members_are_found_in_any_object_and_are_absent_where_there_is_none",
    ),
    "takes an event beside what it leaves out": Mutant(
        "plain.py",
        "forbid_unknown_fields=True",
        "forbid_unknown_fields=False",
        PLAIN + "test_each_value_of_each_member_is_read_as_the_contract_reads_it",
    ),
    "takes a number that a mapping made of nothing": Mutant(
        "plain.py",
        'else members.number("eventValue", value)',
        "else value",
        PLAIN + "test_numbers_that_only_a_mapping_can_make_are_left_to_the_contract",
    ),
    "gives an event of several no place": Mutant(
        "contract.py",
        "source = Source(self._position, self.sub_sequence, index)",
        "source = Source(self._position)",
        PLAIN + "test_an_event_of_several_keeps_its_place",
    ),
    "takes a placeholder for an id like most": Mutant(
        "members.py",
        "        and value[:1] not in _FIRST_OF_PLACEHOLDERS\n",
        "",
        "tests/test_events.py::test_the_word_for_a_missing_value_is_no_value",
    ),
    "takes a value of let for the name of a rule": Mutant(
        "mapping_file.py",
        "for each in tables for expression in each.values()",
        "for each in tables for key, expression in each.items() if key != 'name'",
        MAPPING + "test_a_value_of_let_may_be_called_name",
    ),
    "forgets the rules behind a mapping's tests": Mutant(
        "mapping_file.py",
        "return before if all(",
        "return before if any(",
        MAPPING_FILE + "test_a_deployed_mapping_has_all_its_rules_wherever_its_tests_stand",
    ),
    "names the first fault by chance": Mutant(
        "contract.py",
        'ADDRESSEE = ("trackingId", "userId", "sessionId")',
        'ADDRESSEE = frozenset(("trackingId", "userId", "sessionId"))',
        PARSING + "test_a_record_gives_the_same_in_every_process",
    ),
    "leaves out of a row what an expression may need": Mutant(
        "expressions.py",
        '{"current", "value_projection"}',
        '{"value_projection"}',
        MAPPING + "test_as_deployed_rows_have_only_the_columns_that_an_expression_may_need",
    ),
    "keeps a lane in the place of its first request": Mutant(
        "lane.py",
        "        if self.requests:\n            self._place",
        "        if not self.requests:\n            self._place",
        LANE + "test_a_lane_sorts_by_the_request_that_comes_next",
    ),
    "decodes a record of any size at once": Mutant(
        "plain.py",
        "if len(data) > MOST_BYTES:",
        "if False:",
        PLAIN + "test_it_leaves_what_may_hold_too_many_values_for_memory",
    ),
    "reads an event of the contract before the mapping does": Mutant(
        "parsing.py",
        "    value = framing.single(data, mapping.rows)\n",
        "    value = framing.single(data, mapping.rows)\n"
        "    if found := plain.read(data, origin, trackers.default):\n        return found\n",
        MAPPING + "test_a_payload_that_does_not_say_so_is_mapped_though_it_looks_like_the_contract",
    ),
    "maps an event that says it is the contract's": Mutant(
        "parsing.py",
        "if value is None or value.get(MARK) == CONTRACT:",
        "if value is None:",
        MAPPING + "test_a_payload_that_says_it_keeps_the_contract_passes_unmapped",
    ),
    "gives the only event of a list no place": Mutant(
        "parsing.py",
        "Source(origin.position, index=place)",
        "Source(origin.position)",
        PRESETS + "test_a_payload_that_is_a_whole_record_gives_what_one_among_others_does",
    ),
    "does not tell what it inflated": Mutant(
        "parsing.py",
        "reader.parsed(framed.inflated)",
        "reader.parsed(0)",
        PROCESSOR + "test_what_an_invocation_inflates_is_bounded_and_the_rest_comes_again",
    ),
    "inflates all that a batch holds": Mutant(
        "processor.py",
        " or inflated >= MAX_INFLATED:",
        ":",
        PROCESSOR + "test_what_an_invocation_inflates_is_bounded_and_the_rest_comes_again",
    ),
    "counts records for events": Mutant(
        "processor.py",
        "events += contents[-1][1].count",
        "events += 1",
        PROCESSOR + "test_the_events_of_an_invocation_are_bounded_over_all_payloads_of_its_records",
    ),
    "takes on any number of bad events": Mutant(
        "events.py",
        "return len(self.interactions) + len(self.rejections) +",
        "return len(self.interactions) +",
        PROCESSOR + "test_the_events_of_an_invocation_are_bounded_over_all_payloads_of_its_records",
    ),
    "drops what it does not take on": Mutant(
        "processor.py",
        "                unsettled.add(position(record))\n                continue\n",
        "                continue\n",
        PROCESSOR + "test_the_events_of_an_invocation_are_bounded_over_all_payloads_of_its_records",
    ),
    "stores rejections as they come": Mutant(
        "processor.py",
        "sorted([*parsed.rejections, *by_service.get(record.position, [])], key=_place)",
        "[*parsed.rejections, *by_service.get(record.position, [])]",
        PROCESSOR + "test_the_rejections_of_a_record_stand_in_the_order_of_its_payloads",
    ),
    "sorts places as texts": Mutant(
        "processor.py",
        "return rejection.sub_sequence, rejection.index or 0",
        "return str(rejection.sub_sequence), rejection.index or 0",
        PROCESSOR + "test_the_rejections_of_a_record_stand_in_the_order_of_its_payloads",
    ),
    "sorts events of a payload as they come": Mutant(
        "processor.py",
        "return rejection.sub_sequence, rejection.index or 0",
        "return rejection.sub_sequence, 0",
        PROCESSOR + "test_rejections_of_the_relay_and_of_personalize_stand_in_one_line_in_order",
    ),
    "stores a payload without its place": Mutant(
        "quarantine.py",
        "dotted(each.sub_sequence) if each.sub_sequence else None",
        "None",
    ),
    "stores a record of one payload as one of several": Mutant(
        "quarantine.py",
        "dotted(each.sub_sequence) if each.sub_sequence else None",
        "dotted(each.sub_sequence)",
    ),
    "loses the place of what Personalize rejects": Mutant(
        "delivery.py",
        "            sub_sequence=source.sub_sequence,\n",
        "",
    ),
    "loses the index of what Personalize rejects": Mutant(
        "delivery.py",
        "            index=source.index,\n",
        "            index=None,\n",
    ),
    "counts records as events received": Mutant(
        "outcome.py",
        "sum(each.count for each in parsed)",
        "len(parsed)",
        PROCESSOR + "test_the_payloads_of_a_record_are_counted_as_events",
    ),
    "does not count what is dropped": Mutant(
        "outcome.py",
        "Metric.EVENTS_FILTERED: len(filtered)",
        "Metric.EVENTS_FILTERED: 0",
        PROCESSOR + "test_the_payloads_of_a_record_are_counted_as_events",
    ),
    "overlooks repeated ids": Mutant(
        "outcome.py",
        "in interactions}) == len(interactions)",
        "in interactions}) <= len(interactions)",
        "tests/test_outcome.py",
    ),
    "does not say which rule dropped a payload": Mutant(
        "outcome.py",
        "        self.filtered.update(filtered)\n",
        "",
        PROCESSOR + "test_the_payloads_of_a_record_are_counted_as_events",
    ),
    "says what a member held": Mutant(
        "contract.py",
        "            self._faults.append(bad.anew())\n",
        "            self._faults.append(InvalidRecord(bad.reason, f'{bad.detail}: {value}'))\n",
        PROCESSOR + "test_nothing_of_a_record_is_in_the_outcome_nor_in_why_it_is_quarantined",
    ),
    "says what broke the relay": Mutant(
        "processor.py",
        "self._fail(Metric.INTERNAL_ERRORS, where(exc))",
        "self._fail(Metric.INTERNAL_ERRORS, str(exc))",
        PROCESSOR + "test_a_record_that_the_relay_itself_fails_on_is_reported_and_nothing_above_it_is_sent",
    ),
    "takes a record for settled once one of its events is": Mutant(
        "processor.py",
        "for each in sources if each not in result.delivered and each not in other}",
        "for each in sources} - {each.sequence_number for each in result.delivered | other}",
    ),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Break a sample of the promises, or all."""
    if "mutant" in metafunc.fixturenames:
        draw = random.Random(3)  # noqa: S311 - a fixed sample
        everything = metafunc.config.getoption("--verify")
        metafunc.parametrize("mutant", MUTANTS if everything else draw.sample([*MUTANTS], SAMPLE))


def test_breaking_a_promise_turns_its_test_red(mutant: str, tmp_path: Path) -> None:
    MUTANTS[mutant].check(tmp_path)


def test_every_mutant_changes_code_that_is_there_and_names_a_test_that_is() -> None:
    assert not outdated(MUTANTS)
