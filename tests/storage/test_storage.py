"""One contract for every storage."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Iterator

import pytest

from NatronIExec.container.drop import leave
from NatronIExec.container.inputs import Inputs
from NatronIExec.devnet.content import ContentService
from NatronIExec.devnet.web import Answer, Request, WebServer
from NatronIExec.errors import BadInput, Cancelled, CannotRemove, ResultRefused, ServiceError, Unreachable
from NatronIExec.iexec.transport import USER_AGENT, Transport
from NatronIExec.manifest import InputFile, Manifest, ManifestWriter, sha256_hex
from NatronIExec.storage.base import Storage
from NatronIExec.storage.cid import cid_of_bytes, cid_of_file
from NatronIExec.storage.folder import FolderStorage
from NatronIExec.storage.ipfs import IpfsStorage
from NatronIExec.storage.s3 import S3Storage

MANY = 1 << 30


@pytest.fixture
def content_server(tmp_path: Path) -> Iterator[WebServer]:
    web = WebServer([ContentService(tmp_path / "content")])
    web.start()
    yield web
    web.stop()


@pytest.fixture(scope="module")
def bucket_server() -> Iterator[str]:
    moto = pytest.importorskip("moto.server")
    server = moto.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture(params=["ipfs", "s3", "folder"])
def storage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Storage:
    if request.param == "ipfs":
        web = request.getfixturevalue("content_server")
        return IpfsStorage(web.url, web.url, Transport(tries=1))
    if request.param == "folder":
        monkeypatch.setenv("NATRON_IEXEC_FOLDERS", str(tmp_path / "nas"))
        return FolderStorage(str(tmp_path / "nas" / "renders"))
    import boto3

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    endpoint = request.getfixturevalue("bucket_server")
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    client.create_bucket(Bucket="inputs")
    return S3Storage({"endpoint": endpoint, "bucket": "inputs", "prefix": "natron"})


def test_what_is_stored_can_be_fetched_until_it_is_removed(storage: Storage, tmp_path: Path) -> None:
    file = tmp_path / "big"
    file.write_bytes(bytes(range(256)) * 3000)
    told: list[Any] = []
    stored: list[str] = []
    cids = storage.put([file, b"small"], progress=lambda *step: told.append(step), done=stored.extend)
    assert cids == stored == [cid_of_file(file), cid_of_bytes(b"small")]
    assert told[-1][0] == told[-1][1] == file.stat().st_size + 5
    assert storage.has([*cids, cid_of_bytes(b"other")]) == set(cids)
    with urllib.request.urlopen(storage.url(cids[1])) as answer:
        assert answer.read() == b"small"
    storage.remove(cids)
    assert storage.has(cids) == set()
    storage.remove(cids)


def test_a_worker_fetches_what_is_stored(storage: Storage, tmp_path: Path) -> None:
    """By the file's own link, else from the gateways; the worker's own program does it."""
    (cid,) = storage.put([b"plate"])
    file = InputFile("in/plate.png", sha256_hex(b"plate"), 5, cid, url=storage.link(cid))
    manifest = Manifest("j", 0, (ManifestWriter("W", "png"),), (file,), (), storage.gateways)
    there = Inputs(manifest, tmp_path / "job", "", lambda seconds: None)
    there.fetch({0})
    assert there.path(0).read_bytes() == b"plate"


def test_what_a_worker_leaves_is_fetched_until_it_is_cleared(storage: Storage, tmp_path: Path) -> None:
    frame, home = tmp_path / "frame", tmp_path / "home"
    frame.write_bytes(bytes(range(256)) * 3000)
    name = leave(storage.drop("job1"), frame, lambda seconds: None)
    storage.fetch("job1", name, home, frame.stat().st_size)
    assert home.read_bytes() == frame.read_bytes()
    with pytest.raises(ResultRefused, match="larger"):
        storage.fetch("job1", name, tmp_path / "no", frame.stat().st_size - 1)
    other = leave(storage.drop("job2"), frame, lambda seconds: None)
    storage.clear_drop("job1")
    storage.clear_drop("job1")
    if not isinstance(storage, IpfsStorage):
        with pytest.raises(Unreachable):
            storage.fetch("job1", name, tmp_path / "gone", MANY)
    storage.fetch("job2", other, home, MANY)


def test_a_bucket_is_open_to_nobody_without_a_link(bucket_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    boto3.client("s3", endpoint_url=bucket_server, region_name="us-east-1").create_bucket(Bucket="private")
    storage = S3Storage({"endpoint": bucket_server, "bucket": "private"})
    link = storage.url(*storage.put([b"plate"]))
    with urllib.request.urlopen(link) as answer:
        assert answer.read() == b"plate"
    assert "X-Amz-Expires=604800" in link
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(link.partition("?")[0])


def test_gateways_are_asked_one_after_the_other(content_server: WebServer, tmp_path: Path) -> None:
    dead = "http://127.0.0.1:9"
    storage = IpfsStorage(content_server.url, dead, Transport(tries=1), (content_server.url, dead))
    assert storage.gateways == (dead, content_server.url)
    frame = tmp_path / "frame"
    frame.write_bytes(b"x")
    storage.fetch("j", leave(storage.drop("j"), frame), tmp_path / "home", 1)
    assert (tmp_path / "home").read_bytes() == b"x"


def test_a_worker_touches_no_folder_that_nobody_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = FolderStorage(str(tmp_path / "nas"))
    (cid,) = storage.put([b"plate"])
    file = InputFile("in/plate.png", sha256_hex(b"plate"), 5, cid, url=storage.link(cid))
    manifest = Manifest("j", 0, (ManifestWriter("W", "png"),), (file,), (), ())
    for named in ("", str(tmp_path / "other"), str(tmp_path / "na")):
        monkeypatch.setenv("NATRON_IEXEC_FOLDERS", named)
        with pytest.raises(BadInput):
            Inputs(manifest, tmp_path / "job", "")
        with pytest.raises(BadInput, match="may not write"):
            leave(storage.drop("j"), tmp_path / "nas" / "ipfs" / cid)


@pytest.mark.parametrize("drop", [{}, {"kind": "ipfs", "url": "file:///etc"}, {"kind": "mail", "url": "http://x"}])
def test_a_drop_that_is_none_is_refused(drop: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "frame").write_bytes(b"x")
    with pytest.raises(BadInput):
        leave(drop, tmp_path / "frame")


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_a_node_that_forbids_removing_says_so(content_server: WebServer, status: int) -> None:
    storage = IpfsStorage(content_server.url, content_server.url, Transport(tries=1))
    cids = storage.put([b"x"])
    content_server.faults["/api/v0/pin"] = status
    with pytest.raises(CannotRemove, match="lets nobody"):
        storage.remove(cids)


def test_a_node_in_trouble_has_removed_nothing(content_server: WebServer) -> None:
    storage = IpfsStorage(content_server.url, content_server.url, Transport(tries=1))
    cids = storage.put([b"x"])
    content_server.faults["/api/v0/pin"] = 500
    with pytest.raises(Unreachable, match="could not remove"):
        storage.remove(cids)
    assert storage.has(cids) == set(cids)


@pytest.mark.parametrize(("code", "kind"), [("AccessDenied", CannotRemove), ("InternalError", ServiceError)])
def test_a_bucket_that_keeps_a_file_says_so(
    code: str, kind: type, bucket_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Amazon's own description of its answers checks this one."""
    from botocore.stub import Stubber

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    storage = S3Storage({"endpoint": bucket_server, "bucket": "inputs"})
    with Stubber(storage._client) as stub:
        stub.add_response("delete_objects", {"Errors": [{"Key": "ipfs/Qm", "Code": code, "Message": "no"}]})
        with pytest.raises(ServiceError, match="no") as said:
            storage.remove(["Qm"])
        assert type(said.value) is kind
        stub.add_client_error("delete_objects", code, "no", 403)
        with pytest.raises(ServiceError, match="no") as said:
            storage.remove(["Qm"])
        assert type(said.value) is kind


