"""What the commands print for people: tables and sentences, in the same words as the windows in Natron."""

from __future__ import annotations

import time
from typing import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from NatronIExec import job_wording, wording
from NatronIExec.shapes import CheckRow, JobRow, JobSheet, Ledger, PlanSheet, ScanSheet, WalletState, WorkerpoolRow

#: A plan prints at most this many files; --json lists all.
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


def print_plan(plan: PlanSheet) -> None:
    """The price sheet: what Submit would buy, and the most that it can cost."""
    out = console()
    pool, balance = plan["workerpool"], plan["balance"]
    group = f"{pool['name'] or pool['workerpool']} ({pool['category_name']})" if pool else wording.UNKNOWN
    held = [
        wording.rlc(balance["rlc_nrlc"] if balance else None),
        wording.rlc(balance["stake_nrlc"] if balance else None),
    ]
    amount = f"{wording.count(plan['frames'], 'frame')} in {wording.count(plan['tasks'], 'task')}"
    rows = [
        ("Render", amount),
        ("Worker group", group),
        ("Price a task", f"{wording.rlc(plan['workerpool_price_nrlc'])} + app {wording.rlc(plan['app_price_nrlc'])}"),
        ("Most that can be spent", most(plan)),
        ("From wallet / stake", " / ".join(held)),
        ("Left afterwards", wording.rlc(plan["after_nrlc"])),
        ("Refund of unfinished frames", refund(plan["refund_s"])),
        ("To upload", wording.size(plan["upload_bytes"])),
        ("Transactions", plan["deals"]),
        ("Who can read it", "only the enclave and you" if plan["confidential"] else "everybody"),
    ]
    out.print(table(("", ""), rows, title=f"{plan['network']}: nothing has been spent yet"))
    print_checks(plan["scan"]["checks"])
    for problem in plan["problems"]:
        out.print(f"[red]{escape(problem['title'])}[/red] {escape(problem['remedy'])}")


def most(plan: PlanSheet) -> str:
    return f"{wording.rlc(plan['total_nrlc'])} and {wording.eth(plan['gas_wei'])} for gas"


def refund(after_s: int | None) -> str:
    """When a purchase made now could be refunded."""
    if after_s is None:
        return wording.UNKNOWN
    return f"from {wording.date(time.time() + after_s)} ({wording.duration(after_s)} after the purchase)"


def print_checks(checks: Iterable[CheckRow]) -> None:
    colours = {"error": "red", "warning": "yellow", "info": "dim"}
    out = console()
    for check in checks:
        where = f"{check['node']}: " if check.get("node") else ""
        out.print(f"[{colours[check['level']]}]{escape(where + check['title'])}[/] {escape(check['remedy'])}")


def print_scan(scan: ScanSheet) -> None:
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
        f"{wording.count(len(scan['files']), 'input file')}, {wording.size(scan['bytes']['sent'])} to send "
        f"(whole clips: {wording.size(scan['bytes']['whole_clips'])}), {wording.count(len(scan['chunks']), 'task')}"
    )
    listed = [(f["path"], f["node"], f["why"], wording.size(f["size"])) for f in scan["files"] if f["exists"]]
    out.print(table(("file", "node", "why", "size"), listed[:FILES_SHOWN]))
    if len(listed) > FILES_SHOWN:
        out.print(f"… and {len(listed) - FILES_SHOWN} more (--json lists all)")
    print_checks(scan["checks"])  # missing files are among them


def print_jobs(rows: Iterable[JobRow]) -> None:
    listed = [
        (
            row["id"],
            row["name"],
            row["state_text"] or row["state"],
            f"{row['frames_done']}/{row['frames_total']}",
            job_wording.paid(row),
            wording.date(row["created_s"]),
        )
        for row in rows
    ]
    if listed:
        console().print(table(("job", "name", "state", "frames", "paid of most", "since"), listed))
    else:
        console().print("No jobs yet. `natron-iexec submit PROJECT.ntp` makes one.")


def print_job(job: JobSheet) -> None:
    out = console()
    rows = [
        ("Name", job["name"]),
        ("State", job["state_text"] or job["state"]),
        ("Frames", f"{job['frames_done']} of {job['frames_total']} done, {job['frames_failed']} failed"),
        ("Paid", job_wording.paid(job)),
        ("Refunded", wording.rlc(job["refunded_nrlc"])),
        ("Worker group", job["workerpool"]),
        ("Refund of unfinished frames", wording.date(job["refund_at_s"])),
        ("Output", job["out"] or "–"),
        ("Network", job["network"]),
    ]
    out.print(table(("", ""), rows, title=job["id"]))
    if job["error"]:
        out.print(f"[red]{escape(job['error']['title'])}[/red] {escape(job['error']['remedy'])}")
    deals = [
        (d["dealid"], d["tasks"], wording.rlc(d["deal_price_nrlc"]), wording.date(d["final_deadline_s"]))
        for d in job["deals"]
    ]
    if deals:
        out.print(table(("deal", "tasks", "price", "refundable after"), deals))
    tasks = [(t["index"], t["state"], _frames(t["frames"]), t["taskid"]) for t in job["tasks"]]
    if tasks:
        out.print(table(("task", "state", "frames", "id"), tasks))


def print_workerpools(rows: Iterable[WorkerpoolRow]) -> None:
    listed = [
        (
            row["name"] or row["workerpool"],
            wording.rlc(row["task_price_nrlc"]),
            f"{row['category_name']} ({wording.duration(row['time_limit_s'])})",
            row["trust"],
            row["volume"],
            "fits" if row["fits"] else row["reason"],
            row["workerpool"],
        )
        for row in rows
    ]
    console().print(table(("worker group", "price a task", "time limit", "trust", "tasks left", "", "address"), listed))


def print_wallet(state: WalletState) -> None:
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
            f"{state['network']}: {wording.rlc(balance['rlc_nrlc'])} in the wallet, "
            f"{wording.rlc(balance['stake_nrlc'])} staked, {wording.rlc(balance['locked_nrlc'])} locked in deals, "
            f"{wording.eth_held(balance['eth_wei'])}"
        )
    elif state["error"]:
        out.print(f"[yellow]{escape(state['error']['title'])}[/yellow] {escape(state['error']['remedy'])}")


def print_ledger(ledger: Ledger) -> None:
    listed = [
        (
            wording.date(e["at_s"]),
            e["name"],
            wording.rlc(e["paid_nrlc"]),
            wording.rlc(e["refunded_nrlc"]),
            wording.eth(e["gas_wei"]),
            e["network"],
        )
        for e in ledger["entries"]
    ]
    console().print(table(("when", "job", "paid", "refunded", "gas", "network"), listed))
    console().print(f"This month: {wording.rlc(ledger['month_spent_nrlc'])}")


def _frames(frames: object) -> str:
    """Frames as the engine sends them, a list or written already."""
    from NatronIExec.frames import format_frames

    return format_frames(frames) if isinstance(frames, list) else str(frames)
