// SPDX-License-Identifier: GPL-3.0-or-later
// Suggests people while a name is typed, and takes a code from a link; without it, both can be typed all the same.
"use strict";
for (const field of document.querySelectorAll("[data-code]")) {
  if (!location.hash) continue;
  field.value = decodeURIComponent(location.hash.slice(1));
  // Neither the history nor a bookmark keeps it.
  history.replaceState(null, "", location.pathname);
}
for (const field of document.querySelectorAll("[data-suggest]")) {
  const list = document.getElementById(field.getAttribute("list"));
  let asked = 0;
  field.addEventListener("input", async () => {
    const words = field.value.split(/[,;]/).pop().trim();
    const before = field.value.slice(0, field.value.length - field.value.split(/[,;]/).pop().length);
    if (words.length < 2) return;
    const mine = ++asked;
    const answer = await fetch(`${field.dataset.suggest}?q=${encodeURIComponent(words)}`, { headers: { Accept: "application/json" } });
    if (!answer.ok || mine !== asked) return;
    const { people } = await answer.json();
    list.replaceChildren(...people.map((person) => {
      const option = document.createElement("option");
      option.value = `${before}${person.login}, `;
      option.label = `${person.name} (${person.login})`;
      return option;
    }));
  });
}
