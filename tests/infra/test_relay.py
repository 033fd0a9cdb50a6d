"""The construct in somebody else's stack: it takes the CDK's own objects, and makes only what it isn't given."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk.assertions import Template
from aws_cdk.aws_ec2 import Vpc
from aws_cdk.aws_kinesis import Stream
from aws_cdk.aws_kms import Key
from aws_cdk.aws_lambda import Code
from aws_cdk.aws_sns import Topic

from infra.alarms import AlarmTopics
from infra.refusal import InvalidSetting
from infra.relay import Relay
from infra.relay_settings import RelaySettings
from tests.infra.conftest import SHARED_STREAM_ARN
from tests.infra.templates import arn, granted, only, warned

TRACKER = "tracker"

type Given = dict[str, Any]


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Any code will do, so that nothing is downloaded."""
    folder = tmp_path_factory.mktemp("code")
    (folder / "placeholder.py").touch()
    return folder


def stack_with(code: Path, given: Callable[[Stack], Given], **of_the_stack: Any) -> Stack:  # noqa: ANN401 - the CDK's
    """A stack of somebody's with a relay that is given what they have."""
    stack = Stack(App(analytics_reporting=False), "Shop", **of_the_stack)
    Relay(stack, "Relay", tracking_id=TRACKER, code=Code.from_asset(str(code)), **given(stack))
    return stack


def everything(stack: Stack) -> Given:
    """Each of the CDK's objects that a relay takes."""
    vpc = Vpc(stack, "Network", max_azs=2, nat_gateways=0)
    return {
        "stream": Stream(stack, "Clicks"),
        "stream_key": Key(stack, "ClicksKey"),
        "alarms": AlarmTopics(page=Topic(stack, "OnCall", enforce_ssl=True), ticket=Topic(stack, "Office")),
        "key": Key(stack, "DataKey"),
        "vpc": vpc,
        "subnets": vpc.isolated_subnets,
        "settings": RelaySettings(stream_retention_hours=24),
    }


@pytest.fixture(scope="module")
def given_all(code: Path) -> Template:
    return Template.from_stack(stack_with(code, everything))


def named(template: Template, kind: str, beginning: str) -> str:
    """The logical id of the one resource of a kind whose id begins so."""
    (found,) = [name for name in template.find_resources(kind) if name.startswith(beginning)]
    return found


def test_a_relay_takes_what_there_is_and_makes_no_second(given_all: Template) -> None:
    """No stream, topic, key or network of its own beside those that it was given."""
    for kind, count in {
        "AWS::Kinesis::Stream": 1,
        "AWS::SNS::Topic": 2,
        "AWS::KMS::Key": 2,
        "AWS::EC2::VPC": 1,
        "AWS::Lambda::Function": 1,
    }.items():
        given_all.resource_count_is(kind, count)
    stream = named(given_all, "AWS::Kinesis::Stream", "Clicks")
    given_all.has_resource_properties("AWS::Lambda::EventSourceMapping", {"EventSourceArn": arn(stream)})
    allowed = set(map(str, granted(given_all)))
    assert str(("kinesis:GetRecords", arn(stream))) in allowed
    assert str(("kms:Decrypt", arn(named(given_all, "AWS::KMS::Key", "ClicksKey")))) in allowed
    assert str(("kms:GenerateDataKey", arn(named(given_all, "AWS::KMS::Key", "DataKey")))) in allowed


def test_alarms_go_to_the_topics_that_were_given(given_all: Template) -> None:
    pages, tickets = (named(given_all, "AWS::SNS::Topic", beginning) for beginning in ("OnCall", "Office"))
    actions = {"page": pages, "ticket": tickets}
    for body in given_all.find_resources("AWS::CloudWatch::Alarm").values():
        severity = body["Properties"]["AlarmDescription"].partition(" ")[0]
        assert body["Properties"].get("AlarmActions", [{"Ref": actions[severity]}]) == [{"Ref": actions[severity]}]
    given_all.has_resource_properties("AWS::CloudWatch::CompositeAlarm", {"AlarmActions": [{"Ref": pages}]})


def test_alarms_may_publish_to_topics_of_the_app_whatever_policy_those_have(given_all: Template) -> None:
    policies = given_all.find_resources("AWS::SNS::TopicPolicy").values()
    by_cloudwatch = [
        statement
        for policy in policies
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement.get("Principal") == {"Service": "cloudwatch.amazonaws.com"}
    ]
    assert [(each["Effect"], each["Action"]) for each in by_cloudwatch] == [("Allow", "sns:Publish")] * 2


def test_a_key_of_the_same_app_is_told_who_uses_it(given_all: Template) -> None:
    """Else neither the log nor an alarm could be written, and the deployment would fail."""
    key = given_all.find_resources("AWS::KMS::Key")[named(given_all, "AWS::KMS::Key", "DataKey")]
    users = [str(each["Principal"]) for each in key["Properties"]["KeyPolicy"]["Statement"]]
    assert any("logs." in user for user in users)
    assert any("cloudwatch.amazonaws.com" in user for user in users)


