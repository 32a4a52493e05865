# SPDX-License-Identifier: GPL-3.0-or-later
"""One story in its order: images come, a night passes, a person's images are erased and come back, the host is lost."""

from __future__ import annotations

import datetime
import hashlib
import json
import shlex
import sys
import time
from zoneinfo import ZoneInfo

import pytest

from tests.acceptance.drive import picture

from .conftest import DATA, EPHEMERAL, OMERO, VAULT, WIKI

ZONE = ZoneInfo("Europe/Berlin")
NAMES = ["Zellen übersicht.png", "a b [1] (2).png", "plain.png"]
KEPT = EPHEMERAL / "originals.json"
MOMENT = EPHEMERAL / "moment.json"


def originals():
    """The SHA-256 of each file that people copied, by login and path below their folder."""
    return json.loads(KEPT.read_text())


def checksums(host, folder):
    """The SHA-256 of each file below a folder of a host."""
    found = host.check_output(f"cd {shlex.quote(folder)} && find . -type f -exec sha256sum {{}} +")
    return [line.partition("  ")[0] for line in found.splitlines()]


def today():
    return datetime.datetime.now(ZONE).date().isoformat()


def test_people_fill_omero_over_drive_x(drive, imported, tmp_path):
    copied = {}
    for number, login in enumerate(["alice", "bob"]):
        folder = tmp_path / f"set-of-{login}"
        folder.mkdir()
        for seed, name in enumerate(NAMES):
            file = picture(folder / name, 100 * (number + 1) + seed)
            copied.setdefault(login, {})[name] = hashlib.sha256(file.read_bytes()).hexdigest()
        drive(login).copy(folder)
    KEPT.write_text(json.dumps(copied))
    for login in copied:
        imported(login, len(NAMES))


def test_the_first_base_backup_is_there(backup, until):
    until(
        lambda: '"status":{"code":0' in backup.run("runuser -u pgbackrest -- pgbackrest --output=json info").stdout,
        "a base backup of the database",
    )


def test_a_minute_of_the_database_is_what_can_be_lost(omero, until):
    """RPO: a row that is written now is on the backup host two minutes later, whatever happens to this one."""
    position = omero.check_output(
        "runuser -u postgres -- psql -qAtX -d omero -c 'CREATE TABLE IF NOT EXISTS marker (at timestamptz)' "
        "-c 'INSERT INTO marker VALUES (now())' -c 'SELECT pg_walfile_name(pg_current_wal_insert_lsn())'"
    ).splitlines()[-1]
    until(
        lambda: (
            omero.check_output(
                "runuser -u postgres -- psql -qAtX -c \"SELECT coalesce(last_archived_wal, '') FROM pg_stat_archiver\""
            )
            >= position
        ),
        f"{position} is archived",
        # The promise.
        seconds=120,
    )


def test_a_night_passes(night, omero, backup):
    night()
    assert json.loads(omero.check_output("facility-restic --json snapshots"))
    backup.run_expect([0], "systemctl start backup-inspect || true")


def test_everything_comes_back_aside_and_is_what_omero_says_of_it(backup):
    done = backup.run("systemctl start backup-drill-whole")
    assert done.rc == 0, backup.run("journalctl -u 'backup-drill-whole*' -n 30 --no-pager").stdout
    told = json.loads(backup.check_output("cat /var/lib/backup-server/weekly-drill.json"))
    assert told["ok"] is True
    assert told["files"] == 2 * len(NAMES)
    assert backup.check_output(f"find {VAULT}/scratch -name '*.png'") == ""


def test_omero_comes_back_whole_on_a_scratch_host(drill, night, hand_over, omero, backup, scratch):
    """The weekly drill, of the backup that was named: as in earnest, noted at the backup server; nothing is left."""
    named = json.loads(omero.check_output("facility-restic --json snapshots"))[0]["id"]
    night()
    hand_over()
    done = drill(restore_omero_snapshot=named[:8])
    assert done.returncode == 0, done.stdout[-6000:]
    told = drilled(backup)
    assert told["ok"] is True
    assert told["backups"] == [named]
    assert told["images"] == told["files"] == told["files_read"] == 2 * len(NAMES)
    figures = backup.check_output("cat /var/lib/prometheus/node-exporter/backup.prom")
    assert 'backup_host_drill_ok{drill="omero"} 1.0' in figures
    assert scratch.check_output(
        f"find {DATA} -type f; pg_lsclusters --no-header; systemctl is-active omero-server || true"
    ) == ("inactive")
    sys.stdout.write(f"drill of the whole OMERO: {done.seconds:.0f} s\n")


