// Suggestions beside a field where a person, a group, a role or a place is typed: a combobox as the WAI-ARIA practices
// describe it (a list below the field; the arrows move, Enter takes, Escape closes). Without it the field is a field.
//
// <input data-pick="principal">            what is taken stands in the field
// <input data-pick="approver" data-pick-into="id">  … or on a line of its own in that textarea
// data-pick-with="name other"              fields of the same form that are sent along
// <select data-pick-here>                  its own options are searched

let count = 0;
const WAIT = 150; // ms after the last key

function make(tag, attributes, text = "") {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
}

function combobox(input, ask, take) {
  const id = `suggestions-${++count}`;
  const words = document.querySelector("template#picker-words").dataset;
  const list = make("ul", { id, role: "listbox", class: "suggestions", hidden: "", "aria-label": words.list });
  const said = make("span", { class: "away", role: "status" });
  const box = make("span", { class: "combobox" });
  const begun = document.activeElement === input && [input.selectionStart, input.selectionEnd];
  input.replaceWith(box);
  box.append(input, list, said);
  if (begun) { input.focus(); input.setSelectionRange(...begun); } // somebody was quicker: moving it took the focus away
  for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": id, autocomplete: "off", spellcheck: "false" })) input.setAttribute(name, value);
  input.removeAttribute("list");
  let items = [];
  let active = -1;
  let asked = 0;
  let timer = 0;

  function light(index) {
    active = index;
    [...list.children].forEach((one, at) => one.setAttribute("aria-selected", String(at === index)));
    const chosen = list.children[index];
    if (chosen) { input.setAttribute("aria-activedescendant", chosen.id); chosen.scrollIntoView({ block: "nearest" }); }
    else input.removeAttribute("aria-activedescendant");
  }
  function close() {
    clearTimeout(timer);
    asked += 1; // an answer that is under way comes too late
    list.hidden = true;
    items = [];
    input.setAttribute("aria-expanded", "false");
    light(-1);
  }
  function show(found) {
    items = found;
    list.replaceChildren(...found.map((one, at) => {
      const option = make("li", { role: "option", id: `${id}-${at}`, "aria-selected": "false" });
      option.append(make("span", {}, one.name));
      if (one.more && one.more !== one.name) option.append(" ", make("span", { class: "muted small" }, one.more));
      return option;
    }));
    list.hidden = found.length === 0;
    input.setAttribute("aria-expanded", String(found.length > 0));
    light(-1);
    said.textContent = found.length === 0 ? words.none : found.length === 1 ? words.one : words.many.replace("0", found.length);
  }
  async function open() {
    clearTimeout(timer);
    const mine = ++asked;
    const found = await ask(input.value.trim()).catch(() => []);
    if (mine === asked && document.activeElement === input) show(found);
  }
  function choose(index) {
    const one = items[index];
    close();
    said.textContent = "";
    if (one) take(one);
  }
  input.addEventListener("input", () => {
    clearTimeout(timer);
    if (!input.value.trim()) close();
    else timer = setTimeout(open, WAIT);
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    const shown = !list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!shown) { open().then(() => { if (items.length) light(event.key === "ArrowDown" ? 0 : items.length - 1); }); return; }
      if (event.altKey && event.key === "ArrowUp") { close(); return; }
      const by = event.key === "ArrowDown" ? 1 : -1;
      light((active + by + items.length + (active < 0 && by < 0 ? 1 : 0)) % items.length);
    } else if (event.key === "Enter" && (shown ? active >= 0 : false)) {
      event.preventDefault();
      choose(active);
    } else if (event.key === "Escape" && shown) {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (event.key === "Tab" && shown && active >= 0) choose(active);
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) choose([...list.children].indexOf(option));
  });
  input.addEventListener("blur", close);
  return open;
}

function from(input) {
  return async (text) => {
    const query = new URLSearchParams({ of: input.dataset.pick, q: text });
    for (const name of (input.dataset.pickWith ?? "").split(" ").filter(Boolean)) {
      const field = input.form?.elements[name];
      if (field) query.set(name, field.value);
    }
    const answer = await fetch(`/portal/pick?${query}`, { headers: { Accept: "application/json" } });
    return answer.ok ? (await answer.json()).items : [];
  };
}

function fields(within) {
  for (const input of within.querySelectorAll("input[data-pick]:not([role])")) {
    const into = input.dataset.pickInto && document.getElementById(input.dataset.pickInto);
    input.closest("[hidden]")?.removeAttribute("hidden");
    combobox(input, from(input), (one) => {
      if (!into) { input.value = one.value; return; }
      const lines = into.value.split(/[\r\n;]+/).map((line) => line.trim()).filter(Boolean);
      if (!lines.includes(one.value)) lines.push(one.value);
      into.value = `${lines.join("\n")}\n`;
      into.dispatchEvent(new Event("input", { bubbles: true }));
      input.value = "";
    });
  }
}

function selects(within) {
  for (const select of within.querySelectorAll("select[data-pick-here]:not([hidden])")) {
    const input = make("input", { type: "text", id: `${select.id}-pick` });
    for (const name of ["aria-describedby", "aria-invalid"]) if (select.hasAttribute(name)) input.setAttribute(name, select.getAttribute(name));
    const label = document.querySelector(`label[for="${select.id}"]`);
    if (label) label.htmlFor = input.id;
    const now = () => { input.value = select.selectedOptions[0]?.textContent.trim() ?? ""; };
    now();
    const begun = document.activeElement === select;
    select.before(input);
    select.hidden = true;
    const ask = async (text) => {
      const words = text.toLocaleLowerCase().split(/\s+/).filter(Boolean);
      const shown = text === (select.selectedOptions[0]?.textContent.trim() ?? ""); // untouched: all of them
      return [...select.options]
        .filter((one) => shown || words.every((word) => one.textContent.toLocaleLowerCase().includes(word)))
        .map((one) => ({ name: one.textContent.trim(), value: one.value }));
    };
    const open = combobox(input, ask, (one) => { select.value = one.value; now(); select.dispatchEvent(new Event("change", { bubbles: true })); });
    input.addEventListener("focus", () => input.select());
    if (begun) input.focus();
    input.addEventListener("click", () => { if (input.value === (select.selectedOptions[0]?.textContent.trim() ?? "")) input.select(); }); // a click takes the selection away again
    input.addEventListener("click", open);
    input.addEventListener("blur", now); // what is none of them is not taken
  }
}

export function pickers(within) {
  fields(within);
  selects(within);
}
