"""Every setting is checked at synth, and a wrong one says its name, its range and where to set it."""

import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.aws_logs import RetentionDays

from infra.allowed import LONGEST_SILENCE
from infra.refusal import InvalidSetting
from infra.settings import StackSettings
from infra.settings_table import table
from infra.watches import VERY_LATE
from personalize_relay.settings import MAX_IN_FLIGHT_CEILING
from tests.infra.conftest import ROOT

GIVEN = {"stage": "dev", "stages": {"dev": {"trackingId": "tracker"}}}
STREAM_ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"
KEY_ARN = "arn:aws:kms:eu-west-1:123456789012:key/0b9c2f6e-1111-2222-3333-444455556666"
PRODUCER_ARN = "arn:aws:iam::123456789012:role/web"
TOPIC_ARN = "arn:aws:sns:eu-west-1:123456789012:alarms"

WRONG: dict[str, list[Any]] = {
    "trackingId": ["", "two words", "a,b", "x" * 257],
    "trackingIdParameter": ["", "two words"],
    "datasetGroup": ["", "-shop", "x" * 51],
    "datasetGroupDomain": ["ecommerce", "CUSTOM"],
    "interactionFields": [
        *("DEVICE", "device:string", "DEVICE:text", "DEVICE:string,PRICE", "USER_ID:string", "USERID:string"),
        *("EVENT_ATTRIBUTION_SOURCE:string", "DEVICE:string,DEVICE:int", "A_B:string,AB:string"),
        "A:int,B:int,C:int,D:int,E:int,F:int",
    ],
    "allowedTrackingIds": ["fine,two words", ["two words"], 7 * ["x" * 257], 10 * ["x" * 256]],
    "streamArn": ["clicks", "arn:aws:sqs:eu-west-1:123456789012:clicks"],
    "streamKeyArn": [
        *("alias/clicks", "arn:aws:kms:eu-west-1:123456789012:alias/clicks"),
        KEY_ARN.replace("eu-west-1", "us-east-1"),
    ],
    "streamShards": ["0", "20001", "many"],
    "streamRetentionHours": ["23", "8761"],
    "producerArns": ["web", "arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:group/web"],
    "startingPosition": ["LATEST", "2026-01-01T00:00:00", "yesterday", "9999-01-01T00:00:00Z"],
    "batchSize": ["0", "10001", "1e3", 10.5, True],
    "batchWindowSeconds": ["-1", "301"],
    "parallelization": ["0", "11"],
    "maxRecordAgeMinutes": ["0", "10081", "2821"],
    "bisectOnError": ["yes", 1],
    "memoryMb": ["127", "10241"],
    "timeoutSeconds": ["9", "901"],
    "architecture": ["aarch64", "ARM64"],
    "reservedConcurrency": ["0", "some"],
    "maxInFlight": ["0", str(MAX_IN_FLIGHT_CEILING + 1)],
    "putEventsClient": ["requests"],
    "mapping": ["", "segmnt", "mapping.json", ".toml"],
    "mappingSalt": ["", "a short salt", "short", "x" * 257],
    "shadow": ["yes", 1],
    "logLevel": ["info", "NOTSET"],
    "logRetention": ["30", "FOREVER"],
    "vpc": ["vpc-0a1b", 1],
    "vpcZones": ["eu-west-1", "euw1-az1", "eu-west-1a,b", "eu-west-1a"],
    "vpcCidr": ["10.0.0.0", "10.0.0.1/24", "10.0.0.0/15", "10.0.0.0/27", "fd00::/24"],
    "vpcId": ["main", "vpc-main"],
    "vpcSubnetIds": ["subnet-main", "vpc-0a1b2c3d"],
    "silenceMinutes": ["-1", str(LONGEST_SILENCE + 1), "never"],
    "freshnessMinutes": ["0", "5040", "360"],
    "pageTopicArn": ["alarms", "arn:aws:sqs:eu-west-1:123456789012:alarms"],
    "ticketTopicArn": ["alarms", "arn:aws:sqs:eu-west-1:123456789012:alarms"],
    "alarmEmail": ["somebody", "a@b"],
    "runbookUrl": ["docs/operations.md", "https://wiki.example.com/relay#late", "https://" + "x" * 501],
    "quarantineExpiryDays": ["0", "3651"],
    "customerKey": ["aws", 1],
    "retainData": ["no", ""],
    "terminationProtection": ["no", ""],
}
RIGHT = {
    "trackingId": ("other", "other"),
    "trackingIdParameter": ("/shop/tracking-id", "/shop/tracking-id"),
    "datasetGroup": ("shop", "shop"),
    "datasetGroupDomain": ("ECOMMERCE", "ECOMMERCE"),
    "interactionFields": ("DEVICE:string, PRICE:float", (("DEVICE", "string"), ("PRICE", "float"))),
    "allowedTrackingIds": ("a, b,", ("a", "b")),
    "streamArn": (STREAM_ARN, STREAM_ARN),
    "streamKeyArn": (KEY_ARN, KEY_ARN),
    "streamShards": ("20000", 20_000),
    "streamRetentionHours": ("8760", 8_760),
    "producerArns": (PRODUCER_ARN, (PRODUCER_ARN,)),
    "startingPosition": ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    "batchSize": ("10000", 10_000),
    "batchWindowSeconds": ("0", 0),
    "parallelization": ("10", 10),
    "maxRecordAgeMinutes": ("31", 31),
    "bisectOnError": ("false", False),
    "memoryMb": ("128", 128),
    "timeoutSeconds": ("900", 900),
    "architecture": ("x86_64", "x86_64"),
    "reservedConcurrency": ("200000", 200_000),
    "maxInFlight": ("1", 1),
    "putEventsClient": ("boto3", "boto3"),
    "mapping": ("segment", "segment"),
    "mappingSalt": ("x" * 16, "x" * 16),
    "shadow": ("true", True),
    "logLevel": ("DEBUG", "DEBUG"),
    "logRetention": ("ONE_DAY", RetentionDays.ONE_DAY),
    "vpc": ("true", "true"),
    "vpcZones": ("eu-west-1a,eu-west-1c", ("eu-west-1a", "eu-west-1c")),
    "vpcCidr": ("10.1.0.0/16", "10.1.0.0/16"),
    "vpcId": ("vpc-0a1b2c3d", "vpc-0a1b2c3d"),
    "vpcSubnetIds": ("subnet-0a1b2c3d", ("subnet-0a1b2c3d",)),
    "silenceMinutes": (str(LONGEST_SILENCE), LONGEST_SILENCE),
    "freshnessMinutes": ("1", 1),
    "pageTopicArn": (TOPIC_ARN, TOPIC_ARN),
    "ticketTopicArn": (TOPIC_ARN, TOPIC_ARN),
    "alarmEmail": ("somebody@example.com", "somebody@example.com"),
    "runbookUrl": ("https://wiki.example.com/relay", "https://wiki.example.com/relay"),
    "quarantineExpiryDays": ("1", 1),
    "customerKey": ("true", True),
    "retainData": ("false", False),
    "terminationProtection": ("false", False),
}

