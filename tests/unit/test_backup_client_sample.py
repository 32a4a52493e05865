# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left out, whose numbers files carry, and a sample of the rest."""

from __future__ import annotations

import collections
import hashlib
import os
import random
import sys
from pathlib import Path

import pytest

from facility.backup.client import giants, sample
from facility.backup.client.exclusion import ExclusionError, Exclusions
from facility.backup.client.identities import noted


@pytest.mark.parametrize(
    ("pattern", "path", "hit"),
    [
        ("*.tmp", "/srv/a.tmp", True),
        ("*.tmp", "/srv/a.tmpl", False),
        ("cache", "/srv/cache", True),
        ("cache", "/srv/mycache", False),
        ("/srv/cache", "/srv/cache", True),
        ("/cache", "/srv/cache", False),
        ("/srv/cache/", "/srv/cache", True),
        ("var/tmp", "/srv/var/tmp", True),
        ("var/tmp", "/srv/var/x/tmp", False),
        ("/srv/**/tmp", "/srv/a/b/tmp", True),
        ("/srv/**/tmp", "/srv/tmp", True),
        ("/srv/*", "/srv/a", True),
        ("/srv/*/x", "/srv/a/b/x", False),
        ("plane-[0-9]?.tif", "/a/plane-12.tif", True),
        ("plane-[^0-9]?.tif", "/a/plane-12.tif", False),
        ("a+b(1).txt", "/a/a+b(1).txt", True),
        ("a.b", "/a/axb", False),
    ],
)
def test_a_pattern_means_what_it_means_to_restic(pattern, path, hit):
    assert Exclusions([pattern]).hit(path) is hit


@pytest.mark.parametrize("pattern", ["!a", "a\\*", "[a", "[]", "/", "a/../b"])
def test_a_pattern_with_two_meanings_is_refused(pattern):
    with pytest.raises(ExclusionError):
        Exclusions([pattern])


def test_nothing_is_left_out_without_patterns():
    assert not Exclusions([]).hit("/srv/a")


def test_each_file_is_as_likely_as_any_other():
    times = collections.Counter(
        path for seed in range(4000) for path in sample.chosen(iter("abcdefghij"), 3, random.Random(seed))[0]
    )
    assert sum(times.values()) == 12000
    assert all(1050 < times[path] < 1350 for path in "abcdefghij"), times


def test_a_sample_holds_the_dumps_and_nothing_that_is_left_out(tmp_path):
    dumps, images = tmp_path / "dumps", tmp_path / "images"
    (dumps / "omero").mkdir(parents=True)
    (images / "scratch").mkdir(parents=True)
    for name in ("toc.dat", "tables.json", "1.dat"):
        (dumps / "omero" / name).write_text(name)
    for number in range(300):
        (images / f"{number}.tif").write_text(str(number))
        (images / "scratch" / f"{number}.tif").write_text("no")
    (images / "link.tif").symlink_to("0.tif")
    os.mkfifo(images / "pipe")
    (images / os.fsdecode(b"no text \xff")).write_text("x")
    files, number, too_large = sample.taken(
        [images], Exclusions(["scratch"]), dumps, most=1 << 40, chance=random.Random(1)
    )
    assert (number, too_large) == (301, [])
    paths = [file["path"] for file in files]
    assert len(paths) == len(set(paths)) == sample.MOST_FILES
    assert {str(dumps / "omero" / name) for name in ("toc.dat", "tables.json", "1.dat")} <= set(paths)
    assert not [path for path in paths if "scratch" in path or path.endswith(("link.tif", "pipe"))]
    for file in files[:20]:
        with open(file["path"], "rb") as opened:  # noqa: PTH123
            assert file["sha256"] == hashlib.sha256(opened.read()).hexdigest()


def test_a_file_that_claims_more_than_any_disk_is_left_out_and_named(tmp_path):
    (tmp_path / "small.tif").write_text("x")
    with (tmp_path / "huge.tif").open("wb") as file:
        file.truncate(giants.limit([tmp_path]) + 1)
    files, number, too_large = sample.taken(
        [tmp_path], Exclusions([]), tmp_path / "dumps", most=giants.limit([tmp_path])
    )
    assert [file["path"] for file in files] == [str(tmp_path / "small.tif")]
    assert (number, too_large) == (1, [str(tmp_path / "huge.tif")])


def test_only_what_is_backed_up_is_asked_for_its_size_and_in_doubt_nothing_is_left_out(tmp_path, monkeypatch):
    mounts = tmp_path / "mounts"
    mounts.write_bytes(b"x /srv/a\\040\xc3\xa4\xff ext4 rw 0 0\ny /mnt/hangs nfs rw 0 0\nz /srv2 ext4 rw 0 0\n")
    monkeypatch.setattr(giants, "_MOUNTS", mounts)
    asked = []

    def asks(place):
        asked.append(place)
        raise OSError

    monkeypatch.setattr(os, "statvfs", asks)
    assert giants.limit([Path("/srv")]) == sys.maxsize
    assert set(asked) <= {b"/srv", b"/srv/a \xc3\xa4\xff"}
    assert giants.limit([]) == sys.maxsize


def test_a_file_that_is_too_large_or_changes_is_no_sample(tmp_path, monkeypatch):
    file = tmp_path / "a"
    file.write_text("abc")
    assert sample.fingerprint(str(file), 2) is None
    assert sample.fingerprint(str(tmp_path / "gone"), 2) is None
    taken = sample.fingerprint(str(file), 3)
    assert taken
    assert (taken["size"], taken["sha256"]) == (3, hashlib.sha256(b"abc").hexdigest())
    real = hashlib.sha256

    def meanwhile(*given):
        file.write_text("abcd")
        return real(*given)

    monkeypatch.setattr(hashlib, "sha256", meanwhile)
    assert sample.fingerprint(str(file), 10) is None


def test_the_list_of_a_dump_s_tables_is_told_and_a_broken_one_is_no_end(tmp_path):
    for name, text in (("omero", '{"name": "omero", "tables": {"public.image": 3}}'), ("broken", "{")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tables.json").write_text(text)
    assert sample.databases(tmp_path) == [
        {"name": "omero", "dump": str(tmp_path / "omero"), "tables": {"public.image": 3}}
    ]


def test_the_numbers_of_users_and_groups_are_noted():
    document, unknown = noted(["root", "nobody", "no-such-user"])
    assert document["users"]["root"]["uid"] == 0
    assert "root" in document["users"]["root"]["groups"]
    assert document["groups"]["root"] == 0
    assert unknown == ["no-such-user"]
