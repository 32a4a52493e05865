# SPDX-License-Identifier: GPL-3.0-or-later
"""The IT administrator changes the register and runs the playbooks; the directory follows, or says why not."""

import os
import subprocess

import pytest

from tests.acceptance.register import EXAMPLE, SESSIONS, YESTERDAY, attended, changes, edit, people, play, recorded


def bind(login, password):
    """Log on over LDAPS as anybody would; return the exit status of ldapwhoami."""
    command = ["ldapwhoami", "-x", "-H", "ldaps://dc1.imaging.example.org", "-D", f"{login}@imaging.example.org"]
    environment = {**os.environ, "LDAPTLS_CACERT": str(EXAMPLE / "secrets/authority/ca.crt")}
    return subprocess.run([*command, "-w", password], capture_output=True, check=False, env=environment).returncode


def test_a_person_added_to_the_register_can_log_on(site, newcomer):
    password_file = EXAMPLE / "secrets/initial-passwords" / newcomer
    status, output = play(site, "people.yml", "--check", "--diff")
    assert status == 0, output
    assert newcomer in output
    assert not password_file.exists(), "check mode made something"

    status, output = play(site, "people.yml")
    assert status == 0, output
    password = password_file.read_text().strip()
    assert password not in output
    assert password_file.stat().st_mode & 0o777 == 0o600
    assert bind(newcomer, password) == 0
    assert bind(newcomer, password + "x") == 49

    status, output = play(site, "people.yml")
    assert status == 0, output
    assert changes(output) == 0


def test_someone_whose_time_is_up_is_refused(newcomer, site):
    assert play(site, "people.yml")[0] == 0
    password = (EXAMPLE / "secrets/initial-passwords" / newcomer).read_text().strip()
    assert bind(newcomer, password) == 0
    edit(people(site), lambda register: register["people"][-1].update(valid_until="2026-01-31"))
    assert play(site, "people.yml")[0] == 0
    assert bind(newcomer, password) == 49


