"""Serves ministack with its own Kinesis poller switched off.

That poller ignores `batchItemFailures`, bisecting, retries and destinations and drops what failed without a word
(ministack 1.5.33); `local.event_source_mapping` reads the streams instead. The emulator has no setting for it.
"""

from ministack.app import main  # type: ignore[import-untyped]  # it ships no types
from ministack.services import lambda_svc  # type: ignore[import-untyped]  # the same


def _leave_streams_alone() -> bool:
    return False


if __name__ == "__main__":
    lambda_svc._poll_kinesis = _leave_streams_alone  # noqa: SLF001 -- the only place where the poller can be cut off
    main()
