# SPDX-License-Identifier: GPL-3.0-or-later
"""A night's run, and what comes back of it."""

import json

import pytest

BACK = "/root/back"
STATE = "/var/lib/facility-backup"
ROWS = """CREATE TABLE IF NOT EXISTS {0} (name text); TRUNCATE {0};
    INSERT INTO {0} SELECT 'ä ' || i FROM generate_series(1, {1}) i"""


@pytest.fixture(scope="module")
def night(client):
    """A run, and all of its snapshot in a folder."""
    for table, rows in (("image", 1000), ('"Odd ""name"', 3)):
        sql = ROWS.format(table if table == "image" else '"Odd ""name"""', rows)
        client.run_expect([0], "runuser -u postgres -- psql -qX -v ON_ERROR_STOP=1 -d images -c %s", sql)
    client.run_expect([0], "systemctl start facility-backup.service")
    client.run_expect([0], f"rm -rf {BACK}; facility-restic --quiet restore latest --target {BACK}")
    return client


def test_every_file_comes_back_as_it_was(night):
    compared = night.run(f"diff -r --no-dereference {BACK}/srv/images/aadler /srv/images/aadler --exclude='*.tmp'")
    assert (compared.rc, compared.stdout) == (0, "")
    look = (
        "cd {}/srv/images && find aadler -not -name '*.tmp' -printf '%p %U %G %m %T@ %l\n' | grep -v ^aadler.$ | sort"
    )
    listed = [night.check_output(look.format(top)) for top in (BACK, "")]
    assert len(listed[0].splitlines()) > 200
    # Modes, owners, times, and where links lead to.
    assert listed[0] == listed[1]
    assert night.file(f"{BACK}/etc/passwd").content == night.file("/etc/passwd").content


def test_what_is_excluded_is_not_there(night):
    assert night.file("/srv/images/aadler/no.tmp").exists
    assert night.file("/srv/images/scratch/no.txt").exists
    left_over = night.check_output(f"find {BACK} -name '*.tmp' -o -name scratch -o -path '*var/cache/facility-backup*'")
    assert left_over == ""


def test_the_dump_is_whole_and_older_than_the_files(night, restic):
    dump = f"{BACK}{STATE}/dumps/images"
    tables = json.loads(night.file(f"{dump}/tables.json").content_string)
    assert tables["tables"] == {"public.image": 1000, 'public.Odd "name"': 3}
    night.run_expect([0], f"rm -rf /tmp/images && cp -r {dump} /tmp/images && chown -R postgres /tmp/images")
    night.run("runuser -u postgres -- dropdb --if-exists images_back")
    night.run_expect([0], "runuser -u postgres -- createdb images_back")
    night.run_expect([0], "runuser -u postgres -- pg_restore --dbname=images_back --jobs=2 /tmp/images")
    question = 'SELECT count(*), min(name) FROM image UNION ALL SELECT count(*), min(name) FROM "Odd ""name"""'
    answer = night.check_output("runuser -u postgres -- psql -qAtX -d images_back -c %s", question)
    assert answer == "1000|ä 1\n3|ä 1"
    night.run_expect([0], "runuser -u postgres -- dropdb images_back; rm -r /tmp/images")
    begun = restic("snapshots", "--latest", "1", "--tag", "nightly")[0][-1]["time"]
    stored = night.check_output(f"date --date={begun} +%s.%N")
    assert float(night.check_output(f"stat --format=%.9Y {STATE}/dumps/images/tables.json")) < float(stored)


def test_the_steps_before_it_are_in_it_in_their_order(night):
    times = "stat --format=%.9Y {0}/dumps/images/tables.json {0}/dumps/the-list-of-packages/packages {0}/sample.json"
    noted = [float(line) for line in night.check_output(times.format(STATE)).splitlines()]
    assert noted == sorted(noted)
    assert "restic\t" in night.file(f"{BACK}{STATE}/dumps/the-list-of-packages/packages").content_string


