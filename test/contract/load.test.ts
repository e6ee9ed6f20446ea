import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadContract } from "../../src/contract/load.ts";
import { contractOf, failureOf } from "./contracts.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "contract-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const write = (path: string, content: string | Uint8Array = '{"variables":{}}'): string => {
  const file = join(folder, path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, content);
  return file;
};

/** The file that is found from a folder. */
const foundFrom = async (cwd: string): Promise<string | undefined> => {
  const { source } = await loadContract({ cwd });
  return source.kind === "file" ? source.path : undefined;
};

describe("where the contract comes from", () => {
  it("the working directory", async () => {
    const path = write("sophia.contract.json");
    expect((await loadContract({ cwd: folder })).source).toStrictEqual({ kind: "file", path });
  });

  it("the nearest folder above, within the repository", async () => {
    mkdirSync(join(folder, ".git"));
    const outer = write("sophia.contract.json");
    const inner = write("a/sophia.contract.json");
    mkdirSync(join(folder, "a", "b", "c"), { recursive: true });
    mkdirSync(join(folder, "d"));
    expect(await foundFrom(join(folder, "a", "b", "c"))).toBe(inner);
    expect(await foundFrom(join(folder, "d"))).toBe(outer);
  });

  it("not from above the repository's root, whether .git is a folder or a worktree's file", async () => {
    write("sophia.contract.json");
    write("repository/.git", "gitdir: elsewhere");
    mkdirSync(join(folder, "repository", "a"));
    expect(await foundFrom(join(folder, "repository", "a"))).toBeUndefined();
  });

  it("a folder above that everybody may write is no reason to pass its contract over, but to refuse it", async () => {
    const path = write("sophia.contract.json");
    mkdirSync(join(folder, "a"));
    chmodSync(folder, 0o1777);
    expect(await failureOf(() => loadContract({ cwd: join(folder, "a") }))).toMatchObject({
      code: "contract-distrusted",
      status: 125,
      message: `the contract ${path} does not count: everybody may write its folder ${folder}`,
      hint: `--contract ${path}, if you trust it (SOPHIA_CONTRACT), or name another`,
    });
    expect(await foundFrom(folder)).toBe(path);
  });

  it("a named file, from the working directory or absolute", async () => {
    const path = write("a/other.json");
    expect((await loadContract({ cwd: folder, contractFile: "a/other.json" })).source).toStrictEqual({
      kind: "file",
      path,
    });
    expect((await loadContract({ cwd: "/", contractFile: path })).source).toStrictEqual({ kind: "file", path });
  });
});

describe("files that cannot be read", () => {
  it.each([
    ["missing.json", "the contract missing.json does not exist"],
    ["file/missing.json", "the contract file/missing.json does not exist"],
    ["folder", "the contract folder is a directory"],
  ])("%s", async (file, message) => {
    write("file");
    mkdirSync(join(folder, "folder"));
    const failure = await failureOf(() => loadContract({ cwd: folder, contractFile: file }));
    expect(failure).toMatchObject({ code: "contract-unreadable", status: 125, message });
    expect(failure.hint).toContain("--contract");
  });

  it.each([
    ["nowhere", "the contract sophia.contract.json is a symlink to a file that does not exist"],
    ["sophia.contract.json", "the contract sophia.contract.json is a symlink loop"],
  ])("a symlink that is found and leads to %s is not skipped", async (target, message) => {
    symlinkSync(target, join(folder, "sophia.contract.json"));
    const failure = await failureOf(() => loadContract({ cwd: folder }));
    expect(failure).toMatchObject({ code: "contract-unreadable", status: 125, message });
    expect(failure.hint).toBe("fix that, or name another contract with --contract or SOPHIA_CONTRACT");
  });

  it("one that is not UTF-8", async () => {
    write("a.json", new Uint8Array([0x7b, 0xff, 0x7d]));
    expect((await failureOf(() => loadContract({ cwd: folder, contractFile: "a.json" }))).message).toBe(
      "the contract a.json is not UTF-8",
    );
  });

  it("one with a byte-order mark is read, and positions do not count it", async () => {
    write("a.json", '\uFEFF{"variables":{}}');
    expect((await loadContract({ cwd: folder, contractFile: "a.json" })).variables.size).toBe(0);
    write("b.json", "\uFEFF{x");
    expect((await failureOf(() => loadContract({ cwd: folder, contractFile: "b.json" }))).message).toMatch(
      /^b\.json:1:2: /,
    );
  });
});

