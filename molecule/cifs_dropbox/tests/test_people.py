# SPDX-License-Identifier: GPL-3.0-or-later
"""What people do on drive X, and what they can't do to others, to OMERO, or to settle."""

import uuid

import pytest

FOLDER = "/OMERO/incoming"


def access_list(server, path):
    return server.check_output("getfacl --absolute-names --omit-header %s", f"{FOLDER}/{path}")


def test_a_folder_of_images_is_copied_listed_and_read_back(client, server, alice):
    client.run_expect([0], "rm -rf /tmp/out /tmp/back && mkdir -p '/tmp/out/Zellkern ä/plane 1' /tmp/back")
    for name in ("Zellkern ä/a.tif", "Zellkern ä/plane 1/b c.tif", "Zellkern ä/leer.txt"):
        size = 0 if name.endswith("txt") else 700_001
        client.run_expect([0], f"head -c {size} /dev/urandom > '/tmp/out/{name}'")
    assert "NT_STATUS" not in alice.does('cd alice; recurse; prompt; lcd /tmp/out; mput "Zellkern ä"')
    assert alice.sees("alice/Zellkern ä") == {"a.tif", "leer.txt", "plane 1"}
    assert "NT_STATUS" not in alice.does('cd alice; recurse; prompt; lcd /tmp/back; mget "Zellkern ä"')
    sums = "cd {} && find . -type f -exec sha256sum {{}} + | sort"
    sent = client.check_output(sums.format("/tmp/out"))
    assert client.check_output(sums.format("/tmp/back")) == sent
    inside = sums.replace("find .", "find './Zellkern ä'")
    assert server.check_output(inside.format(f"{FOLDER}/alice")) == sent
    assert len(sent.splitlines()) == 3


def test_what_a_person_copies_is_the_person_s_and_services_reach_it(server, alice):
    assert alice.puts("pixels", "alice/mine.tif") == ""
    file = server.file(f"{FOLDER}/alice/mine.tif")
    assert (file.user, file.mode & 0o007) == ("alice", 0)
    assert server.run(f"runuser -u omero-server -- cat {FOLDER}/alice/mine.tif").stdout == "pixels"
    assert server.run(f"runuser -u omero-server -- tee {FOLDER}/alice/mine.tif </dev/null").rc == 1
    assert server.run(f"runuser -u settle -- test -w {FOLDER}/alice/mine.tif -a -w {FOLDER}/alice").rc == 0
    assert server.run(f"runuser -u nobody -- ls {FOLDER}/alice").rc == 2


def test_a_person_sees_the_own_folder_only(alice, bob):
    assert alice.sees() == {"alice"}
    assert bob.sees() == {"bob"}


def test_somebody_else_s_folder_is_closed_even_to_those_who_guess_its_paths(client, server, alice, bob):
    assert alice.puts("secret", "alice/guessed.tif") == ""
    # What settle says of the file may come in between.
    listing = f"ls -lR --ignore='! Import*' {FOLDER}/alice | grep -v ^total"
    before = server.check_output(listing)
    client.run_expect([0], "echo forged > /tmp/forged; rm -f /tmp/stolen")
    for command in (
        "ls alice/*", "cd alice; ls", "get alice/guessed.tif /tmp/stolen", "put /tmp/forged alice/guessed.tif",
        "put /tmp/forged alice/forged.tif", "del alice/guessed.tif", "rename alice/guessed.tif alice/renamed.tif",
        "mkdir alice/new", "rmdir alice", "rename alice bob/alice", "setmode alice/guessed.tif +h",
        "put /tmp/forged bob/../alice/forged.tif", "hardlink alice/guessed.tif bob/linked.tif",
    ):  # fmt: skip
        assert "NT_STATUS_" in bob.does(command), command
    assert bob.puts("mine", "bob/mine.tif") == ""
    assert "NT_STATUS_" in bob.does("rename bob/mine.tif alice/mine-of-bob.tif")
    assert client.run("cat /tmp/stolen").rc == 1
    assert server.check_output(listing) == before
    assert alice.gets("alice/guessed.tif") == "secret"


def test_nothing_is_put_beside_the_folders_and_no_folder_is_moved(server, alice):
    for command in ("mkdir other", "put /tmp/put loose.tif", "rmdir alice", "rename alice other"):
        assert "NT_STATUS_" in alice.does(command), command
    assert server.check_output(f"ls {FOLDER}").split() == ["alice", "bob", "expired"]


def test_the_drive_shows_each_person_the_own_room_and_what_is_left_of_it(alice, bob, until):
    assert until(lambda: (alice.room()[0], bob.room()[0]) == (2048, 1536))
    left = alice.room()[1]
    # So slowly that settle sees half of it first.
    slowly = "(head -c 100M /dev/urandom; sleep 4; head -c 100M /dev/urandom) |"
    assert "NT_STATUS" not in alice.does("put - alice/large.tif", stdin=slowly)
    try:
        assert until(lambda: left - 205 <= alice.room()[1] <= left - 195)
        assert alice.room()[0] == 2048
        # Of alice's room, not of bob's.
        assert bob.room()[1] > 1300
    finally:
        alice.does("del alice/large.tif")
    assert until(lambda: alice.room()[1] > left - 50)


