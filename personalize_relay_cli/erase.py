"""`relay failed erase`: takes a person's events out of what is set aside."""

import sys
from typing import Annotated

import typer

from personalize_relay_cli.deployment import connect
from personalize_relay_cli.erasure import text
from personalize_relay_cli.erasure.erase import Account, Erasure
from personalize_relay_cli.erasure.objects import Objects
from personalize_relay_cli.erasure.remainder import Eraser
from personalize_relay_cli.erasure.whom import Whom
from personalize_relay_cli.failed import mapped, reported
from personalize_relay_cli.options import MappingOption, Output, OutputOption
from personalize_relay_cli.printing import agreed, number, print_json, print_lines, say
from personalize_relay_cli.problems import FAILED, Misuse, translating
from personalize_relay_cli.recovery.failures import Failures
from personalize_relay_cli.recovery.selection import Selection

WHOM = "Whom"
UserId = Annotated[
    str | None, typer.Option("--user-id", metavar="ID", help="Remove the events of a user.", rich_help_panel=WHOM)
]
SessionId = Annotated[
    str | None, typer.Option("--session-id", metavar="ID", help="Remove the events of a session.", rich_help_panel=WHOM)
]


def erase(  # noqa: PLR0913 - an option each
    context: typer.Context,
    *,
    user_id: UserId = None,
    session_id: SessionId = None,
    mapping: MappingOption = None,
    unreadable: Annotated[bool, typer.Option("--unreadable", help="Remove records that can't be read, too.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask; needed without a terminal.")] = False,
    output: OutputOption = Output.TEXT,
) -> int:
    """Remove a user's or a session's events from the bucket, for ever.

    Reads every record as the function does and compares ids as they are parsed.
    Of a record that holds others' events these stay, under their ids. Shows the
    counts and asks before it removes. What is written anew expires later: its
    days begin again. With both ids the events of either go.

    [bold]relay failed erase --user-id u-7 --stage prod --dry-run[/]
    [bold]relay failed erase --user-id u-7 --session-id s-81 --stage prod --yes[/]

    Exit status: 0 nothing of them is left, 1 something can't be read, 2 wrong usage.
    """
    if dry_run and yes:
        raise Misuse("--dry-run removes nothing, --yes removes: which is it?")
    if not (user_id or session_id):
        raise Misuse("whose events? give --user-id or --session-id")
    whom = Whom(user_id=user_id or None, session_id=session_id or None)
    deployment = connect(**context.obj)
    work = Failures(deployment)
    with translating():
        eraser = Eraser(whom, mapped(Selection(), mapping, work.settings), unreadable=unreadable)
        if not yes:
            plan = Erasure(work.bucket, work.ledger, eraser, None).run()
            if dry_run or not (sys.stdin.isatty() and plan.found):
                return _planned(plan, output, needs_yes=not dry_run)
            say(text.account_lines(plan, planned=True))
            if not agreed(f"remove {number(plan.found, 'record')}, or their part of them, for ever?"):
                return FAILED
        erasing = Erasure(work.bucket, work.ledger, eraser, Objects(deployment.client("s3"), work.bucket.name))
        try:
            erasing.run()
        except BaseException:
            _print_account(erasing.account, output, planned=False)
            raise
    _print_account(erasing.account, output, planned=False)
    return _status(erasing.account)


def _planned(plan: Account, output: Output, *, needs_yes: bool) -> int:
    _print_account(plan, output, planned=True)
    status = _status(plan)
    if needs_yes and plan.found:
        say(["a dry run, as there is no terminal to ask: nothing was removed. --yes removes"])
        return FAILED
    return status


def _print_account(account: Account, output: Output, *, planned: bool) -> None:
    if output is Output.JSON:
        print_json(text.account_json(account, planned=planned))
    else:
        print_lines(text.account_lines(account, planned=planned))


def _status(account: Account) -> int:
    return reported(account.flaws) or (0 if account.done else FAILED)
