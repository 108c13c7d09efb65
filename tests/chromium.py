"""Where a Chromium is on this machine, for the tests that need one. Installs nothing."""

from __future__ import annotations

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str:
    """`$SOCRATIC_CHROMIUM`, or the first one on the path; empty where there is none."""
    chosen = os.environ.get("SOCRATIC_CHROMIUM", "")
    return chosen or next((found for name in NAMES if (found := shutil.which(name))), "")
