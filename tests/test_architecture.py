"""Imports point one way, and the function's start loads nothing that it doesn't need."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from local.emulator.clients import CREDENTIALS

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "lambda" / "personalize_relay"

LAYERS = [
    {"errors"},
    {"times", "tables"},
    {"settings", "members", "payloads", "endpoints", "credentials", "backoff", "deadline", "rest", "memory", "demand"}
    | {"aggregate", "inflate", "recognise"},
    {"ends", "names"},
    {"json_values"},
    {"events", "metrics", "suspicion", "framing", "envelopes", "reshaping", "projections"},
    {"requests", "result", "delivered", "functions", "paths", "plain"},
    {"contract"},
    {"mapping"},
    {"clients", "lane", "outcome", "parsing", "closures", "shadow"},
    {"expressions", "mapping_tests", "records"},
    {"mapping_file", "quarantine"},
    {"verdicts", "schedule", "boto3_client", "curl_client", "timeout"},
    {"pace"},
    {"tracker"},
    {"delivery"},
    {"processor"},
    {"handler"},
]
"""From the ground up: a module imports only from layers below its own."""

SURROUNDINGS = {"aws_lambda_powertools", "boto3", "botocore", "logging", "os", "random", "threading", "time"}
HEAVY = {"aws_lambda_powertools", "boto3", "botocore", "msgspec"}
PURE = [
    *("events", "members", "payloads", "requests", "result", "outcome", "verdicts", "backoff"),
    *("delivery", "deadline", "tracker", "rest", "pace", "demand", "schedule", "lane", "suspicion", "timeout"),
    *("delivered", "framing", "aggregate", "inflate", "json_values", "recognise", "times", "tables", "functions"),
    *(
        "ends",
        "contract",
        "envelopes",
        "names",
        "parsing",
        "plain",
        "shadow",
        "mapping",
        "closures",
        "expressions",
        "mapping_tests",
        "mapping_file",
        "reshaping",
        "projections",
        "paths",
    ),
]
"""What knows no cloud, clock, environment or chance: it is given what it needs of them."""

FORBIDDEN = {
    **dict.fromkeys(PURE, SURROUNDINGS),
    **dict.fromkeys(["settings", "metrics", "errors"], HEAVY),
}


@cache
def tree(path: Path) -> ast.Module:
    """A module's syntax."""
    return ast.parse(path.read_text())


