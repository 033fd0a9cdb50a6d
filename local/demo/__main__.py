"""`make demo`: deploy the relay on this machine, send it a clickstream, and account for every event.

Exit status: 0 when every event is accounted for, 1 when one is not or something failed.
"""

import argparse
import sys
import time

from rich.console import Console

from local.demo import segment_stream
from local.demo.careless import amid, careless
from local.demo.clickstream import LASTS, Dating, SampleRecord, sample
from local.demo.run import Demo
from local.demo.spells import CARELESSNESS
from local.system import System
from local.terminal import ending_well, telling
from personalize_relay_cli.problems import Problem

SECONDS = 30.0
EARLIER = 0.1
"""Of the seconds that the sample takes, those that a click has waited for its producer, at the most."""
OF_OTHERS = {"segment": segment_stream.sample}
"""Streams of other systems, by the preset that reads them."""


def main() -> int:
    """Run the demo; returns the exit status."""
    options = _parser().parse_args()
    context = {"putEventsClient": options.client} | ({"mapping": options.mapping} if options.mapping else {})
    console = Console()
    with ending_well(console, Problem), System(context, tell=telling(console)) as system:
        demo = Demo(system, console, _records(options.mapping, options.seconds), seconds=options.seconds)
        return 0 if demo.run(swallow=options.swallow) else 1


def _records(mapping: str | None, seconds: float) -> list[SampleRecord]:
    """The sample, dated as if it happened now, or as if its last hours had waited for the relay."""
    dating = Dating(time.time() - EARLIER * seconds, seconds / LASTS) if seconds else Dating(int(time.time()) - LASTS)
    if mapping:
        return OF_OTHERS[mapping](dating=dating)
    return amid(sample(dating=dating), careless(), CARELESSNESS)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument(
        "--seconds",
        type=float,
        default=SECONDS,
        help="Send the sample over SECONDS, with a spell of throttling in them; 0 sends it as fast as the stream takes "
        "it, without the spell (default: %(default)g).",
    )
    parser.add_argument(
        "--swallow",
        action="store_true",
        help="Let the Personalize fake lose one event, to see the account fail (default: it loses none).",
    )
    parser.add_argument(
        "--client", choices=("curl", "boto3"), default="curl", help="Call PutEvents with CLIENT (default: %(default)s)."
    )
    parser.add_argument(
        "--mapping",
        choices=OF_OTHERS,
        help="Send the sample of another system, and read it by its preset (default: send the relay's own events).",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
