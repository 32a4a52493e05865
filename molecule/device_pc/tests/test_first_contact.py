# SPDX-License-Identifier: GPL-3.0-or-later
"""The kit that somebody carries to a PC: whole, for this PC alone, and closed to others on the controller."""

from __future__ import annotations

import subprocess

import pytest

NAME = "mic1.device.test"


@pytest.fixture
def kit(ephemeral):
    return ephemeral / "kits" / NAME


def openssl(*words, **more):
    return subprocess.run(["openssl", *words], check=True, capture_output=True, text=True, **more).stdout


def test_it_holds_what_the_script_asks_for(kit):
    script = (kit / "enable-winrm.cmd").read_bytes()
    assert b"\r\n" in script
    assert b"\n" not in script.replace(b"\r\n", b""), "cmd misses labels without Windows' line ends"
    named = [word for word in (b"ca.crt", b"winrm.pfx", b"prepare-account.js") if word in script]
    assert all((kit / name.decode()).is_file() for name in named)
    assert len(named) == 3


def test_the_script_is_told_the_certificate_that_it_imports(kit):
    script = (kit / "enable-winrm.cmd").read_text()
    shown = openssl("x509", "-in", kit / "winrm.crt", "-noout", "-fingerprint", "-sha1")
    thumbprint = shown.split("=")[1].strip().replace(":", "")
    for line in (f"NAME={NAME}", "ACCOUNT=facility-admin", f"THUMBPRINT={thumbprint}"):
        assert f'set "{line}"' in script


def test_key_and_certificate_open_with_the_account_s_password_only(kit, pc):
    opened = openssl("pkcs12", "-in", kit / "winrm.pfx", "-passin", "stdin", "-nodes", input=pc.params["password"])
    assert "PRIVATE KEY" in opened
    assert f"CN = {NAME}" in opened
    with pytest.raises(subprocess.CalledProcessError):
        openssl("pkcs12", "-in", kit / "winrm.pfx", "-passin", "stdin", "-nodes", input="wrong")


def test_nobody_else_on_the_controller_reads_it(kit):
    assert kit.stat().st_mode & 0o077 == 0
    for name in ("winrm.key", "winrm.pfx"):
        assert (kit / name).stat().st_mode & 0o077 == 0
