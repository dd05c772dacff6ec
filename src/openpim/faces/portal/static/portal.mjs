// The portal's one module. Every page works without it; it makes them nicer: times in the reader's zone, the slider,
// a list that filters as one types, keys, and news from the server.

import "./keys.mjs";
import { pickers } from "./picker.mjs"; // with it, not after it: no field changes under a hand that has begun to type

const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// -- times: the reader's zone, UTC on hover
const dates = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const clocks = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
function localTimes(within) {
  for (const time of all("time[datetime]", within)) {
    const when = new Date(time.dateTime);
    if (Number.isNaN(when.getTime()) || time.title) continue;
    time.title = time.textContent;
    const today = when.toDateString() === new Date().toDateString();
    time.textContent = today ? `today, ${clocks.format(when)}` : dates.format(when);
  }
}

// -- bars of the time that is left; the server's clock is the one that counts
const skew = Date.now() - Date.parse(document.body.dataset.now ?? new Date().toISOString());
function words(seconds) {
  const parts = [[Math.floor(seconds / 86400), "d"], [Math.floor(seconds / 3600) % 24, "h"], [Math.floor(seconds / 60) % 60, "min"], [Math.floor(seconds) % 60, "s"]];
  return parts.filter(([count]) => count).slice(0, 2).map(([count, unit]) => `${count} ${unit}`).join(" ") || "0 s";
}
function countDown() {
  for (const left of all("[data-until]")) {
    const rest = Math.max(0, (Date.parse(left.dataset.until) - (Date.now() - skew)) / 1000);
    const bar = left.querySelector("progress");
    if (bar) bar.value = rest;
    const text = left.querySelector(".left-words");
    if (text) text.textContent = `${words(rest)} left`;
    if (rest === 0 && !left.dataset.over) {
      left.dataset.over = "1";
      setTimeout(refresh, 1000);
    }
  }
}

// -- a slider beside the list of durations
function sliders(within) {
  for (const box of all("[data-slider]", within)) {
    const select = box.querySelector("select");
    if (!select || box.querySelector("input[type=range]")) continue;
    const range = document.createElement("input");
    range.type = "range";
    range.min = "0";
    range.max = String(select.options.length - 1);
    range.value = String(select.selectedIndex);
    range.setAttribute("aria-label", document.querySelector(`label[for="${select.id}"]`)?.textContent?.trim() ?? "");
    const say = () => range.setAttribute("aria-valuetext", select.selectedOptions[0]?.textContent ?? "");
    range.addEventListener("input", () => { select.selectedIndex = Number(range.value); say(); });
    select.addEventListener("change", () => { range.value = String(select.selectedIndex); say(); });
    say();
    box.prepend(range);
  }
}

// -- local moments in forms: the offset goes along
function zones(within) {
  for (const input of all("input[data-zone]", within)) {
    const offset = document.getElementById(input.dataset.zone);
    const hint = document.getElementById(`${input.id}-hint`);
    if (!offset) continue;
    if (hint && input.dataset.hint) hint.textContent = input.dataset.hint;
    const set = () => { offset.value = input.value ? String(-new Date(input.value).getTimezoneOffset()) : "0"; };
    if (input.value && offset.value === "0") { // typed without a script, or by a link: UTC
      const at = new Date(`${input.value}Z`);
      if (!Number.isNaN(at.getTime())) {
        const local = new Date(at.getTime() - at.getTimezoneOffset() * 60000);
        input.value = local.toISOString().slice(0, 16);
      }
    }
    set();
    input.addEventListener("input", set);
  }
}

// -- lists filter as one types
function filters(within) {
  for (const input of all("input[data-filter]", within)) {
    input.addEventListener("input", () => {
      const wanted = input.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
      for (const row of all(`#${CSS.escape(input.dataset.filter)} [data-text]`)) {
        const text = row.dataset.text.toLocaleLowerCase();
        row.hidden = !wanted.every((word) => text.includes(word));
      }
    });
    if (input.value) input.dispatchEvent(new Event("input")); // typed before this ran, or kept by the browser
  }
}

// -- what is taken along is copied; what only helps with a script appears; what is shown once is not kept for going back
function copying(within) {
  for (const one of all("[data-scripted]", within)) one.hidden = false;
  for (const button of all("button[data-copy]", within)) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    const label = button.firstChild;
    const word = label.textContent;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(button.dataset.copy);
        label.textContent = "Copied";
      } catch {
        label.textContent = "Select it";
      }
      setTimeout(() => { label.textContent = word; }, 2000);
    });
  }
}
addEventListener("pagehide", () => { for (const one of all("[data-once]")) one.replaceChildren(); });

