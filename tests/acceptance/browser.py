# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's Chromium without a screen, as a person at an instrument's PC uses it: certificates are verified."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait
from selenium_axe_python import Axe

from tests.scenario import PATIENCE

CHROMIUM = "/usr/bin/chromium"
DRIVER = "/usr/bin/chromedriver"
# Never --ignore-certificate-errors: a wrong certificate must fail the test.
FLAGS = (
    "--headless=new",
    "--window-size=1280,900",
    "--no-first-run",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The facility is reached directly, whatever proxy this machine uses for the world.
    "--no-proxy-server",
)

_SEND = """
  const form = document.createElement("form");
  form.method = "post"; form.action = arguments[0]; form.enctype = "multipart/form-data";
  const token = document.querySelector("[name=csrfmiddlewaretoken]");
  for (const [name, value] of Object.entries({...arguments[1], csrfmiddlewaretoken: token.value})) {
    const field = document.createElement(name === "file" ? "input" : "textarea");
    field.name = name;
    if (name === "file") {
      const chosen = new DataTransfer();
      chosen.items.add(new File([value], "file"));
      field.type = "file"; field.files = chosen.files;
    } else field.value = value;
    form.append(field);
  }
  document.body.append(form); form.submit();
"""


def trusting_home(home: Path, authority: Path) -> Path:
    """Make the folder a home whose Chromium trusts the authority."""
    database = home / ".pki" / "nssdb"
    database.mkdir(parents=True)
    for arguments in (
        ["-N", "--empty-password"],
        ["-A", "-t", "C,,", "-n", "facility", "-i", str(authority)],
    ):
        subprocess.run(["certutil", "-d", f"sql:{database}", *arguments], check=True, capture_output=True)
    return home


_CUT_OFF = "ERR_NETWORK_CHANGED"


