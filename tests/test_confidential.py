"""A whole confidential job; then all that anybody but the artist and the enclave can see of it is searched for its
names, hashes, sizes and frame numbers: the storage, the market, the chain, every request, the worker group's logs."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import time
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from NatronIExec import images, seal
from NatronIExec.devnet.side_services import SchedulerService
from NatronIExec.devnet.web import Request
from NatronIExec.errors import ResultRefused
from NatronIExec.farm.pack import bundle
from NatronIExec.farm.run.encrypted_result import opened_result
from NatronIExec.farm.run.submitter import Submitter
from NatronIExec.farm.store.job import Job
from NatronIExec.manifest import SEALED_REASON, Manifest
from NatronIExec.storage.cid import cid_of_file

#: Numbers and names that nothing else holds.
FIRST, LAST = 8750101, 8750104
NAMES = ("moonfall", "heroplate", "BeautyOut", "PlateIn", "net.sf.openfx.GradePlugin", "fr.inria.built-in")


@dataclass
class Watched:
    """What a request to the network's services shows of itself; its body is for the service."""

    seen: list[tuple[str, bytes]] = field(default_factory=list)

    def answer(self, request: Request) -> None:
        shown = f"{request.method} {request.path} {dict(request.query)} {dict(request.headers)}"
        self.seen.append((f"request {request.path}", shown.encode()))


@pytest.fixture
def secret_project(tmp_path: Path, orbit: Path) -> Path:
    """The example under names and numbers of its own."""
    text = orbit.read_text()
    for name in ("firstFrame", "lastFrame", "frameRange"):
        text = re.sub(
            f"(<Name>{name}</Name>.*?</UserKnob>)",
            lambda found: re.sub(">24<", f">{LAST}<", re.sub("<Value>1<", f"<Value>{FIRST}<", found[1])),
            text,
            flags=re.DOTALL,
        )
    names = {"Write1": "BeautyOut", "Read1": "PlateIn", "plates/orbit.####": "heroplate/heroplate.#######"}
    for old, new in names.items():
        text = text.replace(old, new)
    text = text.replace("renders/orbit_####", "renders/moonfall_#######")
    folder = tmp_path / "moonfall"
    (folder / "heroplate").mkdir(parents=True)
    for number, plate in enumerate(sorted((orbit.parent / "plates").iterdir())[: LAST - FIRST + 1]):
        (folder / "heroplate" / f"heroplate.{FIRST + number}.png").write_bytes(plate.read_bytes())
    project = folder / "moonfall.ntp"
    project.write_text(text)
    return project


@pytest.fixture
def watched(local: Any) -> Iterator[Watched]:
    watch = Watched()
    local.web.services = [watch, *local.web.services]
    yield watch
    local.web.services = local.web.services[1:]


def test_nothing_of_a_confidential_job_is_seen(farm: Any, local: Any, secret_project: Path, watched: Watched) -> None:
    stored, block = local.content.cids(), local.hub.block().number
    tasks_before = dict(_scheduler(local)._tasks)
    asked = {"project": str(secret_project), "network": "local", "chunk": 2, "confidential": True}
    job = farm.call("submit", **asked)["job"]
    row = farm.settled(job)
    assert row["state"] == "done", row
    sheet = farm.call("show", job=job)
    frames = sorted((secret_project.parent / "renders").iterdir())
    assert [frame.name for frame in frames] == [f"moonfall_{number}.png" for number in range(FIRST, LAST + 1)]
    sent = farm.engine.farm.spool.job_folder(job) / "sent"
    plain = [*_files(secret_project.parent), sent / "project.ntp", sent / "manifest.json"]
    content = [path for path in local.content._folder.iterdir() if path.name not in stored]
    assert len(content) >= len(sheet["tasks"]), "the results at least are still there"
    places = [
        *_unpacked(content),
        *_chain(local, block + 1),
        *((task, _text(kept)) for task, kept in _scheduler(local)._tasks.items() if task not in tasks_before),
        *watched.seen,
        ("market book", (local._folder / "market.json").read_bytes()),
    ]
    wanted = {*NAMES, job, *(str(number) for number in range(FIRST, LAST + 1))}
    for path in plain:
        wanted |= {hashlib.sha256(path.read_bytes()).hexdigest(), cid_of_file(path)}
    found = [(word, where) for where, said in places for word in wanted if any(s in said for s in _spelled(word))]
    assert not found
    assert not {path.stat().st_size for path in plain} & {len(said) for _, said in places}


