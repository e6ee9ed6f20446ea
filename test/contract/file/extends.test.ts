import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { mergeDocuments } from "../../../src/contract/file/merge.ts";
import { BUILT_IN } from "../../../src/contract/generated/built-in.ts";
import { builtInText } from "../../../src/contract/generated/built-in-text.ts";
import { parseContract } from "../../../src/contract/file/load-file.ts";
import { ContractFileError } from "../../../src/contract/file/contract-file-error.ts";
import { loadContract } from "../../../src/contract/find-contract.ts";
import type { Contract } from "../../../src/contract/contract-model.ts";
import { fencedBlocksOf } from "../../helpers/markdown.ts";
import { folder } from "../../helpers/sophia.ts";
import { contractDocuments } from "../arbitrary-contracts.ts";
import { expectWording } from "../../helpers/wording.ts";
import { contractOf, catchFailure, root, withoutProbes } from "../contracts.ts";
import { foldersOf } from "../../helpers/folders.ts";

/** Writes these contracts into a folder, and loads the folder's `sophia.contract.json`. */
async function loadFiles(files: Readonly<Record<string, unknown>>, more: object = {}): Promise<Contract> {
  const cwd = folder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), typeof content === "string" ? content : JSON.stringify(content));
  }
  return loadContract({ ...more }, foldersOf(cwd));
}

const titles = ({ sections }: Contract) =>
  sections.map(({ title, lines }) => [title, ...lines.map((line) => (line.kind === "group" ? line.group : line.name))]);

/** Returns the contract without the functions of patterns, which are equal only to themselves. */
const plain = (contract: Contract): unknown =>
  JSON.parse(JSON.stringify(contract, (_, value: unknown) => (value instanceof Map ? [...value] : value)));

describe("the built-in contract", () => {
  it("is equal to a file with its text, and to a file that extends it and adds nothing", async () => {
    const { source: _, ...builtIn } = BUILT_IN;
    for (const text of [builtInText, '{"extends":"builtin"}', '{"extends":"builtin","variables":{}}']) {
      const { source, ...contract } = await loadFiles({ "sophia.contract.json": text });
      expect(source.kind).toBe("file");
      expect(withoutProbes(contract)).toStrictEqual(builtIn);
    }
  });

  it("can be extended by variables, by details, by groups and by sections", async () => {
    const contract = await loadFiles({
      "sophia.contract.json": {
        extends: "builtin",
        variables: {
          QDRANT_URL: { format: { type: "url", schemes: ["https"] } },
          QDRANT_API_KEY: { required: false },
          SENTRY_DSN: { required: true },
          OLLAMA_URL: { label: "Ollama" },
        },
        groups: {
          "llm-providers": { label: "LLM", rule: "at-least-one", variables: ["OLLAMA_URL", "OPENAI_API_KEY"] },
          storage: { rule: "one-of", variables: ["SENTRY_DSN"] },
        },
      },
    });
    expect(contract.variables.size).toBe(19);
    expect(contract.variables.get("QDRANT_URL")).toMatchObject({
      label: "Qdrant URL",
      format: { kind: "url", schemes: ["https"] },
    });
    const required = contract.rules.flatMap((rule) => (rule.kind === "required" ? [rule.name] : []));
    expect(required).toStrictEqual(["PULUMI_ACCESS_TOKEN", "QDRANT_URL", "SENTRY_DSN"]);
    expect(contract.rules).toContainEqual({
      kind: "at-least-one",
      group: "llm-providers",
      label: "LLM",
      names: ["OLLAMA_URL", "OPENAI_API_KEY"],
    });
    expect(titles(contract).at(-1)).toStrictEqual(["Further Variables", "storage", "OLLAMA_URL"]);
    expect(titles(contract)).toHaveLength(4);
  });
});

