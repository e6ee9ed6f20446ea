import { describe, expect, test } from "vitest";
import { folder, sophia } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";

const contract = (variables: object): Readonly<Record<string, string>> => ({
  "sophia.contract.json": JSON.stringify({ variables }),
});

const OP = "op://vault/item/SENTINEL";

describe("a reference of an undeclared variable", () => {
  test("is passed on unchanged, with its line and what resolves it; names of one form are joined", async () => {
    const cwd = folder({
      ...contract({}),
      ".env": `A=1\nKEY=${OP}\nOTHER='${OP}'\nHOST=$HOSTNAME\nTEXT='$HOSTNAME'\n`,
    });
    const result = await sophia(["--", "printenv", "KEY", "HOST"], { cwd });
    expect(result).toMatchObject({ status: 0, stdout: `${OP}\n$HOSTNAME\n` });
    expect(result.stderr).toMatch(/\.env: KEY \(line 2\) and OTHER \(line 3\) are\s+references\s+\(op:\/\/\)/);
    expect(result.stderr).toContain("op run --env-file .env -- sophia-run -- COMMAND");
    expect(result.stderr).toMatch(/\.env:4: HOST is a reference \(\$X\)/);
    expect(result.stderr).not.toMatch(/SENTINEL|TEXT/);
    expectWording(result.stderr);
  });

  test("gets no notice if the environment has the value, as under `op run`", async () => {
    const cwd = folder({ ...contract({ KEY: { required: true } }), ".env": `KEY=${OP}\nOTHER=${OP}\n` });
    const result = await sophia(["--", "printenv", "KEY"], { cwd, env: { KEY: "resolved", OTHER: "resolved" } });
    expect(result).toMatchObject({ status: 0, stdout: "resolved\n", stderr: "" });
  });

  test("is reported by import, which would write it to ESC", async () => {
    const cwd = folder({ ".env": `KEY=${OP}\n` });
    const result = await sophia(["import", ".env", "--dry-run"], { cwd });
    expect(result.stderr).toMatch(/\.env:1: KEY is a reference \(op:\/\/\)/);
  });

  test("is reported for the token of ESC in the file", async () => {
    const cwd = folder({ ...contract({}), ".env": `ESC_ENV=acme/app/dev\nESC_TOKEN=${OP}\n` });
    const result = await sophia(["--", "true"], { cwd, env: { PULUMI_BACKEND_URL: "http://127.0.0.1:1" } });
    expect(result.status).toBe(0);
    expect(result.stderr).toMatch(/\.env:2: ESC_TOKEN is a reference \(op:\/\/\)/);
    expect(result.stderr).not.toContain("SENTINEL");
  });
});

describe("a reference of a declared variable", () => {
  test.each([
    [".env", "a scheme", { ".env": `\nKEY=${OP}\n` }, {}, ".env, line 2"],
    [".env", "a shell's form", { ".env": "KEY=https://${HOST}/x\n" }, {}, ".env, line 1"],
    ["the environment", "a scheme", {}, { KEY: OP }, "in the environment"],
  ])("in %s, %s, is a violation", async (_, __, files, env, place) => {
    const cwd = folder({ ...contract({ KEY: {} }), ...files });
    const result = await sophia(["--", "true"], { cwd, env });
    expect(result).toMatchObject({ status: 78, stdout: "" });
    expect(result.stderr).toMatch(/KEY is a reference \((?:op:\/\/|\$\{X\})\), not a value/);
    expect(result.stderr).toContain(place);
    // Once, not also as a notice.
    expect(result.stderr.match(/is a reference/g)).toHaveLength(1);
    expect(result.stderr).not.toContain("SENTINEL");
    expectWording(result.stderr);
    const check = await sophia(["check", "--json"], { cwd, env });
    expect(check.status).toBe(1);
    expect(JSON.parse(check.stdout)).toMatchObject({ violations: [{ kind: "reference", names: ["KEY"] }] });
    const launched = await sophia(["--no-contract", "--", "printenv", "KEY"], { cwd, env });
    expect(launched.status).toBe(0);
  });

  test("inside a longer value causes only a warning, since a password or a sentence may have its form", async () => {
    const cwd = folder({ ...contract({ KEY: { required: true } }), ".env": `KEY="it's $HOME"\nB=v-$(id -u)\n` });
    const result = await sophia(["--", "printenv", "KEY", "B"], { cwd });
    expect(result).toMatchObject({ status: 0, stdout: "it's $HOME\nv-$(id -u)\n" });
    expect(result.stderr).toMatch(/\.env:1: KEY holds \$X and is/);
    expect(result.stderr).toMatch(/\.env:2: B holds \$\(…\) and is/);
    expectWording(result.stderr);
  });

  test.each([
    ["a password with a $ in the environment", {}, { KEY: "$HOME-pa${WORD}$(x)" }, {}],
    ["text in single quotes", { ".env": "KEY='${level}: $MESSAGE'\n" }, {}, {}],
    ["a password with a $ in .env", { ".env": "KEY=pa$word\n" }, {}, {}],
    [
      "a pattern that names the scheme",
      { ".env": `KEY=${OP}\n` },
      {},
      { format: { type: "text", pattern: "op://.+" } },
    ],
    ["a prefix that names the scheme", {}, { KEY: OP }, { format: { type: "text", prefix: "op://" } }],
  ])("is not seen in %s", async (_, files, env, entry) => {
    const cwd = folder({ ...contract({ KEY: { required: true, ...entry } }), ...files });
    expect(await sophia(["--", "true"], { cwd, env })).toMatchObject({ status: 0, stderr: "" });
  });
});
