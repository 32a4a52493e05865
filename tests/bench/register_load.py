# SPDX-License-Identifier: GPL-3.0-or-later
"""50 of the staff who click every five seconds, over HTTPS: nginx and gunicorn as role register sets them, on loopback.

5,000 people and 60,000 facts. Alone: ``PYTHONPATH=src python -m tests.bench.register_load``. It wants nginx, which no
other test does: ``apt-get install --no-install-recommends nginx-light``, and then stop its service. There is no
directory: sessions are made beforehand.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import jinja2
import psutil
import yaml

from tests.bench import access
from tests.bench.figures import Figure, figures_table
from tests.bench.register_pages import PAGE_MILLISECONDS, application
from tests.conftest import REPOSITORY

USERS = 50
# Each worker compiles each page's template once.
WARM_UP_SECONDS = 10
SECONDS = 35
BASELINE_SECONDS = 15
SLOW_MILLISECONDS = 200.0
ROLE = REPOSITORY / "roles/register"
# Not among the modules beside this one: whoever imports locust has Python's sockets exchanged for others.
CLICKS = Path(__file__).parent / "locust_files/register_clicks.py"
PAGES = ["/people/", "/suggest?q=user{}", "/people/user{}/", "/expiring/", "/matrix/", "/me/", "/sessions/new/"]
BARE = ["/log-in/"]
SETTINGS = """from facility.register.settings import *
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
ALLOWED_HOSTS = ["localhost"]
"""


class Served(NamedTuple):
    """What is clicked on: its folder, address, the servers' first processes, and the sessions of who clicks."""

    room: Path
    root: str
    servers: list[psutil.Process]
    sessions: list[str]


class Clicked(NamedTuple):
    """What a run gave: pages, failed ones, milliseconds of the slowest of 95 %, and CPU milliseconds a page."""

    pages: int
    failed: int
    slowest: float
    median: float
    cpu: float


def figures(say: Callable[[str], None] = print) -> list[Figure]:
    """The slowest of 95 % of the pages, and what one costs; the baseline is Django's log-in page in the same run."""
    names = (f"95 % of the pages while {USERS} of the staff click", "a page over HTTPS, web server and all, CPU")
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        remark = "no nginx: apt-get install --no-install-recommends nginx-light"
        limits = zip(names, (SLOW_MILLISECONDS, PAGE_MILLISECONDS), strict=True)
        return [Figure(name, "ms", limit, remark=remark) for name, limit in limits]
    say(f"the register over HTTPS: {access.PEOPLE} people, {access.FACTS} facts, {USERS} at once")
    with tempfile.TemporaryDirectory(prefix="register-load-") as room:
        folder = Path(room)
        sessions = _filled(folder)
        with _served(folder, nginx, sessions) as served:
            _clicked(served, PAGES, WARM_UP_SECONDS)
            bare = _clicked(served, BARE, BASELINE_SECONDS)
            ours = _clicked(served, PAGES, SECONDS)
    fault = f"{ours.failed} of {ours.pages} failed" if ours.failed or not ours.pages else ""
    load = f"load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"
    remark = f"{ours.pages} pages, median {ours.median:.0f} ms, {load}"
    base = "Django's log-in page"
    return [
        Figure(names[0], "ms", SLOW_MILLISECONDS, ours.slowest, bare.slowest, base, ours.slowest / bare.slowest,
               fault=fault, remark=remark),
        Figure(names[1], "ms", PAGE_MILLISECONDS, ours.cpu, bare.cpu, base, ours.cpu / bare.cpu, fault=fault,
               remark=load),
    ]  # fmt: skip


def _filled(room: Path) -> list[str]:
    """Fill a register in the folder; give the keys of as many sessions as there are users."""
    browser, _seconds = application(room)
    from django.contrib.auth.models import User
    from django.db import connections
    from django.test import Client

    keys = []
    for number in range(USERS):
        client = Client()
        client.force_login(User.objects.create(username=f"clicks{number}", is_staff=True))
        keys.append(client.cookies["__Host-register"].value)
    # Every row of the lists is of today before anybody clicks, as after midnight on the host.
    from facility.people.inventory import today_in
    from facility.register import policy_file

    policy_file.today_in = today_in
    assert browser.get("/matrix/").status_code == 200
    connections.close_all()
    return keys


