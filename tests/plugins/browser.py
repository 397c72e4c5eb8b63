"""Pages in a real browser: Chromium of the system, driven by Playwright."""

import os
import shutil
import time

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def chromium():
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="no Playwright: pip install vidan[test]"
    )
    if CHROMIUM is None:
        pytest.skip("no Chromium: apt install chromium")
    with playwright.sync_playwright() as driver:
        # For root, for example in a container, there is no sandbox.
        sandbox = not hasattr(os, "geteuid") or os.geteuid() != 0
        browser = driver.chromium.launch(executable_path=CHROMIUM, chromium_sandbox=sandbox)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """Opens pages; they log no errors but `allowed` ones, and load nothing from other hosts."""
    contexts, messages, hosts = [], [], set()
    # After a run, a page tries to connect to the next one.
    tolerated = ["ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET"]

    def go(address, expected=200, allowed=(), **options):
        tolerated.extend(allowed)
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("console", lambda message: messages.append(message.text))
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        page.on("websocket", lambda socket: hosts.add(socket.url.split("/")[2]))
        answer = page.goto(address)
        assert answer.status == expected
        return page

    yield go
    for context in contexts:
        context.close()
    unexpected = [text for text in messages if not any(each in text for each in tolerated)]
    assert not unexpected, unexpected
    assert len(hosts) == 1


def until(page, condition, timeout=20.0):
    """Wait until a condition holds, while the page runs."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end
        page.wait_for_timeout(50)


def until_true(page, expression):
    """Wait until an expression of JavaScript is true.

    Not `wait_for_function`: it evaluates text in the page, which the policy of the page forbids.
    """
    until(page, lambda: page.evaluate(expression))


def assert_accessible(page):
    """Check a page with axe-core."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page)
    assert found.violations_count == 0, found.generate_report()
