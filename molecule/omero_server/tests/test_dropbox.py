# SPDX-License-Identifier: GPL-3.0-or-later
"""What is moved into the DropBox, what becomes of it, and what the witness says of it."""

import json
import shlex
import uuid

import pytest

testinfra_hosts = ["podman://omero1.omero.test"]
ASKED = "/run/settle/asked.json"


@pytest.fixture
def ask(host):
    """Ask the witness for sets, as whoever feeds the DropBox does."""

    def ask(*sets):
        host.run_expect([0], "install -d /run/settle")
        host.run_expect([0], f"echo {shlex.quote(json.dumps({'sets': sets}))} > {ASKED}.new && mv {ASKED}.new {ASKED}")

    return ask


def test_what_is_moved_into_a_folder_becomes_that_person_s_images_exactly_once(alice, put, ask, images, witness):
    key = uuid.uuid4().hex[:8]
    put(alice, f"{key}-1.png", f"{key}-2.png", folder=f"{key}-Serie")
    put(alice, f"{key}-Zellkern ä.png")
    ask(f"alice/{key}-Serie", f"alice/{key}-Zellkern ä.png", "alice/never-came")
    expected = {
        f"alice/{key}-Serie": [f"{key}-1.png", f"{key}-2.png"],
        f"alice/{key}-Zellkern ä.png": [f"{key}-Zellkern ä.png"],
        "alice/never-came": [],
    }
    witness(lambda report: report["imported"] == expected, 40, "it lists the images")
    wanted = [(f"{key}-{name}.png", "rg-neuro") for name in ("1", "2", "Zellkern ä")]
    assert images(key) == wanted
    assert images(key, "bob") == []
    # The same file is moved in again, as after a restart of whoever feeds.
    put(alice, f"{key}-Zellkern ä.png")
    put(alice, f"{key}-later.png")
    assert images(f"{key}-later", within=30)
    assert images(key) == [*wanted, (f"{key}-later.png", "rg-neuro")]


def test_a_file_that_is_no_image_spoils_nothing(host, alice, put, images):
    key = uuid.uuid4().hex[:8]
    host.run_expect([0], f"runuser -u omero-server -- sh -c 'echo text > /OMERO/DropBox/alice/{key}-broken.png'")
    put(alice, f"{key}-good.png")
    assert images(key, within=30) == [(f"{key}-good.png", "rg-neuro")]


def test_the_report_is_fresh_and_everybody_may_read_it(host, witness):
    first = witness(lambda report: True, 1, "there is one")
    later = witness(lambda report: report["time"] > first["time"], 10, "a newer report")
    assert set(later) == {"time", "alive", "since", "watching", "importing", "imported"}
    assert ".witness" not in later["watching"]
    assert host.file("/run/omero-witness/report.json").mode == 0o644


def test_a_question_that_makes_no_sense_is_passed_over(host, ask, witness):
    host.run_expect([0], "install -d /run/settle && echo '{\"sets\": 3' > /run/settle/asked.json")
    begun = witness(lambda report: True, 1, "there is one")["time"]
    witness(lambda report: report["time"] > begun and report["imported"] == {}, 15, "nothing is asked")
    assert host.service("omero-witness").is_running
    ask()


def test_a_watcher_that_was_killed_comes_back_and_the_witness_says_since_when(host, witness):
    before = witness(lambda report: report["alive"], 60, "it is alive")
    host.run_expect([0], "pkill -KILL -u omero-server -f /servers/MonitorServer/")
    witness(lambda report: report["since"] > before["since"], 30, "it started anew")
    witness(lambda report: report["since"] > before["since"] and report["alive"], 120, "it is alive again")


def test_a_watcher_that_went_deaf_is_noticed_and_hears_again(host, alice, put, images, witness):
    """OMERO.dropbox's own error: its thread ends when the rights of the DropBox folder itself change."""
    before = witness(lambda report: report["alive"], 60, "it is alive")
    begun = host.check_output("date +%s")
    host.run_expect([0], "chmod 0750 /OMERO/DropBox && chmod 0755 /OMERO/DropBox")
    # The witness wants a proof every five minutes, and right after its own start.
    host.run_expect([0], "systemctl restart omero-witness")
    witness(lambda report: report["since"] > before["since"], 60, "its processes are new")
    witness(lambda report: report["alive"] and alice in report["watching"], 60, "it hears again")
    assert "OMERO.dropbox runs and hears nothing" in host.check_output(f"journalctl -u omero-witness --since @{begun}")
    key = uuid.uuid4().hex[:8]
    put(alice, f"{key}.png")
    assert images(key, within=30)
