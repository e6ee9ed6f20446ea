import { spawnSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Contract } from "../../src/contract/contract-model.ts";
import { describeRemedy, describeValuesToSet } from "../../src/contract/remedies.ts";
import { describeViolations } from "../../src/contract/violation-wording.ts";
import type { Origin } from "../../src/core/model.ts";
import { notInstalled, skipBecause } from "../helpers/skip.ts";
import { folder } from "../helpers/sophia.ts";
import { expectWording } from "../helpers/wording.ts";
import { findViolations, contractOf, resolutionOf } from "./contracts.ts";

type Context = Parameters<typeof describeViolations>[2];

/** Returns the messages and remedies for the violations of these values. */
function describeInWords(contract: Contract, values: Readonly<Record<string, string>>, context: Partial<Context> = {}) {
  return describeAll(contract, values, context).map((one) => ({ message: one.message, remedies: describeRemedy(one) }));
}

function describeAll(contract: Contract, values: Readonly<Record<string, string>>, context: Partial<Context> = {}) {
  const violations = findViolations(contract, resolutionOf(values));
  return describeViolations(violations, contract, {
    presentNames: Object.keys(values),
    defaultTarget: { kind: "local" },
    ...context,
  });
}

function expectWords(
  contract: Contract,
  values: Readonly<Record<string, string>>,
  context: Partial<Context> = {},
): void {
  const lines = describeInWords(contract, values, context).flatMap(({ message, remedies }) => [message, ...remedies]);
  expectWording(lines.join("\n"));
}

function contextOfEsc(environment: string): Partial<Context> {
  return { defaultTarget: { kind: "esc", environment } };
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

  it("is reported by name with a remedy", () => {
    const [{ message, remedies } = { message: "", remedies: [] }] = describeInWords(contract, {});
    expect(message).toContain("TOKEN (The Token)");
    expect(remedies.at(-1)).toContain("docs.example/token");
    expectWords(contract, {});
  });

  it("is reported with the condition that requires it", () => {
    expect(describeInWords(contract, { TOKEN: "t", MODE: "a", SECRET: "s" })).toHaveLength(2);
    expectWords(contract, { TOKEN: "t", MODE: "a", SECRET: "s" });
  });

  it("is reported with the misspelt name under which it may be set", () => {
    expect(describeInWords(contract, { TOKNE: "t" })[0]?.remedies[0]).toContain("TOKEN? TOKNE");
    // A name that the contract declares is not taken for a misspelling.
    expect(
      describeInWords(contractOf({ variables: { TOKEN_1: { required: true }, TOKEN_2: {} } }), { TOKEN_2: "x" })[0]
        ?.remedies,
    ).toHaveLength(1);
    // Nor is a name that GitHub's runner sets for every step.
    expect(
      describeInWords(contractOf({ variables: { GITHUB_PAT: { required: true } } }), { GITHUB_PATH: "x" })[0]?.remedies,
    ).toHaveLength(1);
    expect(describeInWords(contract, { "TOKEN\u001B": "t" })[0]?.remedies[0]).toContain(String.raw`TOKEN\u001b`);
  });
});

const contractWithGroup = (rule: string, label?: string): Contract =>
  contractOf({
    variables: { OLD: { deprecated: "A" }, A: {}, B: {} },
    groups: { g: { ...(label === undefined ? {} : { label }), rule, variables: ["OLD", "A", "B"] } },
  });

describe("a violated group", () => {
  it.each([
    ["one-of", {}],
    ["exactly-one", {}],
    ["at-least-one", {}],
    ["exactly-one", { A: "x", B: "y" }],
    ["all-or-none", { B: "y" }],
    ["all-or-none", { A: "x", OLD: "y" }],
  ])("is described by its rule: %s of %j", (rule, values) => {
    expect(describeInWords(contractWithGroup(rule, "G"), values)).toHaveLength(1);
    expectWords(contractWithGroup(rule, "G"), values);
  });

  it("is named by its identifier if it has no label, or by its variable if it has only one", () => {
    expect(describeInWords(contractWithGroup("one-of"), {})[0]?.message).toMatch(/^g: one of/);
    const single = contractOf({ variables: { A: {} }, groups: { g: { rule: "one-of", variables: ["A"] } } });
    expectWords(single, {});
  });
});

