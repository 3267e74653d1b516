"""Inputs in the user's own S3 bucket. The only importer of boto3 (the extra `s3`).

The bucket is nobody's but its owner's: workers get a link to each object that is good for a week, and a form for what
they leave. Keys come from boto3's own places (environment, profile), never from our settings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from NatronIExec.errors import BadInput, Cancelled, CannotRemove, ResultRefused, ServiceError, Unreachable
from NatronIExec.iexec.transport import USER_AGENT
from NatronIExec.storage.base import Content, Progress, no_progress
from NatronIExec.storage.cid import cid_of_bytes, cid_of_file

#: DeleteObjects takes so many at once.
DELETE_AT_ONCE = 1000
#: The longest that a signature of version 4 may live, in seconds.
LINK_S = 7 * 86400
#: The largest object that one request can make.
MAX_LEFT_BYTES = 5 * 1024**3


class S3Storage:
    """Implements `Storage`. `given` holds endpoint (empty: Amazon's), bucket, prefix, region."""

    def __init__(self, given: Mapping[str, str]) -> None:
        try:
            import boto3
            from botocore.config import Config
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
        # signatures of version 4 are what every region and every other maker of such storage takes
        style = {"addressing_style": "path"} if self._endpoint else {}
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=self._endpoint or None,
            region_name=self._region,
            config=Config(signature_version="s3v4", s3=style, user_agent_extra=USER_AGENT),
        )

    @property
    def gateways(self) -> tuple[str, ...]:
        """None: each file has its own link."""
        return ()

    @property
    def links_last_s(self) -> int:
        return LINK_S

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
        return self.link(cid)

    def link(self, cid: str) -> str:
        """Signed here, without asking anybody; worth nothing after LINK_S."""
        asked = {"Bucket": self._bucket, "Key": self._name(cid)}
        try:
            return str(self._client.generate_presigned_url("get_object", Params=asked, ExpiresIn=LINK_S))
        except self._errors as problem:
            raise _translated(problem) from problem

    def drop(self, job: str) -> Mapping[str, Any]:
        prefix = self._left(job)
        size = ["content-length-range", 1, MAX_LEFT_BYTES]
        try:
            form = self._client.generate_presigned_post(
                self._bucket, prefix + "${filename}", Conditions=[size], ExpiresIn=LINK_S
            )
        except self._errors as problem:
            raise _translated(problem) from problem
        return {"kind": "post", "url": form["url"], "fields": form["fields"], "prefix": prefix}

    def fetch(self, job: str, name: str, to: Path, max_bytes: int, cancel: Callable[[], bool] = lambda: False) -> None:
        key = self._left(job) + name
        try:
            size = int(self._client.head_object(Bucket=self._bucket, Key=key)["ContentLength"])
            if size > max_bytes:
                raise ResultRefused(f"What a worker left is larger than {max_bytes} bytes.", "It was not kept.")
            if cancel():
                raise Cancelled("Cancelled.")
            self._client.download_file(self._bucket, key, str(to))
        except self._errors as problem:
            if _status(problem) == 404:
                raise Unreachable("What a worker left is not in the bucket yet.", "It is tried again.") from problem
            raise _translated(problem) from problem

    def clear_drop(self, job: str) -> None:
        pages = self._client.get_paginator("list_objects_v2")
        try:
            found = [
                {"Key": row["Key"]}
                for page in pages.paginate(Bucket=self._bucket, Prefix=self._left(job))
                for row in page.get("Contents", [])
            ]
        except self._errors as problem:
            raise _translated(problem) from problem
        for at in range(0, len(found), DELETE_AT_ONCE):
            self._delete(found[at : at + DELETE_AT_ONCE])

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

    def _left(self, job: str) -> str:
        return "".join(f"{part}/" for part in (self._prefix, "left", job) if part)

    def _ask(self, question: Callable[[], Any]) -> None:
        try:
            question()
        except self._errors as problem:
            raise _translated(problem) from problem


def _kept(code: str, words: str) -> ServiceError:
    if code in ("AccessDenied", "AllAccessDisabled", "MethodNotAllowed"):
        return CannotRemove(
            f"The bucket does not allow files to be removed: {words}", "Allow s3:DeleteObject for these keys."
        )
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
