// Every cause and code of the hub has a sentence, and every sentence is one.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as words from "../../../hub/web/console/js/core/words.js";

const root = new URL("../../../", import.meta.url);

/** The values of a StrEnum as its module writes them. */
function values(path, name) {
  const text = readFileSync(new URL(path, root), "utf8");
  const body = text.split(`class ${name}(StrEnum):`)[1].split(/\nclass |\n\w/)[0];
  const found = [...body.matchAll(/^ {4}[A-Z_]+ = "([^"]+)"/gm)].map((match) => match[1]);
  assert.ok(found.length > 2, `${name} was not read`);
  return found;
}

const CAUSES = "stagebox/wire/causes.py";
const TERMS = "stagebox/wire/terms.py";
const TABLES = [
  [CAUSES, "DenyCause", words.DENY],
  [CAUSES, "RevokeCause", words.REVOKE],
  [CAUSES, "CancelCause", words.CANCEL],
  [CAUSES, "ErrorCode", words.ERROR],
  ["hub/web/problems.py", "WebCode", words.ERROR],
  [TERMS, "Place", words.PLACE],
  [TERMS, "Mode", words.MODE],
  [TERMS, "Mode", words.MODE_MEANS],
  [TERMS, "Speak", words.SPEAK],
  [TERMS, "SpaceState", words.STATE],
  [TERMS, "Mark", words.MARK],
  [TERMS, "Mark", words.MARK_SIGN],
  [TERMS, "Gone", words.GONE],
  [TERMS, "News", words.NEWS],
];

for (const [path, name, table] of TABLES) {
  test(`${name} is said in words`, () => {
    const missing = values(path, name).filter((value) => !table[value]);
    assert.deepEqual(missing, []);
  });
}

test("sentences are sentences: they end, and none blames with an exclamation mark", () => {
  for (const table of [
    words.DENY,
    words.REVOKE,
    words.CANCEL,
    words.ERROR,
    words.LOCAL,
    words.GONE,
  ]) {
    for (const [cause, text] of Object.entries(table)) {
      assert.match(text, /^[A-Z].*\.$/s, cause);
      assert.doesNotMatch(text, /!/, cause);
    }
  }
});

test("a sentence takes up who talks, how long to wait and what the hub said", () => {
  assert.match(words.sentence("deny", "floor_taken", { holder: "Anna" }), /^Anna is talking\./);
  assert.match(words.sentence("deny", "retry_after", { number: 4 }), /4 s/);
  assert.match(words.sentence("hand", "queued", { number: 3 }), /number 3/);
  assert.equal(words.sentence("error", "of_a_newer_hub", { detail: "Do this." }), "Do this.");
  assert.equal(words.sentence("error", "of_a_newer_hub"), words.LOCAL.unknown);
});
