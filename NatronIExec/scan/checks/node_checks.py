"""Checks of the project and its nodes against what a worker has: Natron's version, plug-ins, graphics card, trust."""

from __future__ import annotations

from collections.abc import Iterator

from NatronIExec.ntp.node_graph import Placed
from NatronIExec.scan.check import ERROR, INFO, WARNING, Check
from NatronIExec.scan.checks.facts import Checker, Facts
from NatronIExec.scan.copied_nodes import CALLBACKS
from NatronIExec.scan.file_uses import RUN_SCRIPT
from NatronIExec.scan.plugins import taking_part
from NatronIExec.wording import count

#: Read and Write nodes are saved with the version of the codec that they hold.
_META = (".Read", ".Write")


def newer_project(facts: Facts) -> Iterator[Check]:
    """Natron refuses what a newer one saved (ProjectSerialization.h)."""
    for home in facts.graph.homes:
        if home.project.version > facts.image.natron:
            version = ".".join(str(number) for number in home.project.version)
            yield Check(
                ERROR,
                "natron-newer",
                home.prefix.rstrip(":"),
                f"{home.project.path.name} was saved by Natron {version}; workers have {facts.image.version}, "
                "which refuses it.",
                f"Save the project with Natron {facts.image.version} or older.",
            )


def plugins(facts: Facts) -> Iterator[Check]:
    for name, placed in taking_part(facts.graph, facts.reached.values()).items():
        plugin, major = placed.node.plugin, placed.node.major
        if placed.node.children:
            continue
        known = facts.image.plugins.get(plugin)
        if not facts.image.has(plugin):
            yield Check(
                ERROR,
                "plugin-missing",
                name,
                f"Its plug-in {plugin} is not installed on workers: the picture would be made without it.",
                "Replace the node, or render what it makes to an image sequence and read that.",
            )
        elif known and major and major not in known and not plugin.endswith(_META):
            have = " and ".join(str(number) for number in known)
            yield Check(
                WARNING,
                "plugin-version",
                name,
                f"It uses version {major} of {plugin}; workers have {have}, which may look different.",
                "Create the node anew in a current Natron to see what it looks like.",
            )


def codecs(facts: Facts) -> Iterator[Check]:
    for name, placed in facts.reached.items():
        for knob_name in ("decodingPluginID", "encodingPluginID"):
            knob = placed.knob(knob_name)
            if knob and knob.text and not facts.image.has(knob.text):
                yield Check(
                    ERROR,
                    "plugin-missing",
                    name,
                    f"Its codec {knob.text} is not installed on workers.",
                    "Choose another decoder or encoder in the node, or another file format.",
                )


def unknown_time(facts: Facts) -> Iterator[Check]:
    for flow in facts.flows:
        for placed in flow.unsure_nodes():
            yield Check(
                WARNING,
                "whole-clips",
                placed.name,
                "It may read other frames than the one that it renders: all frames of its inputs are sent.",
                "Nothing needs to be done; the upload is larger than it may have to be.",
            )
        for name in flow.circular:
            yield Check(
                WARNING,
                "circular",
                name,
                "The node graph goes in a circle here.",
                "Disconnect one of the inputs in Natron.",
            )


def odd_nodes(facts: Facts) -> Iterator[Check]:
    for name, what in facts.graph.odd:
        if name in facts.reached:
            yield Check(
                WARNING, "odd-node", name, f"Not all of it is understood: {what}.", "Check this node in Natron."
            )


def graphics_card(facts: Facts) -> Iterator[Check]:
    for name, placed in facts.reached.items():
        if placed.node.plugin in facts.image.gpu_only:
            yield Check(
                WARNING,
                "gpu-only",
                name,
                "It is made for a graphics card; workers have none and draw it in software, slowly.",
                "Render a test frame first, or render it to an image sequence here and read that.",
            )


def scripts(facts: Facts) -> Iterator[Check]:
    """What of the project a worker runs as a program. Callbacks and expressions run for nodes that are not rendered,
    too: Natron loads the whole project."""
    for name, placed in facts.reached.items():
        if placed.node.plugin == RUN_SCRIPT:
            yield Check(
                WARNING,
                "runs-script",
                name,
                "Workers run its shell script; files and programs that it uses are not known here.",
                "Add the files that it needs by hand; programs must be in the workers' image.",
            )
    holders = {"": facts.graph.main.project.knobs}
    holders.update((name, placed.node.knobs) for name, placed in facts.graph.nodes.items())
    for name, knobs in holders.items():
        for callback in CALLBACKS:
            if callback in knobs and knobs[callback].text.strip():
                yield Check(INFO, "runs-callback", name, f"Workers run the Python of its {callback} callback.", "")
    nodes = sum(_has_expression(placed) for placed in facts.graph.nodes.values())
    if nodes:
        title = f"Workers evaluate Python expressions in {count(nodes, 'node')}."
        yield Check(INFO, "runs-expressions", "", title, "")
    modules = sorted({use.pattern.text for use in facts.reached_uses if use.why == "PyPlug"} & facts.files)
    for module in modules:
        yield Check(INFO, "runs-pyplug", "", f"The PyPlug {module} is sent and run on workers.", "")


def _has_expression(placed: Placed) -> bool:
    return any(value.expression for knob in placed.node.knobs.values() for value in knob.values)


CHECKERS: tuple[Checker, ...] = (
    newer_project,
    plugins,
    codecs,
    unknown_time,
    odd_nodes,
    graphics_card,
    scripts,
)