def test_the_key_that_a_stream_knows_may_be_used_to_read_it(code: Path) -> None:
    def given(stack: Stack) -> Given:
        return {"stream": Stream(stack, "Clicks", encryption_key=Key(stack, "ClicksKey"))}

    template = Template.from_stack(stack_with(code, given))
    assert "kms:Decrypt" in {action for action, _ in granted(template)}


def test_the_function_is_in_the_subnets_that_were_given(given_all: Template) -> None:
    _, function = only(given_all, "AWS::Lambda::Function")
    subnets = {each["Ref"] for each in function["Properties"]["VpcConfig"]["SubnetIds"]}
    assert subnets == {name for name in given_all.find_resources("AWS::EC2::Subnet") if "Isolated" in name}
    group = named(given_all, "AWS::EC2::SecurityGroup", "Relay")
    assert function["Properties"]["VpcConfig"]["SecurityGroupIds"] == [{"Fn::GetAtt": [group, "GroupId"]}]


def test_with_a_tracker_alone_it_makes_the_rest(code: Path) -> None:
    template = Template.from_stack(stack_with(code, lambda _: {}))
    template.resource_count_is("AWS::Kinesis::Stream", 1)
    template.resource_count_is("AWS::SNS::Topic", 2)
    template.resource_count_is("AWS::KMS::Key", 0)


def test_two_relays_of_an_app_count_apart(code: Path) -> None:
    """Each under its own path, so that no alarm of the one rings for the other."""
    app = App(analytics_reporting=False)
    stacks = [Stack(app, name) for name in ("Web", "Phone")]
    for stack in stacks:
        Relay(stack, "Relay", tracking_id=TRACKER, code=Code.from_asset(str(code)))
    functions = [only(Template.from_stack(stack), "AWS::Lambda::Function")[1] for stack in stacks]
    services = {each["Properties"]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] for each in functions}
    assert services == {"Web/Relay", "Phone/Relay"}


@pytest.mark.parametrize(("account", "seen"), [("222222222222", True), ("123456789012", False), (None, True)])
def test_the_metrics_of_a_stream_are_left_out_where_the_stack_is_known_to_be_elsewhere(
    code: Path,
    account: str | None,
    seen: bool,  # noqa: FBT001 - a row of a table
) -> None:
    """They would be of a stream that this account doesn't have, and their alarms silent or always on."""
    environment = {"env": Environment(account=account, region="eu-west-1")} if account else {}
    stack = stack_with(
        code, lambda stack: {"stream": Stream.from_stream_arn(stack, "Theirs", SHARED_STREAM_ARN)}, **environment
    )
    alarms = Template.from_stack(stack).find_resources("AWS::CloudWatch::Alarm")
    assert any("StreamUnread" in name for name in alarms) is seen
    assert any("the stream's metrics are in another account" in each for each in warned(stack)) is not seen


def test_the_outputs_are_those_that_the_command_reads(code: Path, dev: Template) -> None:
    """A relay in any stack of the right name is one that `relay status` finds."""
    stack = Stack(App(analytics_reporting=False), "personalize-relay-shop")
    Relay(stack, "Relay", tracking_id=TRACKER, code=Code.from_asset(str(code))).write_outputs()
    assert Template.from_stack(stack).find_outputs("*").keys() == dev.find_outputs("*").keys()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (
            {"batch_size": 0},
            r"batchSize must be a whole number from 1 to 10000, not 0; .*RelaySettings\(batch_size=…\)",
        ),
        ({"architecture": "arm"}, "architecture must be one of arm64, x86_64, not 'arm'; "),
        ({"stream_retention_hours": 24, "max_record_age_minutes": 1381}, "maxRecordAgeMinutes must be at most 1380, "),
        ({"mapping": "segmnt"}, "mapping must be one of "),
        ({"mapping": "segment", "mapping_salt": "short"}, "mappingSalt must be .*, not what it is; "),
    ],
)
def test_a_wrong_setting_is_refused_where_it_is_written(wrong: Given, says: str) -> None:
    """CloudFormation would refuse it after minutes, or take it and do something else."""
    with pytest.raises(InvalidSetting, match=f"^{says}"):
        RelaySettings(**wrong)


def test_a_package_without_the_function_says_so(tmp_path: Path) -> None:
    """A checkout holds none until `make release`; whoever builds an app on it must not deploy an empty function."""
    assert not (tmp_path / "function").exists()
    if (Path(__file__).parents[2] / "infra" / "function" / "arm64.zip").exists():
        pytest.skip("`make release` has put the function into this checkout")
    with pytest.raises(InvalidSetting, match=r"^this package was built without the function's code for arm64: "):
        Relay(Stack(), "Relay", tracking_id=TRACKER)
