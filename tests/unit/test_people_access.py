# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what: told by hand for the cases that people ask about, and by properties for all the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from facility.core.program_files import imported
from facility.people.access import LOG_ON, PPMS, Decision, Outcome, decide
from facility.people.demand import ends_of
from facility.people.facts import Block, Fact, Facts, Known, Use
from tests.people_facts import (
    DAYS,
    attended,
    colleagues,
    day,
    exemption,
    months_after,
    paper,
    person,
    planned,
    policy,
    recorded,
    strict_policy,
)


def decided(facts: Sequence[Fact], on: date, rules=None, login: str = "anna") -> Decision:
    known = Known(facts)
    return decide(known.people[login], known, rules or policy(), on)


def anna(*facts: Any, on: date, **changes: Any) -> Decision:
    """What holds for Anna with these facts, or lists of facts."""
    flat = [one for fact in facts for one in (fact if isinstance(fact, list) else [fact])]
    return decided([*colleagues(), person(**changes), *flat], on)


def codes(outcome: Outcome) -> list[tuple[str, str]]:
    return [(reason.code, reason.requirement) for reason in outcome.reasons]


# --- Told by hand -----------------------------------------------------------------------------------------------------


def test_a_new_person_may_read_the_wiki_and_hears_of_each_other_door_what_is_missing_and_who_can_cure_it():
    decision = anna(on=day(5))
    assert [name for name, outcome in decision.doors.items() if outcome.open] == ["wiki", "log-on:bench"]
    (share,) = decision.doors["share"].reasons
    assert (share.code, share.requirement, share.since) == ("never", "safety", None)
    assert (share.cure, share.who) == ("take part in safety briefing", ("staff",))
    assert codes(decision.doors["log-on:twin"]) == [
        ("never", "safety"), ("never", "s2"), ("never", "paper"), ("never_trained", "twin"),
    ]  # fmt: skip
    assert decision.doors["log-on:lamp"].reasons[-1].who == ("thomas",)


def test_a_briefing_opens_the_door_up_to_the_same_day_of_the_month_then_grace_then_it_is_shut():
    facts = attended("safety", date(2026, 3, 3))
    assert anna(facts, on=date(2026, 3, 2)).doors["share"].state == "denied"
    share = anna(facts, on=date(2026, 3, 3)).doors["share"]
    assert (share.state, share.until, share.closes, share.reasons) == (
        "allowed", date(2026, 5, 3), date(2026, 5, 13), (),
    )  # fmt: skip
    last = anna(facts, on=date(2026, 5, 3))
    assert (last.doors["share"].state, last.next_change) == ("allowed", date(2026, 5, 4))
    grace = anna(facts, on=date(2026, 5, 4)).doors["share"]
    assert (grace.state, grace.until, grace.closes) == ("grace", date(2026, 5, 13), date(2026, 5, 13))
    assert (grace.reasons[0].code, grace.reasons[0].since) == ("grace", date(2026, 5, 4))
    assert anna(facts, on=date(2026, 5, 13)).doors["share"] == grace
    shut = anna(facts, on=date(2026, 5, 14)).doors["share"]
    assert (shut.state, shut.until, codes(shut)) == ("denied", None, [("expired", "safety")])
    assert shut.reasons[0].since == date(2026, 5, 14)


@pytest.mark.parametrize(
    ("first", "months", "last"),
    [
        (date(2026, 5, 3), 12, date(2027, 5, 3)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2026, 8, 31), 1, date(2026, 9, 30)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
        (date(2027, 12, 31), 2, date(2028, 2, 29)),
        (date(2026, 11, 30), 1, date(2026, 12, 30)),
        (date(9999, 1, 1), 12, date.max),
        (date(2026, 1, 1), None, date.max),
    ],
)
def test_months_end_on_the_same_day_or_on_the_last_that_the_month_has(first, months, last):
    assert ends_of(first, months) == last


def test_a_renewal_before_the_end_leaves_no_gap_and_its_end_counts():
    facts = [*attended("safety", day(0), 1), *attended("safety", day(40), 2)]
    share = anna(facts, on=day(10)).doors["share"]
    assert (share.until, share.closes) == (months_after(day(40), 2), months_after(day(40), 2) + timedelta(days=10))


def test_a_session_that_is_only_planned_or_was_failed_gives_nothing():
    assert not anna(planned(day(3)), on=day(5)).doors["share"].open
    # The rules refuse such a result; should one come all the same, it gives nothing either.
    assert not anna(planned(day(3), result="attended"), on=day(5)).doors["share"].open
    assert not anna(attended("safety", day(3), result="failed"), on=day(5)).doors["share"].open


def test_an_electronic_briefing_counts_with_its_test_alone():
    assert anna(attended("laser", day(3), result="passed"), on=day(5)).standing["laser"].open
    assert not anna(attended("laser", day(3), result="attended"), on=day(5)).standing["laser"].open


