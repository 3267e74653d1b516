# Natron and NatronRenderer run this at start-up. There is nothing to do: everything begins in initGui.py.
