"""Which member of an event a column of CSV is, what a cell becomes, and what a header is refused for."""

import csv
import io
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize_relay.names import FLAT_MEMBERS
from personalize_relay_cli.input.columns import REQUIRED
from personalize_relay_cli.input.reading import read
from personalize_relay_cli.input.remarks import Remarks
from personalize_relay_cli.problems import Misuse

HEADER = b"sessionId,eventType\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own to be in, so that files are named as people name them."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(name: str, content: bytes, remarks: Remarks | None = None) -> list[dict[str, Any]]:
    Path(name).write_bytes(content)
    return [json.loads(line.data) for line in read([name], remarks=remarks)]


def refusal(name: str, content: bytes, *, reveal: bool = False) -> str:
    with pytest.raises(Misuse) as caught:
        rows(name, content, Remarks(reveal=reveal))
    return str(caught.value)


def spellings(name: str) -> Iterable[str]:
    snake = re.sub("(?<=[a-z])(?=[A-Z])", "_", name)
    return (snake, snake.upper(), snake.lower(), snake.replace("_", "-"), snake.replace("_", " "), name.upper())


@pytest.mark.parametrize(
    "member", [*sorted(FLAT_MEMBERS - {"eventList", "impression"}), "metricAttribution.eventAttributionSource"]
)
def test_a_column_is_a_member_however_it_is_spelt(folder: Path, member: str) -> None:
    others = [name for name in REQUIRED if name != member]
    plain = rows("a.csv", f"{','.join([member, *others])}\n1,2,3\n"[: -2 * (len(others) == 1) - 1].encode())
    for spelt in spellings(member):
        header = ",".join([spelt, *others])
        assert rows("a.csv", f"{header}\n{','.join('123'[: 1 + len(others)])}\n".encode()) == plain
    assert folder.is_dir()


def test_the_columns_of_personalize_s_interactions_are_members(folder: Path) -> None:
    header = b"SESSION_ID,EVENT_TYPE,TIMESTAMP,EVENT_ATTRIBUTION_SOURCE,IMPRESSION,Properties.color\n"
    assert rows("a.csv", header + b"s,view,1,home,a|b,red\n") == [
        {
            "sessionId": "s",
            "eventType": "view",
            "sentAt": "1",
            "metricAttribution": {"eventAttributionSource": "home"},
            "impression": ["a", "b"],
            "properties": {"color": "red"},
        }
    ]
    assert folder.is_dir()


def test_the_exact_name_wins_and_two_that_are_none_are_refused(folder: Path) -> None:
    assert rows("a.csv", b"session_id,eventType,sessionId\n1,2,3\n") == [
        {"session_id": "1", "eventType": "2", "sessionId": "3"}
    ]
    assert refusal("a.csv", b"session_id,eventType,SESSION_ID\n").startswith("a.csv:1: column 1 of the header is there")
    assert folder.is_dir()


class Dialect(NamedTuple):
    """What CSV files differ in."""

    separator: str
    encoding: str
    line_end: str
    quoting: Literal[0, 1]


dialects = st.builds(
    Dialect,
    st.sampled_from(",;\t"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
texts = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=8)


@given(st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=4), dialects)
def test_any_cells_are_read_however_they_are_separated_and_encoded(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str, str]], dialect: Dialect
) -> None:
    file = tmp_path_factory.mktemp("csv") / "a.csv"
    text = io.StringIO(newline="")
    names = ["sessionId", "eventType", "properties.a, b; c"]
    written = csv.writer(text, delimiter=dialect.separator, lineterminator=dialect.line_end, quoting=dialect.quoting)
    written.writerows([names, *cells])
    file.write_bytes(text.getvalue().encode(dialect.encoding))
    assert [json.loads(line.data) for line in read([str(file)])] == [
        {"sessionId": session, "eventType": kind, "properties": {"a, b; c": note}} for session, kind, note in cells
    ]


NEEDED = "which every event needs"
NO_HEADER = f"no column is named sessionId or eventType, {NEEDED}, and none as any other member: is this line a header?"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (
            b"userId;itemId",
            f"no column is named sessionId or eventType, {NEEDED}; it has 2 columns separated by semicolons",
        ),
        (b"sessionId\tuserId", f"no column is named eventType, {NEEDED}; it has 2 columns separated by tabs"),
        (b"canary,1", f"{NO_HEADER} it has 2 columns separated by commas"),
        (b"sessionId|eventType", f"{NO_HEADER} it has 1 column without a comma, semicolon or tab"),
    ],
)
def test_a_header_says_what_it_lacks_and_how_it_is_separated(folder: Path, header: bytes, said: str) -> None:
    assert refusal("a.csv", b"\n" + header + b"\n1,2\n") == f"a.csv:2: {said}, which --reveal names"
    assert folder.is_dir()


def test_names_of_columns_are_shown_on_request_alone_and_are_harmless(folder: Path) -> None:
    header = b"canary,\x1b[2J\n"
    assert "canary" not in refusal("a.csv", header)
    assert refusal("a.csv", header, reveal=True).endswith(r"separated by commas: canary, \x1b[2J")
    assert folder.is_dir()


def test_a_first_column_without_a_name_may_hold_numbers_only(folder: Path) -> None:
    said: list[str] = []
    remarks = Remarks(said.append)
    numbered = b"," + HEADER + b"1,s,e\n2,s,e\n"
    assert rows("a.csv", numbered, remarks) == [{"sessionId": "s", "eventType": "e"}] * 2
    assert len(said) == 1
    assert refusal("a.csv", numbered + b"x,s,e\n").startswith("a.csv:4: column 1 has no name in the header")
    assert folder.is_dir()


def test_what_is_quoted_separates_nothing(folder: Path) -> None:
    header = b'sessionId;eventType;"properties.a, b, c, d"\n'
    assert rows("a.csv", header + b"s;view;x\n") == [
        {"sessionId": "s", "eventType": "view", "properties": {"a, b, c, d": "x"}}
    ]
    assert folder.is_dir()
