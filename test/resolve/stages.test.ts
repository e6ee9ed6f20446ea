/** A start without ESC and files skips stages. With an empty `.env` file, which changes no value, it runs through all stages. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { folder } from "../helpers/sophia.ts";
import { runStages } from "../helpers/start-stages.ts";

const CONTRACTS = {
  none: undefined,
  plain: { variables: { OPENAI_API_KEY: {}, PORT: { format: "port", required: false } } },
  scopes: { variables: { OPENAI_API_KEY: {}, PORT: { required: false } }, scopes: { web: ["PORT"] } },
  complete: { variables: { A_KEY: { aliases: ["OPENAI_API_KEY"] }, PORT: { default: "80" } } },
};

const NAMES = [
  ["PATH", "LC_ALL", "PORT", "HTTPS_PROXY", "LD_PRELOAD", "OPENAI_API_KEY", "OPENAI_BASE_URL", "QDRANT_URL"],
  ["ESC_ADMIN_TOKEN", "ESC_TOKEN", "ESC_ORG", "PULUMI_BACKEND_URL", "SOPHIA_BROKERED", "SOPHIA_OTHER"],
  ["ACTIONS_ID_TOKEN_REQUEST_URL"],
].flat();

const environments = fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom("", "1", "https://a.test", "<key>"), {
  maxKeys: 4,
});
const marks = fc.option(fc.subarray(["OPENAI_BASE_URL", "HTTPS_PROXY", "PORT"]), { nil: undefined, freq: 2 });
const globs = fc.option(fc.constantFrom(["P*"], ["ESC_*", "LC_ALL"], ["OPENAI_API_KEY"]), { nil: undefined, freq: 2 });
const switches = fc.subarray(["pristine", "only-declared", "keep-esc", "no-contract", "fake"], { maxLength: 2 });

test("a start without files has the same result as a start with an empty .env file", async () => {
  const folders = Object.values(CONTRACTS).map((contract) => {
    const files = contract === undefined ? {} : { "sophia.contract.json": JSON.stringify(contract) };
    return { contract, alone: folder(files), beside: folder({ ...files, ".env": "" }) };
  });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...folders),
      environments,
      marks,
      fc.record({ include: globs, exclude: globs, allow: globs }),
      switches,
      fc.constantFrom("environment", "esc"),
      fc.boolean(),
      async ({ contract, alone, beside }, variables, marked, lists, on, prefer, isScoped) => {
        const mark = marked === undefined ? {} : { SOPHIA_FROM_FILES: marked.join() };
        const environmentMap = new Map(Object.entries({ ...variables, ...mark }));
        const flags = {
          ...Object.fromEntries(on.map((name) => [name, true])),
          ...Object.fromEntries(Object.entries(lists).filter(([, value]) => value !== undefined)),
          ...(isScoped && contract !== undefined && "scopes" in contract ? { scope: "web" } : {}),
          prefer,
        };
        const resolveIn = async (cwd: string) => {
          const { values, verdict, store } = await runStages(cwd, environmentMap, flags);
          const { resolution, selected } = values;
          const { violations, notices } = verdict;
          const { esc } = store;
          const text = JSON.stringify({
            resolution: [...resolution],
            selected: [...selected],
            violations,
            notices,
            esc,
          });
          return text.replaceAll(cwd, "");
        };
        expect(await resolveIn(alone)).toBe(await resolveIn(beside));
      },
    ),
    { numRuns: 400 },
  );
});
