"""A stream of another account: its owner is told what to allow, and another region's is refused."""

import json
from dataclasses import replace
from typing import Any

import pytest

from infra.refusal import InvalidSetting
from infra.settings import StackSettings
from infra.sharing import Home, asked_of_owners
from tests.infra.conftest import HOME, SHARED_KEY_ARN, SHARED_STREAM_ARN

OWN_KEY_ARN = SHARED_KEY_ARN.replace("333333333333", HOME.account or "")


def settings(**given: str) -> StackSettings:
    return StackSettings(stage="prod", tracking_id="tracker", **given)  # type: ignore[arg-type]  # text, all of it


def asked(home: Home = HOME, **given: str) -> list[str]:
    return list(asked_of_owners(settings(**given), home, stack="personalize-relay-prod"))


def statement(**differing: object) -> dict[str, Any]:
    """What lets the function's role in, whatever CloudFormation appends to its name."""
    reader = "arn:aws:iam::123456789012"
    return {
        "Sid": "PersonalizeRelay",
        "Effect": "Allow",
        "Principal": {"AWS": f"{reader}:root"},
        "Condition": {"ArnLike": {"aws:PrincipalArn": f"{reader}:role/personalize-relay-prod-*"}},
        **differing,
    }


def test_the_streams_owner_is_told_the_policy_to_attach() -> None:
    """As a command to copy; it holds before the role is there, as the first deployment needs it."""
    (sentence,) = asked(stream_arn=SHARED_STREAM_ARN)
    assert sentence.startswith("streamArn is a stream of account 222222222222, whose owner must")
    assert f"aws kinesis put-resource-policy --resource-arn {SHARED_STREAM_ARN} --policy '" in sentence
    reading = ["DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards"]
    actions = [f"kinesis:{name}" for name in reading]
    assert json.loads(sentence.split("'")[1]) == {
        "Version": "2012-10-17",
        "Statement": [statement(Action=actions, Resource=SHARED_STREAM_ARN)],
    }


def test_the_keys_owner_is_told_the_statement_to_add() -> None:
    """Another account than the stream's may own it; of a key of this account nobody is asked anything."""
    _, sentence = asked(stream_arn=SHARED_STREAM_ARN, stream_key_arn=SHARED_KEY_ARN)
    assert sentence.startswith("streamKeyArn is a key of account 333333333333, whose owner must")
    found = json.loads(sentence[sentence.index("{") :])
    assert found == statement(Action=["kms:Decrypt"], Resource="*")
    assert len(asked(stream_arn=SHARED_STREAM_ARN, stream_key_arn=OWN_KEY_ARN)) == 1


def test_a_long_name_is_matched_though_cloudformation_shortens_it() -> None:
    (sentence,) = asked_of_owners(
        settings(stream_arn=SHARED_STREAM_ARN), HOME, stack="personalize-relay-of-the-southern-shops"
    )
    assert "role/personalize-relay-of-the*" in sentence


@pytest.mark.parametrize("home", [Home(), Home(region="eu-west-1"), Home(account="222222222222")])
def test_nobody_is_asked_where_the_stream_is_ones_own_or_the_account_unknown(home: Home) -> None:
    assert asked(home, stream_arn=SHARED_STREAM_ARN) == []
    assert not home.is_elsewhere(SHARED_STREAM_ARN)


def test_a_stack_with_a_stream_of_its_own_asks_nobody() -> None:
    assert asked() == []
    assert not HOME.is_elsewhere(None)


def test_a_stream_of_another_region_is_refused() -> None:
    """Lambda reads none; CloudFormation would say so after minutes."""
    with pytest.raises(InvalidSetting, match=r"^streamArn must be of the region that is deployed to, us-east-1: .*"):
        Home(region="us-east-1").check(settings(stream_arn=SHARED_STREAM_ARN))


@pytest.mark.parametrize("region", ["eu-north-1", "us-gov-west-1", "us-iso-east-1"])
def test_a_region_without_personalize_is_refused(region: str) -> None:
    """Before anything is deployed that could never deliver an event."""
    with pytest.raises(
        InvalidSetting, match=rf"^the region that is deployed to, {region}, has no Amazon Personalize: "
    ):
        Home(region=region).check(settings())


def test_a_tracker_is_made_only_where_cloudformation_makes_one() -> None:
    """Where it makes none a tracker that is there already is as good."""
    home = Home(region="cn-north-1")
    home.check(settings())
    with pytest.raises(InvalidSetting, match=r"^datasetGroup must be left out in cn-north-1, where CloudFormation"):
        home.check(StackSettings(stage="prod", dataset_group="shop"))


def test_producers_of_another_account_need_a_key_of_the_customers() -> None:
    """Nobody can let them use the one that AWS has for Kinesis."""
    theirs = replace(settings(), producer_arns=("arn:aws:iam::222222222222:role/web",))
    with pytest.raises(InvalidSetting, match=r"^producerArns must be of this account, or customerKey be true"):
        HOME.check(theirs)
    HOME.check(replace(theirs, customer_key=True))
    HOME.check(replace(theirs, producer_arns=("arn:aws:iam::123456789012:role/web",)))
    Home().check(theirs)


@pytest.mark.parametrize("home", [HOME, Home()])
def test_a_stream_of_this_region_or_of_one_unknown_passes(home: Home) -> None:
    home.check(settings(stream_arn=SHARED_STREAM_ARN))
    home.check(settings())


def test_the_cdk_command_says_where_it_deploys_to() -> None:
    """It leaves out, or leaves empty, what it doesn't know."""
    known = {"CDK_DEFAULT_ACCOUNT": "123456789012", "CDK_DEFAULT_REGION": "eu-west-1", "PATH": "/bin"}
    assert Home.from_env(known) == HOME
    assert Home.from_env({"CDK_DEFAULT_ACCOUNT": ""}) == Home()
