"use strict";
// One film at a time; the next one is fetched while this one is looked at. Texts of the server are put in as text alone.

const at = (id) => document.getElementById(id);
const { list, csrf } = document.body.dataset;
const stage = at("stage"), lens = at("lens"), sheet = at("sheet"), canvas = at("film"), asRead = at("as-read"), map = at("map"), opacity = at("opacity");
const kept = new Map(); // key -> promise of { facts, film }
const view = { low: 0, high: 255, inverted: false, scale: 1, x: 0, y: 0, fits: true };
const LENS = 2; // times as large as the film around it
let spot = null; // where the pointer is over the stage
let now = null, since = 0, lastSaid = null, busy = false;

function made(tag, text, of) {
  const element = document.createElement(tag);
  if (text !== undefined && text !== null) element.textContent = text;
  if (of) element.className = of;
  return element;
}

async function asked(address, options) {
  const answer = await fetch(address, options);
  if (answer.status === 401) { location.assign("/sign-in"); throw new Error("signed out"); }
  if (!answer.ok) {
    let why = `the room answered ${answer.status}`;
    try { why = (await answer.json()).error || why; } catch (fault) { /* it was no JSON */ }
    throw new Error(why);
  }
  return answer;
}

async function fetchFilm(key) {
  try {
    const answer = await asked(`/films/${key}/values`);
    const head = JSON.parse(answer.headers.get("x-film"));
    return { ...head, values: new Uint16Array(await answer.arrayBuffer()) };
  } catch (fault) {
    return { fault: fault.message };
  }
}

function fetched(key) {
  if (!kept.has(key)) {
    const both = Promise.all([asked(`/lists/${list}/films/${key}/facts`).then((answer) => answer.json()), fetchFilm(key)])
      .then(([facts, film]) => ({ facts, film }));
    both.catch(() => kept.delete(key));
    kept.set(key, both);
  }
  return kept.get(key);
}

async function go(key, remember = true) {
  const begun = performance.now();
  let both;
  try { both = await fetched(key); } catch (fault) { say(fault.message, true); return; }
  now = { key, ...both };
  since = performance.now();
  document.body.dataset.film = key;
  if (remember && location.pathname !== `/lists/${list}/films/${key}`) history.pushState(null, "", `/lists/${list}/films/${key}`);
  asRead.hidden = true;
  asRead.removeAttribute("src"); // or the film before would be shown until this one's has come
  press("as-read", false);
  hideMap();
  showFacts();
  showFilm();
  document.body.dataset.shownIn = String(performance.now() - begun);
  document.body.dataset.ready = key;
  for (const other of [...kept.keys()]) if (![key, now.facts.next, now.facts.previous].includes(other)) kept.delete(other);
  if (now.facts.next) fetched(now.facts.next).then(() => { document.body.dataset.ahead = now.facts.next; }, () => {});
}

// The picture

function showFilm() {
  const { film, facts } = now;
  at("fault").hidden = !film.fault;
  canvas.hidden = Boolean(film.fault);
  if (film.fault) {
    at("fault").textContent = `This film cannot be shown: ${film.fault}`;
    at("window-said").textContent = "";
    return;
  }
  if (facts.sha256 && film.sha256 !== facts.sha256) {
    say("The file has changed since it was read: what you see is not what was read.", true);
    facts.may_review = false;
    showFacts();
  }
  resetWindow();
  fit();
}

function resetWindow() {
  Object.assign(view, { low: now.film.low, high: now.film.high, inverted: false });
  press("invert", false);
  draw();
}

function draw() {
  drawFilm(canvas, now.film, view);
  const center = (view.low + view.high) / 2, width = view.high - view.low;
  const halved = now.film.halved ? `, shown at 1/${2 ** now.film.halved}` : "";
  at("window-said").textContent = `window ${Math.round(width)}, level ${Math.round(center)}${view.inverted ? ", inverted" : ""}; ${now.film.width} × ${now.film.height}, ${now.film.bits} bits${halved}`;
  drawLens();
}

function place() {
  sheet.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
  sheet.classList.toggle("near", view.scale > 2);
  drawLens();
}

