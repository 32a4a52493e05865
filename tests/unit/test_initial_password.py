# SPDX-License-Identifier: GPL-3.0-or-later
"""Initial passwords: good ones, kept safely, in one piece."""

from __future__ import annotations

import stat

from facility.directory import initial_password


def test_a_generated_password_has_three_kinds_of_characters_and_none_that_are_mixed_up():
    passwords = {initial_password.generated() for _ in range(200)}
    assert len(passwords) == 200
    for password in passwords:
        assert len(password) == 20
        assert any(map(str.islower, password))
        assert any(map(str.isupper, password))
        assert any(map(str.isdigit, password))
        assert not set(password) & set("0O1lI")


def test_the_same_person_gets_the_same_password_again(tmp_path):
    first = initial_password.kept(tmp_path, "aadler")
    assert initial_password.kept(tmp_path, "aadler") == first
    assert initial_password.kept(tmp_path, "ccosta") != first


def test_what_a_cut_off_run_left_half_written_is_not_taken_for_a_password(tmp_path):
    (tmp_path / ".aadler.new").write_text("half", encoding="utf-8")
    (tmp_path / "ccosta").touch()
    assert len(initial_password.kept(tmp_path, "aadler")) == 20
    assert len(initial_password.kept(tmp_path, "ccosta")) == 20
    assert sorted(file.name for file in tmp_path.iterdir()) == ["aadler", "ccosta"]


def test_a_folder_or_file_that_others_could_read_is_closed(tmp_path):
    folder = tmp_path / "initial"
    folder.mkdir(mode=0o755)
    (folder / "aadler").write_text("Known-Horse-1\n", encoding="utf-8")
    (folder / "aadler").chmod(0o644)
    assert initial_password.kept(folder, "aadler") == "Known-Horse-1"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "aadler").stat().st_mode) == 0o600
