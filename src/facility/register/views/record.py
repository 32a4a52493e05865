# SPDX-License-Identifier: GPL-3.0-or-later
"""What staff record: sessions of several people, people themselves, exceptions and blocks."""

from __future__ import annotations

import re
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from ...people.entries import RegisterError
from ...people.fact_fields import BLOCK_REASONS, FORMS, PERSON_KINDS, entry_of
from ...people.facts import Person
from ...people.policy import DOORS, Policy
from .. import ledger, proofs, standings, words
from ..ledger import Change, Proposal
from ..log_in import staff_only
from ..models import Standing
from ..policy_file import Reviewed
from .acts import actor, carry_out

_RESULTS = {"oral": "attended", "electronic": "passed"}


def _to(login: str) -> HttpResponse:
    return redirect("person", login=login)


def _person(login: str, rules: Reviewed) -> Person:
    found = standings.decided(login, rules)
    if found is None:
        raise Http404
    return found[0]


def _targets(policy: Policy) -> list[tuple[str, list[tuple[str, str]]]]:
    """What a session can be about, for a choice in two groups."""
    briefings = [(f"requirement:{one.name}", one.title) for one in policy.requirements.values()
                 if one.form != "document"]  # fmt: skip
    trainings = [(f"instrument:{one.name}", one.title) for one in policy.instruments.values()]
    return [(_("Briefing"), briefings), (_("Training"), trainings)]


def _target(about: str) -> dict[str, str]:
    kind, _colon, name = about.partition(":")
    if kind not in {"requirement", "instrument"} or not name:
        raise RegisterError([_("Say what it is about.")])
    return {kind: name}


def _logins(request: HttpRequest, data: Any) -> list[str]:  # noqa: ANN401 - Django's QueryDict
    """Logins that were ticked, typed or pasted, each once, in their order."""
    typed = re.split(r"[\s,;]+", data.get("logins", ""))
    return list(dict.fromkeys(login.lower() for login in [*data.getlist("person"), *typed] if login))


def _proof(request: HttpRequest) -> tuple[proofs.Proof | None, str]:
    """The file that was sent, or was kept when the form was previewed; and what is wrong with it."""
    try:
        if "proof" in request.FILES:
            return proofs.keep(request.FILES["proof"]), ""
        if request.POST.get("ticket"):
            return proofs.of_ticket(request.POST["ticket"]), ""
    except RegisterError as error:
        return None, str(error)
    return None, ""


def _ticket(proof: proofs.Proof | None) -> str:
    return proofs.ticket(proof) if proof else ""


@staff_only
def session(request: HttpRequest) -> HttpResponse:
    """Record a briefing or training of several people, or plan it."""
    rules = ledger.policy()
    data = request.POST if request.method == "POST" else request.GET
    about = data.get("about", "")
    requirement = rules.policy.requirements.get(about.removeprefix("requirement:"))
    needed = requirement.form if requirement and requirement.form in FORMS else ""
    logins = _logins(request, data)
    form = data.get("form") or needed or "oral"
    given = {
        "id": data.get("id") or ledger.new_id("session"), "about": about, "form": form,
        "date": data.get("date") or rules.today.isoformat(), "by": data.get("by") or actor(request),
        "state": data.get("state") or "held", "note": data.get("note", ""),
        "content_version": data.get("content_version", ""),
    }  # fmt: skip
    kept, problem = _proof(request)
    names = dict(Standing.objects.filter(login__in=logins).values_list("login", "name"))
    results = {login: data.get(f"result-{login}") or _RESULTS.get(form, "attended") for login in logins}

    def change() -> Change:
        if problem:
            raise RegisterError([problem])
        if not logins:
            raise RegisterError([_("Name at least one person.")])
        if len(logins) > ledger.people_at_once():
            raise RegisterError([_("These are too many people for one session.")])
        keys = {key: value for key, value in given.items() if key != "about"}
        new: list[dict[str, Any]] = [{"fact": "session", **_target(about), **keys}]
        for number, login in enumerate(logins, start=1):
            attendance = {"fact": "attendance", "id": f"{given['id']}-{number}", "session": given["id"]}
            result = {"result": results[login]} if given["state"] == "held" else {}
            new.append({**attendance, "person": login, **result})
        if kept:
            new.append({"fact": "document", "id": f"{given['id']}-proof", "session": given["id"],
                        "issued_on": given["date"], **kept})  # fmt: skip
        return Change(f"session {about}", new)

    def done(_proposal: Proposal) -> HttpResponse:
        return _to(logins[0]) if len(logins) == 1 else redirect("people")

    context = {
        "given": given, "targets": _targets(rules.policy), "forms": FORMS, "proof": kept, "ticket": _ticket(kept),
        "people": [{"login": login, "name": names.get(login, login), "result": results[login]} for login in logins],
    }  # fmt: skip
    return carry_out(request, "register/session.html", context, change, done)


