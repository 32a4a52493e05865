# SPDX-License-Identifier: GPL-3.0-or-later
"""A thief is root on a client and has all its passwords. No try destroys or reveals a backup, and each is counted."""

import re
import subprocess
from pathlib import Path

import pytest

from .conftest import CLIENT, OTHER, SERVER

CONFIG = f"{CLIENT}/config"
# What is asked, what is sent, and the answer.
TRIES = {
    "delete a pack": ("DELETE", f"{CLIENT}/data/PACK", "", "403"),
    "overwrite a pack": ("POST", f"{CLIENT}/data/PACK", "nothing", "403"),
    "delete a snapshot": ("DELETE", f"{CLIENT}/snapshots/SNAPSHOT", "", "403"),
    "delete the config": ("DELETE", CONFIG, "", "403"),
    "overwrite the config": ("POST", CONFIG, "nothing", "403"),
    "delete the repository": ("DELETE", f"{CLIENT}/", "", "405"),
    "delete in a way of his own": ("delete", f"{CLIENT}/data/PACK", "", "405"),
    "poison a pack": ("POST", f"{CLIENT}/data/{'0' * 64}", "poison", "400"),
    "poison another folder": ("POST", f"{CLIENT}/poison/{'0' * 64}", "poison", "404"),
    "make a repository": ("POST", "thief/?create=true", "", "401"),
    "read another's repository": ("GET", f"{OTHER}/config", "", "401"),
    "read the copy of pgBackRest": ("GET", "pgbackrest/config", "", "401"),
    "list all": ("GET", "", "", "401"),
    # The answer leads to another's config, which is tried above.
    "climb to another's": ("GET", f"{CLIENT}/data/../../{OTHER}/config", "", "301"),
    "climb encoded": ("GET", f"{CLIENT}/data/%2e%2e/..%2f{OTHER}/config", "", "301"),
    "climb encoded twice": ("GET", f"{CLIENT}/data/%252e%252e/%252e%252e/{OTHER}/config", "", "404"),
    "overwrite by climbing": ("POST", f"{CLIENT}/data/../config", "nothing", "301"),
    # journald cuts a line of more than 48 KiB.
    "hide in a long line": ("DELETE", f"{CONFIG}?{'0' * 50_000}", "", "403"),
}


@pytest.fixture(scope="module")
def pack(client):
    return client.check_output("facility-restic --no-lock list packs").split()[0]


@pytest.fixture
def counted(refused, unharmed, until):
    """Do a try; it must raise the figure of the repository at whose server it is made, and harm nothing."""

    def counted(act, repository=CLIENT):
        before = refused(repository)
        answer = act()
        until(lambda: refused(repository) > before, "the figure grows")
        return answer

    return counted


def by_restic(client, words):
    """Let restic try, and return what it says; forget ends with 0 although it was refused."""
    done = client.run(f"facility-restic {words}")
    return done.stdout + done.stderr


def test_an_honest_night_and_a_restore_are_no_try(refused, treasure, restored):
    assert restored(treasure.snapshot) == (0, treasure.images)
    assert (refused(CLIENT), refused(OTHER)) == (0, 0)


@pytest.mark.parametrize("name", TRIES)
def test_a_try_is_refused_and_counted(ask, counted, pack, treasure, name):
    method, path, data, answer = TRIES[name]
    path = path.replace("PACK", pack).replace("SNAPSHOT", treasure.snapshot)
    assert counted(lambda: ask(method, path, data)) == answer


def test_another_client_s_server_is_no_way_either(ask, counted):
    assert counted(lambda: ask("GET", f"{OTHER}/config", port=8002), OTHER) == "401"


def test_a_guessed_password_is_counted(ask, counted):
    assert counted(lambda: ask("GET", f"{OTHER}/config", port=8002, more=f"--user {OTHER}:secret"), OTHER) == "401"


def test_a_line_break_in_the_log_hides_nothing(ask, counted):
    """A user's name in the URL is logged as it is."""
    line = f"--request-target 'https://%0A@{SERVER}:8001/{CONFIG}'"
    assert counted(lambda: ask("DELETE", "", more=line)) == "403"


def test_a_crowd_of_honest_requests_hides_nothing(ask, counted):
    """Of 30,000 lines within half a minute (on this disk) journald would leave out the rest."""

    def crowd():
        # What is behind # stays at home: the same honest request each time.
        ask("GET", CONFIG + "#[1-35000]", more="--http2 --head --parallel >/dev/null")
        return ask("DELETE", CONFIG)

    assert counted(crowd) == "403"


def test_forget_is_refused_and_counted(client, counted, treasure):
    assert "403" in counted(lambda: by_restic(client, f"forget {treasure.snapshot}"))


def test_the_recovery_key_can_not_be_taken_away(client, counted):
    keys = client.check_output("facility-restic --no-lock key list")
    recovery = re.search(r"^ +([0-9a-f]{8}) +recovery", keys, re.MULTILINE)[1]
    assert "403" in counted(lambda: by_restic(client, f"key remove {recovery}"))


def test_prune_is_refused_and_counted_even_if_it_believes_that_nothing_is_in_use(client, counted):
    program = Path(__file__).with_name("hides_snapshots.py")
    subprocess.run(["podman", "cp", str(program), f"{CLIENT}:/root/{program.name}"], check=True)
    client.run_expect(
        [0], f"systemd-run --quiet --unit=between python3 /root/{program.name} https://{SERVER}:8001 {CLIENT}"
    )
    client.run_expect([0], "curl --silent --output /dev/null --retry 9 --retry-connrefused http://127.0.0.1:9000/")
    said = counted(lambda: by_restic(client, f"--repo rest:http://127.0.0.1:9000/{CLIENT}/ --no-cache prune"))
    client.run_expect([0], "systemctl stop between")
    assert "in use for 0 snapshots" in said
    assert not re.search(r"to delete: +0 blobs", said), "it had nothing to delete: then this proves nothing"
    assert "403" in said


def test_after_all_tries_the_backup_comes_back_whole(client, treasure, restored):
    assert restored(treasure.snapshot) == (0, treasure.images)
    client.run_expect([0], "facility-restic check --no-lock")


def test_the_report_the_figure_and_the_mail_tell_of_the_tries(problems, server, mailbox, refused, until):
    found = problems()
    assert {CLIENT, OTHER} <= set(found["refused"])
    figures = server.check_output("cat /var/lib/prometheus/node-exporter/backup.prom")
    for repository in (CLIENT, OTHER):
        count = re.search(rf'backup_refused_requests_day{{repository="{repository}"}} (\S+)', figures)[1]
        assert float(count) == refused(repository)
    until(lambda: "within a day were refused" in mailbox(), "mail that tells of refused requests")


def test_the_client_has_no_other_way_in(client):
    assert client.run(f"ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new root@{SERVER} true").rc == 255
    assert client.run(f"curl --silent --max-time 3 http://{SERVER}:8001/").rc == 0
    assert client.run(f"timeout 3 bash -c '</dev/tcp/{SERVER}/9090'").rc != 0
