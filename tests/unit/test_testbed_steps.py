# SPDX-License-Identifier: GPL-3.0-or-later
"""Long commands: what a person sees of each step, and how they are counted."""

from __future__ import annotations

import json
import sys

import pytest

from testbed import steps
from testbed.steps import Step, finish, run_all, table


@pytest.fixture(autouse=True)
def logs(tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "LOGS", tmp_path / "logs")
    return tmp_path / "logs"


def python(name, program, **more):
    return Step(name, [sys.executable, "-c", program], again=f"make {name}", **more)


def junit(path, tests, failures=0, errors=0, skipped=0):
    return (
        f'open({str(path)!r}, \'w\').write(\'<testsuites><testsuite tests="{tests}" failures="{failures}" '
        f'errors="{errors}" skipped="{skipped}"/></testsuites>\')'
    )


def test_each_step_says_that_it_runs_and_how_long_it_took(capfd):
    _, good = run_all([python("one", "pass"), python("two", "pass")])
    printed = capfd.readouterr().out
    assert good
    for expected in ("[1/2] one …", "[1/2] one: done in 0.", "[2/2] two …", "[2/2] two: done in 0."):
        assert expected in printed


def test_what_a_good_step_says_is_only_kept_in_its_log(capfd, logs):
    run_all([python("lint: types", "print('all is well')")])
    assert "all is well" not in capfd.readouterr().out
    assert (logs / "lint-types.log").read_text() == "all is well\n"


def test_a_shown_step_speaks_for_itself(capfd):
    run_all([python("one", "print('look at me')", shown=True)])
    assert "look at me" in capfd.readouterr().out


def test_a_fault_ends_the_run_with_its_log_and_the_command_to_repeat(capfd, tmp_path):
    never = tmp_path / "never"
    fault = "import sys; print('said'); print('complained', file=sys.stderr); sys.exit(3)"
    run, good = run_all([python("one", fault), python("two", f"open({str(never)!r}, 'w')")])
    printed = capfd.readouterr().out
    assert not good
    assert "said" in printed
    assert "complained" in printed
    assert "[1/2] one: FAILED after 0." in printed
    assert "(status 3)" in printed
    assert printed.rstrip().endswith("To repeat just this step: make one")
    assert [outcome.name for outcome in run.outcomes] == ["one"]
    assert not never.exists()


def test_neighbours_that_may_run_beside_each_other_and_others_wait_for_them(capfd, tmp_path):
    # Each of the two ends only when the other has begun.
    meet = "import pathlib, time; here, there = (pathlib.Path({folder!r}) / name for name in {names!r}); here.touch()\n"
    meet += "for _ in range(500):\n    if there.exists(): break\n    time.sleep(0.02)\nelse: raise SystemExit(1)"
    one = python("one", meet.format(folder=str(tmp_path), names=["1", "2"]), beside="some")
    two = python("two", meet.format(folder=str(tmp_path), names=["2", "1"]), beside="some")
    run, good = run_all([python("first", "pass"), one, two, python("last", "pass")])
    assert good
    assert run.outcomes[0].name == "first"
    assert run.outcomes[-1].name == "last"
    printed = capfd.readouterr().out
    assert printed.index("[4/4] last …") > printed.index("two: done")


def test_neighbours_that_belong_together_run_one_after_the_other_beside_others(tmp_path):
    meet = "import pathlib, sys, time; names = {names}; place = pathlib.Path({folder!r}); (place / names[0]).touch()\n"
    meet += "while not (place / names[1]).exists(): time.sleep(0.01)"
    one = python("one", f"open({str(tmp_path / 'made')!r}, 'x')", beside="some", together="pair")
    two = python("two", f"open({str(tmp_path / 'made')!r})\n" + meet.format(folder=str(tmp_path), names=["1", "2"]),
                 beside="some", together="pair")  # fmt: skip
    other = python("other", meet.format(folder=str(tmp_path), names=["2", "1"]), beside="some")
    run, good = run_all([one, two, other])
    assert good
    assert next(outcome.name for outcome in run.outcomes) == "one"


def test_of_those_that_belong_together_none_begins_after_a_fault(tmp_path):
    never = tmp_path / "never"
    bad = python("bad", "raise SystemExit(1)", beside="some", together="pair")
    late = python("late", f"open({str(never)!r}, 'w')", beside="some", together="pair")
    _, good = run_all([bad, late])
    assert not good
    assert not never.exists()


def test_after_a_fault_no_neighbour_begins(tmp_path):
    never = tmp_path / "never"
    wait = "import time; time.sleep(0.3)"
    steps_ = [python("slow", wait, beside="some"), python("bad", "raise SystemExit(1)", beside="some")]
    _, good = run_all([*steps_, python("late", f"open({str(never)!r}, 'w')", beside="some"), python("last", "pass")])
    assert not good
    assert not never.exists()