class Browser:
    """One window."""

    def __init__(self, driver: webdriver.Chrome, screenshots: Path) -> None:
        self._driver = driver
        self._screenshots = screenshots

    @classmethod
    @contextmanager
    def opened(cls, home: Path, profile: Path, screenshots: Path) -> Iterator[Browser]:
        """A fresh browser, closed at the end."""
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")  # Chromium's sandbox refuses root
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(options, Service(DRIVER, env={**os.environ, "HOME": str(home)}))
        try:
            driver.set_page_load_timeout(PATIENCE)
            yield cls(driver, screenshots)
        finally:
            driver.quit()

    @property
    def title(self) -> str:
        """What the window's frame says."""
        return self._driver.title

    @property
    def text(self) -> str:
        """What a person reads in the window."""
        return self._driver.find_element(By.TAG_NAME, "body").text

    @property
    def complaints(self) -> list[str]:
        """What the browser itself complains about: scripts that fail, files that are refused or missing.

        Not that this machine got or lost a network meanwhile, as beside a scenario.
        """
        entries: list[dict[str, str]] = self._driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [
            entry["message"] for entry in entries if entry["level"] == "SEVERE" and _CUT_OFF not in entry["message"]
        ]

    def visit(self, address: str) -> None:
        """Type an address."""
        self._driver.get(address)
        self._reload_what_was_cut_off()

    def send(self, address: str, fields: Mapping[str, str]) -> None:
        """Send a form to an address, with the token of the page that is shown; what is called file is a file's text."""
        page = self._driver.find_element(By.TAG_NAME, "html")
        self._driver.execute_script(_SEND, address, dict(fields))
        self._wait().until(lambda _: _is_gone(page), f"{address} led to no other page")

    def is_logged_in(self, cookie: str, value: str) -> None:
        """Have a cookie of the site that is shown, as after a log-in."""
        self._driver.add_cookie({"name": cookie, "value": value, "path": "/", "secure": True})

    def forget(self) -> None:
        """Lose all cookies, as a browser that was just opened."""
        self._driver.execute_cdp_cmd("Network.clearBrowserCookies", {})

    def speaks(self, language: str) -> None:
        """Ask for pages in a language from now on, as de."""
        self._driver.execute_cdp_cmd("Network.enable", {})
        self._driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {"Accept-Language": language}})

    def looks(self, *, width: int, dark: bool) -> None:
        """Draw the page for a screen so many CSS pixels wide, with dark colours or light ones."""
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})

    def barriers(self, *tags: str) -> list[str]:
        """What axe-core finds that people can't read or reach, by the rules with one of the tags; a line each."""
        axe = Axe(self._driver)
        if not self._driver.execute_script("return 'axe' in window"):
            axe.inject()
        found = axe.run(options={"runOnly": list(tags), "resultTypes": ["violations"]})
        return [
            f"{rule['id']} ({rule['help']}): {' '.join(node['html'].split())[:200]}"
            for rule in found["violations"]
            for node in rule["nodes"]
        ]

    @property
    def scrolls_sideways(self) -> bool:
        """Whether the page is wider than its screen."""
        page = "document.documentElement"
        return bool(self._driver.execute_script(f"return {page}.scrollWidth > {page}.clientWidth"))

    def sees(self, selector: str) -> bool:
        """Whether something that the CSS selector describes is shown."""
        return any(element.is_displayed() for element in self._driver.find_elements(By.CSS_SELECTOR, selector))

    def fill(self, selector: str, words: str) -> None:
        """Write into a field, over what stands in it."""
        field = self._element(selector)
        field.clear()
        field.send_keys(words)

    def choose(self, selector: str, value: str) -> None:
        """Choose one of a list's entries by its value."""
        Select(self._element(selector)).select_by_value(value)

    def press(self, selector: str) -> None:
        """Press a button or a link and wait for the page that it leads to."""
        page = self._driver.find_element(By.TAG_NAME, "html")
        self._element(selector).click()
        self._wait().until(lambda _: _is_gone(page), f"{selector} led to no other page")
        self._reload_what_was_cut_off()

    def click(self, selector: str, words: str = "") -> None:
        """Click on what the selector describes and (if given) reads so; the page stays."""
        try:
            self._wait().until(lambda _: self._reading(selector, words))[0].click()
        except TimeoutException:
            self.keep_picture("nothing-to-click-on")
            raise AssertionError(f"no {selector} reads {words!r}; the window reads: {self.text[:2000]}") from None

    def reads(self, selector: str, words: str, seconds: float = PATIENCE) -> bool:
        """Whether something that the selector describes comes to read so, in time."""
        try:
            self._wait(seconds).until(lambda _: self._reading(selector, words))
        except TimeoutException:
            return False
        return True

    def unfolds(self, selector: str, words: str, content: str) -> bool:
        """Whether a click on what reads so shows its content; one that a page still being drawn loses is done again."""
        end = time.monotonic() + PATIENCE
        while True:
            self.click(selector, words)
            if self.reads(selector, content, seconds=15):
                return True
            if time.monotonic() > end:
                self.keep_picture("nothing-unfolded")
                return False
            self._driver.refresh()

    def shows_picture(self, selector: str) -> bool:
        """Whether an image that the selector describes has come in and isn't empty."""
        script = "return [...document.querySelectorAll(arguments[0])].some(i => i.complete && i.naturalWidth > 1)"
        try:
            self._wait().until(lambda driver: driver.execute_script(script, selector))
        except TimeoutException:
            return False
        return True

    def keep_picture(self, name: str) -> Path:
        """Save what the window shows."""
        path = self._screenshots / f"{name}.png"
        self._driver.save_screenshot(str(path))
        return path

    def _reload_what_was_cut_off(self) -> None:
        """Chromium gives up a page when this machine gets or loses a network, as beside a scenario's hosts."""
        end = time.monotonic() + PATIENCE
        while _CUT_OFF in self._driver.page_source and time.monotonic() < end:
            self._driver.refresh()

    def _element(self, selector: str) -> WebElement:
        found: list[WebElement] = self._wait().until(
            lambda driver: driver.find_elements(By.CSS_SELECTOR, selector), f"{selector} is not in the window"
        )
        return found[0]

    def _reading(self, selector: str, words: str) -> list[WebElement]:
        return [element for element in self._driver.find_elements(By.CSS_SELECTOR, selector) if words in element.text]

    def _wait(self, seconds: float = PATIENCE) -> WebDriverWait[webdriver.Chrome]:
        """Look again while a page is drawn anew."""
        return WebDriverWait(self._driver, seconds, ignored_exceptions=(StaleElementReferenceException,))


def _is_gone(page: WebElement) -> bool:
    try:
        page.is_enabled()
    except WebDriverException:
        # A page on its way out answers with several kinds of it.
        return True
    return False
