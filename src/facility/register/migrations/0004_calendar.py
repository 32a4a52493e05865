# SPDX-License-Identifier: GPL-3.0-or-later
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: list[tuple[str, str]] = [("register", "0003_codes")]

    operations = [
        migrations.CreateModel(
            name="CalendarAddress",
            fields=[
                (
                    "login",
                    models.CharField(max_length=150, primary_key=True, serialize=False),
                ),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("language", models.CharField(max_length=8)),
                ("made_at", models.DateTimeField()),
                ("asked_at", models.DateTimeField(null=True)),
            ],
        ),
    ]
