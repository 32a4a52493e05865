# SPDX-License-Identifier: GPL-3.0-or-later
"""The command `facility`: who may do what, why, and until when. What is here reads, and changes nothing.

It ends with 0, with 1 if policy or facts have problems, and with 2 if it was asked about what doesn't exist.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .access import LOG_ON, PPMS, Decision, Outcome, decide, decide_all
from .demand import Reason
from .entries import RegisterError, hint
from .fact_fields import KIND_OF_FACT, KINDS, entry_of
from .facts import ALWAYS, IT_ADMIN, Fact, Known, Person, Session
from .inventory import Inventory, read_inventory, today_in
from .policy_preview import DAYS, LARGEST, policy_in, preview
from .register_fields import a_day

app = typer.Typer(name="facility", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                  help="Who may do what at the facility, why, and until when.")  # fmt: skip
person_app = typer.Typer(no_args_is_help=True, help="One person.")
app.add_typer(person_app, name="person")
policy_app = typer.Typer(no_args_is_help=True, help="What briefings there are, and what doors demand.")
app.add_typer(policy_app, name="policy")

_NAMED = 20
_COLOURS = {"allowed": "green", "grace": "yellow", "denied": "red"}


def _parsed_day(text: str) -> date:
    problem = a_day(text)
    if problem:
        raise typer.BadParameter(f'"{text}" {problem}')
    return date.fromisoformat(text)


InventoryOption = Annotated[
    Path, typer.Option("--inventory", envvar="FACILITY_INVENTORY", help="The inventory's folder.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs: the answer as JSON.")]
OnOption = Annotated[
    date | None, typer.Option("--on", parser=_parsed_day, metavar="DAY", help="On this day; today if not given.")
]
KnownOption = Annotated[
    date | None,
    typer.Option("--known-on", parser=_parsed_day, metavar="DAY", help="By what was recorded on this day or before."),
]
LoginArgument = Annotated[str, typer.Argument(metavar="LOGIN")]
EXAMPLE = Path("inventories/example")
_read: Callable[[Path], Inventory] = read_inventory


def read_from(read: Callable[[Path], Inventory]) -> None:
    """Have policy and facts from somewhere else than an inventory's folder, as on the register's host."""
    global _read  # noqa: PLW0603 - a command line has one source
    _read = read


@dataclass(frozen=True)
class _Asked:
    """What a command was asked: an inventory, a day, and what was known."""

    inventory: Inventory
    day: date
    known: Known

    def person(self, login: str) -> Person:
        """The person of a login; ends the command if there is none."""
        if login not in self.known.people:
            when = f" by what was known on {self.known.day}" if self.known.day else ""
            _refuse(f'login "{login}" doesn\'t exist{when}: {hint(login, self.known.people)}')
        return self.known.people[login]

    def decided(self, person: Person) -> Decision:
        """What holds for a person."""
        return decide(person, self.known, self.inventory.policy, self.day)


@person_app.command("show")
def show_person(login: LoginArgument, inventory: InventoryOption = EXAMPLE, as_json: JsonOption = False) -> None:
    """A person, what is recorded about them, and what they may do today."""
    asked = _asked(inventory, as_json)
    person = asked.person(login)
    decision = asked.decided(person)
    facts = [fact for fact in asked.inventory.facts.all if _is_about(fact, login)]
    sessions = {fact.id: fact for fact in asked.inventory.facts.all if isinstance(fact, Session)}
    if as_json:
        shown = [{"fact": KIND_OF_FACT[type(fact)].name, **entry_of(fact)} for fact in facts]
        print_json({"person": entry_of(person), "facts": shown, "decision": _plain(decision)})
        return
    console = _console()
    console.print(Text(f"{person.given_name} {person.family_name} ({login}), {person.mail}", style="bold"))
    belongs = f", research group {person.research_group}" if person.research_group else ""
    console.print(Text(f"{person.kind}{belongs}, account until {person.valid_until or 'further notice'}\n"))
    table = _table("recorded", "by", "what", "revoked")
    for fact in sorted(facts, key=lambda fact: (fact.recorded_at, fact.id)):
        revoked = f"{fact.revoked_at} {fact.revoked_by}: {fact.revoke_reason}" if fact.revoked_at else ""
        _row(
            table,
            "always" if fact.recorded_at == ALWAYS else fact.recorded_at,
            fact.recorded_by,
            _in_words(fact, sessions),
            revoked,
        )
    console.print(table)
    _print_doors(console, decision, decision.doors)


@app.command()
def access(
    login: LoginArgument,
    door: Annotated[str | None, typer.Argument(metavar="DOOR", help="wiki, share, omero, or an instrument.")] = None,
    *,
    on: OnOption = None,
    known_on: KnownOption = None,
    inventory: InventoryOption = EXAMPLE,
    as_json: JsonOption = False,
) -> None:
    """What a person may do on a day, and why not; --known-on answers what one could know then."""
    asked = _asked(inventory, as_json, on, known_on)
    decision = asked.decided(asked.person(login))
    names = list(decision.doors)
    if door is not None and not decision.untouched:
        found = next((name for name in (door, f"{LOG_ON}{door}") if name in decision.doors), None)
        if found is None:
            instruments = asked.inventory.policy.instruments
            _refuse(f'door "{door}" doesn\'t exist: {hint(door, [*asked.inventory.policy.doors, *instruments])}')
        names = [found]
    if as_json:
        print_json(_plain(decision, names) | {"on": asked.day.isoformat()})
        return
    console = _console()
    console.print(Text(f"{login} on {asked.day}", style="bold"))
    _print_doors(console, decision, names)


@app.command()
def expiring(
    days: Annotated[int, typer.Option(min=0, max=3660, help="How far to look ahead.")] = 30,
    on: OnOption = None,
    inventory: InventoryOption = EXAMPLE,
    as_json: JsonOption = False,
) -> None:
    """What runs out soon, or is open by grace or exception alone: the earliest first."""
    asked = _asked(inventory, as_json, on)
    latest = asked.day + timedelta(days=min(days, (date.max - asked.day).days))
    decisions = decide_all(asked.known, asked.inventory.policy, asked.day)
    found = sorted(row for decision in decisions.values() for row in _endings(decision, latest))
    if as_json:
        print_json([dict(zip(("until", "login", "what", "state"), row, strict=True)) for row in found])
        return
    table = _table("until", "login", "what", "state")
    for row in found:
        _row(table, *row)
    _console().print(table if found else f"Nothing runs out up to {latest}.")


@app.command()
def check(inventory: InventoryOption = EXAMPLE, as_json: JsonOption = False) -> None:
    """Whether policy, people and facts are valid; all problems at once if not."""
    asked = _asked(inventory, as_json)
    policy, facts = asked.inventory
    kinds = Counter(KIND_OF_FACT[type(fact)].key for fact in facts.all)
    counts = {kind.key: kinds[kind.key] for kind in KINDS}
    if as_json:
        print_json({"problems": [], "requirements": len(policy.requirements), "facts": counts})
        return
    listed = ", ".join(f"{number} {key}" for key, number in counts.items())
    _console().print(Text(f"No problems: {len(policy.requirements)} requirements, {listed}."))


@policy_app.command("preview")
def preview_policy(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="facility.yml, or the register's policy.json; - reads it.")
    ],
    inventory: InventoryOption = EXAMPLE,
    as_json: JsonOption = False,
) -> None:
    """Whom another policy would shut out or let in, today and within 30 days, and on which doors."""
    asked = _asked(inventory, as_json)
    try:
        content = sys.stdin.buffer.read(LARGEST + 1) if str(file) == "-" else file.read_bytes()
        shifts = preview(asked.known, asked.inventory.policy, policy_in(content, file.name), asked.day)
    except OSError as error:
        _report([f"{file}: can't be read ({error.strerror}): name a file that there is"], as_json)
    except RegisterError as error:
        _report(error.problems, as_json)
    if as_json:
        print_json([
            {"door": one.door, "from": one.day.isoformat(), "opens": one.opens,
             "people": [person.login for person in one.people]}
            for one in shifts
        ])  # fmt: skip
        return
    for one in shifts:
        does = "lets in" if one.opens else "shuts out"
        logins = ", ".join(person.login for person in one.people[:_NAMED])
        more = f" and {len(one.people) - _NAMED} more (--json names all)" if len(one.people) > _NAMED else ""
        number = f"{len(one.people)} {'person' if len(one.people) == 1 else 'people'}"
        typer.echo(f"{one.door}: {does} {number} {_from(one.day, asked.day)}: {logins}{more}")
    if not shifts:
        typer.echo(f"Nobody is shut out or let in up to {asked.day + timedelta(days=DAYS)}.")


def main() -> None:
    """Run the command."""
    app(prog_name="facility")


# --- Reading and refusing ---------------------------------------------------------------------------------------------


def _asked(folder: Path, as_json: bool, on: date | None = None, known_on: date | None = None) -> _Asked:
    try:
        inventory = _read(folder)
    except RegisterError as error:
        _report(error.problems, as_json)
    return _Asked(inventory, on or today_in(inventory.policy), inventory.facts.known(known_on))


def _report(problems: Sequence[str], as_json: bool) -> NoReturn:
    """End the command with what makes no sense."""
    if as_json:
        print_json({"problems": list(problems)})
    for problem in problems if not as_json else ():
        typer.echo(problem, err=True)
    raise typer.Exit(1)


def _refuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)


# --- Showing ----------------------------------------------------------------------------------------------------------


def _is_about(fact: Fact, login: str) -> bool:
    return login in (getattr(fact, "person", None), getattr(fact, "login", None))


def _from(day: date, today: date) -> str:
    return {0: f"today ({day})", 1: f"tomorrow ({day})"}.get((day - today).days, f"on {day}")


def _in_words(fact: Fact, sessions: dict[str, Session]) -> str:
    entry = entry_of(fact)
    own = {"id", "recorded_by", "recorded_at", "revoked_by", "revoked_at", "revoke_reason", "person", "login", "sha256"}
    session = sessions.get(str(entry.get("session")))
    if session:
        entry = {**entry, "of": session.requirement or session.instrument, "date": session.date, "form": session.form}
    words = ", ".join(f"{key} {value}" for key, value in entry.items() if key not in own)
    return f"{KIND_OF_FACT[type(fact)].name}: {words}"


def _endings(decision: Decision, latest: date) -> Iterator[tuple[str, str, str, str]]:
    if decision.untouched or not decision.account.open:
        return
    for what, outcome in (("account", decision.account), *decision.standing.items()):
        if outcome.until is not None and outcome.until <= latest:
            codes = {reason.code for reason in outcome.reasons}
            yield (
                outcome.until.isoformat(),
                decision.login,
                what,
                "exception" if "exception" in codes else outcome.state,
            )


def _plain(decision: Decision, names: Sequence[str] | None = None) -> dict[str, Any]:
    return {
        "login": decision.login,
        "untouched": decision.untouched,
        "account": _plain_outcome(decision.account),
        "log_in": _plain_outcome(decision.log_in),
        "doors": {name: _plain_outcome(decision.doors[name]) for name in (decision.doors if names is None else names)},
        "standing": {name: _plain_outcome(outcome) for name, outcome in decision.standing.items()},
        "next_change": _iso(decision.next_change),
    }


def _plain_outcome(outcome: Outcome) -> dict[str, Any]:
    reasons = [{**one._asdict(), "since": _iso(one.since), "until": _iso(one.until)} for one in outcome.reasons]
    return {"state": outcome.state, "until": _iso(outcome.until), "closes": _iso(outcome.closes), "reasons": reasons}


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def print_json(value: object) -> None:
    """An answer for programs."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _print_doors(console: Console, decision: Decision, names: Iterable[str]) -> None:
    if decision.untouched:
        console.print(Text(f"{decision.login} is an IT administrator ({IT_ADMIN}): nothing is decided or changed."))
        return
    table = _table("door", "state", "until", "why", "cure")
    listed = list(names)
    # PPMS's right is open where the log-on is: one line for both.
    rows = [name for name in listed if f"{LOG_ON}{name.removeprefix(PPMS)}" not in listed or not name.startswith(PPMS)]
    for name in ("account", *rows):
        outcome = decision.account if name == "account" else decision.doors[name]
        until = str(outcome.until or ("" if outcome.state == "denied" else "no end"))
        why = "\n".join(_why(reason) for reason in outcome.reasons)
        cures = "\n".join(f"{reason.cure} ({', '.join(reason.who)})" for reason in outcome.reasons)
        _row(table, name, outcome.state, until, why, cures)
    console.print(table)
    if len(rows) < len(listed):
        console.print(Text("PPMS: the same as log-on."))
    console.print(Text(f"Next change: {decision.next_change or 'none'}"))


def _why(reason: Reason) -> str:
    since = f" since {reason.since}" if reason.since else ""
    until = f" until {reason.until}" if reason.until else ""
    return f"{reason.requirement}: {reason.code.replace('_', ' ')}{since}{until}"


def _console() -> Console:
    console = Console(highlight=False)
    # Into a file or a pipe, nothing is cut to a terminal that isn't there.
    return console if console.is_terminal else Console(highlight=False, width=200)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _row(table: Table, *cells: object) -> None:
    # As Text: a name in square brackets is a name, no colour.
    table.add_row(*(Text(str(cell), style=_COLOURS.get(str(cell), "")) for cell in cells))
