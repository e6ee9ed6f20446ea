import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { checkContract } from "../../src/contract/check.ts";
import type { Contract } from "../../src/contract/model.ts";
import { remedyLines, sharedRemedy } from "../../src/contract/remedies.ts";
import { describeViolations } from "../../src/contract/wording.ts";
import type { Origin } from "../../src/core/model.ts";
import { contractOf, resolutionOf } from "./contracts.ts";

type Context = Parameters<typeof describeViolations>[2];

/** The violations of these values in words. */
function words(contract: Contract, values: Readonly<Record<string, string>>, context: Partial<Context> = {}) {
  return wordings(contract, values, context).map((one) => ({ message: one.message, remedies: remedyLines(one) }));
}

function wordings(contract: Contract, values: Readonly<Record<string, string>>, context: Partial<Context> = {}) {
  const violations = checkContract(contract, resolutionOf(values));
  return describeViolations(violations, contract, {
    present: Object.keys(values),
    target: { kind: "local" },
    ...context,
  });
}

const setIn = (name: string): string => `set ${name} in the environment or in .env`;

function inEsc(environment: string): Partial<Context> {
  return { target: { kind: "esc", environment } };
}

describe("what is missing", () => {
  const contract = contractOf({
    variables: {
      TOKEN: { label: "The Token", required: true, docs: "https://docs.example/token" },
      MODE: { format: { type: "enum", values: ["a", "b"] } },
      SECRET: {},
      HOST: { required: { when: "MODE", equals: ["a", "b"] } },
      PORT: { required: { when: "SECRET" } },
    },
  });

  it("is named with what to do", () => {
    expect(words(contract, {})).toStrictEqual([
      {
        message: "TOKEN (The Token) is required and not set",
        remedies: [setIn("TOKEN"), "see https://docs.example/token"],
      },
    ]);
  });

  it("is named with its condition", () => {
    expect(words(contract, { TOKEN: "t", MODE: "a", SECRET: "s" }).map(({ message }) => message)).toStrictEqual([
      "HOST is not set, and is required because MODE is a or b",
      "PORT is not set, and is required because SECRET is set",
    ]);
  });

  it("may be set under a misspelt name", () => {
    expect(words(contract, { TOKNE: "t" })[0]?.remedies[0]).toBe("did you mean TOKEN? TOKNE is set");
    // What the contract knows is not misspelt.
    expect(
      words(contractOf({ variables: { TOKEN_1: { required: true }, TOKEN_2: {} } }), { TOKEN_2: "x" })[0]?.remedies,
    ).toStrictEqual([setIn("TOKEN_1")]);
    // Nor is what GitHub's runner sets for every step.
    expect(
      words(contractOf({ variables: { GITHUB_PAT: { required: true } } }), { GITHUB_PATH: "x" })[0]?.remedies,
    ).toStrictEqual([setIn("GITHUB_PAT")]);
    expect(words(contract, { "TOKEN\u001B": "t" })[0]?.remedies[0]).toBe(
      String.raw`did you mean TOKEN? TOKEN\u001b is set`,
    );
  });
});

const group = (rule: string, label?: string): Contract =>
  contractOf({
    variables: { OLD: { deprecated: "A" }, A: {}, B: {} },
    groups: { g: { ...(label === undefined ? {} : { label }), rule, variables: ["OLD", "A", "B"] } },
  });

describe("groups", () => {
  it.each([
    ["one-of", {}, "G: one of OLD, A and B is required, and none is set (A is preferred)", [setIn("A")]],
    ["exactly-one", {}, "G: exactly one of OLD, A and B is required, and none is set", [setIn("A")]],
    ["at-least-one", {}, "G: at least one of OLD, A and B is required, and none is set", [setIn("A")]],
    [
      "exactly-one",
      { A: "x", B: "y" },
      "G: only one of OLD, A and B may be set, but A and B are",
      ["keep one of A and B and unset the others"],
    ],
    [
      "all-or-none",
      { B: "y" },
      "G: B is set, but OLD and A are not: set all of them or none",
      [setIn("OLD"), setIn("A")],
    ],
    ["all-or-none", { A: "x", OLD: "y" }, "G: OLD and A are set, but B is not: set all of them or none", [setIn("B")]],
  ])("%s of %j", (rule, values, message, remedies) => {
    expect(words(group(rule, "G"), values)).toStrictEqual([{ message, remedies }]);
  });

  it("are named by their identifier where they have no label; one of a single variable names the variable", () => {
    expect(words(group("one-of"), {})[0]?.message).toMatch(/^g: one of/);
    const single = contractOf({ variables: { A: {} }, groups: { g: { rule: "one-of", variables: ["A"] } } });
    expect(words(single, {})[0]?.message).toBe("g: A is required and not set");
  });
});