it("docs/contract.md has only examples that are valid contracts", async () => {
  const document = readFileSync(join(root, "docs/contract.md"), "utf8");
  const examples = fencedBlocksOf(document).filter(({ language }) => language === "json");
  expect(examples).toHaveLength(8);
  for (const { text } of examples)
    expect((await loadFiles({ "sophia.contract.json": text })).variables.size).not.toBe(0);
});

it("docs/contract.md describes each member of a variable, each format and each rule of a group", () => {
  const document = readFileSync(join(root, "docs/contract.md"), "utf8");
  const schema = JSON.parse(readFileSync(join(root, "schema/sophia.contract.schema.json"), "utf8"));
  const { VariableEntry, FormatEntry, GroupRule, TextFormat } = schema.definitions;
  const members: readonly string[] = [...Object.keys(VariableEntry.properties), ...GroupRule.enum];
  expect(members.filter((name) => !new RegExp(`^\\|.*\`${name}\``, "m").test(document))).toEqual([]);
  const details: readonly string[] = [...FormatEntry.then.enum, ...Object.keys(TextFormat.properties), "enum"];
  expect(details.filter((name) => !new RegExp(`["\`]${name}["\`]`).test(document))).toEqual([]);
});

describe("a contract that extends a file", () => {
  it("finds that file relative to itself, and that file may extend another", async () => {
    const contract = await loadFiles(
      {
        "root.json": { variables: { A: { required: true }, B: { label: "The B" } }, scopes: { web: ["A"] } },
        "shared/base.json": {
          extends: "../root.json",
          variables: { B: { required: true } },
          profiles: { ci: { variables: { A: { required: false } } } },
        },
        "app/sophia.contract.json": {
          extends: "../shared/base.json",
          variables: { C: {} },
          scopes: { web: ["B"], worker: ["C"] },
          profiles: { ci: { variables: { C: { required: true } } } },
        },
      },
      { contractFile: "app/sophia.contract.json", profile: "ci" },
    );
    expect(contract.rules).toStrictEqual([
      { kind: "optional", name: "A" },
      { kind: "required", name: "B" },
      { kind: "required", name: "C" },
    ]);
    expect(contract.variables.get("B")?.label).toBe("The B");
    expect([...contract.scopes]).toStrictEqual([
      ["web", ["B"]],
      ["worker", ["C"]],
    ]);
    expect(titles(contract)).toStrictEqual([["Contract", "A", "B", "C"]]);
  });

  it("replaces its sections by title, and shows them before sections that it adds", async () => {
    const base = { variables: { A: {}, B: {} }, sections: [{ title: "One", lines: ["A", "B"] }] };
    const own = { extends: "base.json", variables: { C: {} } };
    const sections = async (more: object, from: object = base) =>
      titles(await loadFiles({ "base.json": from, "sophia.contract.json": { ...own, ...more } }));
    expect(await sections({})).toStrictEqual([
      ["One", "A", "B"],
      ["Further Variables", "C"],
    ]);
    expect(
      await sections({
        sections: [
          { title: "Two", lines: ["C"] },
          { title: "One", lines: ["B"] },
        ],
      }),
    ).toStrictEqual([
      ["One", "B"],
      ["Two", "C"],
    ]);
    expect(await sections({ sections: [{ title: "Two", lines: ["C"] }] }, { variables: { A: {} } })).toStrictEqual([
      ["Contract", "A"],
      ["Two", "C"],
    ]);
  });

  it("takes each setting of the whole contract from that file, unless it has its own", () => {
    const settings = { rotateEvery: "90 days", refresh: true, awsRefresh: true };
    const others = { rotateEvery: "1 year", refresh: false, awsRefresh: false };
    expect(mergeDocuments(settings, {})).toMatchObject(settings);
    expect(mergeDocuments({}, settings)).toMatchObject(settings);
    expect(mergeDocuments(settings, others)).toMatchObject(others);
  });

  it("and adds nothing is equal to that file, whatever it contains", () => {
    fc.assert(
      fc.property(contractDocuments, (given) => {
        const document = parseContract(JSON.stringify(given));
        if (document === undefined) throw new Error("it does not have the form of a contract");
        const whole = plain(contractOf(document));
        expect(plain(contractOf(mergeDocuments(document, {})))).toStrictEqual(whole);
        expect(plain(contractOf(mergeDocuments({ variables: {} }, document)))).toStrictEqual(whole);
        expect(plain(contractOf(mergeDocuments(document, document)))).toStrictEqual(whole);
      }),
    );
  });
});

