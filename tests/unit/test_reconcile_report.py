# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of a comparison: in the order of harm, on one page, with nobody's secrets and nothing from elsewhere."""

import json
import re
import time

from hypothesis import given
from hypothesis import strategies as st

from facility.reconcile.events import Drift, Fault, Looked
from facility.reconcile.page import drawn
from facility.reconcile.verdict import Asked, judged

NOW = "2026-12-01T03:10:00+01:00"
GOOD = Asked("wiki1", "wiki", ok=True)


def looked(service="wiki", tasks=5, **more):
    return Looked(service, tasks=tasks, hosts={"wiki1"}, **more)


def report(*each, asked=(GOOD,), **more):
    return judged("2026-12-01T03:00:00+01:00", NOW, revision="a" * 40, looked=each, mended=(), asked=asked, **more)


def event(kind, host="wiki1", uuid="t1", task="The wiki has its settings", **more):
    return {"event": kind, "event_data": {"host": host, "task": task, "role": "wiki", "task_uuid": uuid, **more}}


def test_what_would_change_is_drift_and_handlers_only_follow_from_it():
    seen = Looked("wiki")
    for one in (
        event("runner_on_ok", res={"changed": False}),
        event(
            "runner_on_ok",
            res={"changed": True, "changed_paths": ["/etc/dokuwiki/local.php"], "diff": [{"after": "S3"}]},
        ),
        event("runner_on_skipped"),
        {"event": "playbook_on_handler_task_start", "event_data": {"task_uuid": "h1"}},
        event("runner_on_ok", uuid="h1", task="Restart", res={"changed": True}),
        event("runner_item_on_ok", res={"changed": True}),
        event("runner_on_failed", ignore_errors=True, res={"msg": "so what"}),
    ):
        seen.see(one)
    assert seen.drift == [Drift("wiki", "wiki1", "wiki: The wiki has its settings", ("/etc/dokuwiki/local.php",))]
    assert (seen.tasks, seen.skipped, seen.faults) == (5, 1, [])


def test_a_failure_that_hides_what_it_says_is_told_without_it():
    seen = Looked("wiki")
    seen.see(event("runner_on_failed", res={"censored": "the output has been hidden", "msg": "password x"}))
    seen.see(event("runner_on_unreachable", host="omero1", res={"msg": "Failed to connect\nto the host"}))
    assert seen.faults == [
        Fault(
            "wiki", "wiki1", "wiki: The wiki has its settings", "the task hides what it says: run the playbook by hand"
        ),
        Fault("wiki", "omero1", "", "Failed to connect to the host"),
    ]
    assert seen.unreachable == {"omero1"}


def test_a_comparison_that_looked_at_nothing_is_never_green():
    assert report(looked(tasks=0, empty=True)).status == 3
    assert report(looked(tasks=0)).status == 3
    assert report(looked(), asked=()).status == 3
    assert report(looked(), looked("devices", tasks=0, empty=True)).status == 0


def test_the_most_harmful_comes_first():
    drift = [Drift("wiki", "wiki1", "wiki: Settings", ("/etc/x",))]
    faults = [Fault("wiki", "wiki1", "wiki: Other", "no"), Fault("wiki", "omero1", "", "away")]
    bad = Asked("omero1", "omero_server", ok=False, message="no answer")
    found = report(looked(drift=drift, faults=faults, unreachable={"omero1"}), asked=(GOOD, bad))
    assert found.status == 3
    assert [line.split(" ")[0] for line in found.needs_person] == ["omero1:", "omero1", "wiki1:", "wiki1"]
    assert found.asked[0] == bad


def test_a_page_needs_nothing_from_elsewhere_and_shows_texts_as_they_are():
    evil = Drift("wiki", "<script>alert(1)</script>", "a & b", ("</td><img src=x>",))
    found = report(looked(drift=[evil])).document()
    text = drawn(found, [found] * 3, "Imaging <b>")
    assert "<script" not in text and "<img" not in text and "<b>" not in text
    assert re.findall(r"""<(?:link|img|iframe|object)|href=|url\(|@import""", text) == []
    assert "1 of" not in text and "Something differs" in text
    assert text.count("<rect") == 3


def test_a_page_of_a_thousand_hosts_is_small_and_drawn_at_once():
    drift = [Drift("wiki", f"host{number}.example.org", "wiki: Settings", ("/etc/x",)) for number in range(1000)]
    asked = [Asked(f"host{number}.example.org", "base", ok=True) for number in range(1000)]
    found = report(looked(drift=drift, tasks=40_000), asked=asked).document()
    began = time.process_time()
    text = drawn(found, [found] * 30, "Imaging")
    assert time.process_time() - began < 10
    assert len(text) < 3_000_000
    # What has to be done is on the first screen.
    assert text.index("What needs a person") < text.index("What was compared")


@given(st.lists(st.builds(Drift, st.sampled_from(["a", "b"]), st.text(), st.text(), st.tuples(st.text())), max_size=5))
def test_every_report_is_json_and_a_page(drift):
    found = report(looked("a", drift=drift), looked("b")).document()
    assert json.loads(json.dumps(found))["status"] == found["status"]
    assert drawn(found, [], "x").startswith("<!DOCTYPE html>")
