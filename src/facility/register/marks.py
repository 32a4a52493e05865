# SPDX-License-Identifier: GPL-3.0-or-later
"""Template filters: how a door's state is shown. A page has thousands of them, so each is made once a language."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from .words import state_word

register = template.Library()


@register.filter
def mark(state: str) -> SafeString:
    """A state as a word with a sign, which differs by more than its colour."""
    return _mark(state, get_language() or "")


@register.filter
def cells(states: Iterable[str]) -> SafeString:
    """States as the cells of a row."""
    language = get_language() or ""
    return mark_safe("".join(f"<td>{_mark(state, language)}</td>" for state in states))  # noqa: S308 - made by _mark


@lru_cache(maxsize=64)
def _mark(state: str, language: str) -> SafeString:
    return SafeString(format_html('<span class="state {}">{}</span>', state, state_word(state)))
