# SPDX-License-Identifier: GPL-3.0-or-later
"""What was sent with a request is taken to its end before it is answered.

gunicorn closes a connection with unread bytes in it by a reset. The web server before it, still sending, then tells
"502 Bad Gateway" in place of the answer: whoever sent too much, or was no longer logged in, does not read why.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol

_BYTES = 65536


class Sent(Protocol):
    """A request that can be read, as Django's HttpRequest."""

    def read(self, size: int, /) -> bytes:
        """Give so many further bytes of its body, b"" at its end."""


def read_rest(request: Sent) -> None:
    """Read what a page left of a request's body, and forget it; nothing, where the sender has gone away."""
    with suppress(OSError):
        while request.read(_BYTES):
            pass
