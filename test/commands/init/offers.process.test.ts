import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { appendLines, replaceScripts } from "../../../src/commands/init/manifest-edits.ts";
import { cleanPath } from "../../helpers/pack.ts";
import { folder, sophia, unwrapLines } from "../../helpers/sophia.ts";
import { atTerminal } from "../../helpers/terminal.ts";
import { expectWording } from "../../helpers/wording.ts";

const readProjectFile = (cwd: string, name: string): string => readFileSync(join(cwd, name), "utf8");

/** With lists in one line, tabs, and no line break at its end, none of which a serializer keeps. */
const MANIFEST = `{
\t"name": "shop",   "private": true,
\t"files": [ "a", "b" ],
\t"scripts": {
\t\t"start": "node server.js", "test": "jest",
\t\t"dev": "A=1 node --watch server.js"
\t},
\t"dependencies": { "sophia-run": "1.0.0" }
}`;
const CHANGED = MANIFEST.replace('"node server.js"', '"sophia-run -- node server.js"').replace(
  '"A=1 node --watch server.js"',
  `"sophia-run -- sh -c 'A=1 node --watch server.js'"`,
);

function createProject(more: Readonly<Record<string, string>> = {}): string {
  const cwd = folder({
    "sophia.contract.json": '{"variables":{"A":{}}}',
    "package.json": MANIFEST,
    ".gitignore": "node_modules",
    ...more,
  });
  mkdirSync(join(cwd, ".git"));
  return cwd;
}

const env = { PATH: cleanPath };

describe("at a terminal init shows its changes of files, and asks once", () => {
  test("and makes all but link after a yes, and makes nothing twice", async () => {
    const cwd = createProject();
    const { status, stdout } = await atTerminal(["init"], { cwd, env }, [["Enter for no: ", "y\n"]]);
    expect(status).toBe(0);
    expect(stdout).toContain('  - "start": "node server.js"\r\n');
    expect(stdout).toContain('  + "start": "sophia-run -- node server.js"\r\n');
    expect(stdout).toContain("  + .env.override\r\n");
    expect(stdout).toContain('  + "postinstall": "sophia-run link"\r\n');
    expect(readProjectFile(cwd, "package.json")).toBe(CHANGED);
    expect(readProjectFile(cwd, ".gitignore")).toBe("node_modules\n.env\n.env.override\n");
    // No temporary file is left.
    expect(readdirSync(cwd).toSorted()).toEqual([".git", ".gitignore", "package.json", "sophia.contract.json"]);
    const again = await sophia(["init", "--yes"], { cwd });
    expect(again.stdout).toContain("package.json uses sophia-run already\n");
    expect(again.stdout).not.toContain(".gitignore");
    expect(readProjectFile(cwd, "package.json")).toBe(CHANGED);
    expect(readProjectFile(cwd, ".gitignore")).toBe("node_modules\n.env\n.env.override\n");
  });

  test("and adds the script for the executable as well after `link`", async () => {
    const cwd = createProject();
    const { status } = await atTerminal(["init"], { cwd, env }, [["Enter for no: ", "link\n"]]);
    expect(status).toBe(0);
    expect(JSON.parse(readProjectFile(cwd, "package.json"))).toMatchObject({
      scripts: { postinstall: "sophia-run link" },
    });
    expect(readProjectFile(cwd, "package.json")).toContain('"files": [ "a", "b" ],\n');
    const { stdout } = await sophia(["init", "--yes", "--link"], { cwd });
    expect(stdout).not.toMatch(/changed (?:package|\.git)|postinstall/);
  });

  test.each(["\n", "n\n", "2\n"])("and changes nothing after any other answer: %j", async (answer) => {
    const cwd = createProject();
    const { status, stdout } = await atTerminal(["init"], { cwd, env }, [["Enter for no: ", answer]]);
    expect(status).toBe(0);
    expect(stdout).toContain("init --yes");
    expect(readProjectFile(cwd, "package.json")).toBe(MANIFEST);
    expect(readProjectFile(cwd, ".gitignore")).toBe("node_modules");
  });

  test("and offers no change of a file behind a link", async () => {
    const cwd = createProject();
    writeFileSync(join(cwd, "real.json"), MANIFEST);
    const other = folder({ "sophia.contract.json": '{"variables":{"A":{}}}' });
    symlinkSync(join(cwd, "real.json"), join(other, "package.json"));
    const { status, stdout } = await atTerminal(["init"], { cwd: other, env }, []);
    expect(status).toBe(0);
    expect(stdout).not.toContain("init can change");
    expect(readProjectFile(cwd, "real.json")).toBe(MANIFEST);
  });
});

