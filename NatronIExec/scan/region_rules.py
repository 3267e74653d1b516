"""Which times of its inputs a node asks for to know its own size, where that is not what it needs to render."""

from __future__ import annotations

from collections.abc import Mapping

from NatronIExec.scan.moments import EVERY, Rule, at, same_time
from NatronIExec.scan.time_rules import MISC

#: What a node asks of its inputs to know its size, where that differs from what it needs to render: all others ask as
#: their rule above says (getRegionOfDefinition of each). These leave it to the host, which asks at the node's own time.
REGION_RULES: Mapping[str, Rule] = {
    MISC + "Deinterlace": same_time,
    MISC + "ContactSheetOFX": lambda moment: {EVERY: at()},
    MISC + "TimeBufferRead": same_time,
    MISC + "TimeBufferWrite": same_time,
    "fr.inria.openfx.SeExpr": same_time,
    "fr.inria.openfx.SeExprSimple": same_time,
}
#: Nodes that read parameters without a time (`Moment.whens`).
READS_NOW = frozenset({MISC + "FrameRange"})
#: Nodes that need inputs of one size; when a project is loaded Natron asks for the sizes at the frame at which it was
#: saved (NodeInputs.cpp checkCanConnectNoMultiRes).
ONE_SIZE = frozenset({MISC + "Deinterlace", "net.sf.cimg.CImgExpression", "fr.inria.openfx.RunScript"})