describe("the commands that set values in ESC", () => {
  const contract = contractOf({
    variables: { TOKEN: { required: true }, LEVEL: { required: true, secret: false }, "a.b": { required: true } },
  });

  it("name the environment without its revision, and contain no value", () => {
    expect(
      describeInWords(contract, {}, contextOfEsc("acme/sophia/dev@3")).flatMap(({ remedies }) => remedies),
    ).toStrictEqual([
      "sophia-run set TOKEN --in acme/sophia/dev",
      "sophia-run set LEVEL --in acme/sophia/dev",
      "sophia-run set a.b --in acme/sophia/dev",
    ]);
  });

  it("name the contract if the user has named it", () => {
    const context = { ...contextOfEsc("acme/sophia/dev"), contractFile: "configs/web app.json" };
    const [{ remedies } = { remedies: [] }] = describeInWords(contract, {}, context);
    expect(remedies).toStrictEqual(["sophia-run set TOKEN --in acme/sophia/dev --contract 'configs/web app.json'"]);
  });

  describe.each(["dash", "bash", "zsh", "fish"])("pasted in %s", (shell) => {
    skipBecause(notInstalled(shell, "-c", "true"));

    it.each(["a/b/c", "acme/it's/dev", "acme/$HOME/d e", `${"o".repeat(40)}/${"p".repeat(30)}/dev`])(
      "reach the command unchanged (%s)",
      (environment) => {
        const stub = folder({ "sophia-run": "#!/bin/sh\nprintf '[%s]' \"$@\"\necho\n" });
        chmodSync(join(stub, "sophia-run"), 0o755);
        const supply = describeAll(contract, {}, contextOfEsc(environment)).flatMap((one) => one.valuesToSet);
        const [heading, ...command] = describeValuesToSet(supply, 78, "asks");
        expect(heading).toContain("each");
        for (const line of command) expect(line.split(" ").length > 8 ? line.length : 0).toBeLessThanOrEqual(78);
        const lines = [
          ...command,
          ...describeInWords(contract, {}, contextOfEsc(environment)).flatMap(({ remedies }) => remedies),
        ];
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

  it("are one command for all missing variables of an environment, and another for values to replace", () => {
    const wrong = contractOf({ variables: { PORT: { required: true, format: "port" }, TOKEN: { required: true } } });
    const origin = { source: "esc", environment: "acme/sophia/dev" } as const;
    const context = { ...contextOfEsc("acme/sophia/dev"), origins: new Map([["PORT", { origin }]]) };
    const supply = describeAll(wrong, { PORT: "x" }, context).flatMap((one) => one.valuesToSet);
    expect(describeValuesToSet(supply, 78, "reads")).toStrictEqual([
      expect.stringContaining("set it in ESC; this reads"),
      "  sophia-run set TOKEN --in acme/sophia/dev",
      expect.stringContaining("replace it in ESC; this reads"),
      "  sophia-run set PORT --in acme/sophia/dev --overwrite",
    ]);
  });

  it("are replaced by the other places for a value if the start does not use ESC", () => {
    const local = describeAll(contract, {}).flatMap((one) => one.valuesToSet);
    expectWording(describeValuesToSet(local, 78, "asks").join("\n"));
    expectWording(describeValuesToSet(local.slice(1, 2), 78, "asks").join("\n"));
    expect(describeValuesToSet([], 78, "asks")).toStrictEqual([]);
  });
});

describe("a withheld variable", () => {
  const withheld = (name: string) => (name === "B" || name === "TOKEN" ? "withheld by --exclude" : undefined);

  it("is reported as withheld, and need not be set", () => {
    const contract = contractOf({ variables: { TOKEN: { required: true, docs: "https://docs.example" } } });
    expect(describeInWords(contract, {}, { describeWithholding: withheld })).toMatchObject([{ remedies: [] }]);
    expectWords(contract, {}, { describeWithholding: withheld });
    expect(
      describeInWords(contractWithGroup("at-least-one", "G"), {}, { describeWithholding: withheld }),
    ).toMatchObject([{ remedies: [] }]);
    expectWords(contractWithGroup("at-least-one", "G"), {}, { describeWithholding: withheld });
    expectWords(contractWithGroup("all-or-none", "G"), { OLD: "x" }, { describeWithholding: withheld });
  });
});

describe("a wrong value", () => {
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
  ])("has a remedy that corrects it in its source: %j", (origin, remedy) => {
    const origins = origin === undefined ? {} : { origins: new Map([["PORT", { origin }]]) };
    const remedies = describeInWords(contract, { PORT: "http" }, origins).flatMap((one) => one.remedies);
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
  ])("that is a reference is reported with the tool that resolves it: %s", (value) => {
    expect(describeInWords(contract, { KEY: value })[0]?.message).toContain("is a reference");
    expectWords(contract, { KEY: value });
  });

  it("that is a placeholder is reported with the page that has the real value", () => {
    expect(describeInWords(contract, { KEY: "changeme" })[0]?.remedies[1]).toContain("docs.example");
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
  ])("is described by the format that it violates: %j", (format) => {
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
  ])("is described by the limits that it exceeds: %j: %s", (format, value) => {
    expectWords(contractOf({ variables: { A: { format } } }), { A: value });
  });
});