function drawLens() {
  if (lens.hidden || !now || now.film.fault) return;
  const box = stage.getBoundingClientRect(), side = lens.width, context = lens.getContext("2d");
  const { x, y } = spot ?? { x: box.width / 2, y: box.height / 2 };
  const source = asRead.hidden ? canvas : asRead;
  const across = (source.naturalWidth || source.width) / now.film.width, down = (source.naturalHeight || source.height) / now.film.height;
  const wide = side / (view.scale * LENS);
  context.fillStyle = "#000";
  context.fillRect(0, 0, side, side);
  context.imageSmoothingEnabled = view.scale * LENS <= 2;
  context.drawImage(source, ((x - view.x) / view.scale - wide / 2) * across, ((y - view.y) / view.scale - wide / 2) * down, wide * across, wide * down, 0, 0, side, side);
  lens.style.transform = `translate(${x - side / 2}px, ${y - side / 2}px)`;
}

function fit() {
  const box = stage.getBoundingClientRect();
  view.scale = Math.min(box.width / now.film.width, box.height / now.film.height);
  view.x = (box.width - now.film.width * view.scale) / 2;
  view.y = (box.height - now.film.height * view.scale) / 2;
  view.fits = true;
  place();
}

function zoom(factor, x, y) {
  const box = stage.getBoundingClientRect();
  const [fromX, fromY] = [x ?? box.width / 2, y ?? box.height / 2];
  const scale = Math.min(32, Math.max(0.02, view.scale * factor));
  view.x = fromX - ((fromX - view.x) * scale) / view.scale;
  view.y = fromY - ((fromY - view.y) * scale) / view.scale;
  view.scale = scale;
  view.fits = false;
  place();
}

function move(x, y) { view.x += x; view.y += y; view.fits = false; place(); }

function changeWindow(level, width) {
  const span = now.film.high - now.film.low;
  const center = (view.low + view.high) / 2 + level * span;
  const wide = Math.max(span / 1000, (view.high - view.low) * width);
  view.low = center - wide / 2;
  view.high = center + wide / 2;
  draw();
}

function hideMap() { map.hidden = opacity.hidden = true; press("map", false); }

function fade() { map.style.opacity = String(opacity.value / 100); }

function press(act, on) {
  const button = document.querySelector(`[data-act="${act}"]`);
  if (button) button.setAttribute("aria-pressed", String(on));
}

const acts = {
  invert() { view.inverted = !view.inverted; press("invert", view.inverted); draw(); },
  fit,
  whole() { zoom(1 / view.scale / (window.devicePixelRatio || 1)); },
  larger() { zoom(1.25); },
  smaller() { zoom(0.8); },
  reset() { resetWindow(); fit(); },
  lens() { lens.hidden = !lens.hidden; press("lens", !lens.hidden); drawLens(); },
  keys() { at("keys").showModal(); },
  async map() {
    if (!map.hidden) { hideMap(); return; }
    if (now.facts.hidden || !now.facts.label) { say("There is no answer shown whose map could be.", true); return; }
    const key = now.key;
    try {
      const answer = await asked(`/lists/${list}/films/${key}/map.png`);
      const head = JSON.parse(answer.headers.get("x-film"));
      const picture = await answer.blob();
      if (now.key !== key) return; // the map may show another film's by now
      const address = URL.createObjectURL(picture);
      try {
        map.src = address;
        await map.decode();
      } finally {
        URL.revokeObjectURL(address);
      }
      if (now.key !== key) return;
      map.hidden = opacity.hidden = false;
      press("map", true);
      fade();
      say(`Where it looks for ${head.label}, by the method ${head.method}.`);
    } catch (fault) {
      if (now.key === key) say(`The map cannot be shown: ${fault.message}`, true);
    }
  },
  "as-read"() {
    if (asRead.hidden) asRead.src = `/films/${now.key}/as-read.png`;
    asRead.hidden = !asRead.hidden;
    press("as-read", !asRead.hidden);
    drawLens();
  },
};
asRead.addEventListener("load", drawLens);
asRead.addEventListener("error", () => { asRead.hidden = true; press("as-read", false); say("What the model sees cannot be shown: its files are not on this machine.", true); });

opacity.addEventListener("input", fade);

// What is said of it