@cache
def imports(path: Path) -> frozenset[str]:
    """The dotted name of everything that a file imports, wherever in it."""
    return frozenset(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports(path: Path) -> set[str]:
    names = (name.split(".") for name in imports(path))
    return {parts[1] for parts in names if parts[0] == "personalize_relay" and len(parts) > 1} & modules()


def modules() -> set[str]:
    return {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}


def test_every_module_has_its_layer() -> None:
    assert set().union(*LAYERS) == modules()


@pytest.mark.parametrize("module", sorted(modules()))
def test_a_module_imports_only_from_below(module: str) -> None:
    (level,) = [number for number, layer in enumerate(LAYERS) if module in layer]
    assert own_imports(PACKAGE / f"{module}.py") <= set().union(*LAYERS[:level])


@pytest.mark.parametrize("module", FORBIDDEN)
def test_the_core_sees_no_cloud_clock_or_environment(module: str) -> None:
    top = {name.split(".")[0] for name in imports(PACKAGE / f"{module}.py")}
    assert not top & FORBIDDEN[module]


def test_the_function_knows_nothing_of_what_surrounds_it() -> None:
    outside = {"infra", "personalize_relay_cli", "local", "bench", "tests", "aws_cdk"}
    for path in PACKAGE.glob("*.py"):
        assert not {name.split(".")[0] for name in imports(path)} & outside, path.name


INFRA = {
    "retries.py": {"rest", "deadline"},
    "relay_settings.py": {"mapping_file"},
    "prebuilt.py": {"mapping_file"},
    "allowed.py": {"mapping_file"},
    "app.py": {"mapping_file"},
}
"""What else a file uses: how long the function rests says how often it is retried, and a mapping is tested at synth."""


def test_infra_knows_only_the_functions_settings_its_limits_and_the_names_of_its_metrics() -> None:
    """The reasons of `errors` name metrics, too."""
    for path in [ROOT / "app.py", *(ROOT / "infra").glob("*.py")]:
        assert own_imports(path) <= {"settings", "metrics", "errors"} | INFRA.get(path.name, set()), path.name


COMMAND: dict[str, set[str]] = {
    "input": set(),
    "checking": {"input"},
    "sending": {"input", "checking"},
    "mapping": {"input", "checking"},
    "recovery": {"sending"},
    "erasure": {"recovery"},
    "replaying": {"sending"},
    "health": set(),
}
"""The packages of the relay command, and which of each other they use."""


@pytest.mark.parametrize("package", COMMAND)
def test_the_work_of_the_command_knows_nothing_of_its_options(package: str) -> None:
    """The subcommands' modules parse and print; all else is below them."""
    top = {path.stem for path in (ROOT / "personalize_relay_cli").glob("*.py")} - {
        "advice",
        "deployment",
        "printing",
        "problems",
        "slips",
        "this_machine",
        "times",
    }
    for path in (ROOT / "personalize_relay_cli" / package).glob("*.py"):
        named = {tuple(name.split(".")) for name in imports(path)}
        assert "typer" not in {name[0] for name in named}, path.name
        used = {name[1] for name in named if name[0] == "personalize_relay_cli" and len(name) > 1} - {package}
        assert not used & top, path.name
        assert used & COMMAND.keys() <= COMMAND[package], path.name


def test_the_command_has_no_other_packages() -> None:
    assert {path.parent.name for path in (ROOT / "personalize_relay_cli").glob("*/__init__.py")} == COMMAND.keys()


LOCAL = [
    {"emulator", "personalize", "bucket"},
    {"cloudwatch"},
    {"mapping", "dashboard"},
    {"system"},
    {"terminal"},
    {"demo", "serve"},
]
"""The rooms of the local system, from the ground up: a room uses only those on floors below its own."""


def room_of(path: Path) -> str:
    """The folder of a local module, or the module itself where it lies beside the folders."""
    return path.relative_to(ROOT / "local").parts[0].removesuffix(".py")


def local_modules() -> list[Path]:
    return [path for path in (ROOT / "local").rglob("*.py") if path != ROOT / "local" / "__init__.py"]


def test_every_local_module_has_its_room() -> None:
    assert set().union(*LOCAL) == {room_of(path) for path in local_modules()}


@pytest.mark.parametrize("room", sorted(set().union(*LOCAL)))
def test_a_local_room_uses_only_those_below(room: str) -> None:
    (floor,) = [number for number, rooms in enumerate(LOCAL) if room in rooms]
    below = set().union(*LOCAL[:floor], {room})
    for path in local_modules():
        if room_of(path) == room:
            named = (name.split(".") for name in imports(path))
            assert {parts[1] for parts in named if parts[0] == "local" and len(parts) > 1} <= below, path.name


def test_only_lambda_and_tests_import_the_handler() -> None:
    paths = [
        path
        for folder in ("personalize_relay_cli", "infra", "local", "lambda")
        for path in (ROOT / folder).rglob("*.py")
    ]
    assert not [path for path in paths if "personalize_relay.handler" in imports(path)]


def loaded_by(statement: str, **environment: str) -> set[str]:
    """The modules that are loaded after a statement in a fresh interpreter."""
    code = f"import sys; sys.path.insert(0, 'lambda'); {statement}; print(*sys.modules)"
    run = subprocess.run(  # noqa: S603 - our own modules
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


READS_MAPPINGS = {"jmespath", "tomllib", "zoneinfo", "personalize_relay.mapping_file", "personalize_relay.expressions"}
"""What is loaded where a mapping is set, and costs no other function any of its start."""


def test_a_mapping_is_applied_without_what_reads_it() -> None:
    loaded = loaded_by("import personalize_relay.mapping")
    assert not loaded & READS_MAPPINGS
    assert "personalize_relay.mapping" in loaded


def test_reading_a_mapping_loads_zones_only_where_one_is_named() -> None:
    named = "from personalize_relay.mapping_file import preset; preset('segment')"
    assert READS_MAPPINGS - loaded_by(named) == {"zoneinfo"}


def test_the_function_reads_its_mapping_but_not_the_tests_in_it() -> None:
    deployed = "from personalize_relay import mapping_file as files; files.deployed(files.source('dms'), file='dms')"
    loaded = loaded_by(deployed)
    assert "personalize_relay.mapping_tests" not in loaded
    assert READS_MAPPINGS - loaded == {"zoneinfo"}


def test_events_needs_neither_powertools_nor_aws() -> None:
    loaded = loaded_by("import personalize_relay.events")
    assert not loaded & {"aws_lambda_powertools", "boto3", "botocore"}
    assert "personalize_relay.members" in loaded


@pytest.mark.parametrize(("client", "loads_the_sdk"), [("curl", False), ("boto3", True)])
def test_the_function_starts_without_the_aws_sdk(client: str, *, loads_the_sdk: bool) -> None:
    """boto3 and a client take most of a cold start: only who asks for that client pays for it."""
    settings = {"TRACKING_ID": "tracker", "QUARANTINE_BUCKET": "bucket", "PUT_EVENTS_CLIENT": client}
    region = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}
    loaded = loaded_by("import personalize_relay.handler", **settings, **region, **CREDENTIALS)
    assert bool(loaded & {"boto3", "botocore.session", "urllib3"}) == loads_the_sdk
    assert "pydantic" not in loaded
    assert not loaded & READS_MAPPINGS - {"jmespath"}  # Powertools' logger loads that one
    assert "personalize_relay.handler" in loaded


def test_no_type_of_one_name_has_two_meanings() -> None:
    """A reader who has met a name knows it; those listed mean the same in both places."""
    homes: dict[str, set[str]] = {}
    for folder in ("bench", "infra", "lambda", "local", "personalize_relay_cli"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(tree(path)):
                name = node.name if isinstance(node, ast.ClassDef) else None
                name = node.name.id if isinstance(node, ast.TypeAlias) else name
                if name and not name.startswith("_"):
                    homes.setdefault(name, set()).add(str(path.relative_to(ROOT)))
    assert {name for name, its in homes.items() if len(its) > 1} == {"Caller", "ClientFactory", "EventMembers"}