@staff_only
def held(request: HttpRequest, session_id: str) -> HttpResponse:
    """A planned session took place: record who was there, in place of the plan."""
    found = standings.session_with_people(session_id)
    if found is None or found[0].state != "planned" or found[0].revoked_by is not None:
        raise Http404
    planned, attendances = found
    rules = ledger.policy()
    data = request.POST
    form = data.get("form") or planned.form
    day = data.get("date") or planned.date.isoformat()
    results = {one.person: data.get(f"result-{one.person}") or _RESULTS.get(form, "attended") for one in attendances}
    new_id = data.get("id") or ledger.new_id("session")

    def change() -> Change:
        kept = {key: value for key, value in entry_of(planned).items()
                if key not in {"id", "recorded_by", "recorded_at"}}  # fmt: skip
        new = [{"fact": "session", **kept, "id": new_id, "form": form, "date": day, "state": "held"}]
        new += [
            {"fact": "attendance", "id": f"{new_id}-{number}", "session": new_id, "person": one.person,
             "result": results[one.person]}
            for number, one in enumerate(attendances, start=1) if results[one.person] != "absent"
        ]  # fmt: skip
        gone = [planned.id, *(one.id for one in attendances)]
        return Change("session took place", new, gone, _("it took place"))

    names = dict(Standing.objects.filter(login__in=results).values_list("login", "name"))
    context = {
        "title": words.session_title(planned, rules.policy), "given": {"id": new_id, "form": form, "date": day},
        "forms": FORMS,
        "people": [{"login": one.person, "name": names.get(one.person, one.person), "result": results[one.person]}
                   for one in attendances],
    }  # fmt: skip
    return carry_out(request, "register/held.html", context, change, lambda _proposal: redirect("people"))


_KEYS = ("login", "given_name", "family_name", "mail", "kind", "research_group", "valid_from", "valid_until")


@staff_only
def person(request: HttpRequest, login: str = "") -> HttpResponse:
    """Somebody new, or somebody's name, mail, group or last day changed."""
    rules = ledger.policy()
    now = _person(login, rules) if login else None
    held_now = {key: str(value) for key, value in entry_of(now).items()} if now else {"kind": "researcher"}
    given = {key: request.POST.get(key, "").strip() for key in _KEYS} if request.method == "POST" else held_now
    given = {**given, "login": login or given.get("login", "").lower()}
    base = request.POST.get("base") or (now.id if now else "")
    reason = request.POST.get("reason", "")

    def change() -> Change:
        new = {"fact": "person", **{key: given.get(key, "") for key in _KEYS}}
        if not login:
            return Change("new person", [new])
        return Change("change person", [{**new, "replaces": base}], [base], reason)

    # What somebody else wrote while this form was open.
    theirs = [
        (key, held_now.get(key, ""), given.get(key, "")) for key in _KEYS
        if now and base != now.id and held_now.get(key, "") != given.get(key, "")
    ]  # fmt: skip
    context = {
        "given": given, "login": login, "base": now.id if now and theirs else base, "reason": reason, "theirs": theirs,
        "groups": rules.policy.groups.values(), "kinds": PERSON_KINDS, "alike": _alike(given) if not login else [],
    }  # fmt: skip
    return carry_out(request, "register/change_person.html", context, change, lambda _p: _to(str(given["login"])))


