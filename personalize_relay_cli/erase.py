"""`relay failed erase`: takes a person's events out of what is set aside."""

from typing import Annotated

import typer

from personalize_relay_cli.deployment import connect
from personalize_relay_cli.erasure import text
from personalize_relay_cli.erasure.erase import Erasure
from personalize_relay_cli.erasure.remainder import Eraser
from personalize_relay_cli.erasure.whom import Whom
from personalize_relay_cli.failed import mapped, reported
from personalize_relay_cli.options import DryRunOption, OutputOption, OwnMappingOption, YesOption
from personalize_relay_cli.printing import Output, choose, number, print_result, unless_agreed
from personalize_relay_cli.problems import Misuse, translating
from personalize_relay_cli.recovery.failures import Failures
from personalize_relay_cli.recovery.selection import Selection

UserId = Annotated[str | None, typer.Option(metavar="ID", help="Remove the events of this user.")]
SessionId = Annotated[str | None, typer.Option(metavar="ID", help="Remove the events of this session.")]


def erase(  # noqa: PLR0913 - an option each
    context: typer.Context,
    *,
    user_id: UserId = None,
    session_id: SessionId = None,
    mapping: OwnMappingOption = None,
    unreadable: Annotated[bool, typer.Option("--unreadable", help="Remove what can't be read, too.")] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
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
    choose(dry_run=dry_run, yes=yes)
    if not (user_id or session_id):
        raise Misuse("whose events? give --user-id or --session-id")
    whom = Whom(user_id=user_id or None, session_id=session_id or None)
    work = Failures(connect(**context.obj))
    with translating():
        eraser = Eraser(whom, mapped(Selection(), mapping, work.settings), unreadable=unreadable)
        if not yes:
            plan = Erasure(work.bucket, work.ledger, eraser, dry_run=True).run()
            question = f"remove {number(plan.found, 'record')}, or their part of them, for ever?" if plan.found else ""
            lines = text.account_lines(plan)
            status = unless_agreed(output, plan, lines, question, dry_run=dry_run, status=int(not plan.done))
            if status is not None:
                return reported(plan.flaws) or status
        erasing = Erasure(work.bucket, work.ledger, eraser, dry_run=False)
        try:
            erasing.run()
        finally:
            print_result(output, erasing.account, text.account_lines(erasing.account))
    return reported(erasing.account.flaws) or int(not erasing.account.done)
