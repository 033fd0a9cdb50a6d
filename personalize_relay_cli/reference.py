"""Writes docs/cli.md from the commands' own help: `make docs`."""

import os
import subprocess
import sys

COMMANDS = (
    *("", "validate", "produce", "map show", "map test", "map try"),
    *("failed list", "failed show", "failed redrive", "failed erase", "replay", "status", "doctor", "rollback"),
)
WIDTH = 80
HEAD = """# The relay command

`make setup` installs the command as `.venv/bin/relay`; `uv tool install .` installs it for you alone. It uses your
usual AWS credentials; with `--local` it works on the system that `make local` runs on this machine.

| exit status | |
|---|---|
| 0 | done |
| 1 | something was rejected, left or found wrong, a service refused, or the stage is not there |
| 2 | wrong usage: an option, a file, no region or no credentials |
| 130 | ended by Ctrl-C or SIGTERM |

Nothing of an event is printed without `--reveal`: no payload, no id. Results go to standard output, as text or with
`--format json` ([its documents](json.md)); all else goes to standard error. [Mending and sending again](redrive.md) has
a page of its own.

`produce` gives an event without an `eventId` one that is derived from its content, and from how many identical events
precede it in its file. The same file gives the same ids, and two identical clicks in it stay two. Identical events of
two files get one id and are trained on once, so let the producer give at least `sentAt`, better `eventId` too.

A file is JSON Lines, a JSON array or object, or CSV, in UTF-8 or, with its mark, UTF-16. Where the suffix doesn't say
which, its beginning does. Commas, semicolons or tabs separate CSV. A column is the member that its name means, apart
from case, `_`, `-` and spaces (`properties.color` is one of `properties`); every cell is a text, an empty one absent,
and an impression is `a|b|c`. A first column without a name, of numbers alone, is skipped. A file that holds nothing, or
a header without rows, ends with exit status 1; an empty JSON array and an empty standard input don't. JSON Lines and
CSV have any size, a JSON file 128 MiB: `jq -c '.[]'` makes lines of it.

`produce` needs `kinesis:PutRecords`, and where the stage has a key of its own `kms:GenerateDataKey` on that
([what a producer needs](operations.md#what-a-producer-needs)).

With `--mapping`, a preset's name or a TOML file ([mapping](mapping.md)), a column is the member of its very name, and
text without a header is read line by line where the mapping has columns of its own. What it drops is counted by rule.
"""


def document() -> str:
    """The document: how the command behaves, then the help of each subcommand."""
    # Plain text as wide as any terminal, whatever this one is.
    plain = os.environ | {"COLUMNS": str(WIDTH), "NO_COLOR": "1", "TERM": "dumb"}
    run = subprocess.run([sys.executable, "-c", _PRINT], env=plain, capture_output=True, text=True, check=True)  # noqa: S603
    pages = run.stdout.split(_END)
    return HEAD + "".join(
        f"\n## {f'relay {command}'.strip()}\n\n```text\n{_lines(page)}\n```\n"
        for command, page in zip(COMMANDS, pages, strict=False)
    )


_END = "\f"
_PRINT = f"""
from personalize_relay_cli.main import run
from personalize_relay_cli.reference import COMMANDS
for each in COMMANDS:
    run([*each.split(), "--help"])
    print({_END!r})
"""


def _lines(page: str) -> str:
    return "\n".join(line.rstrip() for line in page.strip().splitlines())


if __name__ == "__main__":
    sys.stdout.write(document())
