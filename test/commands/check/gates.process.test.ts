import { expect, test } from "vitest";
import { startEscServer } from "../../esc-server/index.ts";
import { sophia, unwrapLines } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";
import { addSophiaEnvironment, escVariables } from "../sophia-environment.ts";

test("check names environments that need an approval, if the token may see that", async () => {
  await using server = await startEscServer();
  addSophiaEnvironment(server);
  const base = server.environment("acme/sophia/gated", {
    values: {},
    imports: ["sophia/dev"],
    deny: "approval",
    updates: "approval",
  });
  base.decide("applied");
  const gated = await sophia(["check"], { env: escVariables(server, "acme/sophia/gated") });
  expect(gated.status).toBe(0);
  const [line = ""] = /⏸️ acme\/sophia\/gated: .*/.exec(gated.stdout) ?? [];
  expect(line).toContain("approval");
  expectWording(line);

  const against = await sophia(["check", "--against", "acme/sophia/gated"], { env: escVariables(server) });
  expect(against.status).toBe(0);
  expect(unwrapLines(against.stderr)).toContain(line.slice(line.indexOf("acme")));

  const free = await sophia(["check"], { env: escVariables(server) });
  expect(free.stdout).not.toContain("⏸️");
  server.failAlways("metadata", { kind: "status", status: 403 });
  const hidden = await sophia(["check", "--json"], { env: escVariables(server, "acme/sophia/gated") });
  expect(JSON.parse(hidden.stdout)).toMatchObject({ met: true, gates: [] });
  expect(server.violations).toEqual([]);
});
