# SPDX-License-Identifier: GPL-3.0-or-later
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: list[tuple[str, str]] = [("register", "0002_append_only")]

    operations = [
        migrations.CreateModel(
            name="Code",
            fields=[
                (
                    "digest",
                    models.CharField(max_length=64, primary_key=True, serialize=False),
                ),
                ("login", models.CharField(db_index=True, max_length=64)),
                ("purpose", models.CharField(max_length=16)),
                ("made_by", models.CharField(max_length=64)),
                ("made_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
            ],
        ),
    ]
