// What scripts add to pages that say everything without: times of the reader's zone, keys, copying.
"use strict";

// Times are written in UTC; beside it stands the reader's own, where that is another.
const localTimes = () => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const full = new Intl.DateTimeFormat("en-CA", {
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
    hourCycle: "h23", timeZoneName: "short",
  });
  for (const time of document.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const told = time.textContent;
    if (Number.isNaN(at.getTime()) || !told.endsWith(" UTC")) continue;
    if (at.getTimezoneOffset() === 0) continue;
    const part = Object.fromEntries(full.formatToParts(at).map((one) => [one.type, one.value]));
    const clock = `${part.hour}:${part.minute}:${part.second} ${part.timeZoneName}`;
    time.textContent = told.length > 12 ? `${part.year}-${part.month}-${part.day} ${clock}` : clock;
    time.title = `${told}; ${zone}`;
    const utc = document.createElement("span");
    utc.className = "utc";
    utc.textContent = ` (${told.slice(-12)})`;
    time.after(utc);
  }
};

const line = document.createElement("p");
line.className = "status-line";
line.setAttribute("role", "status");
document.body.append(line);
const say = (words) => {
  line.textContent = words;
  setTimeout(() => { if (line.textContent === words) line.textContent = ""; }, 2500);
};

const copy = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
    say("Copied");
  } catch {
    say("The browser does not let pages copy");
  }
};

// A button beside each command.
const copyButtons = () => {
  for (const command of document.querySelectorAll(".command")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy: ${command.textContent.slice(0, 60)}`);
    button.addEventListener("click", () => copy(command.textContent));
    command.after(" ", button);
  }
};

// Keys: `g` and a letter go to a page, `j` and `k` move through the rows of the first table.
const PAGES = { o: "/", p: "/policies", h: "/heatmap", v: "/violations", c: "/changes", w: "/waivers", s: "/sources", a: "/audit" };
const KEYS = [
  ["?", "these keys"], ["/", "the query"], ["g o", "overview"], ["g p", "policies"], ["g h", "heatmap"], ["g v", "violations"],
  ["g c", "changes"], ["g w", "waivers"], ["g s", "sources"], ["g a", "audit log"], ["j, k", "next and previous row"],
  ["Enter", "open the row"], ["c", "copy the command that prints this page"],
];

let help = null;
const showKeys = () => {
  if (help === null) {
    help = document.createElement("dialog");
    help.setAttribute("aria-label", "Keys");
    const list = document.createElement("dl");
    for (const [keys, what] of KEYS) {
      const name = document.createElement("dt");
      const kbd = document.createElement("kbd");
      kbd.textContent = keys;
      name.append(kbd);
      const words = document.createElement("dd");
      words.textContent = what;
      list.append(name, words);
    }
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = "Close";
    close.addEventListener("click", () => help.close());
    help.append(list, close);
    document.body.append(help);
  }
  help.showModal();
};

let chosen = -1;
const rows = () => [...document.querySelectorAll("main tbody tr")].filter((row) => row.querySelector("a[href]"));
const move = (by) => {
  const all = rows();
  if (all.length === 0) return;
  all[chosen]?.classList.remove("chosen");
  chosen = Math.min(Math.max(chosen + by, 0), all.length - 1);
  all[chosen].classList.add("chosen");
  all[chosen].querySelector("a[href]").focus();
};

const go = (letter) => {
  const to = PAGES[letter];
  if (to === undefined) return;
  // The navigation's own link carries Region and theme.
  const links = [...document.querySelectorAll("nav[aria-label=Pages] a")];
  const link = links.find((one) => new URL(one.href).pathname === to);
  if (link) link.click();
};

let after = null;
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [role=application]");
  if (event.ctrlKey || event.metaKey || event.altKey || typing || document.querySelector("dialog[open]")) return;
  const key = event.key;
  if (after === "g") {
    after = null;
    go(key);
    return;
  }
  const acts = {
    "?": showKeys,
    "/": () => document.querySelector(".query input:not([type=hidden])")?.focus(),
    g: () => { after = "g"; setTimeout(() => { after = null; }, 1500); },
    j: () => move(1),
    k: () => move(-1),
    c: () => {
      const command = document.querySelector(".tools .command");
      if (command) copy(command.textContent);
    },
  };
  if (acts[key] === undefined) return;
  event.preventDefault();
  acts[key]();
});

// A draft that was typed is not lost by a slip.
for (const form of document.querySelectorAll("form[data-draft]")) {
  let dirty = false;
  form.addEventListener("input", () => { dirty = true; });
  form.addEventListener("submit", () => { dirty = false; });
  addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });
}

localTimes();
copyButtons();
