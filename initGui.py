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