def test_an_upload_can_be_cancelled(storage: Storage) -> None:
    with pytest.raises(Cancelled):
        storage.put([b"x"], cancel=lambda: True)


def test_many_files_go_in_few_requests(content_server: WebServer) -> None:
    transport = Transport()
    storage = IpfsStorage(content_server.url, content_server.url, transport)
    storage.put([f"{n}".encode() for n in range(1200)])
    assert transport.requests_sent == 3


def test_a_node_that_names_differently_is_refused(content_server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = IpfsStorage(content_server.url, content_server.url, Transport())
    monkeypatch.setattr("NatronIExec.storage.ipfs.cid_of_bytes", lambda content: "QmOther")
    with pytest.raises(ServiceError, match="differently"):
        storage.put([b"x"])


def test_a_node_with_other_defaults_names_as_we_do(tmp_path: Path) -> None:
    """Its owner may have set CIDv1, raw leaves, another chunker: what decides the name is said with each request."""
    asked: list[dict[str, str]] = []

    class Owned(ContentService):
        def _add(self, request: Request) -> Answer:
            asked.append(dict(request.query))
            assert request.headers["user-agent"] == USER_AGENT
            return super()._add(request)

    web = WebServer([Owned(tmp_path / "content")])
    web.start()
    try:
        IpfsStorage(web.url, web.url, Transport(tries=1)).put([b"x"])
    finally:
        web.stop()
    decides = {"cid-version": "0", "hash": "sha2-256", "chunker": "size-262144", "raw-leaves": "false"}
    assert asked[0].items() >= {**decides, "trickle": "false", "inline": "false", "pin": "true"}.items()


def test_a_storage_that_is_not_there() -> None:
    with pytest.raises(Unreachable):
        IpfsStorage("http://127.0.0.1:9", "http://127.0.0.1:9", Transport(tries=1)).put([b"x"])


def test_a_bucket_must_be_named(bucket_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with pytest.raises(BadInput, match="no bucket"):
        S3Storage({})
    with pytest.raises(ServiceError, match="refused"):
        S3Storage({"endpoint": bucket_server, "bucket": "nowhere"}).put([b"x"])
