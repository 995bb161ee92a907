// Runs the panel's firmware under MicroPython. The line is what the Pico's USB is: bytes come
// in on stdin, which does not block, and go out on stdout. Everything else that happens to a
// Pico comes over two files more, in step with the test:
//
//   in   {"until": ms, "levels": {"2": 0}, "reset": true, "hang": true}    one line of JSON
//   out  {"now": ms, "lights": [[ms, red, green, blue]], "pins": {"17": true}, "starts": 1}
//
// Time stands still between the two.

import fs from "node:fs";
import path from "node:path";

const [modulePath, firmware, doubles, main, commands, answers] = process.argv.slice(2);
const { loadMicroPython } = await import(modulePath);
// A Pico has 192 kB for a program; the rest of its memory is MicroPython's.
const HEAP_BYTES = 192 * 1024;
// From power to the first line of main.py.
const BOOT_MS = 300;
const COMMANDS = Number(commands);
const ANSWERS = Number(answers);

let now = 0;
let until = 0;
let levels = {};
let pins = {};
let lights = [];
let starts = 0;
let isOff = true;
let watchdogMs = 0;
let fedAt = 0;
let files = {};
let said = "";

// --- the line ---------------------------------------------------------------------------

const chunk = Buffer.alloc(4096);
let unread = [];

function fill() {
  try {
    const count = fs.readSync(0, chunk, 0, chunk.length, null);
    for (let i = 0; i < count; i += 1) unread.push(chunk[i]);
  } catch (error) {
    if (error.code !== "EAGAIN") throw error;
  }
}

function send(bytes) {
  if (!isOff) fs.writeSync(1, Buffer.from(bytes));
}

// --- the test ---------------------------------------------------------------------------

let text = "";

function command() {
  while (!text.includes("\n")) {
    const count = fs.readSync(COMMANDS, chunk, 0, chunk.length, null);
    if (count === 0) process.exit(0);
    text += chunk.toString("utf8", 0, count);
  }
  const end = text.indexOf("\n");
  const told = JSON.parse(text.slice(0, end));
  text = text.slice(end + 1);
  return told;
}

function answer() {
  fs.writeSync(ANSWERS, `${JSON.stringify({ now, lights, pins, starts })}\n`);
  lights = [];
}

// Let the test have its say as often as it wants; true: the chip is to start anew.
function wait(ms) {
  let isReset = false;
  let end = now + ms;
  while (end > until) {
    now = until;
    answer();
    const told = command();
    until = told.until;
    Object.assign(levels, told.levels);
    isReset ||= told.reset === true;
    if (told.hang) end = fedAt + watchdogMs + 1;
    fill();
    if (isReset) break;
  }
  now = isReset ? now : end;
  if (watchdogMs > 0 && now - fedAt > watchdogMs) isReset = true;
  isOff ||= isReset;
  return isReset;
}

const host = {
  now: () => now,
  sleep: wait,
  level: (pin) => levels[pin] ?? 1,
  drive: (pin, on) => {
    if (!isOff) pins[pin] = on;
  },
  pixels: (red, green, blue) => {
    if (!isOff) lights.push([now, red, green, blue]);
  },
  readable: () => unread.length > 0,
  guard: (ms) => {
    watchdogMs = ms;
    fedAt = now;
  },
  feed: () => {
    fedAt = now;
  },
  reset: () => {
    isOff = true;
  },
  say: (words) => {
    said = words;
  },
};

// --- the chip ---------------------------------------------------------------------------

function copyIn(mp, folder) {
  for (const name of fs.readdirSync(folder)) {
    if (name.endsWith(".py")) mp.FS.writeFile(`/${name}`, fs.readFileSync(path.join(folder, name)));
  }
}

async function start() {
  const mp = await loadMicroPython({
    heapsize: HEAP_BYTES,
    stdin: () => (unread.length > 0 ? unread.shift() : null),
    stdout: send,
    linebuffer: false,
  });
  mp.registerJsModule("host", host);
  copyIn(mp, firmware);
  copyIn(mp, doubles);
  for (const [name, content] of Object.entries(files)) mp.FS.writeFile(`/${name}`, content);
  watchdogMs = 0;
  wait(BOOT_MS);
  isOff = false;
  unread = [];
  starts += 1;
  let end = "it left for the prompt";
  try {
    mp.runPython(`import sys\nsys.path.insert(0, '/')\nimport ${main}\n`);
  } catch (error) {
    end = String(error);
  }
  files = {};
  if (mp.FS.analyzePath("/service").exists) files.service = mp.FS.readFile("/service");
  return end;
}

for (;;) {
  const end = await start();
  if (!end.includes("Reset")) {
    fs.writeSync(ANSWERS, `${JSON.stringify({ end: said || end })}\n`);
    break;
  }
}