@contextmanager
def _served(room: Path, nginx: str, sessions: list[str]) -> Iterator[Served]:
    """Run gunicorn and nginx."""
    (room / "load_settings.py").write_text(SETTINGS)
    workers = str(yaml.safe_load((ROLE / "defaults/main.yml").read_text())["register_workers"])
    environment = {
        **os.environ, "FACILITY_REGISTER": str(room / "register.toml"), "DJANGO_SETTINGS_MODULE": "load_settings",
        "PYTHONPATH": f"{room}:{REPOSITORY / 'src'}",
    }  # fmt: skip
    run = [sys.executable, "-m"]
    for command in ("collectstatic", "compile_words"):
        arguments = ["--no-input"] if command == "collectstatic" else []
        subprocess.run(
            [*run, "django", command, *arguments], env=environment, check=True, capture_output=True, cwd=room
        )
    port = _free_port()
    configuration = _configured(room, port)
    # As templates/register.service.j2 has it, but for the socket, which systemd hands over there.
    gunicorn = [*run, "gunicorn", "--no-control-socket", "--workers", workers, "--timeout", "120", "--graceful-timeout",
                "20", "--log-level", "warning", "--bind", f"unix:{room / 'register.sock'}",
                "facility.register.wsgi:application"]  # fmt: skip
    with (
        subprocess.Popen(gunicorn, env=environment, cwd=room) as pages,
        subprocess.Popen([nginx, "-p", str(room), "-c", str(configuration), "-e", str(room / "error.log")]) as web,
    ):
        try:
            root = f"https://localhost:{port}"
            _wait_for(root, room / "host.crt")
            yield Served(room, root, [psutil.Process(pages.pid), psutil.Process(web.pid)], sessions)
        finally:
            web.terminate()
            pages.terminate()


def _configured(room: Path, port: int) -> Path:
    """The role's nginx.conf, rendered, with its ports on loopback and its files in the folder."""
    _certificate(room)
    constants = yaml.safe_load((ROLE / "vars/main.yml").read_text())
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
    given = {
        "ansible_managed": "", "register_server_name": "localhost", "register_further_names": [],
        "register_tls_certificate": room / "host.crt", "register_tls_key": room / "host.key",
        "__register_static": room / "static", "__register_socket": room / "register.sock",
        **{name: defaults[name] for name in ("register_login_rate", "register_upload_max")},
    }  # fmt: skip
    assert given.keys() & constants.keys() == {"__register_static", "__register_socket"}
    template = (ROLE / "templates/nginx.conf.j2").read_text()
    text = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False).from_string(template).render(given)
    for old, new in {
        # The plain port would only lead to the other; IPv6 and the second server name need the root of a host.
        "listen 80 default_server;": f"listen 127.0.0.1:{_free_port()};",
        "listen 443 ssl default_server;": f"listen 127.0.0.1:{port} ssl default_server;",
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "listen [::]:80 default_server;": "", "listen [::]:443 ssl default_server;": "", "listen [::]:443 ssl;": "",
        # Debian 12's nginx has another word for it, and locust speaks HTTP/1.1.
        "http2 on;": "",
        "include /etc/nginx/proxy_params;": "proxy_set_header Host $host; proxy_set_header X-Forwarded-Proto $scheme;",
    }.items():  # fmt: skip
        assert old in text, old
        text = text.replace(old, new)
    temporary = "".join(
        f"{kind}_temp_path {room / kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    (room / "nginx.conf").write_text(
        f"{user}daemon off;\nworker_processes auto;\npid {room / 'nginx.pid'};\nevents {{ worker_connections 768; }}\n"
        f"http {{\n{temporary}access_log {room / 'access.log'};\nsendfile on;\n{text}\n}}\n"
    )
    return room / "nginx.conf"


def _certificate(room: Path) -> None:
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
         "2", *subject, "-keyout", str(room / "host.key"), "-out", str(room / "host.crt")],
        check=True, capture_output=True,
    )  # fmt: skip


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(root: str, authority: Path) -> None:
    """Wait until the log-in page comes, a minute at most."""
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(authority))),
    )
    end = time.monotonic() + 60
    while True:
        try:
            with opener.open(f"{root}/log-in/", timeout=10):
                return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def _clicked(served: Served, pages: list[str], seconds: int) -> Clicked:
    """Let them click, and read what locust saw."""
    room = served.room
    (room / "sessions.json").write_text(json.dumps(served.sessions))
    environment = {**os.environ, "REGISTER_SESSIONS": str(room / "sessions.json"),
                   "REGISTER_PAGES": json.dumps(pages), "REGISTER_AUTHORITY": str(room / "host.crt")}  # fmt: skip
    began = _cpu_seconds(served.servers)
    done = subprocess.run(
        [sys.executable, "-m", "locust", "-f", str(CLICKS), "--headless",
         "--users", str(USERS), "--spawn-rate", "10", "--run-time", f"{seconds}s", "--host", served.root, "--csv",
         str(room / "locust"), "--only-summary", "--exit-code-on-error", "0"],
        env=environment, check=False, capture_output=True, text=True, cwd=room,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    used = _cpu_seconds(served.servers) - began
    with (room / "locust_stats.csv").open() as file:
        total = next(row for row in csv.DictReader(file) if row["Name"] == "Aggregated")
    count = int(total["Request Count"])
    return Clicked(
        count, int(total["Failure Count"]), float(total["95%"]), float(total["50%"]), 1000 * used / max(1, count)
    )


def _cpu_seconds(servers: list[psutil.Process]) -> float:
    every = [one for server in servers for one in (server, *server.children(recursive=True))]
    return sum(times.user + times.system for times in (one.cpu_times() for one in every))


if __name__ == "__main__":
    print(figures_table(figures()))
    sys.exit(0)
