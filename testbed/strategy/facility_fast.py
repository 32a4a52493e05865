# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's linear strategy over Mitogen, for scenarios of the test bed alone (decision 0022).

Mitogen 0.3.54 drops the level of relative imports when it looks for what a module needs (``walk_imports`` in
ansible_mitogen/module_finder.py): with ``from .plan import plan`` the host would miss plan. Its search is completed
here; Ansible resolves such imports alone.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import ansible_mitogen.affinity
import ansible_mitogen.module_finder
from ansible_mitogen.plugins.strategy import mitogen_linear

PREFIX = "ansible.module_utils."

Found = tuple[str, str, bool]
"""Full name of a module, its file, and whether it is a package."""
Search = Callable[[str, str, Sequence[str]], list[Found]]


def completed(search: Search) -> Search:
    """Return Mitogen's search with relative imports followed, too, of any level and anywhere in a file.

    What comes with Ansible (the last folder of the search path) is left to Mitogen, which sends it on demand.
    """

    def scan(module_name: str, module_path: str, search_path: Sequence[str]) -> list[Found]:
        # Ansible's own folder stands there twice, in two spellings.
        ansible = Path(search_path[-1]).resolve()
        found: dict[str, Found] = {}
        queue: list[Found] = [(module_name, module_path, False)]
        while queue:
            module = queue.pop()
            relative = [entry for name in relative_imports(module) for entry in files_of(name, search_path)]
            for entry in [*search(module[0], module[1], search_path), *relative]:
                if entry[0] not in found:
                    found[entry[0]] = entry
                    if not Path(entry[1]).resolve().is_relative_to(ansible):
                        queue.append(entry)
        return sorted(found.values())

    return scan


def relative_imports(module: Found) -> Iterator[str]:
    """Yield the full names that a file imports relatively: of modules, and of what may be one or stand in one."""
    name, path, is_package = module
    package = name.split(".") if is_package else name.split(".")[:-1]
    for node in ast.walk(ast.parse(Path(path).read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.level:
            above = package[: len(package) - node.level + 1]
            origin = ".".join([*above, node.module] if node.module else above)
            yield origin
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def files_of(name: str, search_path: Sequence[str]) -> Iterator[Found]:
    """Yield the packages above a name and the module of that name, as far as there are files of them."""
    parts = name.removeprefix(PREFIX).split(".") if name.startswith(PREFIX) else []
    for count in range(1, len(parts) + 1):
        for folder in search_path:
            place = Path(folder, *parts[:count])
            files = ((place / "__init__.py", True), (place.with_suffix(".py"), False))
            file = next(((path, is_package) for path, is_package in files if path.is_file()), None)
            if file:
                yield PREFIX + ".".join(parts[:count]), str(file[0]), file[1]
                break


# On two cores Mitogen would keep one for its multiplexer and the rest of a run on the other, programs on the controller
# and what they start included; scenarios run two at a time.
ansible_mitogen.affinity.policy = ansible_mitogen.affinity.Policy()
ansible_mitogen.module_finder.scan = completed(ansible_mitogen.module_finder.scan)


class StrategyModule(mitogen_linear.StrategyModule):  # type: ignore[misc]  # without types upstream
    """The linear strategy of Mitogen; what is ours is done when this file is read."""
