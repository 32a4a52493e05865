# SPDX-License-Identifier: GPL-3.0-or-later
"""The port to restic's command line (0.17 or newer, which has exit statuses for what goes wrong).

Times are epoch seconds. The password goes by RESTIC_PASSWORD_FILE, the server's by RESTIC_REST_USERNAME and _PASSWORD:
nothing secret is in an argument. Raises ResticError only.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from .restic_faults import INCOMPLETE, fault_of

_PASSED_ON = ("PATH", "HOME", "XDG_CACHE_HOME", "TMPDIR", "LANG")
_END_SECONDS = 30.0
# A key has half a kilobyte; what is larger is none, and not read whole.
_KEY_BYTES = 65536


class ResticError(Exception):
    """restic can't do it; the message names the repository, the cause and the cure."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One snapshot as its client describes it; anything but the id may be a lie.

    Attributes:
        time: when the client says that it began, epoch seconds.
        files: how many files it holds; -1 when the client didn't say.
        bytes: their size; -1 when the client didn't say.
        original: the id of the snapshot that this one was rewritten from; "" for one as it was made.
    """

    id: str
    time: float
    host: str
    paths: tuple[str, ...]
    tags: tuple[str, ...] = ()
    files: int = -1
    bytes: int = -1
    original: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a retention policy would keep and remove: ids of snapshots."""

    keep: tuple[str, ...]
    remove: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository and how to open it.

    Attributes:
        location: a folder, or rest:https://server:port/name/.
        password_file: holds the repository's password.
        user, password: at the rest-server.
        ca_file: PEM file with the authority of the server's certificate; "" for the host's own trust.
        cache: folder of restic's cache; "" for its own choice.
        key: id of the key that the password is of, to be tried first: each takes a second; "" for all in turn.
        program: restic itself.
        seconds: how long one call may take; 0 for as long as it takes. restic itself tries for 15 minutes.
    """

    location: str
    password_file: str
    user: str = ""
    password: str = ""
    ca_file: str = ""
    cache: str = ""
    key: str = ""
    program: str = "restic"
    seconds: float = 0

    def snapshots(self) -> list[Snapshot]:
        """All snapshots, oldest claimed time first; takes no lock."""
        listed = _json(self.location, self.call("snapshots", "--json", "--no-lock"))
        return sorted((snapshot_of(entry) for entry in listed), key=lambda snapshot: snapshot.time)

    def keys(self) -> list[str]:
        """The user names of all keys that restic can read; takes no lock."""
        listed = _json(self.location, self.call("key", "list", "--json", "--no-lock"))
        return sorted(str(key["userName"]) for key in listed)

    def stored_bytes(self) -> int:
        """How much the data of all snapshots take in the repository."""
        answer = _json(self.location, self.call("stats", "--mode", "raw-data", "--json", "--no-lock"))
        return int(answer["total_size"])

    def unlock(self) -> None:
        """Remove locks whose owner is dead, or that nobody renewed for half an hour; live ones stay."""
        self.call("unlock")

    def check(self, subset: str = "", wait: str = "") -> None:
        """Compare index, snapshots and trees, and with a subset like "2/7" also read that part of the data."""
        self.call("check", *([f"--read-data-subset={subset}"] if subset else []), wait=wait)

    def retention(self, keep: Mapping[str, str], wait: str = "") -> Plan:
        """What {"within": "14d", "within_daily": "60d", ...} would keep and remove; changes nothing."""
        words = [f"--keep-{name.replace('_', '-')}={value}" for name, value in keep.items()]
        answer = _json(self.location, self.call("forget", "--dry-run", "--json", *words, wait=wait))
        return plan_of(answer)

    def forget(self, ids: Sequence[str], wait: str = "") -> None:
        """Remove these snapshots; their data stay until prune()."""
        for first in range(0, len(ids), 500):
            self.call("forget", *ids[first : first + 500], wait=wait)

    def prune(self, wait: str = "") -> None:
        """Give the room of unused data back."""
        self.call("prune", wait=wait)

    def read(self, snapshot: str, path: str) -> str:
        """The text of one file in a snapshot."""
        return self.call("dump", "--no-lock", snapshot, path)

    def nodes(self, snapshot: str, paths: Sequence[str] = (), *, recursive: bool = False) -> Iterator[dict[str, Any]]:
        """What restic knows of these paths in a snapshot (of all with none): path, type, size, ctime, mtime."""
        words = ["ls", "--json", "--no-lock", *(["--recursive"] if recursive else []), snapshot, *paths]
        for document in _documents(self.call(*words)):
            if document.get("struct_type") == "node":
                yield document

    def restore(self, snapshot: str, paths: Iterable[str], target: str) -> str:
        """Restore these files below target; what went wrong in one line, "" if nothing did. Attributes are left out.

        Part of it may have been restored all the same: what counts is what lies there afterwards.
        """
        included = [f"--include={literal(path)}" for path in paths]
        words = ("restore", "--no-lock", "--exclude-xattr=*", f"--target={target}", snapshot, *included)
        try:
            self.call(*words)
        except ResticError as error:
            return str(error)
        return ""

    def backup(self, path: str, wait: str = "") -> None:
        """Back up a folder. Files that vanished meanwhile are no error, unreadable ones are."""
        done = self._run(["backup", "--json", path], wait)
        if done.returncode not in {0, INCOMPLETE}:
            raise self._error("backup", done.returncode, done.stderr)
        lost = [text for text in _errors(done.stderr) if "no such file" not in text]
        if lost:
            raise ResticError(f"{self.location}: {lost[0]}: {len(lost)} can't be read: give the group the right to")

    def rewrite(self, snapshot: str, excluded: Iterable[str], wait: str = "") -> None:
        """Put a snapshot without these paths in the place of one; its claimed time stays."""
        self.call("rewrite", "--forget", *(f"--exclude={literal(path)}" for path in excluded), snapshot, wait=wait)

    def call(self, *words: str, wait: str = "") -> str:
        """Run restic; wait is for how long ("2h") it waits for others' locks.

        Raises:
            ResticError: When it fails, or takes longer than it may.
        """
        done = self._run(words, wait)
        if done.returncode:
            raise self._error(words[0], done.returncode, done.stderr)
        return done.stdout

    def _error(self, word: str, status: int, stderr: str) -> ResticError:
        return ResticError(f"{self.location}: restic {word}: {explained(status, stderr)}")

    def _run(self, words: Sequence[str], wait: str = "") -> subprocess.CompletedProcess[str]:
        command = [self.program, *(["--retry-lock", wait] if wait else []), *words]
        process = None
        try:
            process = subprocess.Popen(
                command, env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True, errors="surrogateescape",
            )  # fmt: skip
            stdout, stderr = process.communicate(timeout=self.seconds or None)
        except OSError as error:
            raise ResticError(f"restic can't be run ({error.strerror}): install the package restic") from None
        except subprocess.TimeoutExpired:
            raise ResticError(
                f"{self.location}: restic {words[0]} got no answer in {self.seconds:g} s:"
                " look at the server's unit, the address and the firewall"
            ) from None
        finally:
            if process and process.poll() is None:
                end(process)
        return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)

    def environment(self) -> dict[str, str]:
        """What restic finds set: nothing secret is in its arguments."""
        chosen = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        chosen |= {"RESTIC_REPOSITORY": self.location, "RESTIC_PASSWORD_FILE": self.password_file}
        given = {
            "RESTIC_REST_USERNAME": self.user, "RESTIC_REST_PASSWORD": self.password, "RESTIC_CACERT": self.ca_file,
            "RESTIC_CACHE_DIR": self.cache, "RESTIC_KEY_HINT": self.key,
        }  # fmt: skip
        return chosen | {name: value for name, value in given.items() if value}


@contextlib.contextmanager
def open_repository(location: str, secret: str | None, secret_file: str | None, **more: Any) -> Iterator[Repository]:  # noqa: ANN401 - as of Repository
    """A repository whose password is a text, or in a file; the text lies in a file of mode 0600 meanwhile."""
    if secret is None:
        yield Repository(location, secret_file or "", **more)
        return
    with tempfile.NamedTemporaryFile("w", prefix="restic-") as file:
        file.write(secret)
        file.flush()
        yield Repository(location, file.name, **more)


def arrivals(path: str | Path) -> dict[str, float]:
    """When each snapshot arrived: the time of its file on this host, which no client can set; by full id.

    Raises:
        ResticError: When the folder can't be read.
    """
    folder = Path(path, "snapshots")
    found = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                # A file that is being uploaded has another name.
                if re.fullmatch(r"[0-9a-f]{64}", entry.name):
                    with contextlib.suppress(FileNotFoundError):
                        found[entry.name] = entry.stat(follow_symlinks=False).st_mtime
    except OSError as error:
        raise ResticError(f"{folder}: {error.strerror}: run as the user who owns it, or make the repository") from None
    return found


def key_owners(path: str | Path) -> dict[str, str]:
    """The user name of each key by its id, the oldest first, as the files of this host say it in clear.

    A client can put a key under any name, but none before those that are there. What is no key is left out.

    Raises:
        ResticError: When the folder can't be read.
    """
    folder = Path(path, "keys")
    found: dict[str, tuple[float, str]] = {}
    try:
        for file in folder.iterdir():
            # RecursionError: a thief may lay JSON of sixty thousand brackets.
            rubbish = (FileNotFoundError, ValueError, KeyError, TypeError, RecursionError)
            with contextlib.suppress(*rubbish), file.open("rb") as text:
                found[file.name] = (file.stat().st_mtime, str(json.loads(text.read(_KEY_BYTES))["username"]))
    except OSError as error:
        raise ResticError(f"{folder}: {error.strerror}: run as the user who owns it, or make the repository") from None
    return {key: user for key, (_, user) in sorted(found.items(), key=lambda entry: entry[1])}


def snapshot_of(entry: Mapping[str, Any]) -> Snapshot:
    """A snapshot out of what ``restic snapshots --json`` says of it."""
    summary = entry.get("summary") or {}
    return Snapshot(
        id=entry["id"],
        time=epoch(entry["time"]),
        host=entry.get("hostname") or "",
        paths=tuple(entry.get("paths") or ()),
        tags=tuple(entry.get("tags") or ()),
        files=int(summary.get("total_files_processed", -1)),
        bytes=int(summary.get("total_bytes_processed", -1)),
        original=entry.get("original") or "",
    )


def plan_of(groups: Iterable[Mapping[str, Any]] | None) -> Plan:
    """The plan out of what ``restic forget --dry-run --json`` says: a list of groups, each with keep and remove."""
    keep, remove = [], []
    for group in groups or ():
        keep += [entry["id"] for entry in group.get("keep") or ()]
        remove += [entry["id"] for entry in group.get("remove") or ()]
    return Plan(tuple(keep), tuple(remove))


def epoch(text: str) -> float:
    """Epoch seconds of a time as restic writes it: with up to nine decimals, which Python does not read.

    Raises:
        ValueError: If it is none.
    """
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text)).timestamp()


def epoch_ns(text: str) -> int:
    """The same in nanoseconds, exactly."""
    whole, _, rest = text.partition(".")
    match = re.match(r"(\d{0,9})(.*)", rest) if rest else None
    digits, zone = (match[1], match[2]) if match else ("", "")
    return int(epoch(whole + zone)) * 10**9 + int(digits.ljust(9, "0"))


def literal(path: str) -> str:
    """A pattern that only this path fits, for --include and --exclude."""
    return re.sub(r"([\\*?\[])", r"\\\1", path)


def explained(status: int, stderr: str) -> str:
    """Cause and cure in one line, out of restic's exit status and what it wrote."""
    said = _reason(stderr)
    if found := fault_of(stderr, status):
        return found[0].value.cure.format(said=said)
    return f"{said or f'it ended with status {status}'}: see restic's manual, or docs/runbooks/backup-missing.md"


