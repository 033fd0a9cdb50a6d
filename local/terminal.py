"""Ends the local system's commands cleanly: a failure in a few clear lines, Ctrl-C without a traceback."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from local.emulator.cdk import DeployError
from local.emulator.emulator import EmulatorError
from local.mapping.settings import UnsupportedMapping
from local.system import UnfitMachine

FAILURES = (DeployError, EmulatorError, UnsupportedMapping, UnfitMachine, BotoCoreError, ClientError, OSError)
INTERRUPTED = 130
"""The exit status that shells give a command which Ctrl-C ended."""


def telling(console: Console) -> Callable[[str], None]:
    """Return a function that prints a line as it is, because a name in it may look like the console's markup."""
    return partial(console.print, markup=False, emoji=False, soft_wrap=True)


@contextmanager
def ending_well(console: Console, *failures: type[Exception]) -> Iterator[None]:
    """End the process with status 1 and the failure's message, or as interrupted; SIGTERM counts as Ctrl-C.

    `failures` are the command's own, besides those of the local system.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    told: tuple[type[Exception], ...] = (*FAILURES, *failures)
    try:
        yield
    except told as exc:
        console.print(str(exc), style="red", markup=False, soft_wrap=True)
        raise SystemExit(1) from exc
    except KeyboardInterrupt:
        console.print("stopped: nothing is left running")
        raise SystemExit(INTERRUPTED) from None
