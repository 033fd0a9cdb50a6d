"""`make demo`: deploy the relay on this machine, send it a clickstream, and account for every event.

Exit status: 0 when every event is accounted for, 1 when one is not or something failed.
"""

import argparse
import sys
import time

from rich.console import Console

from local.demo import clickstream, segment_stream
from local.demo.run import Demo
from local.system import System
from local.terminal import ending_well, telling
from personalize_relay_cli.problems import Problem

SAMPLES = {"segment": segment_stream.sample}
"""Streams of other systems, by the preset that reads them."""


def main() -> int:
    """Run the demo; returns the exit status."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument(
        "--swallow", action="store_true", help="let the Personalize fake lose one event, to see the account fail"
    )
    parser.add_argument(
        "--client", choices=("curl", "boto3"), default="curl", help="what calls PutEvents (default: curl)"
    )
    parser.add_argument(
        "--mapping", choices=SAMPLES, help="what the stream is of instead of the relay's own events: its preset"
    )
    options = parser.parse_args()
    context = {"putEventsClient": options.client} | ({"mapping": options.mapping} if options.mapping else {})
    # As if its last hours had waited for the relay; EventAge would tell of a year otherwise.
    records = SAMPLES.get(options.mapping, clickstream.sample)(begins=int(time.time()) - clickstream.LASTS)
    console = Console()
    with ending_well(console, Problem), System(context, tell=telling(console)) as system:
        return 0 if Demo(system, console, records).run(swallow=options.swallow) else 1


if __name__ == "__main__":
    sys.exit(main())
