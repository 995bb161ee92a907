// Elements from plain descriptions, and the least change that makes a page equal to one.
//
// `h("button", {class: "x", onclick}, "Go")` describes; `render(root, [...])` makes it so.
// What is already there stays: focus, scrolling and what a screen reader has in hand. A
// `key` tells brothers apart. `tick(element)` is called ten times a second while the element
// stands, for meters and clocks. Text is only ever set as text.

const SVG = "http://www.w3.org/2000/svg";
const svgTags = new Set(["svg", "use", "path"]);
/** What people change themselves: it is set again each time, so that it shows what is so. */
const LIVE = new Set(["value", "checked"]);

/** Describe an element; children that are null, false or true are left out. */
export function h(tag, props, ...children) {
  return { tag, props: props ?? {}, key: props?.key, children: flat(children) };
}

/** An icon of the sprite in index.html; always beside a word. */
export function icon(name) {
  const use = h("use", { href: `#i-${name}` });
  return h("svg", { class: "icon", "aria-hidden": "true", focusable: "false" }, use);
}

/** Make the children of `root` equal to the descriptions. */
export function render(root, children) {
  patchChildren(root, flat(Array.isArray(children) ? children : [children]));
}

function flat(children) {
  const out = [];
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || typeof child === "boolean") continue;
    out.push(typeof child === "object" ? child : String(child));
  }
  return out;
}

function patchChildren(parent, wanted) {
  const old = [...parent.childNodes].filter((node) => !node._guest);
  const byKey = new Map();
  for (const node of old) if (node._key !== undefined) byKey.set(node._key, node);
  const free = old.filter((node) => node._key === undefined);
  const kept = new Set();
  let place = parent.firstChild;
  for (const want of wanted) {
    const node = fitting(want, byKey, free) ?? create(want);
    kept.add(node);
    if (node === place) place = place.nextSibling;
    else parent.insertBefore(node, place);
    patch(node, want);
  }
  for (const node of old) if (!kept.has(node) && node.parentNode === parent) node.remove();
}

/** A node that is not described: `render` lets it stand wherever it was put. */
export function asGuest(id) {
  const node = document.getElementById(id);
  node._guest = true;
  return node;
}

/** An old node that can become what is wanted. */
function fitting(want, byKey, free) {
  if (want.key !== undefined) {
    const node = byKey.get(want.key);
    byKey.delete(want.key);
    return node?._tag === want.tag ? node : undefined;
  }
  const tag = typeof want === "string" ? "#text" : want.tag;
  const index = free.findIndex((node) => (node._tag ?? node.nodeName.toLowerCase()) === tag);
  return index < 0 ? undefined : free.splice(index, 1)[0];
}

function create(want) {
  if (typeof want === "string") return document.createTextNode(want);
  const node = svgTags.has(want.tag)
    ? document.createElementNS(SVG, want.tag)
    : document.createElement(want.tag);
  node._tag = want.tag;
  node._key = want.key;
  node._props = {};
  return node;
}

function patch(node, want) {
  if (typeof want === "string") {
    if (node.data !== want) node.data = want;
    return;
  }
  const before = node._props;
  const isNew = Object.keys(before).length === 0;
  node._props = want.props;
  if (!want.props.own) patchChildren(node, want.children);
  for (const name of Object.keys(before)) if (!(name in want.props)) set(node, name, null);
  for (const [name, value] of Object.entries(want.props)) {
    if (before[name] !== value || (!isNew && LIVE.has(name))) set(node, name, value);
  }
  if (isNew && want.props.made) queueMicrotask(() => want.props.made(node));
  if (want.props.tick) want.props.tick(node);
}

function set(node, name, value) {
  if (name === "key" || name === "made" || name === "own") return;
  if (name === "tick") node.toggleAttribute("data-tick", Boolean(value));
  // What a handler returns is nobody's: a browser would take `false` for "do nothing else".
  else if (name.startsWith("on")) node[name] = value ? (event) => void value(event) : null;
  else if (name === "value") setValue(node, value);
  else if (name === "checked") setChecked(node, value);
  else if (name === "selected") node[name] = Boolean(value);
  else if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? "" : String(value));
}

/**
 * Let a switch stay as a person put it until `answer`, a promise, is kept or broken. What is
 * drawn meanwhile knows nothing of the wish, and would flip it back under the finger; what is
 * drawn after it shows what is so, and the application draws after every answer.
 */
export async function held(node, answer) {
  if (!(answer instanceof Promise)) return; // nobody has to be asked
  const wish = { of: node._props["aria-label"], on: node.checked };
  node._wish = wish;
  try {
    await answer;
  } finally {
    if (node._wish === wish) delete node._wish;
  }
}

/** A node may have become another switch since. */
function setChecked(node, value) {
  const wish = node._wish;
  node.checked = wish && wish.of === node._props["aria-label"] ? wish.on : Boolean(value);
}

/** What somebody is typing just now is theirs. */
function setValue(node, value) {
  if (document.activeElement === node && node.tagName !== "SELECT") return;
  const text = value ?? "";
  if (node.value !== String(text)) node.value = text;
}

/** Let meters and clocks run. */
export function startTicking() {
  setInterval(() => {
    if (document.hidden) return;
    for (const node of document.querySelectorAll("[data-tick]")) node._props?.tick?.(node);
  }, 100);
}

/** Set a figure that the style sheet draws with, such as how full a bar is. */
export function figure(node, name, value) {
  const text = typeof value === "number" ? value.toFixed(3) : value;
  if (node.style.getPropertyValue(name) !== text) node.style.setProperty(name, text);
}
