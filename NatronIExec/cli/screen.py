"""What the commands print for a person: tables and sentences, in the words of the artist's screens."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Iterable, Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from NatronIExec.cli.amounts import format_eth, format_rlc

Wire = Mapping[str, Any]
#: Longer lists are for --json.
FILES_SHOWN = 60


def console() -> Console:
    return Console(highlight=False, soft_wrap=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> Table:
    shown = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in columns:
        shown.add_column(name, overflow="fold")
    for row in rows:
        shown.add_row(*(escape(str(cell)) for cell in row))
    return shown


def size(count: int | None) -> str:
    """Bytes in the unit a person would choose."""
    if count is None:
        return "–"
    amount = float(count)
    for unit in ("B", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"


def span(seconds: float | None) -> str:
    """`2 h 10 min`, the two largest units."""
    if seconds is None:
        return "–"
    whole = int(seconds)
    for unit, length, smaller, part in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if whole >= length:
            return f"{whole // length} {unit} {whole % length // part} {smaller}"
    return f"{whole} s"


def clock(at_s: float | None) -> str:
    return "–" if at_s is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(at_s))


def print_plan(plan: Wire) -> None:
    """The price sheet: what Submit would buy, and the most that it can cost."""
    out = console()
    pool = plan["workerpool"] or {}
    balance = plan["balance"] or {}
    frames_each = f"{plan['frames']} frames in {plan['tasks']} tasks"
    rows = [
        ("Render", frames_each),
        ("Worker group", f"{pool.get('name') or pool.get('workerpool', '–')} ({pool.get('category_name', '–')})"),
        ("Price a task", f"{format_rlc(plan['workerpool_price_nrlc'])} + app {format_rlc(plan['app_price_nrlc'])}"),
        ("Most that can be spent", most(plan)),
        ("From wallet / stake", f"{format_rlc(balance.get('rlc_nrlc'))} / {format_rlc(balance.get('stake_nrlc'))}"),
        ("Left afterwards", format_rlc(plan["after_nrlc"])),
        ("Refund of unfinished frames", refund(plan["refund_s"])),
        ("To upload", size(plan["upload_bytes"])),
        ("Transactions", plan["deals"]),
    ]
    out.print(table(("", ""), rows, title=f"{plan['network']}: nothing has been spent yet"))
    print_checks(plan["scan"]["checks"])
    for problem in plan["problems"]:
        out.print(f"[red]{escape(problem['title'])}[/red] {escape(problem['remedy'])}")


def most(plan: Wire) -> str:
    return f"{format_rlc(plan['total_nrlc'])} and {format_eth(plan['gas_wei'])} for gas"


def refund(after_s: int | None) -> str:
    """When a purchase of now could be refunded."""
    return "–" if after_s is None else f"from {clock(time.time() + after_s)} ({span(after_s)} after the purchase)"


def print_checks(checks: Iterable[Wire]) -> None:
    colours = {"error": "red", "warning": "yellow", "info": "dim"}
    out = console()
    for check in checks:
        where = f"{check['node']}: " if check.get("node") else ""
        out.print(f"[{colours[check['level']]}]{escape(where + check['title'])}[/] {escape(check['remedy'])}")


def print_scan(scan: Wire) -> None:
    out = console()
    rendered: dict[str, list[int]] = {}
    for chunk in scan["chunks"]:
        rendered.setdefault(chunk["writer"], []).extend(chunk["frames"])
    writers = [
        (
            w["name"],
            "yes" if w["enabled"] else w["reason"],
            w["format"],
            _frames(rendered.get(w["name"], [])),
            w["file"],
        )
        for w in scan["writers"]
    ]
    out.print(table(("writer", "renders", "format", "frames", "file"), writers))
    out.print(
        f"{len(scan['files'])} input files, {size(scan['bytes']['sent'])} to send "
        f"(whole clips: {size(scan['bytes']['whole_clips'])}), {len(scan['chunks'])} chunks"
    )
    listed = [(f["path"], f["node"], f["why"], size(f["size"])) for f in scan["files"] if f["exists"]]
    out.print(table(("file", "node", "why", "size"), listed[:FILES_SHOWN]))
    if len(listed) > FILES_SHOWN:
        out.print(f"… and {len(listed) - FILES_SHOWN} more (--json lists all)")
    print_checks(scan["checks"])  # missing files are among them


def print_jobs(rows: Iterable[Wire]) -> None:
    listed = [
        (
            row["id"],
            row["name"],
            row["state_text"] or row["state"],
            f"{row['frames_done']}/{row['frames_total']}",
            f"{format_rlc(row['paid_nrlc'])} of {format_rlc(row['most_nrlc'])}",
            clock(row["created_s"]),
        )
        for row in rows
    ]
    if listed:
        console().print(table(("job", "name", "state", "frames", "paid of most", "since"), listed))
    else:
        console().print("No jobs yet. `natron-iexec submit PROJECT.ntp` makes one.")


def print_job(job: Wire) -> None:
    out = console()
    rows = [
        ("Name", job["name"]),
        ("State", job["state_text"] or job["state"]),
        ("Frames", f"{job['frames_done']} of {job['frames_total']} done, {job['frames_failed']} failed"),
        ("Paid / most / refunded", " / ".join(format_rlc(job[k]) for k in ("paid_nrlc", "most_nrlc", "refunded_nrlc"))),
        ("Worker group", job["workerpool"]),
        ("Refund of unfinished frames", clock(job["refund_at_s"])),
        ("Output", job["out"] or "–"),
        ("Network", job["network"]),
    ]
    out.print(table(("", ""), rows, title=job["id"]))
    if job.get("error"):
        out.print(f"[red]{escape(job['error']['title'])}[/red] {escape(job['error']['remedy'])}")
    deals = [
        (d["dealid"], d["tasks"], format_rlc(d["deal_price_nrlc"]), clock(d["final_deadline_s"])) for d in job["deals"]
    ]
    if deals:
        out.print(table(("deal", "tasks", "price", "refundable after"), deals))
    tasks = [(t["index"], t["state"], _frames(t["frames"]), t["taskid"]) for t in job["tasks"]]
    if tasks:
        out.print(table(("task", "state", "frames", "id"), tasks))


def print_workerpools(rows: Iterable[Wire]) -> None:
    listed = [
        (
            row["name"] or row["workerpool"],
            format_rlc(row["task_price_nrlc"]),
            f"{row['category_name']} ({span(row['time_limit_s'])})",
            row["trust"],
            row["volume"],
            "fits" if row["fits"] else row["reason"],
            row["workerpool"],
        )
        for row in rows
    ]
    console().print(table(("worker group", "price a task", "time limit", "trust", "tasks left", "", "address"), listed))


def print_wallet(state: Wire) -> None:
    out = console()
    listed = [
        ("*" if account["address"] == state["current"] else "", account["name"], account["address"], account["kind"])
        for account in state["accounts"]
    ]
    if not listed:
        out.print("No account yet. `natron-iexec wallet create` makes one, `wallet import` takes one that you have.")
        return
    out.print(table(("", "name", "address", "kind"), listed))
    out.print("unlocked" if state["unlocked"] else "locked", end="; ")
    ring = state["keyring"]
    out.print(f"keyring: {ring['backend'] if ring['available'] else 'none'}, password remembered: {ring['remembered']}")
    balance = state["balance"]
    if balance:
        out.print(
            f"{state['network']}: {format_rlc(balance['rlc_nrlc'])} in the wallet, "
            f"{format_rlc(balance['stake_nrlc'])} staked, {format_rlc(balance['locked_nrlc'])} locked in deals, "
            f"{format_eth(balance['eth_wei'])}"
        )
    elif state.get("error"):
        out.print(f"[yellow]{escape(state['error']['title'])}[/yellow] {escape(state['error']['remedy'])}")


def print_ledger(ledger: Wire) -> None:
    listed = [
        (
            clock(e["at_s"]),
            e["name"],
            format_rlc(e["paid_nrlc"]),
            format_rlc(e["refunded_nrlc"]),
            format_eth(e["gas_wei"]),
            e["network"],
        )
        for e in ledger["entries"]
    ]
    console().print(table(("when", "job", "paid", "refunded", "gas", "network"), listed))
    console().print(f"This month: {format_rlc(ledger['month_spent_nrlc'])}")


def _frames(frames: object) -> str:
    """Frames as the engine sends them, a list or written already."""
    from NatronIExec.frames import format_frames

    return format_frames(frames) if isinstance(frames, list) else str(frames)


def print_path(title: str, path: str) -> None:
    console().print(f"{title} {escape(str(Path(path)))}")
