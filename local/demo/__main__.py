"""`make demo`: deploy the relay on this machine, send it a clickstream, and account for every event.

Exit status: 0 when every event is accounted for, 1 when one is not or something failed.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from rich.console import Console

from local.demo import segment_stream
from local.demo.careless import amid, careless
from local.demo.clickstream import LASTS, Dating, SampleRecord, sample
from local.demo.run import Demo
from local.demo.spells import CARELESSNESS, DENIAL, THROTTLING, Spell
from local.system import System
from local.terminal import ending_well, telling
from personalize_relay_cli.problems import Problem

BY_MAKE = 'With make: make demo ARGS="--seconds 0".'
SECONDS, MOST_SECONDS = 30.0, 600.0
EARLIER = 0.1
"""The longest wait of a click before its producer sends it, as a share of the sample's seconds."""
OF_OTHERS = {"segment": segment_stream.sample}
"""Streams of other systems, by the preset that reads them."""


def main() -> int:
    """Run the demo; returns the exit status."""
    options = _parser().parse_args()
    context = {"putEventsClient": options.client} | ({"mapping": options.mapping} if options.mapping else {})
    console, seconds = Console(), options.seconds
    with ending_well(console, Problem), System(context, tell=telling(console)) as system:
        records = _records(options.mapping, _dating(seconds))
        spells = _spells(options.mapping) if seconds else ()
        demo = Demo(system, console, records, seconds=seconds, spells=spells)
        return 0 if demo.run(swallow=options.swallow) else 1


def _dating(seconds: float) -> Dating:
    """Dates the sample as it happens, or as if its last hours had waited for the relay."""
    return Dating(time.time() - EARLIER * seconds, seconds / LASTS) if seconds else Dating(int(time.time()) - LASTS)


def _records(mapping: str | None, dating: Dating) -> list[SampleRecord]:
    return OF_OTHERS[mapping](dating=dating) if mapping else amid(sample(dating=dating), careless(), CARELESSNESS)


def _spells(mapping: str | None) -> Sequence[Spell]:
    return (THROTTLING, DENIAL) if mapping else (THROTTLING, DENIAL, CARELESSNESS)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__, epilog=BY_MAKE)
    parser.add_argument(
        "--seconds",
        type=_seconds,
        default=SECONDS,
        help="Send the sample over SECONDS, with spells of throttling and denied access in them; 0 sends it at once, "
        "without them (default: %(default)g).",
    )
    parser.add_argument(
        "--swallow",
        action="store_true",
        help="Let the Personalize fake lose one event, to see the account fail (default: it loses none).",
    )
    parser.add_argument(
        "--client",
        choices=("curl", "boto3"),
        default="curl",
        help="Call PutEvents by libcurl or boto3 (default: %(default)s).",
    )
    parser.add_argument(
        "--mapping",
        choices=OF_OTHERS,
        help="Send the sample of another system, and read it by its preset (default: send the relay's own events).",
    )
    return parser


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if 0 <= float(text) <= MOST_SECONDS:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text} is not from 0 to {MOST_SECONDS:g} seconds")


if __name__ == "__main__":
    sys.exit(main())
