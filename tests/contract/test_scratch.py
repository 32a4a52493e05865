# SPDX-License-Identifier: GPL-3.0-or-later
"""What a privileged run writes and then reads or runs lies where nobody else can put something in its place.

On a PC that is a closed folder with a name of the run's own (facility.device_pc.command.Scratch), on a host what
tempfile and mktemp make.
"""

from __future__ import annotations

import re

import pytest

_OPEN_TO_ALL = re.compile(r"%TE?MP%|%(SystemRoot|windir)%\\+Temp\b|%PUBLIC%|%ProgramData%\\", re.IGNORECASE)
_OF_A_HOST = re.compile(r"(?<![\w.])/(tmp|var/tmp|dev/shm)/\w")
_PLACES = ("src", "library", "playbooks", "roles", "filter_plugins", "lookup_plugins", "vars_plugins")


def _texts(repository):
    for place in _PLACES:
        for path in sorted((repository / place).rglob("*")):
            if path.is_file() and path.suffix not in {".pyc", ".md", ".png", ".ico"}:
                yield path.relative_to(repository), path.read_text(errors="replace")


@pytest.mark.parametrize("pattern", [_OPEN_TO_ALL, _OF_A_HOST], ids=["PCs", "hosts"])
def test_nothing_privileged_uses_a_folder_in_which_all_may_make_files(repository, pattern):
    found = [
        f"{path}:{number}: {line.strip()}"
        for path, text in _texts(repository)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line) and "Not below %TEMP%" not in line
    ]
    assert not found


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (_OPEN_TO_ALL, r'type nul>"%TEMP%\facility-answer.txt"'),
        (_OPEN_TO_ALL, r"%SystemRoot%\Temp\x"),
        (_OF_A_HOST, "echo x >/tmp/state"),
    ],
)
def test_what_would_be_found(pattern, line):
    assert pattern.search(line)
