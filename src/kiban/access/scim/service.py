"""What a personnel system asks by SCIM 2.0 (RFC 7644), and what it is answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from pydantic import ValidationError
from scim2_models import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    Context,
    EnterpriseUser,
    Error,
    ETag,
    Filter,
    ForbiddenException,
    Group,
    ListResponse,
    NotFoundException,
    NotImplementedException,
    Patch,
    PreconditionFailedException,
    Resource,
    ResourceType,
    ResponseParameters,
    SCIMException,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    User,
)

from kiban.access.people import MOST, People
from kiban.access.policy import Policies
from kiban.access.scim.desk import Desk
from kiban.access.scim.groups import Groups
from kiban.access.scim.problems import of_problem
from kiban.access.scim.resources import KibanUser, StaffTerm, version
from kiban.access.scim.users import Users
from kiban.access.scopes import Scope
from kiban.kernel import Problem, Problems

SCIM_SCOPE = Scope("KBN", "scim/v2", "Manage")
"""What the personnel system is granted at its registration; nothing else opens the service, and it opens nothing else."""


@dataclass(frozen=True)
class ScimCall:
    """A request.

    Attributes:
        method: of HTTP.
        path: the parts of the address below the base: `Users`, or `Users` and an ID.
        query: the parameters of the address.
        body: the value of the body; None where there is none.
        if_match: the header If-Match; empty where there is none.
        if_none_match: the header If-None-Match, likewise.
    """

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = field(default=None, repr=False)
    if_match: str = ""
    if_none_match: str = ""


@dataclass(frozen=True)
class ScimReply:
    """An answer.

    Attributes:
        status: of HTTP.
        body: of application/scim+json; None where there is none.
        headers: further headers.
    """

    status: int
    body: Mapping[str, Any] | None = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


class Scim:
    """Staff as users, duties at offices as groups. Safe to share between threads.

    Args:
        people: of the city.
        policies: which duties there are.
        base: address of the service, without a slash at the end.
    """

    def __init__(self, people: People, policies: Policies, base: str) -> None:
        self._kinds: dict[str, Desk] = {
            "Users": Users(people, base),
            "Groups": Groups(people, policies, base),
        }
        types = [ResourceType.from_resource(KibanUser), ResourceType.from_resource(Group)]
        self._provider = ScimProvider([User, EnterpriseUser, StaffTerm, Group], types, _CONFIG)

    def answer(self, call: ScimCall, by: str, now: datetime, on: date) -> ScimReply:
        """Answer a request. Every refusal is an answer, too (RFC 7644 3.12); then nothing has changed.

        Args:
            call: what is asked.
            by: ID of the system that asks.
            now: when, in UTC.
            on: the day in Japan.
        """
        try:
            return self._answer(call, by, now, on)
        except ValidationError as error:
            found = [Error.from_validation_error(each) for each in error.errors(include_input=False)]
            return _refused(found[0])
        except (Problem, Problems) as problem:
            return _refused(of_problem(problem).to_error())
        except SCIMException as refusal:
            return _refused(refusal.to_error())

    def _answer(self, call: ScimCall, by: str, now: datetime, on: date) -> ScimReply:
        if call.method == "GET" and call.path in self._about:
            return ScimReply(200, self._about[call.path]())
        match call.method, call.path:
            case "GET", (kind,) if kind in self._kinds:
                found, total, start = self._kinds[kind].find(call.query, on)
                shown = ListResponse[KibanUser | Group](
                    total_results=total, start_index=start, items_per_page=len(found), resources=found or None
                )
                return ScimReply(
                    200,
                    shown.model_dump(
                        scim_ctx=Context.SEARCH_RESPONSE, response_parameters=_wanted(call.query)
                    ),
                )
            case "POST", ("Users",):
                made = self._kinds["Users"].create(call.body, by, now, on)
                return _told(made, 201, call.query, Context.RESOURCE_CREATION_RESPONSE)
            case method, (kind, called) if kind in self._kinds:
                return self._one(method, kind, called, call, by, now, on)
        if call.path == ("Groups",) and call.method == "POST":
            raise ForbiddenException(
                detail="groups are the duties of the policy set at the offices there are"
            )
        raise NotFoundException(detail="nothing is served at this address")

    def _one(
        self, method: str, kind: str, called: str, call: ScimCall, by: str, now: datetime, on: date
    ) -> ScimReply:
        desk = self._kinds[kind]
        there = desk.get(called, on)
        if method == "GET":
            if call.if_none_match and version(there) in _tags(call.if_none_match):
                return ScimReply(304, None, {"ETag": version(there)})
            return _told(there, 200, call.query, Context.RESOURCE_QUERY_RESPONSE)
        if call.if_match and "*" not in _tags(call.if_match) and version(there) not in _tags(call.if_match):
            raise PreconditionFailedException(detail="the resource has changed since; read it again")
        if method == "PUT":
            changed = desk.replace(called, call.body, by, now, on)
            return _told(changed, 200, call.query, Context.RESOURCE_REPLACEMENT_RESPONSE)
        if method == "PATCH":
            changed = desk.patch(called, call.body, by, now, on)
            return _told(changed, 200, call.query, Context.RESOURCE_PATCH_RESPONSE)
        if method == "DELETE":
            raise ForbiddenException(detail="nobody who worked here is forgotten: set active to false")
        raise NotImplementedException(detail="the address has no such method")

    @property
    def _about(self) -> dict[tuple[str, ...], Callable[[], dict[str, Any]]]:
        return {
            ("ServiceProviderConfig",): lambda: _CONFIG.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE),
            ("ResourceTypes",): lambda: _list(self._provider.resource_types),
            ("Schemas",): lambda: _list(self._provider.schemas),
        }


_CONFIG = ServiceProviderConfig(
    patch=Patch(supported=True),
    bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
    filter=Filter(supported=True, max_results=MOST),
    change_password=ChangePassword(supported=False),
    sort=Sort(supported=False),
    etag=ETag(supported=True),
    authentication_schemes=[
        AuthenticationScheme(
            type=AuthenticationScheme.Type.oauthbearertoken,
            name="OAuth 2.0 Bearer Token",
            description="Client credentials with client_secret_jwt",
        )
    ],
)


def _list(resources: tuple[Any, ...]) -> dict[str, Any]:
    shown = [each.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE) for each in resources]
    schema = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
    return {
        "schemas": [schema],
        "totalResults": len(shown),
        "startIndex": 1,
        "itemsPerPage": len(shown),
        "Resources": shown,
    }


def _told(resource: Resource, status: int, query: Mapping[str, str], context: Context) -> ScimReply:  # type: ignore[type-arg]
    tag = version(resource)
    assert resource.meta is not None
    resource.meta.version = tag
    body = resource.model_dump(scim_ctx=context, response_parameters=_wanted(query))
    headers = {"ETag": tag, "Location": str(resource.meta.location)}
    return ScimReply(status, body, headers)


def _wanted(query: Mapping[str, str]) -> ResponseParameters[Any]:
    """Which attributes are wanted, as far as the address says."""
    names = ("attributes", "excludedAttributes")
    return ResponseParameters[Any].model_validate({name: query[name] for name in names if name in query})


def _tags(header: str) -> set[str]:
    return {each.strip() for each in header.split(",")}


def _refused(error: Error) -> ScimReply:
    return ScimReply(int(error.status or 400), error.model_dump())
