# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that all modules for device PCs share, as argument spec and as a connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .trouble import Endpoint

CONNECTION: dict[str, Any] = {
    "host": {"type": "str", "required": True},
    "port": {"type": "int", "default": 5986},
    "scheme": {"type": "str", "choices": ["https", "http"], "default": "https"},
    "transport": {"type": "str", "choices": ["ntlm", "kerberos", "basic", "certificate"], "default": "ntlm"},
    "username": {"type": "str", "default": ""},
    "password": {"type": "str", "default": "", "no_log": True},
    "certificate": {"type": "path"},
    "private_key": {"type": "path", "no_log": False},
    "ca_file": {"type": "path"},
    "connect_seconds": {"type": "float", "default": 5},
}


def endpoint(params: Mapping[str, Any]) -> Endpoint:
    """Return the way to the PC that a module's parameters name.

    Raises:
        WinrmError: when they would send a password in the clear.
    """
    given: dict[str, Any] = {name: params[name] if params[name] is not None else "" for name in CONNECTION}
    return Endpoint(**given)