def drilled(backup):
    """What the backup server's report says of the last drill of OMERO."""
    backup.run("systemctl start backup-inspect")
    return json.loads(backup.check_output("cat /var/lib/backup-server/report.json"))["host_drills"]["omero"]


def test_a_scratch_host_can_hand_nothing_over(scratch, backup):
    """In omero1's name it may read; what it wrote would be taken for OMERO's own."""
    assert scratch.run("systemctl list-unit-files 'facility-backup*'").stdout.count("facility-backup") == 0
    pushed = scratch.run(
        "install --owner=postgres -D /etc/hostname /tmp/wal/0000000100000000000000FF && "
        "runuser -u postgres -- pgbackrest --stanza=omero archive-push /tmp/wal/0000000100000000000000FF"
    )
    assert pushed.rc != 0
    # No second time line: what PostgreSQL wrote on the scratch host stayed there.
    info = json.loads(backup.check_output("cd / && runuser -u pgbackrest -- pgbackrest --output=json info"))
    assert [archive["max"][:8] for archive in info[0]["archive"]] == ["00000001"]


def test_a_drill_empties_no_host_but_a_scratch_host(play, omero):
    before = sorted(checksums(omero, f"{DATA}/ManagedRepository"))
    done = play("ops/drill_omero.yml")
    assert done.returncode != 0
    assert "is no scratch host" in " ".join(done.stdout.split())
    assert sorted(checksums(omero, f"{DATA}/ManagedRepository")) == before


def test_alices_images_are_erased_and_come_back(omero, images, command, play, imported):
    before = images("alice")
    moment = datetime.datetime.now(ZONE).strftime("%Y-%m-%d %H:%M:%S")
    MOMENT.write_text(json.dumps({"time": moment, "images": before}))
    time.sleep(2)
    command(f"delete {' '.join(f'Image:{number}' for number in before.values())}", "alice")
    assert images("alice") == {}
    assert not [one for one in originals()["alice"].values() if one in checksums(omero, f"{DATA}/ManagedRepository")]

    done = play("ops/restore_person.yml", login="alice", day=today(), at=moment, **{"import": "yes"})
    assert done.returncode == 0, done.stdout
    folder = f"{DATA}/restored/alice-{today()}"
    assert sorted(checksums(omero, f"{folder}/files")) == sorted(originals()["alice"].values())
    told = json.loads(omero.check_output(f"cat {folder}/images.json"))
    assert {row["name"] for row in told} == set(before)
    imported("alice", len(NAMES))
    assert len(images("bob")) == len(NAMES)


def test_all_of_omero_goes_back_to_a_moment(drill, night, hand_over, scratch):
    """Images that were erased since then are there with the files of the night before it; what came later isn't."""
    night()
    hand_over()
    then = json.loads(MOMENT.read_text())
    done = drill(restore_omero_to=then["time"], drill_omero_keep="yes")
    assert done.returncode == 0, done.stdout[-6000:]
    wanted = {one for kept in originals().values() for one in kept.values()}
    assert wanted <= set(checksums(scratch, f"{DATA}/ManagedRepository"))
    asked = "SELECT i.id FROM image i JOIN experimenter e ON e.id = i.owner_id WHERE e.omename = 'alice' ORDER BY 1"
    ids = scratch.check_output(f"runuser -u postgres -- psql -qAtX -d omero -c {shlex.quote(asked)}")
    assert [int(one) for one in ids.split()] == sorted(then["images"].values())


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"login": "nobody", "day": "2026-01-01"}, "OMERO knew nobody called nobody"),
        ({"login": "bob", "day": "2026-01-01"}, "no images that were imported on 2026-01-01"),
        ({"login": "bob", "day": "2126-01-01"}, "has not begun"),
        ({"login": "bob", "day": "2026-02-30"}, "is no day"),
        ({"login": "Robert'); DROP TABLE image;--", "day": "2026-01-01"}, "Say whose images of which day"),
    ],
)
def test_a_wish_that_cant_be_fulfilled_is_told_and_changes_nothing(play, omero, asked, told):
    before = omero.run(f"ls {DATA}/restored").stdout
    if asked["day"] == "2026-01-01" and asked["login"] in {"nobody", "bob"}:
        # The state of that day is before the first base backup; so a time of today, whose log is there already.
        then = datetime.datetime.now(ZONE) - datetime.timedelta(minutes=2)
        asked = {**asked, "at": then.strftime("%Y-%m-%d %H:%M")}
    done = play("ops/restore_person.yml", **asked)
    assert done.returncode != 0
    assert told in " ".join(done.stdout.split())
    assert omero.run(f"ls {DATA}/restored").stdout == before


