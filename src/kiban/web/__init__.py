"""The web: the API of the linkage over HTTP, in Django. It knows no SQL and keeps no state."""

from kiban.web.application import Application, application
from kiban.web.configured import django_settings, web_secret
from kiban.web.house import House

__all__ = ["Application", "House", "application", "django_settings", "web_secret"]
