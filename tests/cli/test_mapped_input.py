"""What a mapping reads of files: any columns, rows without a header; and how `relay validate` counts it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from personalize_relay.mapping_file import load, preset, source
from personalize_relay.mapping_file import read as mapping_file
from personalize_relay_cli.input.reading import read
from personalize_relay_cli.main import run
from personalize_relay_cli.problems import Misuse

TOML = """
[[rule]]
name = "clicks"
when = "kind == 'click'"
[rule.event]
sessionId = 'visit'
eventType = "kind"
itemId = '"product.id"'
sentAt = "at"

[[rule]]
name = "pings"
when = "kind == 'ping'"
drop = true
"""
CSV = "visit,kind,product.id,impression,at\nv-1,click,p-1,a|b,2026-06-24T09:31:00Z\nv-1,ping,,,\nv-2,other,,,\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.toml").write_text(TOML)
    (tmp_path / "a.csv").write_text(CSV)
    return tmp_path


def test_a_column_is_a_member_of_its_very_name(folder: Path) -> None:
    mapping = load(TOML, file="m.toml")
    first = json.loads(next(read([str(folder / "a.csv")], mapping=mapping)).data)
    assert first == dict(zip(CSV.splitlines()[0].split(","), CSV.splitlines()[1].split(","), strict=True))


@pytest.mark.parametrize("header", ["visit,visit", "visit,,kind"])
def test_a_header_is_still_to_name_each_column_once(folder: Path, header: str) -> None:
    (folder / "a.csv").write_text(f"{header}\n1,2\n")
    with pytest.raises(Misuse, match=r"there twice|has no name"):
        list(read(["a.csv"], mapping=load(TOML, file="m.toml")))


@pytest.mark.parametrize("name", ["rows.tsv", "rows.txt", "rows"])
def test_rows_without_a_header_are_lines_of_text(folder: Path, name: str) -> None:
    inputs = [each.input.strip("\n") for each in mapping_file(source("snowplow"), file="snowplow").tests if each.events]
    rows = [each for each in inputs if not each.lstrip().startswith("{")]
    (folder / name).write_text("".join(f"{row}\n" for row in rows))
    assert [each.data.decode() for each in read([name], mapping=preset("snowplow"))] == rows


def test_validate_counts_what_the_mapping_filters_by_rule(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert folder
    assert run(["validate", "a.csv", "--mapping", "m.toml"]) == 1
    said = capsys.readouterr().out
    assert "a.csv:4: not_mapped: no rule of the mapping matches" in said
    assert "        1  filtered: pings\n" in said
    assert said.endswith("events          1 good         1 bad         1 filtered\n")
    assert run(["validate", "a.csv", "--mapping", "m.toml", "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["events"], told["filtered"]) == ({"good": 1, "bad": 1}, {"pings": 1})


@pytest.mark.parametrize("command", [["validate", "a.csv"], ["produce", "a.csv", "--local", "--stream", "s"]])
@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda file: file.unlink(), "m.toml: can't be read"),
        (lambda file: file.write_text("[[rule]]\n"), "m.toml"),
        (lambda file: file.write_text("x ="), "m.toml: line 1 is not TOML"),
    ],
)
def test_a_wrong_mapping_is_wrong_usage_in_a_line(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    break_it: Callable[[Path], object],
    said: str,
) -> None:
    break_it(folder / "m.toml")
    assert run([*command, "--mapping", "m.toml"]) == 2
    printed, complained = capsys.readouterr()
    assert printed == ""
    assert said in complained
    assert complained.count("\n") == 1
