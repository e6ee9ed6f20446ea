import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { readProcessStat } from "../../../src/launch/proc/process-stat.ts";
import { notInstalled, skipBecause } from "../../helpers/skip.ts";
import { addon, folder, sophiaRun } from "../../helpers/sophia.ts";
import { SECRET } from "./masked-process.ts";

const CONTRACT = JSON.stringify({ variables: { QUIET_TOKEN: { secret: true, required: true } } });
const VITEST = join(import.meta.dirname, "../../../node_modules/vitest/vitest.mjs");
const skipReason = existsSync(addon) ? notInstalled("python3", "--version") : "needs the addon";

/** The answer of terminal.py to a step. */
interface Answer {
  readonly shown: string;
  readonly end?: number;
  readonly late?: boolean;
  readonly echoes?: boolean;
  readonly raw?: boolean;
}

/** A program on a pseudo-terminal. Each function is a step of terminal.py. */
interface Screen {
  readonly cwd: string;
  readonly type: (text: string) => Promise<Answer>;
  readonly until: (text: string) => Promise<Answer>;
  readonly resize: (rows: number, columns: number) => Promise<Answer>;
  readonly settings: () => Promise<Answer>;
  readonly end: () => Promise<Answer>;
  /** Closes the terminal, which hangs up. */
  readonly hangUp: () => void;
}

/** Runs a bash script on a pseudo-terminal. `$L COMMAND` runs a command with `--redact`, and `$QUIET_TOKEN` is the secret. */
function runScriptOnTerminal(script: string, files: Readonly<Record<string, string>> = {}): Screen {
  return startOnTerminal(["bash", "--norc", "-c", script], files);
}

/** Starts an interactive bash on a pseudo-terminal, and waits for its prompt. */
async function startShell(): Promise<Screen> {
  const screen = startOnTerminal(["bash", "--norc", "-i"]);
  await screen.type("PS1='P''> '\r");
  await screen.until("P> ");
  return screen;
}

