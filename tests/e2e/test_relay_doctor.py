"""`relay doctor` beside the deployed relay: nothing is wrong with a healthy one, and each fault is pointed at."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest

from infra.retries import retry_attempts
from local.emulator.clients import CREDENTIALS, REGION
from local.mapping.invocation import InvocationResult
from local.system import System
from tests.e2e.conftest import PATIENCE, Relay, limit_retries
from tests.e2e.versions import function_set

RELAY = str(Path(sys.executable).with_name("relay"))
HERE = ("tracker", "alarms")
"""What can't be checked whole on this machine."""
RETRIES = retry_attempts(max_record_age_seconds=43_200, timeout_seconds=10)
"""What the stack sets for the mapping of these tests."""


class Told:
    """What a run of `relay doctor` said."""

    def __init__(self, ended: subprocess.CompletedProcess[str]) -> None:
        self.status = ended.returncode
        self.printed = ended.stdout + ended.stderr
        self.findings: list[dict[str, str]] = json.loads(ended.stdout)["findings"]

    def of(self, state: str) -> dict[str, str]:
        """What is so, by check."""
        return {each["check"]: each["says"] for each in self.findings if each["state"] == state}

    def shows_only(self, faults: Mapping[str, str]) -> None:
        """It points at these checks, with these words, and at no other."""
        assert list(self.faults) == list(faults), self.printed
        for check, says in faults.items():
            assert says in self.faults[check]

    @property
    def alarms_on(self) -> list[str]:
        """What it says of each alarm that is on."""
        return [each["says"] for each in self.findings if (each["check"], each["state"]) == ("alarms", "wrong")]

    @property
    def faults(self) -> dict[str, str]:
        """What is wrong, but for the alarms, which other tests set off."""
        return {check: says for check, says in self.of("wrong").items() if check != "alarms"}


def run(*words: str, **environment: str) -> Told:
    """Run it; the environment has nothing of AWS but what is given."""
    command = [RELAY, "doctor", "--format", "json", *words]
    clean = {"HOME": "/nonexistent", "PATH": os.defpath, "AWS_EC2_METADATA_DISABLED": "true"}
    inherited = {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}
    return Told(
        subprocess.run(  # noqa: S603 - our own command
            command,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env=clean | inherited | environment,
        )
    )


def examine(system: System, *words: str) -> Told:
    return run("--local", "--port", system.emulator.endpoint.rpartition(":")[2], *words)


def on_aws(system: System, **environment: str) -> Told:
    """Without --local, by the variables that name credentials and endpoints."""
    return run("--region", REGION, AWS_ENDPOINT_URL=system.emulator.endpoint, **CREDENTIALS, **environment)


def status(system: System) -> str:
    """What `relay status` shows of it."""
    command = [RELAY, "status", "--local", "--port", system.emulator.endpoint.rpartition(":")[2]]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)  # noqa: S603 - our own command
    return ended.stdout


@pytest.fixture(scope="module", autouse=True)
def as_deployed(system: System) -> Iterator[None]:
    """The mapping with the retries that the stack set, which the other tests lower as an operator may."""
    usual = system.mapping.settings.max_retries
    assert usual is not None
    limit_retries(system, RETRIES)
    yield
    limit_retries(system, usual)


@contextmanager
def mapping_set(system: System, changed: Mapping[str, Any], restored: Mapping[str, Any]) -> Iterator[None]:
    """The mapping with other settings for a while."""
    functions, uuid = system.client("lambda"), system.outputs["EventSourceMappingId"]
    try:
        functions.update_event_source_mapping(UUID=uuid, **changed)
        yield
    finally:
        functions.update_event_source_mapping(UUID=uuid, **restored)


