/** `npm run release:check` and what writes the documents, in a copy of the repository, in each state of distribution.ts. */
import { cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { DISTRIBUTION, type Distribution } from "../../src/commands/parts/distribution.ts";
import { skipBecause } from "../helpers/skip.ts";
import { folder, isStandalone } from "../helpers/sophia.ts";
import { startProcess } from "../helpers/start-process.ts";

skipBecause(isStandalone ? "no executable takes part" : undefined);

const root = join(import.meta.dirname, "../..");
const SWITCH = "src/commands/parts/distribution.ts";
const DOCUMENTS = [
  "docs",
  "examples",
  "skills",
  "README.md",
  "SECRETS.md",
  "SECURITY.md",
  "CONTRIBUTING.md",
  "llms.txt",
];

function copyOfRepository(): string {
  const path = folder();
  for (const name of [...DOCUMENTS, "action.yml", "src", "scripts", "package.json"]) {
    const filter = (from: string): boolean => !/\/node_modules$|\.(?:tgz|whl)$/.test(from);
    cpSync(join(root, name), join(path, name), { recursive: true, filter });
  }
  symlinkSync(join(root, "node_modules"), join(path, "node_modules"));
  return path;
}

function switchTo(path: string, distribution: Distribution): void {
  const text = readFileSync(join(path, SWITCH), "utf8");
  const changed = text.replace(
    /(DISTRIBUTION: Distribution = )"\w+"/,
    (_, before: string) => `${before}"${distribution}"`,
  );
  writeFileSync(join(path, SWITCH), changed);
}

function runReleaseCheck(path: string, ...options: readonly string[]) {
  const script = [process.execPath, "--import", "tsx", "scripts/release/documents.mts", ...options] as const;
  return startProcess(script, { cwd: path, env: { PATH: process.env["PATH"] ?? "" } }).finished;
}

/** The texts of all documents, by their paths. */
function documentsIn(path: string): Readonly<Record<string, string>> {
  const files = DOCUMENTS.flatMap((name) => {
    if (/\.\w+$/.test(name)) return [name];
    return readdirSync(join(path, name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(path, join(entry.parentPath, entry.name)));
  });
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(path, file), "utf8")]));
}

const FINE = { status: 0, stdout: "", stderr: "" };
const ADDRESS = /github\.com\/sophia-platform\/sophia-run\/releases\/download\//;

test("the documents of this repository agree with distribution.ts", async () => {
  expect(await runReleaseCheck(root)).toMatchObject(FINE);
});

describe.each(["checkout", "release", "registries"] as const)(
  "the check of a release's documents, %s,",
  (distribution) => {
    test("fails for each document of another state by its name, passes once they are written, and the way back gives the same bytes", async () => {
      const path = copyOfRepository();
      const before = documentsIn(path);
      switchTo(path, distribution);
      const checked = await runReleaseCheck(path);
      if (distribution === DISTRIBUTION) {
        expect(checked).toMatchObject(FINE);
        return;
      }
      expect(checked.status).toBe(1);
      for (const file of [
        "README.md",
        "docs/standalone.md",
        "examples/docker/README.md",
        "examples/actions/oidc.yml",
      ]) {
        expect(checked.stderr).toContain(`${file}: has a passage of another state\n`);
      }
      expect(checked.stderr).toMatch(/: npm run docs writes the passages\n$/);
      expect(await runReleaseCheck(path, "--write")).toMatchObject(FINE);
      expect(await runReleaseCheck(path)).toMatchObject(FINE);
      const written = Object.entries(documentsIn(path));
      expect(written.filter(([, text]) => /no release exists/i.test(text)).map(([file]) => file)).toEqual([]);
      expect(written.some(([, text]) => ADDRESS.test(text))).toBe(true);
      // The other way round: what is written for a release contradicts a repository that has none.
      switchTo(path, DISTRIBUTION);
      const back = await runReleaseCheck(path);
      expect(back).toMatchObject({
        status: 1,
        stderr: expect.stringContaining("README.md: has a passage of another state\n"),
      });
      expect(await runReleaseCheck(path, "--write")).toMatchObject(FINE);
      expect(documentsIn(path)).toEqual(before);
    });
  },
);

test.skipIf(DISTRIBUTION !== "checkout").each([
  [
    "docs/secrets.md",
    "curl -fLO https://github.com/sophia-platform/sophia-run/releases/download/v9.9.9/sophia-run-linux-x64",
  ],
  [
    "examples/python/Dockerfile",
    "RUN pip install https://github.com/sophia-platform/sophia-run/releases/latest/download/x.whl",
  ],
  ["docs/recipes.md", "Take the file from a release."],
  ["docs/mcp.md", "  - uses: sophia-platform/sophia-run@v0.1.0"],
])(
  "the check of a release's documents refuses another line that needs a release while there is none: %s",
  async (file, line) => {
    const path = copyOfRepository();
    writeFileSync(join(path, file), `${readFileSync(join(path, file), "utf8")}\n${line}\n`);
    const shown = line.includes("uses: ") ? "names a tag of the action, and not that there is none yet" : line;
    expect(await runReleaseCheck(path)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`${file}: ${shown}\n`),
    });
  },
);
