"""Each check points at what is wrong, and says of what it can't see that it can't."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from personalize_relay_cli import main
from personalize_relay_cli.deployment import Deployment
from personalize_relay_cli.health.checkups import CHECKS
from personalize_relay_cli.health.deployed import Deployed
from personalize_relay_cli.health.diagnosis import Finding, State, run
from personalize_relay_cli.health.trial import send
from personalize_relay_cli.problems import MISUSED
from tests.cli.services import HEALTHY, NOW, STACK, Answers, Client
from tests.cli.test_function_log import settled

ALARM = {
    "AlarmName": "the-alarm",
    "StateValue": "ALARM",
    "StateUpdatedTimestamp": NOW,
    "AlarmDescription": "page: Bad. Runbook: docs/operations.md#bad",
}


def findings(changed: Answers | None = None) -> list[Finding]:
    return checked(Client({**HEALTHY, **(changed or {})}))


def checked(client: Client) -> list[Finding]:
    return list(run(CHECKS, Deployed(Deployment("prod", lambda _service: client), lambda: NOW)))


def in_state(state: State, found: list[Finding]) -> dict[str, str]:
    return {each.check: f"{each.says} {each.do}" for each in found if each.state is state}


def mapping(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"get_event_source_mapping": HEALTHY["get_event_source_mapping"] | changed}


def function(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"get_function_configuration": HEALTHY["get_function_configuration"] | changed}


def environment(**variables: str) -> dict[str, Any]:
    right = HEALTHY["get_function_configuration"]["Environment"]["Variables"]
    return function(Environment={"Variables": right | variables})


def deployed_with(retries: int) -> dict[str, Any]:
    """The stack's template, with this many retries of its mapping."""
    mapping = {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"MaximumRetryAttempts": retries}}
    return {"get_template": {"TemplateBody": {"Resources": {"Mapping": mapping}}}}


def came(last_hour: float | None, before: float | None) -> dict[str, Any]:
    """So many records came; None where CloudWatch has no data."""
    points = [(at, n) for at, n in ((NOW, last_hour), (NOW - timedelta(minutes=90), before)) if n is not None]
    told = {"Id": "m0", "Timestamps": [at for at, _ in points], "Values": [number for _, number in points]}
    return {"get_metric_data": {"MetricDataResults": [told]}}


def subscribed(*arns: str) -> dict[str, Any]:
    return {"list_subscriptions_by_topic": {"Subscriptions": [{"SubscriptionArn": arn} for arn in arns]}}


def stream(**changed: object) -> dict[str, Any]:
    right = HEALTHY["describe_stream_summary"]["StreamDescriptionSummary"]
    return {"describe_stream_summary": {"StreamDescriptionSummary": right | changed}}


def logged(*lines: str, seconds_ago: float = 5) -> dict[str, Any]:
    at = (NOW - timedelta(seconds=seconds_ago)).timestamp() * 1000
    return {
        "filter_log_events": {
            "events": [{"timestamp": at + number, "message": line} for number, line in enumerate(lines)]
        }
    }


def counted(received: int, unknown: int) -> str:
    """A batch with so many unknown members."""
    counts = {"EventsReceived": received, "UnknownMembers": unknown}
    return json.dumps({"message": "batch settled", "counts": counts, "errors": []})


def test_nothing_is_wrong_or_unknown_where_all_is_well() -> None:
    found = findings(logged(settled()))
    assert {each.state for each in found} == {State.OK}
    assert [each.check for each in found] == [
        *("credentials", "stack", "stream", "mapping", "partial batches", "on-failure destination", "bisect"),
        *("retries", "retention", "function", "version", "settings", "bucket", "tracker", "role"),
        *("arrivals", "last batch", "members", "alarms", "pages", "tickets"),
    ]


