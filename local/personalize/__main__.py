"""`python -m local.personalize`: keep a Personalize fake running, until Ctrl-C."""

import argparse
import contextlib
import signal
import sys
import threading

from botocore.credentials import Credentials

from local.personalize.faults import Delay, Fault, Quota
from local.personalize.server import PersonalizeFake


def main() -> None:
    """Serve until Ctrl-C, then say how much came in."""
    options = _parser().parse_args()
    personalize = PersonalizeFake(
        port=options.port,
        trackers=options.tracker,
        credentials=Credentials(options.access_key, options.secret_key),
        verify_signatures=not options.unsigned,
    )
    for ending in (signal.SIGINT, signal.SIGTERM):
        # Said anew, as a shell starts its background jobs deaf to Ctrl-C.
        signal.signal(ending, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), personalize:
        for effect in (options.latency and Delay(options.latency), options.quota and Quota(options.quota)):
            if effect:
                personalize.inject(Fault(effect))
        sys.stdout.write(f"{personalize.endpoint}\n")
        sys.stdout.flush()
        threading.Event().wait()
    sys.stdout.write(f"{personalize.call_count} calls, {personalize.accepted_count} events accepted\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.personalize", description="A stand-in for Amazon Personalize's PutEvents on 127.0.0.1."
    )
    parser.add_argument("--port", type=int, default=0, help="Listen on this port (default: any free one).")
    parser.add_argument("--tracker", action="append", help="Know this trackingId; repeatable (default: know all).")
    parser.add_argument("--access-key", default="test", help="Take signatures of this key (default: %(default)s).")
    parser.add_argument("--secret-key", default="test", help="Take those with this secret (default: %(default)s).")
    parser.add_argument("--unsigned", action="store_true", help="Take requests whatever their signature (default: no).")
    parser.add_argument("--latency", type=float, default=0.0, help="Hold each call this many seconds (default: 0).")
    parser.add_argument(
        "--quota", type=float, default=0.0, help="Throttle above so many calls a second (default: never)."
    )
    return parser


if __name__ == "__main__":
    main()
