"""There is one advice for each reason, and the documents have the same."""

import re
from pathlib import Path

import pytest

from personalize_relay.errors import Reason
from personalize_relay_cli.advice import REASONS, WEAKNESSES, Weakness
from personalize_relay_cli.checking.findings import fact
from personalize_relay_cli.checking.observations import Warned

EVENTS = Path(__file__).parents[2] / "docs" / "events.md"


def test_the_record_contract_says_the_same() -> None:
    section = EVENTS.read_text().partition("## What is quarantined, and why")[2].partition("\n## ")[0]
    table = re.findall(r"^\| `(\w+)` \| (.+) \|$", section, re.MULTILINE)
    assert table == [(str(reason), REASONS[reason]) for reason in Reason]


@pytest.mark.parametrize("weakness", Weakness)
def test_every_weakness_has_its_words_and_its_advice(weakness: Weakness) -> None:
    assert WEAKNESSES[weakness]
    assert "{" not in fact(Warned(weakness, 3, 4))
