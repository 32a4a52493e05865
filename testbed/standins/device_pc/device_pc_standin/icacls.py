# SPDX-License-Identifier: GPL-3.0-or-later
"""icacls, as on a German Windows."""

from dataclasses import replace
from pathlib import Path

from . import acl, acl_store
from .answers import Answer, Call
from .drive import unix_path

UNKNOWN_ACCOUNT = 1332
INVALID_PARAMETER = 87
FILE_NOT_FOUND = 2


class _WrongParameterError(Exception):
    """The command line is not of the form that icacls takes."""


def run(call: Call) -> Answer:
    """Do what icacls was called for."""
    if not call.arguments or call.arguments[0].startswith("/"):
        return _wrong(call.arguments[0] if call.arguments else "")
    name, words = call.arguments[0], call.arguments[1:]
    flags = {word.lower() for word in words if word.lower() in {"/t", "/c", "/l", "/q"}}
    words = [word for word in words if word.lower() not in flags]
    try:
        if words and words[0].lower() in {"/save", "/restore"}:
            act = _save if words[0].lower() == "/save" else _restore
            return act(call, name, words[1:], deep="/t" in flags)
        return _edit(call, name, _steps(words), flags)
    except (_WrongParameterError, acl.AclError) as error:
        return _wrong(str(error))
    except acl.UnknownAccountError as error:
        text = "Zuordnungen von Kontennamen und Sicherheitskennungen wurden nicht durchgeführt."
        return Answer(UNKNOWN_ACCOUNT, err=f"{error}: {text}\r\n" + _summary(0, 1))


def _edit(call: Call, name: str, steps: list[tuple[str, list[str]]], flags: set[str]) -> Answer:
    """Change what the steps say, or show what is there."""
    found = _found(call, name)
    if not found:
        return _missing(name)
    lines = []
    paths = [path for start in found for path in (acl_store.below(start) if "/t" in flags else [start])]
    for path in paths:
        shown = name if path in found and len(found) == 1 else f"{name}\\{path.name}"
        if steps:
            _change(path, steps)
            lines.append(f"Bearbeitete Datei: {shown}")
        else:
            entries = [acl.shown(one) for one in acl_store.all_entries(path)]
            lines.append(f"{shown} " + f"\r\n{' ' * (len(shown) + 1)}".join(entries) + "\r\n")
    text = "" if "/q" in flags else "\r\n".join(lines) + "\r\n"
    return Answer(0, text + _summary(len(paths), 0))


def _steps(words: list[str]) -> list[tuple[str, list[str]]]:
    """Return the switches with their values, checked."""
    steps: list[tuple[str, list[str]]] = []
    for word in words:
        if word.startswith("/"):
            steps.append((word.lower(), []))
        elif steps:
            steps[-1][1].append(word)
        else:
            raise _WrongParameterError(word)
    for switch, values in steps:
        if switch in {"/grant", "/grant:r", "/deny"} and values:
            for value in values:
                acl.entry(value)
        elif switch in {"/remove", "/remove:g", "/remove:d", "/setowner"} and values:
            for value in values:
                acl.sid(value)
        elif switch not in {"/inheritance:e", "/inheritance:d", "/inheritance:r", "/reset"} or values:
            raise _WrongParameterError(switch)
    return steps


def _change(path: Path, steps: list[tuple[str, list[str]]]) -> None:
    now = acl_store.own(path)
    for switch, values in steps:
        if switch == "/reset":
            now = acl.Acl()
        elif switch == "/inheritance:e":
            now = acl.Acl(now.entries)
        elif switch == "/inheritance:r":
            now = acl.Acl(now.entries, protected=True)
        elif switch == "/inheritance:d" and not now.protected:
            copied = (replace(one, inherited=False) for one in acl_store.all_entries(path))
            now = acl.Acl(tuple(copied), protected=True)
        for value in values:
            if switch in {"/grant", "/grant:r", "/deny"}:
                one = acl.entry(value, deny=switch == "/deny")
                if not path.is_dir():
                    one = replace(one, flags=())
                now = acl.granted(now, one, replacing=switch == "/grant:r")
            elif switch.startswith("/remove"):
                gone = {"/remove": (False, True), "/remove:g": (False,), "/remove:d": (True,)}[switch]
                kept = tuple(one for one in now.entries if one.sid != acl.sid(value) or one.deny not in gone)
                now = replace(now, entries=kept)
    acl_store.put(path, now)


def _save(call: Call, name: str, files: list[str], *, deep: bool) -> Answer:
    if len(files) != 1:
        raise _WrongParameterError("/save")
    found = _found(call, name)
    if not found:
        return _missing(name)
    lines, count = [], 0
    for start in found:
        for path in acl_store.below(start) if deep else [start]:
            # Names are relative to the folder that holds what was asked for; /restore is given that folder.
            relative = str(path.relative_to(start.parent)).replace("/", "\\")
            lines += [relative, acl.sddl(acl_store.own(path), acl_store.all_entries(path))]
            count += 1
    unix_path(files[0], call.folder).write_bytes("".join(f"{line}\r\n" for line in lines).encode("utf-16-le"))
    return Answer(0, _summary(count, 0))


def _restore(call: Call, name: str, files: list[str], *, deep: bool) -> Answer:
    del deep  # the file says how deep
    if len(files) != 1:
        raise _WrongParameterError("/restore")
    folder, file = unix_path(name, call.folder), unix_path(files[0], call.folder)
    if not folder.is_dir() or not file.exists():
        return _missing(files[0] if folder.is_dir() else name)
    lines = file.read_bytes().decode("utf-16-le", errors="replace").split("\r\n")
    good = bad = 0
    for relative, text in zip(lines[0::2], lines[1::2], strict=False):
        path = unix_path(f"{name}\\{relative}", call.folder)
        new = acl.from_sddl(text)
        if path.exists():
            acl_store.put(path, new)
            good += 1
        else:
            bad += 1
    return Answer(FILE_NOT_FOUND if bad else 0, _summary(good, bad))


def _found(call: Call, name: str) -> list[Path]:
    try:
        path = unix_path(name, call.folder)
    except ValueError:
        return []
    if "*" in name or "?" in name:
        return sorted(path.parent.glob(path.name))
    return [path] if path.exists() else []


def _missing(name: str) -> Answer:
    text = f"{name}: Das System kann die angegebene Datei nicht finden.\r\n"
    return Answer(FILE_NOT_FOUND, _summary(0, 1), text)


def _wrong(parameter: str) -> Answer:
    return Answer(INVALID_PARAMETER, err=f'Ungültiger Parameter "{parameter}"\r\n')


def _summary(good: int, bad: int) -> str:
    return f"{good} Dateien erfolgreich verarbeitet, bei {bad} Dateien ist ein Verarbeitungsfehler aufgetreten.\r\n"
