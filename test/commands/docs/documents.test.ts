import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "dotenv";
import * as fc from "fast-check";
import { format } from "oxfmt";
import { describe, expect, it } from "vitest";
import { envExample } from "../../../src/commands/docs/env-example.ts";
import { envTypes } from "../../../src/commands/docs/env-types.ts";
import { secretsSection, withSecretsSection } from "../../../src/commands/docs/secrets-section.ts";
import { builtInContract } from "../../../src/contract/generated/built-in.ts";
import { parseDotenv } from "../../../src/sources/dotenv/syntax.ts";
import { contractDocuments } from "../../contract/arbitrary.ts";
import { contractOf, root } from "../../contract/contracts.ts";

const contract = contractOf({
  variables: {
    TOKEN: {
      label: "The | Token",
      description: "A `token` <b>with</b>\n*many* [odd](things) __in__ its_words | and */ more.",
      required: true,
      example: "tok-<token>\nA=1",
      docs: "https://docs.example/(a)|b",
      aliases: ["TOKEN_2", { name: "OLD_TOKEN", deprecated: true }],
      rotateEvery: "1 month",
    },
    MODE: { default: "dev", format: { type: "enum", values: ["dev", 'p"rod'] } },
    HOST: { required: { when: "MODE", equals: ["dev", 'p"rod'] }, format: { type: "url", schemes: ["https"] } },
    "odd.name-1": { deprecated: "TOKEN", rotateEvery: "90 days" },
    A: {},
    B: {},
  },
  groups: { pair: { label: "Pair", rule: "all-or-none", variables: ["A", "B"] } },
  sections: [{ title: "Main", lines: ["TOKEN", "pair"] }],
});

describe(".env.example", () => {
  it("says what each variable is for and holds no value", () => {
    expect(envExample(contract).split("\n")).toStrictEqual([
      "# The environment variables of this repository; `sophia-run docs` writes this file from the contract.",
      "# Copy it to .env, which is never committed, and fill in what you need: an empty value counts as unset.",
      "# Pair: A and B must be set together, or none of them.",
      "",
      "# --- Pulumi ESC ---",
      "# With both of these the values come from ESC, and those below fill what it lacks.",
      "# Example: acme/sophia/dev",
      "ESC_ENV=",
      "# A read-only access token.",
      "ESC_TOKEN=",
      "",
      "# --- Main ---",
      "",
      "# The | Token (required)",
      "# A `token` <b>with</b>",
      "# *many* [odd](things) __in__ its_words | and */ more.",
      String.raw`# Example: tok-<token>\nA=1`,
      "# See https://docs.example/(a)|b",
      "TOKEN=",
      "",
      "# (all or none of Pair)",
      "A=",
      "",
      "# (all or none of Pair)",
      "B=",
      "",
      "# --- Further variables ---",
      "",
      "# (optional)",
      '# Format: dev or p"rod',
      "# Default: dev",
      "MODE=",
      "",
      '# (required when MODE is dev or p"rod)',
      "# Format: a URL that begins with https://",
      "HOST=",
      "",
      "# (optional)",
      "# Deprecated: use TOKEN.",
      "odd.name-1=",
      "",
    ]);
  });

  it("gives ESC's two names and every declared one to those who read such files, each empty", async () => {
    for (const one of [contract, builtInContract()]) {
      const text = envExample(one);
      const names = ["ESC_ENV", "ESC_TOKEN", ...one.variables.keys()];
      const expected = Object.fromEntries(names.map((name) => [name, ""]));
      expect(parse(text)).toStrictEqual(expected);
      const { variables, notices } = await parseDotenv(text, ".env.example");
      expect(Object.fromEntries(variables.map(({ name, value }) => [name, value]))).toStrictEqual(expected);
      expect(notices).toStrictEqual([]);
    }
  });
});

