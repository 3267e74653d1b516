"""Sample records of the engine, each with `changes`, and the check of what is asked and answered against
`NatronIExec.shapes` and `verb_table`."""

from NatronIExec import submission
from NatronIExec.kinds import complaint, record_complaint
from NatronIExec.shapes import EVENTS
from NatronIExec.verb_table import VERBS


def check_args(verb, args):
    """Raises AssertionError naming the path of what is wrong."""
    assert verb in VERBS, f"unknown verb {verb}"
    found = [record_complaint(list(records), args, verb) for records in VERBS[verb].args]
    assert "" in found, max(found, key=len)


def check_answer(verb, answer):
    found = complaint(VERBS[verb].answer, answer, f"{verb} answers")
    assert not found, found


def check_event(event):
    found = complaint(EVENTS[event["event"]], event, event["event"])
    assert not found, found


ADDRESS = "0x7099" + "79" * 18
POOL = "0x8eF2" + "ab" * 18


def job_row(job="job-1", **changes):
    row = {
        "id": job,
        "name": "shot_010",
        "project": "/show/shot_010.ntp",
        "original": "/show/shot_010.ntp",
        "writers": ["Write1"],
        "network": "arbitrum-sepolia",
        "state": "rendering",
        "state_text": "Rendering",
        "step": "matched",
        "created_s": 1_790_000_000,
        "ended_s": None,
        "frames_total": 20,
        "frames_done": 8,
        "frames_failed": 0,
        "frames_running": 4,
        "tasks_total": 5,
        "tasks_done": 2,
        "paid_nrlc": 500_000_000,
        "most_nrlc": 500_000_000,
        "refunded_nrlc": 0,
        "workerpool": POOL,
        "refund_at_s": 1_790_010_000,
        "eta_s": 240,
        "out": "/show/renders",
        "last_update_s": 1_790_000_100,
        "error": None,
        "thumbnail": None,
        "held": False,
    }
    row.update(changes)
    return row


def frame_row(frame, state="waiting", **changes):
    row = {
        "frame": frame,
        "writer": "Write1",
        "view": "main",
        "chunk": (frame - 1) // 4,
        "state": state,
        "time_s": 12.5 if state == "imported" else None,
        "size": 1_250_000 if state == "imported" else None,
        "file": f"/show/renders/beauty.{frame:04d}.png" if state == "imported" else None,
        "log": f"Write1 ==> Frame: {frame}, Progress: 100.0%" if state == "imported" else "",
    }
    row.update(changes)
    return row


def writer_row(name="Write1", **changes):
    row = {
        "name": name,
        "label": name,
        "enabled": True,
        "reason": "",
        "file": "/show/renders/beauty.####.exr",
        "format": "exr",
        "first": 1,
        "last": 20,
        "step": 1,
        "movie": False,
        "views": ["main"],
    }
    row.update(changes)
    return row


def scan_sheet(**changes):
    sheet = {
        "writers": [writer_row()],
        "files": [
            {
                "path": f"/show/plates/plate.{n:04d}.exr",
                "node": "Read1",
                "why": "input",
                "size": 12_000_000,
                "exists": True,
            }
            for n in range(1, 21)
        ],
        "chunks": [
            {
                "index": i,
                "writer": "Write1",
                "frames": list(range(i * 4 + 1, i * 4 + 5)),
                "files": ["/show/plates/plate.0001.exr"],
            }
            for i in range(5)
        ],
        "missing": [],
        "checks": [],
        "bytes": {"sent": 240_000_000, "whole_clips": 1_200_000_000},
    }
    sheet.update(changes)
    return sheet


def workerpool_row(**changes):
    row = {
        "workerpool": POOL,
        "name": "iExec worker group",
        "task_price_nrlc": 100_000_000,
        "category": 0,
        "category_name": "S",
        "time_limit_s": 3000,
        "trust": 1,
        "volume": 500,
        "confidential": True,
        "fits": True,
        "reason": "",
        "order_hash": "0x" + "cd" * 32,
    }
    row.update(changes)
    return row


