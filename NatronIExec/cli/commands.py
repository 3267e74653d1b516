"""The command group and everything about jobs. Wallet and system commands are in their own modules."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Callable

import click

from NatronIExec import __version__
from NatronIExec.cli.amount_type import Rlc
from NatronIExec.cli.app_commands import app
from NatronIExec.cli.connection import FRAMES_MISSING, Session, exit_code, report, unless_interrupted
from NatronIExec.cli.devnet_commands import devnet, stand_in_words
from NatronIExec.cli.system_commands import doctor, engine, install, networks, settings
from NatronIExec.cli.wallet_commands import wallet
from NatronIExec.cli.watch import follow, print_end
from NatronIExec.errors import Cancelled, NatronIExecError, OrderRefused, WrongUse, from_wire
from NatronIExec.submission import TEST_FRAMES, Submission, defaults
from NatronIExec.wording import count, rlc

pass_session = click.make_pass_decorator(Session)
RLC = Rlc()
_DEFAULTS = defaults()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="natron-iexec")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout; errors as JSON on stderr.")
@click.option("--password-file", metavar="FILE", help="Read the wallet password from FILE (- for standard input).")
@click.pass_context
def cli(context: click.Context, as_json: bool, password_file: str | None) -> None:
    """Render Natron projects on the iExec marketplace."""
    context.obj = context.with_resource(_session(as_json, password_file))


class _session:
    """Closes the connection however the command ends."""

    def __init__(self, as_json: bool, password_file: str | None) -> None:
        self._session = Session(as_json, password_file)

    def __enter__(self) -> Session:
        return self._session

    def __exit__(self, *_: object) -> None:
        self._session.close()


def run() -> None:
    """Run the group; our errors become a sentence and an exit code. `--json` counts wherever it stands."""
    arguments = sys.argv[1:]
    as_json = "--json" in arguments
    if as_json:
        arguments = ["--json", *(a for a in arguments if a != "--json")]
    try:
        sys.exit(cli.main(arguments, prog_name="natron-iexec", standalone_mode=False) or 0)
    except click.exceptions.Abort:
        sys.exit(report(Cancelled("Cancelled."), as_json))
    except click.ClickException as problem:
        if as_json:
            sys.exit(report(WrongUse(problem.format_message(), "natron-iexec COMMAND --help has all options."), True))
        problem.show()
        sys.exit(problem.exit_code)
    except NatronIExecError as problem:
        sys.exit(report(problem, as_json))
    except KeyboardInterrupt:
        sys.exit(130)


def submission_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what is to be rendered: the same for scan, plan and submit."""
    options = [
        click.argument("project", type=click.Path(path_type=Path)),
        click.option(
            "--writer", "writers", multiple=True, metavar="NAME", help="Write node to render (default: all enabled)."
        ),
        click.option("--frames", metavar="RANGE", help="1-10x2,20 (default: each writer's own range)."),
        click.option("--chunk", type=click.IntRange(min=1), metavar="N", help="Frames a task (default: chosen)."),
        click.option("--network", metavar="NAME", help="Network (default: the one in the settings)."),
        click.option("--workerpool", metavar="ADDR", help="Worker group (default: the cheapest that fits)."),
        click.option(
            "--category", type=click.IntRange(min=0), metavar="N", help="Time limit (default: the cheapest that fits)."
        ),
        click.option("--max-price", "max_price_nrlc", type=RLC, metavar="RLC", help="Refuse a job that can cost more."),
        click.option(
            "--out", type=click.Path(path_type=Path), metavar="DIR", help="Output folder (default: the writer's)."
        ),
        click.option(
            "--confidential/--public",
            default=_DEFAULTS["confidential"],
            help="Only the enclave can read the project (default: where the network runs enclaves).",
        ),
        click.option(
            "--trust",
            type=click.IntRange(min=1),
            default=_DEFAULTS["trust"],
            help="Workers that must agree on each task.",
        ),
        click.option(
            "--test-frames",
            type=click.Choice(TEST_FRAMES),
            default=_DEFAULTS["test_frames"],
            help="First, middle and last frame before the rest.",
        ),
        click.option("--only-missing", is_flag=True, help="Skip frames whose file is there."),
        click.option(
            "--add-file", "extra_files", multiple=True, type=click.Path(path_type=Path), help="Also send this file."
        ),
        click.option(
            "--exclude-file",
            "exclude_files",
            multiple=True,
            type=click.Path(path_type=Path),
            help="Do not send this file.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def submission(session: Session, project: Path, **asked: Any) -> dict[str, Any]:
    """The fields of a Submission: paths made absolute, and the network of the settings when none is named. The names of
    the options are those of the fields."""
    network, out, frames = asked.pop("network"), asked.pop("out"), asked.pop("frames")
    extra, excluded = asked.pop("extra_files"), asked.pop("exclude_files")
    whole = Submission(
        project=_absolute(project),
        network=network or session.call("settings.get")["network"],
        out=_absolute(out) if out else None,
        ocio=os.environ.get("OCIO"),
        extra_files=tuple(map(_absolute, extra)),
        exclude_files=tuple(map(_absolute, excluded)),
        **asked,
    )
    return {**whole.to_json(), "frames": frames}


def _absolute(path: Path) -> str:
    return str(path.expanduser().absolute())


@cli.command()
@submission_options
@pass_session
def scan(session: Session, /, project: Path, **asked: Any) -> None:
    """List what a render needs: writers, files, chunks, what is missing. Spends and sends nothing."""
    from NatronIExec.cli.screen import print_scan

    sheet = session.call_with_progress("scan", "Scanning", **submission(session, project, **asked))
    session.emit(sheet, lambda: print_scan(sheet))


@cli.command()
@submission_options
@pass_session
def plan(session: Session, /, project: Path, **asked: Any) -> int:
    """Show tasks, price, gas, the most that can be spent and when the rest is refunded. Spends nothing. Exit code 0
    when it can be bought, else that of the first problem."""
    from NatronIExec.cli.screen import print_plan

    sheet = session.call_with_progress("plan", "Planning", **submission(session, project, **asked))
    session.emit(sheet, lambda: print_plan(sheet))
    problem = unready(sheet)
    return exit_code(problem) if problem else 0


@cli.command()
@submission_options
@click.option("--yes", is_flag=True, help="Do not ask before spending what the plan shows.")
@click.option("--watch", "watching", is_flag=True, help="Follow the job to its end.")
@pass_session
def submit(session: Session, /, project: Path, yes: bool, watching: bool, **asked: Any) -> int:
    """Render PROJECT on iExec: shows the price, asks, buys all tasks, and brings the frames back."""
    from NatronIExec.cli.screen import most, print_plan

    wanted = submission(session, project, **asked)
    unlocked = session.unlock_ahead() if yes else lambda: None
    sheet = session.call_with_progress("plan", "Planning", **wanted)
    if not session.as_json:
        print_plan(sheet)
        if words := stand_in_words(sheet["network"]):
            click.echo(words)
    _refuse_unready(sheet)
    unlocked()
    if not yes:
        click.confirm(f"Spend at most {most(sheet)}?", abort=True, err=True)
    with unless_interrupted(session.as_json, "The job may go on.", "See: natron-iexec jobs"):
        bought = session.call_signed("submit", **wanted, plan=sheet["plan"], max_total_nrlc=sheet["total_nrlc"])
    if watching:
        return watch_job(session, bought["job"])
    session.emit(bought, lambda: click.echo(f"Job {bought['job']}. Follow it with: natron-iexec watch {bought['job']}"))
    return 0


def _refuse_unready(sheet: dict[str, Any]) -> None:
    problem = unready(sheet)
    if problem is not None:
        raise problem


def unready(sheet: dict[str, Any]) -> NatronIExecError | None:
    """Why what a plan shows cannot be bought. A locked wallet is no reason: the password is asked for."""
    blocking = [problem for problem in sheet["problems"] if problem["code"] != "wallet-locked"]
    if blocking:
        return from_wire(blocking[0])
    errors = [check for check in sheet["scan"]["checks"] if check["level"] == "error"]
    return OrderRefused(errors[0]["title"], errors[0]["remedy"]) if errors else None


@cli.command()
@pass_session
def jobs(session: Session) -> None:
    """List all jobs, newest first."""
    from NatronIExec.cli.screen import print_jobs

    rows = session.call("jobs")
    session.emit(rows, lambda: print_jobs(rows))


@cli.command()
@click.argument("job")
@pass_session
def show(session: Session, job: str) -> None:
    """Everything about one JOB: state, money, deals, tasks."""
    from NatronIExec.cli.screen import print_job

    sheet = session.call("show", job=job)
    session.emit(sheet, lambda: print_job(sheet))


@cli.command()
@click.argument("job")
@pass_session
def watch(session: Session, job: str) -> int:
    """Follow JOB to its end. Exit code 9 when frames are missing then, else that of what stopped it."""
    return watch_job(session, job)


def watch_job(session: Session, job: str) -> int:
    with unless_interrupted(
        session.as_json, f"Job {job} goes on.", f"Follow it with: natron-iexec watch {job}", job=job
    ):
        row = follow(session, job)
    session.emit(row, lambda: print_end(session, job, row))
    if row["state"] in ("done", "held"):
        return 0
    if row["state"] == "cancelled":
        return exit_code(Cancelled("Cancelled."))
    if row["state"] == "partly" or not row["error"]:
        return FRAMES_MISSING
    return report(from_wire(row["error"]), session.as_json)


@cli.command()
@click.argument("job")
@pass_session
def cancel(session: Session, job: str) -> None:
    """Stop what can still be stopped of JOB; says what is bought already."""
    answer = session.call_signed("cancel", job=job)

    def human() -> None:
        for text in answer["stopped"]:
            click.echo(f"Stopped: {text}")
        for text in answer["bought"]:
            click.echo(f"Bought already: {text}")

    session.emit(answer, human)


@cli.command()
@click.argument("job")
@click.option("--frames", metavar="RANGE", help="These frames (default: those that failed).")
@click.option("--yes", is_flag=True, help="Do not ask before spending what the plan shows.")
@pass_session
def retry(session: Session, job: str, frames: str | None, yes: bool) -> None:
    """Buy the failed frames of JOB again, as a new job; after a test: the rest. A paused job just goes on."""
    from NatronIExec.cli.screen import most, print_plan

    price: dict[str, Any] = {}
    if frames is not None or session.call("show", job=job)["state"] != "paused":
        sheet = session.call_with_progress("plan", "Planning", retry=job, frames=frames)
        if not session.as_json:
            print_plan(sheet)
        _refuse_unready(sheet)
        if not yes:
            click.confirm(f"Spend at most {most(sheet)}?", abort=True, err=True)
        price = {"plan": sheet["plan"], "max_total_nrlc": sheet["total_nrlc"]}
    with unless_interrupted(session.as_json, "The new job may go on.", "See: natron-iexec jobs"):
        answer = session.call_signed("retry", job=job, frames=frames, **price)
    session.emit(answer, lambda: click.echo(f"Job {answer['job']}"))


@cli.command(name="import")
@click.argument("job")
@pass_session
def import_(session: Session, job: str) -> None:
    """Bring the frames of JOB into the project folder (again)."""
    answer = session.call("import", job=job)
    session.emit(
        answer,
        lambda: click.echo(
            f"{count(answer['imported'], 'frame')} brought to {answer['folder']}, {answer['skipped']} there already"
        ),
    )


@cli.command()
@click.argument("job", required=False)
@pass_session
def claim(session: Session, job: str | None) -> None:
    """Get the money of unfinished tasks back (of JOB, or of all jobs past their deadline)."""
    answer = session.call_signed("claim", job=job)
    session.emit(
        answer, lambda: click.echo(f"{count(answer['tasks'], 'task')} claimed, {rlc(answer['refund_nrlc'])} back")
    )


@cli.command()
@click.argument("job")
@click.argument("task", type=int, required=False)
@click.option("--tail", type=int, default=200, help="The last N lines.")
@pass_session
def logs(session: Session, job: str, task: int | None, tail: int) -> None:
    """What happened to JOB, or what the renderer of TASK printed."""
    answer = session.call("logs", job=job, task=task, tail=tail)
    session.emit(answer, lambda: click.echo("\n".join(answer["lines"])))


@cli.command()
@click.argument("job")
@pass_session
def remove(session: Session, job: str) -> None:
    """Take JOB off the list. Frames are never deleted."""
    session.call("remove", job=job)
    session.emit({}, lambda: click.echo("Removed from the list; its frames stay where they are."))


@cli.command()
@click.argument("job")
@click.argument("to", type=click.Path(path_type=Path))
@pass_session
def bundle(session: Session, job: str, to: Path) -> None:
    """Write what was sent for JOB into the folder TO."""
    answer = session.call("bundle", job=job, to=str(to.expanduser().absolute()))
    session.emit(answer, lambda: click.echo(answer["path"]))


@cli.command()
@pass_session
def ledger(session: Session) -> None:
    """What every job cost and what came back."""
    from NatronIExec.cli.screen import print_ledger

    answer = session.call("ledger")
    session.emit(answer, lambda: print_ledger(answer))


@cli.command()
@click.option("--network", metavar="NAME")
@click.option("--confidential", is_flag=True)
@pass_session
def workerpools(session: Session, network: str | None, confidential: bool) -> None:
    """Worker groups that sell render time now, cheapest first."""
    from NatronIExec.cli.screen import print_workerpools

    rows = session.call(
        "workerpools", network=network or session.call("settings.get")["network"], confidential=confidential
    )
    session.emit(rows, lambda: print_workerpools(rows))


for _command in (app, wallet, engine, devnet, doctor, install, networks, settings):
    cli.add_command(_command)