describe('"extends" is refused with the position in the file at fault', () => {
  test.each<[string, Readonly<Record<string, unknown>>, string]>([
    ["itself", { "sophia.contract.json": '{"extends":"./sophia.contract.json"}' }, "sophia.contract.json:1:12: "],
    [
      "a cycle",
      {
        "sophia.contract.json": { extends: "b.json" },
        "b.json": { extends: "c.json" },
        "c.json": { extends: "b.json" },
      },
      "c.json:1:12: ",
    ],
    [
      "too long a chain",
      Object.fromEntries(
        Array.from({ length: 9 }, (_, index) => [
          index === 0 ? "sophia.contract.json" : `${index}.json`,
          { extends: `${index + 1}.json` },
        ]),
      ),
      "7.json:1:12: ",
    ],
    ["a missing file", { "sophia.contract.json": { extends: "gone.json" } }, "gone.json"],
    [
      "an address",
      { "sophia.contract.json": { extends: "https://example.test/base.json" } },
      "sophia.contract.json:1:12: ",
    ],
    ["a folder", { "sophia.contract.json": { extends: "." } }, "is a folder"],
    [
      "a faulty base",
      { "sophia.contract.json": { extends: "base.json" }, "base.json": { variables: 1 } },
      "base.json:1:14: ",
    ],
    [
      "a section with an unknown name",
      { "sophia.contract.json": { extends: "builtin", sections: [{ title: "T", lines: ["QDRANT_ULR"] }] } },
      "sophia.contract.json:1:56: ",
    ],
    [
      "a scope with an unknown name",
      { "sophia.contract.json": { variables: { A: {} }, scopes: { web: ["A", "BB"] } } },
      "sophia.contract.json:1:44: ",
    ],
    [
      "a detail that contradicts the base",
      { "sophia.contract.json": { extends: "builtin", variables: { QDRANT_URL: { secret: true, default: "x" } } } },
      "sophia.contract.json:1:73: ",
    ],
  ])("if it leads to %s", async (_, files, fragment) => {
    const failure = await catchFailure(() => loadFiles(files));
    expect(failure.status).toBe(125);
    expect(failure.message).toContain(fragment);
    expectWording(`${failure.message}\n${failure.hint}`);
  });

  test("if it leads to a pipe without a writer, without waiting, or to a file that is too large", async () => {
    const cwd = folder({ "sophia.contract.json": '{"extends":"pipe"}', "large.json": " ".repeat(8 * 1024 * 1024 + 1) });
    execFileSync("mkfifo", [join(cwd, "pipe")]);
    for (const file of [undefined, "sophia.contract.json"]) {
      const { message } = await catchFailure(() => loadContract({ contractFile: file }, foldersOf(cwd)));
      expect(message).toContain("regular file");
    }
    expect((await catchFailure(() => loadContract({ contractFile: "large.json" }, foldersOf(cwd)))).message).toContain(
      "8 MiB",
    );
  });
});

test("an error about a contract has the path of the file at fault, and a position for each fault", async () => {
  const cwd = folder({
    "app/sophia.contract.json": '{"extends":"../base.json"}',
    "base.json": '{\n  "variables": {\n    "A": { "label": 1 },\n    "B": 2 } }',
  });
  const error: unknown = await loadContract(
    { contractFile: "sophia.contract.json" },
    foldersOf(join(cwd, "app")),
  ).catch((thrown: unknown) => thrown);
  if (!(error instanceof ContractFileError) || error.problem.kind !== "faults") throw error;
  expect(error).toMatchObject({ code: "contract-invalid", file: join(cwd, "base.json"), cwd: join(cwd, "app") });
  expect(error.problem.faults.map(({ line, column }) => [line, column])).toEqual([
    [3, 21],
    [4, 10],
  ]);
  expect(error.problem.faults[1]).toMatchObject({ problem: "a number is not allowed here" });
});

