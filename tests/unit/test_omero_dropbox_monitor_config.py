# SPDX-License-Identifier: GPL-3.0-or-later
"""dropbox-monitor.toml is read, or refused with every problem and its cure; the role writes one that is read."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml
from jinja2 import Environment

from facility.omero.dropbox_monitor.config import Config, ConfigError, load
from tests.conftest import REPOSITORY

ROLE = REPOSITORY / "roles" / "omero_server"
GOOD = """
host = "omero1.imaging.example.org"
user = "svc-dropbox-monitor"
ca_file = "/etc/facility/tls/ca.crt"
dropbox = "/OMERO/DropBox"
canary_folder = "/OMERO/DropBox/.monitor"
asked_file = "/run/settle/asked.json"
report_file = "/run/omero-dropbox-monitor/report.json"
"""


def loaded(folder: Path, text: str) -> Config:
    file = folder / "dropbox-monitor.toml"
    file.write_text(text)
    return load(file)


def test_a_good_file_is_read_and_the_rest_has_defaults(tmp_path):
    config = loaded(tmp_path, GOOD)
    assert (config.host, config.port, config.seconds) == ("omero1.imaging.example.org", 4064, 3)
    assert config.dropbox == Path("/OMERO/DropBox")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('host = "omero1.imaging.example.org"', "", "host: is missing: add it"),
        ('dropbox = "/OMERO', 'dropbox = "OMERO', "dropbox: is 'OMERO/DropBox': write an absolute path"),
        ("asked_file", "asked_fil", "asked_fil: unknown key: did you mean asked_file?"),
        ("/OMERO/DropBox/.monitor", "/OMERO/DropBox", "canary_folder: /OMERO/DropBox isn't below dropbox"),
        ("/OMERO/DropBox/.monitor", "/OMERO/.monitor", "canary_folder: /OMERO/.monitor isn't below dropbox"),
        ("/run/settle/asked.json", "/run/omero-dropbox-monitor/report.json", "report_file: is asked_file, too"),
        ("\nuser", "\nseconds = 0\nuser", "seconds: is 0"),
    ],
)
def test_a_problem_is_named_with_its_cure(tmp_path, before, after, words):
    assert before in GOOD
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, GOOD.replace(before, after))
    assert words in str(refused.value)


def test_the_role_s_template_writes_what_the_program_reads(tmp_path):
    variables = yaml.safe_load((ROLE / "vars" / "main.yml").read_text())["__omero_server_dropbox_monitor_settings"]
    given = {
        "host": "o1", "user": "svc", "ca_file": "/ca.crt", "dropbox": "/OMERO/DropBox",
        "canary_folder": "/OMERO/DropBox/.monitor", "asked_file": "/run/a", "report_file": "/run/r",
    }  # fmt: skip
    assert variables.keys() == given.keys() | {"port", "seconds"}
    jinja = Environment(autoescape=False, trim_blocks=True)
    jinja.filters["to_json"] = json.dumps
    template = jinja.from_string((ROLE / "templates" / "dropbox-monitor.toml.j2").read_text())
    text = template.render(__omero_server_dropbox_monitor_settings={**variables, **given}, ansible_managed="Ansible's")
    assert loaded(tmp_path, text).report_file == Path("/run/r")


@pytest.mark.parametrize(("text", "status"), [(GOOD, 0), ("", 78)])
def test_check_tells_a_good_configuration_from_a_bad_one(tmp_path, text, status):
    file = tmp_path / "dropbox-monitor.toml"
    file.write_text(text)
    done = subprocess.run(
        ["/usr/bin/python3", "-m", "facility.omero.dropbox_monitor", "--check", "--config", str(file)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == status
    assert bool(done.stderr) == bool(status)
