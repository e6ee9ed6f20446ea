import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createEnvExample } from "../../../src/commands/docs/env-example.ts";
import { createMark, sourceOfDocument } from "../../../src/commands/docs/mark.ts";
import { parseChoice } from "../../../src/commands/init/init-questions.ts";
import { createContractText } from "../../../src/commands/init/contract-draft.ts";
import { parseGeneratedFile } from "../../../src/commands/init/generated-example.ts";
import { loadContract } from "../../../src/contract/find-contract.ts";
import { secret, startEscServer } from "../../esc-server/index.ts";
import { atTerminal } from "../../helpers/terminal.ts";
import { cleanPath } from "../../helpers/pack.ts";
import { folder, sophia, unwrapLines } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";
import { contractDocuments } from "../../contract/arbitrary-contracts.ts";
import { contractOf, root } from "../../contract/contracts.ts";
import { escVariables, SENTINEL, sentinelOf } from "../sophia-environment.ts";
import { foldersOf } from "../../helpers/folders.ts";

const readProjectFile = (cwd: string, name: string): string => readFileSync(join(cwd, name), "utf8");
const FILE = "sophia.contract.json";
const loadContractOf = async (cwd: string): Promise<unknown> => ({
  ...(await loadContract({}, foldersOf(cwd))),
  source: undefined,
});
/** With its probes, which what a start loads does not have. */
const loadBuiltInContract = async (): Promise<unknown> => loadContractOf(root);

describe("init and the built-in contract:", () => {
  test("--from builtin writes the whole contract, with the schema for editors", async () => {
    const cwd = folder();
    const { status, stdout } = await sophia(["init", "--from", "builtin"], { cwd });
    expect(status).toBe(0);
    expect(stdout).toContain("17 variables");
    expectWording(stdout);
    expect(await loadContractOf(cwd)).toStrictEqual(await loadBuiltInContract());
    expect(JSON.parse(readProjectFile(cwd, FILE))).toMatchObject({ $schema: "./sophia.contract.schema.json" });
  });

  test("the new contract extends it if other sources add variables", async () => {
    const cwd = folder({ "app.js": "process.env.QDRANT_URL; process.env.SENTRY_DSN;" });
    const { stdout } = await sophia(["init", "--from", "builtin", "--from", "code"], { cwd });
    expect(stdout).toContain("18 variables");
    expectWording(stdout);
    expect(JSON.parse(readProjectFile(cwd, FILE))).toMatchObject({ extends: "builtin", variables: { SENTRY_DSN: {} } });
    expect((await loadContract({}, foldersOf(cwd))).variables.size).toBe(18);
  });

  test("init does not hide a contract in a folder above, unless --from is given", async () => {
    const cwd = folder({ [FILE]: '{"variables":{"A":{}}}', "api.js": "process.env.B" });
    const inner = join(cwd, "packages/api");
    mkdirSync(inner, { recursive: true });
    writeFileSync(join(inner, "api.js"), "process.env.B");
    const plain = await sophia(["init"], { cwd: inner });
    expect(plain).toMatchObject({ status: 0, stderr: "" });
    expect(plain.stdout).toContain("--from");
    expectWording(plain.stdout);
    expect(existsSync(join(inner, FILE))).toBe(false);
    const asked = await sophia(["init", "--from", "code"], { cwd: inner });
    expect(unwrapLines(asked.stdout)).toContain(`"extends": "../../${FILE}"`);
    expect(existsSync(join(inner, FILE))).toBe(true);
  });

  test.each([[".env.example"], ["SECRETS.md"]])("docs and then init restore the contract from %s", async (name) => {
    const cwd = folder();
    const written = await sophia(["docs", name], { cwd });
    expect(written.status).toBe(0);
    expect(written.stderr).toMatch(/built-in one\n.*sophia-run init/);
    const { status, stdout } = await sophia(["init"], { cwd });
    expect(status).toBe(0);
    expect(stdout).toContain("17 variables");
    expectWording(stdout);
    expect(await loadContractOf(cwd)).toStrictEqual(await loadBuiltInContract());
  });

  test("the new contract extends it by variables that the user added to its .env.example", async () => {
    const cwd = folder();
    await sophia(["docs"], { cwd });
    writeFileSync(
      join(cwd, ".env.example"),
      `${readProjectFile(cwd, ".env.example")}\n# Where errors go.\nSENTRY_DSN=${SENTINEL}\n`,
    );
    await sophia(["init"], { cwd });
    expect(JSON.parse(readProjectFile(cwd, FILE))).toMatchObject({
      extends: "builtin",
      variables: { SENTRY_DSN: { description: "Where errors go.", required: true } },
    });
    expect(readProjectFile(cwd, FILE)).not.toContain(SENTINEL);
  });
});

