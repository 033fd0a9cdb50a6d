"""Names that are likely slips of the contract's."""

from collections.abc import Iterable
from difflib import get_close_matches

from personalize_relay.names import LONGEST_NAME, meant, normal

NEAR = 0.8
"""How alike a name and a member must be, of 1: `event_typ` is a slip of `eventType`, `eventTime` is none."""


def nearest(member: str, names: Iterable[str]) -> str | None:
    """The name that is most likely a slip of a member's, and means no other; None if none is near."""
    by_form = {normal(name): name for name in names if len(name) <= LONGEST_NAME and meant(name) is None}
    near = get_close_matches(normal(member), by_form, 1, NEAR)
    return by_form[near[0]] if near else None
