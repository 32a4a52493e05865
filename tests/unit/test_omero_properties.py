# SPDX-License-Identifier: GPL-3.0-or-later
"""OMERO's properties: which names are known, which values may be seen, and what is to be changed."""

from __future__ import annotations

import os
import pwd
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.core.plan import applied
from facility.omero import config_file
from facility.omero.config_file import OmeroConfigError, known_properties, read
from facility.omero.properties import complaint, is_secret, properties_plan, property_names, unknown_properties

NAMES = st.from_regex(r"omero\.[a-z]{1,8}(\.[a-z]{1,8}){0,2}", fullmatch=True)
VALUES = st.text(max_size=20)
PROPERTIES = st.dictionaries(NAMES, VALUES, max_size=8)
PLAIN = st.dictionaries(NAMES.filter(lambda name: not is_secret(name)), VALUES, max_size=8)
KNOWN = {"omero.db.host", "omero.db.pass", "omero.fs.dirImportWait", "omero.ldap.urls", "omero.data.dir"}


TEMPLATES = """<icegrid>
  <properties id="DropBox">
    <property name="omero.fs.dirImportWait" value="60"/>
    <property name="Ice.MessageSizeMax" value="65536"/>
  </properties>
</icegrid>"""


def test_names_are_read_from_a_file_of_properties() -> None:
    lines = ["# omero.old=1", "! omero.older=1", "", " omero.db.host = localhost", "omero.url=http://x/?a=b", "### END"]
    assert property_names(lines) == {"omero.db.host", "omero.url"}


@given(properties=PLAIN)
def test_what_was_written_down_is_read_again(properties: dict[str, str]) -> None:
    assert property_names(f"{name}=value" for name in properties) == set(properties)


@given(lines=st.lists(st.text()))
def test_any_text_is_read_without_an_error(lines: list[str]) -> None:
    assert all(name == name.strip() and "=" not in name for name in property_names(lines))


@pytest.mark.parametrize(
    "name",
    [
        "omero.db.pass", "omero.ldap.password", "omero.mail.password", "omero.security.keyStorePassword",
        "omero.security.trustStorePassword", "omero.glacier2.IceSSL.Password", "omero.web.secret_key",
    ],
)  # fmt: skip
def test_passwords_are_known_for_what_they_are(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    ["omero.web.show_forgot_password", "omero.security.password_provider", "omero.security.password_required",
     "omero.db.user", "omero.web.session_cookie_secure"],
)  # fmt: skip
def test_what_only_speaks_of_passwords_is_shown(name: str) -> None:
    assert not is_secret(name)


def test_a_misspelt_name_is_found_with_the_one_that_was_meant() -> None:
    unknown = unknown_properties(["omero.fs.dirImportWiat", "omero.data.dir"], KNOWN)
    assert unknown == {"omero.fs.dirImportWiat": ["omero.fs.dirImportWait"]}
    told = complaint(unknown, "/opt/omero")
    assert told == (
        "/opt/omero knows no property omero.fs.dirImportWiat (did you mean omero.fs.dirImportWait?). "
        "Nothing was changed. Correct the names, or leave them out."
    )


@pytest.mark.parametrize(
    "name",
    ["omero.server.servicemanager.checkenv",
     "Ice.Warn.Connections", "IceSSL.Ciphers", "omero.glacier2.IceSSL.SchannelX", "omero.jvmcfg.percent.blitz",
     "omero.client.ui.anything", "omero.certificates.owner", "omero.web.apps"],
)  # fmt: skip
def test_families_that_the_server_does_not_list_are_let_through(name: str) -> None:
    assert unknown_properties([name], KNOWN) == {}


def test_omero_web_s_own_list_decides_about_omero_web_s_names() -> None:
    web = {"omero.web.apps", "omero.web.session_engine"}
    assert unknown_properties(["omero.web.appz"], web) == {"omero.web.appz": ["omero.web.apps"]}


def test_a_name_unlike_any_other_is_refused_without_a_guess() -> None:
    assert complaint(unknown_properties(["zzz"], KNOWN), "x").startswith("x knows no property zzz. Nothing")


@given(got=PLAIN, wanted=PLAIN, purge=st.booleans())
def test_after_the_changes_nothing_is_left_to_do(got: dict[str, str], wanted: dict[str, str], purge: bool) -> None:
    plan = properties_plan(got, wanted, purge=purge)
    shown = applied({name: {"value": value} for name, value in got.items()}, plan.changes)
    after = {name: str(attributes.get("value", "")) for name, attributes in shown.items()}
    assert {name: after[name] for name in wanted} == wanted
    assert set(after) == (set(wanted) if purge else set(wanted) | set(got))
    assert not properties_plan(after, wanted, purge=purge).changed


@given(got=PROPERTIES, wanted=PROPERTIES)
def test_without_purging_what_nobody_speaks_of_stays(got: dict[str, str], wanted: dict[str, str]) -> None:
    assert not properties_plan(got, wanted, purge=False).keys("delete")


@given(old=st.integers(10**9), new=st.integers(10**9))
def test_passwords_are_compared_but_never_shown(old: int, new: int) -> None:
    plan = properties_plan({"omero.db.pass": str(old)}, {"omero.db.pass": str(new)}, purge=True)
    assert plan.changed == (old != new)
    for word in (old, new):
        assert str(word) not in repr(plan) + str(plan.diff())
    gone = properties_plan({"omero.db.pass": str(old)}, {}, purge=True)
    assert gone.keys("delete") == ["omero.db.pass"]
    assert str(old) not in str(gone.diff())


