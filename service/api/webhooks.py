"""`/api/v1/webhooks`: who is told of events, and what became of each message. For admins."""

from typing import Annotated

from fastapi import Header, Path, Query, Request, Response

from jobs.job import EventKind
from service.api.conditional import IfNoneMatch, document, is_known, tag_of
from service.api.paging import LAST_ID, Limit, link_next
from service.api.problems import Refused
from service.api.route import REPEATABLE, api_router
from service.api.site import Site, TheSite
from service.api.webhook_schemas import (
    MessageOut,
    MessagePage,
    SecretOut,
    WebhookChange,
    WebhookIn,
    WebhookList,
    WebhookMade,
    WebhookOut,
)
from service.webhooks.recipients import RecipientRefused
from service.webhooks.signing import Signer

router = api_router("/webhooks", "webhooks")

WebhookId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
MessageId = Annotated[int, Path(ge=1, le=LAST_ID)]
IfMatch = Annotated[
    str | None, Header(description="ETag of the copy that is changed", max_length=2000)
]


@router.get("")
def list_webhooks(site: TheSite) -> WebhookList:
    """List all webhooks."""
    return WebhookList(items=[WebhookOut.of(webhook) for webhook in site.store.webhooks()])


@router.post("", status_code=201, dependencies=REPEATABLE)
def create_webhook(response: Response, site: TheSite, wanted: WebhookIn) -> WebhookMade:
    """Begin to tell an address of events; the secret of its signatures is shown this once.

    The host must be one of `webhooks.hosts` in the settings.
    """
    signer = _signer(site)
    _require_allowed(site, wanted.url)
    kinds = [EventKind(kind) for kind in wanted.kinds]
    made = site.store.add_webhook(wanted.url, kinds, wanted.description)
    response.headers["Location"] = f"/api/v1/webhooks/{made.id}"
    return WebhookMade(**WebhookOut.of(made).model_dump(), secret=signer.secret(made))


@router.get("/{webhook_id}", response_model=WebhookOut)
def get_webhook(
    site: TheSite, webhook_id: WebhookId, if_none_match: IfNoneMatch = None
) -> Response:
    """Return one webhook."""
    return document(WebhookOut.of(site.store.webhook(webhook_id)), if_none_match)


@router.patch("/{webhook_id}", response_model=WebhookOut)
def change_webhook(
    site: TheSite, webhook_id: WebhookId, wanted: WebhookChange, if_match: IfMatch = None
) -> Response:
    """Change what is given; with If-Match only the version that it names, else 412."""
    seen = site.store.webhook(webhook_id)
    tag = tag_of(WebhookOut.of(seen).model_dump_json().encode())
    if if_match is not None and not is_known(tag, if_match):
        raise Refused("CHANGED_MEANWHILE", "the webhook is not as it was: look at it again")
    if wanted.url is not None:
        _require_allowed(site, wanted.url)
    changes = wanted.changes()
    changed = site.store.change_webhook(seen, changes) if changes else seen
    return document(WebhookOut.of(changed), None)


@router.delete("/{webhook_id}", status_code=204)
def remove_webhook(site: TheSite, webhook_id: WebhookId) -> None:
    """Remove a webhook with its log; what was not sent is not sent."""
    site.store.remove_webhook(webhook_id)


@router.post("/{webhook_id}/secret")
def renew_webhook_secret(site: TheSite, webhook_id: WebhookId) -> SecretOut:
    """Give a webhook a new secret, shown this once; the one before signs nothing any more."""
    signer = _signer(site)
    return SecretOut(secret=signer.secret(site.store.renew_secret(webhook_id)))


@router.post("/{webhook_id}/test", status_code=202, dependencies=REPEATABLE)
def send_webhook_test(site: TheSite, webhook_id: WebhookId) -> MessageOut:
    """Send a message without event, to see whether it arrives; its fate stands in the log."""
    _signer(site)
    return MessageOut.of(site.store.add_test_message(webhook_id))


@router.get("/{webhook_id}/messages")
def list_webhook_messages(
    request: Request,
    response: Response,
    site: TheSite,
    webhook_id: WebhookId,
    limit: Limit = 50,
    cursor: Annotated[
        int | None, Query(ge=1, le=LAST_ID, description="`next` of the page before")
    ] = None,
) -> MessagePage:
    """List what a webhook was told and is to be told, the newest first."""
    found = site.store.messages(webhook_id, limit + 1, cursor)
    more = str(found[limit - 1].id) if len(found) > limit else None
    link_next(request, response, cursor=more)
    return MessagePage(items=[MessageOut.of(one) for one in found[:limit]], next=more)


@router.post("/{webhook_id}/messages/{message_id}/send", status_code=202, dependencies=REPEATABLE)
def send_webhook_message(site: TheSite, webhook_id: WebhookId, message_id: MessageId) -> MessageOut:
    """Send a message once more, whatever became of it; 409 while it is being sent."""
    return MessageOut.of(site.store.send_message_again(webhook_id, message_id))


def _signer(site: Site) -> Signer:
    if site.signer is None:
        text = "no host is allowed to be told of events: webhooks.hosts in the settings names them"
        raise Refused("WEBHOOKS_CLOSED", text)
    return site.signer


def _require_allowed(site: Site, url: str) -> None:
    try:
        site.recipients.target(url)
    except RecipientRefused as error:
        raise Refused("RECIPIENT_REFUSED", f"{error} [{error.code}]") from None