@contextmanager
def refusing(code: str) -> Iterator[str]:
    """An endpoint that refuses every request with this code, as the services with XML do."""

    class Refusal(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = (
                f"<ErrorResponse><Error><Code>{code}</Code><Message>secret</Message></Error></ErrorResponse>".encode()
            )
            self.send_response(403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusal) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def test_nothing_is_wrong_with_a_healthy_relay_and_a_test_event_goes_through(relay: Relay) -> None:
    relay.put(relay.event(0))
    relay.settle()
    relay.system.cloudwatch.publish()
    told = examine(relay.system, "--send-event", "--yes")

    assert not told.faults, told.printed
    assert told.status == int(bool(told.alarms_on))
    assert set(told.of("unknown")) == set(HERE)
    assert "can't be checked here" in told.of("unknown")["tracker"]
    assert "records in the last hour" in told.of("ok")["arrivals"]
    assert told.of("ok")["test event"].startswith("delivered")
    (sent,) = [each for each in relay.personalize.accepted.values() if each.event["eventType"] == "relay-doctor"]
    assert sent.session_id not in told.printed
    assert "canary" not in told.printed


@pytest.mark.parametrize(
    ("changed", "restored", "faults"),
    [
        ({"Enabled": False}, {"Enabled": True}, {"mapping": "nothing is read from the stream"}),
        (
            {"FunctionResponseTypes": [], "BisectBatchOnFunctionError": False},
            {"FunctionResponseTypes": ["ReportBatchItemFailures"], "BisectBatchOnFunctionError": True},
            {"partial batches": "failed records are lost", "bisect": "takes its whole batch along"},
        ),
        (
            {"MaximumRetryAttempts": 10, "MaximumRecordAgeInSeconds": 172_800},
            {"MaximumRetryAttempts": RETRIES, "MaximumRecordAgeInSeconds": 43_200},
            {
                "retries": f"10, and the stack set {RETRIES}: what fails is given up before its record age",
                "retention": "keeps a record for 48 h, and the mapping gives it up after 48 h",
            },
        ),
    ],
)
def test_a_wrong_setting_of_the_mapping_is_pointed_at(
    system: System, changed: Mapping[str, Any], restored: Mapping[str, Any], faults: Mapping[str, str]
) -> None:
    with mapping_set(system, changed, restored):
        told = examine(system)
    assert told.status == 1
    told.shows_only(faults)


@pytest.mark.parametrize(
    ("changed", "faults"),
    [
        ({"TRACKING_ID": ""}, {"settings": "the function can't start: TRACKING_ID must be set"}),
        (
            {"QUARANTINE_BUCKET": "a-bucket-that-is-not-there"},
            {"bucket": "a-bucket-that-is-not-there, which is not there", "role": "a-bucket-that-is-not-there"},
        ),
    ],
)
def test_a_wrong_variable_of_the_function_is_pointed_at(
    system: System, changed: Mapping[str, str], faults: Mapping[str, str]
) -> None:
    with function_set(system, changed):
        told = examine(system)
    assert told.status == 1
    told.shows_only(faults)


@pytest.mark.whole
def test_a_tracker_that_personalize_does_not_know_is_told_by_the_last_batch_and_by_status(relay: Relay) -> None:
    with function_set(relay.system, {"TRACKING_ID": "unknown-tracker"}, timeout=6):
        relay.put(relay.event(0))
        relay.wait_for_invocation(InvocationResult.PARTIAL)
        relay.system.cloudwatch.publish()
        told, screen = examine(relay.system), status(relay.system)
    relay.settle()
    assert relay.delivered() == ["canary-item-0"]

    assert told.status == 1
    told.shows_only({"last batch": "failed with ResourceNotFoundException"})
    assert any("AlarmsConfigurationErrors" in says for says in told.alarms_on)
    (line,) = [line for line in screen.splitlines() if line.startswith("configuration errors")]
    assert int(line.split("\u2502")[1]) > 0
    assert line.split("\u2502")[2].strip() in {"-", "0"}, "none before; or no data, in a run of a quarter of an hour"
    assert "ResourceNotFoundException" in screen
    assert "page ConfigurationErrors: Access, credentials or the tracker is wrong." in screen
    assert "canary" not in told.printed + screen


def test_a_topic_that_nobody_subscribes_to_is_a_warning(system: System) -> None:
    """As both are after a deployment that names no address; who has subscribed to the other isn't said."""
    sns, topic = cast("Callable[[str], Any]", system.client)("sns"), system.outputs["PageTopicArn"]
    subscribed = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="canary@example.com")
    try:
        told = examine(system)
    finally:
        sns.unsubscribe(SubscriptionArn=subscribed["SubscriptionArn"])
    assert told.of("ok")["pages"] == f"1 subscribed to {topic}"
    assert system.outputs["TicketTopicArn"] in told.of("warning")["tickets"]
    assert "canary" not in told.printed


def test_a_role_that_may_not_put_events_is_pointed_at(system: System) -> None:
    functions, iam = system.client("lambda"), system.client("iam")
    name = functions.get_function_configuration(FunctionName=system.function)["Role"].rpartition("/")[2]
    right = json.dumps(iam.get_role_policy(RoleName=name, PolicyName="Relay")["PolicyDocument"])
    try:
        iam.put_role_policy(
            RoleName=name, PolicyName="Relay", PolicyDocument=right.replace("personalize:PutEvents", "personalize:Get*")
        )
        told = examine(system)
    finally:
        iam.put_role_policy(RoleName=name, PolicyName="Relay", PolicyDocument=right)
    told.shows_only({"role": "may not personalize:PutEvents"})


def test_a_stage_that_is_not_deployed_is_pointed_at_and_the_rest_waits(system: System) -> None:
    told = examine(system, "--stage", "nowhere")
    assert told.status == 1
    assert told.of("wrong") == {"stack": "personalize-relay-nowhere is not there"}
    assert list(told.of("ok")) == ["credentials"]
    assert told.of("unknown")["stream"] == "can't be checked here: the stack must be right first"


def test_without_credentials_that_alone_is_wrong() -> None:
    told = run("--region", REGION)
    assert told.status == 1
    assert list(told.of("wrong")) == ["credentials"]
    assert told.of("unknown")["stack"] == "can't be checked here: the credentials must be right first"


def test_credentials_that_are_not_known_are_pointed_at(system: System) -> None:
    with refusing("InvalidClientTokenId") as sts:
        told = on_aws(system, AWS_ENDPOINT_URL_STS=sts)
    assert told.status == 1
    assert next(iter(told.of("wrong"))) == "credentials"
    assert "InvalidClientTokenId" in told.of("wrong")["credentials"]
    assert "secret" not in told.printed
