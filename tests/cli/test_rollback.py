"""`relay rollback` moves the alias and nothing else, and says what it can't do."""

from typing import Any

import pytest

from personalize_relay_cli import main
from personalize_relay_cli.deployment import Deployment
from personalize_relay_cli.health.versions import make_live, versions
from personalize_relay_cli.problems import MISUSED, Problem
from personalize_relay_cli.rollback import moved
from tests.cli.services import HEALTHY, Client, version


def deployed(*, live: int = 2, **answers: Any) -> tuple[Client, Deployment]:  # noqa: ANN401 - what boto3 answers
    pointed = {"get_alias": {"FunctionVersion": str(live), "RevisionId": "the-revision"}, "update_alias": {}}
    client = Client({**HEALTHY, **pointed, **answers})
    return client, Deployment("prod", lambda _service: client)


def test_the_version_before_becomes_live_if_nobody_moved_the_alias_meanwhile() -> None:
    client, deployment = deployed()
    said = "\n".join(moved(deployment, None, lambda _question: True))
    assert client.told["update_alias"] == {
        "FunctionName": "the-function",
        "Name": "live",
        "FunctionVersion": "1",
        "RoutingConfig": {"AdditionalVersionWeights": {}},
        "RevisionId": "the-revision",
    }
    assert "live:  version 2, published 2026-11-22 09:30:00 UTC, tracker the-tracker" in said
    assert "to be: version 1, published 2026-11-21 09:30:00 UTC" in said
    assert said.endswith("--to 2")


def test_nothing_is_moved_before_somebody_agreed() -> None:
    """They have read by then which version is live, and which would be."""
    client, deployment = deployed()

    asked: list[str] = []

    def refuse(question: str) -> bool:
        asked.append(question)
        return False

    with pytest.raises(Problem, match="nothing was done"):
        list(moved(deployment, None, refuse))
    assert asked == ["make version 1 live?"]
    assert "update_alias" not in client.asked


def test_without_a_terminal_to_ask_in_it_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["rollback", "--stage", "prod"]) == MISUSED
    assert "give --yes" in capsys.readouterr().err


@pytest.mark.parametrize(("to", "said"), [(2, "version 2 is live already"), (9, "there is no version 9: the last")])
def test_a_version_that_cannot_be_gone_to_is_said(to: int, said: str) -> None:
    _, deployment = deployed()
    with pytest.raises(Problem, match=said):
        versions(deployment).chosen(to)


def test_without_a_version_before_it_says_what_to_do() -> None:
    _, deployment = deployed(live=1)
    with pytest.raises(Problem, match="version 1 is live, and there is none before it to go back to: deploy"):
        _ = versions(deployment).before


def test_versions_count_as_numbers_and_the_live_one_may_be_the_older() -> None:
    """After 9 comes 10, whatever order Lambda lists them in."""
    _, deployment = deployed(live=9, list_versions_by_function={"Versions": [version(10), version(9), version(2)]})
    seen = versions(deployment)
    assert (seen.newest.number, seen.live.number, seen.before.number) == (10, 9, 2)
    assert seen.chosen(10).number == 10


def test_of_two_at_once_the_second_is_told() -> None:
    """The alias is moved only from where it was seen."""
    _, deployment = deployed(update_alias="PreconditionFailedException")
    seen = versions(deployment)
    with pytest.raises(Problem, match="moved the alias meanwhile, and nothing was done"):
        make_live(deployment, seen.before, seen)


def test_an_alias_without_a_version_is_no_place_to_go_back_from() -> None:
    _, deployment = deployed(get_alias={"FunctionVersion": "$LATEST", "RevisionId": "r"})
    with pytest.raises(Problem, match="points to no version"):
        versions(deployment)