describe("the lines for ESC", () => {
  const contract = contractOf({
    variables: { TOKEN: { required: true }, LEVEL: { required: true, secret: false }, "a.b": { required: true } },
  });

  it("are for that environment, without its revision, and take the value from the standard input", () => {
    expect(words(contract, {}, inEsc("acme/sophia/dev@3")).map(({ remedies }) => remedies)).toStrictEqual([
      ["pulumi env set acme/sophia/dev environmentVariables.TOKEN --secret --string --file -"],
      ["pulumi env set acme/sophia/dev environmentVariables.LEVEL --plaintext --string --file -"],
      [`pulumi env set acme/sophia/dev 'environmentVariables["a.b"]' --secret --string --file -`],
    ]);
  });

  it("reach the command unchanged by a shell", () => {
    const lines = words(contract, {}, inEsc("acme/it's/dev")).flatMap(({ remedies }) => remedies);
    const script = `pulumi() { printf '[%s]' "$@"; echo; }\n${lines.join("\n")}`;
    const output = execFileSync("sh", ["-c", script], { encoding: "utf8" });
    expect(output.split("\n")).toStrictEqual([
      "[env][set][acme/it's/dev][environmentVariables.TOKEN][--secret][--string][--file][-]",
      "[env][set][acme/it's/dev][environmentVariables.LEVEL][--plaintext][--string][--file][-]",
      `[env][set][acme/it's/dev][environmentVariables["a.b"]][--secret][--string][--file][-]`,
      "",
    ]);
  });

  describe("of one remedy for all", () => {
    const supply = (environment: string) => wordings(contract, {}, inEsc(environment)).flatMap((one) => one.supply);

    it("are one command for what is set alike", () => {
      expect(sharedRemedy(supply("acme/sophia/dev"), 78)).toStrictEqual([
        "set each in ESC; this asks for the value of the first:",
        '  read -rs VALUE; printf %s "$VALUE" |',
        "    pulumi env set acme/sophia/dev environmentVariables.TOKEN --secret \\",
        "      --string --file -",
        "set it in ESC; this asks for its value:",
        '  read -rs VALUE; printf %s "$VALUE" |',
        "    pulumi env set acme/sophia/dev environmentVariables.LEVEL --plaintext \\",
        "      --string --file -",
      ]);
    });

    it.each(["a/b/c", "acme/it's/dev", `${"o".repeat(40)}/${"p".repeat(30)}/dev`])(
      "hand a value that was typed to the command as it is, in bash (%s)",
      (environment) => {
        const commands = sharedRemedy(supply(environment), 78).filter((line) => line.startsWith("  "));
        const script = `pulumi() { printf '[%s]' "$@"; cat; echo; }\n${commands.slice(0, commands.length / 2).join("\n")}`;
        const output = execFileSync("bash", ["-c", script], { encoding: "utf8", input: "a 'b\\n \"$c\n" });
        expect(output).toBe(
          `[env][set][${environment}][environmentVariables.TOKEN][--secret][--string][--file][-]a 'b\\n "$c\n`,
        );
        for (const line of commands) expect(line.split(" ").length > 8 ? line.length : 0).toBeLessThanOrEqual(78);
      },
    );

    it("say where a value goes that ESC does not take", () => {
      const local = wordings(contract, {}).flatMap((one) => one.supply);
      expect(sharedRemedy(local, 78)).toStrictEqual(["without ESC, set them in the environment or in .env"]);
      expect(sharedRemedy(local.slice(1, 2), 78)).toStrictEqual([
        "without ESC, set LEVEL in the environment or in .env",
      ]);
      expect(sharedRemedy([], 78)).toStrictEqual([]);
    });
  });
});

describe("what a source has and the program does not get", () => {
  const withheld = (name: string) => (name === "B" || name === "TOKEN" ? "withheld by --exclude" : undefined);

  it("is said to be withheld, and need not be set", () => {
    const contract = contractOf({ variables: { TOKEN: { required: true, docs: "https://docs.example" } } });
    expect(words(contract, {}, { withheld })).toStrictEqual([
      { message: "TOKEN is required and withheld by --exclude", remedies: [] },
    ]);
    expect(words(group("at-least-one", "G"), {}, { withheld })).toStrictEqual([
      { message: "G: at least one of OLD, A and B is required; B is withheld by --exclude", remedies: [] },
    ]);
    expect(words(group("all-or-none", "G"), { OLD: "x" }, { withheld })[0]?.message).toBe(
      "G: OLD is set, but A and B are not: set all of them or none; B is withheld by --exclude",
    );
  });
});

