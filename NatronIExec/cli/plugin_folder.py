"""The folder that Natron's plug-in path names: two start-up files that find this package wherever pip has put it.

Natron adds every folder below a plug-in path to sys.path and runs the start-up files in it. The package's own parent
folder may be the site-packages of another Python, so it must not be on the plug-in path; the start-up files make only
our package importable.
"""

from __future__ import annotations

from pathlib import Path

from NatronIExec import paths

#: What the checkout's init.py and initGui.py say, too (tested).
INIT = """\
# Natron and NatronRenderer run this at start-up. There is nothing to do: everything begins in initGui.py.
"""
INIT_GUI = """\
# Natron runs this text in __main__ at start-up, where everything on stderr counts as a failure of the plugin:
# it registers two menu entries, and never raises. What and why is in NatronIExec/gui/menu.py.
try:
    import NatronIExec.gui.menu

    NatronIExec.gui.menu.install()
except Exception as natron_iexec_fault:
    natron_iexec_problem = repr(natron_iexec_fault)  # to be read in the Script Editor
    try:
        import NatronIExec.gui.faults

        NatronIExec.gui.faults.log("The menu entries are missing: " + natron_iexec_problem)
    except Exception:
        natron_iexec_problem += ", which could not be logged"
"""
_FIRST = """\
# Written by `natron-iexec install`: run it again when the package has moved.
"""
_MAKE_KNOWN = """\
try:
    import importlib.util
    import sys

    if "NatronIExec" not in sys.modules and importlib.util.find_spec("NatronIExec") is None:
        natron_iexec_spec = importlib.util.spec_from_file_location(
            "NatronIExec", {init}, submodule_search_locations=[{package}]
        )
        sys.modules["NatronIExec"] = importlib.util.module_from_spec(natron_iexec_spec)
        natron_iexec_spec.loader.exec_module(sys.modules["NatronIExec"])
"""


def write(package: Path) -> Path:
    """The folder, made or made anew, for the package in `package`."""
    folder = paths.private_folder(paths.home() / "natron-plugin")
    known = _MAKE_KNOWN.format(init=ascii(str(package / "__init__.py")), package=ascii(str(package)))
    paths.write_atomic(folder / "init.py", (_FIRST + INIT).encode("ascii"))
    paths.write_atomic(folder / "initGui.py", (_FIRST + INIT_GUI.replace("try:\n", known, 1)).encode("ascii"))
    return folder
