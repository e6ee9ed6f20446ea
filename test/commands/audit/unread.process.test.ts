import { expect, test } from "vitest";
import { folder, sophia } from "../../helpers/sophia.ts";

test("--strict ends with 2 if ESC was not read and there is no finding; without it the report is enough", async () => {
  const cwd = folder({ "sophia.contract.json": JSON.stringify({ variables: { API_KEY: {} } }) });
  const strict = await sophia(["audit", "--strict"], { cwd });
  expect([strict.status, strict.stdout]).toEqual([2, expect.stringContaining("Not read")]);
  expect((await sophia(["audit", "--strict", "--json"], { cwd })).status).toBe(2);
  expect((await sophia(["audit"], { cwd })).status).toBe(0);
});
