import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "dotenv";
import * as fc from "fast-check";
import { format } from "oxfmt";
import { describe, expect, it } from "vitest";
import { createEnvExample } from "../../../src/commands/docs/env-example.ts";
import { createMark, choosePart, replacePart } from "../../../src/commands/docs/mark.ts";
import { createEnvTypes } from "../../../src/commands/docs/env-types.ts";
import { createSecretsDocument } from "../../../src/commands/docs/secrets-document.ts";
import { createContractBlocks } from "../../../src/commands/docs/secrets-document.ts";
import { BUILT_IN } from "../../../src/contract/generated/built-in.ts";
import type { Contract } from "../../../src/contract/contract-model.ts";
import { parseDotenv } from "../../../src/sources/dotenv/index.ts";
import { anchorsOf, fencedBlocksOf } from "../../helpers/markdown.ts";
import { missingCommand } from "../../helpers/skip.ts";
import { contractDocuments } from "../../contract/arbitrary-contracts.ts";
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

const MARK = createMark({ kind: "file", path: "sophia.contract.json" });

describe(".env.example", () => {
  it("describes each variable and holds no value", () => {
    expect(createEnvExample(contract, MARK, true)).toMatchSnapshot();
  });

  it("lists ESC's two variables and every declared one, each empty", async () => {
    for (const one of [contract, BUILT_IN]) {
      const text = createEnvExample(one, MARK, true);
      const names = ["ESC_ENV", "ESC_TOKEN", ...one.variables.keys()];
      const expected = Object.fromEntries(names.map((name) => [name, ""]));
      expect(parse(text)).toStrictEqual(expected);
      const { variables, notices } = await parseDotenv(text, ".env.example");
      expect(Object.fromEntries(variables.map(({ name, value }) => [name, value]))).toStrictEqual(expected);
      expect(notices).toStrictEqual([]);
    }
  });
});

/** Characters that a terminal executes, for each text of a contract. */
const HOSTILE = "a\0b\u001B]0;c\u0007\u009B31m\u202E";

it("documents contain no control characters of the contract", () => {
  const hostile = contractOf({
    variables: {
      TOKEN: { description: `${HOSTILE}\r\n${HOSTILE}`, example: HOSTILE },
      MODE: { default: HOSTILE, format: { type: "enum", values: [HOSTILE, "b"] } },
      HOST: { required: { when: "MODE", equals: HOSTILE }, format: { type: "text", prefix: HOSTILE } },
    },
  });
  const types = createEnvTypes(hostile, MARK);
  for (const text of [types, createEnvExample(hostile, MARK, true), createContractBlocks(hostile).join("\n")]) {
    // oxlint-disable-next-line no-control-regex -- control characters must be matched
    expect(text).not.toMatch(/[\0-\u0008\u000B-\u001F\u007F-\u009F\u202E]/);
  }
  const [, union = ""] = /MODE: (.*);/.exec(types) ?? [];
  expect(union.split(" | ").map((literal): unknown => JSON.parse(literal))).toStrictEqual([HOSTILE, "b"]);
});

