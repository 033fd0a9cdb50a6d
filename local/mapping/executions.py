"""Counts how many executions of a function ran at once."""

import threading


class Executions:
    """Executions, with their beginnings and ends; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: list[float] = []
        self._over: list[tuple[float, float]] = []
        self._told_until = 0.0

    def begin(self, began: float) -> None:
        """Note an attempt that begins at this Unix time."""
        with self._lock:
            self._running.append(began)

    def end(self, began: float, ended: float, *, ran: bool) -> None:
        """Note the end of that attempt, and whether the function ran."""
        with self._lock:
            self._running.remove(began)
            if ran:
                self._over.append((began, ended))

    def take(self, now: float) -> list[tuple[float, int]]:
        """The beginnings of executions, each with the number that ran at that moment; each is returned once.

        While an earlier attempt is still under way, nobody knows whether it will count as an execution, so later ones
        wait for its end.
        """
        with self._lock:
            known_until = min(self._running, default=now)
            begun = [began for began, _ in self._over if self._told_until <= began < known_until]
            at_once = [(moment, sum(began <= moment < ended for began, ended in self._over)) for moment in begun]
            self._over = [(began, ended) for began, ended in self._over if ended >= known_until]
            self._told_until = known_until
            return at_once
