# Runs inside Natron for scripts/try-in-natron, from the trial's own home folder; the steps are in trial_steps.py.
import os
import sys

sys.path.insert(0, os.environ["NATRON_TRIAL_STEPS"])
import trial_steps

trial_steps.begin(os.environ["NATRON_TRIAL_PHASE"])
