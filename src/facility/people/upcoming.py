# SPDX-License-Identifier: GPL-3.0-or-later
"""What ends soon and which sessions are planned, for everybody who reads the wiki: numbers, and nobody's name.

Standard library only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date

from .access import Decision
from .facts import Facts, Session
from .policy import Policy
from .reminders import ACCOUNT, STAGES, TRAINING, ends_of

_SPANS = tuple(sorted(STAGES))


def page(facts: Facts, decisions: Mapping[str, Decision], policy: Policy, day: date, address: str = "") -> str:
    """A page in DokuWiki's syntax.

    Args:
        facts: All that is recorded.
        decisions: What was decided about everybody on that day.
        policy: Titles of what can be demanded.
        day: The day.
        address: Of the register's pages, with a slash at the end; "" where there are none.

    Returns:
        How many briefings, trainings and accounts end within some days, and sessions from that day on. It differs only
        when something of that does, or a day later.
    """
    known = facts.known()
    counted: Counter[tuple[str, int]] = Counter()
    for login, decision in decisions.items():
        if decision.untouched or not decision.account.open:
            continue
        for what, due, _stages in ends_of(known.people[login], decision, policy):
            for span in _SPANS:
                if 0 <= (due - day).days <= span:
                    counted[what, span] += 1
    whats = sorted({what for what, _span in counted}, key=lambda what: _title(what, policy))
    own = f" Your own dates: [[{address}me/|My doors]]." if address else ""
    lines = [
        "====== What ends soon ======",
        "",
        f"As of {day:%d %B %Y}. Whom it concerns gets a mail.{own}",
        "",
    ]
    if whats:
        lines.append(f"^ Ends within ^ {' ^ '.join(f'{span} days' for span in _SPANS)} ^")
        lines += [
            f"| {_cell(_title(what, policy))} | {' | '.join(str(counted[what, span] or '-') for span in _SPANS)} |"
            for what in whats
        ]
    else:
        lines.append(f"Nothing ends within {_SPANS[-1]} days.")
    lines += ["", "===== Planned =====", ""]
    sessions = sorted(
        (
            one
            for one in facts.all
            if isinstance(one, Session) and one.known_on(None) and one.state == "planned" and one.date >= day
        ),
        key=lambda one: (one.date, one.id),
    )
    lines += [f"  * {one.date:%d %B %Y}: {_cell(_session(one, policy))}" for one in sessions] or ["Nothing is planned."]
    return "\n".join([*lines, ""])


def _title(what: str, policy: Policy) -> str:
    if what == ACCOUNT:
        return "Accounts"
    if what.startswith(TRAINING):
        name = what.removeprefix(TRAINING)
        return f"Training: {policy.instruments[name].title if name in policy.instruments else name}"
    return policy.requirements[what].title if what in policy.requirements else what


def _session(one: Session, policy: Policy) -> str:
    return _title(one.requirement or f"{TRAINING}{one.instrument}", policy)


def _cell(text: str) -> str:
    """A text that DokuWiki shows as it is."""
    return f"%%{text.replace('%%', '%')}%%"
