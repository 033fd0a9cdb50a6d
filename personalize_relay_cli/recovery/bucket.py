"""A bucket: reads, lists and writes that overwrite nothing unseen."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_CHANGED = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"}
"""What S3 answers to a conditional write when the object was changed, is being changed, or is gone."""


class Stored(NamedTuple):
    """An object that is there."""

    key: str
    modified: float
    """Epoch seconds."""


class StoredBody(NamedTuple):
    """What an object holds."""

    body: bytes
    etag: str


class Bucket:
    """A bucket by its name."""

    def __init__(self, s3: "S3Client", name: str) -> None:
        self._s3 = s3
        self.name = name

    def read(self, key: str) -> StoredBody | None:
        """An object's content; None where there is no such object."""
        try:
            answer = self._s3.get_object(Bucket=self.name, Key=key)
            return StoredBody(answer["Body"].read(), answer["ETag"])
        except self._s3.exceptions.NoSuchKey:
            return None

    def keys(self, prefix: str, after: str = "") -> Iterator[Stored]:
        """Every key under a prefix that comes after another, in order, but for those of folders."""
        for page in self._pages("list_objects_v2", Prefix=prefix, StartAfter=after):
            for each in page.get("Contents", []):
                # A folder as the console makes it: an object that holds nothing.
                if each["Size"] or not each["Key"].endswith("/"):
                    yield Stored(each["Key"], each["LastModified"].timestamp())

    def children(self, prefix: str) -> Iterator[str]:
        """What lies directly under a prefix, without the object of that very name: keys, and prefixes with a slash."""
        for page in self._pages("list_objects_v2", Prefix=prefix, Delimiter="/"):
            yield from (each["Prefix"] for each in page.get("CommonPrefixes", []))
            yield from (each["Key"] for each in page.get("Contents", []) if each["Key"] != prefix)

    def write(self, key: str, body: bytes, etag: str | None) -> str | None:
        """Write an object that is still the one of an ETag, or (None) still not there; returns its new ETag.

        None where others have changed it: nothing is written then.
        """
        still: dict[str, Any] = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        answer = _unless_changed(lambda: self._s3.put_object(Bucket=self.name, Key=key, Body=body, **still))
        return answer["ETag"] if answer else None

    def replace(self, key: str, etag: str, body: bytes | None) -> bool:
        """Put another body in an object's place, or nothing, for ever; False where it isn't the one of that ETag.

        Its versions are looked up first: who may not do that changes nothing.
        """
        pages = self._pages("list_object_versions", Prefix=key)
        versions = [each["VersionId"] for page in pages for each in page.get("Versions", []) if each["Key"] == key]
        if body is not None:
            is_done = self.write(key, body, etag) is not None
        else:
            is_done = (
                _unless_changed(lambda: self._s3.delete_object(Bucket=self.name, Key=key, IfMatch=etag)) is not None
            )
        for version in versions if is_done else ():
            self._s3.delete_object(Bucket=self.name, Key=key, VersionId=version)
        return is_done

    def _pages(self, operation: Any, **parameters: str) -> Iterator[Any]:  # noqa: ANN401 - as boto3 answers
        yield from self._s3.get_paginator(operation).paginate(Bucket=self.name, **parameters)


def _unless_changed[Answer](write: Callable[[], Answer]) -> Answer | None:
    """Make a conditional write; None where others have changed the object."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - slow to import

    try:
        return write()
    except ClientError as exc:
        if exc.response["Error"]["Code"] not in _CHANGED:
            raise
        return None
