"""What a deployment does to a setting that differs: nothing bad, something to confirm, or nothing that works."""

from typing import Any

import pytest

from infra.allowed import RULES
from infra.changes import LATER, Difference, Ruling, compare, differences, objections
from infra.recorded import texts
from infra.refusal import SECRETS
from infra.settings import StackSettings
from tests.infra.test_settings import GIVEN, INSTEAD, RIGHT

STREAM = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"
OTHER = f"{STREAM}-of-others"
DEV = texts(StackSettings.from_context(GIVEN).public())
GROUP = DEV | {"datasetGroup": "shop", "interactionFields": "DEVICE:string"}
SHARED = DEV | {"streamArn": STREAM, "streamKeyArn": "key-1", "startingPosition": "2026-01-02T00:00:00+00:00"}

type Texts = dict[str, str]

CONFIRMED: dict[str, tuple[Texts, Texts, str]] = {
    "a group of its own": (DEV, GROUP, "datasetGroup"),
    "another group": (GROUP, GROUP | {"datasetGroup": "shop-2"}, "datasetGroup"),
    "no group": (GROUP, DEV, "datasetGroup"),
    "an existing stream": (DEV, DEV | {"streamArn": STREAM}, "streamArn"),
    "another stream": (SHARED, SHARED | {"streamArn": OTHER}, "streamArn"),
    "no stream": (SHARED, DEV, "streamArn"),
    "another key of the stream": (SHARED, SHARED | {"streamKeyArn": "key-2"}, "streamKeyArn"),
    "a key": (DEV, DEV | {"customerKey": "true"}, "customerKey"),
    "no key": (DEV | {"customerKey": "true"}, DEV, "customerKey"),
    "shadow": (DEV, DEV | {"shadow": "true"}, "shadow"),
}
REFUSED: dict[str, tuple[Texts, Texts, str]] = {
    "a position": (DEV, DEV | {"startingPosition": "2026-01-02T00:00:00+00:00"}, "startingPosition"),
    "another position": (SHARED, SHARED | {"startingPosition": "2026-01-03T00:00:00+00:00"}, "startingPosition"),
    "no position": (SHARED, DEV | {"streamArn": STREAM, "streamKeyArn": "key-1"}, "startingPosition"),
    "further fields": (GROUP, GROUP | {"interactionFields": "DEVICE:string,PRICE:float"}, "interactionFields"),
    "fields in another order": (
        GROUP | {"interactionFields": "A:int,B:int"},
        GROUP | {"interactionFields": "B:int,A:int"},
        "interactionFields",
    ),
    "a domain": (GROUP, GROUP | {"datasetGroupDomain": "ECOMMERCE"}, "datasetGroupDomain"),
    "out of the network": (DEV | {"vpc": "true"}, DEV | {"vpc": "false"}, "vpc"),
    "into another network": (DEV | {"vpc": "true"}, DEV | {"vpc": "true", "vpcId": "vpc-0a1b2c3d"}, "vpcId"),
    "to other addresses": (DEV | {"vpc": "leaving"}, DEV | {"vpc": "leaving", "vpcCidr": "10.1.0.0/24"}, "vpcCidr"),
}
FREE: dict[str, tuple[Texts, Texts]] = {
    "fields of another group": (GROUP, GROUP | {"datasetGroup": "shop-2", "interactionFields": "PRICE:float"}),
    "a position in another stream": (SHARED, SHARED | {"streamArn": OTHER, "startingPosition": "2026-02-01T00:00:00Z"}),
    "a key of another stream": (SHARED, SHARED | {"streamArn": OTHER, "streamKeyArn": "key-2"}),
    "a key where there was none": (DEV | {"streamArn": STREAM}, DEV | {"streamArn": STREAM, "streamKeyArn": "key-1"}),
    "a key that the stream doesn't use": (SHARED, SHARED | {"customerKey": "true"}),
    "out of shadow": (DEV | {"shadow": "true"}, DEV),
    "into the network": (DEV, DEV | {"vpc": "true"}),
    "leaving the network": (DEV | {"vpc": "true"}, DEV | {"vpc": "leaving"}),
    "into a network that exists": (DEV, DEV | {"vpc": "true", "vpcId": "vpc-0a1b2c3d"}),
    "having left it": (DEV | {"vpc": "leaving"}, DEV | {"vpc": "false"}),
    "data that goes with the stack": (DEV | {"retainData": "true"}, DEV | {"retainData": "false"}),
    "a setting of another version": (DEV | {"gone": "1"}, DEV),
}


