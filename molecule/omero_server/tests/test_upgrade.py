# SPDX-License-Identifier: GPL-3.0-or-later
"""Another release: put beside the old one, switched to, and back again when it doesn't answer."""

import hashlib
import io
import os
import re
import zipfile
from pathlib import Path

import pytest
import testinfra

testinfra_hosts = ["podman://omero1.omero.test"]
HOME = "/opt/omero/server"
DEPOT = "http://depot.omero.test"
OLD = "OMERO.server-5.6.18-standin"
PLAYBOOK = Path(__file__).parents[3] / "playbooks" / "ops" / "upgrade_omero.yml"


def running(host):
    return Path(host.check_output(f"readlink {HOME}/OMERO.server")).name


def starts(host):
    """How often systemd has started OMERO: each is a minute in which nobody sees an image."""
    return host.check_output("journalctl --unit omero-server --no-pager --quiet").count("Started omero-server.service")


@pytest.fixture
def release():
    """Offer a release in the depot, the old one but for what `change` does to a file; return its variables."""
    depot = testinfra.get_host("podman://depot.omero.test")

    def release(name, change=lambda _, content: content):
        packed = io.BytesIO()
        content = depot.file(f"/srv/depot/{OLD}.zip").content
        with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w") as new:
            for entry in old.infolist():
                new.writestr(entry, change(entry.filename.partition("/")[2], old.read(entry)))
        path = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / f"{name}.zip"
        path.write_bytes(packed.getvalue())
        os.spawnlp(os.P_WAIT, "podman", "podman", "cp", str(path), f"depot.omero.test:/srv/depot/{name}.zip")
        return {
            "omero_server_archive_url": f"{DEPOT}/{name}.zip",
            "omero_server_archive_checksum": "sha256:" + hashlib.sha256(packed.getvalue()).hexdigest(),
            "upgrade_omero_confirm": "yes",
        }

    return release


def test_nobody_upgrades_by_accident(host, play, release):
    variables = release("OMERO.server-5.6.19-standin")
    del variables["upgrade_omero_confirm"]
    run = play(PLAYBOOK, **variables)
    assert run.returncode != 0
    assert "add -e upgrade_omero_confirm=yes" in run.said
    assert running(host) == OLD


def test_a_release_with_another_database_is_refused_and_the_old_one_runs_on(host, play, release):
    process = host.check_output("pgrep -u omero-server -f servers/Blitz-0/")

    def other_database(path, content):
        return content.replace(b"omero.db.patch=0", b"omero.db.patch=1") if path == "etc/omero.properties" else content

    run = play(PLAYBOOK, **release("OMERO.server-6.0.0-standin", other_database))
    assert run.returncode != 0
    assert "wants another database" in run.said
    assert running(host) == OLD
    assert host.check_output("pgrep -u omero-server -f servers/Blitz-0/") == process


def test_a_release_that_does_not_start_is_taken_back(host, play, release, omero):
    def broken(path, content):
        return b"raise SystemExit('broken')\n" if path == "lib/standin/omero_standin/__main__.py" else content

    run = play(PLAYBOOK, **release("OMERO.server-5.6.20-standin", broken), upgrade_omero_start_seconds=20)
    assert run.returncode != 0
    assert f"{OLD} runs again and was verified" in run.said
    assert running(host) == OLD
    assert omero("login").rc == 0


@pytest.fixture
def kept(put, images, alice):
    """Alice has an image; tell whether she still sees it."""
    put(alice, "before-upgrade.png")
    wanted = [("before-upgrade.png", "rg-neuro")]
    assert images("before-upgrade", wait=True) == wanted
    return lambda: images("before-upgrade") == wanted


def test_a_good_release_runs_with_all_data_and_the_way_back_is_the_same(host, play, converge, release, kept):
    new = release("OMERO.server-5.6.19-standin")
    before = starts(host)
    run = play(PLAYBOOK, **new)
    assert "failed=0" in run.stdout, run.stdout
    assert starts(host) == before + 1
    assert running(host) == "OMERO.server-5.6.19-standin"
    assert kept()
    assert host.file("/var/backups/omero/before-OMERO.server-5.6.19-standin.dump").size > 1000
    assert host.file("/var/backups/omero").mode == 0o700
    # The role finds nothing to do with the new variables, and says what is to be done with the old ones.
    assert re.search(r"changed=0 .*failed=0", converge(**new).stdout)
    assert "upgrade_omero.yml" in converge().said
    back = play(PLAYBOOK, upgrade_omero_confirm="yes")
    assert "failed=0" in back.stdout, back.stdout
    assert running(host) == OLD
    assert kept()
