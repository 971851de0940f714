// Draws accounts by policies on one canvas that is as large as the window shows of it. The table beside it
// says the same without a script.
(() => {
  "use strict";
  const room = document.getElementById("heatmap");
  if (!room) return;
  const told = document.getElementById("told");
  const canvas = room.querySelector("canvas");
  const extent = room.querySelector(".extent");
  const pen = canvas.getContext("2d");
  const HEAD = 132, ROW = 18, UNIT = 22, COLUMN_MIN = 22, COLUMN_MAX = 112, NUMBERS_FROM = 44;
  let data = null, lines = [], lineOf = [], at = { row: 0, column: 0 }, chosen = false, column = COLUMN_MIN, side = 200;
  let ink = {}, height = 0;

  const colours = () => {
    const style = getComputedStyle(document.documentElement);
    const names = ["text", "muted", "faint", "page", "raised", "line", "strong-line", "accent", "not-known", "not-known-ground", "h0", "h1", "h2", "h3", "h4", "h5"];
    ink = Object.fromEntries(names.map((name) => [name, style.getPropertyValue("--" + name).trim()]));
    ink.font = getComputedStyle(document.body).fontFamily;
  };
  const step = (count) => (count >= 1000 ? 5 : count >= 100 ? 4 : count >= 10 ? 3 : count >= 2 ? 2 : 1);
  // A number of violators is one character, two of which the first is one of the last nine, or in brackets.
  const DIGITS = "123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!#$%&*+,/:;<=>@[]^_`{|}", ONES = 75;
  const read = (cell) => {
    if (".?~-".includes(cell)) return cell;
    if (cell[0] === "(") return cell.slice(1, -1);
    const lead = DIGITS.indexOf(cell[0]);
    return String(cell.length === 1 ? lead + 1 : ONES + 1 + (lead - ONES) * DIGITS.length + DIGITS.indexOf(cell[1]));
  };
  const words = (cell) => {
    if (cell === ".") return "complies";
    if (cell === "?") return "not known";
    if (cell === "~") return "not judged yet";
    if (cell === "-") return "out of scope";
    return cell === "1" ? "1 violator" : Number(cell).toLocaleString("en") + " violators";
  };
  const cut = (text, width) => {
    if (pen.measureText(text).width <= width) return text;
    let end = text.length;
    while (end > 1 && pen.measureText(text.slice(0, end) + "…").width > width) end -= 1;
    return text.slice(0, end) + "…";
  };

  // Rows and headings of units, each with its place from the top.
  const lay = () => {
    lines = []; lineOf = [];
    let y = 0, unit = null;
    data.accounts.forEach((account, row) => {
      if (account.unit !== unit) {
        unit = account.unit;
        lines.push({ y, unit: unit || "below the root" });
        y += UNIT;
      }
      lineOf[row] = lines.length;
      lines.push({ y, row });
      y += ROW;
    });
    height = y;
  };
  const size = () => {
    const width = room.clientWidth;
    side = Math.min(240, Math.max(120, width * 0.3));
    column = Math.max(COLUMN_MIN, Math.min(COLUMN_MAX, (width - side - 90) / data.policies.length));
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.floor(width * ratio);
    canvas.height = Math.floor(room.clientHeight * ratio);
    canvas.style.width = width + "px";
    canvas.style.height = room.clientHeight + "px";
    extent.style.width = side + column * data.policies.length + 90 + "px";
    extent.style.height = HEAD + height + "px";
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    draw();
  };
  const first = (top) => {
    let low = 0, high = lines.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (lines[middle].y + UNIT < top) low = middle + 1; else high = middle;
    }
    return low;
  };
  const fill = (cell, x, y, wide, high) => {
    if (cell === "-") return;
    if (cell === "?" || cell === "~") {
      pen.fillStyle = cell === "?" ? ink["not-known-ground"] : ink.page;
      pen.fillRect(x, y, wide, high);
      pen.save();
      pen.beginPath(); pen.rect(x, y, wide, high); pen.clip();
      if (cell === "?") {
        pen.strokeStyle = ink["not-known"]; pen.lineWidth = 1.5;
        pen.beginPath();
        for (let d = -high; d < wide; d += 5) { pen.moveTo(x + d, y + high); pen.lineTo(x + d + high, y); }
        pen.stroke();
      } else {
        pen.fillStyle = ink.muted;
        for (let d = 4; d < wide; d += 6) pen.fillRect(x + d, y + high / 2 - 1, 2, 2);
      }
      pen.restore();
      return;
    }
    pen.fillStyle = cell === "." ? ink.h0 : ink["h" + step(Number(cell))];
    pen.fillRect(x, y, wide, high);
    if (cell !== "." && wide >= NUMBERS_FROM) {
      pen.fillStyle = step(Number(cell)) <= 2 ? ink.text : ink.page;
      pen.font = "11px " + ink.font; pen.textAlign = "center";
      pen.fillText(Number(cell).toLocaleString("en"), x + wide / 2, y + high / 2 + 1);
      pen.textAlign = "left";
    }
  };
  const draw = () => {
    const wide = room.clientWidth, high = room.clientHeight, left = room.scrollLeft, top = room.scrollTop;
    pen.clearRect(0, 0, wide, high);
    pen.fillStyle = ink.page; pen.fillRect(0, 0, wide, high);
    pen.textBaseline = "middle";
    for (let n = first(top); n < lines.length && lines[n].y - top < high - HEAD; n += 1) {
      const line = lines[n], y = HEAD + line.y - top;
      if (line.unit !== undefined) {
        pen.fillStyle = ink.muted; pen.font = "600 11px " + ink.font;
        pen.fillText(cut(line.unit, wide - 24), 8, y + UNIT / 2 + 2);
        continue;
      }
      data.rows[line.row].forEach((cell, policy) => {
        const x = side + policy * column - left;
        if (x + column > side && x < wide) fill(cell, x + 1, y + 1, column - 2, ROW - 2);
      });
      pen.fillStyle = ink.page; pen.fillRect(0, y, side, ROW);
      pen.fillStyle = ink.text; pen.font = (chosen && line.row === at.row ? "600 " : "") + "12px " + ink.font;
      pen.fillText(cut(data.accounts[line.row].name, side - 20), 12, y + ROW / 2);
    }
    if (chosen) {
      const line = lines[lineOf[at.row]];
      pen.strokeStyle = ink.accent; pen.lineWidth = 2;
      pen.strokeRect(side + at.column * column - left, HEAD + line.y - top, column, ROW);
    }
    pen.fillStyle = ink.page; pen.fillRect(0, 0, wide, HEAD - 2);
    data.policies.forEach((policy, n) => {
      const x = side + n * column - left + column / 2;
      if (x < side || x > wide + 90) return;
      pen.save();
      pen.translate(x, HEAD - 8); pen.rotate(-Math.PI / 4);
      pen.fillStyle = ink.text; pen.font = (chosen && n === at.column ? "600 " : "") + "12px " + ink.font;
      pen.fillText(cut(policy.name, 160), 0, 0);
      pen.restore();
    });
    pen.fillStyle = ink.page; pen.fillRect(0, 0, side - 4, HEAD - 2);
    pen.fillStyle = ink["strong-line"]; pen.fillRect(0, HEAD - 2, wide, 1);
  };
  const tell = () => {
    const account = data.accounts[at.row], policy = data.policies[at.column];
    told.textContent = account.name + " (" + account.id + ") under " + policy.name + ": " + words(data.rows[at.row][at.column]);
  };
  const choose = (row, policy) => {
    if (row < 0 || policy < 0 || row >= data.accounts.length || policy >= data.policies.length) return;
    at = { row, column: policy }; chosen = true;
    tell(); draw();
  };
  const show = () => {
    const y = lines[lineOf[at.row]].y, x = at.column * column;
    if (y < room.scrollTop + UNIT) room.scrollTop = y - UNIT;
    if (y + ROW > room.scrollTop + room.clientHeight - HEAD) room.scrollTop = y + ROW - room.clientHeight + HEAD;
    if (x < room.scrollLeft) room.scrollLeft = x;
    if (x + column > room.scrollLeft + room.clientWidth - side) room.scrollLeft = x + column - room.clientWidth + side;
  };
  const open = () => {
    const query = new URL(room.dataset.cells, location.href).search;
    location.href = "/policies/" + encodeURIComponent(data.policies[at.column].id) + "/accounts/" + encodeURIComponent(data.accounts[at.row].id) + query;
  };
  const under = (event) => {
    const box = canvas.getBoundingClientRect();
    const x = event.clientX - box.left + room.scrollLeft - side, y = event.clientY - box.top + room.scrollTop - HEAD;
    if (event.clientY - box.top < HEAD || event.clientX - box.left < side) return null;
    const line = lines.find((one) => one.row !== undefined && y >= one.y && y < one.y + ROW);
    const policy = Math.floor(x / column);
    return line && policy < data.policies.length ? { row: line.row, column: policy } : null;
  };
  const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-20, 0], PageDown: [20, 0] };

  room.addEventListener("scroll", () => data && draw(), { passive: true });
  room.addEventListener("mousemove", (event) => {
    const cell = data && under(event);
    canvas.style.cursor = cell ? "pointer" : "default";
    if (cell && (!chosen || cell.row !== at.row || cell.column !== at.column)) choose(cell.row, cell.column);
  });
  room.addEventListener("click", (event) => { if (data && under(event)) open(); });
  room.addEventListener("keydown", (event) => {
    if (!data) return;
    if (event.key === "Enter" && chosen) { open(); return; }
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    const clamp = (value, end) => Math.max(0, Math.min(end - 1, value));
    if (chosen) choose(clamp(at.row + move[0], data.accounts.length), clamp(at.column + move[1], data.policies.length));
    else choose(0, 0);
    show();
  });
  window.addEventListener("resize", () => data && size());
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { colours(); if (data) draw(); });

  fetch(room.dataset.cells, { credentials: "same-origin" }).then((answer) => {
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  }).then((cells) => {
    data = { policies: cells.policies.map(([id, name]) => ({ id, name })), accounts: [], rows: [] };
    for (const text of cells.accounts) {
      const [id, unit, row, ...words] = text.split(" ");
      data.accounts.push({ id, name: words.join(" "), unit: cells.units[unit] });
      data.rows.push(row.match(/\(\d+\)|[@[\]^_`{|}].|./g).map(read));
    }
    if (data.accounts.length === 0) { told.textContent = "There is no account to show."; return; }
    colours(); lay(); size();
    room.dataset.drawn = "yes";
  }).catch((error) => {
    told.textContent = "The cells could not be had (" + error.message + "): load the page again, or see the table.";
  });
})();
