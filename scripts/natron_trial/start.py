# Runs inside Natron for scripts/try-in-natron, as initGui.py of the trial's own home folder; the steps are in
# trial_steps.py. Under that name Natron would run it here, too, for all who have this checkout on its plug-in path.
import os
import sys

from qtpy import QtCore

sys.path.insert(0, os.environ["NATRON_TRIAL_STEPS"])


def natron_trial_begin():
    """Once Natron has run the start-up files of the plug-in, too."""
    import trial_steps

    trial_steps.begin(os.environ["NATRON_TRIAL_PHASE"])


QtCore.QTimer.singleShot(0, natron_trial_begin)