describe("init with a contract of another name", () => {
  const contract = {
    variables: {
      A: { label: "The A", required: true, docs: "https://docs.test/a" },
      B: { description: "What\nB is.", example: "<b>" },
      C: { default: "c" },
      D: { required: { when: "C", equals: "x" } },
    },
    groups: { pair: { label: "Pair", rule: "one-of", variables: ["C", "B"] } },
  };

  test("extends it by a contract from its documents, or restores its rules from them if it is gone", async () => {
    const cwd = folder({ "base.json": JSON.stringify(contract) });
    await sophia(["docs", "--contract", "base.json", ".env.example"], { cwd });
    await sophia(["init"], { cwd });
    expect(JSON.parse(readProjectFile(cwd, FILE))).toMatchObject({ extends: "base.json" });
    expect(await loadContractOf(cwd)).toStrictEqual({ ...contractOf(contract), source: undefined });

    rmSync(join(cwd, FILE));
    rmSync(join(cwd, "base.json"));
    await sophia(["init"], { cwd });
    expect(JSON.parse(readProjectFile(cwd, FILE))).toMatchObject({
      variables: {
        A: { label: "The A", required: true, docs: "https://docs.test/a" },
        B: { description: "What\nB is.", example: "<b>" },
        C: { default: "c" },
        D: {},
      },
      groups: { pair: contract.groups.pair },
    });
  });

  test("restores required variables and groups through .env.example", () => {
    fc.assert(
      fc.property(contractDocuments, (document) => {
        const whole = contractOf(document);
        const text = createEnvExample(whole, createMark({ kind: "file", path: "gone.json" }), true);
        const again = contractOf(JSON.parse(createContractText(parseGeneratedFile(text), "")));
        expect([...again.variables.keys()].toSorted()).toStrictEqual([...whole.variables.keys()].toSorted());
        const brief = ({ rules }: typeof whole) =>
          rules
            .flatMap((rule) => {
              if ("names" in rule) return [`${rule.kind} ${rule.label}: ${rule.names.join(" ")}`];
              return rule.kind === "required" ? [rule.name] : [];
            })
            .toSorted();
        expect(brief(again)).toStrictEqual(brief(whole));
      }),
    );
  });

  test("recognizes it by the mark of a document", () => {
    for (const source of [{ kind: "built-in" }, { kind: "file", path: "../a b/my.contract.json" }] as const) {
      expect(sourceOfDocument(`# Head; ${createMark(source)}.\nA=\n`)).toStrictEqual(source);
      expect(sourceOfDocument(`<!-- x. ${createMark(source)}; more -->`)).toStrictEqual(source);
    }
    expect(sourceOfDocument("`sophia-run docs` writes this file from the contract.")).toBeUndefined();
    expect(sourceOfDocument("A=\n")).toBeUndefined();
  });
});

describe("init asks which variables of ESC are required:", () => {
  const names = ["A_KEY", "B_KEY", "C"];

  test.each([
    ["", [], []],
    ["1, C", ["A_KEY", "C"], []],
    ["all", ["A_KEY", "B_KEY", "C"], []],
    ["0 4 B_KYE B_KEY", ["B_KEY"], ["0", "4", "B_KYE"]],
  ])("it understands the answer %j", (answer, chosen, unknown) => {
    expect(parseChoice(answer, names)).toStrictEqual({ chosen: new Set(chosen), unknown });
  });

  test("it asks at a terminal, repeats the question after an unknown word, and shows no value", async () => {
    await using server = await startEscServer();
    server.environment("acme/app/dev", {
      values: { A_KEY: secret(sentinelOf("a")), B_KEY: secret(sentinelOf("b")), C: "c" },
    });
    const cwd = folder();
    const runOptions = { cwd, env: { PATH: cleanPath, ...escVariables(server, "acme/app/dev") } };
    const { status, stdout } = await atTerminal(["init", "--from", "esc"], runOptions, [
      ["for none: ", "B_KYE\n"],
      ["for none: ", "2 C\n"],
      ["into the contract?", "n\n"],
    ]);
    expect(status).toBe(0);
    expect(stdout).toContain("   2  B_KEY\r\n   3  C\r\n");
    expect(stdout).toContain("did you mean B_KEY?");
    expect(stdout).not.toContain(SENTINEL);
    expect(JSON.parse(readProjectFile(cwd, FILE))).toMatchObject({
      variables: { A_KEY: {}, B_KEY: { required: true }, C: { required: true } },
    });
    expect(readProjectFile(cwd, FILE).match(/required/g)).toHaveLength(2);
  });
});
