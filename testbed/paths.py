# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the test bed keeps things: caches outside the checkout, results and the bed's state inside build/."""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
BUILD = REPOSITORY / "build"
DEMO_PASSWORDS = BUILD / "demo-passwords"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "facility-as-code"
CONTAINERS_CONF = REPOSITORY / "testbed" / "hosts" / "containers.conf"


def content_key(files: Iterable[Path], *more: str) -> str:
    """Return a short SHA-256 over the names and contents of files and over further strings.

    It names a cache entry, so that what was built from other content is never taken for it.
    """
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    for text in more:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def alone_in_cache() -> Iterator[None]:
    """Let nobody else on this machine build what the cache holds meanwhile; beds come up side by side."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