// -- choices that act at once; ticking that shows what can be done with several
document.addEventListener("change", (event) => {
  const field = event.target;
  if (field.matches?.("select[data-submit]")) field.form.requestSubmit();
  if (field.matches?.("input.tick")) ticked();
});
function ticked() {
  const count = all("input.tick:checked").length;
  for (const button of all("[data-several]")) button.classList.toggle("shown", count > 0);
}
document.addEventListener("submit", (event) => { // not twice
  const button = event.submitter;
  if (button && event.target.method === "post") setTimeout(() => { button.disabled = true; });
});
addEventListener("pageshow", () => {
  for (const button of all("button[disabled]")) button.disabled = false;
  ticked();
});

// -- news: fetch the page again (or the menu's parts alone, where nothing else is live) and exchange its live parts,
// unless somebody is typing in them
const MENU = "nav.side, #waiting-said"; // its count is on every page
let fetching = false;
async function refresh() {
  if (fetching || document.hidden || !document.querySelector("[data-live]")) return;
  fetching = true;
  try {
    const menuOnly = all("[data-live][id]").every((part) => part.closest(MENU));
    const answer = await fetch(menuOnly ? "/portal/approvals/count" : location.href, { headers: { Accept: "text/html" } });
    if (answer.status === 401) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of all("[data-live][id]")) {
      const other = fresh.getElementById(part.id);
      const busy = part.contains(document.activeElement) && document.activeElement.matches("input:not(.tick), select, textarea");
      if (!other || busy || touched(part)) continue;
      if (part.closest(MENU) && part.textContent === other.textContent) continue; // nothing to announce
      const focus = place(document.activeElement, part);
      part.replaceChildren(...other.childNodes);
      enhance(part);
      if (focus) part.querySelector(focus)?.focus();
    }
    for (const input of all("input[data-filter]")) if (input.value) input.dispatchEvent(new Event("input"));
  } catch {
    // away for a moment: the next news comes
  } finally {
    fetching = false;
  }
}
function touched(part) { // somebody has typed or ticked something here
  const ticked = (field) => field.type === "checkbox" || field.type === "radio";
  return all("input, textarea", part).some((field) =>
    ticked(field) ? field.checked !== field.defaultChecked : field.value !== field.defaultValue);
}
function place(element, part) {
  const link = element?.getAttribute?.("href");
  return link && part.contains(element) ? `a[href="${CSS.escape(link)}"]` : "";
}

function enhance(within) {
  localTimes(within);
  sliders(within);
  zones(within);
  filters(within);
  copying(within);
  pickers(within);
}
enhance(document);
document.documentElement.classList.add("scripted"); // everything is in its place
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
countDown();
setInterval(countDown, 1000);

// One tab of a browser listens for all of them: connections to one server are few. The others hear it over the channel.
function listen() {
  if (!document.querySelector("[data-live]") || !("EventSource" in window)) return;
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("openpim") : null;
  const { changes, now } = document.body.dataset;
  let heard = 0; // how many changes there were at the last news
  channel?.addEventListener("message", ({ data }) => { // news, or a page that was made before they came asks for them
    if (data === "news") refresh();
    else if (heard > data) channel.postMessage("news");
  });
  const hear = () => new Promise((resolve) => {
    const source = new EventSource(`/portal/live?${new URLSearchParams({ changes, now })}`);
    const stop = () => { source.close(); resolve(); };
    source.addEventListener("news", ({ data }) => { heard = Number(data); channel?.postMessage("news"); refresh(); });
    source.addEventListener("ended", () => { stop(); signedOut(); });
    source.addEventListener("error", () => { if (source.readyState === EventSource.CLOSED) setTimeout(stop, 30000); });
    addEventListener("pagehide", stop, { once: true });
  });
  const again = () => (navigator.locks ? navigator.locks.request("openpim-live", hear) : hear());
  again();
  channel?.postMessage(Number(changes));
  addEventListener("pageshow", (event) => { if (event.persisted) { again(); refresh(); } });
  setInterval(refresh, 60000); // what no event tells, and where events do not come through
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
}
function signedOut() {
  const box = document.createElement("div");
  box.className = "said wait";
  box.setAttribute("role", "alert");
  const text = document.createElement("p");
  const link = document.createElement("a");
  link.href = location.href;
  link.textContent = "Sign in again.";
  text.append("You are signed out. ", link);
  box.append(text);
  document.querySelector("main")?.prepend(box);
}
listen();
