/** Limits of requests for a key: what clients get, what is recorded, and what `explain` says of it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sophia } from "../../../helpers/sophia.ts";
import { createClientFolder, startService } from "./openai-service.ts";

const contract = (limit: object): string => JSON.stringify({ variables: { OPENAI_API_KEY: { broker: { limit } } } });

/** Makes calls one after the other, and prints what decides over the next one. */
const CALLS = `
const { OPENAI_BASE_URL, OPENAI_API_KEY } = process.env;
const headers = { authorization: "Bearer " + OPENAI_API_KEY };
for (let call = 0; call < 4; call++) {
  const answer = await fetch(OPENAI_BASE_URL + "/models", { method: "POST", headers, body: "{}" });
  const text = await answer.text();
  const wait = Number(answer.headers.get("retry-after"));
  const code = answer.ok ? text : JSON.parse(text).error.code;
  console.log(answer.status, code, answer.headers.get("x-should-retry"), wait > 0 && wait <= 60);
}
`;

test.each([
  [{ perMinute: 3 }, "429 broker-limit true true"],
  [{ total: 3 }, "429 broker-limit false true"],
])("the broker answers the fourth call with 429 and records it, with %j", async (limit, expected) => {
  const service = await startService();
  const cwd = createClientFolder({ "sophia.contract.json": contract(limit), "calls.mjs": CALLS });
  const options = ["--broker", "--audit-log", "log"];
  const { stdout, status } = await sophia([...options, "--", "node", "calls.mjs"], { cwd, env: service.env });
  expect({ status, lines: stdout.trimEnd().split("\n") }).toEqual({
    status: 0,
    lines: [...Array.from({ length: 3 }, () => "200 answered null false"), expected],
  });
  expect(service.requests).toHaveLength(3);
  const records = readFileSync(join(cwd, "log"), "utf8").trimEnd().split("\n");
  expect(JSON.parse(records.at(-1) ?? "")).toMatchObject({
    event: "request",
    name: "OPENAI_API_KEY",
    outcome: "refused",
    status: 429,
    code: "broker-limit",
  });
});

test("explain shows the limit of a brokered key", async () => {
  const service = await startService();
  const cwd = createClientFolder({ "sophia.contract.json": contract({ perMinute: 60, total: 2000 }) });
  const text = await sophia(["explain", "--broker", "OPENAI_API_KEY"], { cwd, env: service.env });
  expect(text.stdout).toContain("60 in a minute and 2000 in a run");
  const json = await sophia(["explain", "--broker", "--json", "OPENAI_API_KEY"], { cwd, env: service.env });
  expect(JSON.parse(json.stdout).variables[0].broker).toMatchObject({ limit: { perMinute: 60, total: 2000 } });
});
