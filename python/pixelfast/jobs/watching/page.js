// Brings what has changed into the page, and leaves the rest alone, so that nothing flickers.
"use strict";
const known = {};
async function look() {
  try {
    const answer = await fetch("now", { cache: "no-store" });
    const parts = await answer.json();
    for (const [name, html] of Object.entries(parts)) {
      if (known[name] !== html) document.getElementById(name).innerHTML = known[name] = html;
    }
  } catch {
    const state = document.querySelector(".state");
    state.className = "state ended";
    state.textContent = "Watching has ended, or this page has lost it";
    known.standing = undefined;
  }
  setTimeout(look, 2000);
}
setTimeout(look, 2000);
