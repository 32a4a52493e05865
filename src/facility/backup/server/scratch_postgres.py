# SPDX-License-Identifier: GPL-3.0-or-later
"""A private PostgreSQL, restored by pgBackRest: nobody else reaches it, and it archives nothing."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..pgbackrest import reason
from .config import StanzaConfig

# From a base backup to the end of the log; a day of a large database takes minutes.
_RECOVERY_SECONDS = 12 * 3600
_STOP_SECONDS = 120
_END_SECONDS = 10
_SOCKET_BYTES = 107
# Everything that the restored postgresql.auto.conf may say of the outside world is overruled on the command line.
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": "5432",
    "ssl": "off",
    "archive_mode": "off",
    "archive_command": "",
    "shared_preload_libraries": "",
    "primary_conninfo": "",
    # Else the settings of the restored cluster (connections, workers) would have to be known before it starts.
    "hot_standby": "off",
    "max_prepared_transactions": "200",
    "shared_buffers": "128MB",
    "max_wal_senders": "0",
    "wal_level": "replica",
    "autovacuum": "off",
    "fsync": "off",
    "logging_collector": "off",
    "log_destination": "stderr",
    "external_pid_file": "",
    "jit": "off",
}


class DatabaseError(Exception):
    """The database can't be restored or asked; the message names the cause and the cure."""


@dataclass(frozen=True, slots=True)
class Scratch:
    """A PostgreSQL that runs in a scratch folder; see restored()."""

    binaries: Path
    socket: Path
    superuser: str

    def query(self, sql: str, database: str = "postgres") -> list[list[str]]:
        """The rows of a query, as text.

        Raises:
            DatabaseError: When PostgreSQL refuses it.
        """
        return list(csv.reader(io.StringIO(self.text(sql, database))))

    def text(self, sql: str, database: str = "postgres") -> str:
        """What psql writes for some statements, as CSV without a header.

        Raises:
            DatabaseError: When PostgreSQL refuses it.
        """
        done = _run([
            str(self.binaries / "psql"), "--no-psqlrc", "--csv", "--tuples-only", "--quiet", "--set=ON_ERROR_STOP=1",
            f"--host={self.socket}", "--port=5432", f"--username={self.superuser}", f"--dbname={database}", "--file=-",
        ], sql)  # fmt: skip
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if "ERROR" in line or "FATAL" in line]
            text = said[0] if said else done.stderr.strip()
            raise DatabaseError(re.sub(r"^psql:<stdin>:\d+: ", "", text)[:500])
        return done.stdout

    def databases(self) -> list[str]:
        """The databases that somebody made."""
        rows = self.query(
            "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate"
            " AND datname <> 'postgres' ORDER BY 1"
        )
        return [row[0] for row in rows]


@contextlib.contextmanager
def restored(stanza: StanzaConfig, place: Path, config: str, target: str = "") -> Iterator[Scratch]:
    """Restore a stanza into an empty folder and start it; stop it in any case.

    Args:
        stanza: what.
        place: an empty folder of mode 0700.
        config: pgBackRest's configuration on this host.
        target: the time to go back to, as PostgreSQL reads it; "" for all that there is.

    Raises:
        DatabaseError: When pgBackRest or PostgreSQL fails.
    """
    data, socket = place / "data", place / "socket"
    if len(str(socket)) + len("/.s.PGSQL.5432") > _SOCKET_BYTES:
        raise DatabaseError(f"{socket}: is too long for a socket: shorten scratch in backup-server.toml")
    for folder in (data, socket, place / "lock", place / "spool"):
        folder.mkdir(mode=0o700)
    _restore(stanza, place, config, target)
    _configure(data, socket)
    process = _start(stanza, place)
    try:
        scratch = Scratch(stanza.binaries, socket, stanza.superuser)
        _wait(scratch, process, place / "log")
        yield scratch
    finally:
        _stop(process)


def stop_leftover(place: Path) -> None:
    """End the PostgreSQL that an interrupted run left behind; its folder must be this user's own."""
    pid_file = place / "data" / "postmaster.pid"
    try:
        number = int(pid_file.read_text().splitlines()[0])
        command = Path(f"/proc/{number}/cmdline").read_bytes()
    except (OSError, ValueError, IndexError):
        return
    if str(place / "data").encode() not in command.split(b"\0"):
        return  # the number belongs to another process by now
    pg_ctl = Path(command.split(b"\0")[0].decode()).with_name("pg_ctl")
    _run([str(pg_ctl), "stop", "--mode=immediate", "--wait", f"--pgdata={place / 'data'}"])


