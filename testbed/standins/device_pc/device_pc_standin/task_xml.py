# SPDX-License-Identifier: GPL-3.0-or-later
"""Task definitions, read as strictly as Windows 7 reads them and kept as it keeps them [MS-TSCH 2.5]."""

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from datetime import datetime

SPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
_NS = f"{{{SPACE}}}"
_DURATION = re.compile(r"P(?!$)(?:(\d+)D)?(?:T(?!$)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_SID = re.compile(r"S-1-\d+(-\d+)+")
# Names are those of the PC's language: on a German Windows "LOCAL SERVICE" is nobody.
_GERMAN_NAMES = {
    "SYSTEM": "S-1-5-18",
    "NT-AUTORITÄT\\SYSTEM": "S-1-5-18",
    "LOKALER DIENST": "S-1-5-19",
    "NT-AUTORITÄT\\LOKALER DIENST": "S-1-5-19",
    "NETZWERKDIENST": "S-1-5-20",
    "NT-AUTORITÄT\\NETZWERKDIENST": "S-1-5-20",
    "VORDEFINIERT\\BENUTZER": "S-1-5-32-545",
    "BENUTZER": "S-1-5-32-545",
}
_BOOLEANS = {"true", "false", "0", "1"}
_TRIGGER_PARTS = {"Enabled", "StartBoundary", "EndBoundary", "Repetition", "ExecutionTimeLimit"}
_TRIGGERS = {
    "TimeTrigger": {"RandomDelay"},
    "CalendarTrigger": {"RandomDelay", "ScheduleByDay"},
    "LogonTrigger": {"UserId", "Delay"},
    "BootTrigger": {"Delay"},
    "RegistrationTrigger": {"Delay"},
}
_INFORMATION = {"URI", "SecurityDescriptor", "Source", "Date", "Author", "Version", "Description", "Documentation"}
_BOOLEAN_SETTINGS = {
    "AllowStartOnDemand", "DisallowStartIfOnBatteries", "StopIfGoingOnBatteries", "AllowHardTerminate",
    "StartWhenAvailable", "RunOnlyIfNetworkAvailable", "WakeToRun", "Enabled", "Hidden", "RunOnlyIfIdle",
    "UseUnifiedSchedulingEngine", "DisallowStartOnRemoteAppSession",
}  # fmt: skip
_OTHER_SETTINGS = {"DeleteExpiredTaskAfter", "NetworkSettings", "RestartOnFailure", "IdleSettings"}
_POLICIES = {"Parallel", "Queue", "IgnoreNew", "StopExisting"}
_LOGON_TYPES = {"S4U", "Password", "InteractiveToken", "InteractiveTokenOrPassword"}


class TaskError(Exception):
    """A definition is refused; the message is the place as schtasks prints it: ``element:value``."""


class UnknownAccountError(Exception):
    """A definition names an account that this PC doesn't have."""


@dataclass(frozen=True)
class Trigger:
    """When a task starts.

    Attributes:
        kind: the element's name, such as TimeTrigger.
        enabled: whether it counts.
        start: the first moment, in the PC's local time unless it carries a zone; None for log-on and boot.
        end: after it, nothing starts.
        interval: s between repetitions; 0 without.
        duration: s that repetitions go on; 0 is without end.
        days: for CalendarTrigger, every how many days.
        delay: s after the log-on or the start of the PC.
        user: for LogonTrigger, whose; empty for anybody's.
    """

    kind: str
    enabled: bool = True
    start: datetime | None = None
    end: datetime | None = None
    interval: float = 0
    duration: float = 0
    days: int = 1
    delay: float = 0
    user: str = ""


@dataclass(frozen=True)
class Task:
    """A task definition.

    Attributes:
        principal: the SID that it runs as, or of a group.
        is_group: whether the principal is a group, whose member at the console runs it.
        triggers: when it starts.
        command: the program.
        arguments: its arguments.
        folder: its working directory; empty for the default.
        enabled: whether it may start.
        policy: what happens when it still runs: Parallel, Queue, IgnoreNew or StopExisting.
        time_limit: s after which it is ended; 0 is never.
        on_demand: whether /run may start it.
    """

    principal: str
    is_group: bool
    triggers: tuple[Trigger, ...]
    command: str
    arguments: str
    folder: str
    enabled: bool
    policy: str
    time_limit: float
    on_demand: bool


def decode(data: bytes) -> str:
    """Return the text of a definition's file.

    Raises:
        TaskError: when it isn't UTF-16 with a byte order mark.
    """
    if not data.startswith((b"\xff\xfe", b"\xfe\xff")) or len(data) % 2:
        raise TaskError("(1,40)::ERROR: incorrect document syntax")
    return data.decode("utf-16", errors="replace")


def parse(text: str) -> ET.Element:
    """Return the definition's root, without what Task Scheduler drops: comments and white space.

    Raises:
        TaskError: when it isn't well-formed.
    """
    try:
        root = ET.fromstring(re.sub(r"^<\?xml[^>]*\?>", "", text.strip()))  # noqa: S314 - only tests speak to it
    except ET.ParseError as error:
        line, column = error.position
        raise TaskError(f"({line},{column})::") from error
    for element in root.iter():
        element.text = (element.text or "").strip() or None
        element.tail = None
    return root


def read(root: ET.Element) -> Task:
    """Check a definition and return it.

    Raises:
        TaskError: for what Task Scheduler refuses.
        UnknownAccountError: for an account that isn't there.
    """
    if root.tag != f"{_NS}Task" or root.get("version") not in {"1.0", "1.1", "1.2", "1.3"}:
        raise TaskError(f"Task:{root.get('version', '')}")
    _only(root, {"RegistrationInfo", "Triggers", "Principals", "Settings", "Actions", "Data"})
    information = root.find(f"{_NS}RegistrationInfo")
    if information is not None:
        _only(information, _INFORMATION)
    principal, is_group, principal_id = _principal(root)
    settings = root.find(f"{_NS}Settings")
    values = _settings(settings)
    actions = root.find(f"{_NS}Actions")
    if actions is None or len(actions) == 0:
        raise TaskError("Actions:")
    if actions.get("Context", principal_id) != principal_id:
        raise TaskError(f"Context:{actions.get('Context')}")
    _only(actions, {"Exec"})
    action = actions[0]
    _only(action, {"Command", "Arguments", "WorkingDirectory"})
    command = _text(action, "Command")
    if not command:
        raise TaskError("Command:")
    triggers = root.find(f"{_NS}Triggers")
    return Task(
        principal=principal,
        is_group=is_group,
        triggers=tuple(_trigger(entry) for entry in (triggers if triggers is not None else [])),
        command=command,
        arguments=_text(action, "Arguments"),
        folder=_text(action, "WorkingDirectory"),
        enabled=values.get("Enabled", "true") in {"true", "1"},
        policy=values.get("MultipleInstancesPolicy", "IgnoreNew"),
        time_limit=duration("ExecutionTimeLimit", values.get("ExecutionTimeLimit", "PT72H")),
        on_demand=values.get("AllowStartOnDemand", "true") in {"true", "1"},
    )


def stored(root: ET.Element, uri: str) -> str:
    """Return the definition as Task Scheduler keeps it: with its path, accounts as SIDs, laid out anew."""
    ET.register_namespace("", SPACE)
    information = root.find(f"{_NS}RegistrationInfo")
    if information is None:
        information = ET.Element(f"{_NS}RegistrationInfo")
        root.insert(0, information)
    place = information.find(f"{_NS}URI")
    if place is None:
        place = ET.SubElement(information, f"{_NS}URI")
    place.text = uri
    for name in ("UserId", "GroupId"):
        for entry in root.iterfind(f"{_NS}Principals/{_NS}Principal/{_NS}{name}"):
            entry.text = _sid(entry.text or "")
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-16"?>\n{text}\n'.replace("\n", "\r\n")


def enable(root: ET.Element, *, enabled: bool) -> None:
    """Put Settings/Enabled into a definition."""
    settings = root.find(f"{_NS}Settings")
    if settings is None:
        settings = ET.SubElement(root, f"{_NS}Settings")
    entry = settings.find(f"{_NS}Enabled")
    if entry is None:
        entry = ET.SubElement(settings, f"{_NS}Enabled")
    entry.text = "true" if enabled else "false"


def duration(name: str, text: str) -> float:
    """Return the seconds of an XML duration of days, hours, minutes and seconds.

    Raises:
        TaskError: when it is none.
    """
    found = _DURATION.fullmatch(text)
    if not found:
        raise TaskError(f"{name}:{text}")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _principal(root: ET.Element) -> tuple[str, bool, str | None]:
    principals = root.find(f"{_NS}Principals")
    if principals is None or len(principals) != 1:
        # Without one it would run as who registers it, with a password that nobody gives.
        raise TaskError("Principals:")
    entry = principals[0]
    _only(principals, {"Principal"})
    _only(entry, {"UserId", "GroupId", "LogonType", "RunLevel", "DisplayName", "ProcessTokenSidType"})
    user, group = _text(entry, "UserId"), _text(entry, "GroupId")
    if bool(user) == bool(group):
        raise TaskError(f"Principal:{entry.get('id', '')}")
    if _text(entry, "LogonType") not in {"", *_LOGON_TYPES}:
        raise TaskError(f"LogonType:{_text(entry, 'LogonType')}")
    if _text(entry, "RunLevel") not in {"", "LeastPrivilege", "HighestAvailable"}:
        raise TaskError(f"RunLevel:{_text(entry, 'RunLevel')}")
    return _sid(user or group), bool(group), entry.get("id")


def _sid(account: str) -> str:
    if _SID.fullmatch(account):
        return account
    try:
        return _GERMAN_NAMES[account.upper()]
    except KeyError as error:
        raise UnknownAccountError(account) from error


def _settings(settings: ET.Element | None) -> dict[str, str]:
    if settings is None:
        return {}
    known = _BOOLEAN_SETTINGS | _OTHER_SETTINGS | {"MultipleInstancesPolicy", "ExecutionTimeLimit", "Priority"}
    _only(settings, known)
    values = {entry.tag.removeprefix(_NS): entry.text or "" for entry in settings}
    for name, value in values.items():
        if name in _BOOLEAN_SETTINGS and value not in _BOOLEANS:
            raise TaskError(f"{name}:{value}")
    if values.get("MultipleInstancesPolicy", "IgnoreNew") not in _POLICIES:
        raise TaskError(f"MultipleInstancesPolicy:{values['MultipleInstancesPolicy']}")
    priority = values.get("Priority", "7")
    if not priority.isdigit() or int(priority) > 10:
        raise TaskError(f"Priority:{priority}")
    return values


def _trigger(entry: ET.Element) -> Trigger:
    kind = entry.tag.removeprefix(_NS)
    if kind not in _TRIGGERS:
        raise TaskError(f"{kind}:")
    _only(entry, _TRIGGER_PARTS | _TRIGGERS[kind])
    enabled = _text(entry, "Enabled") or "true"
    if enabled not in _BOOLEANS:
        raise TaskError(f"Enabled:{enabled}")
    start = _moment(entry, "StartBoundary")
    if kind in {"TimeTrigger", "CalendarTrigger"} and start is None:
        raise TaskError("StartBoundary:")
    interval, lasting = _repetition(entry.find(f"{_NS}Repetition"))
    days = "1"
    if kind == "CalendarTrigger":
        by_day = entry.find(f"{_NS}ScheduleByDay")
        if by_day is None:
            raise TaskError("CalendarTrigger:")
        days = _text(by_day, "DaysInterval") or "1"
        if not days.isdigit() or not 1 <= int(days) <= 365:
            raise TaskError(f"DaysInterval:{days}")
    return Trigger(
        kind=kind,
        enabled=enabled in {"true", "1"},
        start=start,
        end=_moment(entry, "EndBoundary"),
        interval=interval,
        duration=lasting,
        days=int(days),
        delay=duration("Delay", _text(entry, "Delay") or "PT0S"),
        user=_text(entry, "UserId"),
    )


def _repetition(entry: ET.Element | None) -> tuple[float, float]:
    if entry is None:
        return 0, 0
    _only(entry, {"Interval", "Duration", "StopAtDurationEnd"})
    interval = duration("Interval", _text(entry, "Interval"))
    if not 60 <= interval <= 31 * 86400:
        raise TaskError(f"Interval:{_text(entry, 'Interval')}")
    lasting = duration("Duration", _text(entry, "Duration") or "PT0S")
    if _text(entry, "Duration") and lasting < interval:
        raise TaskError(f"Duration:{_text(entry, 'Duration')}")
    return interval, lasting


def _moment(entry: ET.Element, name: str) -> datetime | None:
    text = _text(entry, name)
    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise TaskError(f"{name}:{text}") from error


def _only(entry: ET.Element, known: set[str]) -> None:
    """Refuse children that are unknown, of another name space, or there twice (but for lists)."""
    seen: set[str] = set()
    for child in entry:
        name = child.tag.removeprefix(_NS)
        if not child.tag.startswith(_NS) or name not in known or (name in seen and name != "Exec"):
            raise TaskError(f"{name}:{child.text or ''}")
        seen.add(name)


def _text(entry: ET.Element, name: str) -> str:
    return entry.findtext(f"{_NS}{name}") or ""