@pytest.mark.parametrize(
    ("changed", "check", "says"),
    [
        ({"get_caller_identity": "ExpiredToken"}, "credentials", "sign in again"),
        ({"describe_stacks": "ValidationError"}, "stack", "personalize-relay-prod is not there"),
        ({"describe_stacks": {"Stacks": [STACK | {"StackStatus": "UPDATE_ROLLBACK_COMPLETE"}]}}, "stack", "failed"),
        ({"describe_stream_summary": "ResourceNotFoundException"}, "stream", "the-stream is not there"),
        (stream(StreamStatus="DELETING"), "stream", "DELETING"),
        ({"get_event_source_mapping": "ResourceNotFoundException"}, "mapping", "nothing reads the stream"),
        (mapping(State="Disabled"), "mapping", "--enabled --uuid the-mapping"),
        (mapping(LastProcessingResult="PROBLEM: Function call failed"), "mapping", "Function call failed"),
        (mapping(FunctionResponseTypes=[]), "partial batches", "ReportBatchItemFailures"),
        (mapping(DestinationConfig={}), "on-failure destination", "is lost"),
        (mapping(BisectBatchOnFunctionError=False), "bisect", "bisectOnError"),
        (
            mapping(StartingPositionTimestamp=NOW + timedelta(hours=1)),
            "starting position",
            "begins at 2026-11-24 10:30:00 UTC, which is yet to come",
        ),
        (
            mapping(MaximumRetryAttempts=0),
            "retries",
            "0, and the stack set 1913: what fails is given up before its record age set them back",
        ),
        (mapping(MaximumRetryAttempts=1912), "retries", "--uuid the-mapping --maximum-retry-attempts 1913"),
        (deployed_with(retries=-1), "retries", "1913, and the stack set no limit"),
        (
            stream(RetentionPeriodHours=12),
            "retention",
            "h: it may be gone before it is stored in the bucket, uncounted have the stream keep records for 13 h",
        ),
        (mapping(MaximumRecordAgeInSeconds=47 * 3600 + 1), "retention", "records for 49 h"),
        (mapping(MaximumRecordAgeInSeconds=-1), "retention", "gone from the stream after 48 h"),
        ({"get_function_configuration": "ResourceNotFoundException"}, "function", "not there"),
        (function(State="Failed", StateReasonCode="InvalidImage"), "function", "InvalidImage"),
        (function(LastUpdateStatus="Failed"), "function", "Failed"),
        (environment(LOG_LEVEL="LOUD"), "settings", "LOG_LEVEL"),
        ({"list_objects_v2": "NoSuchBucket"}, "bucket", "the-bucket, which is not there"),
        (environment(QUARANTINE_BUCKET="another"), "bucket", "the stack's is the-bucket"),
        (environment(TRACKING_ID="other"), "tracker", "other is no event tracker of account 123456789012 in eu-west-1"),
        (environment(ALLOWED_TRACKING_IDS="the-tracker,third"), "tracker", "third is no event tracker"),
        (
            {"describe_event_tracker": {"eventTracker": {"trackingId": "the-tracker", "status": "DELETE PENDING"}}},
            "tracker",
            "DELETE PENDING",
        ),
        (
            {"simulate_principal_policy": {"EvaluationResults": [{"EvalDecision": "implicitDeny"}]}},
            "role",
            "may not",
        ),
        (logged(settled(), settled("AccessDeniedException")), "last batch", "AccessDeniedException"),
        (logged(counted(10, 5), counted(10, 6)), "members", "55 in 100 events of the last 10 batches are unknown"),
        ({"describe_alarms": {"MetricAlarms": []}}, "alarms", "the-alarm is not there"),
        ({"describe_alarms": {"CompositeAlarms": [ALARM]}}, "alarms", "page: Bad. see docs/operations.md#bad"),
    ],
)
def test_what_is_wrong_is_pointed_at(changed: Mapping[str, Any], check: str, says: str) -> None:
    found = in_state(State.WRONG, findings({**logged(settled()), **changed}))
    assert list(found) == [check]
    assert says in found[check]


@pytest.mark.parametrize(
    "changed",
    [
        mapping(MaximumRecordAgeInSeconds=47 * 3600),
        mapping(MaximumRetryAttempts=-1),
        mapping(MaximumRetryAttempts=2000),
        {**mapping(MaximumRetryAttempts=-1), **deployed_with(retries=-1)},
        mapping(StartingPositionTimestamp=NOW - timedelta(hours=1)),
        came(1, None),
    ],
)
def test_what_is_just_enough_is_well(changed: Mapping[str, Any]) -> None:
    assert {each.state for each in findings({**logged(settled()), **changed})} == {State.OK}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (came(None, None), {"arrivals": "no record came in the last hour, and 0 in the one before"}),
        (came(0, 60), {"arrivals": "and 60 in the one before is the-stream what producers write to?"}),
        (
            subscribed(),
            {
                "pages": "nobody hears of them: arn:aws:sns:eu-west-1:123456789012:pages has no subscriber",
                "tickets": ":tickets has no subscriber subscribe somebody, or set alarmEmail",
            },
        ),
        (
            subscribed("PendingConfirmation"),
            {"pages": "and 1 have not confirmed it follow the link", "tickets": "and 1 have not confirmed it"},
        ),
    ],
)
def test_what_may_be_meant_is_a_warning(changed: Mapping[str, Any], says: Mapping[str, str]) -> None:
    """A dev stage is quiet and wakes nobody; in prod it is what an operator should know."""
    found = findings({**logged(settled()), **changed})
    warned = in_state(State.WARNING, found)
    assert warned.keys() == says.keys()
    assert all(says[check] in warned[check] for check in says)
    assert not in_state(State.WRONG, found)


