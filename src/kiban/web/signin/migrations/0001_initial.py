"""The account of a person, by her staff number, and her invitation."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Of Django."""

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("number", models.CharField(max_length=64, unique=True, verbose_name="職員番号")),
                ("is_active", models.BooleanField(default=True)),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("subject", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("asked_recovery_by", models.CharField(blank=True, default="", max_length=64)),
                ("asked_recovery_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "アカウント",
                "verbose_name_plural": "アカウント",
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
                ("made_by", models.CharField(max_length=64)),
                ("ends_at", models.DateTimeField()),
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "招待",
                "verbose_name_plural": "招待",
            },
        ),
    ]
