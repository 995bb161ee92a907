// The hub's HTTP API: JSON there and back, and problems as sentences.

import { sentence } from "../core/words.js";
import { early } from "./early.js";

/** No answer of a hub on this network takes longer. */
const PATIENCE_MS = 10_000;

/** What went wrong: `code` for the program, `message` for a person. */
export class Problem extends Error {
  constructor(code, text, { status = 0, field = null, retryAfter = 0 } = {}) {
    super(text);
    this.code = code;
    this.status = status;
    this.field = field;
    this.retryAfter = retryAfter;
  }
}

/** Ask the hub; returns the answer's JSON, or null for none. Throws Problem. */
async function call(method, path, body, headers = {}) {
  const request = { method, credentials: "same-origin", headers: { ...headers } };
  if (body !== undefined) {
    request.headers["Content-Type"] = "application/json";
    request.body = JSON.stringify(body);
  }
  let response;
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const before = method === "GET" ? await early(path) : null;
    response = before ?? (await fetch(`/api/v1${path}`, { ...request, signal }));
  } catch {
    throw new Problem("no_hub", sentence("local", "no_hub"));
  }
  const text = await response.text();
  const answer = parse(text);
  if (response.ok) {
    if (answer === undefined && text)
      throw new Problem("wrong_answer", sentence("local", "wrong_answer"));
    return answer ?? null;
  }
  const { code = "internal", field = null, detail = "", title = "" } = answer ?? {};
  const retryAfter = Number(response.headers.get("Retry-After")) || 0;
  const words = { detail: detail || title };
  throw new Problem(code, explain(code, words, field), {
    status: response.status,
    field,
    retryAfter,
  });
}

export const get = (path) => call("GET", path);
export const post = (path, body = {}, headers) => call("POST", path, body, headers);
export const put = (path, body) => call("PUT", path, body);
export const patch = (path, body) => call("PATCH", path, body);
export const del = (path) => call("DELETE", path);

/** A name for a creation, so that repeating it creates nothing twice. */
export function onceKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function explain(code, words, field) {
  // For a value that cannot be, the hub knows best which one and why.
  if (words.detail && (code === "bad_value" || field)) return words.detail;
  return sentence("error", code, words);
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
