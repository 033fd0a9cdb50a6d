"""Versions of the deployed function that a test publishes: nothing else reaches what the mapping invokes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from local.system import System


def publish(system: System, changed: Mapping[str, str], *, timeout: int | None = None) -> str:
    """Publish a version with other variables, and maybe another timeout; an empty variable is taken away."""
    functions, name = system.client("lambda"), system.outputs["FunctionName"]
    deployed = functions.get_function_configuration(FunctionName=name)
    right, usual = deployed["Environment"]["Variables"], deployed["Timeout"]
    variables = {key: value for key, value in {**right, **changed}.items() if value or key not in changed}
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": variables}, Timeout=timeout or usual
    )
    version = functions.publish_version(FunctionName=name)["Version"]
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": right}, Timeout=usual)
    return version


def make_live(system: System, version: str) -> str:
    """Point the alias to a version; returns the one that it pointed to."""
    functions, name, alias = system.client("lambda"), system.outputs["FunctionName"], system.outputs["AliasName"]
    before = functions.get_alias(FunctionName=name, Name=alias)["FunctionVersion"]
    functions.update_alias(FunctionName=name, Name=alias, FunctionVersion=version)
    return before


@contextmanager
def function_set(system: System, changed: Mapping[str, str], timeout: int | None = None) -> Iterator[None]:
    """The function with other variables for a while, and maybe another timeout; an empty variable is taken away."""
    before = make_live(system, publish(system, changed, timeout=timeout))
    try:
        yield
    finally:
        make_live(system, before)
