# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of the pages that were seeded."""

import re

from tests.refusals import refusals


def revisions(host, page):
    path = page.replace(":", "/")
    return host.check_output(f"cut -f3,5,6 /var/lib/dokuwiki/data/meta/{path}.changes").splitlines()


def test_seeded_pages_have_a_history_and_are_found(host, logged_in):
    assert re.fullmatch(r"C\tfacility:seed\tSeeded by the facility \[[0-9a-f]{16}\]", revisions(host, "start")[0])
    assert "safety:requirements" in logged_in("reader").open("start?do=search&q=goggles")[1]


def test_peoples_work_survives_and_the_facilitys_own_is_brought_up_to_date(host, logged_in, converge):
    staff = logged_in("staff")
    assert staff.edit("reminders", "Edited by a person", summary="Seeded by the facility [0123456789abcdef]")
    assert staff.edit("imprint", "")
    run = converge(seeded_reminders="As seeded later.", seeded_hours="====== Hours ======\nNine to five.")
    assert "failed=0" in run.stdout, run.stdout
    assert "reminders: edited by staff" in run.stdout
    assert "imprint: deleted by staff" in run.stdout
    assert "Edited by a person" in staff.open("reminders")[1]
    assert "For everybody" not in staff.open("imprint")[1]
    assert "Nine to five" in staff.open("safety:hours")[1]
    # The text before is still in the wiki's history.
    assert [line[0] for line in revisions(host, "safety:hours")] == ["C", "E"]
    old = host.check_output("ls /var/lib/dokuwiki/data/attic/safety | grep ^hours | head -1").split(".")[1]
    assert "As seeded" in staff.open(f"safety:hours?rev={old}")[1]
    assert "changed=0" in converge(
        seeded_reminders="As seeded later.", seeded_hours="====== Hours ======\nNine to five."
    ).stdout  # fmt: skip


MACRO = 'run("Gaussian Blur...", "sigma=2");'
PROGRAMS = {
    "python": "def f(x):\n    return x",
    "java": MACRO,
    "matlab": "for i=1:3; end",
    "bash": "if true; then :; fi",
}


def test_every_syntax_that_the_wiki_offers_is_shown_to_the_end_of_the_page(host, logged_in):
    staff = logged_in("staff")
    # DokuWiki's own page about its syntax has all of it.
    text = host.check_output("cat /var/lib/dokuwiki/data/pages/wiki/syntax.txt")
    for language, program in PROGRAMS.items():
        text += f"\n<code {language}>\n{program}\n</code>\n<file {language} program.txt>\n{program}\n</file>\n"
    text += "\n{{rss>https://127.0.0.1/feed 5 author 1h}}\n\nThe page ends here.\n"
    staff.edit("reminders", text)
    shown = staff.open("reminders")[1]
    assert "The page ends here." in shown
    assert "Error" not in shown.replace("Error log", "")
    assert shown.count('class="kw') > len(PROGRAMS)
    assert "shows no news of other servers" in shown


def test_a_page_that_somebody_is_editing_waits(host, logged_in, converge):
    staff = logged_in("staff")
    staff.open("safety:hours?do=edit")
    run = converge(seeded_hours="====== Hours ======\nNine to six.")
    assert "safety:hours: staff has it open in the editor" in run.stdout, run.stdout
    host.run("rm /var/lib/dokuwiki/data/locks/*")
    run = converge(seeded_hours="====== Hours ======\nNine to six.")
    assert "Nine to six" in staff.open("safety:hours")[1], run.stdout


REFUSED = [
    ({"wiki_directory_uri": "ldap://dc1.wiki.test"}, "must be ldaps://host"),
    ({"wiki_public_pages": ["Safety Rules"]}, '"Safety Rules" is no page id'),
    ({"wiki_acl": [{"page": "*", "group": "g", "permission": "write"}]}, "read, edit, create, upload, delete"),
    ({"wiki_tls_key": "/etc/facility/tls/none.key"}, "playbooks/base.yml first"),
]


def test_settings_that_can_not_work_are_refused_with_the_cure(tmp_path):
    refused = refusals("wiki", "wiki1.wiki.test", [settings for settings, _ in REFUSED], tmp_path)
    for settings, words in REFUSED:
        assert words in refused.said(settings)
    assert "changed=0" in refused.run.stdout
