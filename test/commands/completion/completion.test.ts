import { spawnSync } from "node:child_process";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { notInstalled, skipBecause } from "../../helpers/skip.ts";
import { folder, sophia, sophiaRun } from "../../helpers/sophia.ts";

const CONTRACT = JSON.stringify({
  variables: { QDRANT_URL: {}, QDRANT_API_KEY: {}, OTHER: {} },
  profiles: { dev: {}, prod: {} },
});
const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];
const scripts = new Map<string, string>();

/** How each shell is made to complete: it sources the script and prints what it would offer. */
const DRIVERS: Readonly<Record<Shell, (script: string, words: readonly string[]) => string>> = {
  bash: (script, words) => {
    // Readline breaks words at `=`, which stands alone then.
    const broken = words.flatMap((word) => (/^--\w[\w-]*=/.test(word) ? word.split(/(?<==)|(?==)/) : [word]));
    const quoted = broken.map((word) => `'${word}'`).join(" ");
    return `source ${script}; compopt() { echo "compopt $*"; }; COMP_WORDS=(${quoted}); COMP_CWORD=${broken.length - 1}; _sophia_run; printf '%s\\n' "\${COMPREPLY[@]}"`;
  },
  zsh: (script, words) =>
    // Outside of the line editor the builtins of completion do not work; what they are given is what counts.
    [
      "compdef() { :; }; compset() { :; }; _files() { print -r -- ':files'; }; _normal() { print -r -- \"normal $words\"; }",
      '_describe() { print -rl -- "${(@P)3}"; }',
      `source ${script}; words=(${words.map((word) => `'${word}'`).join(" ")}); CURRENT=${words.length}; _sophia_run`,
    ].join("; "),
  fish: (script, words) => `source ${script}; complete -C '${words.join(" ")}'`,
};

/** The candidates without their descriptions. */
function offered(shell: Shell, words: readonly string[]): string[] {
  const bin = folder({ "sophia.contract.json": CONTRACT, "some.env": "", script: scripts.get(shell) ?? "" });
  symlinkSync(sophiaRun.at(-1) ?? "", join(bin, "sophia-run"));
  const args = shell === "zsh" ? ["-f", "-c"] : shell === "fish" ? ["--no-config", "-c"] : ["--norc", "-c"];
  const ended = spawnSync(shell, [...args, DRIVERS[shell](join(bin, "script"), ["sophia-run", ...words])], {
    cwd: bin,
    env: { PATH: `${bin}:${process.env["PATH"] ?? ""}`, HOME: bin },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  expect(ended.stderr).toBe("");
  return ended.stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) =>
      shell === "zsh" && !line.startsWith(":") ? line.replace(/(?<!\\):.*/, "") : line.replace(/\t.*/, ""),
    );
}

beforeAll(() => {
  const [command, ...prefix] = sophiaRun;
  for (const shell of SHELLS) {
    scripts.set(shell, spawnSync(command, [...prefix, "completion", shell], { encoding: "utf8" }).stdout);
  }
});