def _reason(stderr: str) -> str:
    texts = [text for document in _documents(stderr) if (text := _message(document))]
    if not texts:
        texts = [line for line in stderr.splitlines() if line.strip() and not line.startswith(("{", "using temporary"))]
    fatal = [text for text in texts if text.startswith("Fatal:")] or texts
    return fatal[-1].strip().splitlines()[0].removeprefix("Fatal: ")[:300] if fatal else ""


def _message(document: Mapping[str, Any]) -> str:
    """The text of an exit_error or error message of restic's JSON output."""
    error = document.get("error")
    text = document.get("message") or (error.get("message") if isinstance(error, Mapping) else error)
    return str(text or "").strip()


def _errors(stderr: str) -> list[str]:
    return [_message(document) for document in _documents(stderr) if document.get("message_type") == "error"]


def _documents(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects of an output with one a line; other lines are passed over."""
    for line in text.splitlines():
        if line.startswith("{"):
            with contextlib.suppress(ValueError):
                yield json.loads(line)


def _json(location: str, text: str) -> Any:  # noqa: ANN401 - as json.loads
    try:
        return json.loads(text)
    except ValueError:
        raise ResticError(f"{location}: restic said no JSON: install restic 0.17 or newer") from None


def end(process: subprocess.Popen[Any]) -> None:
    """End restic so that it takes its lock away; not waiting for ever."""
    process.terminate()
    try:
        process.communicate(timeout=_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
