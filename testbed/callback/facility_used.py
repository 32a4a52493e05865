# SPDX-License-Identifier: GPL-3.0-or-later
"""Note which files of tasks and which roles a scenario really used, also by playbooks that its tests start.

Environment: FACILITY_USED names the file; a path a line, in no order and some twice.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ansible.plugins.callback import CallbackBase

if TYPE_CHECKING:
    from ansible.playbook import Playbook
    from ansible.playbook.play import Play
    from ansible.playbook.task import Task

FILE = "FACILITY_USED"


class CallbackModule(CallbackBase):  # type: ignore[misc]  # without types upstream
    """Append each path as soon as it is known: a playbook may be killed, by a test or by impatience."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "facility_used"

    def __init__(self) -> None:
        super().__init__()
        self._noted: set[str] = set()

    def _note(self, path: str | None) -> None:
        file = os.environ.get(FILE)
        if file and path and path not in self._noted:
            self._noted.add(path)
            with Path(file).open("a") as notes:
                notes.write(f"{path}\n")

    def v2_playbook_on_start(self, playbook: Playbook) -> None:
        """Note the playbook."""
        self._note(str(Path(playbook._file_name).absolute()))

    def v2_playbook_on_play_start(self, play: Play) -> None:
        """Note a play's roles, also those without tasks for this run, and those that they depend on."""
        for role in play.get_roles():
            self._note(role._role_path)

    def v2_playbook_on_task_start(self, task: Task, is_conditional: bool) -> None:
        """Note the file of a task; a role that is included shows so."""
        self._note((task.get_path() or "").rpartition(":")[0])

    def v2_playbook_on_handler_task_start(self, task: Task) -> None:
        """Note the file of a handler."""
        self.v2_playbook_on_task_start(task, is_conditional=False)
