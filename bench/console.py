"""The console as a browser sees it: what a page weighs, how soon it shows, how soon it changes.

A real hub, a real Chromium. The first view is timed from the start of the navigation until the
name of a live space, its people and its buttons are drawn, with an empty cache and with a
full one. A change is timed from the press of the hand's button on one member's page until
another member's page shows it, both on the computer's one clock; the limit beside it is the
same way without hub or page: a message from one page to the other through a plain WebSocket
server, drawn at once.
"""

import argparse
import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from aiohttp import WSMsgType, web
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from bench.support import pictures, report
from tests.support.crew import Hub, free_port

HUB: Final = '[[space]]\nid = "main"\nname = "Evening"\nmode = "moderated"\n'
CHANGES, QUICK_CHANGES = 200, 20
VIEWS, QUICK_VIEWS = 15, 3
WEIGHT_KIB, FIRST_VIEW_MS, CHANGE_MS = 150, 500, 150

# When `what` first holds after each call of `window.expect`, on the clock of all pages.
OBSERVER: Final = """() => {
  const now = () => performance.timeOrigin + performance.now();
  let due = null;
  const look = () => { if (due && due.test()) { due.done(now()); due = null; } };
  new MutationObserver(look).observe(document, {subtree: true, childList: true,
    characterData: true, attributes: true});
  window.expect = (selector, text, present) => new Promise((done) => {
    const test = () => Boolean([...document.querySelectorAll(selector)]
      .some((node) => node.textContent.includes(text))) === present;
    due = {test, done}; look();
  });
}"""
# When the door of the space stood on the screen: the frame after it was there.
DRAWN: Final = """(() => {
  const look = () => [...document.querySelectorAll("button")]
    .some((one) => one.textContent.trim() === "Join");
  const watch = new MutationObserver(() => {
    if (!look()) return;
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => { window.drawn = performance.now(); }));
  });
  watch.observe(document, {subtree: true, childList: true});
})()"""
PRESS: Final = """(selector) => {
  const at = performance.timeOrigin + performance.now();
  document.querySelector(selector).click();
  return at;
}"""
HAND: Final = ".talkbar .side button"
HANDS: Final = ".hands"
PLAIN: Final = """<!doctype html><title>limit</title><p class="hands"></p><script>
const line = new WebSocket(`ws://${location.host}/ws`);
const page = document.querySelector("p");
line.onmessage = (event) => { page.textContent = event.data; };
window.send = (text) => {
  const at = performance.timeOrigin + performance.now(); line.send(text); return at; };
</script>"""


async def named(browser: Browser, hub: Hub, name: str) -> BrowserContext:
    """Return a fresh browser profile whose member has this name."""
    context = await browser.new_context(base_url=hub.http, viewport={"width": 390, "height": 844})
    answer = await context.request.put(
        "/api/v1/me", data={"name": name}, headers={"Origin": hub.http}
    )
    assert answer.ok, await answer.text()
    return context


async def joined(context: BrowserContext) -> Page:
    """Return a page that is in the space."""
    page = await context.new_page()
    await page.goto("/#/space/main")
    await page.get_by_role("button", name="Join", exact=True).click()
    await page.locator(".talkbar").wait_for()
    await page.evaluate(OBSERVER)
    return page


async def changes(ana: Page, ben: Page, count: int) -> list[float]:
    """Raise and lower Ana's hand; return after how many ms Ben's page showed it, each time."""
    late = []
    for number in range(count):
        seen = ben.evaluate(
            "([s, t, p]) => window.expect(s, t, p)", [HANDS, "Ana", number % 2 == 0]
        )
        shown = asyncio.ensure_future(seen)
        await asyncio.sleep(0.12)  # the hub lets a member send a few messages a second
        pressed: float = await ana.evaluate(PRESS, HAND)
        late.append(await asyncio.wait_for(shown, 10) - pressed)
    return late


async def limit(browser: Browser, count: int) -> list[float]:
    """Return how long the same takes from page to page with nothing between but a socket."""
    async with plain_server() as url:
        pages = [await (await browser.new_context()).new_page() for _ in range(2)]
        for page in pages:
            await page.goto(url)
            await page.evaluate(OBSERVER)
        await asyncio.sleep(0.5)
        late = []
        for number in range(count):
            text = f"number {number}."
            seen = asyncio.ensure_future(
                pages[1].evaluate("([s, t]) => window.expect(s, t, true)", [HANDS, text])
            )
            await asyncio.sleep(0.05)
            sent: float = await pages[0].evaluate("(text) => window.send(text)", text)
            late.append(await asyncio.wait_for(seen, 10) - sent)
        return late


