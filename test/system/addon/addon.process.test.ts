import { execFileSync, spawnSync, type SpawnSyncReturns } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { addon, copyPackage, folder, isStandalone, unwrapLines } from "../../helpers/sophia.ts";
import { protectionsOf } from "../../helpers/protections.ts";
import { expectWording } from "../../helpers/wording.ts";

const root = join(import.meta.dirname, "../../..");
const hasExecve = "execve" in process;
const showPid = ["sh", "-c", 'echo "$$"'];

/** Runs the package in a folder, by default in this repository, with options for Node.js. */
function runPackage(
  args: readonly string[],
  nodeOptions: readonly string[] = [],
  place = root,
): SpawnSyncReturns<string> {
  const argv = [...nodeOptions, "--", join(place, "bin/sophia-run"), "--no-contract", ...args];
  const env = { PATH: process.env["PATH"] };
  return spawnSync(process.execPath, argv, { cwd: folder(), env, encoding: "utf8" });
}

function copyPackageToDamage(): { readonly place: string; readonly addons: readonly string[] } {
  const packageFolder = copyPackage();
  const addons = readdirSync(join(packageFolder, "dist")).filter((name) => name.endsWith(".node"));
  return { place: packageFolder, addons: addons.map((name) => join(packageFolder, "dist", name)) };
}

/** Why tests that change the package or the options of Node.js cannot run; undefined if they can. */
const noNode = isStandalone ? "a stand-alone executable has no Node.js and no addon" : undefined;
const noAddon = existsSync(addon) ? undefined : "needs the addon, which is built if there is a C compiler";

describe("with its addon sophia-run", () => {
  const reason = noNode ?? noAddon;
  beforeEach(({ skip }) => skip(reason !== undefined, reason));

  test.each(["auto", "exec"])("is replaced by the program in mode %s", (mode) => {
    const { pid, stdout, stderr, status } = runPackage(["--mode", mode, "--", ...showPid]);
    expect({ stdout, stderr, status }).toEqual({ stdout: `${pid}\n`, stderr: "", status: 0 });
  });

  test("loads neither cross-spawn nor signal-exit nor yargs in exec mode", () => {
    // The preloaded code reports at the last moment, when the addon is called to execute the program.
    const code = `const { readFileSync, writeSync } = require("node:fs");
      const dlopen = process.dlopen.bind(process);
      process.dlopen = (module, file) => {
        dlopen(module, file);
        const { execve } = module.exports;
        const report = (...args) => {
          const has = (text) => Object.keys(require.cache).some((path) => readFileSync(path, "latin1").includes(text));
          const found = {
            processes: process.moduleLoadList.includes("NativeModule child_process"),
            signalExit: Symbol.for("signal-exit emitter") in globalThis,
            yargs: has("Y" + "Error"),
          };
          writeSync(1, JSON.stringify(found) + "\\n");
          return execve(...args);
        };
        module.exports = Object.create(module.exports, { execve: { value: report } });
      };`;
    const preload = join(folder({ "preload.cjs": code }), "preload.cjs");
    const { stdout, stderr } = runPackage(["--mode", "exec", "--", "echo", "started"], [`--require=${preload}`]);
    expect({ stdout, stderr }).toEqual({
      stdout: '{"processes":false,"signalExit":false,"yargs":false}\nstarted\n',
      stderr: "",
    });
  });

  test("passes on arguments and values unchanged", () => {
    const script = "process.stdout.write(JSON.stringify([process.argv0, process.argv.slice(1), process.env]))";
    const { stdout } = runPackage(["--", "node", "-e", script, "", "ä€😀", "a b"]);
    expect(JSON.parse(stdout)).toEqual([
      "node",
      ["", "ä€😀", "a b"],
      expect.objectContaining({ PATH: process.env["PATH"] }),
    ]);
  });

  test("passes on arguments that are not UTF-8, even beside an argument that is decoded to the same text", () => {
    const printedArguments = String.raw`'%s|' "$(printf '\357\277\275')" "$(printf '\377')" x`;
    const script = `exec "$@" -- printf ${printedArguments}`;
    const argv = ["-c", script, "sh", process.execPath, "--", join(root, "bin/sophia-run"), "--no-contract"];
    const { stdout } = spawnSync("sh", argv, { cwd: folder(), env: { PATH: process.env["PATH"] } });
    expect(stdout.toString("hex")).toBe(Buffer.from("\u00EF\u00BF\u00BD|\u00FF|x|", "latin1").toString("hex"));
  });

  test("starts a program without any variable", () => {
    const argv = ["-i", process.execPath, "--", join(root, "bin/sophia-run"), "--no-contract", "--", "/usr/bin/env"];
    expect(spawnSync("env", argv, { cwd: folder(), encoding: "utf8" })).toMatchObject({ stdout: "", status: 0 });
  });

  test.each([
    ["a folder", undefined, 126, "is a directory"],
    ["a script without its interpreter", "#!/no/such\n", 127, "its interpreter /no/such does not exist"],
    ["an empty file", "", 0, ""],
  ] as const)("reports the system's error, if any, for %s in place of a program", (_, content, status, words) => {
    const path = join(folder(), "program");
    if (content === undefined) mkdirSync(path);
    else writeFileSync(path, content);
    chmodSync(path, 0o755);
    const result = runPackage(["--", path]);
    expect(result.status).toBe(status);
    expect(result.stdout).toBe("");
    expect(result.stderr).toContain(words);
    expect(result.stderr.split("\n").length).toBe(words === "" ? 1 : 2);
  });
});

