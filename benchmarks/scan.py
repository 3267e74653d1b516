"""Hashing inputs against Deadline Cloud's own function, on one machine, in one run.

    python benchmarks/scan.py [--files 5000] [--size-kib 300] [--big 4] [--big-mib 1024] [--rounds 5] [--folder DIR]

The rival is `deadline-job-attachments` from PyPI, installed into a virtual environment that this script makes; its
`S3AssetManager._create_manifest_file` (hash, cache, manifest) is what `deadline bundle submit` runs before an upload.
Ours is `NatronIExec.farm.pack.file_hashes.Hashes.of`. Both run in a fresh interpreter a round, in turns, and time
themselves:
interpreter start and imports do not count. "cold": no hash cache; "unchanged": a second run, nothing touched. The page
cache is warm for both unless --drop-caches (root) empties it before each cold run. Seconds of processor time are
printed, too: on a machine that others use they say more than the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RIVAL = ("deadline-job-attachments==0.1.5", "deadline==0.60.10")
#: What must hold (issue 4): files/s cold and unchanged, MB/s of big files, as multiples of the rival's.
GOALS = {"small cold": 3.0, "small unchanged": 10.0, "big cold": 0.9}

OURS = """
import json, sys, time
from pathlib import Path
from NatronIExec.farm.pack.file_hashes import Hashes
files = [Path(line) for line in Path(sys.argv[1]).read_text().splitlines()]
hashes = Hashes(Path(sys.argv[2]) / "hashes.sqlite")
began, worked = time.perf_counter(), time.process_time()
found = hashes.of(files)
print(json.dumps([time.perf_counter() - began, time.process_time() - worked, len(found)]))
"""

THEIRS = """
import json, sys, time
from pathlib import Path
from deadline.job_attachments.caches import HashCache
from deadline.job_attachments.upload import S3AssetManager
files = [Path(line) for line in Path(sys.argv[1]).read_text().splitlines()]
manager = S3AssetManager(asset_uploader=object())
with HashCache(sys.argv[2]) as cache:
    began, worked = time.perf_counter(), time.process_time()
    found = manager._create_manifest_file(files, str(Path(sys.argv[3])), cache)
    print(json.dumps([time.perf_counter() - began, time.process_time() - worked, len(found.paths)]))
"""


def main() -> int:
    options = arguments()
    folder = Path(tempfile.mkdtemp(prefix="scan-benchmark-", dir=options.folder))
    try:
        rival = rival_python(Path(options.venv))
        sets = {
            "small": footage(folder / "small", options.files, options.size_kib << 10),
            "big": footage(folder / "big", options.big, options.big_mib << 20),
        }
        rows = [row for name, files in sets.items() if files for row in compare(name, files, folder, rival, options)]
    finally:
        shutil.rmtree(folder)
    return report(rows)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--size-kib", type=int, default=300)
    parser.add_argument("--big", type=int, default=4)
    parser.add_argument("--big-mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", help="where the files are made (default: the system's)")
    parser.add_argument("--venv", default=str(ROOT / ".venv-benchmark"))
    parser.add_argument("--drop-caches", action="store_true")
    return parser.parse_args()


def rival_python(folder: Path) -> str:
    """The interpreter of the rival's environment, made on first use."""
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    stamp = folder / "installed"
    if not stamp.exists() or stamp.read_text() != repr(RIVAL):
        print(f"Installing {' '.join(RIVAL)} into {folder.name}", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *RIVAL], check=True)
        stamp.write_text(repr(RIVAL))
    return str(python)


def footage(folder: Path, count: int, size: int) -> list[Path]:
    """`count` files of `size` bytes, no two alike, with an mtime long past."""
    folder.mkdir()
    block = os.urandom(min(size, 1 << 20))
    files = []
    for number in range(count):
        path = folder / f"plate.{number:06d}.exr"
        with path.open("wb") as file:
            file.write(number.to_bytes(8, "little"))
            for at in range(8, size, len(block)):
                file.write(block[: size - at])
        os.utime(path, ns=(10**18, 10**18))
        files.append(path)
    return files


def compare(
    name: str, files: list[Path], folder: Path, rival: str, options: argparse.Namespace
) -> list[tuple[str, float, float]]:
    """(case, rival's seconds, ours) for cold and unchanged. The two run in turns; the best round of each counts, since
    whatever else the machine does only ever adds time. Medians are printed."""
    listed = folder / f"{name}.txt"
    listed.write_text("\n".join(map(str, files)))
    times: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for number in range(options.rounds):
        programs = [("rival", rival, THEIRS), ("ours", sys.executable, OURS)]
        for who, python, program in programs if number % 2 else reversed(programs):
            cache = folder / f"cache-{name}-{who}-{number}"
            cache.mkdir()
            if options.drop_caches:
                os.sync()
                Path("/proc/sys/vm/drop_caches").write_text("3")
            for case in ("cold", "unchanged"):
                took = once(python, program, listed, cache, folder / name, len(files))
                times.setdefault((who, case), []).append(took)
    total = sum(path.stat().st_size for path in files)
    best = {key: min(wall for wall, _ in took) for key, took in times.items()}
    for key, took in times.items():
        walls = [wall for wall, _ in took]
        print(
            f"{name:6} {key[1]:10} {key[0]:6} best {best[key]:7.3f} s, median {statistics.median(walls):7.3f}, "
            f"worst {max(walls):7.3f}, processor {min(cpu for _, cpu in took):7.3f}; "
            f"{len(files) / best[key]:8.0f} files/s {total / best[key] / 1e6:8.0f} MB/s"
        )
    return [(f"{name} {case}", best["rival", case], best["ours", case]) for case in ("cold", "unchanged")]


def once(python: str, program: str, listed: Path, cache: Path, root: Path, count: int) -> tuple[float, float]:
    """Seconds on the clock and of processor time."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT) if python == sys.executable else ""}
    answer = subprocess.run(
        [python, "-c", program, str(listed), str(cache), str(root)],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    wall, processor, found = json.loads(answer.stdout.splitlines()[-1])
    if found != count:
        raise SystemExit(f"{found} of {count} files were hashed")
    return float(wall), float(processor)


def report(rows: list[tuple[str, float, float]]) -> int:
    missed = False
    for case, theirs, ours in rows:
        ratio, goal = theirs / ours, GOALS.get(case)
        verdict = "" if goal is None else f"  goal {goal}x: {'met' if ratio >= goal else 'MISSED'}"
        missed |= goal is not None and ratio < goal
        print(f"{case:16} {ratio:6.2f}x as fast{verdict}")
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
