# SPDX-License-Identifier: GPL-3.0-or-later
"""``facility`` on the register's host: what staff do in the pages, for scripts and for who has no browser.

Everything goes through the ledger as in the pages, with its rules and in the audit. Without --record a command only
shows what it would lead to. It ends with 0, with 1 if something makes no sense, with 2 if it was asked for what doesn't
exist.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import django
import typer

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "facility.register.settings")
django.setup()

from ..core.replace_file import replace_file  # noqa: E402 - settings first
from ..people import cli  # noqa: E402
from ..people.cli import JsonOption, LoginArgument, app, person_app, print_json  # noqa: E402
from ..people.entries import RegisterError, hint  # noqa: E402
from ..people.fact_fields import entry_of  # noqa: E402
from ..people.facts import Block, Facts, Person  # noqa: E402
from ..people.inventory import Inventory  # noqa: E402
from . import codes, erasure, exchange, ledger, notices, session_lists, standings, store, tables  # noqa: E402
from .ledger import Change, ConflictError, Proposal  # noqa: E402
from .models import Standing  # noqa: E402

session_app = typer.Typer(no_args_is_help=True, help="Briefings and trainings.")
app.add_typer(session_app, name="session")

ByOption = Annotated[
    str, typer.Option("--by", envvar="FACILITY_STAFF", metavar="LOGIN", help="Who of the staff records it.")
]
RecordOption = Annotated[bool, typer.Option("--record", help="Record it; without it only what it leads to is shown.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why.")]
UntilOption = Annotated[str, typer.Option("--until", metavar="DAY", help="The last day, like 2027-12-31.")]


@person_app.command("add")
def add(
    login: LoginArgument,
    *,
    by: ByOption,
    given_name: Annotated[str, typer.Option()],
    family_name: Annotated[str, typer.Option()],
    mail: Annotated[str, typer.Option()],
    until: UntilOption = "",
    group: Annotated[str, typer.Option(help="The research group of a researcher.")] = "",
    kind: Annotated[str, typer.Option(help="researcher or staff.")] = "researcher",
    record: RecordOption = False,
    as_json: JsonOption = False,
) -> None:
    """Somebody new."""
    entry = {
        "fact": "person", "login": login.lower(), "given_name": given_name, "family_name": family_name, "mail": mail,
        "kind": kind, "research_group": group, "valid_until": until,
    }  # fmt: skip
    _carry_out(by, Change("new person", [entry]), record, as_json)


@person_app.command("extend")
def extend(
    login: LoginArgument, *, by: ByOption, until: UntilOption, reason: ReasonOption, record: RecordOption = False,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Another last day of somebody's account, later or earlier."""
    person = _person(login)
    kept = {key: value for key, value in entry_of(person).items() if key not in {"id", "recorded_by", "recorded_at"}}
    entry = {**kept, "fact": "person", "valid_until": until, "replaces": person.id}
    _carry_out(by, Change("change person", [entry], [person.id], reason), record, as_json)


@person_app.command("leave")
def leave(
    login: LoginArgument,
    *,
    by: ByOption,
    reason: Annotated[str, typer.Option(help="leave, left, misuse, safety, unpaid or other.")] = "leave",
    begins: Annotated[str, typer.Option("--from", metavar="DAY", help="The first day; today if not given.")] = "",
    until: UntilOption = "",
    record: RecordOption = False,
    as_json: JsonOption = False,
) -> None:
    """Shut somebody's account for a time, or until they return."""
    _person(login)
    begins = begins or ledger.policy().today.isoformat()
    entry = {"fact": "block", "person": login, "from": begins, "until": until, "reason": reason}
    _carry_out(by, Change("block", [entry]), record, as_json)


