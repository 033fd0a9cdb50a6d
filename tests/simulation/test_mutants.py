"""The promises are really guarded: break one on purpose, and their test goes red."""

import subprocess
import sys
from pathlib import Path
from shutil import copytree
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = Path("lambda/personalize_relay")

PROMISES = "tests/simulation/test_promises.py"
PROBATION = "tests/test_probation.py::"
TURNS = "tests/test_turns.py::"
SUSPICION = "tests/test_suspicion.py::"
DELIVERY = "tests/test_delivery.py::"
PROCESSOR = "tests/test_processor.py::"


class Mutant(NamedTuple):
    """Code of a file, what stands there instead, and the test that goes red."""

    file: str
    code: str
    instead: str
    test: str = PROMISES


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
        "            return position\n",
        "            return __import__('uuid').uuid4().hex\n",
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
        "(1 if self.denied else most)",
        "most",
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
        "age > trial.patience and now - self._began >= trial.seconds",
        "age > trial.patience",
        SUSPICION + "test_an_old_event_is_given_up_once_it_has_failed_for_a_while",
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
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_breaking_a_promise_turns_its_test_red(mutant: str, tmp_path: Path) -> None:
    file, code, instead, test = MUTANTS[mutant]
    copytree(ROOT / PACKAGE, tmp_path / PACKAGE)
    source = (tmp_path / PACKAGE / file).read_text()
    assert code in source, f"{file} no longer holds the code that this mutant changes"
    (tmp_path / PACKAGE / file).write_text(source.replace(code, instead))

    path = f"pythonpath={tmp_path / 'lambda'} {ROOT}"
    options = ["-x", "-q", "--no-header", "-p", "no:cacheprovider", "--hypothesis-profile=mutant", "-o", path]
    run = subprocess.run(  # noqa: S603 - our own tests
        [sys.executable, "-m", "pytest", *options, test],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert run.returncode == pytest.ExitCode.TESTS_FAILED, run.stdout[-2000:]
    assert "AssertionError" in run.stdout, run.stdout[-2000:]
