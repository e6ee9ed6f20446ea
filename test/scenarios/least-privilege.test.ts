import { expect, test } from "vitest";
import { secret, startEscServer } from "../esc-server/index.ts";
import { environmentOf, folder, sophia } from "../helpers/sophia.ts";
import { escVariables } from "../commands/world.ts";

const CONTRACT = JSON.stringify({ variables: { DECLARED: { required: true }, LEVEL: { default: "info" } } });

const rows: readonly (readonly [options: readonly string[], names: readonly string[]])[] = [
  [[], ["DECLARED", "LEVEL", "FROM_ESC", "FROM_FILE", "FROM_ENVIRONMENT"]],
  [["--only-declared"], ["DECLARED", "LEVEL", "FROM_ENVIRONMENT"]],
  [["--pristine"], ["DECLARED", "LEVEL"]],
  [
    ["--pristine", "--include", "FROM_E*", "--include", "DECLARED"],
    ["DECLARED", "LEVEL", "FROM_ESC", "FROM_ENVIRONMENT"],
  ],
  [
    ["--include", "DECLARED"],
    ["DECLARED", "LEVEL", "FROM_ENVIRONMENT"],
  ],
  [
    ["--exclude", "FROM_*"],
    ["DECLARED", "LEVEL"],
  ],
  [["--exclude", "*", "--no-contract"], []],
  [
    ["--only-declared", "--include", "FROM_FILE", "--include", "DECLARED"],
    ["DECLARED", "LEVEL", "FROM_FILE", "FROM_ENVIRONMENT"],
  ],
];

test.each(rows)("%j", async (options, names) => {
  await using server = await startEscServer();
  server.environment("acme/app/dev", { values: { DECLARED: secret("d"), FROM_ESC: "e", DECLARED_NOT: "n" } });
  const cwd = folder({ "sophia.contract.json": CONTRACT, ".env": "FROM_FILE=f\n" });
  const env = { ...escVariables(server, "acme/app/dev"), FROM_ENVIRONMENT: "v" };
  const { stdout, status } = await sophia([...options, "--", "/usr/bin/env"], { cwd, env });
  expect(status).toBe(0);
  const given = Object.keys(environmentOf(stdout)).filter((name) => /^(?:DECLARED|LEVEL|FROM_\w+|ESC_\w+)$/.test(name));
  expect(given.toSorted()).toEqual(names.toSorted());
});

test("the contract is checked against what the program gets", async () => {
  const cwd = folder({ "sophia.contract.json": CONTRACT });
  const { status, stderr } = await sophia(["--exclude", "DECL*", "--", "true"], { cwd, env: { DECLARED: "here" } });
  expect(status).toBe(78);
  expect(stderr).toContain("DECLARED is required");
});
