"""Deploying, updating and destroying: what is in flight is kept, and nothing stays behind that should not."""

import json
import platform
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.changes import LATER
from local.emulator.clients import ACCOUNT, FUNCTION_CREDENTIALS, REGION
from local.emulator.emulator import Emulator
from local.mapping.clock import Pauses
from local.mapping.invocation import InvocationResult
from local.mapping.mapping import EventSourceMapping
from local.personalize.faults import Delay, Fault
from local.personalize.server import PersonalizeFake
from local.system import ARCHITECTURES, TRACKER
from tests.e2e.account import CONTEXT, Account, assemble
from tests.e2e.conftest import PATIENCE
from tests.e2e.traffic import BURST, Producer, next_batches

HERE = {"architecture": ARCHITECTURES[platform.machine()]}
GIVEN = HERE | {"trackingId": TRACKER}
(NOT_HERE,) = {"arm64", "x86_64"} - set(HERE.values())
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
"""What the prod stage sets, and what it might: dev has another value for each."""
OTHER_TRACKER = "00000000-0000-0000-0000-000000000002"
PARAMETER = "/shop/tracking-id"
MAPPING = Path(__file__).with_name("by_mapping.toml")
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:"
THE_REST = {
    "trackingId": None,
    "trackingIdParameter": PARAMETER,
    "mapping": str(MAPPING),
    "mappingSalt": "a-salt-for-hashes",
    "streamShards": 8,
    "producerArns": f"arn:aws:iam::{ACCOUNT}:role/web",
    "reservedConcurrency": 50,
    "vpc": True,
    "silenceMinutes": 30,
    "freshnessMinutes": 5,
    "pageTopicArn": f"{TOPIC}pages",
    "ticketTopicArn": f"{TOPIC}tickets",
    "runbookUrl": "https://example.com/runbook",
    "terminationProtection": True,
}
"""All other settings that may change at any time; `architecture` and `shadow` have tests of their own below."""
VARIANTS: dict[str, dict[str, Any]] = {
    "dev": {"stage": "dev", **GIVEN},
    "dev-as-prod": {"stage": "dev", **GIVEN, **OF_PROD},
    "dev-with-tracker": {"stage": "dev", **HERE, "datasetGroup": "shop"},
    "dev-with-the-rest": {"stage": "dev", **HERE, **THE_REST},
    "dev-leaving": {"stage": "dev", **GIVEN, "vpc": "leaving"},
    "dev-elsewhere": {"stage": "dev", **GIVEN, "architecture": NOT_HERE},
    "dev-in-shadow": {"stage": "dev", **GIVEN, "shadow": True},
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


def rest_of(account: Account, outputs: dict[str, str]) -> dict[str, Any]:
    """What the services say of the settings in THE_REST that they keep."""
    functions, kinesis, name = account.client("lambda"), account.client("kinesis"), outputs["FunctionName"]
    function = functions.get_function_configuration(FunctionName=live(outputs))
    stream = kinesis.describe_stream_summary(StreamName=outputs["StreamName"])["StreamDescriptionSummary"]
    policy = json.loads(kinesis.get_resource_policy(ResourceARN=stream["StreamARN"])["Policy"])
    concurrency = functions.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
    given = function["Environment"]["Variables"]
    return {
        "trackingId": given["TRACKING_ID"],
        "mappingSalt": given.get("MAPPING_SALT"),
        "streamShards": stream["OpenShardCount"],
        "producerArns": policy["Statement"][0]["Principal"]["AWS"] if policy else None,
        "reservedConcurrency": concurrency,
        "vpc": bool(function.get("VpcConfig", {}).get("SubnetIds")),
        "pageTopicArn": outputs["PageTopicArn"],
        "ticketTopicArn": outputs["TicketTopicArn"],
        "terminationProtection": account.is_protected("dev"),
    }


@pytest.mark.whole
def test_an_update_to_all_the_other_settings_and_back_loses_no_record_in_flight(
    account: Account, variants: Variants, personalize: PersonalizeFake, trackers: list[str]
) -> None:
    """The tracker, the form of the events, the shards and the network: each record is delivered by one or the other.

    The network is left by way of `leaving`, and the shards are halved again.
    """
    account.client("ssm").put_parameter(Name=PARAMETER, Value=OTHER_TRACKER, Type="String")
    trackers.append(OTHER_TRACKER)
    personalize.inject(Fault(Delay(0.1)))
    outputs = account.deploy(variants("dev"))
    made, of_dev = account.resources("dev"), rest_of(account, outputs)
    with mapping_of(account, outputs) as mapping:
        with Producer(account, outputs["StreamName"]) as producer:
            next_batches(mapping, 8)
            shards = {each.shard for each in mapping.invocations}
            with_the_rest = rest_of(account, account.deploy(variants("dev-with-the-rest")))
            assert mapping.wait_until(lambda: {each.shard for each in mapping.invocations} > shards, PATIENCE)
            delivered = personalize.accepted_count
            assert mapping.wait_until(lambda: personalize.accepted_count > delivered + 10 * BURST, PATIENCE)
            account.deploy(variants("dev-leaving"))
            account.deploy(variants("dev"))
            next_batches(mapping, 16)
        assert mapping.wait_until_drained(PATIENCE)

    again = sum(each.count - 1 for each in personalize.accepted.values())
    assert personalize.accepted.keys() == set(producer.produced)
    assert again <= sum(each.count for each in mapping.invocations if each.result is not InvocationResult.SUCCEEDED)
    assert mapping.counters.read == mapping.counters.acknowledged == len(producer.produced)
    users = {tracker: set[str | None]() for tracker in (TRACKER, OTHER_TRACKER)}
    for each in personalize.accepted.values():
        users[each.tracking_id].add(each.user_id)
    (hashed,) = users.pop(OTHER_TRACKER) - {"u"}
    assert users == {TRACKER: {"u"}}
    assert len(hashed or "") > len("u")
    assert with_the_rest == {name: THE_REST[name] for name in with_the_rest} | {"trackingId": OTHER_TRACKER}
    assert rest_of(account, outputs) == of_dev
    assert account.resources("dev") == made


@pytest.mark.whole
def test_a_function_for_another_processor_fails_and_loses_nothing(
    account: Account, variants: Variants, personalize: PersonalizeFake
) -> None:
    """Its libraries can't be loaded on this machine; once it is deployed for this one, all is delivered in order."""
    outputs = account.deploy(variants("dev-elsewhere"))
    with mapping_of(account, outputs) as mapping:
        with Producer(account, outputs["StreamName"]) as producer:
            assert mapping.wait_until(lambda: len(mapping.invocations) >= 8, PATIENCE)
            failed = {each.result for each in mapping.invocations}
            account.deploy(variants("dev"))
            next_batches(mapping, 16)
        assert mapping.wait_until_drained(PATIENCE)
    assert failed == {InvocationResult.FUNCTION_ERROR}
    assert personalize.accepted.keys() == set(producer.produced)
    for session in personalize.sessions.values():
        assert list(session) == sorted(session, key=producer.produced.index)


@pytest.mark.whole
def test_a_stack_out_of_shadow_delivers_every_record_from_then_on(
    account: Account, variants: Variants, personalize: PersonalizeFake
) -> None:
    """Until then none; of a record that was read in shadow, nothing is delivered later."""
    outputs = account.deploy(variants("dev-in-shadow"))
    with mapping_of(account, outputs) as mapping:
        with Producer(account, outputs["StreamName"]) as producer:
            next_batches(mapping, 8)
            assert not personalize.accepted
            account.deploy(variants("dev"))
            since = len(producer.produced)
            next_batches(mapping, 16)
        assert mapping.wait_until_drained(PATIENCE)
    assert set(producer.produced[since:]) <= personalize.accepted.keys() < set(producer.produced)
    assert mapping.counters.acknowledged == len(producer.produced)


def test_every_setting_that_may_change_at_any_time_is_changed_under_load() -> None:
    """By the tests of this file."""
    free = {name for name, later in LATER.items() if not later.judge}
    assert free - OF_PROD.keys() - THE_REST.keys() == {"architecture"}
    assert all(VARIANTS["dev"].get(name) != value for name, value in THE_REST.items())


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