def test_a_wrong_key_and_a_full_disk_are_told_and_the_same_command_goes_on(play, omero):
    """With room for two of the three files, a page of memory each; then there is room."""
    folder = f"{DATA}/restored/bob-{today()}"
    wish = {"login": "bob", "day": today()}
    done = play("ops/restore_person.yml", **wish, backup_client_repository_password="x" * 43)
    assert done.returncode != 0
    assert "no key fits the password" in " ".join(done.stdout.split())
    assert omero.run(f"ls {folder}").rc != 0
    omero.run_expect([0], f"mkdir -p {folder} && mount -t tmpfs -o size=8k none {folder}")
    try:
        done = play("ops/restore_person.yml", **wish)
        assert done.returncode != 0
        assert f"Make room on {DATA}" in " ".join(done.stdout.split())
        omero.run_expect([0], f"mount -o remount,size=10m {folder}")
        done = play("ops/restore_person.yml", **wish)
        assert done.returncode == 0, done.stdout
        assert sorted(checksums(omero, f"{folder}/files")) == sorted(originals()["bob"].values())
    finally:
        omero.run(f"umount {folder} && rmdir {folder}")


def test_a_time_before_the_first_backup_is_refused(play):
    done = play("ops/restore_person.yml", login="bob", day=today(), at="2020-01-01 00:00")
    assert done.returncode != 0
    assert "before the first" in " ".join(done.stdout.split())


def test_a_host_that_holds_images_is_never_written_over(play, omero):
    before = sorted(checksums(omero, f"{DATA}/ManagedRepository"))
    done = play("ops/restore_omero.yml", restore_omero_confirm=OMERO)
    assert done.returncode != 0
    assert "holds images already" in " ".join(done.stdout.split())
    assert sorted(checksums(omero, f"{DATA}/ManagedRepository")) == before


# Something of the first run that ends a moment after the second has begun to wait for it, and never if that doesn't.
STILL_AT_IT = """
waiting="-> FLOCK .*:$(stat -c %i /run/restore-omero.lock) "
until grep -q -e "$waiting" /proc/locks; do sleep 1; done
sleep 5
date +%s >/run/through
"""


def test_the_host_is_lost_and_comes_back_whole(night, hand_over, rows, new_host, play, cut_off, omero, images, capsys):
    night()
    files = sorted(checksums(omero, f"{DATA}/ManagedRepository"))
    # The last minute: what PostgreSQL had handed over when the host died.
    hand_over()
    before = rows()
    new_host()
    assert omero.run(f"ls {DATA}").rc != 0
    base = play("base.yml")
    assert base.returncode == 0, base.stdout
    # The administrator's own computer dies in the middle of it; the same command goes on.
    first_file = f"find {DATA}/ManagedRepository -type f | grep -q ."
    cut_off(lambda: omero.run(first_file).rc == 0, 900, "ops/restore_omero.yml", restore_omero_confirm=OMERO)
    assert omero.run("systemctl is-active omero-server").rc != 0
    omero.run_expect([0], f"systemd-run --collect flock /run/restore-omero.lock sh -c {shlex.quote(STILL_AT_IT)}")
    done = play("ops/restore_omero.yml", restore_omero_confirm=OMERO)
    assert done.returncode == 0, done.stdout[-6000:]
    # What the first run had still going on the host was waited for.
    through = omero.check_output("cat /run/through; journalctl -t restore-omero -n 1 -o short-unix --quiet").split()
    assert float(through[0]) <= float(through[1])
    seconds = base.seconds + done.seconds
    with capsys.disabled():
        sys.stdout.write(f"\nwhole OMERO from an empty host: {seconds:.0f} s\n")
    assert rows() == before
    assert sorted(checksums(omero, f"{DATA}/ManagedRepository")) == files
    wanted = {one for kept in originals().values() for one in kept.values()}
    assert wanted <= set(files)
    assert len(images("alice")) == len(images("bob")) == len(NAMES)


