# SPDX-License-Identifier: GPL-3.0-or-later
"""The wiki comes back from a copy of its files, as docs/services/wiki.md says."""

import time


def test_a_wiki_that_was_lost_comes_back_with_its_history(host, logged_in, converge):
    staff = logged_in("staff")
    assert staff.edit("safety:rescued", "First text")
    time.sleep(1.1)  # revisions are named by the second
    assert staff.edit("safety:rescued", "Second text")
    host.run_expect(
        [0],
        "tar --create --gzip --file /root/wiki.tar.gz --directory /var/lib/dokuwiki --exclude=data/cache "
        "--exclude=data/locks --exclude=data/tmp --exclude=data/index data",
    )
    host.run_expect([0], "apt-get purge -qq -y dokuwiki; rm -rf /var/lib/dokuwiki /etc/dokuwiki /usr/share/dokuwiki")
    assert "failed=0" in converge().stdout
    host.run_expect([0], "systemctl stop php8.4-fpm")
    host.run_expect([0], "cd /var/lib/dokuwiki/data && rm -r pages attic meta media media_attic media_meta")
    host.run_expect([0], "tar --extract --gzip --file /root/wiki.tar.gz --directory /var/lib/dokuwiki")
    host.run_expect([0], "chown -R www-data: /var/lib/dokuwiki/data && systemctl start php8.4-fpm")
    host.run_expect([0], "runuser -u www-data -- php /usr/share/dokuwiki/bin/indexer.php --clear")
    assert "Second text" in logged_in("staff").open("safety:rescued")[1]
    assert host.check_output("ls /var/lib/dokuwiki/data/attic/safety | grep -c ^rescued") == "2"
    assert "safety:rescued" in staff.open("start?do=search&q=second")[1]
    # Whose page is whose is known from the restored history.
    run = converge(seeded_reminders="Later still.")
    assert "failed=0" in run.stdout
    assert "reminders: edited by staff" in run.stdout