def verdicts(deployed: Texts, now: Texts) -> dict[str, Ruling]:
    return {each.name: each.verdict for each in compare(deployed, now)}


@pytest.mark.parametrize("change", CONFIRMED)
def test_what_costs_something_is_done_only_when_it_is_confirmed(change: str) -> None:
    deployed, now, name = CONFIRMED[change]
    findings = list(compare(deployed, now))
    (said,) = [each for each in objections(findings) if each.startswith(name)]
    assert said.startswith(f"{name} is changed only with CONFIRM={name} (")
    assert said.endswith(".")
    others = {each.name for each in findings} - {name}
    assert not list(objections(findings, {name, *others}))


@pytest.mark.parametrize("change", REFUSED)
def test_what_cannot_work_is_refused_always(change: str) -> None:
    """Whatever is confirmed; and the sentence names a way."""
    deployed, now, name = REFUSED[change]
    (said,) = objections(list(compare(deployed, now)), {name})
    assert said.startswith(f"{name} can't be changed like this. ")


@pytest.mark.parametrize("change", FREE)
def test_what_does_no_harm_is_done(change: str) -> None:
    """What another setting's change brings with it is no finding of its own."""
    deployed, now = FREE[change]
    found = verdicts(deployed, now)
    assert found
    assert {each for name, each in found.items() if name not in {"datasetGroup", "streamArn"}} == {Ruling.FREE}


@pytest.mark.parametrize(
    ("name", "said"),
    [("startingPosition", "`relay replay`"), ("vpc", "vpc=leaving"), ("interactionFields", "datasetGroup")],
)
def test_the_way_that_works_is_named(name: str, said: str) -> None:
    (deployed, now, _) = next(each for each in REFUSED.values() if each[2] == name)
    (objection,) = objections(list(compare(deployed, now)))
    assert said in objection


@pytest.mark.parametrize(("kept", "fate"), [("true", "stays"), ("false", "is deleted")])
def test_it_is_said_what_becomes_of_the_data(kept: str, fate: str) -> None:
    """By what is deployed: a deployment that changes retainData, too, comes too late for what it removes."""
    for deployed, now, name in (CONFIRMED["an existing stream"], CONFIRMED["no group"], CONFIRMED["no key"]):
        (finding, *_) = [each for each in compare(deployed | {"retainData": kept}, now) if each.name == name]
        assert fate in finding.sentence


def test_a_difference_is_shown_in_a_line() -> None:
    findings = [
        Difference("batchSize", "1000", "20"),
        Difference("streamArn", None, STREAM),
        Difference("vpc", "true", None),
    ]
    assert list(differences(findings)) == [
        "These settings differ from the deployed ones:",
        "  batchSize: 1000 -> 20",
        f"  streamArn: not set -> {STREAM}",
        "  vpc: true -> not set",
    ]
    assert list(differences([])) == []


def test_every_setting_says_whether_it_may_change() -> None:
    """A new one can't be added without."""
    assert LATER.keys() == RULES.keys()


@pytest.mark.parametrize("name", sorted(name for name, each in LATER.items() if each.judge is None))
def test_a_setting_that_may_change_is_shown_and_stops_nothing(name: str) -> None:
    """A secret isn't shown either."""
    given: dict[str, Any] = {name: RIGHT[name][0]}
    now = texts(StackSettings.from_context(GIVEN | INSTEAD.get(name, {}) | given).public())
    findings = list(compare(DEV, now))
    assert (name in {each.name for each in findings}) == (name not in SECRETS)
    assert not list(objections(findings))
