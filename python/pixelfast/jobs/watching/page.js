// Brings what has changed into the page, and leaves the rest alone, so that nothing flickers.
"use strict";
const fresh = document.createElement("template");
async function look() {
  try {
    const answer = await fetch("now", { cache: "no-store" });
    for (const [name, html] of Object.entries(await answer.json())) {
      const part = document.getElementById(name);
      fresh.innerHTML = html;
      if (part.innerHTML !== fresh.innerHTML) part.replaceChildren(fresh.content);
    }
  } catch {
    const state = document.querySelector(".state");
    state.className = "state ended";
    state.textContent = "Watching has ended, or this page has lost it";
  }
  setTimeout(look, 2000);
}
setTimeout(look, 2000);
