"""`relay status` beside the deployed relay: its figures are what was sent, and its names are the alarms' own."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from local.mapping.invocation import InvocationResult
from local.personalize.answers import THROTTLED, UNAVAILABLE
from local.personalize.faults import Fault
from local.system import System
from personalize_relay_cli.deployment import connect
from personalize_relay_cli.health import readings
from tests.e2e.conftest import PATIENCE, Relay
from tests.e2e.test_relay_doctor import mapping_set
from tests.e2e.versions import function_set

RELAY = str(Path(sys.executable).with_name("relay"))


def port_of(system: System) -> str:
    return system.emulator.endpoint.rpartition(":")[2]


def look(system: System) -> Mapping[str, Any]:
    """What it says of all that was published since the system began, which was less than a day ago."""
    system.cloudwatch.publish()
    command = [RELAY, "status", "--local", "--port", port_of(system), "--format", "json", "--window", "1d"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)  # noqa: S603 - our own command
    seen: Mapping[str, Any] = json.loads(ended.stdout)
    return seen


def rise(before: Mapping[str, Any], after: Mapping[str, Any], *names: str) -> dict[str, float]:
    """How much more a figure is than it was; one without data counts as none."""
    values = [{name: seen["figures"][name]["value"] or 0 for name in names} for seen in (before, after)]
    return {name: values[1][name] - values[0][name] for name in names}


def test_its_figures_are_what_was_sent(relay: Relay) -> None:
    relay.settle()  # what an earlier test has left
    before = look(relay.system)
    relay.put(*(relay.event(number) for number in range(20)), b"bad", relay.event(21, eventType="null"))
    relay.settle()
    after = look(relay.system)

    assert rise(
        before,
        after,
        readings.INCOMING,
        "RecordsReceived",
        "EventsReceived",
        "EventsDelivered",
        "EventsQuarantined",
        "QuarantinedInvalidJson",
        "QuarantinedPlaceholderText",
        "EventsUndelivered",
        "PutEventsCalls",
    ) == {
        readings.INCOMING: 22,
        "RecordsReceived": 22,
        "EventsReceived": 22,
        "EventsDelivered": 20,
        "EventsQuarantined": 2,
        "QuarantinedInvalidJson": 1,
        "QuarantinedPlaceholderText": 1,
        "EventsUndelivered": 0,
        "PutEventsCalls": relay.personalize.call_count,
    }
    assert after["figures"]["DeliveryLag"]["value"] > 0
    assert after["figures"]["EventsDelivered"]["before"] is None, "no data is not 0"
    assert after["mapping"] == "Enabled"
    assert "canary" not in json.dumps(after)


def test_it_reads_each_metric_where_the_stacks_alarms_do(system: System) -> None:
    """Those on metric math name theirs in a template alone; the others are here."""
    deployment = connect(stage="dev", local=True, port=int(port_of(system)), profile=None, region=None)
    # Another test may have deployed another stage.
    made = system.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=deployment.stack)
    names = {each["PhysicalResourceId"] for page in made for each in page["StackResourceSummaries"]}
    pages = system.client("cloudwatch").get_paginator("describe_alarms").paginate()
    alarmed = {
        each["MetricName"]: (each["Namespace"], [(each["Dimensions"][0]["Name"], each["Dimensions"][0]["Value"])])
        for page in pages
        for each in page["MetricAlarms"]
        if "MetricName" in each and each["AlarmName"] in names
    }
    read = {each.name: (each.namespace, [(each.dimension, each.of)]) for each in readings.signals(deployment)}
    both = alarmed.keys() & read.keys()
    assert {"ConfigurationErrors", "IteratorAge", "DroppedEventCount"} <= both
    assert {name: read[name] for name in both} == {name: alarmed[name] for name in both}


def test_a_terminal_that_cant_be_drawn_on_gets_one_look(system: System) -> None:
    terminal, its = pty.openpty()
    command = [RELAY, "status", "--local", "--port", port_of(system)]
    environment = {**os.environ, "TERM": "dumb"}
    shown = b""
    with subprocess.Popen(command, env=environment, stdout=its) as running:  # noqa: S603 - our own command
        os.close(its)
        with suppress(OSError):  # at its end
            while read := os.read(terminal, 4096):
                shown += read
        assert running.wait(PATIENCE) == 0
    os.close(terminal)
    assert b"mapping: Enabled" in shown


def test_a_disabled_mapping_is_shown(system: System) -> None:
    with mapping_set(system, {"Enabled": False}, {"Enabled": True}):
        assert look(system)["mapping"] == "Disabled"


@pytest.mark.whole
def test_a_throttling_api_is_shown(relay: Relay) -> None:
    relay.settle()
    before = look(relay.system)
    relay.personalize.inject(Fault(THROTTLED, times=3))
    relay.put(relay.event(0))
    relay.settle()
    assert rise(before, look(relay.system), "PutEventsThrottles", "EventsDelivered") == {
        "PutEventsThrottles": 3,
        "EventsDelivered": 1,
    }


@pytest.mark.whole
def test_an_outage_is_shown_by_what_comes_again_and_the_code(relay: Relay) -> None:
    relay.settle()
    before = look(relay.system)
    relay.personalize.inject(Fault(UNAVAILABLE))
    with function_set(relay.system, {}, timeout=6):
        relay.put(relay.event(0))
        relay.wait_for_invocation(InvocationResult.PARTIAL)
        after = look(relay.system)
    relay.personalize.clear()
    relay.settle()
    assert rise(before, after, "EventsUndelivered", "EventsDelivered")["EventsUndelivered"] > 0
    assert "ServiceUnavailable" in json.dumps(after["failures"])


@pytest.mark.whole
def test_a_bucket_that_is_not_there_is_shown_by_its_errors_and_the_code(relay: Relay) -> None:
    relay.settle()
    before = look(relay.system)
    with function_set(relay.system, {"QUARANTINE_BUCKET": "a-bucket-that-is-not-there"}, timeout=6):
        relay.put(b"bad")
        relay.wait_for_invocation(InvocationResult.PARTIAL)
        after = look(relay.system)
    relay.settle()
    assert rise(before, after, "QuarantineWriteErrors")["QuarantineWriteErrors"] > 0
    assert "NoSuchBucket" in json.dumps(after["failures"])
