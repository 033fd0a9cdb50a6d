"""`make deploy` and `make diff` hand their words on to the CDK command, but for those that say which assembly."""

import pytest

from infra.deployment import CDK, Order


def order(*words: str, command: str = "deploy", confirm: str = "") -> Order:
    return Order.read([command, "--stage", "prod", "--confirm", confirm, "--", *words])


def test_other_words_keep_their_order() -> None:
    given = order("-c", "trackingId=a", "--require-approval", "never", "-c", "mapping=maps/my own.toml", "--force")
    begins = [str(CDK), "deploy", "--no-notices", "-c", "stage=prod"]
    rest = ["-c", "trackingId=a", "--require-approval", "never", "-c", "mapping=maps/my own.toml", "--force"]
    assert given.words("deploy", "--app", "cdk.out") == [*begins, "--app", "cdk.out", *rest]


@pytest.mark.parametrize(
    "words", [("--app", "there", "--output", "here"), ("-a", "there", "-o", "here"), ("--app=there", "--output=here")]
)
def test_an_assembly_is_named_once(words: tuple[str, ...]) -> None:
    """It is written, or given, before the command that uses it."""
    given = order(*words, "--fail", command="diff")
    assert (given.app, given.output, given.rest) == ("there", "here", ("--fail",))


def test_a_profile_and_a_region_are_those_that_are_asked_with() -> None:
    given = order("--profile", "ours", "--region", "eu-west-1")
    assert (given.credentials.profile, given.credentials.region) == ("ours", "eu-west-1")
    assert given.words("deploy")[-4:] == ["--profile", "ours", "--region", "eu-west-1"]


def test_what_is_confirmed_is_a_list_with_commas() -> None:
    assert order(confirm="streamArn, shadow").confirmed == {"streamArn", "shadow"}


def test_no_words_at_all_are_no_mistake() -> None:
    assert Order.read(["diff", "--stage", "dev"]).rest == ()
