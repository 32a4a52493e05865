# SPDX-License-Identifier: GPL-3.0-or-later
"""What a stranger and somebody with a stolen password can do to the wiki."""

from __future__ import annotations

import pytest

from tests.attacks.facility import DOMAIN
from tests.attacks.web import ELSEWHERE

HOST = f"wiki1.{DOMAIN}"
PAGES = [
    "start",
    "safety:start",
    "safety:requirements",
    "it:start",
    "it:services",
    "users:start",
    "reminders",
    "sidebar",
]
ACTIONS = [
    "",
    "edit",
    "source",
    "export_raw",
    "export_xhtml",
    "export_xhtmlbody",
    "diff",
    "revisions",
    "backlink",
    "index",
    "recent",
    "media",
    "search&q=safety",
    "draft",
]
HIDDEN = [
    "conf/local.php",
    "conf/local.protected.php",
    "conf/acl.auth.php",
    "conf/users.auth.php",
    "data/pages/start.txt",
    "data/meta/_dokuwiki.changes",
    "data/meta/_htcookiesalt",
    "data/cache/",
    "data/attic/",
    "data/log/",
    "inc/init.php",
    "bin/dwpage.php",
    "bin/gittool.php",
    "vendor/autoload.php",
    "lib/plugins/authldap/auth.php",
    "lib/exe/xmlrpc.php",
    "lib/exe/jsonrpc.php",
    "install.php",
    ".htaccess",
    ".git/config",
    "lib/../conf/local.php",
    "lib/%2e%2e/conf/local.php",
    "lib/images/..%2f..%2fconf/local.php",
    "//conf/local.php",
    "conf/local.php%00.png",
    "doku.php/../conf/local.php",
    "etc/passwd",
    "../../../../etc/passwd",
    "..%2f..%2f..%2fetc/passwd",
    "server-status",
    "fpm-status",
    "phpinfo.php",
]
SPELT = [
    "u={0}&p={1}",
    "u=&u={0}&p={1}",
    "%75={0}&p={1}",
    "+u={0}&p={1}",
    "%20u={0}&%70={1}",
    "u={0}&u[]=x&p={1}",
    "p={1}&u={0}#",
]
SCRIPTS = [
    "<script>attack()</script>",
    "<html><img src=x onerror=attack()></html>",
    "<php>attack();</php>",
    "[[javascript:attack()|x]]",
    "{{javascript:attack()|x}}",
    '[[https://x.example.com/" onmouseover="attack()|x]]',
    '{{users:x.png?linkonly|" onerror="attack()}}',
    "<svg/onload=attack()>",
    "[[data:text/html,<script>attack()</script>|x]]",
    '<a href="vbscript:attack()">x</a>',
]
UPLOADS = [
    "attack.php",
    "attack.phtml",
    "attack.php.png.php",
    "attack.html",
    "attack.js",
    "attack.htaccess",
    "attack.pht",
    "attack.phar",
    "attack.xhtml",
]


@pytest.fixture
def stranger(visit):
    return visit("wiki1")


@pytest.fixture(scope="module")
def thief(visit, facility):
    """A browser in which the researcher has logged in."""
    visitor = visit("wiki1")
    form = {"do": "login", "id": "start", "u": "aadler", "p": facility.password_of("aadler")}
    visitor.send("/start", form)
    assert logged_in(visitor)
    return visitor


def logged_in(visitor):
    return "do=logout" in visitor.open("/start").text


@pytest.fixture(scope="module")
def written(facility):
    """What stands on each page, as it lies on the host: a sentence of it is looked for."""
    folder = "/var/lib/dokuwiki/data/pages"
    texts = {page: facility.inside(HOST, "cat", f"{folder}/{page.replace(':', '/')}.txt").stdout for page in PAGES}
    return {page: text for page, text in texts.items() if text}


def sentences(text):
    return [line.strip(" *=") for line in text.splitlines() if len(line.strip(" *=")) > 25 and "[" not in line]


@pytest.mark.parametrize("action", ACTIONS)
def test_a_stranger_reads_no_page_whatever_is_done_with_it(stranger, written, action):
    assert len(written) >= 5
    for page in ("safety:requirements", "it:services"):
        text = written[page]
        assert sentences(text), page
        shown = stranger.open(f"/{page}?do={action}").text
        assert [line for line in sentences(text) if line in shown] == [], page


@pytest.mark.parametrize(
    "path",
    [
        "feed.php",
        "feed.php?mode=list&ns=",
        "feed.php?mode=search&q=safety",
        "lib/exe/ajax.php?call=linkwiz&q=sa",
        "lib/exe/ajax.php?call=qsearch&q=safety",
        "lib/exe/ajax.php?call=index&idx=safety",
        "lib/exe/ajax.php?call=medialist&ns=",
        "lib/exe/ajax.php?call=suggestions&q=saf",
        "lib/exe/mediamanager.php?ns=",
        "lib/exe/detail.php?media=x.png",
        "_export/raw/safety:start",
        "_export/xhtml/safety:start",
        "start?do=sitemap",
    ],
)
def test_a_stranger_is_told_of_no_page(stranger, written, path):
    shown = stranger.open(f"/{path}").text
    assert not [line for text in written.values() for line in sentences(text) if line in shown]
    assert "safety:requirements" not in shown
    assert "it:services" not in shown


