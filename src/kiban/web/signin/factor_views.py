# mypy: disable-error-code="import-untyped, misc"
"""Views of allauth for passkeys, where Kiban asks more of them."""

from __future__ import annotations

from typing import Any

from allauth.mfa.webauthn import views
from allauth.mfa.webauthn.internal import auth
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse, reverse_lazy

from kiban.web.signin import strength
from kiban.web.signin.models import Account


class AddPasskeyView(views.AddWebAuthnView):
    """A passkey that is found without a staff number and asks for a PIN, a finger or a face: it can sign in alone."""

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        """What the browser needs to make one."""
        found: dict[str, Any] = super(views.AddWebAuthnView, self).get_context_data(**more)
        found["js_data"] = {"creation_options": auth.begin_registration(self.request.user, passwordless=True)}
        return found


class RemovePasskeyView(views.RemoveWebAuthnView):
    """Not the last factor."""

    success_url = reverse_lazy("mfa_index")

    def form_valid(self, form: Any) -> HttpResponse:
        """Remove it, unless nothing would be left."""
        with transaction.atomic():
            account = Account.objects.select_for_update().get(pk=self.request.user.pk)
            if len(strength.factors(account)) > 1:
                answer: HttpResponse = super().form_valid(form)
                return answer
        messages.error(self.request, "最後の第二要素は削除できません。先に別のものを登録してください。")
        return HttpResponseRedirect(reverse("mfa_index"))
