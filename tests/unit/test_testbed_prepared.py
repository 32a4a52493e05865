# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that begin as an earlier run prepared them: only where all that they came from is the same."""

from __future__ import annotations

import json
import stat

import pytest
import yaml

from testbed import passes, phases, prepared, rooms
from testbed.hosts import driver
from testbed.paths import REPOSITORY

NAME = "wiki"
HOSTS = {"dc1.wiki.test": "debian13", "wiki1.wiki.test": "debian13", "depot.wiki.test": "depot"}


class Podman:
    """Images by tag, as podman would list them."""

    def __init__(self):
        self.images = {}

    def __call__(self, *command, check=True):
        if command[0] == "rmi":
            self.images.pop(command[1], None)
            return ""
        if command[2] == "--filter":
            return "\n".join(
                name for name, labels in self.images.items() if command[3].removeprefix("label=") in labels
            )
        return "0123" if command[2] in self.images else ""

    def commit(self, bed, images, labels):
        self.images |= {image: [f"{name}={value}" for name, value in labels.items()] for image in images.values()}


@pytest.fixture
def podman(monkeypatch):
    fake = Podman()
    monkeypatch.setattr(prepared, "podman", fake)
    monkeypatch.setattr(driver, "commit", fake.commit)
    return fake


@pytest.fixture
def world(tmp_path, monkeypatch, podman):
    """A checkout with scenario wiki, whose prepare.yml used role base, and molecule's folder of it."""
    top = tmp_path / "checkout"
    (top / "molecule" / NAME / "files").mkdir(parents=True)
    platforms = [
        {"name": name, "image": image, "address": f"10.42.4.{number}"}
        for number, (name, image) in enumerate(HOSTS.items(), 11)
    ]
    (top / "molecule" / NAME / "molecule.yml").write_text(yaml.safe_dump({"platforms": platforms}))
    (top / "molecule" / NAME / "prepare.yml").write_text("- hosts: all\n")
    (top / "molecule" / NAME / "files" / "people.sh").write_text("person alice\n")
    (molecules := tmp_path / "ephemeral").mkdir()
    (molecules / "inventory").mkdir()
    (molecules / "inventory" / "hosts.yml").write_text("molecule's")
    (molecules / "state.yml").write_text("molecule's")
    (molecules / "authority").mkdir()
    (molecules / "authority" / "inventory").write_text("the authority's")
    (molecules / "passphrase").touch(mode=0o600)
    (molecules / "passphrase").write_text("secret")
    world = World(molecules, top)
    monkeypatch.setattr(prepared, "SCENARIOS", frozenset({NAME}))
    monkeypatch.setattr(prepared, "REPOSITORY", top)
    monkeypatch.setattr(prepared, "FOLDER", tmp_path / "prepared")
    monkeypatch.setattr(rooms, "digests", lambda: dict(world.rooms))
    monkeypatch.setattr(rooms, "of_paths", lambda paths: {"roles/base", f"molecule/{NAME}"} if paths else set())
    monkeypatch.setattr(prepared, "ensure", lambda image: f"{image}:{world.images}")
    monkeypatch.setattr(passes, "machine", lambda environment: world.machine)
    monkeypatch.setattr(prepared.time, "time", lambda: world.now)
    (tmp_path / "used").write_text("roles/base/tasks/main.yml\n")
    monkeypatch.setattr(phases, "used", lambda scenario: tmp_path / "used")
    return world


class World:
    def __init__(self, ephemeral, top):
        self.ephemeral, self.top = ephemeral, top
        self.rooms = {rooms.REST: "1", "roles/base": "1", "roles/wiki": "1", f"molecule/{NAME}": "1"}
        self.images, self.machine, self.now = "1", "here", 1_000_000.0


def test_the_first_run_keeps_hosts_and_the_second_begins_with_them(world):
    began = prepared.start(NAME, {})
    assert (began.settings["FACILITY_PREPARE"].rpartition("/")[2], began.line) == ("keep.yml", "")
    prepared.keep(NAME, world.ephemeral)
    assert prepared.end(NAME, began, 0) == ""
    again = prepared.start(NAME, {})
    assert again.settings["FACILITY_PREPARE"].endswith("/restore.yml")
    assert "1970-01-12" in again.line
    images = prepared.images_of(again.settings["FACILITY_STATE"])
    assert set(images) == {"dc1.wiki.test", "wiki1.wiki.test"}
    assert all(image.startswith(driver.PREPARED) for image in images.values())
    assert again.state.used == ["roles/base/tasks/main.yml"]


def test_what_prepare_made_on_the_controller_comes_back_and_nobody_else_may_read_it(world, tmp_path):
    prepared.keep(NAME, world.ephemeral)
    assert stat.S_IMODE((tmp_path / "prepared" / NAME).stat().st_mode) == 0o700
    assert not (tmp_path / "prepared" / NAME).is_relative_to(REPOSITORY)
    (other := tmp_path / "other").mkdir()
    (other / "state.yml").write_text("molecule's, now")
    prepared.restore(NAME, other)
    assert (other / "passphrase").read_text() == "secret"
    assert stat.S_IMODE((other / "passphrase").stat().st_mode) == 0o600
    assert (other / "authority" / "inventory").read_text() == "the authority's"
    assert (other / "state.yml").read_text() == "molecule's, now"
    assert not (other / "inventory").exists()