describe("a contract that the search has found", () => {
  const CONTRACT = '{"variables":{"A":{}}}';
  /**
   * Creates a repository with a contract in packages/app that extends `target`, beside a folder with another contract.
   */
  function repository(target: string, isRepository = true) {
    const top = folder();
    const app = join(top, "repository/packages/app");
    for (const path of [app, join(top, "outside")]) mkdirSync(path, { recursive: true });
    if (isRepository) mkdirSync(join(top, "repository/.git"));
    writeFileSync(join(top, "outside/base.json"), CONTRACT);
    writeFileSync(join(top, "repository/base.json"), CONTRACT);
    writeFileSync(join(app, "own.json"), CONTRACT);
    writeFileSync(join(app, "sophia.contract.json"), JSON.stringify({ extends: target }));
    return { top, app };
  }

  test.each([
    ["../../base.json", true],
    ["own.json", true],
    ["own.json", false],
  ])("may extend %s (in a repository: %s)", async (target, isRepository) => {
    const { app } = repository(target, isRepository);
    expect([...(await loadContract({}, foldersOf(app))).variables.keys()]).toEqual(["A"]);
  });

  test.each([
    ["../../../outside/base.json", true, "repository"],
    ["../../../outside/none.json", true, "repository"],
    ["../../base.json", false, "folder"],
    ["/proc/self/environ", true, "repository"],
  ])("may not extend %s unless the user names the contract (in a repository: %s)", async (target, isRepository, of) => {
    const { app } = repository(target, isRepository);
    const failure = await catchFailure(() => loadContract({}, foldersOf(app)));
    expect(failure).toMatchObject({ code: "contract-invalid" });
    expect(failure.message).toMatch(new RegExp(`:1:12: .* ${of}$`));
    expectWording(failure.message);
    expect(failure.hint).toContain("--contract sophia.contract.json");
    const named = loadContract({ contractFile: "sophia.contract.json" }, foldersOf(app));
    if (target.endsWith("base.json")) expect((await named).variables.size).toBe(1);
    else expect((await catchFailure(() => named)).message).not.toContain(":1:12: ");
  });

  test("may not extend a file through a link out of the repository in any part of the path, and may through a link within it", async () => {
    const { top, app } = repository("link.json");
    const cases = [
      ["link.json", join(top, "outside/base.json"), "link.json", false],
      ["folder", join(top, "outside"), "folder/base.json", false],
      ["in.json", "../../base.json", "in.json", true],
    ] as const;
    for (const [link, to, target, isInside] of cases) {
      symlinkSync(to, join(app, link));
      writeFileSync(join(app, "sophia.contract.json"), JSON.stringify({ extends: target }));
      if (isInside) expect((await loadContract({}, foldersOf(app))).variables.size).toBe(1);
      else expect((await catchFailure(() => loadContract({}, foldersOf(app)))).message).toContain("outside");
    }
  });

  test("makes its repository the limit for all files that are extended", async () => {
    const { top, app } = repository("own.json");
    writeFileSync(join(app, "own.json"), JSON.stringify({ extends: join(top, "outside/base.json") }));
    expect((await catchFailure(() => loadContract({}, foldersOf(app)))).message).toMatch(/^own\.json:1:12: .* outside/);
    expect((await loadContract({ contractFile: "sophia.contract.json" }, foldersOf(app))).variables.size).toBe(1);
  });

  test("may not extend a file outside, even if the working directory is reached by a link", async () => {
    const { top } = repository("../../base.json");
    symlinkSync("repository/packages", join(top, "alias"));
    const cwd = join(top, "alias/app");
    expect((await catchFailure(() => loadContract({}, foldersOf(cwd)))).message).toContain("outside");
  });
});
