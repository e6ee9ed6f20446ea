/** Programs run code by variables of a found `.env`, for real: with `--allow` each does, and without it none. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startEscServer } from "../esc-server/index.ts";
import { escVariables } from "../commands/sophia-environment.ts";
import { missingCommand, notInstalled } from "../helpers/skip.ts";
import { folder, isStandalone, sophia, unwrapLines } from "../helpers/sophia.ts";

/** The code of the repository. It ends well, and reads what it is given, so that no program waits for it. */
const CODE = "#!/bin/sh\n: >ran\ncat >/dev/null </dev/null\n";

interface Attack {
  readonly name: string;
  /** As the `.env` has it. */
  readonly value: string;
  /** A command that succeeds where the program is installed. */
  readonly needs: readonly [string, ...string[]];
  /** Further files of the repository. */
  readonly files?: Readonly<Record<string, string>>;
  readonly command: readonly [string, ...string[]];
}

const inTerminal = (command: string): readonly [string, ...string[]] => ["script", "-qec", command, "/dev/null"];
const GIT = ["-c", "user.name=a", "-c", "user.email=a@example.test"] as const;
const MAN_PAGE = { "x.1": ".TH X 1\n" };
const AGENT = "-javaagent:agent.jar";
/** No program, for which Go's standard library would be compiled each time. */
const GO_PACKAGE = { "go.mod": "module g\n", "g.go": "package g\n" };
const PYTHON = ["python3", "-V"] as const;
const KUBECONFIG = JSON.stringify({
  apiVersion: "v1",
  kind: "Config",
  clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1" } }],
  users: [
    {
      name: "u",
      user: {
        exec: { apiVersion: "client.authentication.k8s.io/v1", command: "./evil.sh", interactiveMode: "Never" },
      },
    },
  ],
  contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
  "current-context": "x",
});