describe("wrong contracts", () => {
  it.each([
    [
      '{"variables":{}}x',
      "1:17: unexpected text",
      "JSON: keys and strings in double quotes, numbers, true, false, null, lists, objects",
    ],
    ['{"variables":{},}', "1:17: trailing comma", "a key in double quotes, or no comma before"],
    [
      "[]",
      "1:1: a list is not allowed here",
      "an object (The contract of a repository: the environment variables that its programs need, and the rules over them)",
    ],
    ["{}", '1:1: "variables" is missing', '"variables": the declared variables by name; or "extends"'],
    [
      '{"variables":{},"variable":{}}',
      "1:17: unknown key",
      '"$schema", "extends", "variables", "groups", "sections", "scopes", "rotateEvery" or "profiles"',
    ],
    [
      '{"variables":{"A":{"requird":true}}}',
      '1:20: unknown key: did you mean "required"?',
      '"label", "description", "required", "secret", "example", "docs", "default", "aliases", "deprecated", "format", "probe" or "rotateEvery"',
    ],
    ['{"variables":{"A":{},\n"A":{}}}', "2:1: the key is there twice", "each key once"],
    [String.raw`{"variables":{"A":{},"\u0041":{}}}`, "1:22: the key is there twice", "each key once"],
    [
      '{"variables":{"A=B":{}}}',
      "1:15: this is not a valid name",
      "Name of an environment variable: letters, digits, `_`, `.` and `-`, not beginning with a digit.",
    ],
    [
      '{"variables":{"A":{"default":8080}}}',
      "1:30: a number is not allowed here",
      "a string (The value if no source gives one. It is passed on as it is, so it is always a string)",
    ],
    ['{"variables":{"A":{"default":""}}}', "1:30: the string is empty", "at least 1 character"],
    [
      '{"variables":{"A":{"format":"prot"}}}',
      '1:29: unknown value: did you mean "port"?',
      '"url", "integer", "number", "boolean", "port", "json", "base64" or "email"',
    ],
    [
      '{"variables":{"A":{"format":{"type":"int"}}}}',
      "1:37: unknown value",
      '"text", "url", "integer", "number", "enum", "boolean", "port", "json", "base64" or "email"',
    ],
    [
      '{"variables":{"A":{"format":{"schemes":["https"]}}}}',
      '1:29: "type" is missing',
      '"type": "text", "url", "integer", "number", "enum", "boolean", "port", "json", "base64" or "email"',
    ],
    ['{"variables":{"A":{"format":{"type":"port","minimum":1}}}}', "1:44: unknown key", '"type"'],
    [
      '{"variables":{"A":{"format":{"type":"text","minLength":0}}}}',
      "1:56: the number is out of range",
      "from 1 to 65536",
    ],
    [
      '{"variables":{"A":{"format":{"type":"text","pattern":"(?=a)"}}}}',
      "1:54: the pattern has a group that begins with (?: only (?:…) and (…) are allowed",
      "characters, escapes, classes, groups, alternatives and repetitions; no look-around and no back-references",
    ],
    [
      '{"variables":{"A":{"format":{"type":"integer","minimum":2,"maximum":1}}}}',
      "1:57: the minimum is greater than the maximum",
      "at most 1",
    ],
    [
      '{"variables":{"A":{"format":{"type":"integer","minimum":0.2,"maximum":0.8}}}}',
      "1:29: no whole number lies in the range",
      "a wider range",
    ],
    [
      '{"variables":{"A":{"format":{"type":"number","minimum":1e999}}}}',
      "1:29: the range holds no finite number",
      "finite numbers",
    ],
    [
      '{"variables":{"A":{"default":"x","secret":true}}}',
      "1:30: a secret has a default",
      'no default, or "secret": false',
    ],
    [
      '{"variables":{"PATH":{"default":"/x"}}}',
      "1:33: a default of PATH would decide which programs run",
      "no default: the environment or ESC sets it",
    ],
    [
      '{"variables":{"LD_PRELOAD":{"default":"/x.so"}}}',
      "1:39: a default of LD_PRELOAD would make other programs run code",
      "no default: the environment or ESC sets it",
    ],
    [
      '{"variables":{"NODE_OPTIONS":{}},"profiles":{"dev":{"variables":{"NODE_OPTIONS":{"default":"-r ./x"}}}}}',
      "1:92: a default of NODE_OPTIONS would make other programs run code",
      "no default: the environment or ESC sets it",
    ],
    [
      '{"variables":{"A":{"default":"x","format":"port"}}}',
      "1:30: the default does not have the format",
      "it must be a port: a whole number from 1 to 65535",
    ],
    [
      '{"variables":{"A":{"required":{"when":"A"}}}}',
      "1:39: a variable cannot be its own condition",
      "another variable",
    ],
    [
      '{"variables":{"ABC":{"required":{"when":"ABD"}}}}',
      '1:41: this name is not declared: did you mean "ABC"?',
      'a name declared under "variables"',
    ],
    [
      '{"variables":{"A":{"format":{"type":"enum","values":["x"]}},"B":{"required":{"when":"A","equals":"y"}}}}',
      "1:98: A never has this value",
      "x",
    ],
    ['{"variables":{"A":{"deprecated":"A"}}}', "1:33: a variable cannot replace itself", "another variable"],
    [
      '{"variables":{"A":{"deprecated":"B"},"B":{"deprecated":"C"},"C":{}}}',
      "1:33: B is itself deprecated",
      "a variable that is not deprecated",
    ],
    ['{"variables":{"A":{"aliases":["B"]},"B":{}}}', '1:31: "B" is a declared variable', "a name that is not in use"],
    [
      '{"variables":{"A":{"aliases":["C"]},"B":{"aliases":["C"]}}}',
      '1:53: "C" is already an alias of A',
      "a name that is not in use",
    ],
    ['{"variables":{"A":{"aliases":["A"]}}}', '1:31: "A" is a declared variable', "a name that is not in use"],
    [
      '{"variables":{"A":{}},"groups":{"g":{"rule":"one_of","variables":["A"]}}}',
      '1:45: unknown value: did you mean "one-of"?',
      '"one-of", "exactly-one", "at-least-one", "all-or-none" or "optional"',
    ],
    [
      '{"variables":{"A":{}},"groups":{"g":{"rule":"one-of","variables":["A","A"]}}}',
      "1:71: this entry is in the list twice",
      "each entry once",
    ],
    [
      '{"variables":{"A":{}},"groups":{"g":{"rule":"one-of","variables":["B"]}}}',
      "1:67: this name is not declared",
      'a name declared under "variables"',
    ],
    [
      '{"variables":{"a":{}},"groups":{"a":{"rule":"one-of","variables":["a"]}}}',
      '1:33: "a" is also a variable',
      "a name that no variable has",
    ],
    [
      '{"variables":{"A":{}},"sections":[{"title":"S","lines":["Q"]}]}',
      "1:57: this name is not declared",
      "the name of a variable or of a group",
    ],
    [
      '{"variables":{},"profiles":{"dev":{"extends":"prd"},"prod":{}}}',
      '1:46: there is no such profile: did you mean "prod"?',
      "dev or prod",
    ],
    [
      '{"variables":{},"profiles":{"a":{"extends":"b"},"b":{"extends":["c"]},"c":{"extends":"a"}}}',
      "1:44: the profile extends itself: a extends b extends c extends a",
      "no cycle of profiles",
    ],
    [
      '{"variables":{},"profiles":{"a":{"groups":{"g":{"label":"G"}}}}}',
      '1:44: the new group "g" is incomplete',
      '"rule" and "variables"',
    ],
    [
      '{"variables":{"A":{"default":"x"}},"profiles":{"p":{"variables":{"A":{"format":"port"}}}}}',
      "1:70: the default does not have the format",
      "it must be a port: a whole number from 1 to 65535",
    ],
    [
      '{"variables":{},"profiles":{"p":{"groups":{"g":{"rule":"one-of","variables":["A"]}}}}}',
      "1:78: this name is not declared",
      'a name declared under "variables"',
    ],
  ])("%s", async (text, place, allowed) => {
    write("c.json", text);
    expect(await failureOf(() => loadContract({ cwd: folder, contractFile: "c.json" }))).toMatchObject({
      code: "contract-invalid",
      status: 125,
      message: `c.json:${place}`,
      hint: `allowed: ${allowed}`,
      details: [],
    });
  });

  it("are reported with all their errors at once, in the order of the text", async () => {
    write("c.json", '{\n  "variables": {\n    "A": { "secret": 1 },\n    "1": {}\n  },\n  "x": 1\n}\n');
    expect(await failureOf(() => loadContract({ cwd: folder, contractFile: "c.json" }))).toMatchObject({
      message: "the contract c.json has 3 errors",
      details: [
        expect.stringMatching(/^c\.json:3:22: a number is not allowed here; allowed: true or false/),
        expect.stringMatching(/^c\.json:4:5: this is not a valid name/),
        expect.stringMatching(/^c\.json:6:3: unknown key;/),
      ],
    });
  });

  it("are reported with at most twenty errors", async () => {
    const variables = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`A${index}`, { x: 1 }]));
    write("c.json", JSON.stringify({ variables }));
    const { message, details } = await failureOf(() => loadContract({ cwd: folder, contractFile: "c.json" }));
    expect(message).toBe("the contract c.json has 500 errors");
    expect(details).toHaveLength(21);
    expect(details.at(-1)).toBe("and 480 more");
  });

  it("may have any number of errors", async () => {
    write("c.json", `{"variables":{${'"1":{},'.repeat(150_000)}"A":{}}}`);
    const { message } = await failureOf(() => loadContract({ cwd: folder, contractFile: "c.json" }));
    expect(message).toBe("the contract c.json has 299999 errors");
  });

  it("cannot send control characters to a terminal", async () => {
    write("c.json", String.raw`{"variables":{"\u001b[31m":{}}}`);
    expect((await failureOf(() => loadContract({ cwd: folder, contractFile: "c.json" }))).message).not.toContain(
      "\u001B",
    );
  });
});