def test_one_confirmed_subscriber_hears_of_it() -> None:
    found = findings(subscribed("PendingConfirmation", "arn:aws:sns:eu-west-1:123456789012:pages:1"))
    assert in_state(State.OK, found)["pages"].startswith("1 subscribed to ")


def test_some_unknown_members_are_told_of_and_not_called_wrong() -> None:
    """A producer may send more than the contract knows."""
    found = in_state(State.OK, findings(logged(counted(10, 5), counted(10, 5))))
    assert "50 in 100 events" in found["members"]
    assert "none is unknown" in in_state(State.OK, findings(logged(settled())))["members"]


def test_a_mapping_and_shadow_are_said() -> None:
    """Whoever wonders why nothing arrives in Personalize reads it here."""
    found = in_state(State.OK, findings(environment(MAPPING="segment", SHADOW="true")))
    assert "mapping segment, in shadow: nothing is delivered" in found["settings"]
    assert "shadow" not in in_state(State.OK, findings())["settings"]


def test_a_version_that_is_not_the_newest_is_remarked_on_and_not_called_wrong() -> None:
    """After a rollback that is as it should be; and what is checked is what is live."""
    client = Client({**HEALTHY, **logged(settled()), "get_alias": {"FunctionVersion": "1", "RevisionId": "r"}})
    found = {each.check: each for each in checked(client)}
    assert found["version"].state is State.OK
    assert "version 1, published 2026-11-21 09:30:00 UTC, tracker the-tracker: rolled back" in found["version"].says
    assert "version 2 is newer" in found["version"].says
    assert "moves it on" in found["version"].do
    assert client.told["get_function_configuration"] == {"FunctionName": "the-function:live"}


def test_a_stream_of_another_account_is_asked_for_by_its_arn() -> None:
    """By its name this account has another stream, or none; and where it may not be looked at, the role may."""
    arn = "arn:aws:kinesis:eu-west-1:222222222222:stream/the-stream"
    outputs = [*STACK["Outputs"], {"OutputKey": "StreamArn", "OutputValue": arn}]
    client = Client(
        {
            **HEALTHY,
            **mapping(EventSourceArn=arn),
            "describe_stacks": {"Stacks": [STACK | {"Outputs": outputs}]},
            "describe_stream_summary": "AccessDeniedException",
        }
    )
    found = checked(client)
    assert client.told["describe_stream_summary"] == {"StreamARN": arn}
    assert "stream" in in_state(State.UNKNOWN, found)
    assert "kinesis:GetRecords" in in_state(State.OK, found)["role"]
    assert client.told["simulate_principal_policy"]["ResourceArns"] == [arn]
    # Nor has CloudWatch its count of records here.
    assert "RecordsReceived" in str(client.told["get_metric_data"])
    assert "arrivals" in in_state(State.OK, found)


@pytest.mark.parametrize(
    ("changed", "check"),
    [
        ({"describe_stream_summary": "AccessDeniedException"}, "stream"),
        ({"get_event_source_mapping": "AccessDeniedException"}, "mapping"),
        ({"list_objects_v2": "AccessDenied"}, "bucket"),
        ({"list_event_trackers": "AccessDeniedException"}, "tracker"),
        ({"filter_log_events": "AccessDeniedException"}, "last batch"),
        ({"describe_alarms": "AccessDenied"}, "alarms"),
        ({"get_template": "AccessDenied"}, "retries"),
        ({"get_metric_data": "AccessDenied"}, "arrivals"),
        ({"list_subscriptions_by_topic": "AuthorizationErrorAccessDenied"}, "pages"),
        ({"simulate_principal_policy": "AccessDenied", "list_role_policies": "AccessDenied"}, "role"),
    ],
)
def test_what_is_denied_is_unknown(changed: Mapping[str, Any], check: str) -> None:
    found = findings({**logged(settled()), **changed})
    assert not in_state(State.WRONG, found)
    assert "AccessDenied" in in_state(State.UNKNOWN, found)[check]
    assert "nobody should repeat this" not in str(found)


def test_what_waits_for_another_check_says_for_which() -> None:
    for refusal in ("ValidationError", "AccessDenied"):
        unknown = in_state(State.UNKNOWN, findings({"describe_stacks": refusal}))
        assert unknown.keys() >= {"stream", "mapping", "function", "last batch", "alarms"}
        assert (
            unknown["alarms"].strip()
            == unknown["stream"].strip()
            == "can't be checked here: the stack must be right first"
        )


