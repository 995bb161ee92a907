// Runs the panel's firmware under MicroPython. The line is what the Pico's USB is: bytes come
// in on stdin, which does not block, and go out on stdout. Everything else that happens to a
// Pico comes over two files more, in step with the test:
//
//   in   {"until": ms, "low": pins, "broken": pins, "reset": true, "hang": true}
//   out  {"now": ms, "lights": [[ms, red, green, blue]], "pins": {"17": true}, "starts": 1}
//
// each one line of JSON; pins are the bits of a number. Time stands still between the two.

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
let told = { until: 0, low: 0, broken: 0 };
let pins = {};
let lights = [];
let starts = 0;
let isOff = true;
let said = "";
let files = {};

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
  const line = text.slice(0, end);
  text = text.slice(end + 1);
  return JSON.parse(line);
}

// Tell the test that it is `now`; return until when the chip may go on, or -1: start anew.
function meet(at) {
  now = at;
  fs.writeSync(ANSWERS, `${JSON.stringify({ now, lights, pins, starts })}\n`);
  lights = [];
  told = { ...told, reset: false, hang: false, ...command() };
  fill();
  if (told.reset) {
    // Power is cut, and what it lit goes dark.
    isOff = true;
    pins = {};
    lights.push([now, 0, 0, 0]);
  }
  return told.reset ? -1 : told.until;
}

const host = {
  meet,
  low: () => told.low,
  broken: () => told.broken,
  hangs: () => told.hang,
  drive: (pin, on) => {
    if (!isOff) pins[pin] = on;
  },
  pixels: (at, red, green, blue) => {
    if (!isOff) lights.push([at, red, green, blue]);
  },
  readable: () => unread.length > 0,
  reset: (at) => {
    now = at;
    isOff = true;
  },
  say: (words) => {
    said = words;
  },
};

// --- the chip ---------------------------------------------------------------------------

const BOOT = `
import sys
sys.path.insert(0, "/")
import world
world.now = NOW
world.until = UNTIL
world.low = LOW
world.sleep(BOOT_MS)
`;

function copyIn(mp, folder) {
  for (const name of fs.readdirSync(folder)) {
    if (name.endsWith(".py")) mp.FS.writeFile(`/${name}`, fs.readFileSync(path.join(folder, name)));
  }
}

// Return how the program ended.
async function run() {
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
  files = {};
  let end = "it left for the prompt";
  try {
    const values = { NOW: now, UNTIL: told.until, LOW: told.low, BOOT_MS };
    mp.runPython(BOOT.replace(/[A-Z_]{3,}/g, (name) => values[name]));
    isOff = false;
    unread = [];
    starts += 1;
    mp.runPython(`import ${main}`);
  } catch (error) {
    end = String(error);
  }
  if (mp.FS.analyzePath("/service").exists) files.service = mp.FS.readFile("/service");
  return said || end;
}

for (;;) {
  const end = await run();
  if (!end.includes("Reset")) {
    fs.writeSync(ANSWERS, `${JSON.stringify({ end })}\n`);
    break;
  }
}
