# SPDX-License-Identifier: GPL-3.0-or-later
"""What is moved into the DropBox, what becomes of it, and what the DropBox monitor says of it."""

import json
import shlex
import uuid

import pytest

testinfra_hosts = ["podman://omero1.omero.test"]
ASKED = "/run/settle/asked.json"


@pytest.fixture
def ask(host):
    """Ask the DropBox monitor for sets, as whoever feeds the DropBox does."""

    def ask(*sets):
        host.run_expect([0], "install -d /run/settle")
        host.run_expect([0], f"echo {shlex.quote(json.dumps({'sets': sets}))} > {ASKED}.new && mv {ASKED}.new {ASKED}")

    return ask


def test_what_is_moved_into_a_folder_becomes_that_person_s_images_exactly_once(alice, put, ask, images, monitor):
    key = uuid.uuid4().hex[:8]
    put(alice, f"{key}-1.png", f"{key}-2.png", folder=f"{key}-Serie")
    put(alice, f"{key}-Zellkern ä.png")
    ask(f"alice/{key}-Serie", f"alice/{key}-Zellkern ä.png", "alice/never-came")
    expected = {
        f"alice/{key}-Serie": [f"{key}-1.png", f"{key}-2.png"],
        f"alice/{key}-Zellkern ä.png": [f"{key}-Zellkern ä.png"],
        "alice/never-came": [],
    }
    monitor(lambda report: report["imported"] == expected, "it lists the images")
    wanted = [(f"{key}-{name}.png", "rg-neuro") for name in ("1", "2", "Zellkern ä")]
    assert images(key) == wanted
    assert images(key, "bob") == []
    # The same file is moved in again, as after a restart of whoever feeds.
    put(alice, f"{key}-Zellkern ä.png")
    put(alice, f"{key}-later.png")
    assert images(f"{key}-later", wait=True)
    assert images(key) == [*wanted, (f"{key}-later.png", "rg-neuro")]


def test_images_of_a_folder_go_into_a_dataset_of_its_name_and_loose_ones_do_not(alice, put, images, omero, until):
    """With omero_server_dropbox_datasets, and folders that lie within one of their own each."""
    key = uuid.uuid4().hex[:8]
    put(alice, f"{key}-1.png", folder=f"{key}/{key} Maus ä (1)")
    put(alice, f"{key}-loose.png", folder=f"{key}-loose")
    put(alice, f"{key}-2.png", folder=f"{key} (2)/{key} Maus ä (1)/Tag 2/links")
    until(lambda: len(images(key)) == 3, "all three are imported")
    query = (
        "select d.name, i.name from DatasetImageLink l join l.parent d join l.child i"
        f" where i.name like '%{key}%' order by i.name"
    )
    rows = omero(f"hql -q --style csv {shlex.quote(query)}").stdout.splitlines()
    named = [line.split(",")[1:] for line in rows if key in line]
    assert named == [[f"{key} Maus ä (1)", f"{key}-1.png"], [f"{key} Maus ä (1)", f"{key}-2.png"]]
    count = f"select count(d.id) from Dataset d where d.name like '{key}%'"
    assert omero(f"hql -q --style csv {shlex.quote(count)}").stdout.splitlines()[-1].split(",")[-1] == "1"


def test_a_file_that_is_no_image_spoils_nothing(host, alice, put, images):
    key = uuid.uuid4().hex[:8]
    host.run_expect([0], f"runuser -u omero-server -- sh -c 'echo text > /OMERO/DropBox/alice/{key}-broken.png'")
    put(alice, f"{key}-good.png")
    assert images(key, wait=True) == [(f"{key}-good.png", "rg-neuro")]


def test_the_report_is_fresh_and_everybody_may_read_it(host, monitor):
    first = monitor(lambda report: True, "there is one")
    later = monitor(lambda report: report["time"] > first["time"], "a newer report")
    assert set(later) == {"time", "alive", "since", "watching", "importing", "imported"}
    assert ".monitor" not in later["watching"]
    assert host.file("/run/omero-dropbox-monitor/report.json").mode == 0o644


def test_a_question_that_makes_no_sense_is_passed_over(host, ask, monitor):
    host.run_expect([0], "install -d /run/settle && echo '{\"sets\": 3' > /run/settle/asked.json")
    begun = monitor(lambda report: True, "there is one")["time"]
    monitor(lambda report: report["time"] > begun and report["imported"] == {}, "nothing is asked")
    assert host.service("omero-dropbox-monitor").is_running
    ask()


def test_a_watcher_that_was_killed_comes_back_and_the_monitor_says_since_when(host, monitor):
    before = monitor(lambda report: report["alive"], "it is alive")
    host.run_expect([0], "pkill -KILL -u omero-server -f /servers/MonitorServer/")
    monitor(lambda report: report["since"] > before["since"], "it started anew")
    monitor(lambda report: report["since"] > before["since"] and report["alive"], "it is alive again")


def test_an_omero_dropbox_that_icegrid_switched_off_is_switched_on(host, monitor):
    monitor(lambda report: report["alive"], "it is alive")
    host.run_expect([0], "/usr/local/bin/omero admin ice 'server disable DropBox; server stop DropBox'")
    assert "disabled" in host.run("/usr/local/bin/omero admin ice server state DropBox").stdout
    monitor(lambda report: not report["alive"], "it is away")
    monitor(lambda report: report["alive"], "it is alive again")
    assert "disabled" not in host.run("/usr/local/bin/omero admin ice server state DropBox").stdout


def test_a_watcher_that_went_deaf_is_noticed_and_hears_again(host, alice, put, images, monitor):
    """OMERO.dropbox's own error: its thread ends when the rights of the DropBox folder itself change."""
    before = monitor(lambda report: report["alive"], "it is alive")
    begun = host.check_output("date +%s")
    host.run_expect([0], "chmod 0750 /OMERO/DropBox && chmod 0755 /OMERO/DropBox")
    # The DropBox monitor wants a proof every five minutes, and right after its own start.
    host.run_expect([0], "systemctl restart omero-dropbox-monitor")
    monitor(lambda report: report["since"] > before["since"], "its processes are new")
    monitor(lambda report: report["alive"] and alice in report["watching"], "it hears again")
    assert "OMERO.dropbox runs and hears nothing" in host.check_output(
        f"journalctl -u omero-dropbox-monitor --since @{begun}"
    )
    key = uuid.uuid4().hex[:8]
    put(alice, f"{key}.png")
    assert images(key, wait=True)
