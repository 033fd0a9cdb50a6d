"""Arrange interactions into lanes of PutEvents requests, in as few requests as order and the API's limit allow."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Self

import msgspec

from personalize_relay.events import Event, Interaction, Source
from personalize_relay.members import LIMITS

MAX_EVENTS = LIMITS["eventList"][1]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One PutEvents call to make: up to ten interactions of one tracker, user and session, in stream order."""

    interactions: tuple[Interaction, ...]

    @property
    def tracking_id(self) -> str:
        """The event tracker that all its interactions go to."""
        return self.interactions[0].tracking_id

    @property
    def user_id(self) -> str | None:
        """The user that all its interactions belong to; None while anonymous."""
        return self.interactions[0].user_id

    @property
    def session_id(self) -> str:
        """The session that all its interactions belong to."""
        return self.interactions[0].session_id

    @property
    def events(self) -> list[Event]:
        """The events as the API takes them, in order."""
        return [interaction.event for interaction in self.interactions]

    @property
    def sources(self) -> list[Source]:
        """Where its interactions came from, in order."""
        return [interaction.source for interaction in self.interactions]

    def halves(self) -> tuple[Self, Self]:
        """The same interactions, in order, as two requests."""
        middle = len(self.interactions) // 2
        return (
            type(self)(interactions=self.interactions[:middle]),
            type(self)(interactions=self.interactions[middle:]),
        )


def lanes(interactions: Iterable[Interaction]) -> list[list[Request]]:
    """Cut interactions in stream order into lanes, the lane of the lowest position first.

    A lane has the requests of one session for one tracker, in stream order: no two of them are ever under way at once.
    """
    sessions: dict[tuple[str, str], list[Interaction]] = defaultdict(list)
    for interaction in interactions:
        sessions[interaction.tracking_id, interaction.session_id].append(interaction)
    return [_requests(session) for session in sessions.values()]


def _requests(session: list[Interaction]) -> list[Request]:
    groups = [group := [session[0]]]
    for interaction in session[1:]:
        if len(group) == MAX_EVENTS or interaction.user_id != group[0].user_id:
            groups.append(group := [])
        group.append(interaction)
    return [Request(interactions=tuple(group)) for group in groups]
