"""Updating: every setting that may change at any time is changed while events keep coming, and nothing is lost."""

import json
from typing import Any

import pytest

from infra.changes import LATER
from local.mapping.invocation import InvocationResult
from local.mapping.mapping import EventSourceMapping
from local.personalize.faults import Delay, Fault
from local.personalize.memory import NO_ANSWER
from local.personalize.server import PersonalizeFake
from local.system import TRACKER
from tests.e2e.account import Account
from tests.e2e.conftest import PATIENCE
from tests.e2e.deployments.variants import (
    OF_PROD,
    OTHER_TRACKER,
    PARAMETER,
    THE_REST,
    VARIANTS,
    Variants,
    live,
    mapping_of,
)
from tests.e2e.traffic import BURST, Producer, next_batches


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
    assert again <= may_come_again(mapping, personalize)
    assert mapping.counters.read == mapping.counters.acknowledged == len(producer.produced)
    assert account.resources("dev") == made
    assert versions_of(account, outputs) == ("3", ["1", "2", "3"])  # though it was rolled back in between
    assert of_prod == {name: OF_PROD[name] for name in of_prod}
    assert settings_of(account, outputs) == of_dev


def may_come_again(mapping: EventSourceMapping, personalize: PersonalizeFake) -> int:
    """Events of invocations that failed, and of calls that the function gave up: on a busy machine some time out."""
    failed = [each for each in mapping.invocations if each.result is not InvocationResult.SUCCEEDED]
    given_up = [each for each in personalize.calls if each.error == NO_ANSWER]
    return sum(each.count for each in failed) + sum(len(each.event_ids) for each in given_up)


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
    assert again <= may_come_again(mapping, personalize)
    assert mapping.counters.read == mapping.counters.acknowledged == len(producer.produced)
    users = {tracker: set[str | None]() for tracker in (TRACKER, OTHER_TRACKER)}
    for each in personalize.accepted.values():
        users[each.tracking_id].add(each.user_id)
    (hashed,) = users.pop(OTHER_TRACKER) - {"u"}
    assert users == {TRACKER: {"u"}}
    assert len(hashed or "") > len("u")
    assert with_the_rest == {name: THE_REST[name] for name in with_the_rest} | {"trackingId": OTHER_TRACKER}
    assert rest_of(account, outputs) == of_dev
    # Its topics come anew, after those that it was given.
    assert lasting(account.resources("dev")) == lasting(made)


def lasting(resources: dict[str, str]) -> dict[str, str]:
    """Those that no change of a setting may replace."""
    return {name: made for name, made in resources.items() if "Topic" not in name}


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
