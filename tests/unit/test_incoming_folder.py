# SPDX-License-Identifier: GPL-3.0-or-later
"""What is decided about a person's folder, and what really comes of it on a disk."""

from __future__ import annotations

import os
import pwd
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.drive.folders import (
    Account,
    Entry,
    Folder,
    FolderError,
    FoldersTask,
    Wish,
    access_text,
    converge,
    decoded,
    encoded,
    from_mode,
)

READERS = (("settle", "rwx"), ("omero-server", "r-x"))
NUMBERS = st.integers(0, 2**32 - 2)
ENTRIES = st.builds(Entry, st.sampled_from([0x01, 0x02, 0x04, 0x08, 0x10, 0x20]), NUMBERS, st.integers(0, 7))


class Host:
    """A host in memory."""

    def __init__(self, **uids: int) -> None:
        self.accounts = {name.replace("_", "-"): uid for name, uid in uids.items()}
        self.folders: dict[str, Folder] = {}

    def account(self, name: str) -> Account | None:
        uid = self.accounts.get(name)
        return None if uid is None else Account(name, uid, 100)

    def folder(self, login: str) -> Folder | None:
        return self.folders.get(login)

    def make(self, login: str) -> None:
        self.folders[login] = Folder(0, from_mode(0o700), ())

    def give(self, login: str, folder: Folder, gid: int) -> None:
        self.folders[login] = replace(folder, empty=self.folders[login].empty)

    def remove(self, login: str) -> bool:
        if not self.folders[login].empty:
            return False
        del self.folders[login]
        return True


@pytest.fixture
def host() -> Host:
    return Host(settle=990, omero_server=991, alice=2001105, bob=2001106, root=0)


def run(host: Any, *logins: str, check_mode: bool = False, **wish: Any) -> dict[str, Any]:
    return converge(FoldersTask(Wish(logins, **{"readers": READERS, **wish}), host), check_mode=check_mode)


@given(st.lists(ENTRIES, unique=True))
def test_an_access_list_survives_its_way_to_the_disk(entries: list[Entry]) -> None:
    assert decoded(encoded(tuple(entries))) == tuple(sorted(entries))


@given(st.binary(min_size=1))
def test_what_is_no_access_list_is_never_taken_for_one(value: bytes) -> None:
    try:
        assert encoded(decoded(value)) != b""
    except ValueError as error:
        assert value.hex() in str(error)


def test_a_new_person_gets_a_folder_that_services_reach_and_nobody_else(host):
    result = run(host, "alice")
    assert result["created"] == ["alice"]
    names = {number: name for name, number in host.accounts.items()}
    folder = host.folders["alice"]
    assert folder.uid == 2001105
    assert access_text(folder.access, names) == (
        "user::rwx,user:settle:rwx,user:omero-server:r-x,group::---,mask::rwx,other::---"
    )
    assert access_text(folder.handed_down, names) == (
        "user::rwx,user:settle:rwx,user:omero-server:r-x,user:alice:rwx,group::---,mask::rwx,other::---"
    )
    assert run(host, "alice")["changed"] is False


def test_check_mode_tells_the_same_and_does_nothing(host):
    told = run(host, "alice", "bob", check_mode=True)
    assert not host.folders
    assert run(host, "alice", "bob") == told


def test_the_folders_of_a_service_are_closed_to_people(host):
    run(host, "alice", owner="settle")
    folder = host.folders["alice"]
    assert folder.uid == 990
    assert all(entry.number not in {990, 2001105} for entry in (*folder.access, *folder.handed_down))
    assert run(host, "alice", owner="settle")["changed"] is False


def test_access_that_somebody_took_away_is_given_back_and_shown(host):
    run(host, "alice")
    host.folders["alice"] = replace(host.folders["alice"], access=from_mode(0o755), empty=False)
    result = run(host, "alice")
    assert result["updated"] == ["alice"]
    assert "group::r-x" in result["diff"]["before"]
    assert "group::---" in result["diff"]["after"]
    assert run(host, "alice")["changed"] is False


def test_unknown_people_are_told_and_the_others_served(host):
    result = run(host, "alice", "nobody-knows")
    assert (result["created"], result["unknown"]) == (["alice"], ["nobody-knows"])


def test_accounts_of_the_host_itself_are_not_people(host):
    assert run(host, "alice", "settle", "root")["unknown"] == ["settle", "root"]


