"""What will be submitted, as it stands in the dialog: choices, what the engine found, and why Submit is not possible.

No Qt in here: the dialog asks `submission` for what to send and `blockers` for what is in the way.
"""

from __future__ import annotations

import os
from typing import Any, Dict, List, Optional, Sequence, Set

from NatronIExec import wording
from NatronIExec.errors import BadInput
from NatronIExec.frames import parse_frames
from NatronIExec.host.project import Snapshot
from NatronIExec.shapes import CheckRow, PlanSheet, ScanSheet, WalletState, WireError, WriterRow
from NatronIExec.submission import Submission

#: Where the frames come from (`frames_from` of a choice).
OWN, PROJECT, TYPED = "own", "project", "typed"

#: Problems of a plan that typing the password solves.
_SOLVED_BY_PASSWORD = ("wallet-locked",)


def frames_complaint(text: str) -> str:
    """Why `text` is no list of frames; empty when it is one."""
    try:
        parse_frames(text)
    except BadInput as problem:
        return f"{problem.title} {problem.remedy}"
    return ""


class Draft:
    """Everything of one dialog that is not a widget. `choice` is what `remembered_choices` keeps."""

    def __init__(self, snapshot: Snapshot, choice: Dict[str, Any]) -> None:
        self.snapshot = snapshot
        self.choice = choice
        self.scan: Optional[ScanSheet] = None
        self.plan: Optional[PlanSheet] = None
        self.scan_problem = ""
        self.plan_problem = ""
        self.ignored: Set[str] = set()
        self.frames_problem = ""
        self.cap_problem = ""

    def submission(self) -> Dict[str, Any]:
        """What is asked of the engine: the fields of a Submission."""
        asked = dict(self.choice)
        project_range = "{}-{}".format(*self.snapshot.frame_range)
        frames = {OWN: None, PROJECT: project_range, TYPED: asked.pop("frames")}[asked.pop("frames_from")]
        whole = Submission(
            project=str(self.snapshot.project),
            original=str(self.snapshot.original) if self.snapshot.original else None,
            ocio=os.environ.get("OCIO"),  # what this Natron uses; the engine has another environment
            **asked,
        )
        return {**whole.to_json(), "frames": frames}

    def first_choice(self, rows: Sequence[WriterRow]) -> List[str]:
        """Writers checked at first: those selected in the graph, else those of last time, else all that can render."""
        usable = [row["name"] for row in rows if row["enabled"]]
        for wish in (self.snapshot.selected, self.choice["writers"]):
            kept = [name for name in usable if name in wish]
            if kept:
                return kept
        return usable

    def checks(self) -> List[CheckRow]:
        """What the scan says, errors first, without the warnings that were put aside."""
        said = self.scan["checks"] if self.scan is not None else []
        found = [check for check in said if check_key(check) not in self.ignored]
        order = {"error": 0, "warning": 1, "info": 2}
        return sorted(found, key=lambda check: order[check["level"]])

    def ignore(self, check: CheckRow) -> None:
        self.ignored.add(check_key(check))

    def needs_password(self, wallet: Optional[WalletState]) -> bool:
        return bool(wallet and wallet["current"] and not wallet["unlocked"] and not wallet["external"])

    def blockers(self, wallet: Optional[WalletState], password_typed: bool, scanning: bool, pricing: bool) -> List[str]:
        """Why Submit is disabled, in words; empty when it is not."""
        if self.snapshot.original is None:
            return ["Save the project once, so that its frames have a home."]
        found = [text for text in (self.frames_problem, self.cap_problem, self.scan_problem) if text]
        if scanning or (self.scan is None and not self.scan_problem):
            return [*found, "The project is being read."]
        if self.scan is not None:
            if not self.choice["writers"]:
                found.append("Choose at least one writer.")
            found.extend(check_title(check) for check in self.checks() if check["level"] == "error")
        found.extend(self._above_limit())
        if found:
            return found
        if pricing or (self.plan is None and not self.plan_problem):
            return ["The price is being asked for."]
        return self._price_blockers(wallet, password_typed)

    def _price_blockers(self, wallet: Optional[WalletState], password_typed: bool) -> List[str]:
        if self.plan is None:
            return [self.plan_problem]
        found = [problem["title"] for problem in self.plan_problems(wallet)]
        if not found and self.needs_password(wallet) and not password_typed:
            found.append("Type the password of your wallet.")
        return found

    def plan_problems(self, wallet: Optional[WalletState]) -> List[WireError]:
        """What keeps the plan from being bought, without what the password will solve."""
        problems = self.plan["problems"] if self.plan is not None else ()
        solved = _SOLVED_BY_PASSWORD if self.needs_password(wallet) else ()
        return [problem for problem in problems if problem["code"] not in solved]

    def _above_limit(self) -> List[str]:
        cap, price = self.choice["max_price_nrlc"], self.plan["total_nrlc"] if self.plan is not None else None
        if cap is None or (price or 0) <= cap:
            return []
        return [f"It may cost {wording.rlc(price)}, more than your limit of {wording.rlc(cap)}."]


def check_title(check: CheckRow) -> str:
    """With the name of the node that it speaks of."""
    node = check["node"]
    return check["title"] if not node or node in check["title"] else "{}: {}".format(node, check["title"])


def check_key(check: CheckRow) -> str:
    return "{}:{}:{}".format(check["code"], check["node"], check["title"])
