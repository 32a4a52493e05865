# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines for Windows' cmd, and what its tools answer, in any language of Windows.

Only exit codes, numbers, hexadecimal digits, XML and base64 are read: messages and headers are translated.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

MAXIMUM_LENGTH = 8191
"""The longest line that cmd takes (Microsoft: command line string limitation)."""
_CHUNK = 7600
_SHA256 = re.compile(r"^[0-9a-f]{64}$")
_RUN = "Facility-run-"
_SCRATCH = rf"%ProgramFiles%\{_RUN}"


@dataclass(frozen=True)
class Scratch:
    """A folder of one run's own on a PC, for all that a run writes there and then reads, runs or puts in place.

    Not below %TEMP%: a shell without a profile has the system's, where users may make files, and whoever makes a file
    first owns it. Below %ProgramFiles% only administrators make folders. It is closed before anything lies in it, for
    users read what is there; and nobody knows its name before.

    Attributes:
        key: what its name ends with; nobody can guess it.
    """

    key: str

    @classmethod
    def new(cls) -> Scratch:
        """One that nobody used before."""
        return cls(secrets.token_hex(16))

    @property
    def path(self) -> str:
        """Where it lies, as cmd understands it."""
        return f"{_SCRATCH}{self.key}"

    def file(self, name: str) -> str:
        """Return the path of a file in it."""
        return f"{self.path}\\{name}"

    def make(self) -> str:
        """Return the line that makes it and closes it; it fails where something of that name is there."""
        return (
            f'mkdir "{self.path}" && icacls "{self.path}" /inheritance:r '
            "/grant:r *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F /q >nul"
        )

    def remove(self) -> str:
        """Return the line that takes it away with all that is in it."""
        return f'rmdir /s /q "{self.path}"'

    @staticmethod
    def remove_all() -> str:
        """Return the line that takes away what runs left that were cut off."""
        # In parentheses, or all that follows on the line would be done for each of them, and for none never. With names
        # alone: not every cmd knows where %d ends and %ProgramFiles% begins.
        return f'(cd /d "%ProgramFiles%"& for /d %d in ({_RUN}*) do @rmdir /s /q %d)'


@dataclass(frozen=True)
class Upload:
    """A file on its way to a PC: base64 in lines, decoded in the run's folder, checked, then put in place by a rename.

    Attributes:
        path: where it goes, as cmd understands it; may hold %VARIABLES%. On the same drive as the run's folder.
        content: what goes there.
        scratch: the run's folder, in which it arrives.
        secret: the content goes through standard input, for a command line can be seen and is sometimes logged.
    """

    path: str
    content: bytes = field(repr=False)
    scratch: Scratch
    secret: bool = False

    def commands(self) -> Iterator[tuple[str, bytes]]:
        """Yield (line of cmd, its standard input), in order; together they put base64 into a file."""
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
        """Return the line that decodes and hashes; is_whole() reads its answer."""
        return (
            f'certutil -f -decode "{self._base64}" "{self.arrived}" >nul && certutil -hashfile "{self.arrived}" SHA256'
            if self.content
            else f'type nul>"{self.arrived}"'
        )

    def place(self) -> str:
        """Return the line that puts what arrived in place of the old file, by a rename."""
        return f'move /y "{self.arrived}" "{self.path}" >nul'

    def is_whole(self, output: str) -> bool:
        """Whether the answer of finish() shows the right content."""
        return not self.content or hashes(output) == [hashlib.sha256(self.content).hexdigest()]

    @property
    def arrived(self) -> str:
        """Where it lies before it is in place."""
        return self.scratch.file(f"{self._name}.new")

    @property
    def _base64(self) -> str:
        return self.scratch.file(f"{self._name}.b64")

    @property
    def _name(self) -> str:
        return self.path.rpartition("\\")[2]


def hashes(output: str) -> list[str]:
    """Return the SHA-256 sums in certutil's answers, in order; Windows 7 prints them with blanks between the bytes."""
    lines = (line.replace(" ", "").strip().lower() for line in output.splitlines())
    return [line for line in lines if _SHA256.match(line)]
