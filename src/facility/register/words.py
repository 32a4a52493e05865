# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read of doors, demands and reasons, in their own language."""

from __future__ import annotations

from typing import NamedTuple

from django.utils import translation

from ..people.access import LOG_ON, PPMS, Decision, Outcome
from ..people.demand import Reason
from ..people.facts import Attendance, Block, Document, Exemption, Fact, Person, Session, Use
from ..people.policy import Policy

TRAINING = "training:"


def _(text: str) -> str:
    return str(translation.gettext(text))


class Door(NamedTuple):
    """A door as a page shows it."""

    name: str
    title: str
    outcome: Outcome
    reasons: tuple[Why, ...]


class Why(NamedTuple):
    """Why a door is not simply open, and what cures it.

    Attributes:
        text, cure, who: in words; who are logins, or staff.
        about: what the session that cures it is about, requirement:<name> or instrument:<name>; "" if none does.
        document: the requirement for which a document cures it; "" if none does.
    """

    text: str
    cure: str
    who: tuple[str, ...]
    about: str
    document: str


def doors(decision: Decision, policy: Policy) -> list[Door]:
    """All doors but PPMS's, which are those of the same instrument."""
    return [
        Door(name, door_title(name, policy), outcome, tuple(why(reason, policy) for reason in outcome.reasons))
        for name, outcome in decision.doors.items()
        if not name.startswith(PPMS)
    ]


def door_title(name: str, policy: Policy) -> str:
    """A door as people call it."""
    if name.startswith((LOG_ON, PPMS)):
        prefix, _colon, instrument = name.partition(":")
        title = policy.instruments[instrument].title if instrument in policy.instruments else instrument
        return _("PPMS: %(title)s") % {"title": title} if f"{prefix}:" == PPMS else title
    return {"wiki": _("Wiki"), "share": _("Drive X"), "omero": _("OMERO")}.get(name, name)


def state_word(state: str) -> str:
    """How a door stands, in a word."""
    return {"allowed": _("open"), "grace": _("open, grace")}.get(state, _("shut"))


def demand_title(name: str, policy: Policy) -> str:
    """A requirement, a training or an account as people call it."""
    instrument = name.removeprefix(TRAINING)
    if name == "account":
        return _("account")
    if name in policy.requirements:
        return policy.requirements[name].title
    if instrument in policy.instruments:
        return _("training: %(title)s") % {"title": policy.instruments[instrument].title}
    return name


def why(reason: Reason, policy: Policy) -> Why:
    """A reason in words."""
    told = {"what": demand_title(reason.requirement, policy), "since": reason.since, "until": reason.until}
    text = {
        "never": _("%(what)s: never recorded"),
        "expired": _("%(what)s: ran out, missing since %(since)s"),
        "grace": _("%(what)s: ran out, still accepted until %(until)s"),
        "exception": _("%(what)s: an exception holds until %(until)s"),
        "never_trained": _("%(what)s: never trained"),
        "training_expired": _("%(what)s: the training ran out, missing since %(since)s"),
        "disused": _("%(what)s: not used for too long, since %(since)s"),
        "not_begun": _("the account begins on %(until)s"),
        "ended": _("the account ended, since %(since)s"),
        "blocked": _("blocked (%(what)s) since %(since)s"),
        "it_admin": _("an IT administrator, who is never changed here"),
    }.get(reason.code, "%(what)s")
    about = document = ""
    if reason.requirement in policy.requirements:
        if policy.requirements[reason.requirement].form == "document":
            document = reason.requirement
        else:
            about = f"requirement:{reason.requirement}"
    elif reason.requirement in policy.instruments:
        about = f"instrument:{reason.requirement}"
    return Why(text % told, reason.cure, reason.who, about, document)


def fact(one: Fact, policy: Policy, sessions: dict[str, Session]) -> str:  # noqa: PLR0911 - a kind, a line
    """A fact in a line."""
    match one:
        case Person():
            group = f", {one.research_group}" if one.research_group else ""
            until = _("until %(day)s") % {"day": one.valid_until} if one.valid_until else _("without end")
            return _("account of %(name)s (%(kind)s%(group)s), %(until)s") % {
                "name": f"{one.given_name} {one.family_name}", "kind": one.kind, "group": group, "until": until,
            }  # fmt: skip
        case Attendance():
            session = sessions.get(one.session)
            about = session_title(session, policy) if session else one.session
            return f"{about}: {_result(one)}"
        case Session():
            return session_title(one, policy)
        case Document():
            return _("document for %(what)s, issued on %(day)s") % {
                "what": demand_title(one.requirement, policy) if one.requirement else one.session or "",
                "day": one.issued_on,
            }
        case Exemption():
            return _("exception from %(what)s, %(begins)s to %(ends)s: %(reason)s") % {
                "what": demand_title(one.requirement or one.instrument or "", policy),
                "begins": one.begins, "ends": one.ends, "reason": one.reason,
            }  # fmt: skip
        case Block():
            what = door_title(one.door, policy) if one.door else one.instrument or _("account")
            return _("block: %(what)s from %(begins)s to %(ends)s (%(reason)s)") % {
                "what": what, "begins": one.begins, "ends": one.ends or "…", "reason": one.reason,
            }  # fmt: skip
        case Use():
            return _("used %(instrument)s on %(day)s") % {"instrument": one.instrument, "day": one.date}
    return one.id


def session_title(session: Session, policy: Policy) -> str:
    """A session in words."""
    name = session.requirement or f"{TRAINING}{session.instrument}"
    planned = _(" (planned)") if session.state == "planned" else ""
    return _("%(what)s on %(day)s by %(by)s%(planned)s") % {
        "what": demand_title(name, policy), "day": session.date, "by": session.by, "planned": planned,
    }  # fmt: skip


def _result(attendance: Attendance) -> str:
    words = {"attended": _("attended"), "passed": _("passed"), "failed": _("failed")}
    return words.get(attendance.result or "", _("registered"))
