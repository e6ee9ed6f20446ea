/** `sophia-run link` with the real package: folders as package managers leave them, and both forms as its caller. */
import { execFile, execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { noNobody } from "../../helpers/nobody.ts";
import { notLinux, skipBecause } from "../../helpers/skip.ts";
import { folder, unwrapLines } from "../../helpers/sophia.ts";
import { executable as built, noExecutable } from "../../helpers/executables.ts";

skipBecause(notLinux ?? noExecutable);

const root = join(import.meta.dirname, "../../..");
const NODE = "../sophia-run/bin/sophia-run.cjs";
const NAME = `sophia-run-linux-${process.arch}`;
const EXECUTABLE = `../sophia-run/dist/${NAME}`;

/** Copies the package as npm installs it. */
function copyPackage(to: string): void {
  for (const name of ["bin/sophia-run.cjs", "dist", "package.json"]) {
    cpSync(join(root, name), join(to, name), { recursive: true });
  }
  cpSync(built, join(to, "dist", NAME));
}

/** A project with the package and its command as a link, as npm, Yarn and Bun leave it. */
function createProject(name = "project"): string {
  const path = join(folder(), name);
  copyPackage(join(path, "node_modules/sophia-run"));
  mkdirSync(join(path, "node_modules/.bin"));
  symlinkSync(NODE, binOf(path));
  return path;
}

const binOf = (path: string): string => join(path, "node_modules/.bin/sophia-run");
const packageOf = (path: string): string => join(path, "node_modules/sophia-run");

interface ProcessResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const BASE = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent" };

function runCommand(
  command: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): ProcessResult {
  const [file = "", ...args] = command;
  const { status, stdout, stderr, error } = spawnSync(file, args, { cwd, env: { ...BASE, ...env }, encoding: "utf8" });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}

/** The two forms, as commands of the package in a project. */
const FORMS = {
  "Node.js": (path: string) => [process.execPath, join(packageOf(path), "bin/sophia-run.cjs")],
  "the executable": (path: string) => [join(packageOf(path), "dist", NAME)],
} as const;
const forms = Object.entries(FORMS).map(([name, command]) => ({ name, command }));
const byNode = FORMS["Node.js"];

const SILENT = { status: 0, stdout: "", stderr: "" };

/** Everything about the command's entry that a change would change. */
function entryOf(path: string): unknown {
  const entry = binOf(path);
  const stats = lstatSync(entry, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  const { ino, mode } = stats;
  const content = stats.isFile() ? readFileSync(entry, "utf8") : stats.isSymbolicLink() ? readlinkSync(entry) : "";
  return { ino, mode, content, beside: readdirSync(dirname(entry)) };
}

/** Runs `link --verbose` where it must change nothing, and returns the reason. Without the option it prints the given result. */
function reasonFor(
  path: string,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
  plain: typeof SILENT = SILENT,
): string {
  const before = entryOf(path);
  expect(runCommand([...command, "link"], path, env)).toEqual(plain);
  const { status, stdout, stderr } = runCommand([...command, "link", "--verbose"], path, env);
  expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
  expect(entryOf(path)).toEqual(before);
  expect(stderr).toMatch(/^sophia-run: /);
  return stderr.replaceAll(/\s+/g, " ");
}

describe.each(forms)("link, called by $name,", ({ command }) => {
  it("makes the command a link to the executable, which starts, and --node restores the file for Node.js", () => {
    const path = createProject("a project with spaces");
    const program = command(path);
    const shows = (...words: string[]) => runCommand([binOf(path), ...words], path);
    expect(runCommand([...program, "link", "--check"], path)).toMatchObject({
      status: 1,
      stdout: expect.stringContaining("starts Node.js\n"),
    });
    for (let time = 0; time < 2; time++) {
      expect(runCommand([...program, "link"], path)).toEqual(SILENT);
      expect(readlinkSync(binOf(path))).toBe(EXECUTABLE);
      expect(readdirSync(dirname(binOf(path)))).toEqual(["sophia-run"]);
    }
    const linked = entryOf(path);
    expect(runCommand([...program, "link"], path)).toEqual(SILENT);
    expect(entryOf(path)).toEqual(linked);
    expect(shows("--version").stdout).toMatch(/^\d+\.\d+\.\d+ \(executable of the npm package, /);
    expect(shows("link", "--check")).toMatchObject({
      status: 0,
      stdout: `${describeLink(path)} starts the executable\n`,
    });
    expect(runCommand([...program, "link", "--node"], path)).toEqual(SILENT);
    expect(readlinkSync(binOf(path))).toBe(NODE);
    expect(shows("--version").stdout).toMatch(/^\d+\.\d+\.\d+ \(npm package, /);
    const again = entryOf(path);
    expect(runCommand([...program, "link", "--node"], path)).toEqual(SILENT);
    expect(entryOf(path)).toEqual(again);
  });

  it("prints with --verbose what it does", () => {
    const path = createProject();
    const verbose = (...words: string[]) =>
      runCommand([...command(path), "link", ...words], path).stderr.replaceAll(/\s+/g, " ");
    expect(verbose("-v")).toBe(
      `sophia-run: ${describeLink(path)} starts the executable: it is a link to ${EXECUTABLE} `,
    );
    expect(verbose("--node", "-v")).toBe(`sophia-run: ${describeLink(path)} starts Node.js: it is a link to ${NODE} `);
    expect(verbose("--node", "-v")).toBe(`sophia-run: ${describeLink(path)} starts Node.js, as before `);
  });

  it("replaces a package manager's script, as pnpm writes it for a package in its store", () => {
    const path = createProject();
    const stored = join(path, "node_modules/.pnpm/sophia-run@0.1.0/node_modules/sophia-run");
    mkdirSync(dirname(stored), { recursive: true });
    renameSync(packageOf(path), stored);
    symlinkSync(".pnpm/sophia-run@0.1.0/node_modules/sophia-run", packageOf(path));
    const target = "../.pnpm/sophia-run@0.1.0/node_modules/sophia-run/bin/sophia-run.cjs";
    rmSync(binOf(path));
    writeFileSync(binOf(path), createShim(target), { mode: 0o755 });
    expect(runCommand([binOf(path), "--version"], path).stdout).toContain("(npm package, ");
    expect(runCommand([...command(path), "link"], path)).toEqual(SILENT);
    // By the place of the package in the project: another version replaces what that leads to.
    expect(readlinkSync(binOf(path))).toBe(EXECUTABLE);
    expect(runCommand([binOf(path), "--version"], path).stdout).toContain("(executable of the npm package, ");
    expect(runCommand([binOf(path), "link", "--node"], path)).toEqual(SILENT);
    expect(readlinkSync(binOf(path))).toBe(NODE);
    expect(runCommand([binOf(path), "--version"], path).stdout).toContain("(npm package, ");
  });

  it("does not replace what was not written for the package", () => {
    const path = createProject();
    const program = command(path);
    const entry = binOf(path);
    const replaceBy = (make: () => void): string => {
      rmSync(entry, { recursive: true, force: true });
      make();
      return reasonFor(path, program);
    };
    const other = join(path, "node_modules/other");
    copyPackage(other);
    writeFileSync(join(path, "mine.sh"), "#!/bin/sh\nexec node_modules/sophia-run/bin/sophia-run.cjs\n", {
      mode: 0o755,
    });
    expect(replaceBy(() => symlinkSync("../other/bin/sophia-run.cjs", entry))).toContain("a link to ../other/bin");
    expect(replaceBy(() => symlinkSync("../../mine.sh", entry))).toContain("a link to ../../mine.sh");
    expect(replaceBy(() => symlinkSync("../sophia-run/package.json", entry))).toContain("a link to ../sophia-run/pack");
    expect(replaceBy(() => symlinkSync("../missing/bin/sophia-run.cjs", entry))).toContain("a link to ../missing/bin");
    expect(replaceBy(() => writeFileSync(entry, createShim("../other/bin/sophia-run.cjs")))).toContain(
      "no package manager",
    );
    expect(replaceBy(() => writeFileSync(entry, `#!/bin/sh\nexec node "${NODE}" "$@"\n`))).toContain(
      "no package manager",
    );
    expect(replaceBy(() => writeFileSync(entry, `${createShim(NODE)}#${"x".repeat(70_000)}`))).toContain(
      "no package manager",
    );
    expect(replaceBy(() => mkdirSync(entry))).toContain("it is a folder");
    expect(runCommand([...program, "link", "--check"], path)).toMatchObject({ status: 1 });
  });

  it("does not change a .bin that is a link", () => {
    const path = createProject();
    const bin = dirname(binOf(path));
    renameSync(bin, join(path, "elsewhere"));
    symlinkSync("../elsewhere", bin);
    expect(reasonFor(path, command(path))).toContain("in a folder that is a symbolic link");
  });

  it("does nothing without a command", () => {
    const path = createProject();
    rmSync(binOf(path));
    expect(reasonFor(path, command(path))).toContain("nothing is linked: no node_modules/.bin");
    rmSync(dirname(binOf(path)), { recursive: true });
    expect(reasonFor(path, command(path))).toContain("nothing is linked: no node_modules/.bin");
    writeFileSync(join(path, ".pnp.cjs"), "");
    expect(reasonFor(path, command(path))).toContain("nothing is linked: with Plug'n'Play");
    expect(runCommand([...command(path), "link", "--check"], path)).toMatchObject({
      status: 1,
      stdout: expect.stringContaining("nothing to link"),
    });
  });

  it("does not change a folder that the user may not write, and --node says so", ({ skip }) => {
    skip(noNobody !== undefined, noNobody);
    const path = createProject();
    for (const name of [dirname(path), path]) chmodSync(name, 0o755);
    const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", ...command(path)];
    expect(reasonFor(path, nobody)).toContain("it cannot be replaced (EACCES)");
    runCommand([...command(path), "link"], path);
    expect(reasonFor(path, nobody)).toContain(`starts the executable: it is a link to ${EXECUTABLE}`);
    const before = entryOf(path);
    expect(runCommand([...nobody, "link", "--node"], path)).toMatchObject({
      status: 125,
      stdout: "",
      stderr: expect.stringContaining("cannot be replaced (EACCES)\n  check its folder"),
    });
    expect(entryOf(path)).toEqual(before);
  });

  it("replaces the commands of all folders above, if they are of this package", () => {
    const path = createProject();
    const below = join(path, "packages/a");
    mkdirSync(join(below, "src"), { recursive: true });
    // A workspace of Yarn 1 or Bun: the command without a copy of the package.
    mkdirSync(dirname(binOf(below)), { recursive: true });
    symlinkSync("../../../../node_modules/sophia-run/bin/sophia-run.cjs", binOf(below));
    expect(runCommand([...command(path), "link"], join(below, "src"))).toEqual(SILENT);
    expect(readlinkSync(binOf(below))).toBe(`../../../${EXECUTABLE.replace("../", "../node_modules/")}`);
    expect(readlinkSync(binOf(path))).toBe(EXECUTABLE);
    expect(runCommand([binOf(below), "--version"], below).stdout).toContain("(executable of the npm package, ");
    expect(runCommand([binOf(below), "link", "--check"], join(below, "src")).stdout).toContain(
      "../node_modules/.bin/sophia-run starts the",
    );
    expect(runCommand([binOf(below), "link", "--node"], below)).toEqual(SILENT);
    expect([below, path].map((each) => runCommand([binOf(each), "--version"], path).stdout)).toEqual([
      expect.stringContaining("(npm package, "),
      expect.stringContaining("(npm package, "),
    ]);
  });

  it("does not replace the command of another copy of the package", () => {
    const path = createProject();
    const below = join(path, "packages/a");
    copyPackage(packageOf(below));
    mkdirSync(dirname(binOf(below)));
    symlinkSync(NODE, binOf(below));
    const before = entryOf(below);
    // The copy that is called, not the nearest.
    expect(runCommand([...command(path), "link"], below)).toEqual(SILENT);
    expect(entryOf(below)).toEqual(before);
    expect(readlinkSync(binOf(path))).toBe(EXECUTABLE);
  });

  it("leaves one link, and nothing beside it, if several calls run at once", async () => {
    const path = createProject();
    const [file = "", ...args] = command(path);
    const calls = Array.from({ length: 8 }, () =>
      promisify(execFile)(file, [...args, "link"], { cwd: path, env: BASE }),
    );
    expect(await Promise.all(calls)).toEqual(calls.map(() => ({ stdout: "", stderr: "" })));
    expect(readlinkSync(binOf(path))).toBe(EXECUTABLE);
    expect(readdirSync(dirname(binOf(path)))).toEqual(["sophia-run"]);
  });

  it("refuses --node with --check", () => {
    const path = createProject();
    expect(runCommand([...command(path), "link", "--node", "--check"], path)).toMatchObject({
      status: 125,
      stderr: expect.stringContaining("--node and --check cannot be used together"),
    });
  });
});

describe("link, with an executable that this machine does not start,", () => {
  const MACHINE_AT = 18;
  const spoil: Readonly<Record<string, (path: string) => void>> = {
    "is no executable for": (path) => {
      const bytes = readFileSync(path);
      // A RISC-V processor, which no machine of the tests has.
      bytes.writeUInt16LE(243, MACHINE_AT);
      writeFileSync(path, bytes);
    },
    "cannot be started (EACCES)": (path) => chmodSync(path, 0o644),
    "is killed by": (path) => writeFileSync(path, readFileSync(path).subarray(0, 4096), { mode: 0o755 }),
    "cannot be read (ESPIPE)": (path) => {
      rmSync(path);
      execFileSync("mkfifo", [path]);
    },
    "is version 0.1.0, not 9.9.9\\u001b[31m": (path) => {
      const file = join(dirname(path), "../package.json");
      writeFileSync(file, readFileSync(file, "utf8").replace(/"version": "[^"]*"/, '"version": "9.9.9\\u001b[31m"'));
    },
  };

  it.each(Object.entries(spoil))(
    "makes no link, and turns a link to it into a link to the file for Node.js: %s",
    (why, break_) => {
      const path = createProject();
      break_(join(packageOf(path), "dist", NAME));
      expect(reasonFor(path, byNode(path))).toContain(`dist/${NAME} ${why}`);
      expect(runCommand([...byNode(path), "link", "--check"], path)).toMatchObject({
        status: 1,
        stdout: expect.stringContaining("starts Node.js\nThe executable cannot be used: "),
      });
      for (const option of [[], ["--node"]]) {
        rmSync(binOf(path));
        symlinkSync(EXECUTABLE, binOf(path));
        const checked = runCommand([...byNode(path), "link", "--check"], path);
        expect(checked).toMatchObject({
          status: 1,
          stdout: expect.stringContaining("starts nothing: the executable "),
        });
        expect(checked.stdout).toContain("sophia-run link --node");
        expect(runCommand([...byNode(path), "link", ...option], path)).toEqual(SILENT);
        expect(readlinkSync(binOf(path))).toBe(NODE);
      }
    },
  );

  it("reports in one line that the package was packed without it, and turns a link to it into a link to the file for Node.js", () => {
    const path = createProject();
    rmSync(join(packageOf(path), "dist", NAME));
    const reported = {
      ...SILENT,
      stderr: `sophia-run: this package has no executable for ${process.arch}: Node.js starts it\n`,
    };
    expect(runCommand([...byNode(path), "link"], path)).toEqual(reported);
    expect(reasonFor(path, byNode(path), {}, reported)).toContain(`dist/${NAME} cannot be read (ENOENT)`);
    rmSync(binOf(path));
    symlinkSync(EXECUTABLE, binOf(path));
    expect(runCommand([...byNode(path), "link"], path)).toEqual(reported);
    expect(readlinkSync(binOf(path))).toBe(NODE);
    expect(runCommand([...byNode(path), "link", "--node"], path)).toEqual(SILENT);
  });

  it("does not look for it on another system, where a link to it becomes a link to the file for Node.js", () => {
    const path = createProject();
    const elsewhere = join(path, "elsewhere.cjs");
    writeFileSync(elsewhere, `Object.defineProperty(process, "platform", { value: "darwin" });`);
    const env = { NODE_OPTIONS: `--require ${elsewhere}` };
    expect(reasonFor(path, byNode(path), env)).toContain(`dist/${NAME} is for Linux, and this is darwin`);
    rmSync(binOf(path));
    symlinkSync(EXECUTABLE, binOf(path));
    const { status, stdout } = runCommand([...byNode(path), "link", "--check"], path, env);
    expect(status).toBe(1);
    expect(unwrapLines(stdout)).toContain("starts nothing: the executable is for Linux, and this is darwin");
    expect(runCommand([...byNode(path), "link"], path, env)).toEqual(SILENT);
    expect(readlinkSync(binOf(path))).toBe(NODE);
  });
});

it("link does nothing for an executable that is in no package", () => {
  const path = createProject();
  const alone = join(path, "sophia-run");
  cpSync(built, alone);
  expect(reasonFor(path, [alone])).toContain("this sophia-run is in no npm package");
  expect(runCommand([alone, "--version"], path).stdout).toMatch(/^\d+\.\d+\.\d+ \(executable, /);
  // Neither is one in another package's folder of that name.
  mkdirSync(join(path, "dist"));
  renameSync(alone, join(path, "dist/sophia-run"));
  writeFileSync(join(path, "package.json"), `{"name":"another","version":"1.0.0"}`);
  expect(reasonFor(path, [join(path, "dist/sophia-run")])).toContain("this sophia-run is in no npm package");
});

it("link works in a deleted working directory", () => {
  const path = createProject();
  const deleted = join(path, "deleted");
  mkdirSync(deleted);
  for (const command of forms.map(({ command: form }) => form(path))) {
    mkdirSync(deleted, { recursive: true });
    const script = `rmdir "$PWD"; exec "$@"`;
    expect(runCommand(["sh", "-c", script, "sh", ...command, "link"], deleted)).toEqual(SILENT);
    expect(existsSync(deleted)).toBe(false);
  }
});

function describeLink(path: string): string {
  return `node_modules/.bin/${basename(binOf(path))}`;
}

/** The part that all versions of pnpm have in common. */
function createShim(target: string): string {
  return `#!/bin/sh
basedir=$(dirname "$(echo "$0" | sed -e 's,\\\\,/,g')")
if [ -x "$basedir/node" ]; then
  exec "$basedir/node"  "$basedir/${target}" "$@"
else
  exec node  "$basedir/${target}" "$@"
fi
`;
}
