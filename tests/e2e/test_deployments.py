"""Deploying, updating and destroying: what is in flight is kept, and nothing stays behind that should not."""

import platform
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.emulator.clients import FUNCTION_CREDENTIALS
from local.emulator.emulator import Emulator
from local.mapping.clock import Pauses
from local.mapping.invocation import InvocationResult
from local.mapping.mapping import EventSourceMapping
from local.personalize.faults import Delay, Fault
from local.personalize.server import PersonalizeFake
from local.system import ARCHITECTURES, TRACKER
from tests.e2e.account import CONTEXT, Account, assemble
from tests.e2e.conftest import PATIENCE
from tests.e2e.traffic import Producer, next_batches

HERE = {"architecture": ARCHITECTURES[platform.machine()]}
GIVEN = HERE | {"trackingId": TRACKER}
OF_PROD = {name: value for name, value in CONTEXT["stages"]["prod"].items() if value is not None} | {
    "memoryMb": 1024,
    "timeoutSeconds": 30,
    "batchSize": 20,
    "batchWindowSeconds": 0,
    "maxRecordAgeMinutes": 600,
    "streamRetentionHours": 72,
    "quarantineExpiryDays": 60,
    "parallelization": 2,
    "bisectOnError": False,
    "maxInFlight": 8,
    "putEventsClient": "boto3",
    "allowedTrackingIds": "another",
    "logLevel": "WARNING",
    "alarmEmail": "somebody@example.com",
}
"""What the prod stage sets, and what it might: dev has another value for each.

Left out is what the events of this test would not pass (`mapping`, `shadow`, another tracker), this machine
(`architecture`) or the emulator (`vpc`, `streamShards`).
"""
VARIANTS: dict[str, dict[str, Any]] = {
    "dev": {"stage": "dev", **GIVEN},
    "dev-as-prod": {"stage": "dev", **GIVEN, **OF_PROD},
    "dev-with-tracker": {"stage": "dev", **HERE, "datasetGroup": "shop"},
    "prod": {"stage": "prod", **GIVEN},
    "prod-with-key": {"stage": "prod", **GIVEN, "customerKey": True, "terminationProtection": False},
}

type Variants = Callable[[str], Path]


@pytest.fixture(scope="module")
def variants(tmp_path_factory: pytest.TempPathFactory) -> Variants:
    """The assembly of each variant, written when it is first asked for."""
    folder = tmp_path_factory.mktemp("assemblies")

    def assembly(name: str) -> Path:
        written = folder / name
        return written if written.exists() else assemble(written, VARIANTS[name])

    return assembly


@pytest.fixture(scope="module")
def trackers() -> list[str]:
    """The trackers that Personalize knows; a test may add one that its stack made."""
    return [TRACKER]


@pytest.fixture(scope="module")
def personalize(trackers: list[str]) -> Iterator[PersonalizeFake]:
    """The fake that the functions of these stacks call."""
    with PersonalizeFake(trackers=trackers, credentials=FUNCTION_CREDENTIALS) as running:
        yield running


@pytest.fixture(scope="module")
def bootstrapped(
    personalize: PersonalizeFake, variants: Variants, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Account]:
    """An account of this file's own, prepared for deployments."""
    with Emulator({"AWS_ENDPOINT_URL_PERSONALIZE_EVENTS": personalize.endpoint}) as emulator:
        account = Account(emulator, tmp_path_factory.mktemp("cdk"))
        account.bootstrap(variants("dev"))
        yield account


@pytest.fixture
def account(bootstrapped: Account, personalize: PersonalizeFake) -> Iterator[Account]:
    """The account, with no stack of the dev stage before the test or after it."""
    personalize.forget()
    yield bootstrapped
    personalize.clear()
    # What a failed test put there stops the deletion, and with it the next test.
    for bucket in (name for kind, name in bootstrapped.holds() if kind == "bucket" and "relay-dev" in name):
        bootstrapped.empty(bucket)
    bootstrapped.delete("dev")


