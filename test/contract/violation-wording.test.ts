import { spawnSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Contract } from "../../src/contract/contract-model.ts";
import { remedyLines, sharedRemedy } from "../../src/contract/remedies.ts";
import { describeViolations } from "../../src/contract/violation-wording.ts";
import type { Origin } from "../../src/core/model.ts";
import { notInstalled, skipBecause } from "../helpers/skip.ts";
import { folder } from "../helpers/sophia.ts";
import { expectWording } from "../helpers/wording.ts";
import { checked, contractOf, resolutionOf } from "./contracts.ts";

type Context = Parameters<typeof describeViolations>[2];

/** The violations of these values in words. */
function words(contract: Contract, values: Readonly<Record<string, string>>, context: Partial<Context> = {}) {
  return wordings(contract, values, context).map((one) => ({ message: one.message, remedies: remedyLines(one) }));
}

function wordings(contract: Contract, values: Readonly<Record<string, string>>, context: Partial<Context> = {}) {
  const violations = checked(contract, resolutionOf(values));
  return describeViolations(violations, contract, {
    present: Object.keys(values),
    target: { kind: "local" },
    ...context,
  });
}

function expectWords(
  contract: Contract,
  values: Readonly<Record<string, string>>,
  context: Partial<Context> = {},
): void {
  const lines = words(contract, values, context).flatMap(({ message, remedies }) => [message, ...remedies]);
  expectWording(lines.join("\n"));
}

function inEsc(environment: string): Partial<Context> {
  return { target: { kind: "esc", environment } };
}

describe("a missing variable", () => {
  const contract = contractOf({
    variables: {
      TOKEN: { label: "The Token", required: true, docs: "https://docs.example/token" },
      MODE: { format: { type: "enum", values: ["a", "b"] } },
      SECRET: {},
      HOST: { required: { when: "MODE", equals: ["a", "b"] } },
      PORT: { required: { when: "SECRET" } },
    },
  });

  it("is named with a remedy", () => {
    const [{ message, remedies } = { message: "", remedies: [] }] = words(contract, {});
    expect(message).toContain("TOKEN (The Token)");
    expect(remedies.at(-1)).toContain("docs.example/token");
    expectWords(contract, {});
  });

  it("is named with its condition", () => {
    expect(words(contract, { TOKEN: "t", MODE: "a", SECRET: "s" })).toHaveLength(2);
    expectWords(contract, { TOKEN: "t", MODE: "a", SECRET: "s" });
  });

  it("may be set under a misspelt name", () => {
    expect(words(contract, { TOKNE: "t" })[0]?.remedies[0]).toContain("TOKEN? TOKNE");
    // What the contract knows is not misspelt.
    expect(
      words(contractOf({ variables: { TOKEN_1: { required: true }, TOKEN_2: {} } }), { TOKEN_2: "x" })[0]?.remedies,
    ).toHaveLength(1);
    // Nor is what GitHub's runner sets for every step.
    expect(
      words(contractOf({ variables: { GITHUB_PAT: { required: true } } }), { GITHUB_PATH: "x" })[0]?.remedies,
    ).toHaveLength(1);
    expect(words(contract, { "TOKEN\u001B": "t" })[0]?.remedies[0]).toContain(String.raw`TOKEN\u001b`);
  });
});

const group = (rule: string, label?: string): Contract =>
  contractOf({
    variables: { OLD: { deprecated: "A" }, A: {}, B: {} },
    groups: { g: { ...(label === undefined ? {} : { label }), rule, variables: ["OLD", "A", "B"] } },
  });

describe("groups", () => {
  it.each([
    ["one-of", {}],
    ["exactly-one", {}],
    ["at-least-one", {}],
    ["exactly-one", { A: "x", B: "y" }],
    ["all-or-none", { B: "y" }],
    ["all-or-none", { A: "x", OLD: "y" }],
  ])("%s of %j", (rule, values) => {
    expect(words(group(rule, "G"), values)).toHaveLength(1);
    expectWords(group(rule, "G"), values);
  });

  it("without a label have their identifier; a group of one variable names the variable", () => {
    expect(words(group("one-of"), {})[0]?.message).toMatch(/^g: one of/);
    const single = contractOf({ variables: { A: {} }, groups: { g: { rule: "one-of", variables: ["A"] } } });
    expectWords(single, {});
  });
});

