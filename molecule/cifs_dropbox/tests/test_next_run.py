# SPDX-License-Identifier: GPL-3.0-or-later
"""What another run of the role changes: people who come, settings that can't work, and its own check."""

import re

import pytest

from tests.refusals import refused_by

VERIFY = """
- name: Verify
  hosts: cifs_dropbox
  gather_facts: false
  tasks:
    - name: The share is asked
      ansible.builtin.include_role: {name: cifs_dropbox, tasks_from: verify}
"""


def said(run):
    return re.sub(r"\s+", " ", run.stdout + run.stderr).replace('\\"', '"')


def test_a_newcomer_gets_a_folder_and_one_without_an_account_is_told(server, person, converge):
    people = ["alice", "bob", "expired", "newcomer", "notyet"]
    try:
        run = converge(cifs_dropbox_logins=people)
        assert "failed=0" in run.stdout, run.stdout
        assert "cifs.test doesn't know them: notyet" in said(run)
        assert person("newcomer").puts("first", "newcomer/first.tif") == ""
        assert person("newcomer").sees() == {"newcomer"}
        assert "changed=0" in converge(cifs_dropbox_logins=people).stdout
    finally:
        server.run("rm -rf /OMERO/incoming/newcomer /OMERO/DropBox/newcomer")


def test_access_that_somebody_took_away_on_the_host_is_given_back(server, converge):
    server.run_expect([0], "setfacl --remove-all --remove-default /OMERO/incoming/bob && chmod 755 /OMERO/incoming/bob")
    assert "changed=1" in converge().stdout
    assert "user:settle:rwx" in server.check_output("getfacl --absolute-names /OMERO/incoming/bob")
    assert server.run("runuser -u nobody -- ls /OMERO/incoming/bob").rc == 2


REFUSED = [
    ({"cifs_dropbox_groups": []}, "must name the groups whose members may connect"),
    ({"cifs_dropbox_groups": ['x" guest']}, "must name the groups whose members may connect"),
    ({"cifs_dropbox_groups": ["no-such-group"]}, "doesn't know no-such-group"),
    ({"cifs_dropbox_domain": "CIFS"}, "must be a DNS domain of at least two parts"),
    ({"cifs_dropbox_netbios_domain": "cifs.test"}, "must be 1 to 15 capitals"),
    ({"cifs_dropbox_group_quotas_gib": {"nuero": 5}}, "names a group that is not in cifs_dropbox_group_members"),
    ({"cifs_dropbox_join_password": ""}, "cifs_dropbox_join_password is empty"),
    ({"cifs_dropbox_omero_user": "omero-web-server"}, "the share belongs onto OMERO's host"),
    ({"cifs_dropbox_data": "/nowhere"}, "it must be OMERO's data folder"),
    ({"cifs_dropbox_rules": [{"instrument": "sem-9"}]}, "names an instrument that is not in"),
    ({"cifs_dropbox_instruments": ["../x"]}, "must be names for folders"),
]


refused = refused_by("cifs_dropbox", "omero1.cifs.test", REFUSED)


@pytest.mark.parametrize(("settings", "words"), REFUSED)
def test_settings_that_can_not_work_are_refused_with_the_cure(refused, settings, words):
    assert words in refused.said(settings)


def test_folders_on_several_file_systems_are_refused(server, converge):
    """A bind mount has the same device, and still nothing can be renamed across it."""
    server.run_expect([0], "mount --bind /OMERO/staging /OMERO/staging")
    try:
        run = converge()
        assert run.returncode != 0
        assert "lie on several file systems" in said(run)
        assert "changed=0" in run.stdout
    finally:
        server.run_expect([0], "umount --lazy /OMERO/staging")


def test_a_file_system_on_which_settle_knows_nothing_for_sure_is_refused(server, converge):
    server.run_expect([0], "mkdir -p /mnt/other && mount -t ramfs ramfs /mnt/other")
    try:
        run = converge(cifs_dropbox_data="/mnt/other")
        assert run.returncode != 0
        assert "/mnt/other lies on ramfs" in said(run) and "Put it onto ext4 or XFS" in said(run)
        assert "changed=0" in run.stdout
    finally:
        server.run_expect([0], "umount /mnt/other")


def test_settings_of_settle_that_make_no_sense_are_refused_and_the_old_ones_stay(server, converge):
    before = server.file("/etc/settle/settle.toml").content_string
    run = converge(cifs_dropbox_settle={"quite_seconds": 5})
    assert run.returncode != 0
    assert "did you mean quiet_seconds?" in said(run)
    assert server.file("/etc/settle/settle.toml").content_string == before


def test_the_role_s_own_check_finds_nothing_and_finds_what_is_wrong(server, play, tmp_path):
    (tmp_path / "verify.yml").write_text(VERIFY)
    run = play(tmp_path / "verify.yml")
    assert "failed=0" in run.stdout, run.stdout
    assert "changed=0" in run.stdout
    server.run_expect([0], "setfacl --modify=user:alice:r-x /OMERO/incoming/bob")
    try:
        run = play(tmp_path / "verify.yml")
        assert "sees alice, bob" in said(run), run.stdout
    finally:
        server.run_expect([0], "setfacl --remove=user:alice /OMERO/incoming/bob")
    assert "Secret-of-alice" not in run.stdout + run.stderr


def changes(run):
    assert run.returncode == 0, run.stdout
    return int(re.findall(r"changed=(\d+)", run.stdout)[-1])


def test_settings_of_a_killed_run_are_read_by_the_next_and_nobody_is_cut_off(server, converge):
    """The file server reads them anew, settle and winbind start again or read them, and a drive stays connected."""
    pids = "systemctl show --value --property=MainPID smbd.service settle.service"
    smbd, settle = server.check_output(pids).split()
    # As the run left it: the file changed, and nobody was told.
    right = server.check_output("base64 --wrap=0 /etc/samba/smb.conf")
    server.run_expect([0], "sed -i 's/^\\[global\\]/[global]\\nserver string = of a killed run/' /etc/samba/smb.conf")
    server.run_expect([0], "systemctl reload smbd winbind")
    server.run_expect([0], f"echo {right} | base64 --decode >/etc/samba/new && mv /etc/samba/new /etc/samba/smb.conf")
    server.run_expect([0], "touch /etc/settle/settle.toml")
    assert changes(converge()) == 3, "smbd, winbind and settle"
    assert server.check_output(pids).split()[0] == smbd
    assert server.check_output(pids).split()[1] != settle
    assert changes(converge()) == 0


# What root's daemons can do without is taken from them; why not more is said in docs/security.md.
@pytest.mark.parametrize(("unit", "most"), [("smbd.service", 3.0), ("winbind.service", 3.0), ("settle.service", 2.0)])
def test_the_units_are_locked_in(server, unit, most):
    exposure = server.check_output(f"systemd-analyze security --no-pager {unit} | tail -1")
    assert float(re.search(r"(\d+\.\d+)", exposure).group(1)) <= most, exposure