def mapping_of(account: Account, outputs: dict[str, str]) -> EventSourceMapping:
    pace = Pauses(poll_seconds=0.05, discover_seconds=0.1)
    return EventSourceMapping(outputs["EventSourceMappingId"], account.emulator.client, pace)


def live(outputs: dict[str, str]) -> str:
    """The function as the mapping invokes it."""
    return f"{outputs['FunctionName']}:{outputs['AliasName']}"


def versions_of(account: Account, outputs: dict[str, str]) -> tuple[str, list[str]]:
    """The version that is live, and all that are published."""
    functions, name = account.client("lambda"), outputs["FunctionName"]
    alias = functions.get_alias(FunctionName=name, Name=outputs["AliasName"])
    listed = functions.list_versions_by_function(FunctionName=name)["Versions"]
    return alias["FunctionVersion"], [each["Version"] for each in listed if each["Version"] != "$LATEST"]


def settings_of(account: Account, outputs: dict[str, str]) -> dict[str, Any]:
    """What the services say of the settings in OF_PROD that they keep."""
    mapping = account.client("lambda").get_event_source_mapping(UUID=outputs["EventSourceMappingId"])
    function = account.client("lambda").get_function_configuration(FunctionName=live(outputs))
    stream = account.client("kinesis").describe_stream_summary(StreamName=outputs["StreamName"])
    (group,) = account.client("logs").describe_log_groups(logGroupNamePrefix=outputs["LogGroupName"])["logGroups"]
    return {
        "memoryMb": function["MemorySize"],
        "timeoutSeconds": function["Timeout"],
        "batchSize": mapping["BatchSize"],
        "batchWindowSeconds": mapping["MaximumBatchingWindowInSeconds"],
        "maxRecordAgeMinutes": mapping["MaximumRecordAgeInSeconds"] // 60,
        "streamRetentionHours": stream["StreamDescriptionSummary"]["RetentionPeriodHours"],
        "parallelization": mapping["ParallelizationFactor"],
        "bisectOnError": mapping["BisectBatchOnFunctionError"],
        "maxInFlight": int(function["Environment"]["Variables"]["MAX_IN_FLIGHT"]),
        "putEventsClient": function["Environment"]["Variables"]["PUT_EVENTS_CLIENT"],
        "allowedTrackingIds": function["Environment"]["Variables"]["ALLOWED_TRACKING_IDS"],
        "logLevel": function["Environment"]["Variables"]["LOG_LEVEL"],
        "logRetention": {7: "ONE_WEEK", 90: "THREE_MONTHS"}[group["retentionInDays"]],
    }


@pytest.mark.whole
def test_an_update_to_prods_settings_and_back_loses_no_record_in_flight(
    account: Account, variants: Variants, personalize: PersonalizeFake
) -> None:
    """Nothing is replaced, the mapping goes on where it stood, and only what a killed invocation had comes again."""
    personalize.inject(Fault(Delay(0.1)))  # so that something is always in flight
    outputs = account.deploy(variants("dev"))
    made, of_dev = account.resources("dev"), settings_of(account, outputs)
    with mapping_of(account, outputs) as mapping:
        with Producer(account, outputs["StreamName"]) as producer:
            assert max(next_batches(mapping, 8)) > 20
            account.deploy(variants("dev-as-prod"))
            assert mapping.wait_until(lambda: mapping.settings.batch_size == 20, PATIENCE)
            of_prod = settings_of(account, outputs)
            functions = account.client("lambda")
            functions.update_alias(FunctionName=outputs["FunctionName"], Name=outputs["AliasName"], FunctionVersion="1")
            assert max(next_batches(mapping, 16)) == 20
            account.deploy(variants("dev"))
            assert mapping.wait_until(lambda: mapping.settings.batch_size > 20, PATIENCE)
            # Of each shard as many as `parallelization` may have been under way.
            assert max(next_batches(mapping, 16)) > 20
        assert mapping.wait_until_drained(PATIENCE)

    again = sum(each.count - 1 for each in personalize.accepted.values())
    assert personalize.accepted.keys() == set(producer.produced)
    assert again <= sum(each.count for each in mapping.invocations if each.result is not InvocationResult.SUCCEEDED)
    assert mapping.counters.read == mapping.counters.acknowledged == len(producer.produced)
    assert account.resources("dev") == made
    assert versions_of(account, outputs) == ("3", ["1", "2", "3"])  # though it was rolled back in between
    assert of_prod == {name: OF_PROD[name] for name in of_prod}
    assert settings_of(account, outputs) == of_dev