def test_a_directory_that_does_not_answer_is_no_reason_to_do_nothing_silently(host):
    with pytest.raises(FolderError, match="winbind"):
        run(host, "one", "two")
    with pytest.raises(FolderError, match="doesn't know two"):
        run(host, "alice", "two", unknown_logins="fail")
    assert not host.folders


def test_a_service_that_is_missing_is_named(host):
    del host.accounts["settle"]
    with pytest.raises(FolderError, match='no user "settle"'):
        run(host, "alice")
    assert not host.folders


@pytest.mark.parametrize("login", ["", ".", "..", "../etc", "a/b", "-rf", ".hidden", "a b", "ä", "a\n"])
def test_names_that_could_lead_elsewhere_are_refused(host, login):
    for state in ("present", "absent"):
        with pytest.raises(FolderError, match="can't be a login"):
            run(host, login, state=state)


def test_a_login_that_was_given_to_somebody_else_does_not_bring_the_files_along(host):
    run(host, "alice")
    host.folders["alice"] = replace(host.folders["alice"], empty=False)
    host.accounts["alice"] = 2009999
    with pytest.raises(FolderError, match="alice holds files of user 2001105"):
        run(host, "alice", "bob")
    assert host.folders["alice"].uid == 2001105
    assert "bob" in host.folders, "one person's trouble is not the others'"
    host.folders["alice"] = replace(host.folders["alice"], empty=True)
    assert run(host, "alice", "bob")["updated"] == ["alice"]


def test_only_empty_folders_go(host):
    run(host, "alice", "bob")
    host.folders["bob"] = replace(host.folders["bob"], empty=False)
    told = run(host, "alice", "bob", "gone", state="absent", check_mode=True)
    assert sorted(host.folders) == ["alice", "bob"]
    assert run(host, "alice", "bob", "gone", state="absent") == told
    assert (told["deleted"], told["kept"]) == (["alice"], ["bob"])
    assert sorted(host.folders) == ["bob"]


@given(
    st.lists(st.sampled_from(["alice", "bob", "carol"]), unique=True, min_size=1),
    st.lists(st.sampled_from([*READERS]), unique=True),
    st.sampled_from(["", "settle"]),
    st.sampled_from([0o700, 0o755, 0o777]),
)
def test_whatever_was_there_one_run_is_enough(logins, readers, owner, mode):
    host = Host(settle=990, omero_server=991, alice=2001105, bob=2001106, carol=2001107)
    host.folders["alice"] = Folder(0, from_mode(mode), ())
    run(host, *logins, readers=readers, owner=owner)
    assert run(host, *logins, readers=readers, owner=owner)["changed"] is False


@pytest.fixture
def me() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def test_on_a_disk_what_is_made_inside_inherits(run_module, tmp_path, me):
    arguments = {
        "root": str(tmp_path), "logins": [me], "lowest_uid": 0, "readers": [{"user": "games", "access": "rwx"}],
    }  # fmt: skip
    told = run_module("incoming_folder", arguments, check=True)
    assert list(tmp_path.iterdir()) == []
    done = run_module("incoming_folder", arguments)
    assert done["created"] == told["created"] == [me], done
    assert done["diff"] == told["diff"]
    (tmp_path / me / "set").mkdir(mode=0o770)
    inherited = decoded(os.getxattr(tmp_path / me / "set", "system.posix_acl_access"))
    games = pwd.getpwnam("games").pw_uid
    assert Entry.of("user", "rwx", games) in inherited
    assert Entry.of("other", "---") in inherited
    assert run_module("incoming_folder", arguments)["changed"] is False
    assert run_module("incoming_folder", {**arguments, "state": "absent"})["kept"] == [me]


def test_a_link_in_a_folder_s_place_is_not_followed(run_module, tmp_path, me):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    root = tmp_path / "root"
    root.mkdir()
    (root / me).symlink_to(elsewhere)
    for state in ("present", "absent"):
        arguments = {"root": str(root), "logins": [me], "lowest_uid": 0, "state": state}
        assert "is no folder" in run_module("incoming_folder", arguments)["msg"]
    assert elsewhere.stat().st_mode & 0o777 == 0o755
    assert "make it first" in run_module("incoming_folder", {**arguments, "root": str(tmp_path / "none")})["msg"]