def test_drive_x_works_again_and_is_backed_up_again(drive, imported, night, omero, tmp_path):
    folder = tmp_path / "after"
    folder.mkdir()
    picture(folder / "after.png", 999)
    drive("bob").copy(folder)
    imported("bob", len(NAMES) + 1)
    night()
    assert omero.service("facility-backup.timer").is_running


def test_a_person_is_erased_from_all_backups_and_nobody_else(play, command, images, night, omero, backup):
    command(f"delete {' '.join(f'Image:{number}' for number in images('alice').values())}", "alice")
    omero.check_output(f"rm -rf {DATA}/restored/alice-* {DATA}/incoming/alice/*")
    night()
    before = kept(omero)
    assert any(of["alice"] for of in before.values())
    for sure in ({}, {"erase_person_confirm": "bob"}):
        done = play("ops/erase_person.yml", login="alice", **sure)
        assert done.returncode != 0
        assert "Nothing was erased" in done.stdout
    assert kept(omero) == before
    done = play("ops/erase_person.yml", login="alice", erase_person_confirm="alice")
    assert done.returncode == 0, done.stdout[-6000:]
    after = kept(omero)
    assert not any(of["alice"] for of in after.values())
    assert sorted(sorted(of["bob"]) for of in after.values()) == sorted(sorted(of["bob"]) for of in before.values())
    backup.run("systemctl start backup-inspect")
    kinds = [
        one["kind"] for one in json.loads(backup.check_output("cat /var/lib/backup-server/report.json"))["problems"]
    ]
    assert "backdated" not in kinds
    backup.run_expect([0], "systemctl start backup-check")
    night()


def kept(omero):
    """Whose images are in which backup, as their own host sees it: {snapshot: {login: paths}}."""
    found = {
        one["id"]: {"alice": [], "bob": []}
        for one in json.loads(omero.check_output("facility-restic --json snapshots"))
    }
    for snapshot in json.loads(omero.check_output("facility-restic --json find '*.png'")):
        for path in (match["path"] for match in snapshot["matches"]):
            for login, paths in found[snapshot["snapshot"]].items():
                if f"/{login}" in path:
                    paths.append(path)
    return found


PAGE = "/var/lib/dokuwiki/data/pages/safety/lasers.txt"


def test_the_wiki_s_pages_come_back_as_of_a_day(wiki, night, play):
    wiki.run_expect([0], f"runuser -u www-data -- sh -c 'mkdir -p $(dirname {PAGE}) && echo goggles > {PAGE}'")
    night(wiki)
    wiki.run_expect([0], f"echo spoilt > {PAGE}")
    done = play("ops/restore_wiki.yml", restore_wiki_confirm=WIKI, restore_wiki_to=today())
    assert done.returncode == 0, done.stdout[-6000:]
    assert wiki.file(PAGE).content_string == "goggles\n"
    assert wiki.file(PAGE).user == "www-data"
    assert "spoilt" in wiki.check_output("cat /var/lib/dokuwiki/data.before-*/pages/safety/lasers.txt")


def test_nothing_of_the_facility_lies_where_the_roles_defaults_are(omero, backup, scratch):
    assert [host.run("ls /OMERO /srv/backup").stdout for host in (omero, backup, scratch)] == [""] * 3


def test_a_second_run_of_the_playbooks_changes_nothing(play):
    for book in ("omero.yml", "wiki.yml", "backup.yml"):
        done = play(book)
        assert done.returncode == 0, done.stdout
        changed = [line for line in done.stdout.splitlines() if "changed=" in line and "changed=0" not in line]
        assert not changed, done.stdout