describe("without its addon sophia-run", () => {
  beforeEach(({ skip }) => skip(noNode !== undefined, noNode));

  const damages: readonly [string, (addons: readonly string[]) => readonly string[]][] = [
    ["an option of Node.js forbids addons", () => ["--no-addons"]],
    ["the package has no addon", (addons) => (addons.forEach((path) => rmSync(path)), [])],
    ["the addon is damaged", (addons) => (addons.forEach((path) => writeFileSync(path, "no library")), [])],
    ["the addon is cut off", (addons) => (addons.forEach((path) => writeFileSync(path, "\u007FELF\u0002")), [])],
  ];

  test.each(damages)("starts the program and prints nothing if %s", (_, damage) => {
    const { place, addons } = copyPackageToDamage();
    const { stdout, stderr, status } = runPackage(["--", ...showPid], damage(addons), place);
    expect(stdout).toMatch(/^\d+\n$/);
    expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  });

  test.each(damages)("has --mode exec if Node.js has execve, and otherwise reports the reason, if %s", (_, damage) => {
    const { place, addons } = copyPackageToDamage();
    const { pid, stdout, stderr, status } = runPackage(["--mode", "exec", "--", ...showPid], damage(addons), place);
    if (hasExecve) return expect({ stdout, status }).toEqual({ stdout: `${pid}\n`, status: 0 });
    expect({ stdout, status }).toEqual({ stdout: "", status: 125 });
    expect(unwrapLines(stderr)).toMatch(/^sophia-run: --mode exec .*addon/);
  });
});

test("under the permission model of Node.js sophia-run reports the missing permission", ({ skip }) => {
  skip(noNode !== undefined, noNode);
  const flag = process.allowedNodeEnvironmentFlags.has("--permission") ? "--permission" : "--experimental-permission";
  const { status, stdout, stderr } = runPackage(
    ["--", "/bin/echo", "started"],
    [flag, "--allow-fs-read=*", "--no-warnings"],
  );
  expect({ status, stdout }).toEqual({ status: 126, stdout: "" });
  expectWording(stderr);
});

