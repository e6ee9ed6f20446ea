import { expect, test } from "vitest";
import { unmatchedNotices } from "../../src/resolve/unmatched.ts";
import { folder, sophia, unwrapped } from "../helpers/sophia.ts";

test.each([
  [["APP_*"], []],
  [["APP_KEYS"], ['--include APP_KEYS matches no variable: did you mean "APP_KEY"?']],
  [["NONE_*", "APP_KEY"], ["--include NONE_* matches no variable"]],
])("--include %j", (include, texts) => {
  const notices = unmatchedNotices({ include }, ["APP_KEY", "PORT"]);
  expect(notices).toEqual(texts.map((text) => ({ kind: "remark", text })));
});

test("what --include names in vain is told by a start; what --exclude names need not be there", async () => {
  const cwd = folder({ ".env": "APP_KEY=x\n", "sophia.contract.json": '{"variables":{"DECLARED":{}}}' });
  const run = (...options: readonly string[]) => sophia([...options, "--", "true"], { cwd });
  const vain = await run("--include", "APP_KEI,DECLARED");
  expect({ ...vain, stderr: unwrapped(vain.stderr) }).toMatchObject({
    status: 0,
    stderr: 'sophia-run: warning: --include APP_KEI matches no variable: did you mean "APP_KEY"?\n',
  });
  expect(await run("--exclude", "NONE")).toMatchObject({ status: 0, stderr: "" });
});