describe("the lines for ESC", () => {
  const contract = contractOf({
    variables: { TOKEN: { required: true }, LEVEL: { required: true, secret: false }, "a.b": { required: true } },
  });

  it("are for that environment, without its revision, and have no value", () => {
    expect(words(contract, {}, inEsc("acme/sophia/dev@3")).flatMap(({ remedies }) => remedies)).toStrictEqual([
      "sophia-run set TOKEN --in acme/sophia/dev",
      "sophia-run set LEVEL --in acme/sophia/dev",
      "sophia-run set a.b --in acme/sophia/dev",
    ]);
  });

  describe.each(["dash", "bash", "zsh", "fish"])("pasted in %s", (shell) => {
    skipBecause(notInstalled(shell, "-c", "true"));

    it.each(["a/b/c", "acme/it's/dev", "acme/$HOME/d e", `${"o".repeat(40)}/${"p".repeat(30)}/dev`])(
      "reach the command unchanged (%s)",
      (environment) => {
        const stub = folder({ "sophia-run": "#!/bin/sh\nprintf '[%s]' \"$@\"\necho\n" });
        chmodSync(join(stub, "sophia-run"), 0o755);
        const supply = wordings(contract, {}, inEsc(environment)).flatMap((one) => one.supply);
        const [heading, ...command] = sharedRemedy(supply, 78, "asks");
        expect(heading).toContain("each");
        for (const line of command) expect(line.split(" ").length > 8 ? line.length : 0).toBeLessThanOrEqual(78);
        const lines = [...command, ...words(contract, {}, inEsc(environment)).flatMap(({ remedies }) => remedies)];
        const { stdout, stderr } = spawnSync(shell, ["-c", lines.join("\n")], {
          encoding: "utf8",
          env: { PATH: `${stub}:${process.env["PATH"]}`, HOME: stub },
        });
        expect(stderr).toBe("");
        const called = ["TOKEN", "TOKEN", "LEVEL", "a.b"].map((name) => `[set][${name}][--in][${environment}]`);
        expect(stdout.trimEnd().split("\n")).toStrictEqual(called);
      },
    );
  });

  it("are one command for variables of one environment, and another for those to replace", () => {
    const wrong = contractOf({ variables: { PORT: { required: true, format: "port" }, TOKEN: { required: true } } });
    const origin = { source: "esc", environment: "acme/sophia/dev" } as const;
    const context = { ...inEsc("acme/sophia/dev"), origins: new Map([["PORT", { origin }]]) };
    const supply = wordings(wrong, { PORT: "x" }, context).flatMap((one) => one.supply);
    expect(sharedRemedy(supply, 78, "reads")).toStrictEqual([
      expect.stringContaining("set it in ESC; this reads"),
      "  sophia-run set TOKEN --in acme/sophia/dev",
      expect.stringContaining("replace it in ESC; this reads"),
      "  sophia-run set PORT --in acme/sophia/dev --overwrite",
    ]);
  });

  it("name the other places for a value without ESC", () => {
    const local = wordings(contract, {}).flatMap((one) => one.supply);
    expectWording(sharedRemedy(local, 78, "asks").join("\n"));
    expectWording(sharedRemedy(local.slice(1, 2), 78, "asks").join("\n"));
    expect(sharedRemedy([], 78, "asks")).toStrictEqual([]);
  });
});

describe("a withheld variable", () => {
  const withheld = (name: string) => (name === "B" || name === "TOKEN" ? "withheld by --exclude" : undefined);

  it("is reported as withheld, and need not be set", () => {
    const contract = contractOf({ variables: { TOKEN: { required: true, docs: "https://docs.example" } } });
    expect(words(contract, {}, { withheld })).toMatchObject([{ remedies: [] }]);
    expectWords(contract, {}, { withheld });
    expect(words(group("at-least-one", "G"), {}, { withheld })).toMatchObject([{ remedies: [] }]);
    expectWords(group("at-least-one", "G"), {}, { withheld });
    expectWords(group("all-or-none", "G"), { OLD: "x" }, { withheld });
  });
});