describe("without a terminal init prints its changes of files and how to make them", () => {
  test("and changes no file", async () => {
    const cwd = createProject();
    const { status, stdout } = await sophia(["init"], { cwd });
    expect(status).toBe(0);
    expectWording(stdout);
    expect(unwrapLines(stdout)).toContain(
      "to make these changes of package.json and .gitignore, run sophia-run init --yes",
    );
    expect(stdout).toContain("init --link adds it");
    expect(readProjectFile(cwd, "package.json")).toBe(MANIFEST);
    expect(readProjectFile(cwd, ".gitignore")).toBe("node_modules");
  });

  test("and makes them with --yes; --link adds the script of link alone", async () => {
    const cwd = createProject();
    const { stdout } = await sophia(["init", "--yes"], { cwd });
    expect(stdout).toContain('changed package.json: it now has\n  "start": "sophia-run -- node server.js"\n');
    expect(stdout).toContain("changed .gitignore: it now has\n  .env\n  .env.override\n");
    expect(readProjectFile(cwd, "package.json")).toBe(CHANGED);
    const linked = createProject();
    await sophia(["init", "--link"], { cwd: linked });
    expect(JSON.parse(readProjectFile(linked, "package.json"))).toMatchObject({
      scripts: { start: "node server.js", postinstall: "sophia-run link" },
    });
    expect(readProjectFile(linked, ".gitignore")).toBe("node_modules");
  });

  test("and keeps a file's mode, and the content of a file with further hard links for all of them", async () => {
    const cwd = createProject();
    const path = join(cwd, "package.json");
    chmodSync(path, 0o664);
    linkSync(path, join(cwd, "second.json"));
    await sophia(["init", "--yes"], { cwd });
    expect(readProjectFile(cwd, "second.json")).toBe(CHANGED);
    expect(statSync(path).mode & 0o777).toBe(0o664);
    chmodSync(join(cwd, ".gitignore"), 0o640);
    writeFileSync(join(cwd, ".gitignore"), "dist\r\n");
    await sophia(["init", "--yes"], { cwd });
    expect(readProjectFile(cwd, ".gitignore")).toBe("dist\r\n.env\r\n.env.override\r\n");
    expect(statSync(join(cwd, ".gitignore")).mode & 0o777).toBe(0o640);
  });

  test("and refuses a link before it writes the first file", async () => {
    const cwd = createProject({ "real.txt": "" });
    const other = folder({ "app.js": "process.env.A" });
    mkdirSync(join(other, ".git"));
    symlinkSync(join(cwd, "real.txt"), join(other, ".gitignore"));
    expect(await sophia(["init", "--yes"], { cwd: other })).toMatchObject({ status: 125 });
    expect(readdirSync(other)).not.toContain("sophia.contract.json");
  });

  test("and does not offer the script of link if sophia-run is not among the dependencies, since the script would fail", async () => {
    const cwd = createProject({ "package.json": MANIFEST.replace('"sophia-run"', '"other"') });
    await sophia(["init", "--yes", "--link"], { cwd });
    expect(readProjectFile(cwd, "package.json")).not.toContain("postinstall");
  });
});

describe("an edit of package.json", () => {
  const change = (name: string, currentCommand: string | undefined, newCommand: string) => [
    { name, currentCommand, newCommand },
  ];

  test.each([
    ['{"scripts":{"a":"x"},"b":[1,2]}', change("a", "x", "y"), '{"scripts":{"a":"y"},"b":[1,2]}'],
    ['\uFEFF{ "scripts": { "a": "x" } }\r\n', change("a", "x", "y"), '\uFEFF{ "scripts": { "a": "y" } }\r\n'],
    [
      '{\n    "scripts": {\n        "a": "x"\n    }\n}\n',
      change("b", undefined, "y"),
      '{\n    "scripts": {\n        "a": "x",\n        "b": "y"\n    }\n}\n',
    ],
    ['{\n  "name": "p"\n}\n', change("b", undefined, "y"), '{\n  "name": "p",\n  "scripts": {\n    "b": "y"\n  }\n}\n'],
    // Another program has changed it, or it is not what an edit would change.
    ['{"scripts":{"a":"z"}}', change("a", "x", "y"), undefined],
    ['{"scripts":{"a":"x","a":"x"}}', change("a", "x", "y"), undefined],
    ['{"scripts":{"a":"x"},"scripts":{"a":"x"}}', change("a", "x", "y"), undefined],
    ['{"scripts":["a"]}', change("a", undefined, "y"), undefined],
    ["[]", change("a", undefined, "y"), undefined],
    ["{", change("a", undefined, "y"), undefined],
    [`${'{"a":'.repeat(200)}1${"}".repeat(200)}`, change("a", undefined, "y"), undefined],
  ] as const)("changes the scripts or is refused: %j", (text, changes, expected) => {
    expect(replaceScripts(text, changes)).toBe(expected);
  });

  test("adds lines once, with the line breaks of the file", () => {
    expect(appendLines("", ["a", "b"])).toBe("a\nb\n");
    expect(appendLines("x\r\na", ["a", "b"])).toBe("x\r\na\r\nb\r\n");
    expect(appendLines("a\nb", ["a", "b"])).toBe("a\nb");
  });
});
