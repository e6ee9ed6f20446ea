import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { noAddon, skipBecause } from "../../helpers/skip.ts";
import { usesExecMode, unwrapLines } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";
import { startBash, runBash, SECRET } from "./masked-process.ts";

describe("with --redact sophia-run", () => {
  skipBecause(noAddon);

  it("masks standard output and standard error, keeps them apart, and passes on the status", async () => {
    const { status, stdout, stderr } = await runBash(
      `exec $L sh -c 'echo "out $QUIET_TOKEN."; echo "err $QUIET_TOKEN!" >&2; exit 7'`,
    );
    expect({ status, stdout, stderr }).toEqual({ status: 7, stdout: "out ***.\n", stderr: "err ***!\n" });
  });

  it("dies of the signal of which the program has died", async () => {
    const { signal, stdout } = await runBash(`exec $L sh -c 'echo "$QUIET_TOKEN"; kill -TERM $$'`);
    expect({ signal, stdout }).toEqual({ signal: "SIGTERM", stdout: "***\n" });
  });

  it("keeps the order of writes if standard output and standard error are one pipe", async () => {
    const script = "i=0; while [ $i -lt 200 ]; do echo $i; echo $i >&2; i=$((i+1)); done";
    const { stdout } = await runBash(`exec $L sh -c '${script}' 2>&1`);
    expect(stdout).toBe(Array.from({ length: 200 }, (_, index) => `${index}\n${index}\n`).join(""));
  });

  it.each([
    ["one open file", ">f 2>&1", "a***\nb\n"],
    ["a file to which both streams append", ">>f 2>>f", "a***\nb\n"],
    ["two files", ">f 2>g", "a***\n"],
    ["a file that was opened twice, with two offsets", ">f 2>f", "b\n*\n"],
  ])("writes to %s as the program would", async (_, redirection, content) => {
    const script = `echo a$QUIET_TOKEN; sleep 0.3; echo b >&2`;
    const { cwd, status } = await runBash(`$L sh -c '${script}' ${redirection}`);
    // The offset of the second open file is still 0, so `b` and a newline are written over the first two bytes.
    expect({ status, content: readFileSync(join(cwd, "f"), "latin1") }).toEqual({
      status: 0,
      content: redirection === ">f 2>f" ? "b\n**\n" : content,
    });
  });

  it("passes on binary output unchanged", async () => {
    const { stdout } = await runBash(
      `$L sh -c 'printf "\\377\\300\\200\\0\\341"; head -c 300000 /dev/zero; printf "\\303"' | sha256sum
       (printf "\\377\\300\\200\\0\\341"; head -c 300000 /dev/zero; printf "\\303") | sha256sum`,
    );
    const [masked, bare] = stdout.trim().split("\n");
    expect(masked).toBe(bare);
  });

  it("masks a value that is not UTF-8, and the text to which programs decode it", async () => {
    const { stdout } = await runBash(String.raw`QUIET_TOKEN=$'hush-\xff\xfe-9f8e' $L \
      printf '<hush-\377\376-9f8e> <hush-\357\277\275\357\277\275-9f8e>\n'`);
    expect(stdout).toBe("<***> <***>\n");
  });

  it("masks a value that is not UTF-8 as Python writes it in JSON and in literals", async () => {
    const { stdout } = await runBash(String.raw`QUIET_TOKEN=$'hush-\xff\xfe-9f8e' $L \
      printf %s '<hush-\udcff\udcfe-9f8e> <\u0068ush-\\udcff\\udcfe-9f8e> <hush-\udcff\udcff-9f8e>'`);
    expect(stdout).toBe(String.raw`<***> <***> <hush-\udcff\udcff-9f8e>`);
  });

  it("leaves outputs that are closed or devices alone, and ends as the program ends", async () => {
    const { stdout } = await runBash(
      `$L sh -c 'exec 3>&1; readlink /proc/self/fd/3 >&2' >/dev/null 2>names; cat names
       $L sh -c 'echo x 2>/dev/null || exit 4' >/dev/full; echo $?
       $L sh -c 'exit 3' <&- >&- 2>&-; echo $?`,
    );
    expect(stdout).toBe("/dev/null\n4\n3\n");
  });

  it("is replaced by the program if no secret can be masked", async ({ skip }) => {
    skip(!usesExecMode, "needs the addon");
    const { stdout } = await runBash(`exec $L sh -c 'echo $PPID'`, { QUIET_TOKEN: "short" });
    expect(stdout).toBe(`${process.pid}\n`);
    const maskedResult = await runBash(`exec $L sh -c 'echo $PPID'`);
    expect(maskedResult.stdout).not.toBe(`${process.pid}\n`);
  });
});

