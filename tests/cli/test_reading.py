"""What is a payload of an input file, and what a file is refused for."""

import gzip
import json
import os
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize_relay_cli.input.forms import Format
from personalize_relay_cli.input.json_lines import LONGEST_LINE
from personalize_relay_cli.input.json_values import MOST
from personalize_relay_cli.input.reading import Line, read
from personalize_relay_cli.problems import Misuse

HEADER = b"sessionId,eventType\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own to be in, so that files are named as people name them."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lines(name: str, content: bytes, form: Format | None = None) -> list[tuple[int, int, bytes]]:
    Path(name).write_bytes(content)
    found = list(read([name], form=form))
    assert {line.file for line in found} <= {name}
    return [(line.number, line.offset, line.data) for line in found]


def refusal(name: str, content: bytes) -> str:
    """What is said of a file that can't be read."""
    with pytest.raises(Misuse) as caught:
        lines(name, content)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("suffix", ["jsonl", "ndjson", "JSONL"])
def test_each_line_of_json_lines_is_a_payload_whatever_it_holds(folder: Path, suffix: str) -> None:
    content = b'{"a":1}\r\n\n \t\nno json\n\xff\x00\n{"b":2}'
    assert lines(f"a.{suffix}", content) == [
        (1, 0, b'{"a":1}'),
        (4, 13, b"no json"),
        (5, 21, b"\xff\x00"),
        (6, 24, b'{"b":2}'),
    ]
    assert all((folder / f"a.{suffix}").read_bytes()[at:].startswith(data) for at, data in ((13, b"no"), (24, b"{")))


def test_a_byte_order_mark_is_no_part_of_the_first_line(folder: Path) -> None:
    assert lines("a.jsonl", b"\xef\xbb\xbf{}\n\xef\xbb\xbf{}") == [(1, 3, b"{}"), (2, 6, b"\xef\xbb\xbf{}")]
    assert lines("a.json", b"\xef\xbb\xbf{}") == [(1, 0, b"{}")]
    assert lines("a.csv", b"\xef\xbb\xbfsessionId,eventType\ns,e") == [(2, 0, b'{"sessionId":"s","eventType":"e"}')]
    assert folder.is_dir()


def test_the_elements_of_an_array_keep_their_text_and_the_line_they_begin_on(folder: Path) -> None:
    content = b' [ {"a":\n1.0} , 12\n,\n"x,]\\u00e9", null, {"a":1,"a":NaN}] \n'
    assert lines("a.json", content) == [
        (1, 0, b'{"a":\n1.0}'),
        (2, 0, b"12"),
        (4, 0, b'"x,]\\u00e9"'),
        (4, 0, b"null"),
        (4, 0, b'{"a":1,"a":NaN}'),
    ]
    assert lines("b.json", b"[]") == lines("b.json", b"") == []
    assert lines("b.json", b'\n{"eventList": [\n{}]}\n') == [(2, 0, b'{"eventList": [\n{}]}')]
    assert folder.is_dir()


objects = st.dictionaries(st.text(max_size=3), st.integers() | st.floats() | st.text(), max_size=3)
json_texts = (
    st.builds(json.dumps, objects, indent=st.integers(0, 3))
    | st.integers(65_500, 65_600).map(lambda length: json.dumps("é" * length, ensure_ascii=False))
    | st.integers(5_000, 5_001).map(lambda length: "1" * length)
)


def test_one_bad_value_is_a_fault_of_its_own_and_not_of_the_file(folder: Path) -> None:
    """Python writes NaN, and JavaScript half a character where it cuts a text: that event alone is rejected."""
    assert lines("a.json", b'[{"a":NaN},\n{"a":"\\ud83d"},\n{}]') == [
        (1, 0, b'{"a":NaN}'),
        (2, 0, b'{"a":"\\ud83d"}'),
        (3, 0, b"{}"),
    ]
    assert folder.is_dir()


def test_a_json_file_too_large_for_memory_is_refused_with_the_way_out(folder: Path) -> None:
    with (folder / "a.json").open("wb") as file:
        file.truncate(MOST + 1)
    with pytest.raises(Misuse, match=r"^a\.json: has more than 128 MiB.*jq -c '\.\[\]'"):
        next(read(["a.json"]))


