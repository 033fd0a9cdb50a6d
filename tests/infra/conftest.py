"""The stack under test, synthesized once a session: a synth costs seconds, reading its template nothing."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from infra.settings import StackSettings
from infra.sharing import Home
from infra.stack import NOWHERE, RelayStack

ROOT = Path(__file__).parents[2]
TRACKING_ID = "11111111-2222-3333-4444-555555555555"
HOME = Home(account="123456789012", region="eu-west-1")
SHARED_STREAM_ARN = "arn:aws:kinesis:eu-west-1:222222222222:stream/clicks"
SHARED_KEY_ARN = "arn:aws:kms:eu-west-1:333333333333:key/0b9c2f6e-1111-2222-3333-444455556666"

type Compose = Callable[..., RelayStack]
type Synthesize = Callable[..., Template]


@pytest.fixture(scope="session")
def context() -> dict[str, Any]:
    """What the CDK command reads from cdk.json."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return context


@pytest.fixture(scope="session")
def compose(context: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Compose:
    """The stack of a stage with settings overridden as by `-c`; any code will do, so nothing is downloaded."""
    code = tmp_path_factory.mktemp("code")
    (code / "placeholder.py").touch()

    def stack(home: Home = NOWHERE, **overrides: str | None) -> RelayStack:
        app = App(context=context | {"trackingId": TRACKING_ID} | overrides, analytics_reporting=False)
        settings = StackSettings.from_context(app.node.get_all_context())
        return RelayStack(app, "Relay", settings=settings, code=code, home=home)

    return stack


@pytest.fixture(scope="session")
def synthesize(compose: Compose) -> Synthesize:
    """The template of a stage with settings overridden as by `-c`."""
    return cache(lambda **overrides: Template.from_stack(compose(**overrides)))


@pytest.fixture(scope="session")
def dev(synthesize: Synthesize) -> Template:
    """The dev stage as cdk.json sets it."""
    return synthesize(stage="dev")


@pytest.fixture(scope="session")
def shared(synthesize: Synthesize) -> Template:
    """The prod stage on a stream of another account, with the key of a third."""
    return synthesize(
        stage="prod",
        streamArn=SHARED_STREAM_ARN,
        streamKeyArn=SHARED_KEY_ARN,
        streamRetentionHours="24",
        home=HOME,
    )


@pytest.fixture(scope="session")
def shadow(synthesize: Synthesize) -> Template:
    """The prod stage in shadow, with a mapping from a file."""
    return synthesize(stage="prod", shadow="true", mapping="maps/ours.toml", mappingSalt="x" * 16)


@pytest.fixture(scope="session")
def prod(synthesize: Synthesize) -> Template:
    """The prod stage as cdk.json sets it."""
    return synthesize(stage="prod")
