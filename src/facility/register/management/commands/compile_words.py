# SPDX-License-Identifier: GPL-3.0-or-later
"""``facility-register compile_words``: translations as the pages read them, with gettext's own tool."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ....core.replace_file import replace_file

_SOURCES = Path(__file__).parents[2] / "locale"


class Command(BaseCommand):
    """As Django wants it."""

    help = "Compile the translations; names the languages that changed."

    def handle(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 - as Django calls it
        """Do it."""
        for source in sorted(_SOURCES.glob("*/LC_MESSAGES/django.po")):
            language = source.parts[-3]
            done = subprocess.run(["msgfmt", "--output-file=-", str(source)], capture_output=True, check=False)
            if done.returncode:
                raise CommandError(f"{source}: {done.stderr.decode(errors='replace')}")
            target = settings.FACILITY.locale_folder / language / "LC_MESSAGES" / "django.mo"
            if not target.exists() or target.read_bytes() != done.stdout:
                target.parent.mkdir(parents=True, exist_ok=True)
                replace_file(target, done.stdout)
                self.stdout.write(f"compiled: {language}")