const ATTACKS: readonly Attack[] = [
  {
    name: "PYTHONBREAKPOINT",
    value: "evil.f",
    needs: PYTHON,
    files: { "evil.py": "import os\ndef f(): os.system('./evil.sh')\n" },
    command: ["python3", "-c", "breakpoint()"],
  },
  { name: "BROWSER", value: "./evil.sh %s", needs: PYTHON, command: ["python3", "-m", "webbrowser", "x"] },
  {
    name: "TAR_OPTIONS",
    value: "--checkpoint=1 --checkpoint-action=exec=./evil.sh",
    needs: ["tar", "--version"],
    command: ["tar", "cf", "/dev/null", "evil.sh"],
  },
  {
    name: "MAKEFILES",
    value: "evil.mk",
    needs: ["make", "-v"],
    files: { "evil.mk": "$(shell ./evil.sh)\n", Makefile: "all:\n" },
    command: ["make"],
  },
  {
    name: "MAKEFLAGS",
    value: "SHELL=./evil.sh",
    needs: ["make", "-v"],
    files: { Makefile: "all:\n\techo x | cat\n" },
    command: ["make"],
  },
  {
    name: "CC",
    value: "sh ./evil.sh",
    needs: ["make", "-v"],
    files: { Makefile: "a.o: a.c\n", "a.c": "int a;\n" },
    command: ["make", "-B", "a.o"],
  },
  {
    name: "COMPILER_PATH",
    value: "bin",
    needs: ["gcc", "--version"],
    files: { "a.c": "int a;\n", "bin/as": CODE },
    command: ["gcc", "-c", "a.c", "-o", "/dev/null"],
  },
  {
    name: "GCC_EXEC_PREFIX",
    value: "./bin/",
    needs: ["gcc", "--version"],
    files: { "a.c": "int a;\n", "bin/cc1": CODE },
    command: ["gcc", "-c", "a.c", "-o", "/dev/null"],
  },
  {
    name: "LD_LIBRARY_PATH",
    value: "lib",
    needs: ["gcc", "--version"],
    files: {
      "l.c": '#include <fcntl.h>\n__attribute__((constructor)) void f(void) { creat("ran", 0600); }\n',
      "lib/x": "",
    },
    command: ["sh", "-c", "LD_LIBRARY_PATH= gcc -shared -fPIC -o lib/libz.so.1 l.c; git --version"],
  },
  {
    name: "GIT_DIFFTOOL_EXTCMD",
    value: "./evil.sh",
    needs: ["git", "--version"],
    command: ["sh", "-c", "git add evil.sh; echo >>evil.sh; git -c diff.tool=x -c difftool.x.cmd=true difftool -y"],
  },
  {
    name: "PYENV_HOOK_PATH",
    value: "./hooks",
    needs: ["pyenv", "--version"],
    files: { "hooks/exec/x.bash": "./evil.sh\n" },
    command: ["python3", "-V"],
  },
  {
    name: "VIM",
    value: "./vim",
    needs: ["vim", "--version"],
    files: { "vim/plugin/x.vim": 'call system("./evil.sh")\n', "vim/defaults.vim": 'call system("./evil.sh")\n' },
    command: ["vim", "-c", "q"],
  },
  {
    name: "HARNESS_PERL",
    value: "./evil.sh",
    needs: ["prove", "-V"],
    files: { "x.t": "1;\n" },
    command: ["prove", "x.t"],
  },
  {
    name: "PERLDB_OPTS",
    value: "NonStop=1 AutoTrace=1 LineInfo=|./evil.sh",
    needs: ["perl", "-v"],
    command: ["perl", "-d", "-e", "1"],
  },
  {
    name: "DPKG_PAGER",
    value: "./evil.sh",
    needs: ["script", "-c", "dpkg --version", "/dev/null"],
    command: inTerminal("dpkg -l dpkg"),
  },
  {
    name: "fish_function_path",
    value: "./fish",
    needs: ["fish", "-v"],
    files: { "fish/x.fish": "function x; ./evil.sh; end\n" },
    command: ["fish", "-c", "x"],
  },
  {
    name: "GOCACHEPROG",
    value: "./evil.sh",
    needs: ["go", "version"],
    files: GO_PACKAGE,
    command: ["go", "build", "-o", "/dev/null", "."],
  },
  {
    name: "PIP_PYTHON",
    value: "./evil.sh",
    needs: ["python3", "-m", "pip", "-V"],
    command: ["python3", "-m", "pip", "list"],
  },
  { name: "GIT_PAGER", value: "./evil.sh", needs: ["script", "-V"], command: inTerminal("git log") },
  { name: "PAGER", value: "./evil.sh", needs: ["script", "-V"], command: inTerminal("git log") },
  {
    name: "GIT_EDITOR",
    value: "./evil.sh",
    needs: ["git", "--version"],
    command: ["git", ...GIT, "commit", "--amend", "--allow-empty"],
  },
  {
    name: "EDITOR",
    value: "./evil.sh",
    needs: ["git", "--version"],
    command: ["git", ...GIT, "commit", "--amend", "--allow-empty"],
  },
  {
    name: "GIT_SEQUENCE_EDITOR",
    value: "./evil.sh",
    needs: ["git", "--version"],
    command: ["git", ...GIT, "rebase", "-i", "--root"],
  },
  {
    name: "GIT_ALLOW_PROTOCOL",
    value: "ext",
    needs: ["git", "--version"],
    command: ["git", "ls-remote", "ext::./evil.sh"],
  },
  {
    name: "XDG_CONFIG_HOME",
    value: "./config",
    needs: ["git", "--version"],
    files: { "config/git/config": "[core]\n fsmonitor = ./evil.sh\n" },
    command: ["git", "status"],
  },
  { name: "MANPAGER", value: "./evil.sh", needs: ["man", "-V"], files: MAN_PAGE, command: inTerminal("man ./x.1") },
  { name: "MANOPT", value: "-P ./evil.sh", needs: ["man", "-V"], files: MAN_PAGE, command: inTerminal("man ./x.1") },
  { name: "LESSOPEN", value: "|./evil.sh %s", needs: ["less", "-V"], command: ["less", "evil.sh"] },
  {
    name: "LESSKEYIN",
    value: "./keys",
    needs: ["less", "-V"],
    files: { keys: "#env\nLESSOPEN=|./evil.sh %s\n" },
    command: ["less", "evil.sh"],
  },
  {
    name: "PERL5LIB",
    value: "lib",
    needs: ["perl", "-v"],
    files: { "lib/strict.pm": "system('./evil.sh'); 1;\n" },
    command: ["perl", "-e", "use strict;"],
  },
  {
    name: "RUSTC_WRAPPER",
    value: "./evil.sh",
    needs: ["cargo", "-V"],
    files: {
      "Cargo.toml": '[package]\nname = "r"\nversion = "0.1.0"\nedition = "2021"\n',
      "src/main.rs": "fn main() {}\n",
    },
    command: ["cargo", "build", "--offline"],
  },
  {
    name: "GOFLAGS",
    value: "-toolexec=./evil.sh",
    needs: ["go", "version"],
    files: GO_PACKAGE,
    command: ["go", "build", "-o", "/dev/null", "."],
  },
  ...["JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS"].map((name): Attack => ({
    name,
    value: AGENT,
    needs: ["javac", "-version"],
    command: ["java", "-version"],
  })),
  { name: "JDK_JAVA_OPTIONS", value: AGENT, needs: ["javac", "-version"], command: ["java", "-version"] },
  {
    name: "JAVA_HOME",
    value: "./jdk",
    needs: ["mvn", "-v"],
    files: { "jdk/bin/java": CODE },
    command: ["mvn", "-v"],
  },
  {
    name: "WGETRC",
    value: "rc",
    needs: ["wget", "-V"],
    files: { rc: "use_askpass = ./evil.sh\n" },
    command: ["wget", "-q", "http://127.0.0.1:1/"],
  },
  {
    name: "KUBECONFIG",
    value: "./kube.json",
    needs: ["kubectl", "version", "--client"],
    files: { "kube.json": KUBECONFIG },
    command: ["kubectl", "get", "pods"],
  },
  {
    name: "GH_CONFIG_DIR",
    value: "./gh",
    needs: ["gh", "--version"],
    files: { "gh/config.yml": 'aliases:\n  co: "!./evil.sh"\n' },
    command: ["gh", "co"],
  },
  {
    name: "AWS_CONFIG_FILE",
    value: "./aws.ini",
    needs: ["aws", "--version"],
    files: { "aws.ini": "[default]\ncredential_process = ./evil.sh\n" },
    command: ["aws", "sts", "get-caller-identity", "--endpoint-url", "http://127.0.0.1:1"],
  },
  {
    name: "CLOUDSDK_PYTHON",
    value: "./evil.sh",
    needs: ["gcloud", "version"],
    command: ["gcloud", "version"],
  },
  {
    name: "TCL_LIBRARY",
    value: "tcl",
    needs: ["tclsh", "/dev/null"],
    files: { "tcl/init.tcl": "exec ./evil.sh\n" },
    command: ["tclsh", "/dev/null"],
  },
  {
    name: "ZDOTDIR",
    value: "./zsh",
    needs: ["zsh", "-c", "true"],
    files: { "zsh/.zshenv": "./evil.sh\n" },
    command: ["zsh", "-c", "true"],
  },
  { name: "ZIPOPT", value: "-T -TT ./evil.sh", needs: ["zip", "-v"], command: ["zip", "x.zip", "evil.sh"] },
  { name: "npm_config_call", value: "./evil.sh", needs: ["npx", "-v"], command: ["npx"] },
];

