"""Spools of earlier versions, brought up one schema at a time, inside the transaction that opens the spool.

Each step reads only JSON and SQL as they were in its own schema, never today's records: those go on changing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

SCHEMA = 2


def migrate(db: sqlite3.Connection, schema: int) -> None:
    """From `schema` to SCHEMA."""
    for step in range(schema, SCHEMA):
        _STEPS[step](db)
        db.execute(f"PRAGMA user_version={step + 1}")


def _to_2(db: sqlite3.Connection) -> None:
    """Prices say of what they are; what was a dict is a record; gas is a number."""
    for job_id, text in db.execute("SELECT id, record FROM jobs").fetchall():
        record = json.dumps(_job_of_2(json.loads(text)))
        db.execute("UPDATE jobs SET record=? WHERE id=?", (record, job_id))


def _job_of_2(job: Mapping[str, Any]) -> dict[str, Any]:
    new = {name: value for name, value in job.items() if name not in ("last_update_s", "out_of")}
    quote = {name: value for name, value in job["quote"].items() if name != "chain_id"}
    new["quote"] = {**quote, "gas_wei": int(quote["gas_wei"])}
    new["sent"] = [{**sent, "gas_wei": int(sent["gas_wei"])} for sent in job["sent"]]
    new["deals"] = [
        {**{name: value for name, value in deal.items() if name != "price_nrlc"}, "deal_price_nrlc": deal["price_nrlc"]}
        for deal in job["deals"]
    ]
    new["watch"] = _watch_of_2(job.get("watch") or {})
    new["moves"] = [{"folder": folder, "to": to} for folder, to in (job.get("out_of") or {}).items()]
    return new


def _watch_of_2(watch: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is over, by the number of TaskStatus (3 completed, 4 failed). A state without it is of a still older form:
    None, so that the chain is read again from the purchase on."""
    if "over" not in watch:
        return None
    over = watch["over"]
    return {"next_block": watch["next_block"], "completed": over.get("3", []), "failed": over.get("4", [])}


_STEPS: Mapping[int, Callable[[sqlite3.Connection], None]] = {1: _to_2}
