// Looks at every page of the dashboard in Chromium: axe in both themes, screenshots at two widths, each page on
// paper, nothing from elsewhere, no scripts needed, the heatmap by keyboard, signing in and out.
//
//   node pages.mjs --palisade PROGRAM --chromium BROWSER --node-modules FOLDER --out FOLDER

import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const text = { type: "string" };
const { values: given } = parseArgs({ options: { palisade: text, chromium: text, "node-modules": text, out: text, port: text } });
const require = createRequire(join(given["node-modules"], "node_modules", "x.js"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const port = Number(given.port ?? 17780);
const home = `http://127.0.0.1:${port}`;
const folder = mkdtempSync(join(tmpdir(), "palisade-browser-"));
const failures = [];
const check = (name, fine, why = "") => {
  if (fine) return;
  failures.push(`${name}: ${why}`);
  console.log(`FAILED ${name}: ${why}`);
};

const start = async (args, ready) => {
  const server = spawn(given.palisade, args, { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, PALISADE_LOG: "warn" } });
  let printed = "";
  server.stdout.on("data", (data) => { printed += data; });
  for (let waited = 0; !printed.includes(ready); waited += 200) {
    if (server.exitCode !== null || waited > 600_000) throw new Error(`the server did not come up:\n${printed}`);
    await new Promise((done) => setTimeout(done, 200));
  }
  return server;
};
const stop = (server) => new Promise((done) => { server.once("exit", done); server.kill("SIGINT"); });

const browse = () => chromium.launch({
  executablePath: given.chromium,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

// A page, ready to be looked at, that tells of what it should not do.
const open = async (context, path) => {
  const page = await context.newPage();
  page.on("console", (line) => {
    // A refused form is an answer, and browsers tell of it.
    if (["error", "warning"].includes(line.type()) && !/status of 40[03]/.test(line.text())) check(`console of ${path}`, false, line.text());
  });
  page.on("pageerror", (error) => check(`script of ${path}`, false, String(error)));
  page.on("request", (request) => check(`requests of ${path}`, request.url().startsWith(home), request.url()));
  const answer = await page.goto(home + path);
  check(path, answer.status() === 200, `status ${answer.status()}`);
  return page;
};

// Where the first link of a page in its content leads that looks like this.
const link = async (context, path, looks) => {
  const page = await context.newPage();
  await page.goto(home + path);
  const found = await page.$$eval("main a", (links) => links.map((one) => one.getAttribute("href")));
  await page.close();
  const href = found.find((one) => looks.test(one ?? ""));
  check(`links of ${path}`, href !== undefined, `none is like ${looks}`);
  return href ?? "/";
};

const story = async (browser) => {
  const plain = await browser.newContext();
  const policy = await link(plain, "/policies", /^\/policies\/[0-9a-f-]{36}\?/);
  const account = (await link(plain, "/", /^\/accounts\/\d+\?/));
  const violations = "/violations?region=us-east-1";
  const resource = await link(plain, violations, /\/resource\?/);
  const standing = await link(plain, policy, /^\/policies\/[^/]+\/accounts\/\d+\?/);
  const unheard = await link(plain, "/sources", /^\/accounts\/\d+\?/);
  const pages = {
    overview: "/?region=us-east-1", policies: "/policies?region=us-east-1", policy, standing, account, unheard,
    violations, query: `${violations}&q=reason%3A*%20legacy`, wrong: `${violations}&q=colour%3Ared`,
    resource, sources: "/sources?region=us-east-1", audit: "/audit?region=us-east-1",
    heatmap: "/heatmap?region=us-east-1", table: "/heatmap?region=us-east-1&view=table",
    empty: "/policies?region=ap-south-1",
    changes: "/changes?region=us-east-1", history: "/history?region=us-east-1",
    "policy-history": policy.replace("/policies/", "/history?policy=").replace("?region", "&region"),
    "standing-history": standing.replace("?", "/history?"),
    waivers: "/waivers?region=us-east-1", "waiver-new": "/waivers/new?region=us-east-1",
    keys: "/keys?region=us-east-1", "policy-new": "/policies/new?region=us-east-1",
    "policy-edit": policy.replace("?", "/edit?"), "policy-delete": policy.replace("?", "/delete?"),
    // The past is kept since the sample was judged, before the server said that it is ready.
    past: `/?region=us-east-1&at=${new Date(Date.now() - 1).toISOString()}`,
  };
  await plain.close();
  for (const [name, path] of Object.entries(pages)) await look(browser, name, path);
  for (const [name, path] of Object.entries(pages)) await paper(browser, name, path);
  await keyboard(browser, pages.heatmap);
  await tasks(browser, pages);
  await zoomed(browser, pages);
  await localTimes(browser, pages.changes);
  await withoutScripts(browser, pages);
};

const look = async (browser, name, path) => {
  for (const theme of ["light", "dark"]) {
    const context = await browser.newContext({ colorScheme: theme, viewport: { width: 1280, height: 900 } });
    const page = await open(context, path);
    if (name === "heatmap") await page.waitForSelector("[data-drawn]", { timeout: 20_000 });
    await page.screenshot({ path: join(given.out, `${name}-1280-${theme}.png`), fullPage: true });
    // Handed in by the debugger, not by the page: its own rules let no foreign script in.
    const found = await page.evaluate(`${axe}; axe.run(document, { resultTypes: ["violations"] })`);
    for (const one of found.violations) {
      check(`axe on ${name} in ${theme}`, false, `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
    }
    for (const width of [400, 320]) {
      await page.setViewportSize({ width, height: 800 });
      const over = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth");
      check(`${name} at ${width} px`, over <= 0, `${over} px wider than the window`);
      if (width === 400) await page.screenshot({ path: join(given.out, `${name}-400-${theme}.png`), fullPage: name !== "heatmap" });
    }
    await context.close();
  }
};

// What an auditor files: a sheet of A4 between its margins says whose page it is, of when, where it stands and what
// was asked for; nothing is cut at its edge or folded away, and nothing on it is there to be pressed.
const PAPER_WIDTH = 688;
const paper = async (browser, name, path) => {
  const context = await browser.newContext({ colorScheme: "dark", viewport: { width: PAPER_WIDTH, height: 1000 } });
  const page = await open(context, path);
  await page.emulateMedia({ media: "print" });
  const found = await page.evaluate(() => {
    const seen = (element) => element.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true });
    const all = [...document.querySelectorAll("body *")].filter(seen);
    const wide = (element) => element.closest(".pinned") !== null;
    const edge = document.documentElement.clientWidth + 1;
    const written = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== "");
    const bright = (colour) => (colour.match(/\d+/g) ?? []).slice(0, 3).every((part) => Number(part) > 170);
    return {
      head: document.querySelector("main > .paper").innerText,
      pressed: all.filter((one) => one.matches("nav, button, summary::marker, .button, .query")).map((one) => one.outerHTML.slice(0, 80)),
      cut: all.filter((one) => !wide(one) && one.getBoundingClientRect().right > edge).map((one) => one.outerHTML.slice(0, 80)),
      folded: [...document.querySelectorAll("main details > :not(summary)")].filter((one) => one.closest(".tools") === null && !seen(one)).length,
      faint: all.filter((one) => written(one) && bright(getComputedStyle(one).color)).map((one) => one.outerHTML.slice(0, 80)),
    };
  });
  const told = (list) => list.slice(0, 3).join(" | ");
  const asked = new URL(home + path).searchParams;
  check(`${name} on paper names itself`, found.head.includes(home + path.split("?")[0]) && found.head.includes("read 20"), found.head);
  if (asked.has("at")) check(`${name} on paper names its moment`, found.head.includes("as it was known at"), found.head);
  for (const [member, value] of asked) {
    if (!["region", "at", "theme"].includes(member)) check(`${name} on paper says what was asked`, found.head.includes(`${member}: ${value}`), found.head);
  }
  check(`${name} on paper`, found.pressed.length === 0, `has what can be pressed: ${told(found.pressed)}`);
  check(`${name} on paper`, found.cut.length === 0, `is cut at the edge: ${told(found.cut)}`);
  check(`${name} on paper`, found.folded === 0, `${found.folded} parts are folded away`);
  check(`${name} on paper`, found.faint.length === 0, `is light on white: ${told(found.faint)}`);
  await page.pdf({ path: join(given.out, `${name}.pdf`), preferCSSPageSize: true });
  await context.close();
};

const keyboard = async (browser, path) => {
  const context = await browser.newContext();
  const page = await open(context, path);
  await page.waitForSelector("[data-drawn]");
  await page.focus("#heatmap");
  await page.keyboard.press("ArrowDown");
  const first = await page.textContent("#told");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowRight");
  const next = await page.textContent("#told");
  check("arrow keys on the heatmap", first !== next && next.includes(" under "), `${first} then ${next}`);
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/policies\/.*\/accounts\//);
  const title = await page.textContent("h1");
  check("Enter on the heatmap", next.startsWith(title.split(" under ")[0]), `${title} after ${next}`);
  await page.goBack();
  check("back from a cell", page.url() === home + path, page.url());
  await context.close();
};

// Twelve things that people come for, by keyboard alone.
const tasks = async (browser, pages) => {
  const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
  const page = await open(context, pages.overview);
  const press = async (...keys) => { for (const key of keys) await page.keyboard.press(key); };
  const at = async (task, looks) => {
    await page.waitForURL(looks, { timeout: 10_000 }).catch(() => {});
    check(`by keyboard: ${task}`, looks.test(page.url()), page.url());
  };
  // Presses Tab until something is focused that a selector fits.
  const tabTo = async (selector) => {
    for (let pressed = 0; pressed < 200; pressed += 1) {
      await page.keyboard.press("Tab");
      if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return;
    }
    check(`by keyboard: Tab to ${selector}`, false, page.url());
  };
  await press("Tab");
  check("by keyboard: skip to the content", (await page.evaluate("document.activeElement.className")) === "skip");
  await press("g", "p");
  await at("go to the policies", /\/policies\?/);
  await press("j", "Enter");
  await at("open a policy", /\/policies\/[0-9a-f-]{36}\?/);
  await press("j", "Enter");
  await at("open an account of it", /\/policies\/[^/]+\/accounts\/\d+\?/);
  await press("g", "v");
  await at("go to the violations", /\/violations\?/);
  await press("/");
  await page.keyboard.type("reason:*");
  await press("Enter");
  await at("ask for violators", /q=reason/);
  await press("j", "j", "Enter");
  await at("open a violator", /\/resource\?/);
  await tabTo("a[href*='/waivers/new']");
  await press("Enter");
  await at("begin a waiver", /\/waivers\/new\?/);
  await tabTo("#reason");
  await page.keyboard.type("agreed until the migration");
  await tabTo("#owner");
  await page.keyboard.type("network team");
  await press("Enter");
  await at("make it", /\/waivers\/[0-9A-Za-z]+\?/);
  await page.screenshot({ path: join(given.out, "waiver-1280-light.png"), fullPage: true });
  await press("g", "w");
  await at("go to the waivers", /\/waivers\?/);
  await page.screenshot({ path: join(given.out, "waivers-some-1280-light.png"), fullPage: true });
  await press("?");
  check("by keyboard: see the keys", await page.isVisible("dialog[open]"), "no dialog");
  const found = await page.evaluate(`${axe}; axe.run(document, { resultTypes: ["violations"] })`);
  check("axe on the keys", found.violations.length === 0, found.violations.map((one) => one.id).join());
  await press("Escape");
  await press("g", "p");
  await at("back to the policies", /\/policies\?/);
  await press("c");
  await page.waitForTimeout(300);
  const copied = await page.evaluate("navigator.clipboard.readText()").catch((error) => String(error));
  check("by keyboard: copy the command", copied.startsWith("palisade policies list"), copied);
  await tabTo("a[href*='/policies/new']");
  await press("Enter");
  await at("begin a policy", /\/policies\/new\?/);
  await tabTo("a[href*='USAGE_AUDIT']");
  await press("Enter");
  await at("choose its type", /type=SECURITY_GROUPS_USAGE_AUDIT/);
  await tabTo("#f-0");
  await page.keyboard.type("made-by-keyboard");
  await tabTo("fieldset + fieldset input[type=checkbox]");
  await press("Space");
  await tabTo("button[value='fill-and-preview']");
  await press("Enter");
  await page.waitForSelector("#preview", { timeout: 60_000 }).catch(() => {});
  check("by keyboard: preview it", await page.isVisible("button[value=put]"), (await page.textContent("main")).slice(0, 300));
  await context.close();
  await draft(browser, pages);
};

// The editor with a preview, looked at in both themes.
const draft = async (browser, pages) => {
  for (const theme of ["light", "dark"]) {
    const context = await browser.newContext({ colorScheme: theme, viewport: { width: 1280, height: 900 } });
    const page = await open(context, pages["policy-new"]);
    const text = JSON.parse(await page.inputValue("#text"));
    text.PolicyName = "no-open-world";
    text.SecurityServicePolicyData.ManagedServiceData.preManagedOptions = [
      { auditSgDirection: { type: "INGRESS" } }, { denyProtocolAllValue: true }, { allowedPortCountPerSgRule: 2 },
    ];
    await page.fill("#text", JSON.stringify(text, null, 2));
    await page.click("button[value=preview]");
    await page.waitForSelector("#preview", { timeout: 60_000 }).catch(() => {});
    check("a preview", await page.isVisible("button[value=put]"), (await page.textContent("main")).slice(0, 400));
    await page.screenshot({ path: join(given.out, `preview-1280-${theme}.png`), fullPage: true });
    const found = await page.evaluate(`${axe}; axe.run(document, { resultTypes: ["violations"] })`);
    for (const one of found.violations) check(`axe on a preview in ${theme}`, false, `${one.id}: ${one.nodes[0].html.slice(0, 160)}`);
    await page.setViewportSize({ width: 400, height: 800 });
    const over = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth");
    check("a preview at 400 px", over <= 0, `${over} px wider than the window`);
    await page.screenshot({ path: join(given.out, `preview-400-${theme}.png`), fullPage: true });
    await context.close();
  }
};

// A window of 1280 px at 200 % is one of 640 px with letters twice as large.
const zoomed = async (browser, pages) => {
  const context = await browser.newContext({ viewport: { width: 640, height: 450 }, deviceScaleFactor: 2 });
  for (const [name, path] of Object.entries(pages)) {
    const page = await context.newPage();
    await page.goto(home + path);
    const over = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth");
    check(`${name} at 200 %`, over <= 0, `${over} px wider than the window`);
    await page.close();
  }
  await context.close();
};

const localTimes = async (browser, path) => {
  const context = await browser.newContext({ timezoneId: "Asia/Kolkata" });
  const page = await open(context, path);
  const words = await page.textContent("main");
  check("local times", words.includes("GMT+5:30") && words.includes("UTC)"), words.slice(0, 400));
  await context.close();
};

// Every page says what it says without scripts; the heatmap leads to its table.
const withoutScripts = async (browser, pages) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  for (const [name, path] of Object.entries(pages)) {
    const page = await context.newPage();
    await page.goto(home + path);
    const words = await page.textContent("main");
    check(`${name} without scripts`, words.trim().length > 40, "says nothing");
    await page.close();
  }
  const page = await context.newPage();
  await page.goto(home + pages.heatmap);
  await page.click("noscript a");
  check("the heatmap's table", page.url().includes("view=table"), page.url());
  await context.close();
};

const signing = async (browser, key, secret, link) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await open(context, "/policies?region=us-east-1");
  check("a stranger", page.url().includes("/sign-in?next="), page.url());
  await page.screenshot({ path: join(given.out, "sign-in-1280-light.png") });
  const found = await page.evaluate(`${axe}; axe.run()`);
  check("axe on sign-in", found.violations.length === 0, JSON.stringify(found.violations.map((one) => one.id)));
  await page.fill("#key", key);
  await page.fill("#secret", "not the secret");
  await page.keyboard.press("Enter");
  await page.waitForSelector("[role=alert]").catch(() => {});
  check("a wrong secret", (await page.textContent("main")).includes("is not right"), await page.textContent("main"));
  await page.fill("#key", key);
  await page.fill("#secret", secret);
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/policies\?region=/);
  check("signed in", (await page.textContent("h1")) === "Policies", await page.textContent("h1"));
  await page.click("text=You");
  await page.click("button:text-is('Sign out')");
  await page.waitForURL(/\/sign-in/);
  await page.goto(home + "/policies");
  check("signed out", page.url().includes("/sign-in"), page.url());
  await page.goto(link);
  await page.click("text=Open the dashboard");
  await page.waitForURL(home + "/");
  check("by a link", (await page.textContent("h1")) === "Overview", await page.textContent("h1"));
  await page.goto(link);
  await page.click("text=Open the dashboard");
  check("a link twice", (await page.textContent("main")).includes("followed before"), page.url());
  await context.close();
};

const ask = (args, env) => {
  const ran = spawnSync(given.palisade, args, { env: { ...process.env, ...env }, encoding: "utf8" });
  if (ran.status !== 0) throw new Error(`palisade ${args.join(" ")}: ${ran.stderr}`);
  return ran.stdout;
};

mkdirSync(given.out, { recursive: true });
let server = null, browser = null;
try {
  server = await start(["quickstart", "--data", folder, "--listen", `127.0.0.1:${port}`], "Serving on");
  browser = await browse();
  await story(browser);
  await stop(server);
  const store = `sqlite:${join(folder, "quickstart.db")}`;
  const made = JSON.parse(ask(["keys", "create", "--store", store, "--operator", "--output", "json"]));
  server = await start(["serve", "--store", store, "--listen", `127.0.0.1:${port}`, "--stale-after", "0"], "serves on");
  const env = { AWS_ACCESS_KEY_ID: made.AccessKeyId, AWS_SECRET_ACCESS_KEY: made.SecretAccessKey };
  const link = ask(["dashboard", "--endpoint", home], env).trim();
  await signing(browser, made.AccessKeyId, made.SecretAccessKey, link);
} catch (error) {
  check("the story", false, String(error.stack ?? error));
} finally {
  await browser?.close();
  if (server) await stop(server);
  rmSync(folder, { recursive: true, force: true });
}
console.log(failures.length === 0 ? "every page is as it should be" : `${failures.length} failures`);
process.exit(failures.length === 0 ? 0 : 1);