def _alike(given: dict[str, str]) -> list[Standing]:
    """People with the same family name, who may be the same person."""
    family = given.get("family_name", "").casefold()
    return list(Standing.objects.filter(search__contains=f"{family}, ")[:5]) if family else []


@staff_only
def exception(request: HttpRequest, login: str) -> HttpResponse:
    """For some days something is not demanded of a person."""
    rules = ledger.policy()
    who = _person(login, rules)
    data = request.POST if request.method == "POST" else request.GET
    keys = ("about", "until", "reason", "second_by")
    given = {"from": data.get("from") or rules.today.isoformat(), **{key: data.get(key, "") for key in keys}}

    def change() -> Change:
        keys = {key: given[key] for key in ("from", "until", "reason", "second_by")}
        entry = {"fact": "exception", "person": login, "granted_by": actor(request), **_target(given["about"]), **keys}
        return Change("exception", [entry])

    everything = [(f"requirement:{one.name}", one.title) for one in rules.policy.requirements.values()]
    targets = [(_("Demand"), everything), *_targets(rules.policy)[1:]]
    context = {"given": given, "person": who, "targets": targets}
    return carry_out(request, "register/exception.html", context, change, lambda _proposal: _to(login))


@staff_only
def block(request: HttpRequest, login: str) -> HttpResponse:
    """Shut a person's account, one door or one instrument; a leave is one with a last day."""
    rules = ledger.policy()
    who = _person(login, rules)
    data = request.POST if request.method == "POST" else request.GET
    keys = ("about", "until", "reason")
    given = {"from": data.get("from") or rules.today.isoformat(), **{key: data.get(key, "") for key in keys}}

    def change() -> Change:
        kind, _colon, name = given["about"].partition(":")
        what = {kind: name} if kind in {"door", "instrument"} and name else {}
        entry = {key: given[key] for key in ("from", "until", "reason")}
        return Change("block", [{"fact": "block", "person": login, **what, **entry}])

    choices = [("", _("account")), *((f"door:{name}", words.door_title(name, rules.policy)) for name in DOORS)]
    choices += [(f"instrument:{one.name}", one.title) for one in rules.policy.instruments.values()]
    context = {"given": given, "person": who, "choices": choices, "reasons": BLOCK_REASONS}
    return carry_out(request, "register/block.html", context, change, lambda _proposal: _to(login))


@staff_only
def document(request: HttpRequest, login: str) -> HttpResponse:
    """File a paper of a person, as a form or certificate that a demand asks for."""
    rules = ledger.policy()
    who = _person(login, rules)
    data = request.POST if request.method == "POST" else request.GET
    keys = ("requirement", "valid_until")
    given = {"issued_on": data.get("issued_on") or rules.today.isoformat(), **{key: data.get(key, "") for key in keys},
             "id": data.get("id") or ledger.new_id("document")}  # fmt: skip
    kept, problem = _proof(request)

    def change() -> Change:
        if problem or not kept:
            raise RegisterError([problem or _("Choose the file: a PDF, JPEG or PNG.")])
        return Change("document", [{"fact": "document", "person": login, **given, **kept}])

    targets = [(one.name, one.title) for one in rules.policy.requirements.values() if one.form in {"any", "document"}]
    context = {"given": given, "person": who, "targets": targets, "proof": kept, "ticket": _ticket(kept)}
    return carry_out(request, "register/document.html", context, change, lambda _proposal: _to(login))