INSTEAD: dict[str, dict[str, Any]] = {
    "trackingIdParameter": {"trackingId": None},
    "datasetGroup": {"trackingId": None},
    "streamArn": {"streamRetentionHours": 24},
    "streamKeyArn": {"streamArn": STREAM_ARN, "streamRetentionHours": 24},
    "mappingSalt": {"mapping": "segment"},
    "datasetGroupDomain": {"trackingId": None, "datasetGroup": "shop"},
    "vpcZones": {"vpc": "true"},
    "vpcCidr": {"vpc": "true"},
    "vpcId": {"vpc": "true", "vpcSubnetIds": "subnet-0a1b2c3d"},
    "vpcSubnetIds": {"vpc": "true", "vpcId": "vpc-0a1b2c3d"},
    "interactionFields": {"trackingId": None, "datasetGroup": "shop"},
}
"""What must be set otherwise for a setting that stands in for another, or belongs to one."""


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_wrong_value_is_named(name: str, value: object) -> None:
    """One line that begins with the setting's name and ends with the two places to set it."""
    with pytest.raises(InvalidSetting) as failed:
        StackSettings.from_context(GIVEN | INSTEAD.get(name, {}) | {name: value})
    message = str(failed.value)
    assert message.startswith(f"{name} must be ")
    assert message.endswith(f"set it in cdk.json under stages.dev or by -c {name}=…")
    assert "\n" not in message


