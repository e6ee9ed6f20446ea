/** The server evaluates definitions as the evaluator that Pulumi publishes does (evaluator/). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DEFINITIONS, IMPORTED, type DefinitionCase } from "./evaluator/definitions.ts";
import { apiHeaders, sendApiRequest } from "./http.ts";
import { secret, startEscServer } from "./index.ts";

interface Finding {
  readonly summary: string;
  readonly begin: { readonly line: number; readonly column: number } | null;
}

interface Answer {
  readonly about: string;
  readonly definition: string;
  readonly properties?: unknown;
  readonly diagnostics: readonly Finding[];
}

const answers: readonly Answer[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "evaluator/answers.json"), "utf8"),
);

/** Values with the beginnings of their places: the ends of secrets differ, as the lengths of ciphertexts do. */
function summarizeNode(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(summarizeNode);
  if (typeof node !== "object" || node === null) return node;
  const members = Object.entries(node).flatMap(([key, value]: [string, unknown]) => {
    if (key !== "def") return [[key, summarizeNode(value)] as const];
    const { environment, begin } = Object(value);
    return [[key, { environment, line: begin.line, column: begin.column }] as const];
  });
  return Object.fromEntries(members);
}

async function evaluateByServer({ definition, check }: DefinitionCase): Promise<Omit<Answer, "about" | "definition">> {
  await using server = await startEscServer();
  server.provider("test-login", { user: "u", key: secret("k") });
  for (const [name, text] of Object.entries(IMPORTED)) {
    const path = name.includes("/") ? name : `default/${name}`;
    server.environment(`demo-org/${path}`, { definition: text });
  }
  server.environment("demo-org/sophia/dev", { definition });
  const path = `${server.url}/api/esc/environments/demo-org/sophia/dev`;
  const headers = apiHeaders(server.token);
  const post = async (operation: string) => {
    const { body } = await sendApiRequest(`${path}/${operation}`, { method: "POST", headers });
    return JSON.parse(body);
  };
  const opened = await post(check === true ? "check" : "open");
  const read =
    opened.id === undefined
      ? opened
      : JSON.parse((await sendApiRequest(`${path}/open/${opened.id}`, { headers })).body);
  const diagnostics = (read.diagnostics ?? []).map(({ summary, range }: { summary: string; range?: Finding }) => ({
    summary,
    begin: range?.begin ?? null,
  }));
  return { properties: read.properties, diagnostics };
}

test.each(DEFINITIONS.map((each, index) => ({ ...each, real: answers[index] })))(
  "the server evaluates as the published evaluator does: $about",
  async ({ real, ...given }) => {
    // What `npx tsx test/esc-server/evaluator/record.mts` has recorded.
    expect(real?.definition).toBe(given.definition);
    const ours = await evaluateByServer(given);
    if (ours.diagnostics.length === 0 && real?.diagnostics.length === 0) {
      expect(summarizeNode(ours.properties)).toEqual(summarizeNode(real?.properties));
      return;
    }
    const findings = (found: readonly Finding[] = []) =>
      found.map(({ summary, begin }) => [given.hasOtherWords === true ? "" : summary, begin?.line, begin?.column]);
    expect(findings(ours.diagnostics)).toEqual(findings(real?.diagnostics));
  },
);
