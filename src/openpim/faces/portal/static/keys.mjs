// Keyboard shortcuts: never while something is typed, and they can be switched off (WCAG 2.1.4). What they are is written
// in the page (keys.html), in the reader's language.

const KEPT = "openpim-keys";
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const PLACES = { r: "/portal/roles", a: "/portal/approvals" };
const LONGEST = 1500; // ms between the two keys of one shortcut
let begun = 0;

function on() {
  try { return localStorage.getItem(KEPT) !== "off"; } catch { return true; }
}
function keep(wanted) {
  try { localStorage.setItem(KEPT, wanted ? "on" : "off"); } catch { /* not kept: on again on the next page */ }
}

function help(before = document.activeElement) {
  const words = document.getElementById("keys");
  if (!words || document.querySelector("dialog.shortcuts")) return;
  document.body.append(words.content.cloneNode(true));
  const dialog = document.querySelector("dialog.shortcuts");
  const box = dialog.querySelector("input");
  box.checked = on();
  box.addEventListener("change", () => keep(box.checked));
  const leave = () => {
    if (!dialog.isConnected) return; // the browser says "close" a moment later: by then the focus may be elsewhere
    dialog.close();
    dialog.remove();
    before?.focus?.();
  };
  dialog.addEventListener("click", (event) => { if (event.target === dialog) leave(); }); // beside it
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    leave(); // at once: the next key is for the page
  });
  dialog.addEventListener("submit", (event) => { event.preventDefault(); leave(); });
  dialog.addEventListener("close", leave); // by any other way of the browser's own
  dialog.showModal();
}

function search() {
  const field = document.querySelector("[data-key='/']") ?? document.querySelector("main [role=search] :is(input:not([type=hidden]), select)");
  field?.focus();
  field?.select?.();
}

function step(by) {
  const rows = all(".rows .row").filter((row) => !row.hidden);
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
  (next?.querySelector(".do a, .do button") ?? next?.querySelector("a, button, input"))?.focus();
}

const ACTS = {
  "?": () => help(),
  "/": search,
  j: () => step(1),
  k: () => step(-1),
  x: () => document.activeElement?.closest(".row")?.querySelector("input.tick")?.click(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
  const here = event.target;
  if (!(here instanceof Element)) return;
  if (here.closest("input:not(.tick, [type=checkbox], [type=radio]), select, textarea, dialog, [contenteditable]")) {
    if (event.key === "Escape" && !here.closest("dialog")) here.blur();
    return;
  }
  if (event.key === "Escape") {
    const open = document.querySelector("details.menu[open]");
    if (open) { open.open = false; open.querySelector("summary").focus(); }
    return;
  }
  if (!on() || event.repeat) return;
  const second = begun && event.timeStamp - begun < LONGEST;
  begun = 0;
  if (second && PLACES[event.key]) location.assign(PLACES[event.key]);
  else if (event.key === "g") begun = event.timeStamp;
  else if (ACTS[event.key]) ACTS[event.key]();
  else return;
  event.preventDefault();
});

for (const button of all("[data-keys]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const menu = button.closest("details");
    menu?.removeAttribute("open");
    help(menu?.querySelector("summary"));
  });
}
