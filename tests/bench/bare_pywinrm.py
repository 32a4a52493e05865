# SPDX-License-Identifier: GPL-3.0-or-later
"""The baseline of a look at many PCs: pywinrm alone, in threads, with the same question, one shell and command a PC.

What to do comes as JSON on standard input, for a password is part of it.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from winrm.protocol import Protocol

UTF_8 = 65001


def ask(port: int, given: dict[str, Any]) -> bytes:
    """Return what one PC answers."""
    protocol = Protocol(
        endpoint=f"https://{given['host']}:{port}/wsman",
        transport="basic",
        username=given["username"],
        password=given["password"],
        ca_trust_path=given["ca_file"],
        proxy=None,
    )
    shell = protocol.open_shell(codepage=UTF_8, noprofile=True)
    command = protocol.run_command(shell, given["question"])
    output, _, _ = protocol.get_command_output(shell, command)
    protocol.cleanup_command(shell, command)
    protocol.close_shell(shell)
    return bytes(output)


def main() -> int:
    """Ask all of them; print how many answered to the end, and after how many seconds."""
    given = json.load(sys.stdin)
    began = time.monotonic()
    with ThreadPoolExecutor(given["threads"]) as pool:
        answers = list(pool.map(lambda port: ask(port, given), given["ports"]))
    seconds = time.monotonic() - began
    print(json.dumps({"whole": sum(b"@end" in answer for answer in answers), "seconds": seconds}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