@contextlib.asynccontextmanager
async def plain_server() -> AsyncIterator[str]:
    """Serve a page and a socket that repeats what it hears to everybody."""
    lines: set[web.WebSocketResponse[bool]] = set()

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=PLAIN, content_type="text/html")

    async def line(request: web.Request) -> web.WebSocketResponse[bool]:
        mine: web.WebSocketResponse[bool] = web.WebSocketResponse()
        await mine.prepare(request)
        lines.add(mine)
        async for message in mine:
            if message.type is WSMsgType.TEXT:
                for each in lines:
                    await each.send_str(message.data)
        return mine

    app = web.Application()
    app.add_routes([web.get("/", page), web.get("/ws", line)])
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        await runner.cleanup()


async def first_views(browser: Browser, hub: Hub, count: int) -> dict[str, list[float]]:
    """Return how long the first view took, cold and warm, and what it weighed in KiB."""
    found: dict[str, list[float]] = {"cold": [], "warm": [], "sent": [], "unpacked": []}
    for number in range(count):
        context = await named(browser, hub, f"Viewer {number}")
        await context.add_init_script(DRAWN)
        for kind in ("cold", "warm"):
            page = await context.new_page()
            await page.goto("/#/space/main")
            await page.wait_for_function("() => window.drawn")
            drawn: dict[str, Any] = await page.evaluate(
                """() => {
                  const all = [...performance.getEntriesByType("resource"),
                    ...performance.getEntriesByType("navigation")]
                    .filter((one) => !one.name.includes("/api/"));
                  return {now: window.drawn,
                    sent: all.reduce((sum, one) => sum + one.transferSize, 0),
                    size: all.reduce((sum, one) => sum + one.decodedBodySize, 0)};
                }"""
            )
            found[kind].append(float(drawn["now"]))
            if kind == "cold":
                found["sent"].append(drawn["sent"] / 1024)
                found["unpacked"].append(drawn["size"] / 1024)
            await page.close()
        await context.close()
    return found


async def measure(folder: Path, *, quick: bool) -> dict[str, list[float]]:
    """Run everything against one hub in one browser."""
    config = folder / "hub.toml"
    config.write_text(HUB)
    hub = Hub(folder, free_port(), extra=("--config", str(config)))
    try:
        hub.wait_up()
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--no-sandbox"]
            )
            count = QUICK_CHANGES if quick else CHANGES
            views = await first_views(browser, hub, QUICK_VIEWS if quick else VIEWS)
            ana, ben = [await joined(await named(browser, hub, name)) for name in ("Ana", "Ben")]
            found = views | {
                "limit": await limit(browser, count),
                "change": await changes(ana, ben, count),
            }
            await browser.close()
            return found
    finally:
        hub.stop()


def show(found: dict[str, list[float]]) -> None:
    """Print the figures."""
    spreads = {name: report.spread(values) for name, values in found.items()}
    print("\nThe page, in KiB:\n")
    report.table(
        ("", "KiB", "asked for"),
        [
            ("sent", f"{spreads['sent'].median:.0f}", WEIGHT_KIB),
            ("unpacked", f"{spreads['unpacked'].median:.0f}", ""),
        ],
    )
    print("\nFirst view of a live space, and a change from one page to another, in ms:\n")
    rows = [
        ("first view, empty cache", "cold", FIRST_VIEW_MS),
        ("first view, full cache", "warm", FIRST_VIEW_MS),
        ("limit: page to page by a plain socket", "limit", ""),
        ("hand up or down, on another's page", "change", f"p99 {CHANGE_MS}"),
    ]
    report.table(
        ("", "median", "p99", "of the limit", "asked for"),
        [
            (
                label,
                f"{spreads[name].median:.0f}",
                f"{spreads[name].p99:.0f}",
                report.ratio(spreads[name].median, spreads["limit"].median)
                if name == "change"
                else "",
                asked,
            )
            for label, name, asked in rows
        ],
    )
    values = {label: spreads[name].median for label, name, _ in rows}
    print(f"Drawn: {pictures.bars('console', 'The console in Chromium', 'ms, median', values)}")


def main() -> None:
    """Measure, print, and write ``bench-out/console.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, for a smoke test")
    arguments = parser.parse_args()
    started = report.load()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(Path(folder), quick=arguments.quick))
    show(found)
    report.finish("console", {"ms": found}, started)


if __name__ == "__main__":
    main()
