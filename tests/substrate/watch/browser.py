"""A page as a real browser shows it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def dom_in_a_browser(url: str, folder: Path) -> str:
    """Open the page; gives its DOM, after a picture of it was taken."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"there is no Chromium: {', '.join(BROWSERS)}")
    picture = folder / "page.png"
    done = subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
            *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
            *("--disable-sync", f"--user-data-dir={folder / 'profile'}"),
            *("--window-size=1000,1800", f"--screenshot={picture}", "--dump-dom", url),
        ],
        env={**os.environ, "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert picture.read_bytes().startswith(b"\x89PNG"), done.stderr[-2000:]
    return done.stdout