describe("env.d.ts", () => {
  it("gives process.env types that a real compiler checks", () => {
    const folder = mkdtempSync(join(tmpdir(), "env-types-"));
    try {
      writeFileSync(join(folder, "env.d.ts"), createEnvTypes(contract, MARK));
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

  it("documents each variable for editors", () => {
    const text = createEnvTypes(contract, MARK);
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

const FACTS = { isOnGitHub: true, workflows: ["configuration.yml"], usesEsc: true };
const handbook = readFileSync(join(import.meta.dirname, "../../../docs/secrets.md"), "utf8");

/** Returns the cells of a table row; an escaped bar belongs to its cell. */
const cells = (line: string): readonly string[] =>
  line
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());

describe("the section that docs writes into SECRETS.md", () => {
  it("is a table for each section, then the rules over several variables", () => {
    const blocks = createContractBlocks(contract);
    const tables = blocks.filter((block) => block.startsWith("|")).map((block) => block.split("\n"));
    for (const lines of tables) expect(new Set(lines.map((line) => line.length)).size).toBe(1);
    expect(tables.map((lines) => lines.map(cells))).toStrictEqual([
      [
        ["Variable", "Needed", "Description", "Rotation"],
        [/-/, /-/, /-/, /-/].map((dash) => expect.stringMatching(dash)),
        [
          "`TOKEN`",
          "required",
          String.raw`A \`token\` \<b>with\</b> \*many\* \[odd](things) \_\_in\_\_ its_words \| and \*/ more. ` +
            "Also as `TOKEN_2`, `OLD_TOKEN` (deprecated). [More](https://docs.example/%28a%29%7Cb)",
          "every month",
        ],
        ["`A`", "all or none of Pair", "", "every 90 days"],
        ["`B`", "all or none of Pair", "", "every 90 days"],
      ],
      [
        ["Variable", "Needed", "Description", "Rotation"],
        [/-/, /-/, /-/, /-/].map((dash) => expect.stringMatching(dash)),
        ["`MODE`", "optional", 'Format: dev or p"rod. Default: `dev`.', ""],
        ["`HOST`", 'required when MODE is dev or p"rod', "Format: a URL that begins with https://.", "every 90 days"],
        ["`odd.name-1`", "optional", "Deprecated: use `TOKEN`.", "every 90 days"],
      ],
    ]);
    expect(blocks.filter((block) => !block.startsWith("|"))).toStrictEqual([
      "### Main",
      "### Other variables",
      "### Rules for several variables",
      "- **Pair**: all or none of `A` and `B` must be set.",
    ]);
  });

  it("is written as formatters write it", async () => {
    for (const [name, text] of [
      ["SECRETS.md", replacePart("", "document", MARK, createSecretsDocument(BUILT_IN, FACTS))],
      ["env.d.ts", createEnvTypes(BUILT_IN, MARK)],
    ] as const) {
      expect((await format(name, text, { printWidth: 120 })).code).toBe(text);
    }
  });

  const insertSection = (document: string, from: Contract): string =>
    replacePart(document, "contract", MARK, createContractBlocks(from));
  const section = insertSection("", BUILT_IN).trimEnd();
  it.each([
    ["an empty document", "", `${section}\n`],
    ["one without it", "# Secrets\n\nText.\n", `# Secrets\n\nText.\n\n${section}\n`],
    [
      "one with an older one",
      `# Secrets\n\n${insertSection("", contract).trimEnd()}\n\n## More\n`,
      `# Secrets\n\n${section}\n\n## More\n`,
    ],
    ["one with the same", `a\n${section}\nb`, `a\n${section}\nb`],
    ["one with other line ends", "# Secrets\r\n", `# Secrets\r\n\r\n${section.replaceAll("\n", "\r\n")}\r\n`],
  ])("is inserted into %s", (_, document, expected) => {
    expect(insertSection(document, BUILT_IN)).toBe(expected);
  });

  it("may have its own marker in a description", () => {
    const odd = contractOf({
      variables: { A: { description: "x <!-- contract: end --> y", default: "<!-- contract: end -->" } },
    });
    expect(insertSection(`a\n${insertSection("", odd).trimEnd()}\nb`, BUILT_IN)).toBe(`a\n${section}\nb`);
  });

  it("is the same after a second time, for any document and contract", () => {
    fc.assert(
      fc.property(fc.string(), contractDocuments, (document, declared) => {
        const own = contractOf(declared);
        const once = insertSection(document, own);
        expect(insertSection(once, own)).toBe(once);
        expect(once.startsWith(document.replace(/\s*$/, ""))).toBe(true);
      }),
    );
  });
});

describe("SECRETS.md as a whole", () => {
  const whole = (document: string, from: Contract): string =>
    replacePart(document, "document", MARK, createSecretsDocument(from, FACTS));
  const document = whole("", BUILT_IN);
  const scripts = [document, handbook].flatMap(fencedBlocksOf).filter(({ language }) => language === "sh");

  it("is written to a new document and replaces an older one; the rest is kept", () => {
    expect(document).toMatch(/^# Secrets\n\n<!-- secrets: begin\. [^]*<!-- secrets: end -->\n$/);
    expect(choosePart("")).toBe("document");
    expect(choosePart("# Secrets\n\nBy hand.\n")).toBe("contract");
    const edited = `# Ours\n\nAbove.\n${document.slice("# Secrets\n".length)}\nBelow.\n`;
    expect(choosePart(edited)).toBe("document");
    const other = whole(edited, contract);
    expect(other).toMatch(
      /^# Ours\n\nAbove\.\n\n<!-- secrets: begin[^]*`odd\.name-1`[^]*secrets: end -->\n\nBelow\.\n$/,
    );
    expect(whole(other, BUILT_IN)).toBe(edited);
  });

  it("has every section, every variable, and each scope with its variables", () => {
    const titles = [...document.matchAll(/^## (.*)$/gm)].map(([, title]) => title);
    expect(titles).toStrictEqual([
      "Sources, in order of precedence",
      "The two repository secrets",
      "The variables",
      "Rotation",
      "Local development",
      "Emergency access",
      "Verification",
      "Support",
      "Audit logs",
      "Good practice",
    ]);
    for (const name of BUILT_IN.variables.keys()) expect(document).toContain(`\`${name}\``);
    const scoped = contractOf({ variables: { A: {}, B: {}, C: {} }, scopes: { web: ["A", "B"], worker: ["C"] } });
    expect(whole("", scoped)).toMatch(/^\| `--scope web` +\| `A`, `B` +\|\n\| `--scope worker` \| `C` +\|$/m);
  });

  it("does not mention ESC where the project does not use it, and is written as formatters write it", async () => {
    const own = contractOf({ variables: { A: { required: true }, B: {} } });
    const text = replacePart("", "document", MARK, createSecretsDocument(own, { ...FACTS, usesEsc: false }));
    expect(text).not.toMatch(/\bESC|pulumi/i);
    expect(text).toContain("sophia-run check --code");
    expect(createEnvExample(own, MARK, false)).not.toMatch(/\bESC|pulumi/i);
    expect((await format("SECRETS.md", text, { printWidth: 120 })).code).toBe(text);
  });

  it("is a page for four variables, and mentions only things that the project has", () => {
    const four = contractOf({ variables: { A: { required: true }, B: {}, C: {}, D: {} } });
    const text = replacePart(
      "",
      "document",
      MARK,
      createSecretsDocument(four, { isOnGitHub: false, workflows: [], usesEsc: true }),
    );
    expect(text.split("\n").length).toBeLessThan(95);
    expect(text).not.toMatch(/\bgh\b|GitHub Actions|checks\.yml|deployment\/|kubectl|docker compose/);
    expect(document).toContain("gh run list --workflow configuration.yml");
  });

  it("names the contract's environment, and the login that opens it", () => {
    const plain = contractOf({ variables: { A: { required: true } } });
    const environment = { names: ["acme/shop/dev"], file: "/repository/sophia.contract.json", isFound: true };
    const named = whole("", { ...plain, environment });
    const unnamed = whole("", plain);
    expect(named).toContain("Pulumi ESC: `acme/shop/dev`, which the contract names, or what `ESC_ENV` names");
    expect(named).toContain("The first start asks whether your token may open it.");
    expect(named).toContain("`pulumi login` and `sophia-run login`, once on a machine");
    expect(named).toContain("\nsophia-run check --against acme/shop/dev\n");
    expect(unnamed).toContain("Pulumi ESC is read if `ESC_ENV` (such as `acme/sophia/dev`) and `ESC_TOKEN` are set.");
    expect(unnamed).toContain('\nsophia-run check --against "$ESC_ENV"\n');
    expect(unnamed).not.toContain("sophia-run login");
  });

  it("links to existing headings of the handbook", () => {
    const anchored = [...document.matchAll(/docs\/secrets\.md#([\w-]+)/g)].map(([, anchor = ""]) => anchor);
    expect(anchored.length).toBeGreaterThan(1);
    expect(anchored.filter((anchor) => !anchorsOf(handbook).includes(anchor))).toEqual([]);
  });

  it.for(["bash", "zsh"])("has blocks that %s accepts", (shell, { skip }) => {
    const reason = missingCommand(shell);
    skip(reason !== undefined, reason);
    expect(scripts.length).toBeGreaterThan(8);
    for (const { text } of scripts) {
      expect(spawnSync(shell, ["-n"], { input: text, encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
    }
  });

  it("has no command with a value on its command line", () => {
    const text = scripts.map((block) => block.text).join("\n");
    const bare = text.replaceAll(/'[^']*'/g, "''").replaceAll(/ # .*/g, "");
    const words = [
      ...bare.matchAll(/(?:^|[|;(]|&&)\s*(?:VALUE=\$\()?(?:sudo )?([a-z][\w-]*)(?: (?!-)([a-z][\w-]*))?/gm),
    ];
    const commands = new Set(words.map(([, command]) => command ?? ""));
    expect([...commands].toSorted()).toStrictEqual(
      "chmod cp curl docker export gh jq kubectl printf pulumi read sophia-run systemctl unset".split(" "),
    );
    expect(document).not.toMatch(/\besc (?:env|tokens)\b|--body|export \w+=/);
    // Only builtins have a value among their words: no process has them among its arguments.
    const uses = Array.from(text.matchAll(/([^\n|;&]*)"\$VALUE"/g), ([, before = ""]) => before.trim());
    expect(uses.length).toBeGreaterThan(5);
    for (const before of uses) expect(before).toMatch(/^(?:VALUE=\$\()?printf /);
  });

  it("asks for values after the whole block is read, and passes them by standard input", ({ skip }) => {
    const reason = missingCommand("jq");
    skip(reason !== undefined, reason);
    const log = mkdtempSync(join(tmpdir(), "secrets-"));
    try {
      // Each appends its arguments and its standard input to files.
      for (const name of ["gh", "curl"]) {
        const answer = name === "curl" ? `echo '{"tokenValue":"pul-new"}'` : ":";
        writeFileSync(
          join(log, name),
          `#!/bin/sh\nprintf '%s ' "${name}" "$@" >>"${log}/arguments"; { printf '${name}: '; cat; echo; } >>"${log}/input"\n${answer}\n`,
          { mode: 0o755 },
        );
      }
      const asking = scripts.filter(({ text }) => text.startsWith("read ") && !text.includes("export"));
      expect(asking).toHaveLength(4);
      for (const { text } of asking) {
        // As a user pastes it: the shell and `read` have one standard input, and the answers come behind the block.
        const reads = text.match(/\bread -/g)?.length ?? 0;
        const lines = text.includes("ROLE") ? "role-1\nSENTINEL\n" : "SENTINEL\n".repeat(reads);
        const result = spawnSync("bash", ["--norc"], {
          input: `${text}${lines}`,
          env: { PATH: `${log}:${process.env["PATH"] ?? ""}`, ESC_ENV: "acme/sophia/dev" },
          encoding: "utf8",
        });
        expect(result).toMatchObject({ status: 0, stdout: "", stderr: "" });
      }
      expect(readFileSync(join(log, "arguments"), "utf8")).not.toMatch(/SENTINEL|pul-new/);
      expect(readFileSync(join(log, "arguments"), "utf8")).toContain("orgs/acme/tokens");
      expect(
        readFileSync(join(log, "input"), "utf8")
          .split("\n")
          .filter((line) => line !== ""),
      ).toStrictEqual([
        ...Array.from({ length: 2 }, () => "gh: SENTINEL"),
        "curl: Authorization: token SENTINEL",
        "gh: pul-new",
        ...Array.from({ length: 4 }, () => "gh: SENTINEL"),
      ]);
    } finally {
      rmSync(log, { recursive: true, force: true });
    }
  });
});
