"""What costs money, or gives some up, is first said in the panel's banner, and waits for a click there."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Protocol, Sequence, Tuple

from NatronIExec import wording
from NatronIExec.errors import NatronIExecError, from_wire
from NatronIExec.gui.bridge import Asker, Bridge
from NatronIExec.gui.widgets import Banner
from NatronIExec.shapes import JobRow, PlanSheet

Row = JobRow
#: By writer; None: those that failed, or the rest after a test.
Frames = Optional[Dict[str, str]]
#: Refusals that a password, or another one, helps against.
_LOCKED = ("wallet-locked", "wrong-password")


class Panel(Protocol):
    """What of the queue's panel an offer needs: whom it asks, where it speaks."""

    bridge: Bridge
    asker: Asker
    banner: Banner

    def select(self, job: str) -> None: ...

    def failed(self, problem: NatronIExecError) -> None: ...


class QueueOffers:
    """Says in the panel what something costs or gives up, and does it on a click there."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel

    # rendering again

    def price(self, row: Row, frames: Frames) -> None:
        """What it costs, before it is bought; a paused job just goes on."""
        panel = self._panel
        if row["state"] == "paused" and frames is None:
            self._go_on(row)
            return
        panel.banner.say("info", "Asking for the price…")
        panel.asker.ask(
            "retry", "plan", _named(frames, retry=row["id"]), lambda plan: self._offer(row, frames, plan), panel.failed
        )

    def _go_on(self, row: Row) -> None:
        if row["error"] and row["error"]["code"] in _LOCKED and self._is_locked():
            self._say("info", "{} waits for the wallet.".format(row["name"]), "", ("Go on", lambda: self._resume(row)))
        else:
            self._resume(row)

    def _resume(self, row: Row) -> None:
        self._send("retry", {"job": row["id"]}, lambda answer: None, lambda: self._go_on(row))

    def _offer(self, row: Row, frames: Frames, plan: PlanSheet) -> None:
        problems = [problem for problem in plan["problems"] if problem["code"] not in _LOCKED]
        if problems:
            self._panel.failed(from_wire(problems[0]))
            return
        text = "Rendering {} of {} costs at most {}.".format(
            wording.count(plan["frames"], "frame"), row["name"], wording.rlc(plan["total_nrlc"])
        )
        self._say("info", text, "Nothing is spent yet.", ("Render", lambda: self._buy(row, frames, plan)))

    def _buy(self, row: Row, frames: Frames, plan: PlanSheet) -> None:
        args = _named(frames, job=row["id"], plan=plan["plan"], max_total_nrlc=plan["total_nrlc"])
        self._send(
            "retry",
            args,
            lambda answer: self._panel.select(answer["job"]),
            lambda: self._offer(row, frames, plan),
        )

    # refunds

    def claim(self, rows: Sequence[Row]) -> None:
        if self._is_locked():
            text = f"Getting the money of {_named_jobs(rows)} back is a transaction."
            self._say("info", text, "", ("Claim refund", lambda: self._claim(rows)))
        else:
            self._claim(rows)

    def _claim(self, rows: Sequence[Row]) -> None:
        """One after the other, so that the answer is of all of them."""
        tasks, refund = 0, 0
        left = list(rows)

        def claimed(answer: Dict[str, Any]) -> None:
            nonlocal tasks, refund
            tasks, refund = tasks + answer["tasks"], refund + answer["refund_nrlc"]
            if left:
                self._send("claim", {"job": left.pop(0)["id"]}, claimed, lambda: self.claim(rows))
            else:
                text = "{} claimed, {} back.".format(wording.count(tasks, "task"), wording.rlc(refund))
                self._panel.banner.say("good", text, "", self._dismiss())

        claimed({"tasks": 0, "refund_nrlc": 0})

    # cancelling

    def cancel(self, rows: Sequence[Row]) -> None:
        """Honest before it is done: what is paid stays paid."""
        tasks = sum(row["tasks_total"] for row in rows if row["paid_nrlc"])
        if tasks:
            paid = wording.rlc(sum(row["paid_nrlc"] for row in rows))
            kept = "{} stay paid ({}) and are rendered all the same; what is not delivered in time is refunded.".format(
                wording.count(tasks, "task"), paid
            )
        else:
            kept = "Nothing is bought yet, and nothing will be."
        stop = ("Stop", lambda: self._stop(rows))
        self._panel.banner.say(
            "warning", f"Stop {_named_jobs(rows)}?", kept, stop, ("Go on rendering", self._panel.banner.clear)
        )

    def _stop(self, rows: Sequence[Row]) -> None:
        panel = self._panel
        panel.banner.clear()
        stopped: List[str] = []
        bought: List[str] = []

        def answered(answer: Dict[str, List[str]]) -> None:
            stopped.extend(answer["stopped"])
            bought.extend(answer["bought"])
            panel.banner.say("info", " ".join(stopped), " ".join(bought), self._dismiss())

        for row in rows:
            panel.bridge.ask("cancel", {"job": row["id"]}, answered, panel.failed)

    # the banner

    def _say(self, level: str, title: str, remedy: str, do: Tuple[str, Callable[[], Any]]) -> None:
        """With a field for the password while the wallet is locked: nobody should have to start over for that."""
        banner = self._panel.banner
        banner.say(level, title, remedy, do, ("Not now", banner.clear))
        if self._is_locked():
            banner.ask_secret("Wallet password")

    def _send(self, verb: str, args: Dict[str, Any], done: Callable[[Any], None], again: Callable[[], None]) -> None:
        """`again` shows the offer once more when only the password was wrong or missing."""
        panel = self._panel
        password = panel.banner.take_secret()
        if password:
            args["password"] = password
        panel.banner.clear()

        def failed(problem: NatronIExecError) -> None:
            if problem.code in _LOCKED and self._is_locked():
                again()
                panel.banner.reword(problem.title, panel.banner.text())
            else:
                panel.failed(problem)

        panel.asker.ask(verb, verb, args, done, failed)

    def _is_locked(self) -> bool:
        wallet = self._panel.bridge.wallet
        return bool(wallet and wallet["current"] and not wallet["unlocked"] and not wallet["external"])

    def _dismiss(self) -> Tuple[str, Callable[[], None]]:
        return ("Dismiss", self._panel.banner.clear)


def _named(frames: Frames, **args: Any) -> Dict[str, Any]:
    if frames:
        args["frames_of"] = frames
    return args


def _named_jobs(rows: Sequence[Row]) -> str:
    return rows[0]["name"] if len(rows) == 1 else wording.count(len(rows), "render")