def test_a_step_without_a_report_counts_as_one(capfd):
    run, good = run_all([python("one", "pass"), python("two", "raise SystemExit(1)")])
    assert finish(run, good) == 1
    assert capfd.readouterr().out.splitlines()[-1] == "1 passed, 1 failed"


def test_the_tests_of_a_report_are_counted(capfd, tmp_path):
    report = tmp_path / "report.xml"
    run, good = run_all([python("unit", junit(report, 9, skipped=2), junit=report), python("lint", "pass")])
    assert finish(run, good) == 0
    assert capfd.readouterr().out.splitlines()[-1] == "8 passed, 0 failed, 2 skipped"


def test_failures_and_errors_of_a_report_both_fail(capfd, tmp_path):
    report = tmp_path / "report.xml"
    program = junit(report, 9, failures=2, errors=1) + "; raise SystemExit(1)"
    run, good = run_all([python("unit", program, junit=report)])
    assert finish(run, good) == 1
    assert capfd.readouterr().out.splitlines()[-1] == "6 passed, 3 failed"


def test_a_step_that_ended_badly_counts_as_failed_although_its_report_is_good(tmp_path, capfd):
    report = tmp_path / "report.xml"
    run, good = run_all([python("unit", junit(report, 4) + "; raise SystemExit(4)", junit=report)])
    assert finish(run, good) == 1
    assert capfd.readouterr().out.splitlines()[-1] == "4 passed, 1 failed"


def test_a_step_that_wrote_no_report_and_failed_counts_as_one_failure(tmp_path, capfd):
    run, good = run_all([python("unit", "raise SystemExit(4)", junit=tmp_path / "none.xml")])
    assert finish(run, good) == 1
    assert capfd.readouterr().out.splitlines()[-1] == "0 passed, 1 failed"


def test_what_failed_and_why_is_said_again_at_the_end(tmp_path, capfd):
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite tests="2" failures="1"><testcase name="test_good"/><testcase name="test_bad">'
        f'<failure message="cut short">first words{"." * 5000}last words</failure></testcase></testsuite></testsuites>'
    )
    run, _ = run_all([python("unit", "raise SystemExit(1)", junit=report)])
    finish(run, good=False)
    _, _, end = capfd.readouterr().out.partition("skipped\n")
    assert "unit: test_bad\n    … ..." in end
    assert "last words\n\n1 passed, 1 failed" in end
    assert "test_good" not in end


def test_the_end_of_the_log_is_said_again_where_no_test_tells_what_failed(capfd):
    run, _ = run_all([python("lint", "print('x' * 5000); print('line too long'); raise SystemExit(1)")])
    finish(run, good=False)
    _, _, end = capfd.readouterr().out.partition("skipped\n")
    assert end.rstrip().endswith("line too long\n\n0 passed, 1 failed")
    assert len(end) < 2000


def test_a_table_aligns_words_left_and_numbers_right():
    rows = [("step", "seconds"), ("lint", "1.5"), ("acceptance", "120.0")]
    assert table(rows).splitlines() == [
        "step        seconds",
        "----------  -------",
        "lint            1.5",
        "acceptance    120.0",
    ]


def test_the_phases_of_scenarios_have_a_table_and_the_last_line_stays_the_last(capfd, tmp_path):
    notes = tmp_path / "phases.json"
    program = f'open({str(notes)!r}, \'w\').write(\'{{"phases": {{"create": 12.5, "verify": 100.0}}}}\')'
    run, good = run_all([python("scenario: wiki", program, phases=notes), python("two", "pass")])
    assert finish(run, good) == 0
    lines = capfd.readouterr().out.splitlines()
    (head,) = (line for line in lines if line.startswith("seconds of"))
    assert head.split()[2:] == ["create", "prepare", "converge", "idempotence", "verify", "destroy"]
    assert lines[lines.index(head) + 2].split() == ["scenario:", "wiki", "12.5", "0.0", "0.0", "0.0", "100.0", "0.0"]
    assert lines[-1] == "2 passed, 0 failed"


def test_a_run_notes_what_came_of_each_step(tmp_path):
    run, _ = run_all([python("one", "pass"), python("two", "raise SystemExit(1)")])
    run.note(tmp_path / "results" / "steps.json")
    noted = json.loads((tmp_path / "results" / "steps.json").read_text())
    assert [(step["name"], step["passed"], step["failed"]) for step in noted] == [("one", 1, 0), ("two", 0, 1)]
    assert all(step["seconds"] > 0 for step in noted)
