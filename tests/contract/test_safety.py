# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing in the repository turns verification off."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

# Written so that this file doesn't find itself.
FORBIDDEN = {
    "verify" + r"\s*=\s*False": "give verify= the CA file",
    r"validate_" + r"certs\s*[:=]\s*['\"]?(?:false|no)\b": "give the task the CA file",
    r"host_key_" + r"checking\s*=\s*(?:False|no|0)\b": "let the test bed or the site write known_hosts",
    r"StrictHostKey" + r"Checking[ =]no\b": "let the test bed or the site write known_hosts",
    r"TLS_REQ" + r"CERT\s+(?:never|allow)": "give TLS_CACERT the CA file",
    r"curl\b.*\s(?:-k|--in" + r"secure)\b": "give curl --cacert",
}
TEXT = {".py", ".yml", ".yaml", ".cfg", ".toml", ".j2", ".sh", ".md", ".conf", ".php", ".mk", ""}


def texts() -> dict[Path, str]:
    """Every text file that git knows or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
        text=True,
    )
    files = [REPOSITORY / name for name in listed.stdout.split("\0") if name]
    return {
        file: file.read_text(encoding="utf-8", errors="replace")
        for file in files
        if file.is_file() and file.suffix in TEXT and file.stat().st_size < 1_000_000
    }


@pytest.mark.parametrize(("pattern", "cure"), FORBIDDEN.items())
def test_nothing_turns_verification_off(pattern, cure):
    found = texts()
    assert found
    for file, text in found.items():
        match = re.search(pattern, text, flags=re.IGNORECASE)
        assert not match, f'{file.relative_to(REPOSITORY)} has "{match.group()}": {cure}'


def test_no_private_key_is_in_the_repository():
    begin = "-----BEGIN " + r"(?:[A-Z]+ )?PRIVATE KEY-----"
    holding = [str(file.relative_to(REPOSITORY)) for file, text in texts().items() if re.search(begin, text)]
    assert holding == [], "remove the key from git, and make a new one"
