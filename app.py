"""The CDK's entry point: reads the settings from the context, and makes a stack from them."""

import os
import sys
from pathlib import Path

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

# The function's code is an import root, not an installed package.
sys.path.insert(0, str(Path(__file__).parent / "lambda"))

from infra.bundling import BundlingFailed, bundle
from infra.refusal import InvalidSetting
from infra.settings import StackSettings
from infra.sharing import Home
from infra.stack import RelayStack
from personalize_relay.errors import MappingError
from personalize_relay.mapping_file import named

ROOT = Path(__file__).parent
CHECKS = (AwsSolutionsChecks, ServerlessChecks)
"""The checks that audit every synth."""


def main() -> str | None:
    """Write the cloud assembly; returns what went wrong, for `sys.exit` to print."""
    app, home = App(), Home.from_env(os.environ)
    try:
        settings = StackSettings.from_context(app.node.get_all_context())
        home.check(settings)
        if settings.mapping:
            named(settings.mapping, settings.mapping_salt)  # runs the tests in it, too
        code = bundle(root=ROOT, architecture=settings.architecture, mapping=settings.mapping_path)
    except (InvalidSetting, MappingError, BundlingFailed) as exc:
        return str(exc)
    Validations.of(app).add_plugins(*(checks() for checks in CHECKS))
    RelayStack(app, f"personalize-relay-{settings.stage}", settings=settings, code=code, home=home)
    try:
        app.synth()
    except RuntimeError as exc:  # the errors of the JavaScript side come as this
        if "ValidationFailed" not in str(exc):
            raise
        return "the template has findings, listed above: fix each, or answer it beside its resource (infra/audit.py)"
    return None


if __name__ == "__main__":
    sys.exit(main())
