"""Sign-ins of people at other systems, and refresh tokens that were used up."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Of Django."""

    dependencies = [
        ("accounts", "0001_initial"),
        ("allauth_idp_oidc", "0003_client_allow_uri_wildcards"),
    ]

    operations = [
        migrations.CreateModel(
            name="Visit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("session", models.CharField(db_index=True, max_length=40)),
                ("code", models.CharField(max_length=64, unique=True)),
                ("redeemed", models.BooleanField(default=False)),
                ("issuer", models.CharField(max_length=500)),
                ("scopes", models.TextField()),
                ("began_at", models.DateTimeField()),
                ("shown_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(db_index=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="allauth_idp_oidc.client"
                    ),
                ),
            ],
            options={"verbose_name": "連携先でのサインイン", "verbose_name_plural": "連携先でのサインイン"},
        ),
        migrations.CreateModel(
            name="Spent",
            fields=[
                ("digest", models.CharField(max_length=64, primary_key=True, serialize=False)),
                (
                    "visit",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="accounts.visit"),
                ),
            ],
            options={"verbose_name": "使用済みトークン", "verbose_name_plural": "使用済みトークン"},
        ),
    ]
