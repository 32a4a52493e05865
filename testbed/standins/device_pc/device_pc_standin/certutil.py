# SPDX-License-Identifier: GPL-3.0-or-later
"""certutil -decode, -encode and -hashfile, as on a German Windows."""

import base64
import binascii
import hashlib
import re
from pathlib import Path

from .answers import Answer, Call
from .drive import STATE, unix_path

FILE_NOT_FOUND = 0x80070002
PATH_NOT_FOUND = 0x80070003
FILE_EXISTS = 0x80070050
ACCESS_DENIED = 0x80070005
DISK_FULL = 0x80070070
INVALID_DATA = 0x8007000D
INVALID_ARGUMENT = 0x80070057
_TEXTS = {
    FILE_NOT_FOUND: "WIN32: 2 ERROR_FILE_NOT_FOUND)\r\nCertUtil: Das System kann die angegebene Datei nicht finden.",
    PATH_NOT_FOUND: "WIN32: 3 ERROR_PATH_NOT_FOUND)\r\nCertUtil: Das System kann den angegebenen Pfad nicht finden.",
    FILE_EXISTS: "WIN32: 80 ERROR_FILE_EXISTS)\r\nCertUtil: Die Datei ist vorhanden.",
    ACCESS_DENIED: "WIN32: 5 ERROR_ACCESS_DENIED)\r\nCertUtil: Zugriff verweigert",
    DISK_FULL: "WIN32: 112 ERROR_DISK_FULL)\r\nCertUtil: Es steht nicht genug Speicherplatz auf dem Datenträger zur "
    "Verfügung.",
    INVALID_DATA: "WIN32: 13 ERROR_INVALID_DATA)\r\nCertUtil: Die Daten sind unzulässig.",
    INVALID_ARGUMENT: "WIN32: 87 ERROR_INVALID_PARAMETER)\r\nCertUtil: Falscher Parameter.",
}
_HASHES = {"MD2", "MD4", "MD5", "SHA1", "SHA256", "SHA384", "SHA512"}
_ARMOUR = re.compile(rb"-----[A-Z ]+-----")


def run(call: Call) -> Answer:
    """Do what certutil was called for."""
    verb, forced = "", False
    rest: list[str] = []
    for argument in call.arguments:
        # Both - and / begin a switch, in any case.
        word = argument[1:].lower() if argument[:1] in "-/" and len(argument) > 1 else ""
        if word == "f":
            forced = True
        elif word in {"decode", "encode", "hashfile"} and not verb:
            verb = word
        elif word and not rest:
            return _failed(INVALID_ARGUMENT, f"Unbekannte(s) Argument(e): {argument}\r\n", usage=True)
        else:
            rest.append(argument)
    if not (verb == "hashfile" and len(rest) in {1, 2}) and not (verb in {"decode", "encode"} and len(rest) == 2):
        return _failed(INVALID_ARGUMENT, "Fehlende(s) Argument(e)\r\n" if verb else "", usage=True)
    try:
        if verb == "hashfile":
            return _hash(call, rest[0], (rest[1] if len(rest) == 2 else "SHA1").upper())
        return _convert(call, verb, rest[0], rest[1], forced=forced)
    except (OSError, ValueError) as error:
        return _failed(_code(error), verb=verb)


def _code(error: Exception) -> int:
    """Return Windows' code for a Unix error."""
    if isinstance(error, FileNotFoundError):
        return FILE_NOT_FOUND
    if isinstance(error, NotADirectoryError | ValueError):
        return PATH_NOT_FOUND
    if isinstance(error, PermissionError | IsADirectoryError):
        return ACCESS_DENIED
    return DISK_FULL


def decoded(text: bytes) -> bytes | None:
    """Return what base64 text stands for, with or without armour lines; None when it isn't base64."""
    packed = b"".join(_ARMOUR.sub(b"", text).split())
    try:
        data = base64.b64decode(packed, validate=True)
    except binascii.Error:
        return None
    return data or None


def encoded(data: bytes) -> bytes:
    """Return data as certutil -encode writes it: armour, lines of 64 letters, CRLF."""
    text = base64.b64encode(data)
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return b"\r\n".join((b"-----BEGIN CERTIFICATE-----", *lines, b"-----END CERTIFICATE-----", b""))


def hash_text(digest: bytes, *, spaced: bool) -> str:
    """Return a hash as certutil prints it; Windows 7 puts a blank between bytes."""
    return digest.hex(" ") if spaced else digest.hex()


def _hash(call: Call, name: str, algorithm: str) -> Answer:
    if algorithm not in _HASHES:
        return _failed(INVALID_ARGUMENT, verb="hashfile")
    data = unix_path(name, call.folder).read_bytes()
    if not data:
        return _failed(0x800703EE, verb="hashfile")  # ERROR_FILE_INVALID: an empty file can't be mapped
    text = hash_text(hashlib.new(algorithm.lower(), data).digest(), spaced=is_windows_7())
    title = f"{algorithm}-Hash von {name}:" if not is_windows_7() else f"{algorithm}-Hash der Datei {name}:"
    return Answer(0, f"{title}\r\n{text}\r\nCertUtil: -hashfile-Befehl wurde erfolgreich ausgeführt.\r\n")


def _convert(call: Call, verb: str, source: str, target: str, *, forced: bool) -> Answer:
    data = unix_path(source, call.folder).read_bytes()
    place = unix_path(target, call.folder)
    if place.exists() and not forced:
        return _failed(FILE_EXISTS, verb=f"{verb}Function")
    result = encoded(data) if verb == "encode" else decoded(data)
    if result is None:
        return _failed(INVALID_DATA, verb=verb)
    if not place.parent.is_dir():
        return _failed(PATH_NOT_FOUND, verb=verb)
    place.write_bytes(result)
    return Answer(
        0,
        f"Eingabelänge = {len(data)}\r\nAusgabelänge = {len(result)}\r\n"
        f"CertUtil: -{verb}-Befehl wurde erfolgreich ausgeführt.\r\n",
    )


def _failed(code: int, first: str = "", *, verb: str = "", usage: bool = False) -> Answer:
    # certutil prints its errors to standard output.
    text = f"CertUtil: -{verb}-Befehl ist fehlgeschlagen: " if verb else "CertUtil: "
    detail = _TEXTS.get(code, "WIN32)\r\nCertUtil: Fehler")
    hint = "\r\nSyntax:\r\n  CertUtil [Optionen] [-Befehl] ...\r\n  CertUtil -?\r\n" if usage else "\r\n"
    return Answer(code, f"{first}{text}0x{code:08x} ({detail}{hint}")


def is_windows_7(folder: Path = STATE) -> bool:
    """Return whether the PC prints as Windows 7 does; ``device-pc windows 7`` makes it so."""
    try:
        return (folder / "windows").read_text().strip() == "7"
    except FileNotFoundError:
        return False
