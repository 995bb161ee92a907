// Runs the panel's firmware under MicroPython. The line is what the Pico's USB is: bytes come
// in on stdin, which does not block, and go out on stdout. Everything else that happens to a
// Pico comes over two files more, in step with the test:
//
//   in   {"until": ms, "low": pins, "broken": pins, "reset": true, "hang": true}
//   out  {"now": ms, "lights": [[ms, red, green, blue]], "pins": {"17": true}, "starts": 1}
//
// each one line of JSON; pins are the bits of a number. Time stands still between the two.
//
// Without those files time is that of the computer, the firmware is what is copied over the
// line, and a program that ends leaves MicroPython's prompt there, as on a Pico.

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
const isAlone = commands === undefined;

let now = 0;
let told = { until: 0, low: 0, broken: 0, reset: false, hang: false };
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
    // A pseudo-terminal whose other end nobody has open reads as an error.
    if (error.code !== "EAGAIN" && error.code !== "EIO") throw error;
  }
}

function send(bytes) {
  try {
    if (!isOff) fs.writeSync(1, Buffer.from(bytes));
  } catch (error) {
    if (error.code !== "EAGAIN") throw error;
  }
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
  if (isAlone) return keepTime(at);
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

const bell = new Int32Array(new SharedArrayBuffer(4));

function nap() {
  Atomics.wait(bell, 0, 0, 1);
  fill();
}

function keepTime(at) {
  while (performance.now() < at) nap();
  return at + 5;
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

function copyOut(mp) {
  const names = mp.FS.readdir("/").filter((name) => mp.FS.isFile(mp.FS.stat(`/${name}`).mode));
  return Object.fromEntries(names.map((name) => [name, mp.FS.readFile(`/${name}`)]));
}

// A Pico says what is missing as other systems do, and takes no name for its only folder.
const PROMPT = `
import builtins
import os
def as_elsewhere(act):
    def acting(path, *more):
        try:
            return act(path or "/", *more)
        except OSError as error:
            raise OSError(2 if error.errno == 44 else error.errno)
    return acting
os.stat = as_elsewhere(os.stat)
builtins.open = as_elsewhere(open)
os.chdir("/")
`;
const RAW_PASTE = "\x05A\x01";

// Be MicroPython's prompt on the line until the chip is started anew.
function prompt(mp) {
  mp.runPython(PROMPT);
  mp.replInit();
  while (!isOff) {
    nap();
    if (String.fromCharCode(...unread) === RAW_PASTE) {
      unread = [];
      send("R\x00"); // understood, and not to be had in this build
    }
    while (unread.length > 0 && !isOff) {
      if (mp.replProcessChar(unread.shift()) !== 0) {
        send("MPY: soft reboot\r\n");
        mp.replInit();
      }
    }
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
  if (!isAlone || starts === 0) copyIn(mp, firmware);
  for (const [name, content] of Object.entries(files)) mp.FS.writeFile(`/${name}`, content);
  copyIn(mp, doubles);
  let end = "it left for the prompt";
  try {
    const values = { NOW: now, UNTIL: told.until, LOW: told.low, BOOT_MS };
    mp.runPython(BOOT.replace(/[A-Z_]{3,}/g, (name) => values[name]));
    isOff = false;
    unread = [];
    starts += 1;
    if (mp.FS.analyzePath(`/${main}.py`).exists) mp.runPython(`import ${main}`);
    if (isAlone) prompt(mp);
  } catch (error) {
    end = String(error);
  }
  files = copyOut(mp);
  return said || end;
}

for (;;) {
  const end = await run();
  if (!isAlone && !end.includes("Reset")) {
    fs.writeSync(ANSWERS, `${JSON.stringify({ end })}\n`);
    break;
  }
}
