"""Render Natron projects on the iExec marketplace. Importing the package costs nothing."""

__version__ = "0.1.0"
