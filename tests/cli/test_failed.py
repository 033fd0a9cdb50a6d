"""`relay failed` refuses what it can't work with before it calls anything, and its help has all of its options."""

import subprocess
import sys
from pathlib import Path

import pytest

from personalize_relay_cli.failed import reason_name
from personalize_relay_cli.main import run
from personalize_relay_cli.recovery.set_aside import CONDITIONS

COMMANDS = {
    "list": "--format --each",
    "show": "--reveal",
    "redrive": "--transform --direct --rate --dry-run --reveal --yes --take-over",
}
FILTERS = "--since --until --reason --shard --tracker"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches_a_command_on_one_screen(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["failed", command, "--help"]) == 0
    said = capsys.readouterr().out
    assert f"relay failed {command} " in said
    assert all(option in said for option in f"{COMMANDS[command]} {FILTERS}".split())
    assert len(said.splitlines()) < 60


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["redrive", "--transform", "merge(@"], "ends too soon"),
        (["redrive", "--rate", "0"], "--rate"),
        (["redrive", "--dry-run", "--yes"], "which is it?"),
        (["list", "--since", "yesterday"], "ISO 8601"),
        (["redrive", "--since", "1h", "--until", "2h"], "not before"),
        (["show", "canary"], "a sequence number is a number"),
        (["show"], "SEQUENCE_NUMBER"),
        (["list", "--format", "xml"], "--format"),
        (["list", "--local", "--profile", "p"], "leave --profile"),
        (["list", "--reason", "wrong_typ"], "did you mean wrong_type?"),
        (["redrive", "--reason", "retries_exhausted"], "did you mean retry_attempts_exhausted?"),
        (["list", "--reason", "canary"], "`relay failed list` names those"),
        (["list", "--shard", "3"], "did you mean shardId-000000000003?"),
        (["list", "--shard", "canary"], "as shardId-000000000003"),
    ],
)
def test_wrong_usage_is_a_line_and_status_2(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["failed", *words]) == 2
    assert said in capsys.readouterr().err


def test_no_other_command_waits_for_the_sdk_or_libcurl() -> None:
    code = "import sys, personalize_relay_cli.main; print(*sys.modules)"
    ended = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert "personalize_relay_cli.failed" in ended.stdout.split()
    assert not {"boto3", "botocore.session", "pycurl", "aws_lambda_powertools"} & set(ended.stdout.split())


def test_a_condition_of_lambdas_is_taken_in_its_own_words_even_one_that_nobody_knows() -> None:
    """AWS documents no list of them."""
    assert reason_name("RetryAttemptsExhausted") == reason_name("retry_attempts_exhausted") == CONDITIONS[0]
    assert reason_name("SomethingNew") == "something_new"
