"""A bucket for what goes out, when its owner has one. The only importer of boto3 (the extra `s3`).

Objects are named by their CIDs below `ipfs/`, so that a worker fetches the same path from a bucket as from a gateway;
reading must be allowed to everybody, or the bucket stand behind a URL that allows it. Keys come from boto3's own places
(environment, profile), never from our settings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from NatronIExec.errors import BadInput, Cancelled, ServiceError, Unreachable
from NatronIExec.storage.base import CannotRemove, Content, Progress, no_progress
from NatronIExec.storage.cid import cid_of_bytes, cid_of_file

#: DeleteObjects takes so many at once.
DELETE_AT_ONCE = 1000


class S3Storage:
    """Implements `Storage`. `given` holds endpoint (empty: Amazon's), bucket, prefix, region."""

    def __init__(self, given: Mapping[str, str]) -> None:
        try:
            import boto3
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError as problem:
            raise BadInput("Storage in S3 is not installed.", "pip install 'natron-iexec[s3]'") from problem
        if not given.get("bucket"):
            raise BadInput("The storage is S3, and no bucket is set.", "Set one in the settings.")
        self._errors = (BotoCoreError, ClientError)
        self._bucket = given["bucket"]
        self._prefix = given.get("prefix", "").strip("/")
        self._endpoint = given.get("endpoint", "").rstrip("/")
        self._region = given.get("region") or "us-east-1"
        self._client: Any = boto3.client("s3", endpoint_url=self._endpoint or None, region_name=self._region)

    @property
    def gateway(self) -> str:
        """What stands before /ipfs/CID in a worker's URL."""
        base = self._endpoint or f"https://s3.{self._region}.amazonaws.com"
        return "/".join(part for part in (base, self._bucket, self._prefix) if part)

    def put(
        self,
        contents: Sequence[Content],
        progress: Progress = no_progress,
        cancel: Callable[[], bool] = lambda: False,
        done: Callable[[Sequence[str]], None] = lambda cids: None,
    ) -> list[str]:
        cids: list[str] = []
        sent, total = 0, sum(_size(content) for content in contents)
        for content in contents:
            if cancel():
                raise Cancelled("Cancelled.")
            cid = cid_of_bytes(content) if isinstance(content, bytes) else cid_of_file(content)
            self._ask(lambda content=content, cid=cid: self._send(content, cid))  # type: ignore[misc]
            done([cid])
            cids.append(cid)
            sent += _size(content)
            progress(sent, total, f"{len(cids)} of {len(contents)} files")
        return cids

    def has(self, cids: Sequence[str]) -> set[str]:
        return {cid for cid in cids if self._there(cid)}

    def remove(self, cids: Sequence[str]) -> None:
        for at in range(0, len(cids), DELETE_AT_ONCE):
            keys = [{"Key": self._name(cid)} for cid in cids[at : at + DELETE_AT_ONCE]]
            self._delete(keys)

    def _delete(self, keys: Sequence[Mapping[str, str]]) -> None:
        try:
            answer = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": keys, "Quiet": True})
        except self._errors as problem:
            said = getattr(problem, "response", {}).get("Error", {})
            refused = _kept(str(said.get("Code")), str(said.get("Message")))
            raise (refused if isinstance(refused, CannotRemove) else _translated(problem)) from problem
        for error in answer.get("Errors", []):  # each key has its own, below a 200
            raise _kept(str(error.get("Code")), str(error.get("Message")))

    def url(self, cid: str) -> str:
        return f"{self.gateway}/ipfs/{cid}"

    def _send(self, content: Content, cid: str) -> None:
        if isinstance(content, Path):
            self._client.upload_file(str(content), self._bucket, self._name(cid))
        else:
            self._client.put_object(Bucket=self._bucket, Key=self._name(cid), Body=content)

    def _there(self, cid: str) -> bool:
        try:
            self._client.head_object(Bucket=self._bucket, Key=self._name(cid))
        except self._errors as problem:
            if _status(problem) in (403, 404):
                return False
            raise _translated(problem) from problem
        return True

    def _name(self, cid: str) -> str:
        return "/".join(part for part in (self._prefix, "ipfs", cid) if part)

    def _ask(self, question: Callable[[], Any]) -> None:
        try:
            question()
        except self._errors as problem:
            raise _translated(problem) from problem


def _kept(code: str, words: str) -> ServiceError:
    if code in ("AccessDenied", "AllAccessDisabled", "MethodNotAllowed"):
        return CannotRemove(f"The bucket lets us remove nothing: {words}", "Allow s3:DeleteObject for these keys.")
    return ServiceError(f"The bucket kept a file: {code} {words}", "It is tried again later.")


def _status(problem: Exception) -> int:
    response = getattr(problem, "response", {})
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _translated(problem: Exception) -> Exception:
    if _status(problem):
        return ServiceError(f"The bucket refused: {problem}.", "Check bucket, region and keys.")
    return Unreachable(f"The bucket does not answer ({type(problem).__name__}).", "It is tried again later.")


def _size(content: Content) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size