describe("profiles", () => {
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

  it("without one, the contract is what stands at the top", async () => {
    const contract = contractOf(document);
    expect(contract.profile).toBeUndefined();
    expect(contract.profiles).toStrictEqual(["base", "dev", "prod"]);
    expect([...contract.variables.keys()]).toStrictEqual(["KEY", "LEVEL", "MODE"]);
    expect(contract.variables.get("LEVEL")).toMatchObject({ default: "info", secret: false });
  });

  it("override those that they extend, field by field", async () => {
    const dev = contractOf(document, "dev");
    expect(dev.profile).toBe("dev");
    expect([...dev.variables.keys()]).toStrictEqual(["KEY", "LEVEL", "MODE", "EXTRA"]);
    expect(dev.variables.get("LEVEL")?.default).toBe("debug");
    expect(dev.rules.map(({ kind }) => kind)).toStrictEqual(["optional", "optional", "optional", "optional"]);
    const prod = contractOf(document, "prod");
    expect(prod.variables.get("LEVEL")?.default).toBe("warn");
    expect(prod.rules[0]).toStrictEqual({ kind: "required", name: "KEY" });
  });

  it("that do not exist are refused", async () => {
    write("c.json", JSON.stringify(document));
    expect(await failureOf(() => loadContract({ cwd: folder, contractFile: "c.json", profile: "prd" }))).toMatchObject({
      code: "contract-profile",
      status: 125,
      message: 'c.json has no profile "prd"',
      hint: "did you mean prod? choose base, dev or prod",
    });
    mkdirSync(join(folder, ".git"));
    expect(await failureOf(() => loadContract({ cwd: folder, profile: "dev" }))).toMatchObject({
      message: 'the built-in contract has no profile "dev"',
      hint: "leave out --profile and SOPHIA_PROFILE: this contract has no profiles",
    });
  });
});

const every = (rotateEvery: string) =>
  contractOf({ variables: { A: { rotateEvery } } }).variables.get("A")?.rotateEvery;

describe("a compiled contract", () => {
  it("has secrets but for variables whose values are in the contract", async () => {
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

  it("gets one section where the file has none: groups of which one variable serves, then the other variables", async () => {
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

  it("reads intervals", async () => {
    expect(every("90 days")).toStrictEqual({ count: 90, unit: "day" });
    expect(every("1 week")).toStrictEqual({ count: 1, unit: "week" });
    expect(every("3 months")).toStrictEqual({ count: 3, unit: "month" });
    expect(every("2 years")).toStrictEqual({ count: 2, unit: "year" });
  });
});