@given(st.lists(json_texts, max_size=4))
def test_any_array_is_read_as_its_elements_are_written(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    """Wherever in them one read of the file ends and another begins."""
    file = tmp_path_factory.mktemp("json") / "a.json"
    file.write_text("[" + ",\n".join(texts) + "]")
    assert [line.data.decode() for line in read([str(file)])] == texts


def test_a_row_of_csv_is_an_event(folder: Path) -> None:
    content = (
        b"sessionId,properties.color,metricAttribution.eventAttributionSource,impression,sentAt,eventType,itemId\r\n"
        b"s,red,home,a|b,1767225600.50,1e999,007\r\n"
        b"\r\n"
        b'"t\nt",,,,2026-01-01T00:00:00Z,view,\r\n'
        b"u,,,,,,7\r\n"
    )
    first, second, third = lines("a.csv", content)
    attribution = b'"metricAttribution":{"eventAttributionSource":"home"}'
    assert first == (
        2,
        0,
        b'{"sessionId":"s","properties":{"color":"red"},%b,"impression":["a","b"],'
        b'"sentAt":"1767225600.50","eventType":"1e999","itemId":"007"}' % attribution,
    )
    assert second == (4, 0, b'{"sessionId":"t\\nt","sentAt":"2026-01-01T00:00:00Z","eventType":"view"}')
    assert third == (6, 0, b'{"sessionId":"u","itemId":"7"}')
    assert lines("b.csv", b"sessionId,eventType\n") == lines("b.csv", b"") == []
    assert folder.is_dir()


def test_the_format_asked_for_is_that_of_any_suffix(folder: Path) -> None:
    assert lines("a.log", b"{}\n{}", Format.JSON_LINES) == [(1, 0, b"{}"), (2, 3, b"{}")]
    assert lines("a.jsonl", b"[{}]", Format.JSON) == [(1, 0, b"{}")]
    assert folder.is_dir()


@pytest.mark.parametrize(
    ("name", "content"), [("a.jsonl.gz", b"{}\n"), ("a.json.gz", b"[{}]"), ("a.csv.gz", HEADER + b"a,b\n")]
)
def test_gzip_is_read_as_what_it_holds(folder: Path, name: str, content: bytes) -> None:
    plain = lines(name.removesuffix(".gz"), content)
    assert lines(name, gzip.compress(content)) == plain
    assert "is not gzip, or is cut off" in refusal(name, gzip.compress(content)[:-9])
    assert "is not gzip, or is cut off" in refusal(name, content)
    assert folder.is_dir()


def test_files_are_read_one_after_the_other(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(b"1\n")
    (folder / "b.json").write_bytes(b"[2]")
    assert list(read(["a.jsonl", "b.json"])) == [Line("a.jsonl", 1, 0, b"1"), Line("b.json", 1, 0, b"2")]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", b"hello", "a.json:1: is neither a JSON array nor an object"),
        ("a.json", b"{}\n{}", "a.json:2: more follows after the end"),
        ("a.json", b"[]\n[]", "a.json:2: more follows after the end"),
        ("a.json", b"[1,\n2", "a.json:2: not JSON"),
        ("a.json", b"[1\n2]", "a.json:2: not JSON"),
        ("a.json", b"[1,]", "a.json:1: not JSON"),
        ("a.json", b"[", "a.json:1: not JSON"),
        ("a.json", b'{"a":', "a.json:1: not JSON"),
        ("a.json", b'["\xff"]', "a.json: is not UTF-8"),
        ("a.json", b"[" * 100_000, "a.json:1: the value is nested too deep"),
        ("a.csv", HEADER + b"\n1,2,3\n", "a.csv:3: is not CSV as its header says: 3 cells, not 2"),
        ("a.csv", HEADER + b"1\n", "a.csv:2: is not CSV as its header says: 1 cells, not 2"),
        ("a.csv", HEADER + b'1,"2', "a.csv:2: is not CSV"),
        ("a.csv", HEADER + b"\xff,\n", "a.csv: is not UTF-8"),
        ("a.csv", b"a,,b\n", "a.csv:1: column 2 of the header has no name"),
        ("a.csv", b"a.\n", "a.csv:1: column 1 of the header has no name"),
        ("a.csv", b"b,a,a\n", "a.csv:1: column 2 of the header is there twice"),
        ("a.csv", b"a,a.b\n", "a.csv:1: column 1 of the header is there twice"),
        ("a.jsonl", b"x" * (LONGEST_LINE + 1), "a.jsonl:1: the line is longer than 16 MiB"),
        ("a.txt", b"hello\n", "a.txt: is it jsonl, json or csv? Say so with --input-format"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_line(folder: Path, name: str, content: bytes, said: str) -> None:
    assert refusal(name, content).startswith(said)
    assert folder.is_dir()


def test_nothing_is_read_of_a_file_that_is_more_than_an_object(folder: Path) -> None:
    (folder / "a.json").write_bytes(b"{}\n{}")
    with pytest.raises(Misuse):
        next(read(["a.json"]))


@contextmanager
def unprivileged() -> Iterator[None]:
    """As a user that a file's mode means something to, even where root runs the tests."""
    user = os.geteuid()
    os.seteuid(user or 65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_file_that_is_not_there_or_not_to_be_read_is_known_before_anything_is_read(folder: Path) -> None:
    (folder / "good.jsonl").write_bytes(b"{}")
    (folder / "good.jsonl").chmod(0o644)
    (folder / "a").mkdir()
    (folder / "mine.jsonl").touch(mode=0)
    folder.chmod(0o755)
    with pytest.raises(Misuse, match=r"^gone\.jsonl: can't be read: no such file or directory$"):
        read(["good.jsonl", "gone.jsonl"])
    with pytest.raises(Misuse, match=r"^a: is a directory"):
        read(["good.jsonl", "a"])
    with unprivileged(), pytest.raises(Misuse, match=r"^mine\.jsonl: .*permission denied$"):
        read(["good.jsonl", "mine.jsonl"])


@pytest.mark.parametrize("form", [Format.JSON_LINES, Format.CSV])
def test_the_memory_is_that_of_a_payload_and_not_of_the_file(folder: Path, form: Format) -> None:
    begin, end, last = {
        Format.JSON_LINES: (b"", b"\n", b""),
        Format.CSV: (HEADER + b"a,", b"\na,", b""),
    }[form]
    (folder / "a").write_bytes(begin + (b"1" * 1000 + end) * 10_000 + last)
    tracemalloc.start()
    count = sum(1 for _ in read(["a"], form=form))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count >= 10_000
    assert peak < 1_500_000
