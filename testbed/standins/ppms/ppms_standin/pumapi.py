# SPDX-License-Identifier: GPL-3.0-or-later
"""PUMAPI, as its documentation (revision 2014.0) says and as clients have met it: CSV with oddities, errors at 200."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .facility import Facility

END = "\r\n"
USER_FIELDS = (
    "login", "lname", "fname", "email", "phone", "bcode", "affiliation", "unitlogin", "mustchpwd", "mustchbcode",
    "active",
)  # fmt: skip
GROUP_FIELDS = ("unitlogin", "unitname", "headname", "heademail", "unitbcode", "department", "institution", "address")
SYSTEM_HEADER = (
    "Core facility ref,System id,Type,Name,Localisation,Active,Schedules,Stats,Bookable,Autonomy Required,"
    "Autonomy Required After Hours"
)
SHEET_HEADER = "Location, Start time, End time, Object, User, Training, Assisted"
RIGHTS = frozenset("ANSD")


@dataclass(frozen=True)
class Reply:
    """An HTTP status and a body."""

    body: str
    status: int = 200


@dataclass(frozen=True)
class Call:
    """One request: its parameters, who asks, and when."""

    facility: Facility
    given: Mapping[str, str]
    now: datetime
    full: bool = field(default=True)

    def get(self, name: str) -> str:
        """Return a parameter, or nothing."""
        return self.given.get(name, "")


def answer(facility: Facility, given: Mapping[str, str], api_key: str, now: datetime) -> Reply:
    """Answer one form.

    Args:
        facility: what is known.
        given: the form's parameters.
        api_key: the key that may do everything.
        now: the time.
    """
    action = given.get("action", "")
    key = given.get("apikey") or given.get("psapwd") or ""
    by_code = _is_instrument(facility, given)
    if action == "auth" and not given.get("login"):
        # The way to try a key: nothing at all means that it is good.
        return Reply("" if key == api_key else "error: request not authorized")
    if key != api_key and not (by_code and action in _FOR_INSTRUMENTS):
        return Reply("error: request not authorized")
    act = _ACTIONS.get(action)
    if act is None:
        return Reply("error: unknown action")
    return act(Call(facility, given, now, full=key == api_key))


def _is_instrument(facility: Facility, given: Mapping[str, str]) -> bool:
    system = facility.data["systems"].get(given.get("id", ""))
    return system is not None and bool(given.get("code")) and system["code"] == given.get("code")


def _csv(values: list[str]) -> str:
    return ",".join('"' + value.replace('"', '""') + '"' for value in values)


def _getusers(call: Call) -> Reply:
    wanted = call.get("active").lower()
    users = [
        login
        for login, user in sorted(call.facility.data["users"].items())
        if wanted in {"", str(user["active"]).lower()}
    ]
    return Reply("".join(f"{login}{END}" for login in users))


def _getuser(call: Call) -> Reply:
    user = call.facility.data["users"].get(call.get("login"))
    if user is None:
        return Reply("", 204) if call.get("format") == "json" else Reply("")
    # Names come with HTML entities, and truth in two spellings.
    shown = {name: html.escape(str(user.get(name, ""))) for name in USER_FIELDS}
    shown["fname"] = shown["fname"].encode("ascii", "xmlcharrefreplace").decode()
    shown["lname"] = shown["lname"].encode("ascii", "xmlcharrefreplace").decode()
    shown["mustchpwd"] = "false"
    if call.get("withuserid").lower() == "true":
        shown["userid"] = str(user.get("userid", 0))
    if call.get("format") == "json":
        return Reply(json.dumps({**shown, "active": bool(user["active"])}))
    header = "" if call.get("noheaders").lower() == "true" else ",".join(shown) + END
    return Reply(header + _csv(list(shown.values())) + END)


def _getgroups(call: Call) -> Reply:
    return Reply("".join(f"{name}{END}" for name in sorted(call.facility.data["groups"])))


def _getgroup(call: Call) -> Reply:
    group = call.facility.data["groups"].get(call.get("unitlogin"))
    if group is None:
        return Reply("")
    values = [str(group.get(name, "")) for name in GROUP_FIELDS]
    # The data line has a field more than its header.
    return Reply(",".join(GROUP_FIELDS) + END + _csv([*values, "True"]) + END)


def _getgroupusers(call: Call) -> Reply:
    users = call.facility.data["users"].values()
    return Reply("".join(f"{user['login']}{END}" for user in users if user["unitlogin"] == call.get("unitlogin")))


def _getadmins(call: Call) -> Reply:
    users = call.facility.data["users"].values()
    return Reply("".join(f"{user['login']}{END}" for user in users if user.get("admin")))


def _upsert(call: Call) -> Reply:
    login = call.get("login")
    if not login:
        return Reply("error: invalid login")
    with call.facility.changed() as data:
        user = data["users"].setdefault(
            login, dict.fromkeys(USER_FIELDS, "") | {"active": True, "userid": len(data["users"]) + 1}
        )
        for name in USER_FIELDS:
            if name in call.given:
                user[name] = call.get(name).lower() == "true" if name == "active" else call.get(name)
        user["login"] = login
        if user["unitlogin"] and user["unitlogin"] not in data["groups"]:
            # Nobody is asked: a misspelt group is a new group.
            data["groups"][user["unitlogin"]] = {"unitlogin": user["unitlogin"], "unitname": user["unitlogin"]}
    return Reply(f"OK {call.get('action')}{END}")


def _auth(call: Call) -> Reply:
    user = call.facility.data["users"].get(call.get("login"))
    if user is None or not user["active"] or not user.get("pwd") or user["pwd"] != call.get("pwd"):
        return Reply("nopwd" if call.get("id") else "")
    if call.get("id") and _right(call, call.get("login")) not in {"A", "S"}:
        return Reply("nosys")
    return Reply(f"OK{END}ADM" if user.get("admin") else "OK")


def _getsystems(call: Call) -> Reply:
    lines = [SYSTEM_HEADER]
    for number, system in sorted(call.facility.data["systems"].items(), key=lambda entry: int(entry[0])):
        if call.get("id") in {"", number}:
            flags = ["True" if system.get("active", True) else "False", "True", "True", "true", "True", "False"]
            lines.append(
                _csv(["1", number, system.get("type", "Microscope"), system["name"], system.get("place", ""), *flags])
            )
    return Reply(END.join(lines) + END)


def _right(call: Call, login: str) -> str:
    rights: dict[str, str] = call.facility.data["rights"].get(call.get("id"), {})
    return rights.get(login, "")


def _getsysrights(call: Call) -> Reply:
    if call.get("id") not in call.facility.data["systems"]:
        return Reply("error: invalid id")
    between = "," if call.get("format") == "csv" else ":"
    rights = call.facility.data["rights"].get(call.get("id"), {})
    # Superusers stand there twice, and which of the two lines is the last is nobody's promise.
    lines = sorted({(login, kind) for login, own in rights.items() for kind in {own, "A" if own == "S" else own}})
    return Reply("".join(f"{kind}{between}{login}{END}" for login, kind in reversed(lines)))


def _getuserrights(call: Call) -> Reply:
    if call.get("login") not in call.facility.data["users"]:
        return Reply("")
    between = "," if call.get("format") == "csv" else ":"
    rights = call.facility.data["rights"].items()
    own = [(system, logins[call.get("login")]) for system, logins in sorted(rights) if call.get("login") in logins]
    return Reply("".join(f"{kind}{between}{system}{END}" for system, kind in own))


def _setright(call: Call) -> Reply:
    if call.get("id") not in call.facility.data["systems"]:
        return Reply("error: invalid id")
    if call.get("login") not in call.facility.data["users"]:
        return Reply(f"error: invalid user {call.get('login')}")
    # An unknown kind of right is not set, and not refused either.
    if call.get("type") in RIGHTS:
        with call.facility.changed() as data:
            data["rights"].setdefault(call.get("id"), {})[call.get("login")] = call.get("type")
    return Reply("done")


def _booking(call: Call) -> Reply:
    own = [entry for entry in call.facility.data["bookings"] if entry["system"] == call.get("id")]
    times = [(datetime.fromisoformat(entry["start"]), datetime.fromisoformat(entry["end"]), entry) for entry in own]
    for start, end, entry in sorted(times, key=lambda item: item[0]):
        if call.get("action") == "getbooking" and start <= call.now < end:
            return _booked(entry, end, call.now)
        if call.get("action") == "nextbooking" and start > call.now:
            return _booked(entry, start, call.now)
    return Reply("")


def _booked(entry: Mapping[str, str], moment: datetime, now: datetime) -> Reply:
    minutes = int((moment - now).total_seconds() // 60)
    return Reply(f"{entry['login']}{END}{minutes}{END}{entry['session']}{END}")


def _getrunningsheet(call: Call) -> Reply:
    lines = [SHEET_HEADER]
    users, systems = call.facility.data["users"], call.facility.data["systems"]
    for entry in call.facility.data["bookings"]:
        start, end = datetime.fromisoformat(entry["start"]), datetime.fromisoformat(entry["end"])
        if start.date().isoformat() != call.get("day"):
            continue
        user, system = users[entry["login"]], systems[entry["system"]]
        # A full name, which two people may share; and midnight is the next day's.
        name = f"{user['fname']} {user['lname']}"
        lines.append(
            _csv([system.get("place", ""), f"{start:%H:%M}", f"{end:%H:%M}", system["name"], name, "False", "False"])
        )
    return Reply(END.join(lines) + END)


def _getuserexp(call: Call) -> Reply:
    lines = ["login,id,booked_hours,used_hours,last_res,last_train"]
    for entry in call.facility.data["experience"].values():
        if call.get("login") in {"", entry["login"]} and call.get("id") in {"", entry["id"]}:
            values = [str(entry.get(name, "n/a")) for name in lines[0].split(",")]
            lines.append(",".join(values))
    return Reply(END.join(lines) + END)


_ACTIONS: dict[str, Callable[[Call], Reply]] = {
    "getusers": _getusers, "getuser": _getuser, "getgroups": _getgroups, "getgroup": _getgroup,
    "getgroupusers": _getgroupusers, "getadmins": _getadmins, "newuser": _upsert, "upduser": _upsert, "auth": _auth,
    "getsystems": _getsystems, "getsysrights": _getsysrights, "getuserrights": _getuserrights, "setright": _setright,
    "getbooking": _booking, "nextbooking": _booking, "getrunningsheet": _getrunningsheet, "getuserexp": _getuserexp,
}  # fmt: skip
_FOR_INSTRUMENTS = frozenset({"auth", "getbooking", "nextbooking", "getsysrights"})