/** What programs on this machine need besides PATH. The home directory is the repository. */
const MACHINE = {
  ...(process.env["PYENV_ROOT"] === undefined && existsSync(join(homedir(), ".pyenv"))
    ? { PYENV_ROOT: join(homedir(), ".pyenv") }
    : {}),
  RUSTUP_HOME: process.env["RUSTUP_HOME"] ?? join(homedir(), ".rustup"),
  GOTOOLCHAIN: "local",
  // It waits for no key if the text has one page.
  LESS: "-FX",
};

/**
 * The command of an attack. That the program runs the code is shown once, with the package: with the executable a stand-in
 * runs it if the variable reaches the stand-in.
 */
function commandOf({ name, command }: Attack): readonly [string, ...string[]] {
  return isStandalone ? ["sh", "-c", 'printenv "$0" && ./evil.sh', name] : command;
}

/** The agent of all attacks, which is compiled once. */
let agent: Buffer | undefined;

function compiledAgent(): Buffer {
  const premain = 'public static void premain(String a) throws Exception { new java.io.File("ran").createNewFile(); }';
  const cwd = folder({ "Agent.java": `public class Agent { ${premain} }\n`, manifest: "Premain-Class: Agent\n" });
  const run = (command: string, ...args: readonly string[]) => execFileSync(command, args, { cwd });
  run("javac", "Agent.java");
  run("jar", "cfm", "agent.jar", "manifest", "Agent.class");
  return readFileSync(join(cwd, "agent.jar"));
}