def groups_of(login, password):
    """The groups of an account, as the person reads them in the directory."""
    command = ["ldapsearch", "-x", "-LLL", "-o", "ldif-wrap=no", "-H", "ldaps://dc1.imaging.example.org"]
    command += ["-D", f"{login}@imaging.example.org", "-w", password, "-b", "DC=imaging,DC=example,DC=org"]
    environment = {**os.environ, "LDAPTLS_CACERT": str(EXAMPLE / "secrets/authority/ca.crt")}
    done = subprocess.run(
        [*command, f"(sAMAccountName={login})", "memberOf"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    return {line.split("=")[1].split(",")[0] for line in done.stdout.splitlines() if line.startswith("memberOf: CN=")}


def test_briefed_and_trained_one_may_log_on_to_the_instrument_until_a_block_shuts_all(site, newcomer):
    assert play(site, "people.yml")[0] == 0
    password = (EXAMPLE / "secrets/initial-passwords" / newcomer).read_text().strip()
    assert groups_of(newcomer, password) == {"rg-neuro", "door-wiki"}

    facts = attended(SESSIONS, newcomer)
    recorded(site, **facts)
    assert play(site, "people.yml")[0] == 0
    # Equivalent, and still not open: work there is of level S2.
    doors = {"door-wiki", "door-share", "door-omero"}
    assert groups_of(newcomer, password) == {"rg-neuro", "instrument-confocal-1", *doors}
    assert changes(play(site, "people.yml")[1]) == 0

    block = {"id": "more-block", "person": newcomer, "from": YESTERDAY, "reason": "left"}
    recorded(site, **facts, blocks=[block])
    status, output = play(site, "people.yml", "--check", "--diff")
    assert status == 0, output
    assert bind(newcomer, password) == 0
    assert play(site, "people.yml")[0] == 0
    assert bind(newcomer, password) == 49


def test_a_slip_of_the_policy_shuts_nobody_out(site):
    def demand_of_everybody(facility):
        for door in ("wiki", "share", "omero"):
            facility["facility_door_demands"][door] = ["formblatt-z"]
        for instrument in facility["facility_instruments"]:
            instrument["demands"] = ["formblatt-z"]

    edit(site / "group_vars/all/facility.yml", demand_of_everybody)
    status, output = play(site, "people.yml")
    assert status != 0
    assert "would lose something, and one run may take from 5 at most" in output
    # Few of them have rights in PPMS, and those few are not shut out either.
    assert "PPMS - nothing was changed" in output
    assert "aadler" not in output.partition("one run may take")[2].partition(": nothing was changed")[0]
    assert changes(play(EXAMPLE, "people.yml")[1]) == 0


def test_a_fact_that_makes_no_sense_stops_everything_before_it_begins(site):
    recorded(site, attendances=[{"id": "more", "session": "safety-2026", "person": "aadlre", "result": "attended"}])
    status, output = play(site, "site.yml")
    assert status != 0
    assert "facts/more.yml" in output
    assert 'did you mean "aadler"' in output.replace("\\", "")
    assert "Prepare every host" not in output


def add_unknown_key(register):
    register["people"][2]["telefone"] = "123"


def add_wrong_type(register):
    register["people"][2]["mail"] = ["a@example.org"]


def add_unknown_group(register):
    register["people"][2]["research_group"] = "nuero"


def add_same_login(register):
    register["people"].append({**register["people"][2], "mail": "other@example.org"})


def add_invalid_date(register):
    register["people"][2]["valid_until"] = "2026-02-30"


def empty(register):
    register["people"] = []


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (add_unknown_key, ["people.yml", "entry 3", "telefone"]),
        (add_wrong_type, ["people.yml", "entry 3", "mail"]),
        (add_unknown_group, ["people.yml", "entry 3", "nuero", "neuro"]),
        (add_same_login, ["people.yml", "entry 31", "login"]),
        (add_invalid_date, ["people.yml", "entry 3", "2026-02-30"]),
        (empty, ["people.yml", "add at least one"]),
    ],
)
def test_a_register_that_makes_no_sense_stops_everything_before_it_begins(site, spoil, words):
    edit(people(site), spoil)
    status, output = play(site, "site.yml")
    assert status != 0
    for word in words:
        assert word in output, output[-2000:]
    assert changes(output) == 0
    assert "Prepare every host" not in output


def test_an_instrument_without_a_host_stops_everything_before_it_begins(site):
    edit(site / "group_vars/all/facility.yml", lambda facility: facility["facility_instruments"][0].pop("host"))
    status, output = play(site, "site.yml")
    assert status != 0
    assert "confocal-1" in output
    assert "host" in output
    assert "Prepare every host" not in output


def test_a_secret_that_is_missing_is_named_with_the_command_that_makes_it(site):
    vault = site / "group_vars/all/vault.yml"
    kept = [line for line in vault.read_text().splitlines() if "vault_svc_wiki_password" not in line]
    vault.write_text("\n".join(kept))
    status, output = play(site, "preflight.yml")
    assert status != 0
    assert "vault_svc_wiki_password is not set" in output
    assert "playbooks/ops/generate_secrets.yml" in output


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"server_uri": "ldaps://dc1.imaging.example.org:6399", "timeout": 5}, "6399"),
        ({"server_uri": "ldap://dc1.imaging.example.org"}, "clear text"),
        ({"bind_password": "wrong"}, "password"),
        ({"ca_file": "/etc/ssl/certs/ca-certificates.crt"}, "certificate"),
    ],
)
def test_a_directory_that_cannot_be_used_is_one_clear_line(site, change, words):
    wiring = site / "group_vars/all/wiring.yml"
    edit(wiring, lambda variables: variables["people_directory"].update(change))
    status, output = play(site, "people.yml")
    assert status != 0
    message = output.split('"msg": "')[1].split('"}')[0]
    assert words in message
    assert "Traceback" not in output
    assert changes(output) == 0