def test_the_sample_fits_what_comes_back(night, put):
    sample = json.loads(night.file(f"{BACK}{STATE}/sample.json").content_string)
    assert (sample["version"], sample["host"]) == (1, "client1.backup-client.test")
    assert sample["databases"][0]["dump"] == f"{STATE}/dumps/images"
    assert sample["databases"][0]["tables"]["public.image"] == 1000
    paths = [file["path"] for file in sample["files"]]
    assert len(paths) == len(set(paths)) == 200
    assert f"{STATE}/dumps/images/toc.dat" in paths
    assert not [path for path in paths if path.endswith(".tmp") or "scratch" in path]
    put(night, "/root/sums", "".join(f"{file['sha256']}  {BACK}{file['path']}\n" for file in sample["files"]))
    checked = night.run("sha256sum --check /root/sums")
    assert (checked.rc, checked.stdout.count(": OK\n")) == (0, 200), checked.stdout + checked.stderr


def test_whose_files_they_are_is_known_on_a_new_host(night):
    noted = json.loads(night.file(f"{BACK}{STATE}/identities.json").content_string)
    for user in ("postgres", "games"):
        assert noted["users"][user]["uid"] == night.user(user).uid
        assert noted["users"][user]["home"] == night.user(user).home
        assert noted["groups"][user] == night.user(user).gid
    assert "ssl-cert" in noted["users"]["postgres"]["groups"]


def test_figures_are_written_for_the_node_exporter(night, last_run):
    figures = night.file("/var/lib/prometheus/node-exporter/backup_client.prom")
    assert figures.mode == 0o644
    values = dict(line.split() for line in figures.content_string.splitlines() if not line.startswith("#"))
    assert float(values["backup_run_ok"]) == 1
    assert abs(float(values["backup_run_timestamp_seconds"]) - last_run()["time"]) < 1
    assert float(values["backup_run_files"]) > 200
    assert set(values) == {
        "backup_run_ok", "backup_run_timestamp_seconds", "backup_run_seconds", "backup_run_files",
        "backup_run_added_bytes",
    }  # fmt: skip


def test_the_night_has_its_hour(night):
    assert night.service("facility-backup.timer").is_enabled
    assert night.service("facility-backup.timer").is_running
    shown = night.check_output(
        "systemctl show facility-backup.timer -p TimersCalendar -p RandomizedDelayUSec -p Persistent"
    )
    assert "OnCalendar=*-*-* 04:00:00" in shown
    assert "RandomizedDelayUSec=30min" in shown
    assert "Persistent=yes" in shown


def test_the_backup_gives_way_to_whoever_works_here(night):
    shown = night.check_output(
        "systemctl show facility-backup.service -p Nice -p IOSchedulingClass -p TimeoutStartUSec"
    )
    assert shown.splitlines() == ["TimeoutStartUSec=infinity", "Nice=19", "IOSchedulingClass=3"]


def test_a_dump_is_of_one_moment_though_people_work_on(client, put):
    """While it runs, rows are added; what was counted is what was dumped."""
    put(client, "/root/adding", "for n in $(seq 3000); do echo \"INSERT INTO image VALUES ('new');\"; done\n")
    client.run_expect([0], "systemd-run --quiet sh -c 'sh /root/adding | runuser -u postgres -- psql -qX images'")
    client.run_expect([0], "rm -rf /tmp/moment; install -d -o postgres /tmp/moment")
    program = (
        "cd / && PYTHONPATH=/usr/local/lib/facility-backup runuser -u postgres -- python3 -m facility.backup.client"
    )
    client.run_expect([0], f"{program} dump-database images --to /tmp/moment/dump")
    counted = json.loads(client.file("/tmp/moment/dump/tables.json").content_string)["tables"]["public.image"]
    dumped = client.check_output("runuser -u postgres -- pg_restore --data-only --table=image -f - /tmp/moment/dump")
    assert sum(line.startswith(("ä", "new")) for line in dumped.splitlines()) == counted >= 1000
    again = client.run(f"{program} dump-database images --to /tmp/moment/dump")
    assert (again.rc, "is not empty" in again.stderr) == (1, True)
    client.run_expect([0], "rm -r /tmp/moment /root/adding")