function startOnTerminal(words: readonly string[], files: Readonly<Record<string, string>> = {}): Screen {
  const cwd = folder({ "sophia.contract.json": CONTRACT, ...files });
  const child = spawn("python3", [join(import.meta.dirname, "terminal.py"), ...words], {
    cwd,
    env: {
      PATH: process.env["PATH"],
      HOME: cwd,
      TERM: "xterm",
      PS1: "P> ",
      HISTFILE: "",
      L: `${sophiaRun.join(" ")} --redact --`,
      QUIET_TOKEN: SECRET,
    },
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const requestAnswer = async (step: object): Promise<Answer> => {
    child.stdin.write(`${JSON.stringify(step)}\n`);
    const { value } = await lines.next();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- terminal.py writes this form
    const answer = JSON.parse(String(value)) as Answer;
    if (answer.late === true) throw new Error(`never shown: ${JSON.stringify(step)}; shown: ${answer.shown}`);
    return answer;
  };
  return {
    cwd,
    type: async (text) => requestAnswer({ type: text }),
    until: async (text) => {
      const answer = await requestAnswer({ until: text });
      expect(answer.shown).toContain(text);
      return answer;
    },
    resize: async (rows, columns) => requestAnswer({ resize: [rows, columns] }),
    settings: async () => requestAnswer({ settings: true }),
    end: async () => requestAnswer({ end: true }),
    hangUp: () => void child.stdin.end(),
  };
}

describe("at a terminal, if its output is masked,", () => {
  skipBecause(skipReason);

  it("the program has a terminal, with its size, and secrets are masked in it", async () => {
    const screen = runScriptOnTerminal(
      `exec $L sh -c 'test -t 0 && test -t 1 && test -t 2 && stty size; echo "$QUIET_TOKEN"; exit 5'`,
    );
    const { shown, end } = await screen.end();
    expect({ shown: shown.trimStart(), end }).toEqual({ shown: "24 80\r\n***\r\n", end: 5 });
  });

  it("the program gets a new size of the terminal", async () => {
    const screen = runScriptOnTerminal(
      `exec $L bash -c 'trap "stty size; exit" WINCH; echo ready; while :; do sleep 0.05; done'`,
    );
    await screen.until("ready");
    await screen.resize(40, 132);
    expect((await screen.end()).shown).toContain("40 132");
  });

  it("the program reads single keys and keys without echo, and prompts appear without a newline", async () => {
    const screen = runScriptOnTerminal(
      `exec $L bash --norc -c 'read -s -p "word: " word; echo "<$word>"; read -n 1 key; echo "<$key>"'`,
    );
    await screen.until("word: ");
    await screen.type("open\r");
    await screen.until("<open>");
    await screen.type("k");
    expect((await screen.end()).shown).toContain("<k>");
  });

  it("each process of the job gets one SIGINT on Ctrl-C", async () => {
    const screen = runScriptOnTerminal(
      `trap 'echo shell-int' INT; $L sh -c 'trap "echo program-int" INT; echo ready; sleep 9; exit 3'; echo "end $?"`,
    );
    await screen.until("ready");
    await screen.type("\u0003");
    const { shown } = await screen.until("end 3");
    expect(shown.match(/program-int/g)).toHaveLength(1);
    expect(shown.match(/shell-int/g)).toHaveLength(1);
  });

  it("the program stops on Ctrl-Z and continues on fg, three times, in bash", async () => {
    const screen = await startShell();
    await screen.type("$L sh -c 'echo be''gun; exec cat'\r");
    await screen.until("begun");
    for (const word of ["one", "two", "three"]) {
      await screen.type(`${word}\r`);
      await screen.until(`${word}\r\n${word}\r\n`);
      await screen.type("\u001a");
      await screen.until("Stopped");
      await screen.until("P> ");
      await screen.type("fg\r");
      await screen.until("cat'\r\n");
    }
    // If the keys were not forwarded yet, the shell would get a Ctrl-D. So the test waits for an echo first.
    await screen.type("four\r");
    await screen.until("four\r\nfour\r\n");
    await screen.type("\u0004");
    await screen.until("P> ");
    await screen.type("exit 4\r");
    expect((await screen.end()).end).toBe(4);
  });

  it("the terminal keeps the settings of a program that exits, and not those of a killed program, and raw mode never", async () => {
    const stays = runScriptOnTerminal(`$L stty -echo; echo done; read line`);
    await stays.until("done");
    expect(await stays.settings()).toMatchObject({ echoes: false, raw: false });
    const killed = runScriptOnTerminal(`$L sh -c 'stty -echo; kill -KILL $$'; echo done; read line`);
    await killed.until("done");
    expect(await killed.settings()).toMatchObject({ echoes: true, raw: false });
  });

  it("a launcher that is killed leaves no raw terminal, and the program gets SIGHUP", async () => {
    // The monitor, which is the program's parent process, restores the terminal and ends last. The shell prints the killed
    // command.
    const killer =
      'trap "echo hup >f; exit" HUP; echo $PPID >monitor; kill -KILL $(ps -o ppid= -p $PPID); while :; do sleep 0.05; done';
    const screen = runScriptOnTerminal(
      `$L sh -c '${killer}'; tail -s 0.02 --pid="$(cat monitor)" -f /dev/null; echo "left $(cat f)"; read line`,
    );
    await screen.until("left hup");
    expect(await screen.settings()).toMatchObject({ raw: false, echoes: true });
  });

  it.each([
    ["ends on the SIGHUP", "", ""],
    ["ignores SIGHUP, and no longer has a terminal", "trap '' HUP;", "gone"],
  ])("the program does not stay stopped if the shell is killed while it is stopped: it %s", async (_, trap, left) => {
    // The shell is not the session's leader, so the terminal remains, and an access from the background would stop the program.
    const screen = runScriptOnTerminal(
      `bash --norc -i; tail -s 0.02 --pid="$(cat launcher)" -f /dev/null; echo "left <$(cat f)>"`,
      {
        f: "",
        program: `${trap} ps -o ppid= -p $PPID >launcher; echo begun; read line; echo gone >f\n`,
      },
    );
    await screen.type("PS1='P''> '\r");
    await screen.until("P> ");
    await screen.type("$L sh program\r");
    await screen.until("begun");
    await screen.type("\u001a");
    await screen.until("Stopped");
    await screen.until("P> ");
    await screen.type("kill -KILL $$\r");
    expect((await screen.until(`left <${left}>`)).late).toBeUndefined();
  });

  it.each([
    ["all streams", ""],
    ["only some streams", "| cat"],
  ])("stty tostop stops a job that writes from the background, if %s are the terminal", async (_, rest) => {
    const screen = await startShell();
    await screen.type("stty tostop\r");
    await screen.until("P> ");
    await screen.type(`$L sh -c 'echo sho''wn >&2' ${rest} & wait %1; jobs\r`);
    await screen.until("Stopped");
    await screen.until("P> ");
    await screen.type("fg\r");
    await screen.until("shown\r\n");
    expect((await screen.until("P> ")).late).toBeUndefined();
  });

  it.each([
    ["all streams", ""],
    ["only some streams", "| cat"],
  ])("stty tostop does not stop a program that ignores the signal, if %s are the terminal", async (_, rest) => {
    const screen = await startShell();
    await screen.type("stty tostop\r");
    await screen.until("P> ");
    await screen.type(`$L sh -c 'trap "" TTOU; echo sho''wn >&2; sleep 2' ${rest} &\r`);
    expect((await screen.until("shown\r\n")).late).toBeUndefined();
  });

  it("output from the background has the terminal's line ends", async () => {
    const screen = await startShell();
    await screen.type(`$L sh -c 'echo sho''wn; read line; stty -a' & wait %1\r`);
    await screen.until("shown\r\n");
    await screen.until("P> ");
    await screen.type("fg\r");
    await screen.until("stty -a'\r\n");
    await screen.type("\r");
    expect((await screen.until("P> ")).shown).toContain("\nopost");
  });

  it("output of a process that outlives the program has the terminal's line ends", async () => {
    const screen = await startShell();
    await screen.type("$L sh -c '(until [ -e f ]; do sleep 0.05; done; echo la''te) &'; : >f\r");
    expect((await screen.until("late\r\n")).late).toBeUndefined();
  });

  it("a launcher that alone was stopped controls the terminal again after fg", async () => {
    const screen = await startShell();
    await screen.type("$L sh -c 'echo $PPID >monitor; echo be''gun; exec cat'\r");
    await screen.until("begun");
    const monitor = readFileSync(join(screen.cwd, "monitor"), "latin1").trim();
    const launcher = Number(execFileSync("ps", ["-o", "ppid=", "-p", monitor], { encoding: "utf8" }));
    // PID 0 would stop the process group of the test runner.
    expect(launcher).toBeGreaterThan(1);
    process.kill(launcher, "SIGSTOP");
    await screen.until("Stopped");
    await screen.until("P> ");
    await screen.type("fg\r");
    await screen.until("exec cat'\r\n");
    await expect.poll(async () => (await screen.settings()).raw).toBe(true);
    await screen.type("word\r");
    expect((await screen.until("word\r\nword\r\n")).late).toBeUndefined();
  });

  it("a disowned program continues to run after the terminal has been closed", async () => {
    const screen = await startShell();
    const writer = "trap 'exit 1' HUP; echo be''gun; while echo x; do sleep 0.05; done 2>/dev/null; echo gone >f";
    await screen.type(`$L bash -c '${writer.replaceAll("'", `'"'"'`)}' & disown; : >disowned\r`);
    await screen.until("begun");
    await expect.poll(() => existsSync(join(screen.cwd, "disowned"))).toBe(true);
    screen.hangUp();
    await expect.poll(() => existsSync(join(screen.cwd, "f"))).toBe(true);
  });

  it("a background process of the program does not delay the end", async () => {
    const screen = runScriptOnTerminal(`$L sh -c 'sleep 30 & exit 7'; echo "end $?"`);
    expect((await screen.until("end 7")).late).toBeUndefined();
  });

  it("the other streams are terminals without extra line ends if the input or one output is a pipe", async () => {
    const screen = runScriptOnTerminal(
      `: | $L sh -c 'test -t 0 || test -t 1 && test -t 2 && echo "$QUIET_TOKEN"'; $L sh -c 'test -t 2 && echo out; echo "$QUIET_TOKEN" >&2' | cat; echo end`,
    );
    const { shown } = await screen.until("end");
    expect(shown.trimStart()).toMatch(/^\*\*\*\r\n(?:out\r\n\*\*\*|\*\*\*\r\nout)\r\nend/);
  });
});

describe("if only some of the streams are the terminal,", () => {
  skipBecause(skipReason);

  it.each([
    ["exits, even after its end", "exit 0", true],
    ["is killed, as long as the program runs", "kill -KILL $$", false],
  ])("the terminal has the settings that the program gives to its output, if the program %s", async (_, end, left) => {
    const screen = runScriptOnTerminal(
      `$L sh -c 'stty -icanon <&1; echo set; read line; ${end}' 2>errors; echo end; read line`,
    );
    await screen.until("set");
    await expect.poll(async () => (await screen.settings()).raw).toBe(true);
    await screen.type("\r");
    await screen.until("end");
    expect((await screen.settings()).raw).toBe(left);
  });

  it("output appears before the program stops, except the beginning of a secret", async () => {
    const screen = await startShell();
    const halves = [SECRET.slice(0, 8), SECRET.slice(8)];
    await screen.type(`$L sh -c 'printf "a ${halves[0]}" >&2; kill -TSTP 0; echo "${halves[1]} b" >&2' | cat\r`);
    const { shown } = await screen.until("Stopped");
    expect(shown.split("cat\r\n")[1]).toMatch(/a [^h]/);
    await screen.until("P> ");
    await screen.type("fg\r");
    expect((await screen.until("*** b")).late).toBeUndefined();
  });

  it("less reads the pipe and the keys", async ({ skip }) => {
    const noLess = notInstalled("less", "--version");
    skip(noLess !== undefined, noLess);
    const screen = await startShell();
    await screen.type("(seq -f line%g 60; echo $QUIET_TOKEN) | $L sh -c 'echo $$ >less; exec less'\r");
    await screen.until("\r\n:");
    // less loses a signal that arrives between its prompt and its read. If less sleeps after its prompt, it reads.
    const pid = Number(readFileSync(join(screen.cwd, "less"), "latin1"));
    await expect.poll(() => readProcessStat(pid)?.state).toBe("S");
    await screen.type("\u001a");
    // less restores the screen before it stops.
    expect((await screen.until("Stopped")).shown).toContain("\u001b[?1049l");
    await screen.until("P> ");
    await screen.type("fg\r");
    await screen.until("line20");
    await screen.type("G");
    await screen.until("***");
    await screen.type("q");
    await screen.until("P> ");
    await screen.type("stty -a\r");
    expect((await screen.until("P> ")).shown).toMatch(/ icanon .* echo /);
  });
});

describe("at a terminal with masked output,", () => {
  skipBecause(skipReason);

  it("vim shows, edits and writes a file, and exits", async ({ skip }) => {
    const noVim = notInstalled("vim", "--version");
    skip(noVim !== undefined, noVim);
    const screen = runScriptOnTerminal(`$L vim -u NONE -N note; cat note`, { note: "first\n" });
    await screen.until("first");
    await screen.type(`osecond ${SECRET}\u001b:wq\r`);
    const { shown, end } = await screen.end();
    // The output of vim is masked, but not the file that vim writes.
    expect(shown).toContain("first\r\nsecond");
    expect(end).toBe(0);
  });

  it("less shows pages in which secrets are masked", async ({ skip }) => {
    const noLess = notInstalled("less", "--version");
    skip(noLess !== undefined, noLess);
    const text = Array.from({ length: 60 }, (_, line) => `line ${line} ${SECRET}`).join("\n");
    const screen = runScriptOnTerminal(`$L less note; echo end`, { note: `${text}\n` });
    await screen.until("line 20 ***");
    await screen.type("G");
    await screen.until("line 59 ***");
    await screen.type("q");
    const { shown } = await screen.until("end");
    expect(shown).not.toContain(SECRET);
  });

  it("bash -i controls its own jobs, and its output is masked", async () => {
    const screen = runScriptOnTerminal(`exec $L bash --norc -i`);
    await screen.type("PS1='P''> '\r");
    await screen.until("P> ");
    // The output of the job shows that bash has given it the terminal; bash would get earlier keys. The job starts no child, since
    // a
    // stop between vfork(2) and execve(2) would stop the child alone.
    const job = 'trap "echo re""sumed" CONT; echo be""gun; while :; do read -r line; done';
    await screen.type(`sh -c '${job}'\r`);
    await screen.until("begun");
    await screen.type("\u001a");
    await screen.until("Stopped");
    await screen.type('echo "<$QUIET_TOKEN>"\r');
    await screen.until("<***>");
    await screen.type("fg\r");
    await screen.until("resumed");
    await screen.type("\u0003");
    await screen.until("P> ");
    await screen.type("exit 6\r");
    expect((await screen.end()).end).toBe(6);
  });

  it("a script of npm has the terminal's colours and width", async () => {
    const script =
      "process.stdout.write(`<${process.stdout.hasColors()} ${process.stdout.columns} ${process.env.QUIET_TOKEN}>`)";
    const screen = runScriptOnTerminal(`exec $L npm test`, {
      "package.json": JSON.stringify({ scripts: { test: `${process.execPath} script.cjs` } }),
      "script.cjs": script,
    });
    expect((await screen.end()).shown).toContain("<true 80 ***>");
  });

  it("vitest reports in colours, and its failures show no secret", async () => {
    const source = `import { expect, it } from "vitest";
      it("compares", () => expect("x").toBe(process.env.QUIET_TOKEN));`;
    const screen = runScriptOnTerminal(`exec $L ${process.execPath} ${VITEST} run --root .`, {
      "one.test.mjs": source,
    });
    const { shown, end } = await screen.end();
    expect(shown).toContain("\u001b[3");
    expect(shown).toContain("***");
    expect(shown).not.toContain(SECRET);
    expect(end).toBe(1);
  });
});

describe("in a pane of tmux", () => {
  skipBecause(skipReason ?? notInstalled("tmux", "-V"));

  it("sophia-run masks the output, and the program has the pane's width", async () => {
    const cwd = folder({ "sophia.contract.json": CONTRACT });
    const env = { PATH: process.env["PATH"], HOME: cwd, TMUX_TMPDIR: cwd, TERM: "xterm", QUIET_TOKEN: SECRET };
    const tmux = (...args: readonly string[]): string =>
      spawnSync("tmux", ["-L", "redact", "-f", "/dev/null", ...args], { cwd, env, encoding: "utf8" }).stdout;
    writeFileSync(
      join(cwd, "run"),
      `${sophiaRun.join(" ")} --redact -- sh -c 'echo "<$QUIET_TOKEN>"; stty size; tmux wait-for -S shown; read line'\n`,
    );
    onTestFinished(() => void tmux("kill-server"));
    tmux("new-session", "-d", "-x", "90", "-y", "30", "-e", `QUIET_TOKEN=${SECRET}`, "sh run");
    tmux("wait-for", "shown");
    await expect.poll(() => tmux("capture-pane", "-p")).toMatch(/\d+ 90/);
    const screen = tmux("capture-pane", "-p");
    expect(screen).toContain("<***>");
    expect(screen).not.toContain(SECRET);
  });
});
