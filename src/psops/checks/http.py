"""Whether a URL answers as it should: status, text, JSON values; its certificate apart."""

import json
import re
import time
from dataclasses import dataclass, replace

from psops.catalogue.entry import Check
from psops.checks import Answer, right, rules, unknown, wrong
from psops.checks.exchange import MOST, NoResponse, Response, Target, get, parse_url
from psops.checks.site import Site
from psops.checks.tls import HandshakeFailed, TlsStream, Untrusted, judge_end, judge_trust
from psops.errors import HostError
from psops.report.text import clean, squeeze
from psops.transport import ByteStream

_EXCERPT = 100
#: What keeps every check of a URL from an answer, not only one of them.
_SAME_FOR_ALL = ("status", "server-error", "redirect", "not-allowed", "encoded", "not-json")
_NOT_ALLOWED = (401, 403, 407, 429)
_TITLE = re.compile(r"<title[^>]*>(.{1,400}?)</title>", re.IGNORECASE | re.DOTALL)
_BEYOND = f"more than the {MOST // 1024} KiB that are read of it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What came of a request: a response or why there is none; what the certificate is like."""

    response: Response | None
    failure: Answer | None
    certificate: bytes
    trust: Untrusted | None


def answer(check: Check, site: Site) -> Answer:
    """Return whether the URL answers as it should; checks of the same URL share one request."""
    url = site.fill_in(check, check.url)
    try:
        target = parse_url(url)
    except ValueError as exc:
        return unknown("cannot-run", f"cannot be run: {clean(str(exc))}")
    key = (check.asked_from, url, check.verify_tls, check.timeout)
    fetched: Fetched = site.once(key, lambda: _fetch(check, site, target))
    asides = tuple(_asides(check, target, fetched))
    if fetched.failure is not None:
        found = replace(fetched.failure, exchange=" ".join(map(str, key)))
    else:
        assert fetched.response is not None
        found = judge(check, fetched.response)
        if found.code in _SAME_FOR_ALL:
            found = replace(found, exchange=" ".join(map(str, key)))
    if found.code != "ok":
        found = replace(found, text=f"{clean(url)}: {found.text}")
    return replace(found, asides=asides)


def judge(check: Check, response: Response) -> Answer:
    """Return what it means for the check that this was answered."""
    status = f"{response.status} {clean(response.reason)}".strip()
    if response.status not in check.status:
        return _other_status(check, response, status)
    if not check.text and not check.json:
        return right(f"answers {status}")
    encoding = response.headers.get("content-encoding", "identity")
    if encoding != "identity":
        return unknown("encoded", f"the answer is packed as {clean(encoding)}")
    text = response.body.decode(errors="replace")
    if check.text and check.text not in text:
        if not response.complete:
            return unknown("too-big", f"'{check.text}' is not in the answer, which is {_BEYOND}")
        return wrong("text", f"'{check.text}' is not in the answer{excerpt(response)}")
    if not check.json:
        return right(f"answers {status} with '{check.text}'")
    if not response.complete:
        return unknown("too-big", f"the answer is {_BEYOND}")
    try:
        document = json.loads(response.body)
    except (ValueError, RecursionError):
        return unknown("not-json", f"{status}, but not JSON{excerpt(response)}")
    return rules.judge(check.json, document, _now(response))


def _fetch(check: Check, site: Site, target: Target) -> Fetched:
    limit = site.limit(check.timeout)
    trust: Untrusted | None = None
    certificate = b""
    stream: ByteStream | None = None
    try:
        stream = site.open(check, target.host, target.port, limit)
        if target.tls:
            try:
                stream = tls = TlsStream(stream, target.host, limit, verify=check.verify_tls)
            except Untrusted as exc:
                # What the page says is asked all the same: two findings, each on its own.
                trust = exc
                stream.close()
                stream = site.open(check, target.host, target.port, limit)
                stream = tls = TlsStream(stream, target.host, limit, verify=False)
            certificate = tls.certificate
        response = get(stream, target, limit)
    except HostError as exc:
        failure = site.explain(check, exc, limit)
    except HandshakeFailed as exc:
        failure = wrong("tls-handshake", str(exc))
    except NoResponse as exc:
        failure = wrong(exc.code, clean(str(exc)))
    else:
        return Fetched(response=response, failure=None, certificate=certificate, trust=trust)
    finally:
        if stream is not None:
            stream.close()
    return Fetched(response=None, failure=failure, certificate=certificate, trust=trust)


def _asides(check: Check, target: Target, fetched: Fetched) -> list[Answer]:
    """Return what is wrong with the certificate, as far as the check wants to know."""
    found: list[Answer | None] = []
    now = time.time()
    if fetched.trust is not None:
        found.append(judge_trust(fetched.trust, target.host, fetched.certificate, now))
    if fetched.certificate and (check.verify_tls or check.tls_days):
        found.append(judge_end(fetched.certificate, check.tls_days, now))
    place = f"{target.host} port {target.port}"
    return [
        replace(answer, text=f"{clean(place)}: {answer.text}", exchange=place)
        for answer in found
        if answer is not None
    ]


def _other_status(check: Check, response: Response, status: str) -> Answer:
    wanted = ", ".join(map(str, check.status))
    if response.status in _NOT_ALLOWED:
        return unknown("not-allowed", f"{status}, so that the answer is not seen")
    if 300 <= response.status < 400 and "location" in response.headers:
        place = squeeze(clean(response.headers["location"]))[:_EXCERPT]
        return wrong("redirect", f"{status} instead of {wanted}: it points to {place}")
    code = "server-error" if response.status >= 500 else "status"
    return wrong(code, f"{status} instead of {wanted}{excerpt(response)}")


def excerpt(response: Response) -> str:
    """Return the title of a page or the begin of another answer, in words that follow a text."""
    text = response.body[:8192].decode(errors="replace")
    title = _TITLE.search(text)
    if title:
        shown = clean(squeeze(title[1]))[:_EXCERPT]
        return f"; it is a page with the title '{shown}'"
    shown = clean(squeeze(text))
    if not shown:
        return "; it is empty"
    return f"; it begins '{shown if len(shown) <= _EXCERPT else shown[: _EXCERPT - 1] + '…'}'"


def _now(response: Response) -> float:
    """Return the time by the server's own clock, ours if it does not tell."""
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(response.headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError, OverflowError):
        return time.time()