/** A repository with the code, and what else an attack needs. */
function createRepository({ files = {}, value }: Pick<Attack, "files" | "value">): string {
  const cwd = folder();
  for (const [name, text] of Object.entries({ "evil.sh": CODE, ...files })) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), text);
    chmodSync(join(cwd, name), 0o755);
  }
  const run = (command: string, ...args: readonly string[]): void => {
    expect(spawnSync(command, args, { cwd }).status).toBe(0);
  };
  run("git", "init", "-q");
  run("git", ...GIT, "commit", "-q", "--allow-empty", "-m", "x");
  if (value === AGENT && !isStandalone) {
    agent ??= compiledAgent();
    writeFileSync(join(cwd, "agent.jar"), agent);
  }
  return cwd;
}

describe.each(ATTACKS)("$name in a found .env file", { timeout: 60_000 }, (attack) => {
  const { name, value, needs } = attack;

  test("runs no code unless the caller allows it, and other variables are passed on", async ({ skip }) => {
    const [program, ...args] = needs;
    const [tool] = commandOf(attack);
    const reason = isStandalone ? undefined : (notInstalled(program, ...args) ?? missingCommand(tool));
    skip(reason !== undefined, reason);
    const cwd = createRepository(attack);
    writeFileSync(join(cwd, ".env"), `${name}=${value}\nPLAIN=1\n`, { mode: 0o600 });
    const shell = ["sh", "-c", '"$@" >&2; echo "plain $PLAIN"', "sh", ...commandOf(attack)];
    const withheld = await sophia(["--no-contract", "--", ...shell], { cwd, env: MACHINE });
    expect([withheld.stdout, existsSync(join(cwd, "ran"))]).toEqual(["plain 1\n", false]);
    expect(unwrapLines(withheld.stderr)).toMatch(
      new RegExp(`^sophia-run: warning: ${name} in \\.env .*--allow ${name} passes it on`),
    );
    const allowed = await sophia(["--no-contract", "--allow", name, "--", ...shell], { cwd, env: MACHINE });
    expect([allowed.stdout, existsSync(join(cwd, "ran"))], allowed.stderr).toEqual(["plain 1\n", true]);
  });
});

test("PYTHONWARNINGS and BROWSER of a found .env file run no code together", async ({ skip }) => {
  const reason = notInstalled(...PYTHON);
  skip(reason !== undefined, reason);
  const cwd = createRepository({ value: "" });
  const file = "PYTHONWARNINGS=all:0:antigravity.x:0:0\nBROWSER=./evil.sh %s\n";
  writeFileSync(join(cwd, ".env"), file, { mode: 0o600 });
  const command = ["--no-contract", "--", "python3", "-c", "1"];
  const { stderr } = await sophia(command, { cwd, env: MACHINE });
  expect([existsSync(join(cwd, "ran")), unwrapLines(stderr)]).toEqual([
    false,
    expect.stringContaining("--allow PYTHONWARNINGS,BROWSER"),
  ]);
  await sophia(["--allow", "PYTHONWARNINGS,BROWSER", ...command], { cwd, env: MACHINE });
  expect(existsSync(join(cwd, "ran"))).toBe(true);
});

test.each(ATTACKS.map(({ name, value }) => [name, value] as const))(
  "a contract with a dangerous default of %s is refused",
  async (name, value) => {
    const contract = { variables: { [name]: { default: value, secret: false } } };
    const cwd = folder({ "sophia.contract.json": JSON.stringify(contract) });
    const { status, stderr } = await sophia(["--", "true"], { cwd });
    expect([status, unwrapLines(stderr)]).toEqual([
      125,
      expect.stringContaining(`default of ${name} would make other`),
    ]);
  },
);

test("an ESC environment that a found .env file opens runs no code either", async () => {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  server.environment("evil/app/dev", { values: { GIT_EDITOR: "./evil.sh" } });
  const cwd = createRepository({ value: "" });
  const evilLines = Object.entries(escVariables(server, "evil/app/dev")).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(join(cwd, ".env"), evilLines.join(""), { mode: 0o600 });
  const command = ["--no-contract", "--", "git", ...GIT, "commit", "--amend", "--allow-empty"];
  const { stderr } = await sophia(command, { cwd });
  expect([existsSync(join(cwd, "ran")), unwrapLines(stderr)]).toEqual([
    false,
    expect.stringContaining("--allow GIT_EDITOR"),
  ]);
});