@person_app.command("return")
def come_back(
    login: LoginArgument, by: ByOption, reason: ReasonOption, record: RecordOption = False, as_json: JsonOption = False
) -> None:
    """Open somebody's account again: blocks of the whole account that hold or are to come are revoked."""
    _person(login)
    today = ledger.policy().today
    blocks = [
        one.id for one in store.around([login])
        if isinstance(one, Block) and one.revoked_by is None and one.door is None and one.instrument is None
        and (one.ends is None or one.ends >= today)
    ]  # fmt: skip
    if not blocks:
        _refuse(f'"{login}" is on no leave: nothing is to be revoked')
    _carry_out(by, Change("return", [], blocks, reason), record, as_json)


@person_app.command("invite")
def invite(
    logins: Annotated[list[str], typer.Argument(metavar="LOGIN…")],
    by: ByOption,
    *,
    mail: Annotated[bool, typer.Option("--mail", help="Mail the links; without it the codes are printed.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Codes with which researchers choose their password, each once."""
    if mail and not notices.can_mail():
        _refuse("no mail server is set: leave --mail out, and hand the codes over")
    try:
        people = [codes.may_have(login.lower()) for login in logins]
    except RegisterError as error:
        _fail(error.problems, as_json=as_json)
    made = {person.login: codes.make(person.login, by.lower(), "activate") for person in people}
    refused = [one.mail for one in people if mail and not notices.send_code(one, made[one.login], "activate")]
    if refused:
        _fail([f"{address}: the relay takes no mail: hand the code over" for address in refused], as_json=as_json)
    if as_json:
        print_json({"people": list(made) if mail else made})
        return
    for login, code in made.items():
        typer.echo(f"{login}: the link is on its way" if mail else f"{login}: {notices.address()}password/#{code}")


@person_app.command("export")
def export_person(login: LoginArgument, file: Path) -> None:
    """All that is held about somebody, as a ZIP."""
    try:
        replace_file(file, erasure.archive(login), mode=0o600)
    except RegisterError as error:
        _fail(error.problems)
    except OSError as error:
        _fail([f"{file}: can't be written ({error.strerror})"])


@person_app.command("erase")
def erase(
    login: LoginArgument,
    by: ByOption,
    confirm: Annotated[str, typer.Option(metavar="LOGIN", help="The login once more: there is no way back.")] = "",
) -> None:
    """Erase all that is held about somebody whose account is closed."""
    if confirm != login:
        _refuse(f"nothing was erased: add --confirm {login} if you mean it")
    try:
        erased = erasure.erase(login, by)
    except RegisterError as error:
        _fail(error.problems)
    typer.echo(f"{erased.facts} facts were erased, {erased.acts} acts no longer name anybody.")
    if erased.session_proofs:
        typer.echo(f"Lists with signatures may still show the person: {', '.join(erased.session_proofs)}.")


@session_app.command("record")
def record_session(
    about: Annotated[str, typer.Argument(metavar="ABOUT", help="A requirement's or an instrument's name.")],
    logins: Annotated[list[str], typer.Argument(metavar="LOGIN...")],
    *,
    by: ByOption,
    given_by: Annotated[str, typer.Option(metavar="LOGIN", help="Who gave it; --by if not given.")] = "",
    day: Annotated[str, typer.Option("--date", metavar="DAY", help="Today if not given.")] = "",
    form: Annotated[str, typer.Option(help="oral or electronic; what the requirement wants if not given.")] = "",
    result: Annotated[str, typer.Option(help="attended, passed or failed.")] = "",
    record: RecordOption = False,
    as_json: JsonOption = False,
) -> None:
    """A briefing or training of one or several people that took place."""
    rules = ledger.policy()
    requirement = rules.policy.requirements.get(about)
    if requirement is None and about not in rules.policy.instruments:
        _refuse(f'"{about}" doesn\'t exist: {hint(about, [*rules.policy.requirements, *rules.policy.instruments])}')
    wanted = requirement.form if requirement and requirement.form in {"oral", "electronic"} else "oral"
    form = form or wanted
    key = ledger.new_id("session")
    session = {
        "fact": "session", "id": key, "requirement" if requirement else "instrument": about, "form": form,
        "date": day or rules.today.isoformat(), "by": given_by or by, "state": "held",
    }  # fmt: skip
    result = result or ("passed" if form == "electronic" else "attended")
    there = [
        {"fact": "attendance", "id": f"{key}-{number}", "session": key, "person": login.lower(), "result": result}
        for number, login in enumerate(dict.fromkeys(logins), start=1)
    ]
    _carry_out(by, Change(f"session {about}", [session, *there]), record, as_json)


@app.command("import")
def import_list(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or XLSX, a line a person.")],
    by: ByOption,
    sessions: Annotated[bool, typer.Option("--sessions", help="A line is a person in a briefing or training.")] = False,
    record: RecordOption = False,
    as_json: JsonOption = False,
) -> None:
    """New people from a list, or who was in which session, all or none."""
    try:
        rows = tables.rows(file.read_bytes(), tables.SESSIONS if sessions else tables.PEOPLE)
        if sessions:
            change = session_lists.change(rows)
        else:
            new = [{"fact": "person", "kind": "researcher", **row} for _line, row in rows]
            change = Change("new people from a list", new, lines=[f"line {line}" for line, _row in rows])
    except OSError as error:
        _fail([f"{file}: can't be read ({error.strerror})"], as_json=as_json)
    except RegisterError as error:
        _fail(error.problems, as_json=as_json)
    _carry_out(by, change, record, as_json)


@app.command("export")
def export(file: Annotated[Path | None, typer.Argument(metavar="FILE")] = None) -> None:
    """All facts as JSON Lines, from which an empty register is filled."""
    if file is None:
        typer.echo(exchange.written_out(), nl=False)
        return
    try:
        replace_file(file, exchange.written_out(), mode=0o600)
    except OSError as error:
        _fail([f"{file}: can't be written ({error.strerror})"])


def main() -> None:
    """Run the command."""
    cli.read_from(_inventory)
    cli.main()


def _inventory(_folder: Path) -> Inventory:
    """Policy and facts of this register, whatever inventory is named."""
    rules = ledger.policy()
    return Inventory(rules.policy, Facts.of([*rules.administrators, *store.everything()]))


def _person(login: str) -> Person:
    found = standings.decided(login, ledger.policy())
    if found is None:
        logins = Standing.objects.values_list("login", flat=True)
        _refuse(f'login "{login}" doesn\'t exist: {hint(login, logins)}')
    return found[0]


def _carry_out(by: str, change: Change, record: bool, as_json: bool) -> None:
    """Record a change or show what it leads to."""
    try:
        proposal = ledger.make(by.lower(), change) if record else ledger.propose(by.lower(), change)
    except RegisterError as error:
        _fail(error.problems, as_json=as_json)
    except ConflictError:
        _fail(
            ["somebody else has changed this in the meantime: look at it again, nothing was recorded"], as_json=as_json
        )
    if as_json:
        print_json({"recorded": record, "people": [_plain(effect) for effect in proposal.effects]})
        return
    _show(proposal)
    typer.echo("Recorded." if record else "Nothing was recorded: add --record.")


def _plain(effect: ledger.Effect) -> dict[str, Any]:
    doors = {name: {"before": before, "after": after} for name, (before, after) in effect.doors.items()}
    return {"login": effect.person.login, "doors": doors}


def _show(proposal: Proposal) -> None:
    for effect in proposal.effects:
        changes: Mapping[str, Sequence[str]] = effect.doors
        said = ", ".join(f"{name} {before} -> {after}" for name, (before, after) in changes.items())
        typer.echo(f"{effect.person.login}: {said or 'no door opens or shuts'}")


def _fail(problems: Sequence[str], *, as_json: bool = False) -> NoReturn:
    if as_json:
        print_json({"problems": list(problems)})
    for problem in problems if not as_json else ():
        typer.echo(problem, err=True)
    raise typer.Exit(1)


def _refuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)


if __name__ == "__main__":
    main()
