"""`relay doctor`."""

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from personalize_relay_cli.deployment import connect
from personalize_relay_cli.health import trial
from personalize_relay_cli.health.checkups import CHECKS
from personalize_relay_cli.health.deployed import Deployed
from personalize_relay_cli.health.diagnosis import Finding, State, run
from personalize_relay_cli.options import OutputOption
from personalize_relay_cli.printing import Output, agreed, document, need_terminal, print_result
from personalize_relay_cli.problems import FAILED, Problem

_STYLES = {State.OK: "green", State.WRONG: "bold red", State.WARNING: "yellow", State.UNKNOWN: "yellow"}
_QUESTION = "This sends an event that is recorded in the dataset and can't be taken back. Send it?"


def doctor(
    context: typer.Context,
    *,
    send_event: Annotated[
        bool, typer.Option("--send-event", help="Send an event through the relay, and wait until it is delivered.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Send that event without asking.")] = False,
    output: OutputOption = Output.TEXT,
) -> int:
    """Check a deployment, and say what is wrong and what to do.

    In order: credentials, stack, stream, mapping, its retries, the stream's
    retention, function, its version and its settings, bucket, tracker, the role's
    permissions, what arrives, the last batch, members, alarms, who hears of
    pages and of tickets.
    A line is "ok", "wrong", "warning" or "unknown". A warning may be meant, as
    in a dev stage; "unknown" could not be checked. Both fail nothing.
    It changes nothing, unless --send-event is given: that event is recorded in
    the dataset, of type "relay-doctor", with a session of its own and no user.

      relay doctor --local
      relay doctor --stage prod
      relay doctor --stage prod --send-event
      relay doctor --format json | jq '.findings[] | select(.state == "wrong")'

    Exit status: 0 nothing is wrong, 1 something is, 2 wrong usage.
    """
    deployment = connect(**context.obj)
    if send_event and not yes:
        _confirm()
    deployed = Deployed(deployment, lambda: datetime.now(UTC))
    findings = _findings(deployed, send_event=send_event)
    if output is Output.JSON:
        found = list(findings)
        print_result(output, document("doctor", findings=found), ())
        states = {each.state for each in found}
    else:
        states = _print(findings)
    return FAILED if State.WRONG in states else 0


def _findings(deployed: Deployed, *, send_event: bool) -> Iterator[Finding]:
    yield from run(CHECKS, deployed)
    if send_event:
        yield from run([(trial.NAME, lambda of: trial.send(of, time.sleep))], deployed)


def _confirm() -> None:
    need_terminal("--send-event")
    if not agreed(_QUESTION):
        raise Problem("nothing was sent, and nothing checked")


def _print(findings: Iterable[Finding]) -> set[State]:
    """A line for each as it is found; returns the states there were."""
    console, states = Console(highlight=False), set()
    for found in findings:
        states.add(found.state)
        line = Text.assemble((f"{found.state:<8}", _STYLES[found.state]), f"{found.check}: {found.says}")
        if found.do:
            line.append(f"\n{'':8}-> {found.do}")
        console.print(line, soft_wrap=True)
    return states
