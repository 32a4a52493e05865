# SPDX-License-Identifier: GPL-3.0-or-later
"""A task of Windows' Task Scheduler, as the XML that schtasks takes and gives (MS-TSCH 2.5).

Accounts are SIDs, for names are translated. What Windows adds to a task by itself is not compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree
from xml.sax.saxutils import escape

_SPACE = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
_TEXT = """\
<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>{description}</Description>
  </RegistrationInfo>
  <Triggers>
    <TimeTrigger>
      <Repetition>
        <Interval>PT{minutes}M</Interval>
        <StopAtDurationEnd>false</StopAtDurationEnd>
      </Repetition>
      <StartBoundary>2020-01-01T00:00:00</StartBoundary>
      <Enabled>true</Enabled>
    </TimeTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>{account}</UserId>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>true</AllowHardTerminate>
    <StartWhenAvailable>false</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>
    <Enabled>true</Enabled>
    <Hidden>true</Hidden>
    <RunOnlyIfIdle>false</RunOnlyIfIdle>
    <WakeToRun>false</WakeToRun>
    <ExecutionTimeLimit>PT{limit}S</ExecutionTimeLimit>
    <Priority>7</Priority>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{command}</Command>
      <Arguments>{arguments}</Arguments>
    </Exec>
  </Actions>
</Task>
"""
# Where Windows leaves out what is the default anyway.
_DEFAULTS = {
    "enabled": "true",
    "hidden": "false",
    "instances": "IgnoreNew",
    "trigger enabled": "true",
    "only on mains": "true",
}


@dataclass(frozen=True)
class RepeatedTask:
    """A program that runs again and again, whoever is logged on, and is never started twice.

    Attributes:
        command: the program; %VARIABLES% are the PC's.
        arguments: its command line.
        minutes: from one start to the next.
        limit_seconds: a run that takes longer is ended.
        account: a SID.
        description: what people read in Task Scheduler.
    """

    command: str
    arguments: str
    minutes: int = 1
    limit_seconds: int = 30
    account: str = "S-1-5-19"
    description: str = ""

    def xml(self) -> bytes:
        """Return the task as schtasks wants it: UTF-16 with a byte order mark."""
        text = _TEXT.format(
            description=escape(self.description),
            minutes=self.minutes,
            account=escape(self.account),
            limit=self.limit_seconds,
            command=escape(self.command),
            arguments=escape(self.arguments),
        )
        return text.replace("\n", "\r\n").encode("utf-16")

    def facts(self) -> dict[str, str]:
        """Return what counts of it, in the shape of task_facts()."""
        return task_facts(self.xml().decode("utf-16"))


def task_facts(xml: str) -> dict[str, str]:
    """Return what counts of a task: when, what, as whom, and whether it is on at all.

    Args:
        xml: what `schtasks /query /xml` printed; its first line may name an encoding that it no longer has.

    Raises:
        ValueError: when it is no task.
    """
    body = xml[xml.index("<Task") :] if "<Task" in xml else ""
    try:
        root = ElementTree.fromstring(body[: body.rindex("</Task>") + len("</Task>")])  # noqa: S314  (the PC's own answer)
    except (ElementTree.ParseError, ValueError) as error:
        raise ValueError("what schtasks printed is no task") from error
    triggers = list(root.iterfind(f"{_SPACE}Triggers/*"))
    facts = {
        "command": _text(root, "Actions", "Exec", "Command"),
        "arguments": _text(root, "Actions", "Exec", "Arguments"),
        "account": _text(root, "Principals", "Principal", "UserId"),
        "level": _text(root, "Principals", "Principal", "RunLevel") or "LeastPrivilege",
        "enabled": _text(root, "Settings", "Enabled"),
        "hidden": _text(root, "Settings", "Hidden"),
        "instances": _text(root, "Settings", "MultipleInstancesPolicy"),
        "limit": _text(root, "Settings", "ExecutionTimeLimit"),
        "only on mains": _text(root, "Settings", "DisallowStartIfOnBatteries"),
        "triggers": ", ".join(trigger.tag.removeprefix(_SPACE) for trigger in triggers),
        "interval": _text(root, "Triggers", "TimeTrigger", "Repetition", "Interval"),
        "trigger enabled": _text(root, "Triggers", "TimeTrigger", "Enabled"),
    }
    return {name: value or _DEFAULTS.get(name, "") for name, value in facts.items()}


def _text(root: ElementTree.Element, *path: str) -> str:
    found = root.find("/".join(_SPACE + name for name in path))
    return (found.text or "").strip() if found is not None else ""
