# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines for Windows' cmd, and what its tools answer, in any language of Windows.

Only exit codes, numbers, hexadecimal digits, XML and base64 are read: messages and headers are translated.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

MAXIMUM_LENGTH = 8191
"""The longest line that cmd takes (Microsoft: command line string limitation)."""
_CHUNK = 7600
_SHA256 = re.compile(r"^[0-9a-f]{64}$")


@dataclass(frozen=True)
class Upload:
    """A file on its way to a PC: base64 in lines, decoded there, checked, then put in place by a rename.

    Attributes:
        path: where it goes, as cmd understands it; may hold %VARIABLES%.
        content: what goes there.
        secret: the content goes through standard input, for a command line can be seen and is sometimes logged.
    """

    path: str
    content: bytes = field(repr=False)
    secret: bool = False

    def commands(self) -> Iterator[tuple[str, bytes]]:
        """Yield (line of cmd, its standard input), in order; together they put base64 into a file beside the target."""
        text = base64.b64encode(self.content).decode()
        if self.secret:
            # more and findstr end lines their own way, which base64 doesn't mind.
            yield f'findstr "^" >"{self._base64}"', text.encode() + b"\r\n"
            return
        mark = ">"
        for start in range(0, max(len(text), 1), _CHUNK):
            # Without the blank before the mark, a digit at the end would be taken for a file handle.
            yield f'(echo {text[start : start + _CHUNK]}){mark}"{self._base64}"', b""
            mark = ">>"

    def finish(self) -> str:
        """Return the line that decodes, hashes and puts in place; arrived() reads its answer."""
        arrived = f"{self.path}.new"
        return (
            f'certutil -f -decode "{self._base64}" "{arrived}" >nul && certutil -hashfile "{arrived}" SHA256'
            f' & del /q "{self._base64}"'
            if self.content
            else f'(type nul>"{arrived}") & del /q "{self._base64}"'
        )

    def place(self) -> str:
        """Return the line that puts what arrived in place of the old file, by a rename."""
        return f'move /y "{self.path}.new" "{self.path}" >nul'

    def undo(self) -> str:
        """Return the line that leaves nothing half-done."""
        return f'del /q "{self.path}.new" "{self._base64}" 2>nul'

    def arrived(self, output: str) -> bool:
        """Whether the answer of finish() shows the right content."""
        return not self.content or hashes(output) == [hashlib.sha256(self.content).hexdigest()]

    @property
    def _base64(self) -> str:
        return f"{self.path}.b64"


def hashes(output: str) -> list[str]:
    """Return the SHA-256 sums in certutil's answers, in order; Windows 7 prints them with blanks between the bytes."""
    lines = (line.replace(" ", "").strip().lower() for line in output.splitlines())
    return [line for line in lines if _SHA256.match(line)]