describe("wrong values", () => {
  const contract = contractOf({ variables: { PORT: { format: "port" }, KEY: { docs: "https://docs.example" } } });

  it.each<[Origin | undefined, string]>([
    [undefined, "set PORT"],
    [{ source: "environment" }, " PORT "],
    [{ source: "environment", alias: "OLD_PORT" }, " OLD_PORT "],
    [
      { source: "esc", environment: "acme/sophia/dev", alias: "OLD_PORT" },
      "sophia-run set OLD_PORT --in acme/sophia/dev --overwrite",
    ],
    [{ source: "dotenv", file: ".env.local", line: 7 }, ".env.local, line 7"],
    [
      { source: "esc", environment: "acme/sophia/dev", version: "3" },
      "sophia-run set PORT --in acme/sophia/dev --overwrite",
    ],
    [
      { source: "esc", environment: "acme/sophia/dev", importedFrom: "acme/sophia/base" },
      "sophia-run set PORT --in acme/sophia/base --overwrite",
    ],
    [
      { source: "esc", environment: "acme/sophia/dev", importedFrom: "base@3" },
      "sophia-run set PORT --in acme/default/base --overwrite",
    ],
    [
      { source: "esc", environment: "acme/sophia/dev", importedFrom: "sophia/base" },
      "sophia-run set PORT --in acme/sophia/base --overwrite",
    ],
    [{ source: "contract", file: "sophia.contract.json" }, "sophia.contract.json"],
    [{ source: "fake" }, "set PORT"],
  ])("are corrected in their source: %j", (origin, remedy) => {
    const origins = origin === undefined ? {} : { origins: new Map([["PORT", { origin }]]) };
    const remedies = words(contract, { PORT: "http" }, origins).flatMap((one) => one.remedies);
    expect(remedies).toStrictEqual([expect.stringContaining(remedy)]);
    expectWords(contract, { PORT: "http" }, origins);
  });

  it.each([
    ["op://vault/item/field"],
    [`encrypted:${"BDqDBibm4wsYqMpCjTQ6".repeat(2)}`],
    ["vault:secret/data/app#KEY"],
    ["ref+vault://secret/app#/key"],
    ["awssm://name/KEY"],
    ["bw://item/field"],
  ])("that are references are reported with what resolves them: %s", (value) => {
    expect(words(contract, { KEY: value })[0]?.message).toContain("is a reference");
    expectWords(contract, { KEY: value });
  });

  it("that are placeholders are reported with the page of the real one", () => {
    expect(words(contract, { KEY: "changeme" })[0]?.remedies[1]).toContain("docs.example");
    expectWords(contract, { KEY: "changeme" });
  });

  it.each([
    ["url"],
    [{ type: "url", schemes: ["https", "http"] }],
    ["integer"],
    ["number"],
    ["boolean"],
    [{ type: "enum", values: ["a", "b", "c"] }],
    [{ type: "enum", values: ["black and white"] }],
    [{ type: "enum", values: ["sepia", "black and white"] }],
    ["json"],
    ["base64"],
    ["email"],
    [{ type: "text", prefix: ["ghp_", "github_pat_"] }],
    [{ type: "text", minLength: 9 }],
    [{ type: "text", pattern: "a+" }],
  ])("of the format %j", (format) => {
    expectWords(contractOf({ variables: { A: { format } } }), { A: "b c! " });
  });

  it.each([
    ["url", "https://a:99999"],
    ["url", "https://u:p@[::1]:x/path?q#h"],
    ["url", "https://a b:99999"],
    ["url", "https://[::1"],
    [{ type: "url", schemes: ["postgresql"] }, "database"],
    [{ type: "url", schemes: ["https", "http"] }, "ftp://a"],
    [{ type: "integer", minimum: 1, maximum: 9 }, "0"],
    [{ type: "integer", minimum: 1 }, "0"],
    [{ type: "number", maximum: 9.5 }, "10"],
  ])("beyond the limits of %j: %s", (format, value) => {
    expectWords(contractOf({ variables: { A: { format } } }), { A: value });
  });
});