BALANCE = {"rlc_nrlc": 3_000_000_000, "stake_nrlc": 250_000_000, "locked_nrlc": 0, "eth_wei": "20000000000000000"}


def plan_sheet(**changes):
    sheet = {
        "plan": "plan-1",
        "scan": scan_sheet(),
        "network": "arbitrum-sepolia",
        "account": ADDRESS,
        "tasks": 5,
        "frames": 20,
        "chunk": 4,
        "category": {"id": 0, "name": "S", "time_limit_s": 3000},
        "workerpool": workerpool_row(),
        "app_price_nrlc": 0,
        "workerpool_price_nrlc": 100_000_000,
        "total_nrlc": 500_000_000,
        "deposit_nrlc": 250_000_000,
        "gas_wei": "400000000000000",
        "refund_s": 30_000,
        "balance": dict(BALANCE),
        "after_nrlc": 2_750_000_000,
        "upload_bytes": 240_000_000,
        "confidential": False,
        "problems": [],
        "deals": 1,
    }
    sheet.update(changes)
    return sheet


def wallet_state(**changes):
    state = {
        "accounts": [
            {"address": ADDRESS, "name": "Render purse", "file": "/home/artist/purse.json", "kind": "keystore"}
        ],
        "current": ADDRESS,
        "unlocked": True,
        "external": None,
        "keyring": {"available": True, "backend": "Secret Service", "remembered": False},
        "network": "arbitrum-sepolia",
        "balance": dict(BALANCE),
        "error": None,
    }
    state.update(changes)
    return state


def network_row(name="arbitrum-sepolia", title="Arbitrum Sepolia (test money)", **changes):
    row = {
        "name": name,
        "title": title,
        "chain_id": 421614,
        "test": True,
        "endpoints": {kind: f"https://{kind}.example" for kind in ("rpc", "market", "sms", "ipfs", "gateway")},
        "available": True,
        "faucet": "5 test RLC a day from the iExec faucet",
        "explorer": "https://explorer.example/test",
        "confidential": False,
        "forgets": False,
    }
    row.update(changes)
    return row


def settings_sheet(**changes):
    sheet = {
        "network": "arbitrum-sepolia",
        "lock_after_s": 900,
        "job_cap_nrlc": 2_000_000_000,
        "day_cap_nrlc": 10_000_000_000,
        "keep_inputs_days": 7,
        "idle_exit_s": 600,
        "output_folder": None,
        "storage": "ipfs",
        "storage_folder": None,
        "s3": {"endpoint": "", "bucket": "", "prefix": "", "region": ""},
        "endpoints": {},
        "notify": True,
        "poll_s": 10,
    }
    sheet.update(changes)
    return sheet


def job_sheet(row=None, **changes):
    sheet = dict(row or job_row())
    sheet.update(
        {
            "submission": {
                **submission.defaults(),
                "project": "/show/shot_010.ntp",
                "original": "/show/shot_010.ntp",
                "network": "arbitrum-sepolia",
                "writers": ["Write1"],
                "chunk": 4,
            },
            "deals": [
                {
                    "dealid": "0x" + "de" * 32,
                    "transaction": "0x" + "aa" * 32,
                    "tasks": 5,
                    "deal_price_nrlc": 500_000_000,
                    "first": 0,
                    "start_s": 1_790_000_010,
                    "final_deadline_s": 1_790_010_000,
                }
            ],
            "manifest": "Qm" + "x" * 44,
            "request_order": "0x" + "0f" * 32,
            "steps": [{"step": "scanned", "at_s": 1_790_000_000}, {"step": "matched", "at_s": 1_790_000_020}],
            "tasks": [
                {
                    "index": 0,
                    "taskid": "0x" + "11" * 32,
                    "state": "done",
                    "frames": "1-4",
                    "worker": "0x" + "22" * 20,
                    "result": "/ipfs/Qm",
                    "note": "",
                },
                {
                    "index": 1,
                    "taskid": "0x" + "12" * 32,
                    "state": "rendering",
                    "frames": "5-8",
                    "worker": None,
                    "result": None,
                    "note": "",
                },
            ],
        }
    )
    sheet.update(changes)
    return sheet
