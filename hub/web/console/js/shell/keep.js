// What this browser remembers of its user: small settings, never a key.

const KEY = "stagebox";
const DEFAULTS = {
  latch: false,
  shortcuts: true,
  captions: true,
  captionSize: 1,
  speed: 1,
  echo: true,
  noise: true,
  gain: true,
  hidden: false,
  volumes: {},
  loud: 100,
};

let kept = load();

function load() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return { ...DEFAULTS }; // no storage here, or somebody else's text in it
  }
}

/** The setting of this name. */
export function setting(name) {
  return kept[name];
}

/** Set it, and remember it where the browser allows. */
export function keep(name, value) {
  kept = { ...kept, [name]: value };
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // Without storage it lasts as long as the page.
  }
}
