# SPDX-License-Identifier: GPL-3.0-or-later
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies: list[tuple[str, str]] = []

    operations = [
        migrations.CreateModel(
            name="Act",
            fields=[
                (
                    "number",
                    models.PositiveBigIntegerField(primary_key=True, serialize=False),
                ),
                ("at", models.DateTimeField()),
                ("payload", models.TextField(blank=True)),
                ("salt", models.CharField(blank=True, max_length=64)),
                ("digest", models.CharField(max_length=64)),
                ("facts", models.TextField(blank=True)),
                ("hash", models.CharField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name="Applied",
            fields=[
                (
                    "system",
                    models.CharField(max_length=64, primary_key=True, serialize=False),
                ),
                ("act", models.PositiveBigIntegerField(default=0)),
                ("at", models.DateTimeField()),
                ("error", models.TextField(blank=True)),
            ],
        ),
        migrations.CreateModel(
            name="Erasure",
            fields=[
                (
                    "login",
                    models.CharField(max_length=64, primary_key=True, serialize=False),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Kept",
            fields=[
                (
                    "sha256",
                    models.CharField(max_length=64, primary_key=True, serialize=False),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Standing",
            fields=[
                (
                    "login",
                    models.CharField(max_length=64, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(db_index=True, max_length=400)),
                ("search", models.TextField()),
                ("kind", models.CharField(max_length=16)),
                ("research_group", models.CharField(blank=True, max_length=64)),
                ("last_day", models.DateField(null=True)),
                ("state", models.CharField(max_length=8)),
                ("doors", models.JSONField()),
                ("next_change", models.DateField(db_index=True, null=True)),
                ("policy", models.CharField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name="Tombstone",
            fields=[
                (
                    "digest",
                    models.CharField(max_length=64, primary_key=True, serialize=False),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Touched",
            fields=[
                (
                    "login",
                    models.CharField(max_length=64, primary_key=True, serialize=False),
                ),
                ("act", models.PositiveBigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Ending",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("login", models.CharField(db_index=True, max_length=64)),
                ("name", models.CharField(max_length=400)),
                ("what", models.CharField(max_length=64)),
                ("day", models.DateField()),
            ],
            options={
                "indexes": [models.Index(fields=["day", "name"], name="register_ending_day")],
            },
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                (
                    "id",
                    models.CharField(max_length=64, primary_key=True, serialize=False),
                ),
                ("kind", models.CharField(max_length=16)),
                ("login", models.CharField(blank=True, db_index=True, max_length=64)),
                ("session", models.CharField(blank=True, db_index=True, max_length=64)),
                ("body", models.JSONField()),
                ("salt", models.CharField(max_length=32)),
                ("recorded_by", models.CharField(max_length=64)),
                ("recorded_at", models.DateField()),
                ("revoked_by", models.CharField(max_length=64, null=True)),
                ("revoked_at", models.DateField(null=True)),
                ("revoke_reason", models.TextField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["kind", "revoked_at"], name="register_entry_standing")],
            },
        ),
        migrations.CreateModel(
            name="Sent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("login", models.CharField(max_length=64)),
                ("what", models.CharField(max_length=64)),
                ("due", models.DateField()),
                ("stage", models.PositiveSmallIntegerField()),
                ("at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("login", "what", "due", "stage"),
                        name="register_sent_once",
                    )
                ],
            },
        ),
    ]
