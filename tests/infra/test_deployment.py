"""`make deploy` and `make diff` hand their words on to the CDK: some to write the assembly, the others to deploy it."""

from pathlib import Path

import pytest

from infra.deployment import CDK, ROOT, Order


def order(*words: str, command: str = "deploy", confirm: str = "") -> Order:
    return Order.read([command, "--stage", "prod", "--confirm", confirm, "--", *words])


def test_settings_are_for_the_assembly_and_other_words_for_its_deployment() -> None:
    """In their order; an assembly holds its settings, and synth knows no option of another command."""
    given = order("-c", "trackingId=a", "--require-approval", "never", "--context=mapping=maps/my own.toml", "--force")
    context = ["--context", "stage=prod", "--context", "trackingId=a", "--context", "mapping=maps/my own.toml"]
    written = [str(CDK), "synth", "--no-notices", "--quiet", "--output", str(ROOT / "cdk.out"), *context]
    assert given.synth() == written
    deployed = [str(CDK), "deploy", "--no-notices", "--app", "there", "--require-approval", "never", "--force"]
    assert given.of(Path("there")) == deployed


@pytest.mark.parametrize(
    "words", [("--app", "there", "--output", "here"), ("-a", "there", "-o", "here"), ("--app=there", "--output=here")]
)
def test_an_assembly_is_named_once(words: tuple[str, ...]) -> None:
    """It is written, or given, before the command that uses it."""
    given = order(*words, "--fail", command="diff")
    assert given.synth()[3:] == ["--quiet", "--output", "here", "--app", "there", "--context", "stage=prod"]
    assert given.of(Path("here"))[1:] == ["diff", "--no-notices", "--app", "here", "--fail"]


def test_a_profile_and_a_region_are_those_that_are_asked_with() -> None:
    given = order("--profile", "ours", "--region", "eu-west-1")
    assert (given.credentials.profile, given.credentials.region) == ("ours", "eu-west-1")
    for line in (given.synth(), given.of(Path("there"))):
        assert line[3:7] == ["--profile", "ours", "--region", "eu-west-1"]


def test_what_is_confirmed_is_a_list_with_commas() -> None:
    assert order(confirm="streamArn, shadow").confirmed == {"streamArn", "shadow"}


def test_no_words_at_all_are_no_mistake() -> None:
    assert Order.read(["diff", "--stage", "dev"]).rest == ()
