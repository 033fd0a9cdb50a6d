"""However it is called, `relay` ends in a line and a status, never in a traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from personalize_relay_cli.main import run
from personalize_relay_cli.problems import bug

pytestmark = pytest.mark.slow  # most start the command in a process

RELAY = str(Path(sys.executable).with_name("relay"))
BAD = b'{"sessionId": "\xc3\xbc-canary", "eventType": 1.5}\n'


def shell(command: str, given: bytes = b"", encoding: str = "utf-8") -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(  # noqa: S603 - our own command
        ["/bin/sh", "-c", command, RELAY],
        input=given,
        capture_output=True,
        env={"PYTHONIOENCODING": encoding},
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ('"$0" validate - <&-', 0),
        ('"$0" failed redrive --local --port 1 <&-', 1),
        ('"$0" validate - >&-', 1),
        ('"$0" validate - --format json >&-', 1),
        ('"$0" validate nothing.jsonl 2>&-', 2),
    ],
)
def test_a_closed_stream_is_an_empty_one(command: str, status: int) -> None:
    ended = shell(command, BAD)
    assert ended.returncode == status
    assert b"Traceback" not in ended.stderr


def test_a_full_disk_is_said_in_a_line() -> None:
    ended = shell('"$0" validate - > /dev/full', BAD)
    assert (ended.returncode, ended.stderr) == (1, b"relay: can't go on: no space left on device\n")


def test_what_the_output_has_no_character_for_is_escaped() -> None:
    ended = shell('"$0" validate - --reveal', BAD, encoding="ascii")
    assert ended.returncode == 1
    assert b"\\xfc-canary" in ended.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["validate", "b\udcff.jsonl"], "an argument is not UTF-8"),
        (["status", "--stage", "\udcff"], "an argument is not UTF-8"),
        (["status", "--local", "--port", "65536"], "--port"),
        (["status", "--local", "--port", "-1"], "--port"),
        (["status", "--stage", "a b"], "--stage 'a b': a stage's name holds letters"),
        (["validate", ""], "the name of a file is empty"),
        (["failed", "show", "49x"], "as `relay failed list --each` prints it"),
        (["produce", "a.jsonl", "b.jsonl", "a.jsonl"], "a.jsonl: is named twice"),
    ],
)
def test_wrong_usage_is_a_line_and_status_2(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


@pytest.mark.parametrize(
    "words",
    [
        "--local --port 1 failed list",
        "failed --port 1 list --local",
        "failed list --port 1 --local",
        "--port 2 failed --local --port 3 list --port 1",
        "failed --port 3 --port 1 list --local",
    ],
)
def test_where_to_work_may_be_said_anywhere_and_the_last_word_counts(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As aws and gh have it: people write it behind the subcommand, scripts in front of it."""
    assert run(words.split()) == 1
    assert '"http://127.0.0.1:1/"' in capsys.readouterr().err


def test_a_command_that_needs_no_deployment_takes_the_options_of_every_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_bytes(BAD)
    assert run(["--local", "validate", str(file), "--stage", "prod"]) == 1
    assert "wrong_type" in capsys.readouterr().out


@pytest.mark.parametrize("subcommand", ["validate", "failed", "failed list", "map try", "doctor"])
def test_each_help_names_where_the_options_of_every_command_are(
    subcommand: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*subcommand.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert "The options of every command, such as --stage and --local: relay --help" in shown
    assert "--profile" not in shown


def test_an_endpoint_that_is_none_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("AWS_ENDPOINT_URL", "nowhere"), ("AWS_REGION", "eu-west-1")):
        monkeypatch.setenv(name, value)
    assert run(["failed", "list"]) == 2
    assert capsys.readouterr().err == "relay: Invalid endpoint: nowhere: mend AWS_ENDPOINT_URL\n"


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        ([], {}, "set AWS_REGION or give --region"),
        (["--region", "no region"], {}, "a region is as eu-west-1"),
        (["--profile", "nobody"], {}, "aws configure list-profiles"),
        (["--region", "eu-west-1"], {}, "sign in, set AWS_PROFILE or give --profile"),
        (["--region", "eu-west-1"], {"AWS_ACCESS_KEY_ID": "key"}, "set both the access key and the secret key"),
        ([], {"AWS_CONFIG_FILE": "broken"}, "mend the file"),
    ],
)
def test_what_keeps_a_call_from_being_made_is_wrong_usage_with_what_to_do(  # noqa: PLR0913, PLR0917 - three are fixtures
    words: list[str],
    environment: dict[str, str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    (tmp_path / "broken").write_text("[nothing")
    nothing = {"AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none", "AWS_EC2_METADATA_DISABLED": "true"}
    for name, value in (nothing | environment).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    assert run(["failed", "list", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_any_number_of_errors_may_be_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_bytes(BAD)
    assert run(["validate", str(file), "--max-errors", "9" * 30, "--format", "json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["rejections"]) == 1


def test_a_bug_is_told_by_its_place_alone() -> None:
    """Its text may hold an event, as that of a KeyError."""
    with pytest.raises(KeyError) as raised:
        _ = os.environ["CANARY"]
    said = bug(raised.value)
    assert said.startswith("this is a bug, please report it: KeyError at ")
    assert "test_main.py:" in said
    assert "CANARY" not in said