describe("env.d.ts", () => {
  it("types process.env for a real compiler", () => {
    const folder = mkdtempSync(join(tmpdir(), "env-types-"));
    try {
      writeFileSync(join(folder, "env.d.ts"), envTypes(contract));
      writeFileSync(
        join(folder, "use.ts"),
        `/// <reference types="node" />
const token: string = process.env.TOKEN;
const mode: "dev" | 'p"rod' = process.env.MODE;
const host: string | undefined = process.env.HOST;
const odd: string | undefined = process.env["odd.name-1"];
const old: string | undefined = process.env.OLD_TOKEN;
// @ts-expect-error a variable that is not required may be missing
const missing: string = process.env.A;
// @ts-expect-error no such value
const other: "x" = process.env.MODE;
export { token, mode, host, odd, old, missing, other };
`,
      );
      writeFileSync(
        join(folder, "tsconfig.json"),
        JSON.stringify({
          compilerOptions: {
            strict: true,
            exactOptionalPropertyTypes: true,
            noEmit: true,
            module: "preserve",
            types: ["node"],
            typeRoots: [join(root, "node_modules", "@types")],
          },
          files: ["env.d.ts", "use.ts"],
        }),
      );
      const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
      const output = execFileSync(process.execPath, [compiler, "-p", folder], { encoding: "utf8" });
      expect(output).toBe("");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("documents each variable where editors show it", () => {
    const text = envTypes(contract);
    expect(text).toContain(
      [
        "      /**",
        "       * The | Token.",
        "       * A `token` <b>with</b>",
        String.raw`       * *many* [odd](things) __in__ its_words | and *\/ more.`,
        "       * Contract: required.",
        "       * @see https://docs.example/(a)|b",
        "       */",
        "      TOKEN: string;",
        "      /**",
        "       * Another name of TOKEN.",
        "       */",
        "      TOKEN_2?: string;",
      ].join("\n"),
    );
    expect(text).toContain('@deprecated use TOKEN\n       */\n      "odd.name-1"?: string;');
  });
});

/** The cells of one line of a table; a bar that is escaped belongs to its cell. */
const cells = (line: string): readonly string[] =>
  line
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());

describe("SECRETS.md's section", () => {
  it("is a table for each section, then the rules over several variables", () => {
    const blocks = secretsSection(contract).split("\n\n").slice(1, -1);
    const tables = blocks.filter((block) => block.startsWith("|")).map((block) => block.split("\n"));
    for (const lines of tables) expect(new Set(lines.map((line) => line.length)).size).toBe(1);
    expect(tables.map((lines) => lines.map(cells))).toStrictEqual([
      [
        ["Variable", "Needed", "What it is", "To be replaced"],
        [/-/, /-/, /-/, /-/].map((dash) => expect.stringMatching(dash)),
        [
          "`TOKEN`",
          "required",
          String.raw`A \`token\` \<b>with\</b> \*many\* \[odd](things) \_\_in\_\_ its_words \| and \*/ more. ` +
            "Also as `TOKEN_2`, `OLD_TOKEN` (deprecated). [More](https://docs.example/%28a%29%7Cb)",
          "every month",
        ],
        ["`A`", "all or none of Pair", "", ""],
        ["`B`", "all or none of Pair", "", ""],
      ],
      [
        ["Variable", "Needed", "What it is", "To be replaced"],
        [/-/, /-/, /-/, /-/].map((dash) => expect.stringMatching(dash)),
        ["`MODE`", "optional", 'Format: dev or p"rod. Default: `dev`.', ""],
        ["`HOST`", 'required when MODE is dev or p"rod', "Format: a URL that begins with https://.", ""],
        ["`odd.name-1`", "optional", "Deprecated: use `TOKEN`.", "every 90 days"],
      ],
    ]);
    expect(blocks.filter((block) => !block.startsWith("|"))).toStrictEqual([
      "### Main",
      "### Further variables",
      "### Rules over several variables",
      "- **Pair**: `A` and `B` must be set together, or none of them.",
    ]);
  });

  it("is written as formatters write it, so that formatting is no drift", async () => {
    for (const [name, text] of [
      ["SECRETS.md", `${secretsSection(builtInContract())}\n`],
      ["env.d.ts", envTypes(builtInContract())],
    ] as const) {
      expect((await format(name, text, { printWidth: 120 })).code).toBe(text);
    }
  });

  const section = secretsSection(builtInContract());
  it.each([
    ["an empty document", "", `${section}\n`],
    ["one without it", "# Secrets\n\nText.\n", `# Secrets\n\nText.\n\n${section}\n`],
    [
      "one with an older one",
      `# Secrets\n\n${secretsSection(contract)}\n\n## More\n`,
      `# Secrets\n\n${section}\n\n## More\n`,
    ],
    ["one with the same", `a\n${section}\nb`, `a\n${section}\nb`],
    ["one with other line ends", "# Secrets\r\n", `# Secrets\r\n\r\n${section.replaceAll("\n", "\r\n")}\r\n`],
  ])("is put into %s", (_, document, expected) => {
    expect(withSecretsSection(document, section)).toBe(expected);
  });

  it("is not cut short by its own marker in a description", () => {
    const odd = secretsSection(
      contractOf({
        variables: { A: { description: "x <!-- contract: end --> y", default: "<!-- contract: end -->" } },
      }),
    );
    expect(withSecretsSection(`a\n${odd}\nb`, section)).toBe(`a\n${section}\nb`);
  });

  it("put in twice is put in once, whatever the document and the contract", () => {
    fc.assert(
      fc.property(fc.string(), contractDocuments, (document, declared) => {
        const own = secretsSection(contractOf(declared));
        const once = withSecretsSection(document, own);
        expect(withSecretsSection(once, own)).toBe(once);
        expect(once.startsWith(document.replace(/\s*$/, ""))).toBe(true);
      }),
    );
  });
});
