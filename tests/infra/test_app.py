"""What `python app.py` ends with, run as the CDK command starts it: one line for a person's mistake."""

import json
import os
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.infra.conftest import ROOT, SHARED_STREAM_ARN

PLACES = "set it in cdk.json under stages.dev or by -c"

type Refusal = Callable[..., str]


@pytest.fixture
def refusal(context: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Refusal:
    """The line that a synth ends with; in this process, as another takes seconds to load the CDK."""

    def said(region: str = "eu-west-1", **overrides: str) -> str:
        given = json.dumps(context | {"trackingId": "tracker"} | overrides)
        for name, value in {"CDK_CONTEXT_JSON": given, "CDK_DEFAULT_REGION": region}.items():
            monkeypatch.setitem(os.environ, name, value)
        monkeypatch.setattr(sys, "path", [*sys.path])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(ROOT / "app.py"), run_name="__main__")
        assert isinstance(ended.value.code, str)  # which Python prints, and ends with status 1
        assert "\n" not in ended.value.code
        return ended.value.code

    return said


def test_wrong_setting_ends_in_one_line(refusal: Refusal) -> None:
    """A person who mistypes a setting reads a sentence, not a traceback."""
    rule = "batchSize must be a whole number from 1 to 10000, not '0'"
    assert refusal(batchSize="0") == f"{rule}; {PLACES} batchSize=…"


def test_wrong_mapping_ends_in_one_line(refusal: Refusal, tmp_path: Path) -> None:
    """Nothing is deployed that would turn every record away, or whose own tests fail."""
    mapping = tmp_path / "ours.toml"
    mapping.write_text(
        '[[rule]]\nname = "all"\ndrop = true\n[[test]]\nname = "one"\ninput = "{}"\nreason = "not_mapped"\n'
    )
    assert refusal(mapping=str(mapping)).startswith(f'{mapping}: test "one": ')


def test_stream_of_another_region_ends_in_one_line(refusal: Refusal) -> None:
    """By the region that the CDK command says."""
    said = refusal(region="us-east-1", streamArn=SHARED_STREAM_ARN, streamRetentionHours="24")
    assert said.startswith("streamArn must be of the region that is deployed to, us-east-1: ")
    assert said.endswith(f"{PLACES} streamArn=…")
