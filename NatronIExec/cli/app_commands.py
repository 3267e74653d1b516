"""For the publisher of the render app: building its image, deploying, selling, and counting what it earned."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from NatronIExec import __version__, paths
from NatronIExec.cli.amount_type import Rlc
from NatronIExec.cli.connection import Session
from NatronIExec.errors import BadInput
from NatronIExec.wording import rlc

pass_session = click.make_pass_decorator(Session)
EDITION = click.option(
    "--edition", type=click.Choice(["free", "distributed"]), default="distributed", show_default=True
)
NETWORK = click.option("--network", metavar="NAME", help="Network (default: the one in the settings).")
TOOL = click.option("--tool", type=click.Choice(["docker", "podman", "buildah"]), help="Default: the first that works.")
#: No file of Natron is larger; the official tarballs are about 150 MB.
MAX_NATRON_BYTES = 4 << 30


@click.group()
def app() -> None:
    """Build, publish and sell the render app (for its publisher; artists need none of this)."""


@app.command()
@EDITION
@click.option("--natron", metavar="TARBALL|URL", help="Natron for Linux (default: the stand-in renderer).")
@click.option("--sha256", metavar="HEX", help="What the tarball must be; required with a URL.")
@click.option("--base", metavar="IMAGE|TARBALL", default="", help="What to begin with (default: the Containerfile's).")
@click.option("--package", "packages", multiple=True, metavar="NAME", help="Debian package that this Natron needs.")
@click.option("--tag", metavar="NAME", help="Name of the image.")
@TOOL
@pass_session
def build(
    session: Session,
    edition: str,
    natron: str | None,
    sha256: str | None,
    base: str,
    packages: tuple[str, ...],
    tag: str | None,
    tool: str | None,
) -> None:
    """Build the image of one edition. The same inputs make the same image."""
    from NatronIExec.publish.container_tools import find_tool
    from NatronIExec.publish.image_build import BuildOrder
    from NatronIExec.publish.image_build import build as build_image

    found = find_tool(tool or "")
    with _tarball(natron, sha256) as file:
        name = tag or f"localhost/natron-iexec-{edition}:{__version__}"
        order = BuildOrder(edition, name, base, file, sha256 or "", packages)
        built = build_image(order, found, lambda line: click.echo(line, err=True))

    def human() -> None:
        click.echo(f"{built.tag}: {built.id}")
        if built.renderer == "stand-in":
            click.echo("It holds the stand-in renderer, not Natron: its frames are slates.")
        else:
            plugins = len(built.contents["plugins"])
            click.echo(f"{built.contents['renderer_version']}, {plugins} plug-ins")

    session.emit(built.to_json(), human)


@contextlib.contextmanager
def _tarball(natron: str | None, sha256: str | None) -> Iterator[Path | None]:
    """The file itself, or what a URL serves for as long as it is needed."""
    if not natron:
        if sha256:
            raise BadInput("--sha256 says what --natron must be.", "Give both.")
        yield None
    elif natron.startswith(("http://", "https://")):
        if not sha256:
            raise BadInput("A tarball from a URL needs its SHA-256.", "Give --sha256 from the release's page.")
        from NatronIExec.iexec.transport import Transport

        with tempfile.TemporaryDirectory(prefix="natron-iexec-") as folder:
            file = Path(folder) / natron.rsplit("/", 1)[-1]
            Transport().stream(natron, file, MAX_NATRON_BYTES)
            yield file
    else:
        yield Path(natron)


@app.command()
@click.argument("to", type=click.Path(path_type=Path))
@click.option("--natron/--stand-in", default=True, help="With the packages that the official Natron needs.")
@click.option("--package", "packages", multiple=True, metavar="NAME", help="Debian package that is needed besides.")
@pass_session
def base(session: Session, to: Path, natron: bool, packages: tuple[str, ...]) -> None:
    """Make the Debian root file system that `app build --base` begins with, where no image registry is reached."""
    from NatronIExec.publish.build_folder import BASE_PACKAGES, NATRON_PACKAGES
    from NatronIExec.publish.image_build import make_base

    made = make_base(to, [*BASE_PACKAGES, *(NATRON_PACKAGES if natron else ()), *packages])
    session.emit({"path": str(made)}, lambda: click.echo(str(made)))


@app.command()
@click.argument("repository", metavar="REGISTRY/NAME:TAG")
@EDITION
@NETWORK
@click.option("--image", metavar="TAG", help="The image that was built (default: the edition's).")
@click.option("--digest", metavar="sha256:…", help="It is pushed already: do not push.")
@click.option("--name", metavar="TEXT", help="The app's name on chain.")
@click.option("--insecure", is_flag=True, help="The registry speaks HTTP: one on this machine.")
@TOOL
@pass_session
def deploy(
    session: Session,
    repository: str,
    edition: str,
    network: str | None,
    image: str | None,
    digest: str | None,
    name: str | None,
    insecure: bool,
    tool: str | None,
) -> None:
    """Push the image of an edition to a registry and make it an app on chain. Repeating it does what is left to do."""
    found = digest or _pushed(image or f"localhost/natron-iexec-{edition}:{__version__}", repository, insecure, tool)
    answer = session.call_signed(
        "app.deploy",
        network=_network(session, network),
        edition=edition,
        name=name or f"natron-iexec-{edition}-{__version__}",
        image=repository,
        digest=found,
    )
    session.emit(
        answer, lambda: click.echo(f"{'Deployed' if answer['new'] else 'There already'}: {answer['app']} ({found})")
    )


def _pushed(image: str, repository: str, insecure: bool, tool: str | None) -> str:
    """The digest in the registry; what the image holds is kept under it for `app network-file`."""
    from NatronIExec.manifest import canonical
    from NatronIExec.publish.app_registry import checksum_of
    from NatronIExec.publish.container_tools import find_tool
    from NatronIExec.publish.image_build import contents_of_image

    found = find_tool(tool or "")
    contents = contents_of_image(image, found)
    click.echo(f"Pushing {image} to {repository}", err=True)
    digest = found.push(image, repository, insecure)
    paths.private_folder(paths.images())
    paths.write_atomic(paths.images() / f"{checksum_of(digest)}.json", canonical(contents))
    return digest


def selling_options(command: Any) -> Any:
    """The terms of an order."""
    for option in (
        click.option("--app", metavar="ADDRESS", help="The app (default: the edition's on this network)."),
        click.option("--price", type=Rlc(), default="0", help="RLC a task; the free edition costs nothing."),
        click.option("--volume", type=click.IntRange(min=1), default=10**6, show_default=True, help="Tasks for sale."),
        click.option("--confidential", is_flag=True, help="For enclaves (TDX)."),
        click.option("--requester", metavar="ADDRESS", help="Sell to this account, or ERC-734 group, only."),
        click.option("--workerpool", metavar="ADDRESS", help="Only on this worker group."),
        NETWORK,
        EDITION,
    ):
        command = option(command)
    return command


def _terms(session: Session, given: dict[str, Any]) -> dict[str, Any]:
    sent = {name: value for name, value in given.items() if value is not None}
    sent["price_nrlc"] = sent.pop("price")
    sent["network"] = _network(session, sent.get("network"))
    return sent


@app.command()
@selling_options
@pass_session
def publish(session: Session, /, **given: Any) -> None:
    """Offer the app on the market. An order on the same terms is published once."""
    answer = session.call_signed("app.publish", **_terms(session, given))
    session.emit(
        answer, lambda: click.echo(f"{'Published' if answer['new'] else 'For sale already'}: {answer['order']}")
    )


@app.command()
@selling_options
@pass_session
def price(session: Session, /, **given: Any) -> None:
    """Change the price: the new order is published first, then the old ones end, so that it is never off the market."""
    answer = session.call_signed("app.price", **_terms(session, given))
    session.emit(answer, lambda: click.echo(f"{answer['published']} replaces {len(answer['unpublished'])} order(s)"))


@app.command()
@click.argument("order", required=False)
@click.option("--app", "address", metavar="ADDRESS", help="The app (default: the edition's on this network).")
@EDITION
@NETWORK
@pass_session
def unpublish(session: Session, order: str | None, address: str | None, edition: str, network: str | None) -> None:
    """End ORDER, or all orders of the app: on chain, so that nobody can buy with a copy, and on the market."""
    answer = session.call_signed(
        "app.unpublish", network=_network(session, network), edition=edition, app=address, order=order
    )
    session.emit(answer, lambda: click.echo("\n".join(answer["unpublished"]) or "Nothing was for sale."))


@app.command()
@NETWORK
@pass_session
def show(session: Session, network: str | None) -> None:
    """The apps of a network, as they are on chain."""
    rows = session.call("app.show", network=_network(session, network))
    session.emit(
        rows,
        lambda: click.echo(
            "\n".join(f"{r['edition']}: {r['app']} {r['image']} {r['checksum']} owner {r['owner']}" for r in rows)
        ),
    )


@app.command()
@NETWORK
@pass_session
def orders(session: Session, network: str | None) -> None:
    """What is for sale now."""
    rows = session.call("app.orders", network=_network(session, network))
    lines = [f"{r['edition']}: {r['order']} {rlc(r['price_nrlc'])} a task, {r['remaining']} left" for r in rows]
    session.emit(rows, lambda: click.echo("\n".join(lines) or "Nothing is for sale."))


@app.command()
@NETWORK
@pass_session
def revenue(session: Session, network: str | None) -> None:
    """Deals, tasks and RLC earned, by edition and month."""
    from NatronIExec.cli.screen import console, table

    found = session.call("app.revenue", network=_network(session, network))
    columns = ("edition", "month", "deals", "tasks", "completed", "earned", "pending")
    rows = [
        (*(str(row[name]) for name in columns[:5]), rlc(row["earned_nrlc"]), rlc(row["pending_nrlc"]))
        for row in found["rows"]
    ]

    def human() -> None:
        console().print(table(columns, rows))
        click.echo(f"Earned: {rlc(found['earned_nrlc'])}")
        for stake in found["stakes"]:
            click.echo(f"{stake['owner']} can withdraw {rlc(stake['stake_nrlc'])}")

    session.emit(found, human)


@app.command()
@click.argument("amount", type=Rlc())
@NETWORK
@pass_session
def withdraw(session: Session, amount: int, network: str | None) -> None:
    """Move what was earned from the hub to the account."""
    answer = session.call_signed("wallet.withdraw", network=_network(session, network), amount_nrlc=amount)
    session.emit(answer, lambda: click.echo(f"Withdrawn; {rlc(answer['stake_nrlc'])} stay."))


@app.command(name="network-file")
@click.argument("to", type=click.Path(path_type=Path))
@NETWORK
@pass_session
def network_file(session: Session, to: Path, network: str | None) -> None:
    """Write the signed file that artists give to `networks add`: where the apps are and what their images hold."""
    name = _network(session, network)
    images = {}
    for row in session.call("app.show", network=name):
        known = paths.images() / f"{row['checksum']}.json"
        if known.is_file():
            images[row["checksum"]] = json.loads(known.read_text("utf-8"))
    answer = session.call_signed("app.network_file", network=name, images=images)
    paths.write_atomic(to.expanduser().absolute(), answer["text"].encode())
    session.emit({"path": str(to)}, lambda: click.echo(str(to)))


def _network(session: Session, given: str | None) -> str:
    return given or str(session.call("settings.get")["network"])
