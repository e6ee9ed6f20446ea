import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadContract } from "../../src/contract/find-contract.ts";
import { expectWording } from "../helpers/wording.ts";
import { contractOf, catchFailure } from "./contracts.ts";
import { foldersOf } from "../helpers/folders.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "contract-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const writeContract = (path: string, content: string | Uint8Array = '{"variables":{}}'): string => {
  const file = join(folder, path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, content);
  return file;
};

/** Returns the path of the contract that the search finds from a folder. */
const findContractFrom = async (cwd: string): Promise<string | undefined> => {
  const { source } = await loadContract({}, foldersOf(cwd));
  return source.kind === "file" ? source.path : undefined;
};

describe("the contract of a start", () => {
  it("is found in the working directory", async () => {
    const path = writeContract("sophia.contract.json");
    expect((await loadContract({}, foldersOf(folder))).source).toStrictEqual({ kind: "file", path });
  });

  it("is found in the nearest folder above, within the repository", async () => {
    mkdirSync(join(folder, ".git"));
    const outer = writeContract("sophia.contract.json");
    const inner = writeContract("a/sophia.contract.json");
    mkdirSync(join(folder, "a", "b", "c"), { recursive: true });
    mkdirSync(join(folder, "d"));
    expect(await findContractFrom(join(folder, "a", "b", "c"))).toBe(inner);
    expect(await findContractFrom(join(folder, "d"))).toBe(outer);
  });

  it("is not found above the repository's root, whether .git is a folder or the file of a worktree", async () => {
    writeContract("sophia.contract.json");
    writeContract("repository/.git", "gitdir: elsewhere");
    mkdirSync(join(folder, "repository", "a"));
    expect(await findContractFrom(join(folder, "repository", "a"))).toBeUndefined();
  });

  it("is refused, and not skipped, if it is in a world-writable folder", async () => {
    const path = writeContract("sophia.contract.json");
    mkdirSync(join(folder, "a"));
    chmodSync(folder, 0o1777);
    expect(await catchFailure(() => loadContract({}, foldersOf(join(folder, "a"))))).toMatchObject({
      code: "contract-distrusted",
      status: 125,
      message: expect.stringContaining(folder),
      hint: expect.stringContaining(`--contract ${path}`),
    });
    expect(await findContractFrom(folder)).toBe(path);
  });

  it("may be named by a path that is absolute or relative to the working directory", async () => {
    const path = writeContract("a/other.json");
    expect((await loadContract({ contractFile: "a/other.json" }, foldersOf(folder))).source).toStrictEqual({
      kind: "file",
      path,
    });
    expect((await loadContract({ contractFile: path }, foldersOf("/"))).source).toStrictEqual({ kind: "file", path });
  });
});

describe("a contract file", () => {
  it.each([["missing.json"], ["file/missing.json"], ["folder"]])(
    "that cannot be read is an error: %s",
    async (file) => {
      writeContract("file");
      mkdirSync(join(folder, "folder"));
      const failure = await catchFailure(() => loadContract({ contractFile: file }, foldersOf(folder)));
      expect(failure).toMatchObject({ code: "contract-unreadable", status: 125 });
      expect(failure.hint).toContain("--contract");
      expectWording(`${failure.message}\n${failure.hint}`);
    },
  );

  it.each([["nowhere"], ["sophia.contract.json"]])(
    "that the search finds as a link to %s is an error, and is not skipped",
    async (target) => {
      symlinkSync(target, join(folder, "sophia.contract.json"));
      const failure = await catchFailure(() => loadContract({}, foldersOf(folder)));
      expect(failure).toMatchObject({ code: "contract-unreadable", status: 125 });
      expectWording(`${failure.message}\n${failure.hint}`);
    },
  );

  it("that is not UTF-8 is an error", async () => {
    writeContract("a.json", new Uint8Array([0x7b, 0xff, 0x7d]));
    expect((await catchFailure(() => loadContract({ contractFile: "a.json" }, foldersOf(folder)))).message).toContain(
      "UTF-8",
    );
  });

  it("with a byte-order mark is read, and the mark is not counted in positions", async () => {
    writeContract("a.json", '\uFEFF{"variables":{}}');
    expect((await loadContract({ contractFile: "a.json" }, foldersOf(folder))).variables.size).toBe(0);
    writeContract("b.json", "\uFEFF{x");
    expect((await catchFailure(() => loadContract({ contractFile: "b.json" }, foldersOf(folder)))).message).toMatch(
      /^b\.json:1:2: /,
    );
  });
});

