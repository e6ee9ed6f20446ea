/** What setpriv(1) and the shell, by which sophia-run starts a program in some cases, pass on to the program. */
import { spawnSync } from "node:child_process";
import { chmodSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { withProgramPidVariables, withParentDeathSignal } from "../../../src/launch/spawn/wrappers.ts";
import type { Program } from "../../../src/launch/types.ts";
import { missingCommand, notLinux, skipBecause } from "../../helpers/skip.ts";
import { folder } from "../../helpers/sophia.ts";

skipBecause(notLinux ?? missingCommand("setpriv", "bash", "env"));

const PATH = process.env["PATH"] ?? "";
const OWN_PID = String(process.pid);
const SHELL_VARIABLES = { SHLVL: "7", PWD: "/elsewhere", OLDPWD: "/before", _: "/usr/bin/this", IFS: ":", PS4: "$ " };
const ARGUMENTS = ["a b", "$HOME", ""] as const;

/** Makes a program that prints its arguments, and then its environment, as JSON. @param name the name of its file */
function makeReporter(name: string, environment: Readonly<Record<string, string>>): Program {
  const file = join(folder(), name);
  const script = `const environment = require("node:fs").readFileSync("/proc/self/environ", "utf8").split("\\0");
    console.log(JSON.stringify([process.argv.slice(2), environment.filter((entry) => entry !== "").sort()]));`;
  writeFileSync(file, `#!${process.execPath}\n${script}\n`);
  chmodSync(file, 0o755);
  return { file, argv: [file, ...ARGUMENTS], environment: new Map(Object.entries({ PATH, ...environment })) };
}

/** Runs a program of {@link makeReporter} that is wrapped. @returns what it prints, with `<pid>` in place of its PID */
function runReporter({ file, argv, environment }: Program): readonly [args: string[], entries: string[]] {
  const [argv0, ...args] = argv;
  const options = { argv0, env: Object.fromEntries(environment), encoding: "utf8" } as const;
  const { pid, stdout, stderr } = spawnSync(file, args, options);
  expect(stderr).toBe("");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the script of makeReporter writes these lists
  return JSON.parse(stdout.replaceAll(`=${pid}"`, '=<pid>"')) as [string[], string[]];
}

/** Returns the entries of an environment in the order in which {@link makeReporter} prints them. */
function entriesOf(environment: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries({ PATH, ...environment })
    .map(([name, value]) => `${name}=${value}`)
    .toSorted();
}

describe("if variables of systemd have the launcher's PID, the program gets its own PID, and the rest as it is,", () => {
  test.each([
    ["in LISTEN_PID", { LISTEN_PID: OWN_PID }, { LISTEN_PID: "<pid>" }],
    [
      "in LISTEN_PID and SYSTEMD_EXEC_PID",
      { LISTEN_PID: OWN_PID, SYSTEMD_EXEC_PID: "1", WATCHDOG_PID: "1" },
      { LISTEN_PID: "<pid>", SYSTEMD_EXEC_PID: "<pid>", WATCHDOG_PID: "1" },
    ],
    [
      "in all of them, without the inode of the launcher's pidfd",
      { LISTEN_PID: OWN_PID, WATCHDOG_PID: OWN_PID, SYSTEMD_EXEC_PID: OWN_PID, LISTEN_PIDFDID: "7", LISTEN_FDS: "1" },
      { LISTEN_PID: "<pid>", WATCHDOG_PID: "<pid>", SYSTEMD_EXEC_PID: "<pid>", LISTEN_FDS: "1" },
    ],
    [
      "with variables that a shell changes",
      { LISTEN_PID: OWN_PID, ...SHELL_VARIABLES },
      { LISTEN_PID: "<pid>", ...SHELL_VARIABLES },
    ],
    [
      "with names that dash drops",
      { LISTEN_PID: OWN_PID, "foo-bar": "1", "BASH_FUNC_x%%": "() { :; }", "2nd": "2", OPTIND: "5", PPID: "6" },
      { LISTEN_PID: "<pid>", "foo-bar": "1", "BASH_FUNC_x%%": "() { :; }", "2nd": "2", OPTIND: "5", PPID: "6" },
    ],
  ] as const)("%s", (_, before, after) => {
    const program = withProgramPidVariables(makeReporter("reporter", before));
    expect(runReporter(program)).toEqual([[...ARGUMENTS], entriesOf(after)]);
  });

  test("also if env(1) would take the program's command for an assignment", () => {
    const before = { LISTEN_PID: OWN_PID, WATCHDOG_PID: OWN_PID, PWD: "/elsewhere" };
    const [args, entries] = runReporter(withProgramPidVariables(makeReporter("a=b", before)));
    expect(args).toEqual([...ARGUMENTS]);
    // The shell sets PWD, OLDPWD and `_` itself.
    expect(entries).toEqual(expect.arrayContaining(["LISTEN_PID=<pid>", "WATCHDOG_PID=<pid>", `PATH=${PATH}`]));
  });
});

test.each([
  ["a name with a hyphen", { "foo-bar": "1" }],
  ["a name that begins with a digit", { "2nd": "1" }],
  ["a name with a dot, after another name", { first: "1", "a.b": "1" }],
])("the program is wrapped in bash only if its environment has a name that dash drops: %s", (_, environment) => {
  const pid = { LISTEN_PID: OWN_PID, _under: "1", A1: "2" };
  const inShell = withProgramPidVariables(makeReporter("reporter", pid));
  expect([inShell.file, ...inShell.argv.slice(0, 2)]).toEqual(["/bin/sh", "sh", "-c"]);
  const inBash = withProgramPidVariables(makeReporter("reporter", { ...pid, ...environment }));
  expect(inBash.file).toMatch(/\/bash$/);
  expect(inBash.argv.slice(0, 4)).toEqual(["bash", "--norc", "-p", "-c"]);
});

test("bash reads no file of the user, not even if the standard input is a socket, as for a shell that rshd(8) starts", () => {
  const home = folder({ ".bashrc": "echo from the file; exit 3\n" });
  const before = { LISTEN_PID: OWN_PID, HOME: home, BASH_ENV: join(home, ".bashrc"), "foo-bar": "1" };
  // The pipes of Node.js are sockets.
  expect(runReporter(withProgramPidVariables(makeReporter("reporter", before)))).toEqual([
    [...ARGUMENTS],
    entriesOf({ ...before, LISTEN_PID: "<pid>" }),
  ]);
});

test("a name that dash drops does not matter if there is no bash", () => {
  const environment = { LISTEN_PID: OWN_PID, PATH: "/no/such/folder", "foo-bar": "1" };
  expect(withProgramPidVariables(makeReporter("reporter", environment)).file).toBe("/bin/sh");
});

test.each([
  ["no variable of systemd", { OTHER: OWN_PID }],
  ["the PID of another process", { LISTEN_PID: "1", WATCHDOG_PID: `${OWN_PID}0`, SYSTEMD_EXEC_PID: OWN_PID }],
])("a program is not wrapped in a shell if its environment has %s", (_, environment) => {
  const program = makeReporter("reporter", { ...environment, LISTEN_PIDFDID: "7" });
  expect(withProgramPidVariables(program)).toBe(program);
});

describe("--die-with-launcher", () => {
  test("has setpriv start the program, with the same arguments and environment", () => {
    const program = withParentDeathSignal(makeReporter("reporter", { A: "1" }));
    expect(program.file).toMatch(/\/setpriv$/);
    expect(program.argv.slice(0, 4)).toEqual(["setpriv", "--pdeathsig", "KILL", "--"]);
    expect(runReporter(program)).toEqual([[...ARGUMENTS], entriesOf({ A: "1" })]);
  });

  test.each([
    ["missing", undefined],
    ["a link to BusyBox, whose setpriv cannot do this", "/usr/bin/busybox"],
    ["a link to BusyBox in the same folder", "busybox"],
  ])("is refused if setpriv is %s", (_, target) => {
    const path = folder({ busybox: "#!/bin/sh\n" });
    chmodSync(join(path, "busybox"), 0o755);
    if (target !== undefined) symlinkSync(target, join(path, "setpriv"));
    expect(() => withParentDeathSignal(makeReporter("reporter", { PATH: path }))).toThrow(
      expect.objectContaining({
        code: "helper-missing",
        status: 125,
        message: "--die-with-launcher needs setpriv of util-linux, which was not found",
        hint: "install util-linux, or run without --die-with-launcher",
      }),
    );
  });

  test("accepts a setpriv that is a link to another file than BusyBox", () => {
    const path = folder({ "busybox-free": "#!/bin/sh\n" });
    chmodSync(join(path, "busybox-free"), 0o755);
    symlinkSync("busybox-free", join(path, "setpriv"));
    expect(withParentDeathSignal(makeReporter("reporter", { PATH: path })).file).toBe(join(path, "setpriv"));
  });
});