describe.each(SHELLS)("%s", (shell) => {
  skipBecause(notInstalled(shell, "-c", "true"));

  test("subcommands, options, values, variables", () => {
    expect(offered(shell, [""])).toEqual(expect.arrayContaining(["check", "explain", "export", "docs", "init"]));
    expect(offered(shell, ["che"])).toEqual(["check"]);
    expect(offered(shell, ["--requ"])).toEqual(["--require-esc"]);
    expect(offered(shell, ["check", "--js"])).toEqual(["--json"]);
    expect(offered(shell, ["--mode", "s"])).toEqual(["spawn"]);
    expect(offered(shell, ["export", "--format", "d"]).toSorted()).toEqual(["docker", "dotenv"]);
    expect(offered(shell, ["explain", "QDRANT_"]).toSorted()).toEqual(["QDRANT_API_KEY", "QDRANT_URL"]);
    expect(offered(shell, ["explain", "QDRANT_URL", "QDRANT_"])).toEqual(["QDRANT_API_KEY"]);
    expect(offered(shell, ["check", "--profile", "p"])).toEqual(["prod"]);
    expect(offered(shell, ["completion", "z"])).toEqual(["zsh"]);
  });

  test("the value of --option=value", () => {
    const [only] = offered(shell, ["--mode=sp"]);
    expect(only).toBe(shell === "bash" ? "spawn" : "--mode=spawn");
  });

  test("files where a file is wanted", () => {
    const found = offered(shell, ["--dotenv", "som"]);
    expect(found).toEqual([{ bash: "compopt -o default", zsh: ":files", fish: "some.env" }[shell]]);
  });

  test("after --, the command's own completion", () => {
    const found = offered(shell, ["--quiet", "--", "dat"]);
    if (shell === "zsh") expect(found).toEqual(["normal dat"]);
    else expect(found).toContain("date");
  });

  test("the same without --, from the first word that is no subcommand", () => {
    for (const words of [["dat"], ["--mode=spawn", "-q", "dat"], ["--mode", "spawn", "dat"]]) {
      const found = offered(shell, words);
      if (shell === "zsh") expect(found).toEqual(["normal dat"]);
      else expect(found).toContain("date");
    }
    // Options of the command are the command's.
    const found = offered(shell, ["date", "--mo"]);
    expect(found).not.toContain("--mode");
    if (shell === "zsh") expect(found).toEqual(["normal date --mo"]);
  });
});

test("zsh's own completion system takes the script, and proposals are described", ({ skip }) => {
  const reason = notInstalled("zsh", "-c", "true");
  skip(reason !== undefined, reason);
  const bin = folder({ script: scripts.get("zsh") ?? "" });
  const script = 'autoload -Uz compinit && compinit -D -u && source ./script && print -r -- "$_comps[sophia-run]"';
  const ended = spawnSync("zsh", ["-f", "-c", script], {
    cwd: bin,
    env: { PATH: process.env["PATH"], HOME: bin },
    encoding: "utf8",
  });
  expect(ended).toMatchObject({ status: 0, stdout: "_sophia_run\n", stderr: "" });
});

describe("the call-back", () => {
  test.each([
    [["sophia-run", "node"], 1],
    [["sophia-run", "-q", "--mode", "spawn", "node", "check", ""], 4],
    [["sophia-run", "--", ""], 2],
    [["sophia-run", "-q", "--", "check", "--js"], 3],
  ])("tells where the command begins: %j", async (words, index) => {
    for (const call of [["--get-yargs-completions"], ["--get-yargs-completions", "--"]]) {
      expect((await sophia([...call, ...words])).stdout).toBe(`:command ${index}\n`);
    }
  });

  test("describes its candidates", async () => {
    const { stdout } = await sophia(["--get-yargs-completions", "sophia-run", "--mo"]);
    expect(stdout).toMatch(/^--mode\texec: become the program/);
  });

  test("never asks ESC and takes a faulty contract for none", async () => {
    const cwd = folder();
    writeFileSync(join(cwd, "sophia.contract.json"), "{");
    const env = { ESC_ENV: "a/b", ESC_TOKEN: "pul-x", PULUMI_BACKEND_URL: "http://127.0.0.1:1" };
    const ended = await sophia(["--get-yargs-completions", "sophia-run", "explain", ""], { cwd, env });
    expect(ended).toEqual({ status: 0, signal: null, stdout: "", stderr: "" });
  });

  test.each([[["--contract=other.json"]], [["--contract", "other.json"]]])(
    "the contract that the line names counts: %j",
    async (named) => {
      const cwd = folder({
        "sophia.contract.json": '{"variables":{"FOUND":{}}}',
        "other.json": '{"variables":{"NAMED":{}},"profiles":{"ci":{}},"scopes":{"web":["NAMED"]}}',
      });
      const call = ["--get-yargs-completions", "sophia-run", ...named];
      expect((await sophia([...call, "explain", ""], { cwd })).stdout).toBe("NAMED\tNAMED\n");
      expect((await sophia([...call, "--profile", ""], { cwd })).stdout).toBe("ci\n");
      expect((await sophia([...call, "--scope=w"], { cwd })).stdout).toBe("--scope=web\n");
    },
  );

  test("an unknown shell", async () => {
    const ended = await sophia(["completion", "fissh"]);
    expect(ended.status).toBe(125);
    expect(ended.stderr).toContain("did you mean fish?");
  });
});
