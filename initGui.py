# Natron runs this text in __main__ at start-up, where everything on stderr counts as a failure of the plugin:
# it registers two menu entries, and never raises. What and why is in NatronIExec/gui/menu.py.
try:
    import NatronIExec.gui.menu

    NatronIExec.gui.menu.install()
except Exception as natron_iexec_problem:
    natron_iexec_problem = repr(natron_iexec_problem)  # to be read in the Script Editor
