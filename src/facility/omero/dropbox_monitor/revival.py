# SPDX-License-Identifier: GPL-3.0-or-later
"""What IceGrid has switched off is switched on again.

OMERO.dropbox ends when Blitz doesn't answer soon after a start. IceGrid starts it once more and then takes it for
broken: "inactive (disabled)", until somebody enables it. Nothing is imported meanwhile, and nothing else complains.
"""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

log = logging.getLogger("dropbox_monitor")
# IceGrid itself starts what ended within seconds.
_PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 120.0
_COMMAND_SECONDS = 60.0


def run(command: Sequence[str]) -> str:
    """Run a command; return the last line that it said of a failure, "" after success."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_COMMAND_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return "" if done.returncode == 0 else (said[-1] if said else f"status {done.returncode}")


@dataclass(slots=True)
class Revival:
    """Watches which of OMERO.dropbox's two servers are missing while OMERO answers.

    Attributes:
        omero: OMERO's command line, which finds its grid by itself.
        run: runs a command and returns what went wrong, "" for nothing.
    """

    omero: str
    run: Callable[[Sequence[str]], str] = run
    _since: dict[str, float] = field(default_factory=dict)
    _tried: float = -_PAUSE_SECONDS

    def look(self, now: float, missing: Collection[str]) -> None:
        """Enable and start servers that have been missing for half a minute.

        Args:
            now: monotonic seconds.
            missing: names in IceGrid of those that don't run now.
        """
        self._since = {name: self._since.get(name, now) for name in missing}
        due = sorted(name for name, since in self._since.items() if now - since >= _PATIENCE_SECONDS)
        if not due or now - self._tried < _PAUSE_SECONDS:
            return
        self._tried = now
        log.error("%s of OMERO.dropbox does not run, and IceGrid does not start it: it is enabled", " and ".join(due))
        # A watching process that is still there keeps the paths of the importing one that is gone, and would tell the
        # new one next to nothing of them. IceGrid starts it anew by itself.
        commands = [("stop", "MonitorServer")] if "MonitorServer" not in missing else []
        commands += [(verb, name) for name in due for verb in ("enable", "start")]
        for verb, name in commands:
            fault = self.run([self.omero, "admin", "ice", "server", verb, name])
            # IceGrid itself may be faster.
            if fault and "already active" not in fault:
                log.warning("server %s %s: %s", verb, name, fault)