describe("a wrong contract", () => {
  it.each([
    ['{"variables":{}}x', "1:17"],
    ['{"variables":{},}', "1:17"],
    ["[]", "1:1"],
    ['{"environment":"sophia/dev","variables":{}}', "1:16"],
    ["{}", "1:1"],
    ['{"variables":{},"variable":{}}', "1:17"],
    ['{"variables":{"A":{"requird":true}}}', "1:20"],
    ['{"variables":{"A":{},\n"A":{}}}', "2:1"],
    ['{"variables":{"A":{},"\\u0041":{}}}', "1:22"],
    ['{"variables":{"A=B":{}}}', "1:15"],
    ['{"variables":{"A":{"default":8080}}}', "1:30"],
    ['{"variables":{"A":{"default":""}}}', "1:30"],
    ['{"variables":{"A":{"format":"prot"}}}', "1:29"],
    ['{"variables":{"A":{"format":{"type":"int"}}}}', "1:37"],
    ['{"variables":{"A":{"format":{"schemes":["https"]}}}}', "1:29"],
    ['{"variables":{"A":{"format":{"type":"port","minimum":1}}}}', "1:44"],
    ['{"variables":{"A":{"format":{"type":"text","minLength":0}}}}', "1:56"],
    ['{"variables":{"A":{"format":{"type":"text","pattern":"(?=a)"}}}}', "1:54"],
    ['{"variables":{"A":{"format":{"type":"integer","minimum":2,"maximum":1}}}}', "1:57"],
    ['{"variables":{"A":{"format":{"type":"integer","minimum":0.2,"maximum":0.8}}}}', "1:29"],
    ['{"variables":{"A":{"format":{"type":"number","minimum":1e999}}}}', "1:29"],
    ['{"variables":{"A":{"default":"x","secret":true}}}', "1:30"],
    ['{"variables":{"PATH":{"default":"/x"}}}', "1:33"],
    ['{"variables":{"LD_PRELOAD":{"default":"/x.so"}}}', "1:39"],
    [
      '{"variables":{"NODE_OPTIONS":{}},"profiles":{"dev":{"variables":{"NODE_OPTIONS":{"default":"-r ./x"}}}}}',
      "1:92",
    ],
    ['{"variables":{"A":{"default":"x","format":"port"}}}', "1:30"],
    ['{"variables":{"A":{"required":{"when":"A"}}}}', "1:39"],
    ['{"variables":{"ABC":{"required":{"when":"ABD"}}}}', "1:41"],
    [
      '{"variables":{"A":{"format":{"type":"enum","values":["x"]}},"B":{"required":{"when":"A","equals":"y"}}}}',
      "1:98",
    ],
    ['{"variables":{"A":{"deprecated":"A"}}}', "1:33"],
    ['{"variables":{"A":{"deprecated":"B"},"B":{"deprecated":"C"},"C":{}}}', "1:33"],
    ['{"variables":{"A":{"aliases":["B"]},"B":{}}}', "1:31"],
    ['{"variables":{"A":{"aliases":["C"]},"B":{"aliases":["C"]}}}', "1:53"],
    ['{"variables":{"A":{"aliases":["A"]}}}', "1:31"],
    ['{"variables":{"A":{"broker":true}}}', "1:29"],
    ['{"variables":{"A":{}},"profiles":{"p":{"variables":{"A":{"broker":{"prefix":"v1"}}}}}}', "1:77"],
    ['{"extends":"builtin","variables":{"OPENAI_API_KEY":{"broker":{"allow":["GET /v1/?x"]}}}}', "1:72"],
    ['{"extends":"builtin","variables":{"PULUMI_ACCESS_TOKEN":{"broker":true}}}', "1:58"],
    ['{"extends":"builtin","variables":{"LAMBDA_CLOUD_API_KEY":{"broker":true}}}', "1:68"],
    ['{"variables":{"A":{}},"groups":{"g":{"rule":"one_of","variables":["A"]}}}', "1:45"],
    ['{"variables":{"A":{}},"groups":{"g":{"rule":"one-of","variables":["A","A"]}}}', "1:71"],
    ['{"variables":{"A":{}},"groups":{"g":{"rule":"one-of","variables":["B"]}}}', "1:67"],
    ['{"variables":{"a":{}},"groups":{"a":{"rule":"one-of","variables":["a"]}}}', "1:33"],
    ['{"variables":{"A":{}},"sections":[{"title":"S","lines":["Q"]}]}', "1:57"],
    ['{"variables":{},"profiles":{"dev":{"extends":"prd"},"prod":{}}}', "1:46"],
    ['{"variables":{},"profiles":{"a":{"extends":"b"},"b":{"extends":["c"]},"c":{"extends":"a"}}}', "1:44"],
    ['{"variables":{},"profiles":{"a":{"groups":{"g":{"label":"G"}}}}}', "1:44"],
    ['{"variables":{"A":{"default":"x"}},"profiles":{"p":{"variables":{"A":{"format":"port"}}}}}', "1:70"],
    ['{"variables":{},"profiles":{"p":{"groups":{"g":{"rule":"one-of","variables":["A"]}}}}}', "1:78"],
  ])("is refused with the position and the reason: %s", async (text, position) => {
    writeContract("c.json", text);
    const failure = await catchFailure(() => loadContract({ contractFile: "c.json" }, foldersOf(folder)));
    expect(failure).toMatchObject({ code: "contract-invalid", status: 125, details: [] });
    expect(failure.message.startsWith(`c.json:${position}: `)).toBe(true);
    expectWording(`${failure.message}\n${failure.hint}`);
  });

  it("is refused with all its errors at once, in the order of the text", async () => {
    writeContract("c.json", '{\n  "variables": {\n    "A": { "secret": 1 },\n    "1": {}\n  },\n  "x": 1\n}\n');
    expect(await catchFailure(() => loadContract({ contractFile: "c.json" }, foldersOf(folder)))).toMatchObject({
      message: expect.stringContaining("3 errors"),
      details: [
        expect.stringMatching(/^c\.json:3:22: /),
        expect.stringMatching(/^c\.json:4:5: /),
        expect.stringMatching(/^c\.json:6:3: /),
      ],
    });
  });

  it("is refused with at most twenty errors", async () => {
    const variables = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`A${index}`, { x: 1 }]));
    writeContract("c.json", JSON.stringify({ variables }));
    const { message, details } = await catchFailure(() => loadContract({ contractFile: "c.json" }, foldersOf(folder)));
    expect(message).toContain("500 errors");
    expect(details).toHaveLength(21);
    expect(details.at(-1)).toContain("480");
  });

  it("may have any number of errors", async () => {
    writeContract("c.json", `{"variables":{${'"1":{},'.repeat(150_000)}"A":{}}}`);
    const { message } = await catchFailure(() => loadContract({ contractFile: "c.json" }, foldersOf(folder)));
    expect(message).toContain("299999 errors");
  });

  it("cannot send control characters to a terminal", async () => {
    writeContract("c.json", String.raw`{"variables":{"\u001b[31m":{}}}`);
    expect(
      (await catchFailure(() => loadContract({ contractFile: "c.json" }, foldersOf(folder)))).message,
    ).not.toContain("\u001B");
  });
});