function showFacts() {
  const { facts } = now;
  at("name").textContent = facts.path.split("/").pop();
  at("name").title = facts.path;
  const answer = at("answer");
  answer.replaceChildren();
  if (facts.state !== "done") answer.append(made("p", `${facts.state}: ${facts.reason}. ${facts.detail || ""}`, "alarm"));
  else if (facts.hidden) answer.append(made("p", "Blinded: say your own label first; the model's answer is shown then.", "quiet"));
  else answer.append(...bars(facts));
  const labels = at("labels");
  labels.replaceChildren(...facts.labels.map((label, number) => {
    const button = made("button", `${label} `);
    button.type = "button";
    button.append(made("kbd", number + 1));
    button.setAttribute("aria-pressed", String(Boolean(facts.own && facts.own.label === label)));
    button.addEventListener("click", () => review("label", label));
    return button;
  }));
  for (const button of document.querySelectorAll("#review button")) button.disabled = !facts.may_review;
  for (const button of document.querySelectorAll("#verdicts button")) {
    button.setAttribute("aria-pressed", String(Boolean(facts.own && facts.own.verdict === button.dataset.verdict)));
  }
  at("agree").disabled = !facts.may_review || facts.hidden || !facts.label;
  at("previous").disabled = !facts.previous;
  at("next").disabled = !facts.next;
  at("comment").value = facts.own ? facts.own.comment : "";
  at("comment").disabled = !facts.may_review;
  showMore();
}

function bars(facts) {
  const head = made("p");
  head.append(made("b", facts.decision === "uncertain" ? "uncertain" : facts.decision, facts.decision === "uncertain" ? "unsure" : "sure"));
  head.append(made("span", `, by ${facts.model}`, "quiet"));
  return [head, ...facts.bars.map((bar) => {
    const row = made("div", null, "bar");
    row.setAttribute("role", "img");
    row.setAttribute("aria-label", `${bar.label}: probability ${bar.probability.toFixed(3)}, threshold ${bar.threshold.toFixed(3)}`);
    const svg = shape("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" });
    const below = bar.probability < bar.threshold;
    svg.append(shape("rect", { class: "back", width: 100, height: 10 }), shape("rect", { class: below ? "fill below" : "fill", width: 100 * bar.probability, height: 10 }));
    if (bar.threshold > 0) svg.append(shape("line", { x1: 100 * bar.threshold, x2: 100 * bar.threshold, y1: 0, y2: 10, "vector-effect": "non-scaling-stroke" }));
    row.append(made("span", bar.label), svg, made("span", bar.probability.toFixed(3), "share"));
    return row;
  })];
}

function shape(tag, values) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(values)) element.setAttribute(name, value);
  return element;
}

function showMore() {
  const { facts } = now, more = at("more");
  more.replaceChildren();
  const part = (title, body) => { more.append(made("h2", title), body); };
  if (facts.notes.length) part("Display", listed(facts.notes.map((note) => made("li", note))));
  if (facts.reviews && facts.reviews.length) {
    part("Reviews", listed(facts.reviews.map((one) => made("li", `${one.reader}: ${one.verdict.replaceAll("_", " ")}${one.label ? ` (${one.label})` : ""}${one.blinded ? ", blinded" : ""}, ${one.at}${one.comment ? `: ${one.comment}` : ""}`, one.superseded ? "over" : ""))));
  }
  if (facts.others && facts.others.length) part("Other models", listed(facts.others.map((one) => made("li", `${one.model}: ${one.label} ${one.probability.toFixed(3)}, ${one.decision}`))));
  if (facts.study.length) {
    part("Of the same study", listed(facts.study.map((one) => {
      const item = made("li"), link = made("a", `${one.view || "film"}${one.label ? `: ${one.label}` : ""}`);
      link.href = `/lists/${list}/films/${one.key}`;
      item.append(link);
      return item;
    })));
  }
  const rows = [...Object.entries(facts.facts).map(([name, value]) => [name.replaceAll("_", " "), value]), ["path", facts.path], ["sha256", facts.sha256 || "-"], ["run", facts.run]];
  const table = made("dl");
  for (const [name, value] of rows) table.append(made("dt", name), made("dd", value));
  part("The film", table);
}

function listed(items) { const found = made("ol"); found.append(...items); return found; }

function say(text, bad = false) { at("said").textContent = text; at("said").className = bad ? "bad" : ""; }

// What the reader says