def test_where_nothing_arrived_that_is_not_called_well() -> None:
    assert "none in a day's log" in in_state(State.UNKNOWN, findings())["last batch"]


def test_where_iam_does_not_simulate_the_policies_are_read() -> None:
    document = {"Statement": {"Effect": "Allow", "Action": ["personalize:PutEvents", "s3:*"], "Resource": "*"}}
    found = findings(
        {
            "simulate_principal_policy": "AccessDenied",
            "list_role_policies": {"PolicyNames": ["Relay"]},
            "get_role_policy": {"PolicyDocument": document},
            "list_attached_role_policies": {"AttachedPolicies": []},
        }
    )
    lacking = in_state(State.WRONG, found)["role"]
    assert "may not kinesis:GetRecords" in lacking
    assert "read in the role's policies" in lacking


class Clock:
    """Goes on when somebody waits."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:  # noqa: D102 - the class says it
        return self.now

    def wait(self, seconds: float) -> None:
        """Let seconds pass."""
        self.now += timedelta(seconds=seconds)


def sent(*batches: dict[str, int], errors: tuple[str, ...] = ()) -> Finding:
    """What is found of a test event when these batches are settled three seconds after it, each two seconds long."""
    clock = Clock()

    def log() -> dict[str, Any]:
        at = (NOW + timedelta(seconds=3)).timestamp() * 1000
        lines = [
            {"message": "batch settled", "counts": {"DeliveryLag": 2000} | each, "errors": errors} for each in batches
        ]
        passed = clock.now > NOW + timedelta(seconds=3)
        return {"events": [{"timestamp": at, "message": json.dumps(line)} for line in lines if passed]}

    client = Client({**HEALTHY, "put_record": {}, "filter_log_events": log})
    deployed = Deployed(Deployment("prod", lambda _service: client), clock)
    (found,) = send(deployed, clock.wait)
    assert client.asked.count("put_record") == 1
    return found


ALONE = {"RecordsReceived": 1, "EventsDelivered": 1}


def test_a_test_event_that_alone_was_delivered_is_ok() -> None:
    found = sent(ALONE)
    assert found.state is State.OK
    assert "recorded in the dataset" in found.says


@pytest.mark.parametrize(
    "batches",
    [
        [ALONE, ALONE],
        [{"RecordsReceived": 7, "EventsDelivered": 7}],
        [ALONE | {"DeliveryLag": 60_000}],
    ],
)
def test_which_event_was_delivered_is_not_guessed(batches: list[dict[str, int]]) -> None:
    """Others were, or the one that was had arrived long before."""
    assert sent(*batches).state is State.UNKNOWN


def test_a_test_event_that_is_not_delivered_is_wrong_with_the_reason() -> None:
    reported = {"RecordsReceived": 1, "EventsDelivered": 0, "RecordsReported": 1, "ConfigurationErrors": 1}
    found = sent(reported, errors=("ResourceNotFoundException",))
    assert found.state is State.WRONG
    assert "ResourceNotFoundException" in found.says
    assert found.do.endswith("#configuration-errors")
    assert sent(ALONE | {"RecordsReported": 1}).state is State.WRONG
    assert sent().says == "not delivered within 90 s, and no batch was settled"


def test_in_shadow_no_test_event_is_sent() -> None:
    """It would be waited for in vain."""
    client = Client({**HEALTHY, **environment(SHADOW="true")})
    (found,) = send(Deployed(Deployment("prod", lambda _service: client), Clock()), Clock().wait)
    assert found.state is State.UNKNOWN
    assert "in shadow" in found.says
    assert "put_record" not in client.asked


def test_a_test_event_passes_any_mapping() -> None:
    """It names the contract where there is a mapping, which would not know it otherwise."""
    for name, named in (("segment", "personalize-relay.event/1"), ("", None)):
        clock = Clock()
        client = Client({**HEALTHY, **environment(MAPPING=name), "put_record": {}})
        list(send(Deployed(Deployment("prod", lambda _service: client), clock), clock.wait))  # noqa: B023 - within the turn
        assert json.loads(str(client.told["put_record"]["Data"], "utf-8")).get("$schema") == named  # type: ignore[call-overload]


def test_without_a_terminal_no_event_is_sent_unasked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["doctor", "--send-event"]) == MISUSED
    assert "give --yes" in capsys.readouterr().err


def test_what_status_cannot_work_with_is_said_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--window", "2y"], ["--local", "--region", "eu-west-1"], ["--format", "xml"], ["--every", "0"]):
        assert main.run(["status", *words]) == MISUSED
        assert capsys.readouterr().err.count("\n") == 1
