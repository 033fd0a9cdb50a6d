"""The errors of the relay: what is wrong for ever, what is worth a retry, and what an operator must mend.

No message holds a byte of a record: they end in the log.
"""


class RelayError(Exception):
    """Any error the relay raises on purpose."""


class InvalidRecord(RelayError):
    """A record, or an event in it, that no retry can deliver: it belongs in the quarantine.

    `reason` is one of `personalize_relay.events.Reason`; `detail` says which member breaks which rule.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class DeliveryError(RelayError):
    """A record that is not settled yet and must come again: it is reported as a batch item failure."""


class ConfigurationError(RelayError):
    """A setting or a permission that a person must mend; the message names it and says what is allowed."""