def test_where_a_proof_is_required_an_attendance_counts_with_it_alone():
    assert anna(attended("s2", day(3)), on=day(5)).standing["s2"].open
    assert not anna(attended("s2", day(3), proof=False), on=day(5)).standing["s2"].open
    (session, proof, attendance) = attended("s2", day(3))
    revoked = replace(proof, revoked_by="sabine", revoked_at=day(4), revoke_reason="wrong paper")
    assert not anna(session, revoked, attendance, on=day(5)).standing["s2"].open
    assert anna(session, attendance, on=day(5)).standing["s2"].state == "denied"


def test_a_document_counts_up_to_its_own_end():
    assert anna(paper(day(1)), on=day(200)).standing["paper"] == Outcome("allowed", None, None, ())
    dated = anna(paper(day(1), valid_until=day(20)), on=day(5)).standing["paper"]
    assert (dated.until, dated.closes) == (day(20), day(25))


def test_an_exception_opens_between_its_days_and_the_door_says_so():
    facts = exemption("safety", day(10), day(20))
    assert not anna(facts, on=day(9)).doors["share"].open
    share = anna(facts, on=day(10)).doors["share"]
    assert (share.state, share.until, codes(share)) == ("allowed", day(20), [("exception", "safety")])
    assert not anna(facts, on=day(21)).doors["share"].open


def test_an_exception_for_an_instrument_stands_for_its_training_and_for_no_briefing():
    facts = exemption("lamp", day(10), day(20))
    assert anna(facts, on=day(15)).doors["log-on:lamp"].open
    without_briefing = anna(exemption("confocal", day(10), day(20)), on=day(15)).doors["log-on:confocal"]
    assert codes(without_briefing) == [("never", "safety"), ("never", "laser"), ("exception", "confocal")]


def test_someone_on_leave_finds_all_shut_and_comes_back_to_what_still_counts():
    leave = Block(id="b", **recorded(), person="anna", begins=day(10), ends=day(20), reason="leave")
    facts = [*attended("safety", day(0)), leave]
    before = anna(facts, on=day(9))
    assert (before.doors["share"].until, before.next_change) == (day(9), day(10))
    during = anna(facts, on=day(10))
    assert codes(during.account) == [("blocked", "leave")]
    assert not any(outcome.open for outcome in during.doors.values())
    assert during.next_change == day(21)
    assert anna(facts, on=day(21)).doors["share"].open


def test_someone_who_left_stays_out_until_the_block_is_revoked_and_the_past_stays_as_it_was():
    left = Block(id="b", **recorded(day(10)), person="anna", begins=day(10), reason="left")
    assert (anna(left, on=day(200)).doors["wiki"].open, anna(left, on=day(200)).next_change) == (False, day(DAYS + 1))
    back = replace(left, revoked_by="sabine", revoked_at=day(30), revoke_reason="has come back")
    assert anna(back, on=day(200)).doors["wiki"].open
    then = Known([person(), back], day(20))
    assert not decide(then.people["anna"], then, policy(), day(20)).doors["wiki"].open


def test_several_blocks_are_told_in_one_order_and_each_end_is_a_change():
    blocks = [
        Block(id=f"b{number}", **recorded(), person="anna", begins=day(first), ends=day(last), reason=reason)
        for number, (first, last, reason) in enumerate([(5, 20, "leave"), (5, 12, "unpaid"), (1, 30, "misuse")])
    ]
    for order in (blocks, blocks[::-1]):
        decision = anna(*order, on=day(6))
        assert [requirement for _, requirement in codes(decision.account)] == ["misuse", "unpaid", "leave"]
        assert decision.next_change == day(13)


def test_a_long_briefing_is_not_shortened_by_a_document_that_ends_earlier():
    facts = [paper(day(0), 1, valid_until=day(100)), paper(day(10), 2, valid_until=day(20))]
    assert anna(*facts, on=day(15)).standing["paper"].until == day(100)


def test_a_block_of_one_door_or_instrument_shuts_that_alone():
    facts = [*attended("safety", day(0)), Block(id="b", **recorded(), person="anna", begins=day(1), reason="misuse",
                                               door="share")]  # fmt: skip
    assert {name for name in ("wiki", "share") if anna(facts, on=day(2)).doors[name].open} == {"wiki"}
    bench = Block(id="c", **recorded(), person="anna", begins=day(1), ends=day(3), reason="safety", instrument="bench")
    decision = anna(bench, on=day(2))
    assert codes(decision.doors["log-on:bench"]) == [("blocked", "safety")]
    assert decision.account.open


def test_before_the_first_day_and_after_the_last_nothing_is_open():
    early = anna(on=day(3), valid_from=day(5))
    assert codes(early.doors["wiki"]) == [("not_begun", "account")]
    assert early.next_change == day(5)
    late = anna(on=day(51), valid_until=day(50))
    assert codes(late.doors["wiki"]) == [("ended", "account")]
    assert late.account.reasons[0].since == day(51)
    assert late.next_change is None