@pytest.mark.parametrize("path", ["../DropBox", "../../etc", "alice/../../staging", "alice/../../../etc"])
def test_no_way_leads_out_of_the_share(server, alice, path):
    assert alice.sees(path).isdisjoint({"passwd", "alice", "bob", "hostname"})
    alice.puts("out", f"{path}/out.tif")
    assert server.run("ls /OMERO/DropBox/out.tif /OMERO/staging/out.tif /etc/out.tif /out.tif").stdout == ""


def test_links_are_neither_made_nor_followed(server, alice):
    assert "NT_STATUS_" in alice.does("symlink /etc alice/etc")
    server.run_expect([0], f"ln -sfn /etc {FOLDER}/alice/etc && ln -sf /etc/passwd {FOLDER}/alice/passwd")
    try:
        assert alice.sees("alice/etc") == set()
        assert alice.gets("alice/passwd") is None
        assert "NT_STATUS_" in alice.puts("x", "alice/etc/written")
    finally:
        server.run(f"rm -f {FOLDER}/alice/etc {FOLDER}/alice/passwd")


@pytest.mark.parametrize(
    "name",
    ["Zellkern äöü ß.tif", "two  blanks .tif", "日本 🔬.tif", "n" * 246 + ".tif", "quote'$(x)`.tif", "#%&+=@!.tif"],
)
def test_a_name_comes_back_as_it_was_given(server, alice, name):
    assert alice.puts("named", f"alice/{name}") == ""
    assert name in alice.sees("alice")
    assert server.file(f"{FOLDER}/alice/{name}").content_string == "named"
    assert "NT_STATUS" not in alice.does(f'del "alice/{name}"')


def test_a_name_that_is_too_long_is_refused_and_not_cut(server, alice):
    before = server.check_output(f"ls {FOLDER}/alice")
    # 204 characters, 404 bytes.
    assert "NT_STATUS_OBJECT_NAME_INVALID" in alice.puts("x", f"alice/{'ä' * 200}.tif")
    assert server.check_output(f"ls {FOLDER}/alice") == before


def test_a_stream_beside_a_file_is_refused_so_that_nothing_is_lost_silently(server, alice):
    assert alice.puts("pixels", "alice/streamed.tif") == ""
    for stream in ("alice/streamed.tif:Zone.Identifier", "alice/new.tif:hidden"):
        assert "NT_STATUS_OBJECT_NAME_INVALID" in alice.puts("hidden", stream)
    assert alice.gets("alice/streamed.tif") == "pixels"
    assert server.run(f"ls {FOLDER}/alice | grep -e : -e new.tif").stdout == ""


def test_nobody_can_take_access_away_from_settle_and_omero(client, server, alice):
    alice.does("mkdir alice/kept")
    assert alice.puts("pixels", "alice/kept/a.tif") == ""
    before = [access_list(server, path) for path in ("alice", "alice/kept", "alice/kept/a.tif")]
    assert "user:settle:rwx" in before[1]
    for path in ("alice", "alice/kept", "alice/kept/a.tif"):
        for change in (
            ["--set", r"ACL:CIFS\alice:ALLOWED/0x0/FULL"], ["--delete", r"ACL:Everyone:ALLOWED/0x0/FULL"],
            ["--add", r"ACL:CIFS\bob:ALLOWED/0x0/FULL"], ["--inherit", "remove"], ["--chown", r"CIFS\bob"],
        ):  # fmt: skip
            quoted = " ".join(f"'{word}'" for word in change)
            client.run(f"PASSWD=Secret-of-alice smbcacls //omero1.cifs.test/dropbox {path} -U 'CIFS\\alice' {quoted}")
        alice.does(f"setmode {path} +rsh; posix; chmod 0000 {path}; chmod 0777 {path}")
    assert [access_list(server, path) for path in ("alice", "alice/kept", "alice/kept/a.tif")] == before
    alice.does("setmode alice/kept/a.tif -rsh; setmode alice/kept -rsh; setmode alice -rsh")


def test_a_set_that_is_complete_gets_to_omero_and_one_that_is_being_written_waits(server, alice, monitor, until):
    """The whole way over the real server: share, leases, sandbox, rename."""
    slow, quick = (f"{name}-{uuid.uuid4().hex}.tif" for name in ("slow", "quick"))
    box = "/OMERO/DropBox/alice"
    alice.does("mkdir alice/confocal-1")
    # An acquisition of ten seconds; the quiet time of this shelf is two.
    alice.begins(f"put - alice/confocal-1/{slow}", before="(head -c 20000000 /dev/zero; sleep 10; printf last) |")
    assert until(lambda: server.run(f"test -s {FOLDER}/alice/confocal-1/{slow}").rc == 0)
    assert alice.puts("pixels", f"alice/confocal-1/{quick}") == ""
    # Each set has a folder of its own.
    slow_image, quick_image = (f"{box}/{name.removesuffix('.tif')}/{name}" for name in (slow, quick))
    assert until(lambda: server.file(quick_image).exists), server.run("journalctl -u settle").stdout
    assert server.run(f"ls -s {FOLDER}/alice/confocal-1/{slow}").rc == 0, "it was taken away from its writer"
    assert until(lambda: server.file(slow_image).exists), server.run("journalctl -u settle").stdout
    assert server.run(f"runuser -u omero-server -- tail -c 4 {slow_image}").stdout == "last"
    assert server.run(f"runuser -u omero-server -- cat {quick_image}").stdout == "pixels"
    assert server.run(f"runuser -u alice -- ls {box}").rc == 2
    assert alice.sees("alice/confocal-1") == set()
