"""Whether a page shows what it should: its status, a text, values of its JSON, in time."""

from dataclasses import replace

from psops.catalogue.entry import Probe
from psops.checks import Answer, right, rules, unknown, wrong
from psops.checks.exchange import Response
from psops.checks.http import excerpt
from psops.probes import Unanswered
from psops.probes.fields import server_time
from psops.probes.world import FORM, World, is_login
from psops.report.text import clean, squeeze

_NOT_ALLOWED = (401, 403, 407, 429)
_MOST_SHOWN = 100


def answer(probe: Probe, world: World) -> Answer:
    """Return whether the page is as declared; a page to log in is never what was meant.

    It must have `text` and must not have `not_text`, all of `json` must hold, and it must not
    take more than `most_seconds`.
    """
    url = probe.settings["url"]
    try:
        response, asides = world.http(probe, url)
    except Unanswered as exc:
        return exc.answer
    try:
        found = _judge(probe, world, response)
    except Unanswered as exc:
        return replace(exc.answer, asides=asides)
    return replace(found, text=f"{clean(url)}: {found.text}", asides=asides)


def _judge(probe: Probe, world: World, response: Response) -> Answer:
    given = probe.settings
    status = f"{response.status} {clean(response.reason)}".strip()
    if response.status not in given["status"]:
        return _other_status(given["status"], response, status)
    encoding = response.headers.get("content-encoding", "identity")
    wanted = given["text"] or given["not_text"] or given["json"]
    if wanted and encoding != "identity":
        return unknown("encoded", f"the answer is packed as {clean(encoding)}")
    if response.status < 300 and not response.body and not (wanted or response.status == 204):
        return unknown("no-data", f"{status}, but nothing in it")
    if FORM.search(response.body) and not given["login_form"]:
        return unknown("login-page", f"{status}, but a page to log in{excerpt(response)}")
    if found := _judge_text(given["text"], given["not_text"], response):
        return found
    if given["json"]:
        # What a document is does not depend on which status was declared.
        document = world.document(given["url"], replace(response, status=200))
        now = server_time(response, world.now()) or world.now()
        found = rules.judge(given["json"], document, now)
        if found.code != "ok":
            return found
    elif not (given["text"] or given["login_form"]) and is_login(response):
        return unknown("login-page", f"{status}, but a page to log in{excerpt(response)}")
    most = given["most_seconds"]
    if most and response.elapsed > most:
        return wrong("slow", f"the answer took {response.elapsed:.1f} s, may take {most:g} s")
    told = f" with '{clean(given['text'])}'" if given["text"] else ""
    return found or right(f"answers {status}{told}")


def _judge_text(text: str, not_text: str, response: Response) -> Answer | None:
    body = response.body.decode(errors="replace")
    if not_text and not_text in body:
        return wrong("error-in-body", f"'{clean(not_text)}' is in the answer")
    if text and text not in body:
        if not response.complete:
            return unknown("too-big", f"'{clean(text)}' is not in what is read of the answer")
        code = "login-page" if is_login(response) else "text"
        return wrong(code, f"'{clean(text)}' is not in the answer{excerpt(response)}")
    if not_text and not response.complete:
        return unknown("too-big", "the answer is larger than what is read of it")
    return None


def _other_status(wanted: tuple[int, ...], response: Response, status: str) -> Answer:
    declared = ", ".join(map(str, wanted))
    if response.status in _NOT_ALLOWED:
        return unknown("not-allowed", f"{status}, so the page is not seen")
    if 300 <= response.status < 400 and "location" in response.headers:
        target = squeeze(clean(response.headers["location"]))[:_MOST_SHOWN]
        return wrong("redirect", f"{status} instead of {declared}: it points to {target}")
    code = "server-error" if response.status >= 500 else "status"
    return wrong(code, f"{status} instead of {declared}{excerpt(response)}")
