/** Finds known vulnerabilities of packages in OSV, for scripts/parts.mjs. */

const OSV = process.env["OSV_URL"] ?? "https://api.osv.dev";
const LIMIT_MS = 30_000;

/**
 * Asks OSV (https://google.github.io/osv.dev/api/).
 *
 * @param packages for each the ecosystem, name and version
 * @returns for each vulnerability its names, the first being that of OSV; the package and version; and a line about it
 * @throws if OSV cannot be reached, or answers in another form
 */
export async function vulnerabilitiesOf(packages) {
  const found = new Map();
  let queries = packages.map(({ ecosystem, name, version }) => ({ package: { ecosystem, name }, version }));
  while (queries.length > 0) {
    const answer = await answerOf("/v1/querybatch", { method: "POST", body: JSON.stringify({ queries }) });
    const results = answer?.results ?? [];
    if (results.length !== queries.length) throw new Error(`${OSV} answered in an unknown form`);
    for (const [index, { vulns = [] }] of results.entries()) {
      const { package: asked, version } = queries[index];
      for (const { id } of vulns) if (!found.has(id)) found.set(id, `${asked.name} ${version}`);
    }
    // A long list comes in pages.
    queries = queries.flatMap((query, index) => {
      const { next_page_token: token } = results[index];
      return token ? { ...query, page_token: token } : [];
    });
  }
  return Promise.all(
    Array.from(found, async ([id, part]) => {
      const {
        aliases = [],
        upstream = [],
        summary,
        details = "",
      } = await answerOf(`/v1/vulns/${encodeURIComponent(id)}`, {});
      return { names: [id, ...aliases, ...upstream], part, summary: printable(summary ?? details) };
    }),
  );
}

/** Returns the first line, without control characters. */
function printable(text) {
  return text.split("\n", 1)[0].replaceAll(/\p{C}/gu, "?");
}

async function answerOf(path, options) {
  try {
    const answer = await fetch(`${OSV}${path}`, { ...options, signal: AbortSignal.timeout(LIMIT_MS) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return await answer.json();
  } catch (error) {
    const why = error.cause?.message || error.cause?.code || error.message;
    throw new Error(`vulnerabilities are unknown: ${OSV}${path}: ${why}`, { cause: error });
  }
}
