# SPDX-License-Identifier: GPL-3.0-or-later
"""The register's tables. Facts are only ever added and revoked; triggers in the database hold that, too."""

from __future__ import annotations

from django.db import models


class Entry(models.Model):
    """A fact, as facility.people.fact_fields writes it: body has the keys of its kind, without those of recording.

    Attributes:
        id: one of its own among all facts.
        kind: person, session, attendance, document, exception, block, use.
        login: whose it is; "" of a session and its documents.
        session: of an attendance or a session's document, its session's id; "" otherwise.
        body: the other keys.
        salt: goes into the fact's sum, so that a sum says nothing once the fact is erased.
    """

    id = models.CharField(primary_key=True, max_length=64)
    kind = models.CharField(max_length=16)
    login = models.CharField(max_length=64, blank=True, db_index=True)
    session = models.CharField(max_length=64, blank=True, db_index=True)
    body = models.JSONField()
    salt = models.CharField(max_length=32)
    recorded_by = models.CharField(max_length=64)
    recorded_at = models.DateField()
    revoked_by = models.CharField(max_length=64, null=True)
    revoked_at = models.DateField(null=True)
    revoke_reason = models.TextField(null=True)

    class Meta:
        """Django's."""

        indexes = [models.Index(fields=["kind", "revoked_at"], name="register_entry_standing")]

    def __str__(self) -> str:
        """Its kind and id."""
        return f"{self.kind} {self.id}"


class Act(models.Model):
    """One act of somebody, in a chain: each row's hash covers the one before, so that none is changed or left out.

    Attributes:
        number: 1, 2, 3, … without a gap.
        at: when (UTC).
        payload, salt: JSON of who did what to whom, and what was mixed in; both are empty once a person was erased.
        digest: SHA-256 of salt and payload, which stays.
        facts: JSON, the sums of facts that it added or erased; it says nothing of anybody, and stays.
        hash: SHA-256 of the hash before it, number, time, digest and facts.
    """

    number = models.PositiveBigIntegerField(primary_key=True)
    at = models.DateTimeField()
    payload = models.TextField(blank=True)
    salt = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)
    facts = models.TextField(blank=True)
    hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        """Its number."""
        return f"act {self.number}"


class Standing(models.Model):
    """What was decided about a person, kept for lists; true until the day before next_change, under that policy.

    Attributes:
        login: whose.
        name: family and given name, as lists show and sort it.
        search: lower-case text that a search looks through.
        kind, research_group, last_day: as the person's fact has them.
        doors: by door its state.
        closes: the earliest last open day of what every door demands; None: no end, or shut.
        next_change: when it is to be decided again; None: never, if nothing is added.
        policy: digest of the policy.
    """

    login = models.CharField(primary_key=True, max_length=64)
    name = models.CharField(max_length=400, db_index=True)
    search = models.TextField()
    kind = models.CharField(max_length=16)
    research_group = models.CharField(max_length=64, blank=True)
    last_day = models.DateField(null=True)
    state = models.CharField(max_length=8)
    doors = models.JSONField()
    next_change = models.DateField(null=True, db_index=True)
    policy = models.CharField(max_length=64)

    def __str__(self) -> str:
        """The name."""
        return str(self.name)


class Ending(models.Model):
    """Something of a person that runs out: what and its last day, as long as the person's row of Standing holds."""

    login = models.CharField(max_length=64, db_index=True)
    name = models.CharField(max_length=400)
    what = models.CharField(max_length=64)
    day = models.DateField()

    class Meta:
        """Django's."""

        indexes = [models.Index(fields=["day", "name"], name="register_ending_day")]

    def __str__(self) -> str:
        """Whose, and what."""
        return f"{self.name}: {self.what}"


class Sent(models.Model):
    """A reminder that the relay has taken: whose, of what, its last day, and how many days before it."""

    login = models.CharField(max_length=64)
    what = models.CharField(max_length=64)
    due = models.DateField()
    stage = models.PositiveSmallIntegerField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Django's."""

        constraints = [
            models.UniqueConstraint(fields=["login", "what", "due", "stage"], name="register_sent_once"),
        ]

    def __str__(self) -> str:
        """Whose, and of what."""
        return f"{self.login}: {self.what} {self.due}"


class Code(models.Model):
    """A code with which somebody may set a password, once. The code itself is nowhere.

    Attributes:
        digest: its SHA-256.
        login: whose.
        purpose: activate or forgotten.
        made_by, made_at: who asked for it, and when (UTC).
        ends_at: from then on it is not valid.
        used_at: when a password was set with it; None: not yet.
    """

    digest = models.CharField(primary_key=True, max_length=64)
    login = models.CharField(max_length=64, db_index=True)
    purpose = models.CharField(max_length=16)
    made_by = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        """Whose, and for what."""
        return f"{self.login}: {self.purpose}"


class CalendarAddress(models.Model):
    """Somebody's secret address of the calendar of what runs out.

    Attributes:
        login: whose.
        digest: SHA-256 of the secret, which is kept nowhere.
        language: in which the calendar is written.
        made_at: when it was made (UTC).
        asked_at: when the directory was last asked whether the person is staff (UTC); None: never.
    """

    login = models.CharField(primary_key=True, max_length=150)
    digest = models.CharField(max_length=64, unique=True)
    language = models.CharField(max_length=8)
    made_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        """Whose."""
        return f"calendar of {self.login}"


class Erasure(models.Model):
    """Whose facts may be deleted, within the transaction that erases them and no longer."""

    login = models.CharField(primary_key=True, max_length=64)

    def __str__(self) -> str:
        """The login."""
        return str(self.login)


class Tombstone(models.Model):
    """A login that was somebody's who was erased, and is never given again; not the login, but its SHA-256."""

    digest = models.CharField(primary_key=True, max_length=64)

    def __str__(self) -> str:
        """The digest."""
        return str(self.digest)


class Touched(models.Model):
    """The last act that changed what is recorded of a person."""

    login = models.CharField(primary_key=True, max_length=64)
    act = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        """Whose, and the act."""
        return f"{self.login}: act {self.act}"


class Applied(models.Model):
    """How far a system follows the register, as the controller told.

    Attributes:
        system: directory, PPMS, …
        act: everything up to this act is there; 0 if nothing ever was.
        at: when the controller told (UTC).
        error: why it follows no further; "" if it does.
    """

    system = models.CharField(primary_key=True, max_length=64)
    act = models.PositiveBigIntegerField(default=0)
    at = models.DateTimeField()
    error = models.TextField(blank=True)

    def __str__(self) -> str:
        """The system, and how far."""
        return f"{self.system}: act {self.act}"


class Kept(models.Model):
    """A proof that was recorded here: its file must be there. One from before the pages is known by its sum alone."""

    sha256 = models.CharField(primary_key=True, max_length=64)

    def __str__(self) -> str:
        """The sum."""
        return str(self.sha256)
