# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of what people copied to drive X, as lines for the administrator. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from .settle.names import printable
from .settle.reasons import Reason, explanation

Entry = Mapping[str, Any]
_UNITS = ("B", "kB", "MB", "GB", "TB")
_HEADS = (
    ("stuck", "Put aside, or refused"),
    ("waiting", "Waiting"),
    ("offered", "With OMERO"),
)
_STATES = {"quarantined": "put aside"}
# So many sets, and images, are shown of each; a queue has thousands.
_MOST = 50


def report(sets: Mapping[str, Sequence[Entry]], images: Sequence[Entry], now: float) -> list[str]:
    """Return the report, a line each.

    Args:
        sets: as status.sorted_out() gives them.
        images: image, name, path, owner, time (epoch seconds) of each.
        now: epoch seconds.
    """
    lines = []
    for key, head in _HEADS:
        entries = sorted(sets[key], key=lambda entry: (entry["login"], entry["since"]))
        if entries:
            lines += [f"{head}: {len(entries)}", *(f"  {set_line(entry, now)}" for entry in entries[:_MOST])]
            lines += _more(len(entries))
    lines.append(f"Imported: {len(images)} images, {len(sets['done'])} sets")
    newest = sorted(images, key=lambda image: image["time"], reverse=True)
    lines += [f"  {_clock(image['time'])}  {image['path']} -> image {image['image']}" for image in newest[:_MOST]]
    return lines + _more(len(images))


def set_line(entry: Entry, now: float) -> str:
    """Return one set: whose, what, how much, where, since when, which attempt, and why."""
    files = f"{entry['files']} file{'s' if entry['files'] != 1 else ''}, {size(entry['bytes'])}"
    state: str = _STATES.get(entry["state"]) or entry["state"]
    words = [f"{entry['login']}/{printable(entry['name'])}", f"({files})", state]
    if entry["place"]:
        place = printable(entry["place"])
        words.append(f"as {place}" if entry["state"] != "waiting" else f"on shelf {place}")
    if entry["since"]:
        words.append(f"since {_clock(entry['since'])} ({_long(now - entry['since'])})")
    if entry["attempts"]:
        words.append(f"attempt {entry['attempts'] + 1}")
    line = " ".join(words)
    if entry["reason"] in set(Reason):
        what, _ = explanation(entry["reason"], entry["detail"])
        return f"{line}: {what}"
    return f"{line}: {entry['reason']}" if entry["reason"] else line


def size(count: float) -> str:
    """Return bytes as a short text: 17.9 kB."""
    for unit in _UNITS[:-1]:
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} {_UNITS[-1]}"


def _more(count: int) -> list[str]:
    return [f"  ... and {count - _MOST} more"] if count > _MOST else []


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")


def _long(seconds: float) -> str:
    minutes = max(0, round(seconds / 60))
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes / 60:.0f} h" if minutes < 60 * 48 else f"{minutes / 1440:.0f} days"