describe("while bytes may begin a secret, sophia-run holds them back and", () => {
  it("masks a secret that is written in two pieces, whatever the pause between them", async () => {
    const run = startBash(`exec $L sh -c 'printf "a %s" "$0"; read line; printf "%s b" "$1"' hush-9f8 e7d6c-hush`);
    await run.waitForOutput(/^a /);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(run.stdout()).toBe("a ");
    run.child.stdin?.end("\n");
    await run.ended;
    expect(run.stdout()).toBe("a *** b");
  });

  it("shows a prompt that ends with the first characters of a secret", async () => {
    const run = startBash(`exec $L sh -c 'printf "name: hus"; read name; echo "$name"'`);
    await run.waitForOutput(/name: hus$/);
    run.child.stdin?.end("hugo\n");
    await run.ended;
    expect(run.stdout()).toBe("name: hushugo\n");
  });

  it("passes them on at the end of the stream, even if the program still runs", async () => {
    const run = startBash(`exec $L sh -c 'printf "${SECRET.slice(0, -1)}"; exec >&-; read line; exit 5'`);
    await run.waitForOutput(new RegExp(`^${SECRET.slice(0, -1)}$`));
    run.child.stdin?.end("\n");
    expect(await run.ended).toEqual({ status: 5, signal: null });
  });
});

describe("if a reader or a writer of masked output ends, sophia-run", () => {
  skipBecause(noAddon);

  it("closes the program's pipe after the reader has ended", async () => {
    const { stdout } = await runBash(`$L yes | head -n 1; echo "\${PIPESTATUS[@]}"`);
    expect(stdout).toBe("y\n141 0\n");
  });

  it("reports output that cannot be written, even if the program has already ended", async () => {
    const runs = "for i in 1 2 3 4 5 6 7 8 9 10; do $L head -c 16384 /dev/zero >f; done";
    const { stderr } = await runBash(`ulimit -f 8; ${runs}`);
    // bash adds a report for each program that SIGXFSZ has killed before its end.
    expect(stderr.match(/the standard output cannot be written \(EFBIG\)/g)).toHaveLength(10);
  });

  it.each([
    ["the standard output", "f", "", "exit 0", 125],
    ["the standard error", "/dev/null", "2>f", "exit 0", 125],
    ["both streams", "f", "2>&1", "exit 0", 125],
    ["a program that fails as well", "f", "", "exit 3", 3],
  ])(
    "ends with 125, or with the program's failure, if output is lost on a full disk: %s",
    async (name, out, errors, end, expected) => {
      // A file that may not grow stands for a file on a full disk.
      const to = name === "the standard error" ? " >&2" : "";
      const script = `head -c 16384 /dev/zero${to}; ${end}`;
      const { stdout } = await runBash(`ulimit -f 8; $L sh -c '${script}' >${out} ${errors}; echo $? | cat`);
      expect(stdout).toBe(`${expected}\n`);
    },
  );

  it("does not send the program the SIGXFSZ that sophia-run's own writes cause", async () => {
    // The program writes until its pipe is closed, which is after that signal.
    const script = 'trap "" PIPE; while printf %4096s; do :; done 2>/dev/null; exit 3';
    const { stdout } = await runBash(`ulimit -f 8; $L sh -c '${script}' >f; echo $? | cat`);
    expect(stdout).toBe("3\n");
  });

  it("ends with 125 if the file system is full", async ({ skip }) => {
    const mounted = (script: string): Promise<{ readonly stdout: string; readonly stderr: string }> =>
      runBash(`unshare -rm sh -c 'mount -t tmpfs -o size=8k tmpfs /mnt && ${script}'`);
    skip((await mounted("echo mounted")).stdout !== "mounted\n", "needs the rights to mount a file system");
    const { stdout, stderr } = await mounted("$L head -c 65536 /dev/zero >/mnt/f; echo $?");
    expect({ stdout, stderr }).toEqual({
      stdout: "125\n",
      stderr: expect.stringContaining("the standard output cannot be written (ENOSPC)"),
    });
  });

  it("closes the pipe of a program that writes nothing and watches its output", async () => {
    const { status } = await runBash(`$L tail -f /dev/null | true; exit "\${PIPESTATUS[0]}"`);
    const unmaskedResult = await runBash(`tail -f /dev/null | true; exit "\${PIPESTATUS[0]}"`);
    expect(status).toBe(unmaskedResult.status);
  });

  it.each([
    // A quarter of a secret is passed on after a silence.
    ["hush", "-9f8e7d6c-hush", "first hush", "first hush*** now ***end\n"],
    ["hush-", "9f8e7d6c-hush", "first ", "first *** now ***end\n"],
  ])(
    "passes on the status at once, and still masks the output of a background process: %s",
    async (begun, rest, shown, masked) => {
      const script = `(read line <f; printf "%s now $QUIET_TOKEN" "$0"; echo end) & printf "first ${begun}"; read go; exit 6`;
      const run = startBash(`mkfifo f; $L sh -c '${script}' ${rest}; echo "status $?" >&2; read go; echo >f`);
      await run.waitForOutput(new RegExp(`^${shown}$`));
      run.child.stdin?.write("\n");
      await run.waitForOutput(/^status 6$/m, "stderr");
      expect(run.stdout()).toBe(shown);
      run.child.stdin?.end("\n");
      await run.ended;
      expect(run.stdout()).toBe(masked);
    },
  );

  it("ends on a signal, with the program's status, if the reader of the output does not read", async () => {
    const program = `trap "" TERM; head -c 125000 /dev/zero; echo ended >&2; exit 9`;
    const run = startBash(`mkfifo f; exec 9<>f; $L sh -c '${program}' >f & echo $! >&2; wait $!; echo "status $?" >&2`);
    await run.waitForOutput(/^ended$/m, "stderr");
    const launcher = Number.parseInt(run.stderr(), 10);
    // Until the program has ended, sophia-run forwards the signal to the program, which ignores it.
    const kill = setInterval(() => process.kill(launcher, "SIGTERM"), 100);
    await run.waitForOutput(/^status 9$/m, "stderr").finally(() => clearInterval(kill));
    expect((await run.ended).status).toBe(0);
  });
});