describe("a contract with profiles", () => {
  const document = {
    variables: {
      KEY: { required: true },
      LEVEL: { default: "info" },
      MODE: { format: { type: "enum", values: ["a", "b"] } },
    },
    groups: { g: { label: "G", rule: "one-of", variables: ["KEY", "MODE"] } },
    profiles: {
      base: { variables: { LEVEL: { default: "debug" }, EXTRA: {} } },
      dev: { extends: "base", variables: { KEY: { required: false } }, groups: { g: { rule: "optional" } } },
      prod: { extends: ["base", "dev"], variables: { KEY: { required: true }, LEVEL: { default: "warn" } } },
    },
  };

  it("has the top-level entries if no profile is chosen", async () => {
    const contract = contractOf(document);
    expect(contract.profile).toBeUndefined();
    expect(contract.profiles).toStrictEqual(["base", "dev", "prod"]);
    expect([...contract.variables.keys()]).toStrictEqual(["KEY", "LEVEL", "MODE"]);
    expect(contract.variables.get("LEVEL")).toMatchObject({ default: "info", secret: false });
  });

  it("has the entries of the chosen profile, which override those that it extends field by field", async () => {
    const dev = contractOf(document, "dev");
    expect(dev.profile).toBe("dev");
    expect([...dev.variables.keys()]).toStrictEqual(["KEY", "LEVEL", "MODE", "EXTRA"]);
    expect(dev.variables.get("LEVEL")?.default).toBe("debug");
    expect(dev.rules.map(({ kind }) => kind)).toStrictEqual(["optional", "optional", "optional", "optional"]);
    const prod = contractOf(document, "prod");
    expect(prod.variables.get("LEVEL")?.default).toBe("warn");
    expect(prod.rules[0]).toStrictEqual({ kind: "required", name: "KEY" });
  });

  it("is refused if the chosen profile does not exist", async () => {
    writeContract("c.json", JSON.stringify(document));
    expect(
      await catchFailure(() => loadContract({ contractFile: "c.json", profile: "prd" }, foldersOf(folder))),
    ).toMatchObject({
      code: "contract-profile",
      status: 125,
      message: expect.stringContaining('"prd"'),
      hint: expect.stringContaining("prod?"),
    });
    mkdirSync(join(folder, ".git"));
    expect(await catchFailure(() => loadContract({ profile: "dev" }, foldersOf(folder)))).toMatchObject({
      code: "contract-profile",
      hint: expect.stringContaining("SOPHIA_PROFILE"),
    });
  });
});

