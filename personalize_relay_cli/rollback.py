"""`relay rollback`."""

from collections.abc import Callable, Iterator
from typing import Annotated

import typer

from personalize_relay_cli.deployment import Deployment, connect
from personalize_relay_cli.health.versions import make_live, versions
from personalize_relay_cli.options import YesOption
from personalize_relay_cli.printing import agreed, need_terminal, print_lines
from personalize_relay_cli.problems import Problem

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
    if not yes:
        need_terminal("rollback")
    deployment = connect(**context.obj)
    print_lines(moved(deployment, to, lambda question: yes or agreed(question)))


def moved(deployment: Deployment, to: int | None, agree: Callable[[str], bool]) -> Iterator[str]:
    """Make the version `to` live, or that before, if `agree` is true of the question; yields what is said of it."""
    seen = versions(deployment)
    target = seen.before if to is None else seen.chosen(to)
    yield f"{deployment.stack}\nlive:  {seen.live}\nto be: {target}"
    if not agree(f"make version {target.number} live?"):
        raise Problem("nothing was done")
    make_live(deployment, target, seen)
    yield f"version {target.number} is live\n{_WHAT_STAYS}\nTo undo it, with the same options: --to {seen.live.number}"
