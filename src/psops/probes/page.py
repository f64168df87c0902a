"""Whether a page shows what it should: its status, a text, values of its JSON, in time."""

from dataclasses import replace

from psops.catalogue_entry import Probe
from psops.checks import Answer, right, rules, unknown, wrong
from psops.checks.http import excerpt
from psops.probes import Unanswered
from psops.probes.world import World, is_login
from psops.report.text import clean


def answer(probe: Probe, world: World) -> Answer:
    """Return whether the page is as declared; a page to log in is never what was meant."""
    given = probe.settings
    url = given["url"]
    response, asides = world.http(probe, url)
    try:
        if response.status == 200 and given["json"]:
            found = rules.judge(given["json"], world.document(url, response), world.now())
        else:
            found = None
    except Unanswered as exc:
        return replace(exc.answer, asides=asides)
    place = clean(url)
    status = f"{response.status} {clean(response.reason)}".strip()
    text = response.body.decode(errors="replace")
    if response.status in (401, 403, 407) and response.status not in given["status"]:
        found = unknown("not-allowed", f"{status}, so the page is not seen")
    elif response.status not in given["status"]:
        code = "server-error" if response.status >= 500 else "status"
        found = wrong(code, f"{status}{excerpt(response)}")
    elif given["text"] and given["text"] not in text:
        code = "login-page" if is_login(response) else "text"
        found = wrong(code, f"'{given['text']}' is not in the answer{excerpt(response)}")
    elif found is None and not given["text"] and is_login(response):
        found = unknown("login-page", f"{status}, but a page to log in{excerpt(response)}")
    elif found is None and given["not_text"] and given["not_text"] in text:
        found = wrong("error-in-body", f"'{given['not_text']}' is in the answer")
    elif found is None or found.code == "ok":
        slow = given["most_seconds"] and response.elapsed > given["most_seconds"]
        found = found or right(f"answers {status}")
        if slow:
            found = wrong("slow", f"the answer took {response.elapsed:.1f} s")
    return replace(found, text=f"{place}: {found.text}", asides=asides)