@pytest.mark.parametrize(("name", "text", "value"), [(name, *pair) for name, pair in RIGHT.items()])
def test_override_is_read(name: str, text: str, value: object) -> None:
    """`-c` gives text, and the extremes of every range are allowed."""
    beside = INSTEAD.get(name, {})
    read = StackSettings.from_context(GIVEN | beside | {name: text})
    assert value in [getattr(read, field.name) for field in fields(read)]
    assert read != StackSettings.from_context(GIVEN)


def test_every_setting_is_tried() -> None:
    """No setting can be added without a wrong and a right value here."""
    assert len(WRONG) == len(RIGHT) == len(fields(StackSettings)) - len({"stage"})
    assert WRONG.keys() == RIGHT.keys()


def test_override_wins_over_the_stage() -> None:
    """`-c name=value` beats the stage's block, which beats the default."""
    block = {"trackingId": "tracker", "batchSize": 10, "memoryMb": 256}
    read = StackSettings.from_context({"stage": "x", "stages": {"x": block}, "batchSize": "20"})
    assert (read.stage, read.batch_size, read.memory_mb, read.batch_window_seconds) == ("x", 20, 256, 1)


def test_json_values_are_read_like_text() -> None:
    """A list, a number and a boolean of cdk.json mean what their text means."""
    values = {"allowedTrackingIds": ["a", "b"], "batchSize": 20, "bisectOnError": False}
    texts = {"allowedTrackingIds": "a,b", "batchSize": "20", "bisectOnError": "false"}
    assert StackSettings.from_context(GIVEN | values) == StackSettings.from_context(GIVEN | texts)


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_tracker_is_asked_for(context: dict[str, Any], stage: str) -> None:
    """A fresh checkout holds no tracking id, and says so."""
    with pytest.raises(InvalidSetting, match=rf"^trackingId must be .* not set; set it in .* stages\.{stage} or by -c"):
        StackSettings.from_context(context | {"stage": stage})


@pytest.mark.parametrize("instead", [{"datasetGroup": "shop"}, {"trackingIdParameter": "/shop/tracking-id"}])
def test_tracker_is_said_once(instead: dict[str, str]) -> None:
    """Of two trackers that are given none is chosen in silence."""
    with pytest.raises(InvalidSetting, match=r"^trackingId must be .*trackingIdParameter or datasetGroup"):
        StackSettings.from_context(GIVEN | instead)


@pytest.mark.parametrize("name", ["interactionFields", "datasetGroupDomain"])
def test_fields_and_a_domain_belong_to_a_new_dataset(name: str) -> None:
    """An existing dataset has its schema."""
    with pytest.raises(InvalidSetting, match=rf"^{name} must be left out without datasetGroup"):
        StackSettings.from_context(GIVEN | {name: RIGHT[name][0]})


def test_age_stays_an_hour_below_retention() -> None:
    """A record that expires in the stream is stored nowhere, and nothing counts it."""
    given = GIVEN | {"streamRetentionHours": "24"}
    with pytest.raises(InvalidSetting, match=r"^maxRecordAgeMinutes must be at most 1380, .*streamRetentionHours"):
        StackSettings.from_context(given | {"maxRecordAgeMinutes": "1381"})
    assert StackSettings.from_context(given | {"maxRecordAgeMinutes": "1380"}).max_record_age_minutes == 1380


def test_the_retention_of_an_existing_stream_is_asked_for() -> None:
    """Kinesis keeps a record for 24 hours unless somebody asked for more, and the stack can't see it."""
    with pytest.raises(InvalidSetting, match=r"^streamRetentionHours must be given with streamArn: .* is not set; "):
        StackSettings.from_context(GIVEN | {"streamArn": STREAM_ARN})