const intervalOf = (rotateEvery: string) =>
  contractOf({ variables: { A: { rotateEvery } } }).variables.get("A")?.rotateEvery;

describe("a compiled contract", () => {
  it("has only secrets, except for variables whose values are in the contract", async () => {
    const { variables } = contractOf({
      variables: {
        A: {},
        B: { default: "x" },
        C: { format: "boolean" },
        D: { format: { type: "enum", values: ["x"] } },
        E: { format: "port" },
        F: { format: "url" },
        G: { format: "port", secret: true },
        H: { secret: false },
      },
    });
    expect([...variables.values()].filter(({ secret }) => secret).map(({ name }) => name)).toStrictEqual([
      "A",
      "F",
      "G",
    ]);
  });

  it("gets one section if the file has none: the groups that need one variable, then the other variables", async () => {
    const { sections } = contractOf({
      variables: { A: { label: "Aa" }, B: {}, C: {} },
      groups: {
        g: { label: "G", rule: "one-of", variables: ["A", "B"] },
        h: { label: "H", rule: "at-least-one", variables: ["B", "C"] },
      },
    });
    expect(sections).toStrictEqual([
      {
        title: "Contract",
        lines: [
          { kind: "group", group: "g", label: "G", names: ["A", "B"] },
          { kind: "variable", name: "C", label: "C" },
        ],
      },
    ]);
  });

  it("has the rotation intervals that the file declares", async () => {
    expect(intervalOf("90 days")).toStrictEqual({ count: 90, unit: "day" });
    expect(intervalOf("1 week")).toStrictEqual({ count: 1, unit: "week" });
    expect(intervalOf("3 months")).toStrictEqual({ count: 3, unit: "month" });
    expect(intervalOf("2 years")).toStrictEqual({ count: 2, unit: "year" });
  });
});
