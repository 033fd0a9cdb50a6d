"""Writes to the bucket that overwrite nothing unseen, and leave no older version of what they wrote."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_CHANGED = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"}
"""What S3 answers to a conditional write when the object was changed, is being changed, or is gone."""


class Objects:
    """The objects of a versioned bucket."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def replace(self, key: str, etag: str, body: bytes | None) -> bool:
        """Put another body in an object's place, or nothing, for ever; False where it isn't the one of that ETag.

        Its versions are looked up first: who may not do that changes nothing.
        """
        versions = self._versions(key)
        if not self._written(key, etag, body):
            return False
        for version in versions:
            self._s3.delete_object(Bucket=self._bucket, Key=key, VersionId=version)
        return True

    def _versions(self, key: str) -> list[str]:
        pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=key)
        return [each["VersionId"] for page in pages for each in page.get("Versions", []) if each["Key"] == key]

    def _written(self, key: str, etag: str, body: bytes | None) -> bool:
        from botocore.exceptions import ClientError  # noqa: PLC0415 - slow to import

        try:
            if body is None:
                self._s3.delete_object(Bucket=self._bucket, Key=key, IfMatch=etag)
            else:
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, IfMatch=etag)
        except ClientError as exc:
            if exc.response["Error"]["Code"] not in _CHANGED:
                raise
            return False
        return True