def test_a_batch_is_taken_before_its_records_are_given_up() -> None:
    """A window as long as half of the greatest age would page for every record of a quiet stream."""
    given = GIVEN | {"batchWindowSeconds": "300", "freshnessMinutes": "6"}
    with pytest.raises(InvalidSetting, match=r"^maxRecordAgeMinutes must be at least 13: .*batchWindowSeconds"):
        StackSettings.from_context(given | {"maxRecordAgeMinutes": "12"})
    read = StackSettings.from_context(given | {"maxRecordAgeMinutes": "13"})
    assert read.batch_window_seconds < read.max_record_age_minutes * 60 * VERY_LATE


@pytest.mark.parametrize(
    ("window", "age", "freshness", "limits"),
    [
        ("1", "720", "360", "from 1 to 359"),
        ("1", "30", "15", "from 1 to 14"),
        ("300", "720", "5", "from 6 to 359"),
        ("0", "3", "2", "from 1 to 1"),
    ],
)
def test_a_ticket_comes_after_the_window_and_before_the_page(
    window: str, age: str, freshness: str, limits: str
) -> None:
    """A quiet stream's records wait for the window; and a ticket that comes with the page says nothing."""
    given = GIVEN | {"batchWindowSeconds": window, "maxRecordAgeMinutes": age}
    with pytest.raises(
        InvalidSetting, match=rf"^freshnessMinutes must be {limits}: .*batchWindow.* maxRecordAge.* pages"
    ):
        StackSettings.from_context(given | {"freshnessMinutes": freshness})
    for fine in re.findall(r"\d+", limits):
        read = StackSettings.from_context(given | {"freshnessMinutes": fine})
        assert read.batch_window_seconds < read.freshness_minutes * 60 < read.max_record_age_minutes * 60 * VERY_LATE


def test_a_key_belongs_to_an_existing_stream() -> None:
    """The stack's own stream has customerKey."""
    with pytest.raises(InvalidSetting, match=r"^streamKeyArn must be left out without streamArn"):
        StackSettings.from_context(GIVEN | {"streamKeyArn": KEY_ARN})


def test_a_salt_belongs_to_a_mapping() -> None:
    """Without one nothing is hashed."""
    with pytest.raises(InvalidSetting, match=r"^mappingSalt must be left out without mapping"):
        StackSettings.from_context(GIVEN | {"mappingSalt": "x" * 16})


def test_a_wrong_salt_is_not_repeated() -> None:
    """What a synth says ends in the logs of a build."""
    for given in ({"mappingSalt": "too short"}, {"mapping": "segment", "mappingSalt": "pep per" * 16}):
        with pytest.raises(InvalidSetting) as failed:
            StackSettings.from_context(GIVEN | given)
        assert given["mappingSalt"] not in str(failed.value)
    read = StackSettings.from_context(GIVEN | {"mapping": "segment", "mappingSalt": "pepper" * 16})
    assert "pepper" not in repr(read)


@pytest.mark.parametrize(("mapping", "path"), [("segment", None), ("maps/ours.toml", Path("maps/ours.toml"))])
def test_a_mapping_is_a_preset_or_a_file(mapping: str, path: Path | None) -> None:
    assert StackSettings.from_context(GIVEN | {"mapping": mapping}).mapping_path == path


def test_topics_of_ones_own_have_their_own_subscribers() -> None:
    """The stack subscribes nobody to a topic that isn't its own."""
    topics = {"pageTopicArn": TOPIC_ARN, "ticketTopicArn": TOPIC_ARN}
    with pytest.raises(InvalidSetting, match=r"^alarmEmail must be left out where pageTopicArn and ticketTopicArn are"):
        StackSettings.from_context(GIVEN | topics | {"alarmEmail": "a@example.com"})


def test_the_topic_of_the_past_leads_to_the_two_of_now() -> None:
    """Its name is close to one of them alone."""
    with pytest.raises(
        InvalidSetting, match=r"^alarmTopicArn is not a setting; set pageTopicArn and ticketTopicArn in"
    ):
        StackSettings.from_context(GIVEN | {"alarmTopicArn": TOPIC_ARN})


