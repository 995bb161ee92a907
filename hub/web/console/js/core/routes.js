// The addresses of the console's pages, behind the # of its one document.

const ROUTES = [
  ["spaces", /^$/, []],
  ["spaces", /^spaces$/, []],
  ["space", /^space\/([a-z0-9][a-z0-9-]{0,31})$/, ["id"]],
  ["new", /^new$/, []],
  ["join", /^join(?:\/([A-Za-z0-9_-]{16,64}))?$/, ["token"]],
  ["recordings", /^recordings$/, []],
  ["replay", /^recordings\/([A-Za-z0-9_-]{1,64})$/, ["id"]],
  ["boxes", /^boxes$/, []],
  ["settings", /^settings$/, []],
];

/** The page that a hash such as "#/space/kitchen" names: {page, ...parameters}. */
export function route(hash) {
  const path = hash.replace(/^#?\/?/, "").replace(/\/$/, "");
  for (const [page, pattern, names] of ROUTES) {
    const match = pattern.exec(path);
    if (match) {
      const given = names.map((name, index) => [name, match[index + 1] ?? null]);
      return { page, ...Object.fromEntries(given) };
    }
  }
  return { page: "lost", path };
}

/** What somebody typed or pasted to join: a code, a token, a link, or null. */
export function invitation(text) {
  const plain = text.trim();
  const digits = plain.replace(/[\s-]/g, "");
  if (/^\d{6}$/.test(digits)) return { code: digits };
  const link = /#\/join\/([A-Za-z0-9_-]{16,64})$/.exec(plain);
  if (link) return { token: link[1] };
  return /^[A-Za-z0-9_-]{16,64}$/.test(plain) ? { token: plain } : null;
}
