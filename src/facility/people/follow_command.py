# SPDX-License-Identifier: GPL-3.0-or-later
"""``facility follow``: the controller's part of the command, which asks the register's host."""

from __future__ import annotations

import subprocess
import time
from typing import Annotated

import typer

from .cli import EXAMPLE, InventoryOption, app
from .entries import RegisterError
from .follow import follow
from .inventory import REGISTER_FOLDER, policy_of, today_in


@app.command("follow", context_settings={"ignore_unknown_options": True})
def follow_register(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="What to run, with its arguments.")],
    inventory: InventoryOption = EXAMPLE,
) -> None:
    """Run a command if the register's pages have recorded something, a day has begun, or the last run failed."""
    try:
        today = today_in(policy_of(inventory))
        said, code = follow(
            inventory / REGISTER_FOLDER, today, time.time(), lambda: subprocess.run(command, check=False).returncode
        )
    except RegisterError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if said:
        typer.echo(said)
    raise typer.Exit(code)