describe("the notice about masking", () => {
  it("is printed once if `auto` has masked something, and names the file of the output", async () => {
    const { stderr } = await runBash(
      `$RUN -- sh -c 'echo $QUIET_TOKEN; echo $QUIET_TOKEN'; $RUN -- sh -c 'echo $QUIET_TOKEN' >f; cat f >&2`,
      { CLAUDECODE: "1" },
    );
    expect(unwrapLines(stderr)).toMatch(/^.*Claude Code.*--redact=never.*\n.*\/f .*\n\*\*\*\n$/);
    expectWording(stderr);
  });

  it("is printed even if sophia-run is stopped for a while after the program has closed its standard error", async () => {
    // The standard error stays open for 100 ms after the program has closed it.
    const stops =
      "exec 2>&-; sleep 0.01; kill -STOP $PPID; echo $QUIET_TOKEN; (sleep 0.2; kill -CONT $PPID) >/dev/null &";
    const { stderr } = await runBash(`$RUN -- sh -c '${stops}' >f`, { CLAUDECODE: "1" });
    expect(unwrapLines(stderr)).toMatch(/^.*\/f .*\n$/);
  });

  it("is not printed with --quiet", async () => {
    const { stdout, stderr } = await runBash(`$RUN -q -- sh -c 'echo $QUIET_TOKEN'`, { CLAUDECODE: "1" });
    expect({ stdout, stderr }).toEqual({ stdout: "***\n", stderr: "" });
  });

  it("is printed between the program's lines", async () => {
    const { stderr } = await runBash(`$RUN -- sh -c 'printf "a $QUIET_TOKEN" >&2; sleep 0.2; echo " b" >&2'`, {
      GITHUB_ACTIONS: "true",
    });
    expect(unwrapLines(stderr)).toMatch(/^a \*\*\* b\nsophia-run: .*GitHub Actions.*\n$/);
  });
});

it("dummy values are not masked, since they are not secret", async () => {
  const script = `unset QUIET_TOKEN; $RUN --fake --redact -- sh -c 'echo "<$QUIET_TOKEN>"'`;
  expect(await runBash(script)).toMatchObject({ status: 0, stdout: "<fake-quiet-token>\n" });
});

describe("--redact", () => {
  it("with `github` writes add-mask commands before the program starts, and masks nothing itself", async () => {
    const { stdout, stderr } = await runBash(`$RUN --redact=github -- sh -c 'echo "$PPID $QUIET_TOKEN"'`);
    expect(stderr.startsWith(`::add-mask::${SECRET}\n`)).toBe(true);
    expect(stdout).toContain(SECRET);
  });

  it("with `github` is refused if the standard error is a file, into which it would write the values", async () => {
    const { stdout, cwd } = await runBash(`$RUN --redact=github -- echo x 2>f; echo $?`);
    expect(stdout).toBe("125\n");
    expect(readFileSync(join(cwd, "f"), "utf8")).not.toContain(SECRET);
  });

  it("with `never` prints a warning of one line in GitHub Actions, where it masks nothing", async () => {
    const { stdout, stderr } = await runBash(`$RUN --redact=never -- sh -c 'echo $QUIET_TOKEN'`, {
      GITHUB_ACTIONS: "true",
    });
    expect(stdout).toBe(`${SECRET}\n`);
    expect(stderr).toMatch(/^sophia-run: warning: .*GitHub Actions.*\n$/);
  });
});
