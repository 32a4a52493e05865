# SPDX-License-Identifier: GPL-3.0-or-later
"""What waits on drive X comes back from a copy, as docs/services/share.md says."""

KEPT = "OMERO/incoming OMERO/staging OMERO/quarantine var/lib/settle"


def test_a_host_that_was_lost_gets_its_files_back_under_other_numbers(server, alice, converge):
    assert alice.puts("waiting", "alice/waiting.raw.part") == ""
    server.run_expect([0], f"tar --create --gzip --acls --xattrs --file /root/share.tar.gz --directory / {KEPT}")
    server.run_expect([0], "systemctl stop settle smbd && cd / && rm -rf OMERO/* var/lib/settle")
    # On a new host the system users get other numbers.
    server.run_expect([0], "usermod --uid 4242 settle && groupmod --gid 4242 settle && usermod --uid 4243 omero-server")
    run = converge()
    assert "failed=0" in run.stdout, run.stdout
    assert alice.gets("alice/waiting.raw.part") is None
    server.run_expect([0], "systemctl stop settle smbd")
    server.run_expect([0], "tar --extract --gzip --acls --xattrs --file /root/share.tar.gz --directory /")
    server.run_expect([0], "systemctl start smbd settle")
    again = converge()
    assert "changed=0" in again.stdout, again.stdout
    assert alice.gets("alice/waiting.raw.part") == "waiting"
    file = "/OMERO/incoming/alice/waiting.raw.part"
    assert server.run(f"runuser -u omero-server -- cat {file}").stdout == "waiting"
    assert server.run(f"runuser -u settle -- test -w {file}").rc == 0
    assert server.service("settle").is_running
