import { expect, test } from "vitest";
import { unmatchedNotices } from "../../src/resolve/unmatched.ts";
import { folder, sophia } from "../helpers/sophia.ts";
import { runStages } from "../helpers/start-stages.ts";
import { expectWording } from "../helpers/wording.ts";

test.each([
  [["APP_*"], []],
  [["APP_KEYS"], ["APP_KEYS"]],
  [["NONE_*", "APP_KEY"], ["NONE_*"]],
])("a notice names each glob of --include %j that matches no variable", async (include, unmatched) => {
  const cwd = folder({ "sophia.contract.json": '{"variables":{"PORT":{}}}' });
  const notices = unmatchedNotices(await runStages(cwd, new Map([["APP_KEY", "x"]]), { include }));
  expect(notices).toEqual(
    unmatched.map((glob) => ({ kind: "remark", text: expect.stringContaining(glob) as unknown })),
  );
  expectWording(JSON.stringify(notices));
});

test("a start warns about a glob of --include that matches nothing, and not about such a glob of --exclude", async () => {
  const cwd = folder({ ".env": "APP_KEY=x\n", "sophia.contract.json": '{"variables":{"DECLARED":{}}}' });
  const run = (...options: readonly string[]) => sophia([...options, "--", "true"], { cwd });
  const { status, stderr } = await run("--include", "APP_KEI,DECLARED");
  expect(status).toBe(0);
  expectWording(stderr);
  expect(await run("--exclude", "NONE")).toMatchObject({ status: 0, stderr: "" });
});
