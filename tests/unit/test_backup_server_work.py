# SPDX-License-Identifier: GPL-3.0-or-later
"""What the backup server does to repositories: forgets what was judged, compares what it restored, keeps arrivals."""

from __future__ import annotations

import hashlib
import json
import os
import random
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.backup.restic import Plan, Snapshot
from facility.backup.server import drill, erase, retain, scratch_postgres, state
from facility.backup.server.config import Config, RepositoryConfig
from facility.backup.server.scratch import emptied

NOW = 1_800_000_000.0


@dataclass
class FakeRepository:
    """A repository in a folder: files in snapshots/, claimed times in memory."""

    path: Path
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    claimed: dict[str, float] = field(default_factory=dict)
    originals: dict[str, str] = field(default_factory=dict)
    old: tuple[str, ...] = ()
    sneaks_in: str = ""
    done: list[str] = field(default_factory=list)
    breaks_at: str = ""

    def add(
        self, key: str, claimed: float, arrival: float, files: dict[str, bytes] | None = None, original: str = ""
    ) -> None:
        (self.path / "snapshots").mkdir(exist_ok=True)
        (self.path / "snapshots" / key).write_text("")
        os.utime(self.path / "snapshots" / key, (arrival, arrival))
        self.claimed[key], self.files[key], self.originals[key] = claimed, files or {}, original

    def snapshots(self) -> list[Snapshot]:
        return [Snapshot(k, t, "h", ("/",), original=self.originals[k]) for k, t in sorted(self.claimed.items())]

    def retention(self, keep, wait=""):
        if self.sneaks_in:
            self.add(self.sneaks_in, NOW - 365 * 86400, NOW)
        return Plan(tuple(k for k in self.claimed if k not in self.old), self.old)

    def forget(self, ids, wait=""):
        self.done.append("forget " + " ".join(key[0] for key in ids))

    def unlock(self):
        self.done.append("unlock")

    def check(self, subset="", wait=""):
        self.done.append("check")

    def prune(self, wait=""):
        self.done.append("prune")

    def stored_bytes(self):
        return sum(len(data) for files in self.files.values() for data in files.values())

    def nodes(self, snapshot, paths=(), *, recursive=False):
        for path, data in self.files[snapshot].items():
            yield {"path": path, "type": "file", "size": len(data), "ctime": "1970-01-01T00:00:01.000000005Z"}

    def rewrite(self, key, paths, wait=""):
        first = self.originals.get(key) or key
        left = {p: d for p, d in self.files[key].items() if not any(p == x or p.startswith(x + "/") for x in paths)}
        self.add(hashlib.sha256(key.encode()).hexdigest(), self.claimed[key], NOW + 5, left, original=first)
        (self.path / "snapshots" / key).unlink()
        del self.claimed[key], self.files[key]
        if key == self.breaks_at:
            raise KeyboardInterrupt

    def read(self, snapshot, path):
        return self.files[snapshot][path].decode()

    def restore(self, snapshot, paths, target):
        for path in paths:
            place = Path(target + path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(self.files[snapshot][path])
        return ""


A, B, C = "a" * 64, "b" * 64, "c" * 64


@pytest.fixture
def fake(tmp_path, monkeypatch) -> FakeRepository:
    port = FakeRepository(tmp_path)
    for module in (retain, drill, erase):
        monkeypatch.setattr(module, "open_repository", lambda _: port)
    (tmp_path / "scratch" / "restic").mkdir(parents=True)
    return port


@pytest.fixture
def config(tmp_path) -> Config:
    repository = RepositoryConfig("omero1", tmp_path, "client", {"within": "14d"})
    file = tmp_path / "x"
    return Config(tmp_path, file, tmp_path, file, tmp_path / "scratch", tmp_path, repositories=(repository,))


def noted(config: Config, what: str):
    return state.read(config.state / "state.json")["repositories"]["omero1"][what]


def test_old_snapshots_are_forgotten_by_name_and_their_room_is_given_back(fake, config):
    fake.add(A, NOW - 90 * 86400, NOW - 90 * 86400)
    fake.add(B, NOW, NOW)
    fake.old = (A,)
    assert retain.run(config) == []
    assert fake.done == ["unlock", "check", "forget a", "prune"]
    assert noted(config, "retain")["removed"] == 1


@pytest.mark.parametrize("claimed", [NOW + 601, NOW - 48 * 3600 - 1])
def test_nothing_is_forgotten_where_a_date_can_not_be_true(fake, config, claimed):
    fake.add(A, NOW - 90 * 86400, NOW - 90 * 86400)
    fake.add(B, claimed, NOW)
    fake.old = (A,)
    assert "backup-attack.md" in retain.run(config)[0]
    assert fake.done == ["unlock", "check"]
    assert noted(config, "retain")["ok"] is False


def test_a_lie_that_comes_in_after_the_judgement_changes_nothing(fake, config):
    fake.add(A, NOW, NOW)
    fake.add(B, NOW, NOW)
    fake.old, fake.sneaks_in = (A,), C
    assert len(retain.run(config)) == 1
    assert "forget" not in "".join(fake.done)
    assert "prune" not in fake.done


def test_an_erasure_keeps_arrival_times_and_tells_how_much_went(fake, config):
    fake.add(A, NOW - 86400, NOW - 86000, {"/home/a/x": b"12", "/home/b": b"3"})
    fake.add(B, NOW, NOW, {"/home/b": b"3"})
    told = erase.run(config, "omero1", ["/home/a"], 1, dry_run=True)
    assert (told["files"], told["bytes"], told["snapshots"], told["erased"]) == (1, 2, [A], False)
    assert fake.done == []
    told = erase.run(config, "omero1", ["/home/a"], 1, dry_run=False)
    assert told["erased"]
    assert (told["stored_bytes_before"], told["stored_bytes_after"]) == (4, 2)
    times = {f.stat().st_mtime for f in (fake.path / "snapshots").iterdir()}
    assert times == {NOW - 86000, NOW}
    assert not (config.state / erase.JOURNAL_FILE).exists()


def test_more_than_allowed_and_senseless_paths_are_refused_before_anything_happens(fake, config):
    fake.add(A, NOW, NOW, {"/home/a/x": b"1", "/home/a/y": b"1"})
    for paths in (["/home/a"], ["/"], ["home/a"], ["/home/a/"], ["/home/../etc"]):
        with pytest.raises(erase.EraseError):
            erase.run(config, "omero1", paths, 1, dry_run=False)
    assert fake.done == []


def test_a_second_erasure_keeps_arrival_times_too(fake, config):
    fake.add(A, NOW - 86400, NOW - 86000, {"/home/a": b"1", "/home/b": b"2"})
    for path in ("/home/a", "/home/b"):
        assert erase.run(config, "omero1", [path], 1, dry_run=False)["erased"]
    (file,) = (fake.path / "snapshots").iterdir()
    assert file.stat().st_mtime == NOW - 86000


def test_a_star_stands_for_a_number_and_for_nobody_with_a_longer_login(fake, config):
    files = {"/repo/anna_7": b"1", "/repo/anna_b_8": b"1", "/repo/anna_x": b"1", "/other/anna_7": b"1"}
    fake.add(A, NOW, NOW, files)
    told = erase.run(config, "omero1", ["/repo/anna_*"], 9, dry_run=True)
    assert told["paths"] == ["/repo/anna_7"]
    assert told["files"] == 1
    assert erase.run(config, "omero1", ["/repo/bob_*"], 9, dry_run=True)["files"] == 0


def test_an_erasure_that_was_cut_off_is_made_good_by_the_next_night(fake, config):
    fake.add(A, NOW - 9 * 86400, NOW - 9 * 86400, {"/home/a": b"1"})
    fake.breaks_at = A
    with pytest.raises(KeyboardInterrupt):
        erase.run(config, "omero1", ["/home/a"], 1, dry_run=False)
    assert retain.run(config) == []
    (file,) = (fake.path / "snapshots").iterdir()
    assert file.stat().st_mtime == NOW - 9 * 86400


def sampled(path: str, data: bytes, ctime_ns: int = 10**9 + 5) -> dict[str, object]:
    digest = hashlib.sha256(data).hexdigest()
    return {"path": path, "size": len(data), "mtime_ns": 1, "ctime_ns": ctime_ns, "sha256": digest}


def with_sample(fake: FakeRepository, config: Config, files: dict[str, bytes], sample: list[dict[str, object]]) -> None:
    text = json.dumps({"version": 1, "files": sample, "databases": [{"name": "d", "dump": "/dumps/d", "tables": {}}]})
    fake.add(A, NOW, NOW, {**files, config.sample: text.encode()})


def test_a_drill_compares_what_came_back(fake, config):
    with_sample(fake, config, {"/a": b"one", "/b": b"two"}, [sampled("/a", b"one"), sampled("/b", b"two")])
    assert drill.run(config) == []
    assert (noted(config, "drill")["files"], noted(config, "drill")["bytes"]) == (2, 6)
    assert list((config.scratch / "restic").glob("*")) == [config.scratch / "restic" / ".lock"] or not list(
        (config.scratch / "restic").glob("now")
    )


@pytest.mark.parametrize(
    ("files", "sample", "said"),
    [
        ({"/a": b"two"}, [sampled("/a", b"one")], "came back wrong"),
        ({}, [sampled("/a", b"one")], "lacks /a"),
        ({"/a": b"two"}, [sampled("/a", b"one", ctime_ns=7)], "nothing of snapshot"),
        ({"/a": b"two"}, [], "nothing of snapshot"),
    ],
)
def test_a_drill_fails_that_compared_nothing_or_something_else(fake, config, files, sample, said):
    with_sample(fake, config, files, sample)
    assert said in drill.run(config)[0]
    assert noted(config, "drill")["ok"] is False


def test_what_was_erased_is_missed_by_no_drill(fake, config):
    with_sample(fake, config, {"/b": b"two"}, [sampled("/a", b"one"), sampled("/b", b"two")])
    fake.originals[A] = B
    assert drill.run(config) == []


SAMPLES = st.lists(st.builds(
    lambda n, size, dump: {"path": f"/{n}{'/toc.dat' if dump else ''}", "size": size, "dump": dump},
    st.integers(), st.integers(0, 50), st.booleans(),
), max_size=20)  # fmt: skip


@given(SAMPLES, st.integers(0, 10), st.integers(0, 200), st.integers())
def test_a_choice_keeps_its_limits_and_begins_with_the_dumps(sample, files, most, seed):
    picked = drill.pick(sample, files, most, random.Random(seed))
    assert len(picked) <= files
    assert sum(entry["size"] for entry in picked) <= most
    assert [entry["dump"] for entry in picked] == sorted((entry["dump"] for entry in picked), reverse=True)


SIZE = '{"version": 1, "files": [{"path": "/a", "size": Infinity, "ctime_ns": 1, "sha256": "a"}]}'


@pytest.mark.parametrize("text", ["[" * 60000, SIZE])
def test_a_sample_made_to_end_the_drill_of_all_clients_is_refused_as_any_other(text):
    with pytest.raises(drill.DrillError, match=r"sample\.json can't be read"):
        drill.sample_of(text)


@given(st.text())
def test_a_sample_is_understood_or_refused(text):
    with pytest.raises(drill.DrillError):
        drill.sample_of(text)


def test_scratch_is_empty_and_private_whatever_was_left_there(tmp_path):
    left = tmp_path / "now" / "deep"
    left.mkdir(parents=True)
    (left / "file").write_text("x")
    left.chmod(0o500)
    seen = []
    with emptied(tmp_path, before=seen.append) as place:
        assert list(place.iterdir()) == []
        assert place.stat().st_mode & 0o777 == 0o700
    assert seen == [place, place]
    assert not place.exists()


def test_pgbackrest_restores_here_and_not_on_the_database_s_host(tmp_path):
    given_text = (
        "[global]\nrepo1-path=/srv/p\nrepo1-cipher-pass=x\nlock-path=/run/p\ntls-server-address=*\n# note\n"
        "[omero]\npg1-host=omero1\npg1-path=/var/lib/p\n[other]\npg1-path=/x\n"
    )
    text = scratch_postgres.own_config(given_text, "omero", tmp_path / "data")
    assert "repo1-path=/srv/p\nrepo1-cipher-pass=x\n" in text
    assert text.endswith(f"[omero]\npg1-path={tmp_path}/data\n")
    assert "pg1-host" not in text
    assert "tls-server" not in text
    assert text.count("lock-path") == 1


def test_a_left_over_postgres_is_not_confused_with_another_process(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n")
    scratch_postgres.stop_leftover(tmp_path)


def test_a_repository_that_was_never_written_is_a_failed_drill(fake, config):
    (fake.path / "snapshots").mkdir()
    assert "no snapshot" in drill.run(replace(config))[0]