@pytest.mark.parametrize("path", HIDDEN)
def test_what_is_not_for_browsers_is_not_served(stranger, path):
    answer = stranger.open(f"/{path}")
    assert answer.status_code in {400, 403, 404}
    assert "root:x:" not in answer.text
    assert "<?php" not in answer.text


def test_no_page_is_run_or_included_from_elsewhere(stranger):
    for query in (f"media={ELSEWHERE}x.png", "media=../../conf/local.php", "media=file:///etc/passwd"):
        assert stranger.open(f"/lib/exe/fetch.php?{query}").status_code in {400, 403, 404, 412}, query


@pytest.mark.parametrize("page", ["start", "doku.php", "lib/exe/fetch.php", "lib/exe/ajax.php", "feed.php"])
@pytest.mark.parametrize("spelt", SPELT)
def test_a_name_in_an_address_logs_nobody_in_however_it_is_spelt(stranger, facility, page, spelt):
    named = spelt.format("aadler", facility.password_of("aadler"))
    assert stranger.open(f"/{page}?do=login&{named}").status_code in {400, 404}
    assert not logged_in(stranger)


def test_another_host_s_name_is_not_believed(stranger):
    for headers in ({"Host": "elsewhere.example.com"}, {"X-Forwarded-Host": "elsewhere.example.com"}):
        answer = stranger.open("/start", headers)
        assert "elsewhere.example.com" not in answer.text + str(answer.headers)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if not page.startswith("users:")] + ["playground:attack", "wiki:attack"]
)
def test_a_user_saves_no_page_but_users_own(thief, facility, page):
    where = f"/var/lib/dokuwiki/data/pages/{page.replace(':', '/')}.txt"
    before = facility.inside(HOST, "cat", where).stdout
    hidden = thief.hidden("/users:start?do=edit")
    assert "sectok" in hidden
    form = {
        **hidden,
        "id": page,
        "wikitext": before + "\nattack\n",
        "summary": "",
        "do[save]": "1",
        "prefix": ".",
        "suffix": "",
    }
    thief.send(f"/{page}", form)
    assert facility.inside(HOST, "cat", where).stdout == before


@pytest.mark.parametrize("script", SCRIPTS)
def test_no_page_runs_a_user_s_script(thief, script):
    hidden = thief.hidden("/users:start?do=edit")
    form = {**hidden, "id": "users:start", "wikitext": f"before {script} after", "summary": "", "do[preview]": "1"}
    shown = thief.send("/users:start", form).text
    preview = shown[shown.index('class="preview"') :]
    rendered = preview[preview.index("before") : preview.index("after")]
    for live in (
        "<script>attack",
        "<img src=x",
        "<svg",
        'href="javascript:',
        'src="javascript:',
        'href="data:',
        '"vbscript:',
        '" onmouseover="',
        '" onerror="',
    ):
        assert live not in rendered
    thief.send("/users:start", {**hidden, "id": "users:start", "do[draftdel]": "1"})


@pytest.fixture
def uploaded(thief, facility):
    """Upload a file among users' own; say whether the wiki has it, which is gone afterwards."""

    def upload(name, content):
        token = thief.hidden("/users:start?do=edit")["sectok"]
        query = f"call=mediaupload&ns=users&mediaid={name}&qqfile={name}&sectok={token}"
        thief.ask("POST", f"/lib/exe/ajax.php?{query}", {"Content-Type": "application/octet-stream"}, content)
        return facility.inside(HOST, "test", "-e", f"/var/lib/dokuwiki/data/media/users/{name}").returncode == 0

    yield upload
    data = "cd /var/lib/dokuwiki/data && "
    facility.inside(HOST, "sh", "-c", data + "rm -f media/users/attack.* media_meta/users/attack.*")
    facility.inside(HOST, "sh", "-c", data + "sed -i '/users:attack[.]/d' meta/_media.changes")


@pytest.mark.parametrize("name", UPLOADS)
def test_no_file_that_a_browser_or_the_server_runs_is_taken(uploaded, name):
    assert not uploaded(name, "<?php attack();")


def test_a_drawing_with_a_script_is_not_taken(uploaded):
    drawing = '<svg xmlns="http://www.w3.org/2000/svg"><script>attack()</script></svg>'
    assert not uploaded("attack.svg", drawing)


@pytest.mark.parametrize(
    "page", ["config", "acl", "usermanager", "extension", "revert", "popularity", "logviewer", "styling"]
)
def test_a_user_sees_no_page_of_administrators(thief, page):
    shown = thief.open(f"/start?do=admin&page={page}").text
    assert f'name="page" value="{page}"' not in shown
    assert "config__manager" not in shown
    assert "acl__tree" not in shown