def own_config(text: str, stanza: str, data: Path) -> str:
    """The configuration of pgBackRest for a restore here: the repository as it is, the database's host left out.

    On the backup host pg1-host names the database's host, and pgBackRest would want to restore there.
    """
    kept = []
    section = ""
    for line in text.splitlines():
        header = re.fullmatch(r"\s*\[([^\]]*)\]\s*", line)
        if header:
            section = header[1]
        elif section in {"global", "global:restore", "global:archive-get"} and not _FOREIGN.match(line):
            kept.append((section, line))
    parts = {
        name: [line for found, line in kept if found == name] for name in dict.fromkeys(found for found, _ in kept)
    }
    parts.setdefault("global", [])
    parts["global"] += [
        f"lock-path={data.with_name('lock')}",
        f"spool-path={data.with_name('spool')}",
        "log-level-file=off",
        "log-level-console=warn",
        "log-level-stderr=off",
    ]
    lines = [line for name, found in parts.items() for line in (f"[{name}]", *found)]
    return "\n".join([*lines, f"[{stanza}]", f"pg1-path={data}", ""])


_FOREIGN = re.compile(r"\s*(?:pg\d+-|tls-server-|lock-path|log-|spool-path|archive-async|#|$)")


def _restore(stanza: StanzaConfig, place: Path, config: str, target: str) -> None:
    own = place / "pgbackrest.conf"
    try:
        text = Path(config).read_text()
        # It may hold the repository's passphrase.
        own.touch(0o600)
        own.write_text(own_config(text, stanza.name, place / "data"))
    except OSError as error:
        raise DatabaseError(f"{error.filename}: {error.strerror}: let the group pgbackrest read it") from None
    wanted = ["--type=time", f"--target={target}", "--target-action=promote"] if target else ["--type=default"]
    done = _run([
        stanza.pgbackrest, f"--config={own}", f"--stanza={stanza.name}", "--archive-mode=off",
        f"--tablespace-map-all={place / 'tablespaces'}", *wanted, "restore",
    ])  # fmt: skip
    if done.returncode and "unable to find backup set" in done.stderr + done.stdout:
        raise DatabaseError(
            f"{target} is before the first base backup: choose a later time; pgbackrest info lists them"
        )
    if done.returncode:
        raise DatabaseError(f"pgbackrest restore: {reason(done.stderr + done.stdout)}: see pgbackrest info")


def _configure(data: Path, socket: Path) -> None:
    (data / "postgresql.conf").write_text("")
    (data / "pg_hba.conf").write_text("local all all trust\n")
    (data / "pg_ident.conf").write_text("")
    socket.chmod(0o700)


def _start(stanza: StanzaConfig, place: Path) -> subprocess.Popen[bytes]:
    data = place / "data"
    settings = _SETTINGS | {
        # As the database's own host has it: a time without a zone is read in it.
        "timezone": stanza.time_zone,
        "unix_socket_directories": str(place / "socket"),
        "hba_file": str(data / "pg_hba.conf"),
        "ident_file": str(data / "pg_ident.conf"),
        "data_directory": str(data),
    }
    command = [str(stanza.binaries / "postgres"), "-D", str(data)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    try:
        with (place / "log").open("wb") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    except OSError as error:
        raise DatabaseError(
            f"{command[0]} can't be run ({error.strerror}): install the database's major version of PostgreSQL"
        ) from None


def _wait(scratch: Scratch, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for the end of recovery."""
    until = time.monotonic() + _RECOVERY_SECONDS
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(DatabaseError):
            if scratch.query("SELECT pg_is_in_recovery()") == [["f"]]:
                return
        time.sleep(0.3)
    text = log.read_text(errors="replace")
    if "recovery ended before configured recovery target" in text:
        raise DatabaseError(
            "no change after that time came in yet: choose an earlier one, or wait for the next write-ahead log"
        )
    said = [line for line in text.splitlines() if "FATAL" in line or "PANIC" in line] or text.splitlines()[-1:]
    last = re.sub(r"^.*?(FATAL|PANIC):\s*", "", said[-1]) if said else "it said nothing"
    raise DatabaseError(
        f"PostgreSQL did not come up from the backup ({last[:300]}): see docs/runbooks/backup-drill-failed.md"
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End it quickly: nothing in it is worth a checkpoint."""
    if process.poll() is None:
        # As PostgreSQL's manual names its immediate shutdown.
        process.send_signal(signal.SIGQUIT)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _run(command: list[str], given: str = "") -> subprocess.CompletedProcess[str]:
    process = None
    try:
        # A group of its own: pgBackRest's workers outlive it otherwise.
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            errors="replace", start_new_session=True,
        )  # fmt: skip
        stdout, stderr = process.communicate(given)
    except OSError as error:
        raise DatabaseError(
            f"{command[0]} can't be run ({error.strerror}): install it, or mend backup-server.toml"
        ) from None
    finally:
        if process and process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_END_SECONDS)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)
