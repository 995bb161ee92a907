// Adding a box: the window, the code that it says, and boxes that wait to be let in.

import { clock } from "../core/format.js";
import { del, get, post } from "../shell/api.js";
import { h, icon } from "./dom.js";
import { button, chip, field, form, running } from "./parts.js";

/** While somebody stands at a box, the page follows closely. */
export const NEAR_MS = 1_000;

const STEP = {
  hello: "is calling",
  code: "waits for its code",
  checking: "is being checked",
  storing: "is nearly done",
};
const OUTCOME = {
  wrong_code: "That was not the code. Type it once more.",
  failed: "The box did not answer. Hold its buttons again and type the new code.",
};

/** Fetch what there is to show; what fails is the caller's. */
export async function look(page) {
  const seen = await get("/enrolment");
  page.adding = { ...seen, ends: performance.now() + seen.remaining_s * 1000 };
}

export function adding(app) {
  const seen = app.page.adding;
  if (!seen) return null;
  return [
    h("div", { key: "waiting" }, waiting(app, seen)),
    h(
      "section",
      { key: "adding", class: "card adding", "aria-labelledby": "adding-title" },
      h("h2", { key: "title", id: "adding-title" }, "Add a box"),
      ...(seen.open ? opened(app, seen) : shut(app, seen)),
      h("div", { key: "said", role: "status", "aria-live": "polite" }, said(seen)),
    ),
  ];
}

function shut(app, seen) {
  if (!seen.ready) {
    return [h("p", {}, "This hub has no port for TLS, so no box can come. See its settings and log.")];
  }
  const minutes = Math.ceil(seen.wait_s / 60);
  return [
    h("p", {}, "You need two minutes, and to stand near the box."),
    button("Add a box", "box", () => begin(app), { class: "primary", disabled: seen.wait_s > 0 }),
    seen.wait_s > 0 &&
      h("p", { class: "hint" }, `Too many tries. This is possible again in ${minutes} minutes.`),
  ];
}

function opened(app, seen) {
  const ready = seen.coming.some((each) => each.step === "code");
  return [
    h(
      "ol",
      { key: "steps", class: "steps" },
      h("li", {}, "Hold TALK and HAND on the box for 5 seconds; with one button, hold that. It says six digits."),
      h("li", {}, "Type them here."),
    ),
    // Always there: what is moved when something before it goes loses the focus.
    h("ul", { key: "coming", class: "coming" }, seen.coming.map(comer)),
    h("div", { key: "typed" }, typing(app, seen)),
    !ready && h("p", { key: "none", class: "hint" }, "No box has called yet."),
    h(
      "p",
      { key: "left", class: "hint" },
      "Time left: ",
      running(() => clock(Math.max(0, Math.ceil((app.page.adding.ends - performance.now()) / 1000)))),
    ),
  ];
}

function typing(app, seen) {
  return form(
    ({ code }) => type(app, code.replace(/\D/g, "")),
    field(
      "Code",
      h("input", {
        name: "code",
        class: "code-input",
        inputmode: "numeric",
        autocomplete: "one-time-code",
        maxlength: 11,
        required: true,
        made: (node) => node.focus(),
      }),
      { note: `${seen.tries_left} tries are left.` },
    ),
    h(
      "div",
      { class: "buttons" },
      h("button", { type: "submit", class: "primary", disabled: app.page.typing }, "Add"),
      button("Stop", null, () => stop(app), { class: "quiet" }),
    ),
  );
}

function comer(box, n) {
  return h(
    "li",
    { key: `${n}-${box.words}` },
    h("strong", {}, box.name),
    ` ${STEP[box.step] ?? box.step}. `,
    h("span", { class: "words" }, box.words),
  );
}

function said(seen) {
  if (seen.added) {
    return h(
      "p",
      { class: "banner is-note" },
      icon("box"),
      `${seen.added.name} was added: ${seen.added.words}. Did the box say this hub's name? If not, remove it.`,
    );
  }
  return OUTCOME[seen.latest] ? h("p", {}, OUTCOME[seen.latest]) : null;
}

function waiting(app, seen) {
  if (!seen.waiting.length) return null;
  return h(
    "section",
    { class: "card adding", "aria-labelledby": "waiting-title" },
    h("h2", { id: "waiting-title" }, "Waiting to be let in"),
    h("p", { class: "hint" }, "These boxes were told of this hub. Let in those that are yours."),
    h(
      "ul",
      { class: "coming" },
      seen.waiting.map((box) =>
        h(
          "li",
          { key: box.id },
          h("strong", {}, box.name),
          ` at ${box.address} `,
          h("span", { class: "words" }, box.words),
          h(
            "div",
            { class: "buttons" },
            button(`Let ${box.name} in`, null, () => admit(app, box, true), { class: "primary" }),
            button(`Refuse ${box.name}`, null, () => admit(app, box, false), { class: "quiet" }),
          ),
        ),
      ),
    ),
  );
}

/** What is known of a box's key, as a chip. */
export function trusted(box) {
  if (box.kind === "browser") return null;
  if (box.standing === "active") return chip("enrolled", { kind: "is-good", title: box.words });
  return chip("not enrolled", { title: box.words });
}

async function begin(app) {
  await app.attempt(() => post("/enrolment"));
  await app.page.look();
}

async function stop(app) {
  await app.attempt(() => del("/enrolment"));
  await app.page.look();
}

async function type(app, code) {
  if (code.length !== 6) return app.tell("A code has six digits.", { urgent: true, kind: "bad" });
  app.page.typing = true;
  app.draw();
  const added = await app.attempt(() => post("/enrolment/code", { code }));
  app.page.typing = false;
  const input = document.querySelector(".adding .code-input");
  if (input) {
    input.value = "";
    input.focus();
  }
  if (added) app.tell(`${added.name} was added.`);
  await app.page.look();
}

async function admit(app, box, accept) {
  await app.attempt(
    () => post(`/boxes/${box.id}/admission`, { accept }),
    accept ? `${box.name} is in. It connects within a minute.` : `${box.name} was refused.`,
  );
  await app.page.look();
}
