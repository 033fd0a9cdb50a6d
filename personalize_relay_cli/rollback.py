"""`relay rollback`."""

import sys
from collections.abc import Callable, Iterator
from typing import Annotated

import typer

from personalize_relay_cli.deployment import Deployment, connect
from personalize_relay_cli.health.versions import Version, make_live, versions
from personalize_relay_cli.options import YesOption
from personalize_relay_cli.printing import agreed, print_lines
from personalize_relay_cli.problems import Misuse, Problem

_WHAT_STAYS = """
The function's code and its own settings (memory, timeout, variables) are those of then. The mapping, the stream, the
alarms and the role stay as they were deployed last. The next `make deploy` that changes the function
publishes a version of its own, and makes that live.
"""


def rollback(
    context: typer.Context,
    *,
    to: Annotated[
        int | None,
        typer.Option(metavar="VERSION", min=1, help="Make this one live (default: the one before)."),
    ] = None,
    yes: YesOption = False,
) -> None:
    """Make the version before live again, within seconds.

    Each deployment that changes the function publishes a version of its code and
    its own settings. This points the function's alias to the one before, or to
    the one that --to names: forward, too. An invocation under way ends first, no
    record is lost, and nothing else of the stack changes. Asks before it does.

      relay rollback --stage prod
      relay rollback --stage prod --to 7 --yes

    Exit status: 0 it is live, 1 there is none or it was moved meanwhile, 2 usage.
    """
    if not (yes or (sys.stdin.isatty() and sys.stderr.isatty())):
        raise Misuse("rollback asks first, which needs a terminal: give --yes; see --help")
    deployment = connect(**context.obj)
    print_lines(moved(deployment, to, _unasked if yes else _asked))


def moved(deployment: Deployment, to: int | None, agree: Callable[[Version], None]) -> Iterator[str]:
    """Make the version `to` live, or that before; yields what is said of it. `agree` raises Problem against it."""
    seen = versions(deployment)
    target = seen.before if to is None else seen.chosen(to)
    yield f"{deployment.stack}\nlive:  {seen.live}\nto be: {target}"
    agree(target)
    make_live(deployment, target, seen)
    yield f"version {target.number} is live\n{_WHAT_STAYS}\nTo undo it, with the same options: --to {seen.live.number}"


def _unasked(_target: Version) -> None:
    pass


def _asked(target: Version) -> None:
    if not agreed(f"make version {target.number} live?"):
        raise Problem("nothing was done")
