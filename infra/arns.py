"""The parts of an Amazon resource name that the stack reads."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Arn:
    """The place and the owner of a resource."""

    partition: str
    region: str
    account: str

    @classmethod
    def of(cls, text: str) -> Self:
        """Read an ARN that has passed a setting's rule."""
        _, partition, _, region, account, *_ = text.split(":")
        return cls(partition, region, account)