describe("wrong values", () => {
  const contract = contractOf({ variables: { PORT: { format: "port" }, KEY: { docs: "https://docs.example" } } });

  it.each<[Origin | undefined, readonly string[]]>([
    [undefined, [setIn("PORT")]],
    [{ source: "environment" }, ["correct PORT in the environment, or unset it there"]],
    [{ source: "environment", alias: "OLD_PORT" }, ["correct OLD_PORT in the environment, or unset it there"]],
    [
      { source: "esc", environment: "acme/sophia/dev", alias: "OLD_PORT" },
      ["pulumi env set acme/sophia/dev environmentVariables.OLD_PORT --plaintext --string --file -"],
    ],
    [{ source: "dotenv", file: ".env.local", line: 7 }, ["correct it in .env.local, line 7"]],
    [
      { source: "esc", environment: "acme/sophia/dev", version: "3" },
      ["pulumi env set acme/sophia/dev environmentVariables.PORT --plaintext --string --file -"],
    ],
    [
      { source: "esc", environment: "acme/sophia/dev", importedFrom: "acme/sophia/base" },
      ["pulumi env set acme/sophia/base environmentVariables.PORT --plaintext --string --file -"],
    ],
    [
      { source: "esc", environment: "acme/sophia/dev", importedFrom: "base@3" },
      ["pulumi env set acme/default/base environmentVariables.PORT --plaintext --string --file -"],
    ],
    [
      { source: "esc", environment: "acme/sophia/dev", importedFrom: "sophia/base" },
      ["pulumi env set acme/sophia/base environmentVariables.PORT --plaintext --string --file -"],
    ],
    [{ source: "contract", file: "sophia.contract.json" }, ["correct its default in sophia.contract.json"]],
    [{ source: "fake" }, ["set PORT: its dummy value is not accepted"]],
  ])("are corrected where they come from: %j", (origin, remedies) => {
    const origins = origin === undefined ? {} : { origins: new Map([["PORT", { origin }]]) };
    expect(words(contract, { PORT: "http" }, origins)).toStrictEqual([
      { message: "PORT must be a port: a whole number from 1 to 65535", remedies },
    ]);
  });

  it("that are placeholders are reported with where to get a real one", () => {
    expect(words(contract, { KEY: "changeme" })).toStrictEqual([
      { message: "KEY is still a placeholder", remedies: [setIn("KEY"), "see https://docs.example"] },
    ]);
  });

  it.each([
    ["url", "must be a URL such as https://host"],
    [{ type: "url", schemes: ["https", "http"] }, "must be a URL such as https://host"],
    ["integer", "must be a whole number"],
    ["number", "must be a number"],
    ["boolean", "must be true or false (or yes, no, on, off, 1, 0)"],
    [{ type: "enum", values: ["a", "b", "c"] }, "must be a, b or c"],
    [{ type: "enum", values: ["black and white"] }, "must be black and white"],
    [{ type: "enum", values: ["sepia", "black and white"] }, "must be sepia or black and white"],
    ["json", "must be JSON"],
    ["base64", "must be base64"],
    ["email", "must be an e-mail address"],
    [{ type: "text", prefix: ["ghp_", "github_pat_"] }, "must begin with ghp_ or github_pat_"],
    [{ type: "text", minLength: 9 }, "must have at least 9 characters"],
    [{ type: "text", pattern: "a+" }, "must match a+"],
  ])("of the format %j", (format, message) => {
    expect(words(contractOf({ variables: { A: { format } } }), { A: "b c! " })[0]?.message).toBe(`A ${message}`);
  });

  it.each([
    ["url", "https://a:99999", "must be a URL with a port from 0 to 65535"],
    ["url", "https://u:p@[::1]:x/path?q#h", "must be a URL with a port from 0 to 65535"],
    ["url", "https://a b:99999", "must be a URL such as https://host"],
    ["url", "https://[::1", "must be a URL such as https://host"],
    [{ type: "url", schemes: ["postgresql"] }, "database", "must be a URL such as postgresql://host"],
    [{ type: "url", schemes: ["https", "http"] }, "ftp://a", "must be a URL that begins with https:// or http://"],
    [{ type: "integer", minimum: 1, maximum: 9 }, "0", "must be from 1 to 9"],
    [{ type: "integer", minimum: 1 }, "0", "must be at least 1"],
    [{ type: "number", maximum: 9.5 }, "10", "must be at most 9.5"],
  ])("beyond the limits of %j", (format, value, message) => {
    expect(words(contractOf({ variables: { A: { format } } }), { A: value })[0]?.message).toBe(`A ${message}`);
  });
});