@pytest.fixture
def server(tmp_path: Path) -> Path:
    """An unpacked server: its list, a jar that lists more, and its grid's templates with OMERO.dropbox's names."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "omero.properties").write_text("omero.db.host=localhost\nomero.fs.repo.path=%user%\n")
    (tmp_path / "etc" / "templates" / "grid").mkdir(parents=True)
    (tmp_path / "etc" / "templates" / "grid" / "templates.xml").write_text(TEMPLATES)
    jars = tmp_path / "lib" / "server"
    jars.mkdir(parents=True)
    with zipfile.ZipFile(jars / "omero-blitz-5.7.jar", "w") as archive:
        archive.writestr("omero-blitz.properties", "omero.threads.max_threads=50\n")
        archive.writestr("other.properties", "omero.not.ours=1\n")
    with zipfile.ZipFile(jars / "guava.jar", "w") as archive:
        archive.writestr("omero-guava.properties", "omero.guava=1\n")
    return tmp_path


def test_a_server_s_names_come_from_its_list_its_own_jars_and_the_grid_s_templates(server: Path) -> None:
    assert known_properties(server) == {
        "omero.db.host", "omero.fs.repo.path", "omero.fs.dirImportWait", "omero.threads.max_threads",
    }  # fmt: skip


def test_a_server_that_does_not_list_what_omero_dropbox_reads_lets_it_through() -> None:
    assert unknown_properties(["omero.fs.anything"], {"omero.db.host", "omero.fs.repo.path"}) == {}


def test_omero_web_s_names_come_from_its_settings(tmp_path: Path) -> None:
    settings = tmp_path / "settings.py"
    settings.write_text('X = {\n    "omero.web.apps": ["A"],\n    "omero.web.session_engine": [b, "x"],\n}\n')
    assert known_properties(settings) == {"omero.web.apps", "omero.web.session_engine"}


def test_what_is_no_server_or_is_damaged_is_refused_with_the_cure(server: Path, tmp_path: Path) -> None:
    with pytest.raises(OmeroConfigError, match=r"is no unpacked OMERO\.server"):
        known_properties(tmp_path / "elsewhere")
    (server / "lib" / "server" / "omero-blitz-5.7.jar").write_text("no zip")
    with pytest.raises(OmeroConfigError, match="unpack the archive again"):
        known_properties(server)


def test_a_file_that_is_not_there_yet_has_no_properties(tmp_path: Path) -> None:
    assert read(tmp_path / "config.xml") == {}


def test_without_omero_s_python_the_cure_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.xml").touch()
    with pytest.raises(OmeroConfigError, match="ansible_python_interpreter: /opt/omero/server/venv/bin/python"):
        read(tmp_path / "config.xml")


class FakeConfig(dict[str, str]):
    """omero.config.ConfigXml as far as the port uses it: a file of properties, written when it is closed."""

    def __init__(self, path: str, *, read_only: bool) -> None:
        super().__init__({"omero.config.version": "5.1.0"})
        self.path, self.read_only = Path(path), read_only
        if self.path.exists():
            self.update(line.split("=", 1) for line in self.path.read_text().splitlines())

    def as_map(self) -> dict[str, str]:
        return dict(self)

    def close(self) -> None:
        if not self.read_only:
            self.path.write_text("".join(f"{name}={value}\n" for name, value in self.items()))


@pytest.fixture
def configured(
    server: Path, monkeypatch: pytest.MonkeyPatch, run_module: Callable[..., dict[str, Any]]
) -> Callable[..., dict[str, Any]]:
    """Run omero_config on a file of this server."""
    monkeypatch.setattr(config_file, "_opened", lambda path, read_only: FakeConfig(str(path), read_only=read_only))
    owner = pwd.getpwuid(os.geteuid()).pw_name
    given = {"path": str(server / "config.xml"), "names_from": str(server), "owner": owner}
    return lambda check=False, **arguments: run_module("omero_config", {**given, **arguments}, check=check)


def test_the_module_brings_the_file_to_what_was_given_and_a_second_run_changes_nothing(
    configured: Callable[..., dict[str, Any]], server: Path
) -> None:
    wanted = {"properties": {"omero.db.host": "db1", "omero.fs.dirImportWait": 30}}
    assert configured(check=True, **wanted)["created"] == ["omero.db.host", "omero.fs.dirImportWait"]
    assert not (server / "config.xml").exists()
    assert configured(**wanted)["changed"]
    assert configured(**wanted)["changed"] is False
    told = configured(properties={"omero.db.host": "db2"})
    assert (told["updated"], told["deleted"]) == (["omero.db.host"], ["omero.fs.dirImportWait"])
    assert read(server / "config.xml") == {"omero.db.host": "db2"}
    configured(properties={"omero.threads.max_threads": 9}, purge=False)
    assert read(server / "config.xml") == {"omero.db.host": "db2", "omero.threads.max_threads": "9"}
    assert (server / "config.xml").stat().st_mode & 0o777 == 0o600


def test_a_value_that_omero_would_take_for_unset_is_refused(
    configured: Callable[..., dict[str, Any]], server: Path
) -> None:
    told = configured(properties={"omero.db.host": "db1", "omero.threads.max_threads": ""})
    assert told["msg"].startswith("omero.threads.max_threads without a value: OMERO takes an empty one for unset")
    assert not (server / "config.xml").exists()


def test_the_module_refuses_unknown_names_and_passwords_in_the_open(
    configured: Callable[..., dict[str, Any]], server: Path
) -> None:
    told = configured(properties={"omero.db.hots": "db1"})
    assert told["failed"]
    assert told["unknown"] == {"omero.db.hots": ["omero.db.host"]}
    told = configured(properties={"omero.ldap.password": "long-enough-for-it"})
    assert "would show in logs; give it in secrets" in told["msg"]
    assert not (server / "config.xml").exists()
