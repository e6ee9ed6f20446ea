import { expect, onTestFinished, test } from "vitest";
import { startEscServer } from "../../esc-server/index.ts";
import { folder, sophia, unwrapLines } from "../../helpers/sophia.ts";

test("remedies of check repeat a contract that --contract names, and work", async () => {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  server.environment("acme/app/dev", { values: {} });
  const contract = JSON.stringify({ variables: { API_KEY: { required: true } } });
  const cwd = folder({ "the contract.json": contract });
  const env = { ESC_ENV: "acme/app/dev", ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url };
  const named = ["--contract", "the contract.json"];
  const remedy = "sophia-run set API_KEY --in acme/app/dev --contract 'the contract.json'";
  const onOneLine = (text: string): string => unwrapLines(text).replaceAll(/ \\ +/g, " ").replaceAll(/\s+/g, " ");
  const checked = await sophia(["check", ...named], { cwd, env });
  expect(onOneLine(checked.stdout)).toContain(remedy);
  const json = await sophia(["check", "--json", ...named], { cwd, env });
  expect(JSON.parse(json.stdout)).toMatchObject({ violations: [{ remedies: [remedy] }] });
  const compared = await sophia(["check", "--against", "acme/app/dev", ...named], { cwd, env });
  expect(onOneLine(compared.stdout)).toContain(remedy);
  const refused = await sophia([...named, "--", "true"], { cwd, env });
  expect(onOneLine(refused.stderr)).toContain(remedy);
  expect(onOneLine(refused.stderr)).toContain("sophia-run check --contract 'the contract.json' shows");
  const words = ["set", "API_KEY", "--in", "acme/app/dev", ...named];
  const admin = { ...env, ESC_ADMIN_TOKEN: server.token };
  const written = await sophia([...words, "--yes"], { cwd, env: admin, input: "value" });
  expect(written.status, written.stderr).toBe(0);
  expect((await sophia([...named, "--", "true"], { cwd, env })).status).toBe(0);
});