describe("the addon", () => {
  beforeEach(({ skip }) => skip(noAddon !== undefined, noAddon));
  const addons = readdirSync(join(root, "dist")).filter((name) => name.endsWith(".node"));

  test.each(addons)("%s links no library, and uses only functions that musl and glibc have", (name) => {
    const path = join(root, "dist", name);
    expect(execFileSync("readelf", ["--dynamic", "--wide", path], { encoding: "utf8" })).not.toContain("(NEEDED)");
    const symbols = execFileSync("readelf", ["--dyn-syms", "--wide", path], { encoding: "utf8" });
    const undefinedSymbols = Array.from(symbols.matchAll(/ UND (\S+)$/gm), ([, symbol = ""]) => symbol);
    // musl and every version of glibc have these functions.
    const inBoth =
      `__errno_location _exit calloc execve fcntl free getpid getppid pipe2 poll prctl read sigaction strlen
      syscall waitid write chdir close dup2 dup3 fork ioctl kill open recv send setpgid setsid sigaddset sigemptyset
      access sigfillset signalfd sigprocmask socketpair vfork waitpid epoll_create1 epoll_ctl epoll_wait malloc openat
      memchr pthread_create closedir dirfd environ geteuid getpwuid_r opendir readdir readlinkat strchr
      getrlimit setrlimit snprintf strcmp strcpy strncmp strstr realloc shutdown tcflush flock`.split(/\s+/);
    // Compilers may add calls of these functions.
    const ofCompilers = ["bcmp", "memcmp", "memcpy", "memmove", "memset", "__stack_chk_fail", "__stack_chk_guard"];
    const others = undefinedSymbols.filter((symbol) => !symbol.startsWith("napi_"));
    expect([...inBoth, ...ofCompilers]).toEqual(expect.arrayContaining(others));
  });

  test.each(addons)("%s is protected from mistakes in its memory", (name) => {
    const path = join(root, "dist", name);
    expect(protectionsOf(path)).toEqual({
      stack: "RW",
      hasWritableCode: false,
      hasFixedAddresses: false,
      hasRelro: true,
      bindsNow: true,
      hasPathOrChangedCode: false,
    });
    const symbols = execFileSync("readelf", ["--dyn-syms", "--wide", path], { encoding: "utf8" });
    expect(symbols).toContain(" UND __stack_chk_fail");
  });

  const monitors = readdirSync(join(root, "dist")).filter((name) => name.endsWith("-monitor"));

  test.each(monitors)("%s is protected from mistakes in its memory, too, except for its fixed addresses", (name) => {
    expect(protectionsOf(join(root, "dist", name))).toEqual({
      stack: "RW",
      hasWritableCode: false,
      hasFixedAddresses: true,
      // The monitor has no constants that are set at the start.
      hasRelro: false,
      bindsNow: "static",
      hasPathOrChangedCode: false,
    });
  });

  test("has a monitor that ends if code has written beyond a variable, by a guard that differs from start to start", () => {
    // This is the monitor's source with another main function.
    const source = `
      #define run_at run_monitor_at
      #include "${join(root, "native/monitor/monitor.c")}"
      #undef run_at
      __attribute__((noinline)) static void write_bytes(long count) {
        volatile char bytes[8];
        for (long index = 0; index < count; ++index) bytes[index] = 1;
      }
      __attribute__((used)) static void run_at(long *stack) {
        set_guard(stack);
        raw_call(SYS_write, 1, (long)&__stack_chk_guard, sizeof __stack_chk_guard, 0, 0);
        write_bytes(*stack == 1 ? 8 : 64);
        exit_with(0);
      }`;
    const sourceFolder = folder({ "guarded.c": source });
    const program = join(sourceFolder, "guarded");
    // The build runs in a process of its own, because TypeScript has no types for the build's functions.
    const script = `
      import { compileMonitor } from ${JSON.stringify(join(root, "scripts/build/addon.mjs"))};
      const [, source] = process.argv;
      process.stdout.write(compileMonitor(${JSON.stringify(root)}, "linux-${process.arch}", undefined, source).bytes);`;
    const args = ["--input-type=module", "-e", script, join(sourceFolder, "guarded.c")];
    writeFileSync(program, execFileSync(process.execPath, args), { mode: 0o755 });
    const [first, second] = [spawnSync(program), spawnSync(program)];
    expect([first.status, second.status]).toEqual([0, 0]);
    expect(first.stdout).toHaveLength(8);
    expect(first.stdout).not.toEqual(second.stdout);
    expect(spawnSync(program, ["64"]).signal).toBe(process.arch === "arm64" ? "SIGTRAP" : "SIGILL");
  });

  test.each(["system.c", "masking/masking-addon.c", "monitor/monitor-addon.c", "monitor/monitor.c"])(
    "has the source %s, which compiles without warnings",
    (source) => {
      const options = ["-fsyntax-only", "-std=gnu11", "-Wall", "-Wextra", "-Wconversion", "-Wpedantic"];
      const headers = join(root, "node_modules/node-api-headers/include");
      const args = [...options, "-isystem", headers, join(root, "native", source)];
      expect(spawnSync("cc", args, { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
    },
  );

  // sophia-run never calls the function with such arguments.
  test.each([
    ["strings without a NUL at the end", 'Buffer.from("/bin/echo\\0echo"), 1'],
    ["an empty buffer", "Buffer.alloc(0), 0"],
    ["more arguments than strings", 'Buffer.from("/bin/echo\\0echo\\0"), 2'],
    ["a negative number of arguments", 'Buffer.from("/bin/echo\\0echo\\0"), -1'],
    ["a string in place of a buffer", '"/bin/echo", 0'],
    ["no argument at all", ""],
  ])("refuses to execute %s", (_, args) => {
    const script = `const m = { exports: {} }; process.dlopen(m, process.argv[1]);
      process.stdout.write(String(m.exports.execve(${args})));`;
    const { EINVAL } = process.getBuiltinModule("node:os").constants.errno;
    const { stdout, status } = spawnSync(process.execPath, ["-e", script, addon], { encoding: "utf8" });
    expect({ stdout, status }).toEqual({ stdout: String(EINVAL), status: 0 });
  });

  describe("reads of found files", () => {
    const READ_SCRIPT = `const m = { exports: {} }; process.dlopen(m, process.argv[1]);
      const [path, folder] = process.argv.slice(2);
      const texts = [0o006, 0o002].map((forbidden) => m.exports.readTrusted(path, folder, forbidden) ?? null);
      process.stdout.write(JSON.stringify([...texts, m.exports.isMissing(path)]));`;
    const read = (path: string, place: string): unknown =>
      JSON.parse(execFileSync(process.execPath, ["-e", READ_SCRIPT, addon, path, place], { encoding: "utf8" }));

    test.each([
      ["only a file that its owner alone may read", 0o600, 0o755, ["A=1\n", "A=1\n"]],
      ["no world-readable file with a secret", 0o644, 0o755, [null, "A=1\n"]],
      ["no world-writable file", 0o602, 0o755, [null, null]],
      ["no file in a world-writable folder", 0o600, 0o777, [null, null]],
    ])("%s", (_, mode, folderMode, texts) => {
      const projectFolder = folder({ ".env": "A=1\n" });
      chmodSync(join(projectFolder, ".env"), mode);
      chmodSync(projectFolder, folderMode);
      expect(read(join(projectFolder, ".env"), projectFolder)).toEqual([...texts, false]);
    });

    test("neither a pipe nor a folder nor a missing file", () => {
      const projectFolder = folder();
      execFileSync("mkfifo", ["-m", "600", join(projectFolder, ".env")]);
      expect(read(join(projectFolder, ".env"), projectFolder)).toEqual([null, null, false]);
      expect(read(projectFolder, projectFolder)).toEqual([null, null, false]);
      expect(read(join(projectFolder, "none"), projectFolder)).toEqual([null, null, true]);
      expect(read(join(projectFolder, ".env", "in-a-file"), projectFolder)).toEqual([null, null, false]);
    });

    test("no link, not even to a file that it would read", () => {
      const projectFolder = folder({ file: "A=1\n" });
      chmodSync(join(projectFolder, "file"), 0o600);
      symlinkSync("file", join(projectFolder, ".env"));
      expect(read(join(projectFolder, "file"), projectFolder)).toEqual(["A=1\n", "A=1\n", false]);
      expect(read(join(projectFolder, ".env"), projectFolder)).toEqual([null, null, false]);
    });

    test("no file of another user", ({ skip }) => {
      skip(process.getuid?.() !== 0, "needs root, who can make another user the owner of a file");
      const projectFolder = folder({ ".env": "A=1\n" });
      chownSync(join(projectFolder, ".env"), 65534, 65534);
      chmodSync(join(projectFolder, ".env"), 0o600);
      expect(read(join(projectFolder, ".env"), projectFolder)).toEqual([null, null, false]);
    });
  });
});
