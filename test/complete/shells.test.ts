import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { folder, sophia, sophiaRun } from "../helpers/sophia.ts";

const has = (shell: string): boolean => spawnSync(shell, ["-c", "exit 0"]).status === 0;

/** A folder with a `sophia-run` that is the one under test, to be put on PATH. */
function onPath(): string {
  const bin = folder({ "sophia-run": `#!/bin/sh\nexec ${sophiaRun.map((word) => `'${word}'`).join(" ")} "$@"\n` });
  chmodSync(join(bin, "sophia-run"), 0o755);
  return bin;
}

/** Runs a script in a shell, in a folder with one file, and answers with its lines. */
function run(shell: readonly string[], script: string): string[] {
  const [command = "", ...args] = shell;
  const cwd = folder({ ".env.example": "", "words.txt": "" });
  const text = execFileSync(command, [...args, "-c", script], {
    cwd,
    env: { PATH: `${onPath()}:${process.env["PATH"]}`, HOME: cwd, TERM: "dumb" },
    encoding: "utf8",
  });
  return text.split("\n").filter((line) => line !== "");
}

/** What is typed, and what is proposed among others. */
const PROPOSALS: readonly (readonly [string, readonly string[]])[] = [
  ["ch", ["check"]],
  ["--mo", ["--mode"]],
  ["--mode s", ["spawn"]],
  ["explain QDRANT_", ["QDRANT_URL", "QDRANT_API_KEY"]],
  ["explain QDRANT_URL QDRANT_", ["QDRANT_API_KEY"]],
  ["check --js", ["--json"]],
  ["completion f", ["fish"]],
  ["export --format j", ["json"]],
];

const inBash = (line: string): string[] =>
  run(
    ["bash", "--norc"],
    `eval "$(sophia-run completion bash)"
       COMP_WORDS=(sophia-run ${line.replace(/ $/, " ''")}); COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
       _sophia_run; printf '%s\\n' "\${COMPREPLY[@]}"`,
  );

const inFish = (line: string): string[] =>
  run(["fish", "--no-config"], `sophia-run completion fish | source; complete -C 'sophia-run ${line}'`).map(
    (proposal) => proposal.split("\t")[0] ?? "",
  );

describe.skipIf(!has("bash"))("bash", () => {
  test.each(PROPOSALS)("%s", (line, expected) => expect(inBash(line)).toEqual(expected));

  test("behind -- the command is completed by the shell", () => {
    expect(inBash("-- unshar")).toContain("unshare");
    expect(inBash("--quiet -- ch")).not.toContain("check");
  });
});

describe.skipIf(!has("zsh"))("zsh", () => {
  test("the script loads, and its proposals have descriptions", () => {
    const lines = run(
      ["zsh", "-f"],
      `autoload -Uz compinit && compinit -D -u && eval "$(sophia-run completion zsh)" && print -r -- "$_comps[sophia-run]"
       sophia-run --get-yargs-completions sophia-run --mo`,
    );
    expect(lines[0]).toBe("_sophia_run");
    expect(lines[1]).toMatch(/^--mode\texec: become the program/);
  });
});

describe.skipIf(!has("fish"))("fish", () => {
  test.each(PROPOSALS)("%s", (line, expected) => expect(inFish(line)).toEqual(expect.arrayContaining([...expected])));

  test("behind -- the command is completed by the shell", () => {
    expect(inFish("-- unshar")).toContain("unshare");
    expect(inFish("--quiet -- ch")).not.toContain("check");
  });
});

test("a broken contract is no matter to completion, and nothing is said", async () => {
  const cwd = folder({ "sophia.contract.json": "{" });
  const ended = await sophia(["--get-yargs-completions", "sophia-run", "explain", "Q"], { cwd });
  expect(ended).toMatchObject({ status: 0, stdout: "", stderr: "" });
});
