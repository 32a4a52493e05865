# SPDX-License-Identifier: GPL-3.0-or-later
"""What the administrator tells settle: give a set back to its person; forget that some data was imported."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
from pathlib import Path

from ...core.replace_file import replace_file
from . import folders
from .aside import PUT_ASIDE
from .config import Config
from .names import LOGIN
from .state import Store

log = logging.getLogger("settle")
_FOLDER = "orders"


class OrderError(Exception):
    """The order can't be carried out; the message names the cure."""


def give_back(config: Config, login: str, name: str) -> str:
    """Move a set that was put aside into its person's folder, where it is tried anew; give where it lies now.

    Raises:
        OrderError: If there is no such set, or its person has something of that name.
    """
    if not LOGIN.fullmatch(login) or "/" in name or name in {"", ".", ".."}:
        raise OrderError(f'"{login}" "{name}" is no login and name; see: facility-settle --status')
    places = ((config.incoming, (login, PUT_ASIDE)), (config.quarantine, (login,)))
    for root, below in places:
        opened = os.open(root, folders.FOLDER)
        try:
            with contextlib.suppress(FileNotFoundError), folders.open_folder(opened, *below) as aside:
                if folders.exists(aside, name):
                    _move_home(config.incoming, login, aside, name)
                    return str(config.incoming / login / name)
        except OSError as error:
            raise OrderError(f"{login}/{name} can't be moved: {error.strerror}") from error
        finally:
            os.close(opened)
    raise OrderError(f'nothing called "{name}" of {login} was put aside; see: facility-settle --status')


def _move_home(incoming: Path, login: str, aside: int, name: str) -> None:
    root = os.open(incoming, folders.FOLDER)
    try:
        with folders.open_folder(root, login) as home:
            folders.rename(aside, name, home, name)
    except FileExistsError:
        raise OrderError(f'{login} has something called "{name}" in the folder; ask to rename it first') from None
    except FileNotFoundError:
        raise OrderError(f"{login} has no folder on the share; make it by the register first") from None
    finally:
        os.close(root)


def ask_to_forget(config: Config, login: str, name: str) -> None:
    """Leave an order for the running settle, which alone writes its state."""
    folder = config.state_dir / _FOLDER
    folder.mkdir(mode=0o750, exist_ok=True)
    document = json.dumps({"forget": [login, name]})
    replace_file(folder / f"{secrets.token_hex(8)}.json", document, mode=0o640)


def carry_out(config: Config, store: Store) -> None:
    """Do what was ordered since the last time.

    Raises:
        OSError, sqlite3.Error: The rest is tried again.
    """
    try:
        orders = sorted((config.state_dir / _FOLDER).glob("*.json"))
    except FileNotFoundError:
        return
    for order in orders:
        try:
            login, name = json.loads(order.read_text())["forget"]
        except (ValueError, KeyError, TypeError):
            log.warning("%s: no order that makes sense; deleted", order)
        else:
            log.info("%s/%s: forgotten %d times, as ordered", login, name, store.forget(str(login), str(name)))
        order.unlink()