async function review(verdict, label = "") {
  if (!now || busy || (!now.facts.may_review && verdict !== "withdrawn")) return;
  if (verdict === "withdrawn" && !now.facts.own && lastSaid && lastSaid !== now.key) await go(lastSaid);
  if (verdict === "agree" && at("agree").disabled) { say(now.facts.hidden ? "Your own label first." : "There is no answer to agree with.", true); return; }
  const film = now, hidden = film.facts.hidden;
  busy = true;
  try {
    const form = new URLSearchParams({ verdict, label, comment: verdict === "withdrawn" ? "" : at("comment").value, seconds: ((performance.now() - since) / 1000).toFixed(3), sha256: film.facts.sha256 || "" });
    const answer = await asked(`/lists/${list}/films/${film.key}/reviews`, { method: "POST", body: form, headers: { "x-csrf-word": csrf } });
    Object.assign(film.facts, { reviews: undefined, own: null }, await answer.json());
  } catch (fault) {
    say(`Not saved: ${fault.message}`, true);
    return;
  } finally {
    busy = false;
  }
  lastSaid = film.key;
  const own = film.facts.own;
  const told = own ? `Saved: ${own.verdict.replaceAll("_", " ")}${own.label ? `, ${own.label}` : ""}. z takes it back.` : "Taken back.";
  showFacts();
  say(told);
  at("comment").blur();
  if (verdict !== "withdrawn" && !hidden && film.facts.next) { await go(film.facts.next); say(told); }
}

function comment() { at("comment").focus(); }

const keys = {
  n: () => now.facts.next && go(now.facts.next), p: () => now.facts.previous && go(now.facts.previous),
  a: () => review("agree"), u: () => review("unsure"), x: () => review("not_a_film"), z: () => review("withdrawn"), c: comment,
  i: acts.invert, f: acts.fit, o: acts.whole, "+": acts.larger, "=": acts.larger, "-": acts.smaller, m: acts["as-read"], v: acts.map, g: acts.lens, r: acts.reset, "?": acts.keys,
  h: () => move(-60, 0), j: () => move(0, 60), k: () => move(0, -60), l: () => move(60, 0),
  b: () => at("back").click(),
};
keys.ArrowRight = keys.n;
keys.ArrowLeft = keys.p;
const PICTURE = new Set(["i", "f", "o", "+", "=", "-", "m", "v", "g", "r", "h", "j", "k", "l"]);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || at("keys").open || !now) return;
  if (event.target === opacity && event.key.startsWith("Arrow")) return;
  if (event.target.closest("textarea")) { if (event.key === "Escape") at("comment").blur(); return; }
  if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    if (now.film.fault) return;
    const up = event.key === "ArrowUp";
    if (event.shiftKey) changeWindow(0, up ? 0.9 : 1 / 0.9); else changeWindow(up ? -0.02 : 0.02, 1);
  } else if (/^[1-9]$/.test(event.key)) {
    const label = now.facts.labels[Number(event.key) - 1];
    if (label) review("label", label);
  } else if (keys[event.key]) {
    if (!(now.film.fault && PICTURE.has(event.key))) keys[event.key]();
  } else return;
  event.preventDefault();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act], [data-verdict]");
  if (!button || !now) return;
  if (button.dataset.verdict) review(button.dataset.verdict);
  else if (button.dataset.act === "keys" || !now.film.fault) acts[button.dataset.act]();
});
at("next").addEventListener("click", () => keys.n());
at("previous").addEventListener("click", () => keys.p());
at("review").addEventListener("submit", (event) => event.preventDefault());

let from = null;
stage.addEventListener("pointerdown", (event) => {
  if (!now || now.film.fault || event.target.closest("#tools")) return;
  from = { x: event.clientX, y: event.clientY, moves: event.shiftKey || event.button === 1 };
  stage.setPointerCapture(event.pointerId);
});
stage.addEventListener("pointermove", (event) => {
  const box = stage.getBoundingClientRect();
  spot = { x: event.clientX - box.left, y: event.clientY - box.top };
  drawLens();
  if (!from) return;
  const x = event.clientX - from.x, y = event.clientY - from.y;
  Object.assign(from, { x: event.clientX, y: event.clientY });
  if (from.moves) move(x, y); else changeWindow(y / 500, Math.exp(x / 300));
});
stage.addEventListener("pointerup", () => { from = null; });
stage.addEventListener("pointerleave", () => { spot = null; drawLens(); });
stage.addEventListener("pointercancel", () => { from = null; });
stage.addEventListener("wheel", (event) => {
  if (!now || now.film.fault) return;
  event.preventDefault();
  const box = stage.getBoundingClientRect();
  zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15, event.clientX - box.left, event.clientY - box.top);
}, { passive: false });
window.addEventListener("resize", () => { if (now && !now.film.fault && view.fits) fit(); });
window.addEventListener("popstate", () => { const key = location.pathname.split("/").pop(); if (/^\d+-\d+$/.test(key)) go(key, false); });

go(document.body.dataset.film, false);
stage.focus();
