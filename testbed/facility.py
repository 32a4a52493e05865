# SPDX-License-Identifier: GPL-3.0-or-later
"""``make facility`` and ``make verify``: the example facility on this machine, and a table of what runs where."""

import json
import sys
from typing import Any

import yaml

from testbed.paths import BUILD, DEMO_PASSWORDS, REPOSITORY
from testbed.steps import Run, Step, run_all, table

INVENTORY = REPOSITORY / "inventories" / "example"
REPORT = BUILD / "verify.json"

HOSTS = Step(
    "hosts",
    [sys.executable, "-m", "testbed", "up", "facility", str(INVENTORY / "hosts.yml")],
    again="make hosts",
    shown=True,
)
SECRETS = Step(
    "secrets",
    ["ansible-playbook", "playbooks/ops/generate_secrets.yml"],
    again="source $(make -s env); ansible-playbook playbooks/ops/generate_secrets.yml",
)
KITS = Step(
    "kits for the first contact",
    ["ansible-playbook", "playbooks/ops/first_contact.yml"],
    again="source $(make -s env); ansible-playbook playbooks/ops/first_contact.yml",
)
FIRST_CONTACT = Step(
    "first contact",
    [sys.executable, "-m", "testbed.first_contact", "facility", str(INVENTORY)],
    again="source $(make -s env); python -m testbed.first_contact facility inventories/example",
)
CONVERGE = Step(
    "converge",
    ["ansible-playbook", "playbooks/site.yml"],
    again="make converge   (or one part: source $(make -s env); ansible-playbook playbooks/wiki.yml)",
    shown=True,
)
GIVE_PASSWORDS = Step(
    "demo passwords",
    ["env", "PYTHONPATH=src", sys.executable, "-m", "testbed.demo_passwords"],
    again="source $(make -s env); PYTHONPATH=src python -m testbed.demo_passwords",
)
VERIFY = Step(
    "verify",
    ["ansible-playbook", "playbooks/verify.yml", "-e", f"verify_report={REPORT}"],
    again="make verify",
)

ROLES = REPOSITORY / "roles"


def facility() -> int:
    """Bring the example facility up, converge, verify, and print what there is."""
    kits = [KITS] if kits_missing() else []
    run, good = run_all([HOSTS, SECRETS, *kits, FIRST_CONTACT, CONVERGE, GIVE_PASSWORDS, VERIFY])
    return _close(run, good)


def kits_missing() -> list[str]:
    """Return the PCs for which nobody has made a kit yet; it is carried there once."""
    children = yaml.safe_load((INVENTORY / "hosts.yml").read_text())["all"]["children"]
    pcs = children.get("device_pc", {}).get("hosts", {})
    return [pc for pc in pcs if not (INVENTORY / "secrets/first-contact" / pc / "enable-winrm.cmd").exists()]


def verify() -> int:
    """Verify the running facility and print what there is."""
    run, good = run_all([VERIFY])
    return _close(run, good)


def _close(run: Run, good: bool) -> int:
    if REPORT.exists() and run.outcomes[-1].name == VERIFY.name:
        print(f"\n{services_table(json.loads(REPORT.read_text()))}")
    total = sum(outcome.seconds for outcome in run.outcomes)
    if good:
        print(f"\nDemo passwords are in {DEMO_PASSWORDS.relative_to(REPOSITORY)}/<login>; trust the authority in")
        print(f"{(INVENTORY / 'secrets/authority/ca.crt').relative_to(REPOSITORY)}. Up and verified in {total:.0f} s.")
    return 0 if good else 1


def services_table(results: list[dict[str, Any]]) -> str:
    """Return host, service, address, state and demo login of each service.

    Args:
        results: what playbooks/verify.yml found: host, service, ok, message.
    """
    inventory = yaml.safe_load((INVENTORY / "hosts.yml").read_text())["all"]
    domain = yaml.safe_load((INVENTORY / "group_vars" / "all" / "facility.yml").read_text())["facility_domain"]
    rows = [("host", "address", "service", "where", "state", "demo login")]
    for result in results:
        host, service = result["host"], result["service"]
        demo = _demo(service)
        address = inventory["hosts"][host]["ansible_host"]
        state = "ok" if result["ok"] else "FAILED"
        where, login = (demo.get(key, "").format(host=host, domain=domain) for key in ("where", "login"))
        rows.append((host, address, service, where, state, login))
    faults = [f"{result['service']} on {result['host']}: {result['message']}" for result in results if not result["ok"]]
    return "\n".join([table(rows), *faults])


def _demo(service: str) -> dict[str, str]:
    """Where a person finds a service, and as whom, as its role says: where and login, with {host} and {domain}."""
    described = ROLES / service / "meta" / "facility.yml"
    if not described.exists():
        return {}
    found: dict[str, str] = (yaml.safe_load(described.read_text()) or {}).get("demo", {})
    return found