def test_shards_belong_to_a_new_stream() -> None:
    """Two settings that contradict each other are refused, not weighed."""
    with pytest.raises(InvalidSetting, match=r"^streamShards must be left out where streamArn is given"):
        StackSettings.from_context(GIVEN | INSTEAD["streamArn"] | {"streamArn": STREAM_ARN, "streamShards": "2"})


def test_every_shard_has_its_invocation() -> None:
    """A reserve that is too small throttles the function from its first record on."""
    given = GIVEN | {"streamShards": "4", "parallelization": "2"}
    with pytest.raises(InvalidSetting, match=r"^reservedConcurrency must be at least 8, "):
        StackSettings.from_context(given | {"reservedConcurrency": "7"})
    assert StackSettings.from_context(given | {"reservedConcurrency": "8"}).reserved_concurrency == 8


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"vpcId": "vpc-0a1b2c3d", "vpc": "true"}, "vpcSubnetIds must be given where vpcId is"),
        ({"vpcSubnetIds": "subnet-0a1b2c3d", "vpc": "true"}, "vpcId must be given where vpcSubnetIds is"),
        ({"vpcZones": "eu-west-1a,eu-west-1b"}, "vpcZones must be left out where vpc is false"),
        ({"vpcCidr": "10.1.0.0/24"}, "vpcCidr must be left out where vpc is false"),
        ({"vpcId": "vpc-0a1b2c3d", "vpcSubnetIds": "subnet-0a1b2c3d"}, "vpcId must be left out where vpc is false"),
        (
            {"vpcZones": "eu-west-1a,eu-west-1b", "vpc": "true", "vpcId": "vpc-0a1b2c3d"},
            "vpcZones must be left out where vpcId is given",
        ),
        ({"vpcCidr": "10.1.0.0/24", "vpc": "leaving", "vpcId": "vpc-0a1b2c3d"}, "vpcCidr must be left out where vpcId"),
        ({"producerArns": PRODUCER_ARN, **INSTEAD["streamKeyArn"]}, "producerArns must be left out where streamArn is"),
    ],
)
def test_what_contradicts_something_else_is_refused(given: dict[str, str], says: str) -> None:
    """It would do nothing, or not what it seems to."""
    with pytest.raises(InvalidSetting, match=f"^{says}"):
        StackSettings.from_context(GIVEN | given)


@pytest.mark.parametrize(
    ("vpc", "is_in", "keeps"), [("false", False, False), ("true", True, True), ("leaving", False, True)]
)
def test_a_network_is_kept_while_the_function_leaves_it(vpc: str, is_in: bool, keeps: bool) -> None:  # noqa: FBT001 - a row of a table
    read = StackSettings.from_context(GIVEN | {"vpc": vpc})
    assert (read.in_network, read.keeps_network) == (is_in, keeps)


@pytest.mark.parametrize("where", ["override", "block"])
def test_unknown_setting_is_named(where: str) -> None:
    """A slip of the pen is no setting that silently does nothing."""
    slip = {"batchSise": "10"}
    block = {"trackingId": "tracker"} | (slip if where == "block" else {})
    given = {"stage": "dev", "stages": {"dev": block}} | (slip if where == "override" else {})
    with pytest.raises(InvalidSetting, match=r"^batchSise is not a setting; set batchSize in cdk.json"):
        StackSettings.from_context(given)


@pytest.mark.parametrize("stage", ["staging", "", None])
def test_unknown_stage_is_named(stage: str | None) -> None:
    """A stage without a block is refused with the ones there are."""
    with pytest.raises(InvalidSetting, match=r"^stage must be one of dev, not .*-c stage="):
        StackSettings.from_context(GIVEN | {"stage": stage})


def test_own_names_of_the_cdk_are_left_alone(context: dict[str, Any]) -> None:
    """Feature flags and what the CDK command adds to the context are no unknown settings."""
    given = context | {"aws:cdk:bundling-stacks": [], "acknowledged-issue-numbers": [1], "trackingId": "tracker"}
    assert StackSettings.from_context(given).tracking_id == "tracker"


def test_the_document_lists_each_setting_as_the_code_has_it() -> None:
    """`make docs` writes it anew."""
    assert (ROOT / "docs" / "settings.md").read_text() == table()
