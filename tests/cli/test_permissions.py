"""What policies allow, as far as it can be read in them."""

from typing import Any

import pytest

from personalize_relay_cli.health.permissions import Need, allows
from personalize_relay_cli.problems import Problem

PUT = Need("personalize:PutEvents")
STORE = Need("s3:PutObject", "arn:aws:s3:::bucket/quarantine/checked")


def statement(action: str | list[str], resource: str = "*", effect: str = "Allow", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


@pytest.mark.parametrize(
    ("statements", "need"),
    [
        ([statement("personalize:PutEvents")], PUT),
        ([statement(["s3:ListBucket", "PERSONALIZE:put*"])], PUT),
        ([statement("s3:PutObject", "arn:aws:s3:::bucket/quarantine/*")], STORE),
        ([statement("personalize:PutEvents"), statement("s3:*", effect="Deny")], PUT),
    ],
)
def test_allowed(statements: list[dict[str, Any]], need: Need) -> None:
    assert allows(statements, need)


@pytest.mark.parametrize(
    ("statements", "need"),
    [
        ([], PUT),
        ([statement("personalize:Get*")], PUT),
        ([statement("s3:PutObject", "arn:aws:s3:::bucket/[a-z]*")], STORE),
        ([statement("*"), statement("personalize:PutEvents", effect="Deny", Condition={"Bool": {}})], PUT),
        ([statement("*", Condition={"Bool": {}})], PUT),
    ],
)
def test_not_allowed(statements: list[dict[str, Any]], need: Need) -> None:
    assert not allows(statements, need)


def test_a_policy_by_what_it_is_not_about_is_not_judged() -> None:
    with pytest.raises(Problem, match="NotAction"):
        allows([{"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}], PUT)
