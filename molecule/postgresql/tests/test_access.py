# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets into which database, and how."""

import pytest

testinfra_hosts = ["podman://omero1.postgresql.test", "podman://db2.postgresql.test"]


def test_a_user_gets_in_over_tls_and_works(psql):
    status, answer = psql("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    assert (status, answer) == (0, "t|TLSv1.3")
    assert psql("CREATE TABLE IF NOT EXISTS stack (name text); INSERT INTO stack VALUES ('Zellkern ä')")[0] == 0
    assert "Zellkern ä" in psql("SELECT name FROM stack")[1]


def test_a_user_without_tls_is_refused(psql):
    status, answer = psql("SELECT 1", sslmode="disable")
    assert status == 2
    assert "no pg_hba.conf entry" in answer
    assert "no encryption" in answer


def test_a_client_notices_a_server_that_is_another(psql, host):
    address = host.check_output("hostname -i").split()[0]
    status, answer = psql("SELECT 1", host=address)
    assert status == 2
    assert "does not match host name" in answer


def test_wrong_and_empty_passwords_are_refused(psql):
    for secret in ("wrong", ""):
        status, answer = psql("SELECT 1", secret=secret)
        assert status == 2
        assert "password" in answer
    assert psql("SELECT 1", user="nobody", secret="x" * 12)[0] == 2


def test_an_owner_gets_into_no_other_database(psql):
    for database in ("bookings", "postgres", "template1"):
        status, answer = psql("SELECT 1", database=database)
        assert status == 2
        assert "no pg_hba.conf entry" in answer


def test_even_past_the_list_of_clients_an_owner_reads_no_other_database(administrator, psql):
    """Were pg_hba.conf ever loosened, the rights in the database still hold."""
    psql("CREATE TABLE IF NOT EXISTS booking (who text)", user="bookings", database="bookings")
    rights = "has_database_privilege('images', 'bookings', '{}')"
    assert administrator(f"SELECT {rights.format('CONNECT')}, {rights.format('TEMPORARY')}") == "f|f"
    schema = "has_schema_privilege('images', 'public', '{}')"
    table = "has_table_privilege('images', 'booking', 'SELECT')"
    question = f"SELECT {schema.format('USAGE')}, {schema.format('CREATE')}, {table}"
    assert administrator(question, "bookings") == "f|f|f"


def test_the_administrator_can_not_log_in_over_the_network(psql):
    status, answer = psql("SELECT 1", user="postgres", database="postgres", secret="x" * 12)
    assert status == 2
    assert "no pg_hba.conf entry" in answer


def test_a_local_user_gets_in_without_a_password_and_only_as_the_user_that_was_named(host):
    assert host.run("runuser -u games -- psql -qAtX -U images -d images -c 'SELECT current_user'").stdout == "images\n"
    for user, database in (("bookings", "bookings"), ("postgres", "postgres"), ("images", "bookings")):
        assert host.run(f"runuser -u games -- psql -qAtX -U {user} -d {database} -c 'SELECT 1'").rc == 2, user
    assert host.run("runuser -u nobody -- psql -qAtX -U images -d images -c 'SELECT 1'").rc == 2


def test_only_the_given_addresses_are_served(host, name):
    listening = host.check_output(
        "ss --no-header --listening --tcp --numeric 'sport = 5432' | awk '{print $4}'"
    ).split()
    expected = {"10.42.5.22:5432"} if name.startswith("db2") else {"10.42.5.21:5432", "127.0.0.1:5432"}
    # Whether localhost has an IPv6 address, too, is the machine's matter.
    assert set(listening) - {"[::1]:5432"} == expected


@pytest.mark.parametrize("user", ["images", "bookings"])
def test_passwords_are_known_to_nobody_else(host, password, user):
    secret = password(user)
    assert len(secret) >= 12
    assert secret not in host.check_output("ps -eww e")
    kept = host.run(f"grep -rlF -e {secret!r} /var/log /var/lib/postgresql /etc /run/postgresql /root /tmp 2>/dev/null")
    assert kept.stdout == ""
    assert secret not in host.run("journalctl --no-pager").stdout


def test_passwords_are_kept_as_scram_only(administrator):
    assert administrator("SELECT count(*) FROM pg_authid WHERE rolpassword NOT LIKE 'SCRAM-SHA-256$%'") == "0"
    assert administrator("SELECT count(*) FROM pg_authid WHERE rolpassword LIKE 'SCRAM-SHA-256$%'") == "2"