def change_prepare(world, podman):
    (world.top / "molecule" / NAME / "prepare.yml").write_text("- hosts: dc\n")


def change_its_files(world, podman):
    (world.top / "molecule" / NAME / "files" / "people.sh").write_text("person bob\n")


def change_platforms(world, podman):
    path = world.top / "molecule" / NAME / "molecule.yml"
    path.write_text(path.read_text().replace("10.42.4.11", "10.42.4.21"))


def change_a_role_of_prepare(world, podman):
    world.rooms["roles/base"] = "2"


def change_a_module_or_the_lock(world, podman):
    world.rooms[rooms.REST] = "2"


def change_an_image(world, podman):
    world.images = "2"


def change_the_machine(world, podman):
    world.machine = "there"


def a_day_later(world, podman):
    world.now += 24 * 3600 + 1


def before_it_was_made(world, podman):
    world.now -= 1


def an_image_is_gone(world, podman):
    podman.images.popitem()


def half_a_state(world, podman):
    prepared.file_of(NAME).unlink()


def nonsense_in_it(world, podman):
    prepared.file_of(NAME).write_text('{"machine"')


def of_another_version(world, podman):
    prepared.file_of(NAME).write_text(json.dumps({"machine": "here", "roles": []}))


@pytest.mark.parametrize(
    "change",
    [
        change_prepare, change_its_files, change_platforms, change_a_role_of_prepare, change_a_module_or_the_lock,
        change_an_image, change_the_machine, a_day_later, before_it_was_made, an_image_is_gone, half_a_state,
        nonsense_in_it, of_another_version,
    ],
)  # fmt: skip
def test_hosts_are_made_anew_and_one_line_says_why_after(world, podman, change):
    prepared.keep(NAME, world.ephemeral)
    assert prepared.find(NAME)[0]
    change(world, podman)
    began = prepared.start(NAME, {})
    assert began.state is None
    assert began.settings["FACILITY_PREPARE"].endswith("/keep.yml")
    assert began.line.startswith("Prepared anew: ")
    assert "\n" not in began.line


def change_the_role_under_test(world, podman):
    world.rooms["roles/wiki"] = "2"


def change_a_test(world, podman):
    world.rooms[f"molecule/{NAME}"] = "2"


@pytest.mark.parametrize("change", [change_the_role_under_test, change_a_test])
def test_hosts_stay_as_they_are_after(world, podman, change):
    prepared.keep(NAME, world.ephemeral)
    change(world, podman)
    assert prepared.find(NAME)[0]


def test_a_scenario_has_one_state(world, podman):
    prepared.keep(NAME, world.ephemeral)
    first = set(podman.images)
    world.now += 60
    prepared.keep(NAME, world.ephemeral)
    assert len(podman.images) == len(first)
    assert not first & set(podman.images)


def test_a_state_is_forgotten_after_a_failure(world, podman):
    prepared.keep(NAME, world.ephemeral)
    assert "forgotten" in prepared.end(NAME, prepared.start(NAME, {}), 1)
    assert prepared.find(NAME) == (None, "")
    assert podman.images == {}


def test_and_when_something_changed_while_hosts_were_prepared(world):
    began = prepared.start(NAME, {})
    world.rooms["roles/base"] = "2"
    prepared.keep(NAME, world.ephemeral)
    assert "forgotten" in prepared.end(NAME, began, 0)
    assert prepared.find(NAME)[0] is None


def test_one_variable_turns_it_off_and_other_scenarios_never_have_it(world):
    assert prepared.start(NAME, {"FACILITY_PREPARED": "0"}).settings == {}
    other = prepared.start("base", {})
    assert (other.settings, other.line) == ({}, "")
    assert prepared.end("base", other, 1) == ""


def test_without_git_hosts_are_not_kept(world, monkeypatch):
    def digests():
        raise rooms.RoomsError("git lists no files")

    monkeypatch.setattr(rooms, "digests", digests)
    began = prepared.start(NAME, {})
    assert (began.settings, began.line) == ({}, "Hosts are not kept: git lists no files")


def test_scenarios_with_prepared_hosts_have_something_to_prepare():
    for name in prepared.SCENARIOS:
        assert (REPOSITORY / "molecule" / name / "prepare.yml").exists()


def test_a_host_is_stopped_before_it_is_kept_and_runs_again(monkeypatch):
    told = []
    monkeypatch.setattr(driver, "podman", lambda *command, **_: told.append(command[:2]) or "running")
    monkeypatch.setattr(driver.access, "public_key", lambda bed: "key")
    monkeypatch.setattr(driver, "_answer", lambda host, key: told.append(("answered", host.name)))
    bed = driver.Bed("molecule-wiki", (driver.Host("a.wiki.test", "debian13", None),))
    driver.commit(bed, {"a.wiki.test": "localhost/a:1"}, {"label": "image"})
    assert [command[0] for command in told] == ["stop", "commit", "start", "exec", "answered"]


def test_no_file_no_images():
    assert prepared.images_of("") == {}