def test_several_demands_with_different_ends_the_earliest_counts():
    facts = [*attended("safety", day(0), 1), *attended("laser", day(10), 2), *attended("confocal", day(10), 3)]
    confocal = anna(facts, on=day(15)).doors["log-on:confocal"]
    assert confocal.closes == months_after(day(10), 1)
    assert confocal.until == confocal.closes < anna(facts, on=day(15)).doors["share"].until


def test_training_on_an_equivalent_instrument_counts_and_briefings_stay_demanded():
    decision = anna(attended("confocal", day(0)), on=day(5))
    assert decision.standing["training:twin"].open
    assert codes(decision.doors["log-on:twin"]) == [("never", "safety"), ("never", "s2"), ("never", "paper")]


def use(number: int, instrument: str = "confocal") -> Use:
    return Use(id=f"u{number}", **recorded(day(number)), person="anna", instrument=instrument, date=day(number))


def test_training_lapses_by_disuse_where_use_is_known_and_nowhere_else():
    trained = attended("confocal", day(0))
    assert anna(trained, on=day(200)).standing["training:confocal"].open
    lapsed = anna(trained, use(20), on=day(51)).standing["training:confocal"]
    assert codes(lapsed) == [("disused", "confocal")]
    assert lapsed.reasons[0].since == day(51)
    assert anna(trained, use(20), use(45, "twin"), on=day(51)).standing["training:confocal"].until == day(75)


def test_use_after_a_lapse_does_not_bring_the_training_back():
    assert not anna(attended("confocal", day(0)), use(20), use(60), on=day(61)).standing["training:confocal"].open
    assert anna(attended("confocal", day(0), 1), attended("confocal", day(58), 2), use(20), use(60),
                on=day(61)).standing["training:confocal"].open  # fmt: skip


def test_who_may_train_on_an_instrument_needs_no_training_there():
    facts = [*colleagues(), person()]
    doors = {login: decided(facts, day(5), login=login).doors for login in ("sabine", "thomas")}
    assert doors["thomas"]["log-on:lamp"].open
    assert codes(doors["sabine"]["log-on:lamp"]) == [("never_trained", "lamp")]
    assert codes(doors["sabine"]["log-on:confocal"]) == [("never", "safety"), ("never", "laser")]


def test_ppms_knows_instruments_with_a_number_and_follows_their_log_on():
    doors = anna(attended("safety", day(0)), on=day(5)).doors
    assert [name for name in doors if name.startswith(PPMS)] == ["ppms:confocal", "ppms:twin"]
    assert all(doors[name] == doors[name.replace(PPMS, LOG_ON)] for name in doors if name.startswith(PPMS))


def test_with_a_policy_that_demands_nothing_every_account_opens_every_door():
    from facility.people import policy as policy_module
    from tests.people_facts import facility

    plain = [{key: entry[key] for key in ("name", "title", "host", "location", "biosafety")}
             for entry in facility()["instruments"]]  # fmt: skip
    today = facility(requirements=..., door_demands=..., biosafety_demands=..., instruments=plain)
    decision = decided([person()], day(5), policy_module.validated(today))
    assert set(decision.doors) == {"wiki", "share", "omero", *(f"{LOG_ON}{entry['name']}" for entry in plain)}
    assert all(outcome == Outcome("allowed", day(DAYS), day(DAYS), ()) for outcome in decision.doors.values())


def test_what_every_door_demands_ends_the_log_in():
    facts = [*colleagues(), person(), *attended("safety", day(0))]
    assert decided(facts, day(5), strict_policy()).log_in.closes == months_after(day(0), 2) + timedelta(days=10)
    assert decided(facts, day(5)).log_in.closes == day(DAYS)


def test_could_she_on_that_day_and_who_knew_it_when():
    facts = Facts.of(
        [person(), *colleagues(), *(replace(fact, recorded_at=day(30)) for fact in attended("safety", day(3)))]
    )
    now, then = facts.known(), facts.known(day(20))
    assert decide(now.people["anna"], now, policy(), day(10)).doors["share"].open
    assert not decide(then.people["anna"], then, policy(), day(10)).doors["share"].open


def test_the_decision_and_what_follows_from_it_need_the_standard_library_alone(repository):
    sources = repository / "src"
    waiting, seen, foreign = ["facility.people.access", "facility.people.wishes"], set(), set()
    while waiting:
        name = waiting.pop()
        path = sources.joinpath(*name.split(".")).with_suffix(".py")
        if name in seen or not path.exists():
            continue
        seen.add(name)
        for _, target in imported(path.relative_to(sources).as_posix(), path.read_text()):
            if target.startswith("facility."):
                waiting += [target, target.rpartition(".")[0]]
            else:
                foreign.add(target.split(".")[0])
    assert len(seen) > 5
    import sys

    assert foreign - set(sys.stdlib_module_names) == set()
