"use strict";
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const search = document.getElementById("search"), found = document.getElementById("found"), hint = document.getElementById("hint");
// A turn is also found by its thread, whose row stands outside of it.
const turns = all(".turn").map((node) => [node, `${node.closest(".thread").dataset.thread} ${node.textContent}`.toLowerCase()]);
let zoom = 1;
const fold = (open) => all("details.thread, details.turn").forEach((node) => { node.open = open; });
const actions = {
  open: () => fold(true),
  close: () => fold(false),
  nearer: () => { zoom = Math.min(zoom * 2, 64); },
  farther: () => { zoom = Math.max(zoom / 2, 1); },
  all: () => { zoom = 1; },
};
all("[data-do]").forEach((button) => button.addEventListener("click", () => {
  actions[button.dataset.do]();
  document.documentElement.style.setProperty("--zoom", zoom);
}));
search.addEventListener("input", () => {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const [node, text] of turns) {
    node.hidden = !words.every((word) => text.includes(word));
    count += !node.hidden;
    if (words.length && !node.hidden) node.closest(".thread").open = true;
  }
  all(".thread").forEach((node) => { node.hidden = !all(".turn", node).some((turn) => !turn.hidden); });
  found.textContent = words.length ? `${count} of ${turns.length} turns` : "";
});
document.addEventListener("pointerover", (event) => {
  const title = event.target.closest("rect, line")?.querySelector("title");
  hint.hidden = !title;
  if (title) hint.textContent = title.textContent;
});
let closed = [];
addEventListener("beforeprint", () => { closed = all("details:not([open])"); closed.forEach((node) => { node.open = true; }); });
addEventListener("afterprint", () => closed.forEach((node) => { node.open = false; }));
