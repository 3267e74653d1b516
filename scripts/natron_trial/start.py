# Runs inside Natron for scripts/try-in-natron, as initGui.py of the trial's own home folder; the steps are in
# trial_steps.py. Under that name Natron would run it here, too, for all who have this checkout on its plug-in path.
import os
import sys

sys.path.insert(0, os.environ["NATRON_TRIAL_STEPS"])
import trial_steps

trial_steps.begin(os.environ["NATRON_TRIAL_PHASE"])
