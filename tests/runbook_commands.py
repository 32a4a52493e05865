# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of docs/runbooks/: what stands there to be typed, and whether it changes anything."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt

from tests.conftest import REPOSITORY

RUNBOOKS = sorted(path for path in (REPOSITORY / "docs/runbooks").glob("*.md") if path.name != "README.md")
# A block that begins so shows an answer or a file's text: nobody types it.
SHOWN = ("OMERO is back.", "3 images of ", "[global]", "dc3.imaging.example.org: {")
# Inline code that begins so is a command.
TYPED = re.compile(r"(ansible-playbook|systemctl|journalctl|facility-[a-z-]+|pgbackrest|runuser|psql) [^…]+")
_ENDS = {"|", "||", "&&", ";", "&", "(", ")", "{", "}", "|&"}
_RUNNERS = {"env"}


@dataclass(frozen=True)
class Block:
    """Lines to be typed together.

    Attributes:
        runbook: its file's name.
        text: as it stands there, without indentation.
        line: the first one's number.
    """

    runbook: str
    text: str
    line: int

    def __str__(self) -> str:
        return f"{self.runbook}:{self.line}"


def blocks(name: str, text: str) -> list[Block]:
    """All that a runbook says to type: blocks of code, and commands within a sentence."""
    found = []
    for token in MarkdownIt().enable("table").parse(text):
        line = token.map[0] + 1 if token.map else 0
        if token.type in {"code_block", "fence"} and not token.content.startswith(SHOWN):
            found.append(Block(name, token.content, line))
        inline = [child.content for child in token.children or [] if child.type == "code_inline"]
        found += [Block(name, content, line) for content in inline if TYPED.fullmatch(content)]
    return found


def all_blocks() -> list[Block]:
    """What all runbooks say to type."""
    return [block for path in RUNBOOKS for block in blocks(path.name, path.read_text(encoding="utf-8"))]


def commands(text: str) -> Iterator[list[str]]:
    """Each simple command of some lines of shell as words, without the user it is run as, variables and redirections.

    Raises:
        ValueError: for quotes that don't end.
    """
    lexer = shlex.shlex(text.replace("\\\n", " "), posix=True, punctuation_chars="|&;()<>\n")
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    # A comment would take the end of its line with it.
    lexer.commenters = ""
    words: list[str] = []
    comment = False
    for token in [*lexer, "\n"]:
        comment = (comment or token.startswith("#")) and "\n" not in token
        if comment:
            continue
        if token.strip("|&;()\n") and token not in _ENDS:
            words.append(token)
        elif words:
            yield from _plain(words)
            words = []


def _plain(words: list[str]) -> Iterator[list[str]]:
    """A command without what stands before it; nothing where only a variable is set or a function begins."""
    kept: list[str] = []
    skip = False
    for word in words:
        if skip or set(word) <= {"<", ">", "&", "1", "2"}:
            skip = not skip and set(word) & {"<", ">"} != set()
            continue
        kept.append(word)
    while kept and (
        re.match(r"\w+=", kept[0]) or kept[0] in {*_RUNNERS, "for", "do", "done", "in", "then", "fi", "if"}
    ):
        kept = [] if kept[0] == "for" else kept[1:]
    if kept[:1] == ["runuser"] and "--" in kept:
        kept = kept[kept.index("--") + 1 :]
        yield from _plain(kept)
        return
    if kept and not kept[0].endswith("()"):
        yield kept


_HARMLESS = re.compile(
    r"cd /"
    r"|systemctl (is-active|list-timers|status) .*"
    r"|journalctl (?!.*--(vacuum|rotate|flush)).*"
    r"|(df|du|ls|grep|tail|head|sort|wc|less|dmesg|cat) ?.*"
    r"|python3 -m json\.tool /[\w/.-]+"
    r"|pgbackrest (--stanza=\w+ )?(info|check)"
    r"|psql -U postgres (-x |-At )?-c (SELECT|SHOW) [^;]*"
)


def harmless(text: str) -> bool:
    """Whether lines change nothing, whoever runs them, and need nothing filled in."""
    simple = list(commands(text))
    placeholders = re.search(r"\b(ID|HOST|OLDER|NEWER)\b|…|\$HOST", text)
    writes = re.search(r"(?<!2)>(?!&)|\$\(|\btee\b", text)
    return (
        bool(simple) and not placeholders and not writes and all(_HARMLESS.fullmatch(" ".join(one)) for one in simple)
    )