def test_the_search_finds_what_an_open_job_shows(farm: Any, local: Any, secret_project: Path, watched: Watched) -> None:
    """Else the other test could not fail."""
    stored = local.content.cids()
    farm.engine.farm.services.of("local").storage.remove = lambda cids: None
    asked = {"project": str(secret_project), "network": "local", "chunk": 2}
    assert farm.settled(farm.call("submit", **asked)["job"])["state"] == "done"
    content = [path for path in local.content._folder.iterdir() if path.name not in stored]
    places = _unpacked(content)
    plate = (secret_project.parent / "heroplate" / f"heroplate.{FIRST}.png").read_bytes()
    for word in (*NAMES[1:], str(FIRST), hashlib.sha256(plate).hexdigest()):
        assert any(spelled in said for _, said in places for spelled in _spelled(word)), word


def test_sealed_inputs_tell_no_size(tmp_path: Path) -> None:
    sizes = set()
    for size in (1, 900, 16_000):
        (tmp_path / "plain").write_bytes(bytes(size))
        seal.seal_file(tmp_path / "plain", tmp_path / "sealed", seal.new_key())
        sizes.add((tmp_path / "sealed").stat().st_size)
    assert len(sizes) == 1
    for size in (100_000, 1_000_000, 30_000_000, 5 * 1024**3):
        assert size < seal.padded_size(size) <= 1.12 * size
        assert len({seal.padded_size(size + more) for more in range(0, size // 64, size // 6400)}) <= 2


def test_why_a_confidential_task_failed_is_for_the_artist(
    farm: Any, local: Any, secret_project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NATRON_IEXEC_SLATE", f"small={FIRST + 1}")
    text = secret_project.read_text().replace("<ChoiceLabel>input<", "<ChoiceLabel>project<")
    fixed = re.sub("(<Name>formatType<.*?<Value>)0<", r"\g<1>1<", text, flags=re.DOTALL)
    secret_project.write_text(fixed)
    asked = {"project": str(secret_project), "network": "local", "chunk": 4, "confidential": True}
    job = farm.call("submit", **asked)["job"]
    farm.until(lambda row: row["state"] == "rendering", job)
    task = farm.call("show", job=job)["tasks"][0]["taskid"]
    kept = _until_failed(_scheduler(local), task)
    assert SEALED_REASON in kept
    assert str(FIRST + 1) not in kept
    said = "\n".join(farm.call("logs", job=job, task=0)["lines"])
    assert f"FAILED: Frame {FIRST + 1}: it is " in said
    assert SEALED_REASON not in said


def test_results_that_are_encrypted_for_somebody_else_are_refused(tmp_path: Path) -> None:
    plain, encrypted = tmp_path / "plain.zip", tmp_path / "result.zip"
    with zipfile.ZipFile(plain, "w") as packed:
        packed.writestr("frames.json", "[]" * 500_000)
    (ours, public), (theirs, _) = seal.new_result_pair(), seal.new_result_pair()
    seal.encrypt_result(plain, encrypted, seal.secret_of(public))
    with opened_result(encrypted, ours) as opened:
        assert opened.read("frames.json", 10**7) == b"[]" * 500_000
    with pytest.raises(ResultRefused), opened_result(encrypted, theirs):
        pass
    with zipfile.ZipFile(encrypted) as packed, zipfile.ZipFile(tmp_path / "cut.zip", "w") as cut:
        cut.writestr(seal.ENCRYPTED_KEY, packed.read(seal.ENCRYPTED_KEY))
        cut.writestr(seal.ENCRYPTED_RESULT, packed.read(seal.ENCRYPTED_RESULT)[:-7])
    with pytest.raises(ResultRefused), opened_result(tmp_path / "cut.zip", ours):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {"plain.zip", "result.zip", "cut.zip"}


@pytest.mark.parametrize("confidential", [False, True])
@pytest.mark.parametrize("storage", ["ipfs", "folder"])
def test_frames_that_the_network_does_not_carry_come_home_too(
    start_farm: Callable[..., Any], submission: dict[str, Any], local: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, confidential: bool, storage: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("NATRON_IEXEC_FOLDERS", str(tmp_path / "nas"))
    farm = start_farm(result_limit_bytes=100_000)
    farm.call("settings.set", changes={"storage": storage, "storage_folder": str(tmp_path / "nas")})
    farm.pay_from()
    job = farm.call("submit", **submission, confidential=confidential)["job"]
    row = farm.settled(job)
    assert row["state"] == "done", row
    renders = sorted((Path(submission["project"]).parent / "renders").iterdir())
    assert len(renders) == 4
    for path in renders:
        images.check(path)
    for task in farm.call("show", job=job)["tasks"]:
        content = (local.content._folder / task["result"].rpartition("/")[2]).read_bytes()
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            inside = set(packed.namelist())
        assert (seal.ENCRYPTED_RESULT in inside) == confidential
        assert not any(name.startswith("frames/") for name in inside)


def _until_failed(scheduler: SchedulerService, task: str) -> str:
    end = time.monotonic() + 60
    while scheduler._tasks[task]["status"] != "FAILED" and time.monotonic() < end:
        time.sleep(0.05)
    return "".join(kept["stdout"] + kept["stderr"] for kept in scheduler._tasks[task]["logs"])


def _scheduler(local: Any) -> SchedulerService:
    return next(one for one in local.web.services if isinstance(one, SchedulerService))


def _text(found: Any) -> bytes:
    return json.dumps(found, default=str).encode()


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _unpacked(files: list[Path]) -> list[tuple[str, bytes]]:
    """Each file, and what is in those that are archives."""
    found = []
    for path in files:
        content = path.read_bytes()
        found.append((path.name, content))
        if zipfile.is_zipfile(io.BytesIO(content)):
            with zipfile.ZipFile(io.BytesIO(content)) as packed:
                found += [(f"{path.name}/{name}", packed.read(name)) for name in packed.namelist()]
    return found


def _chain(local: Any, first: int) -> list[tuple[str, bytes]]:
    """Transactions and logs, as text and as the bytes that they stand for."""
    rpc, transport = local.network.rpc, local.hub.transport
    texts = []
    for number in range(first, local.hub.block().number + 1):
        block = transport.rpc(rpc, "eth_getBlockByNumber", [hex(number), True])
        receipts = [transport.rpc(rpc, "eth_getTransactionReceipt", [tx["hash"]]) for tx in block["transactions"]]
        texts += [(f"block {number}", _text(part)) for part in (block["transactions"], receipts)]
    raw = [(where, b"".join(_bytes(word) for word in re.findall(rb"0x([0-9a-f]+)", text))) for where, text in texts]
    assert any(b"--manifest" in content for _, content in raw), "the deal's parameters are there to be read"
    return [*texts, *raw]


def _bytes(word: bytes) -> bytes:
    return bytes.fromhex(word.decode() if len(word) % 2 == 0 else "0" + word.decode())


def _spelled(word: str) -> Iterator[bytes]:
    raw = word.encode()
    yield raw
    yield raw.hex().encode()
    yield word.encode("utf-16-le")
    if re.fullmatch("[0-9a-f]{64}", word):
        yield bytes.fromhex(word)
    for before in range(3):  # base 64 looks different at each of three offsets; the ends depend on the neighbours
        encoded = base64.b64encode(bytes(before) + raw)
        inner = encoded[4 if before else 0 : -4]
        if len(inner) >= 8:
            yield inner


def test_a_job_of_the_first_schema_comes_home(
    farm: Any, submission: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an earlier version bought it: a manifest in clear, each frame sealed by itself."""
    private, public = seal.new_pair()
    packed = bundle._manifest

    def manifest(*args: Any) -> Manifest:
        return replace(packed(*args), schema=1, results_for=public, artist_key="", salt="", result_limit=0, drop={})

    def give_secrets(submitter: Submitter, job: Job, key: str) -> dict[str, Any]:
        net = submitter._services.of(job.quote.network)
        net.sms.push_requester_secret(f"natron-iexec-{job.id}", key, submitter._signer(job))
        return {"secret": f"natron-iexec-{job.id}", "results_key": private, "artist_key": ""}

    monkeypatch.setattr(bundle, "_manifest", manifest)
    monkeypatch.setattr(seal, "seal_bytes", lambda content, key: content)
    monkeypatch.setattr(Submitter, "_give_secrets", give_secrets)
    job = farm.call("submit", **submission, confidential=True)["job"]
    row = farm.settled(job)
    assert row["state"] == "done", row
    for path in (Path(submission["project"]).parent / "renders").iterdir():
        images.check(path)
    assert any("Frame: 1" in line for line in farm.call("logs", job=job, task=0)["lines"])
