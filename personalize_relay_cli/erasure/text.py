"""How `relay failed erase` says what it found: counts by kind, never an id or a byte of a record."""

from collections.abc import Iterator

from personalize_relay_cli.erasure.erase import ErasureAccount
from personalize_relay_cli.printing import counted, number

ELSEWHERE = (
    "still held elsewhere:",
    "  the stream, until its retention is over: what it brings to the bucket anew is erased by this command then",
    "  Personalize: `aws personalize create-data-deletion-job`, with a file of user ids",
    "  the function's log, its metrics and its traces hold no ids",
)


def account_lines(account: ErasureAccount) -> Iterator[str]:
    """The account for people."""
    would = "would be " if account.dry_run else ""
    for name, kind in account.kinds.items():
        yield (
            f"{name}: {number(kind.records, 'record')} in {number(kind.objects, 'object')}, {kind.removed:,} {would}"
            f"removed, {kind.cut:,} {would}cut, {number(kind.changed_objects, 'object')} {would}changed"
        )
    if account.removed_along:
        yield f"{account.removed_along:,} events of others or unreadable payloads {would}removed along: of one piece"
    if account.unreadable:
        records, why = number(account.unreadable.total(), "record"), counted(account.unreadable)
        yield f"{records} can't be read, so nobody can tell whose: {why}"
        yield "look at one with `relay failed show --reveal`, or remove all of them with --unreadable:"
        yield from (f"  {number}" for number in account.examples)
    yield from ELSEWHERE