@pytest.mark.whole
def test_a_destroyed_dev_stack_leaves_nothing_once_its_buckets_are_empty(account: Account, variants: Variants) -> None:
    before = account.holds()
    outputs = account.deploy(variants("dev"))
    account.client("s3").put_object(Bucket=outputs["BucketName"], Key="quarantine/bad", Body=b"kept")
    destroy = f"--force --app {variants('dev')}"
    with mapping_of(account, outputs) as mapping:
        status, printed = account.make("destroy", "dev", destroy)
        assert status, printed
        assert mapping.wait_until(lambda: mapping.deleted, PATIENCE)
    kept = dict(account.holds() - before)
    assert kept["stack"] == "personalize-relay-dev"
    assert kept.keys() <= {"stack", "bucket"}
    account.empty(outputs["BucketName"])
    status, printed = account.make("destroy", "dev", destroy)
    assert not status, printed
    assert account.holds() == before


@pytest.mark.whole
def test_a_destroyed_prod_stack_leaves_its_data_and_nothing_else(account: Account, variants: Variants) -> None:
    """The stream, both buckets, still closed, the log, and a key that was added later.

    First the stack has to be told that it may go.
    """
    before = account.holds()
    account.deploy(variants("prod"))
    made = account.resources("prod")
    status, printed = account.make("destroy", "prod", f"--force --app {variants('prod')}")
    assert status
    assert "TerminationProtection is enabled" in printed
    outputs = account.deploy(variants("prod-with-key"))
    assert account.resources("prod").items() >= made.items()
    status, printed = account.make("destroy", "prod", f"--force --app {variants('prod-with-key')}")
    assert not status, printed
    left = sorted(account.holds() - before)
    assert [kind for kind, _ in left] == ["bucket", "bucket", "key", "log group", "stream"]
    assert {outputs[name] for name in ("BucketName", "LogGroupName", "StreamName")} <= {name for _, name in left}
    assert "Deny" in account.client("s3").get_bucket_policy(Bucket=outputs["BucketName"])["Policy"]


def test_a_stack_that_makes_its_own_tracker_records_events_with_it(
    account: Account, variants: Variants, personalize: PersonalizeFake, trackers: list[str]
) -> None:
    """The tracker is none, and said to be; its id reaches the function all the same."""
    outputs = account.deploy(variants("dev-with-tracker"))
    kinds = [kind for kind in account.emulator.only_accepted() if "Personalize" in kind]
    assert sorted(kinds) == [
        f"AWS::Personalize::{kind}" for kind in ("Dataset", "DatasetGroup", "EventTracker", "Schema")
    ]
    function = account.client("lambda").get_function_configuration(FunctionName=live(outputs))
    trackers.append(function["Environment"]["Variables"]["TRACKING_ID"])
    Producer(account, outputs["StreamName"]).put("event")
    with mapping_of(account, outputs) as mapping:
        assert mapping.wait_until_drained(PATIENCE)
    assert [each.tracking_id for each in personalize.accepted.values()] == trackers[-1:]


@pytest.mark.whole
def test_diff_shows_nothing_right_after_a_deployment_and_else_what_would_change(
    account: Account, variants: Variants, tmp_path: Path
) -> None:
    """Nor does app.py write anything else than what these tests deploy."""
    account.deploy(variants("dev"))
    given = " ".join(f"-c {name}={value}" for name, value in GIVEN.items())
    status, printed = account.make("diff", "dev", f"--fail --output {tmp_path} {given}")
    assert not status, printed
    assert "There were no differences" in printed
    status, printed = account.make("diff", "dev", f"--fail --app {variants('dev-as-prod')}")
    assert status, printed
    assert "BatchSize" in printed
