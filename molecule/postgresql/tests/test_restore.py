# SPDX-License-Identifier: GPL-3.0-or-later
"""A database comes back from its dump, as docs/services/postgresql.md says."""

testinfra_hosts = ["podman://omero1.postgresql.test"]
DUMP = "/var/backups/postgresql/images"


def test_a_database_that_was_lost_comes_back_and_is_its_owners_alone(host, psql, administrator, converge):
    assert psql("DROP TABLE IF EXISTS rescued; CREATE TABLE rescued (name text)")[0] == 0
    assert psql("INSERT INTO rescued SELECT 'image ' || i FROM generate_series(1, 1000) i")[0] == 0
    host.run_expect([0], f"rm -rf {DUMP}; install -d -m 0700 /var/backups/postgresql")
    host.run_expect([0], f"pg_dump -U postgres --format=directory --jobs=2 --file={DUMP} images")
    host.run_expect([0], "dropdb -U postgres --force images")
    assert psql("SELECT 1")[0] == 2
    assert "failed=0" in converge().stdout
    assert psql("SELECT count(*) FROM rescued")[0] == 1
    host.run_expect([0], f"pg_restore -U postgres --dbname=images --jobs=2 {DUMP}")
    assert psql("SELECT count(*), min(name) FROM rescued") == (0, "1000|image 1")
    assert administrator("SELECT tableowner FROM pg_tables WHERE tablename = 'rescued'", "images") == "images"
    again = converge()
    assert "changed=0" in again.stdout, again.stdout
