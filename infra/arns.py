"""Amazon resource names, as far as the stack reads them."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Arn:
    """Where a resource is, and whose."""

    partition: str
    region: str
    account: str

    @classmethod
    def of(cls, text: str) -> Self:
        """Read an ARN that a setting's rule has passed."""
        _, partition, _, region, account, *_ = text.split(":")
        return cls(partition, region, account)
