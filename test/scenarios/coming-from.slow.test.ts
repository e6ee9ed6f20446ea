import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { secret, startEscServer } from "../esc-server/index.ts";
import { fencedBlocksOf } from "../helpers/markdown.ts";
import { cleanPath } from "../helpers/pack.ts";
import { folder, sophiaRun } from "../helpers/sophia.ts";
import { startProcess } from "../helpers/start-process.ts";

const document = readFileSync(join(import.meta.dirname, "../../docs/coming-from.md"), "utf8");
const VALUE = "a value";

/** The commands of sophia-run in the tables, each once. */
const COMMANDS = [
  ...new Set(
    document
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .flatMap((line) => [...line.matchAll(/`((?:[A-Z_]+=\S+ )?sophia-run [^`]+)`/g)])
      .map(([, command = ""]) => command),
  ),
];

/** The words of the page that stand for the reader's own. */
const WORDS: Readonly<Record<string, string>> = {
  COMMAND: "printenv API_KEY",
  DIR: "secrets",
  FILE: "other.env",
  NAME: "API_KEY",
};

/** Commands that ask the user, or need others before them. */
const IN_A_TEST: readonly (readonly [RegExp, string])[] = [
  [/^sophia-run import FILE$/, "sophia-run import other.env --yes"],
  [/^sophia-run set NAME$/, "printf value | sophia-run set NEW_KEY"],
  [/^NAME=text /, `NAME='${VALUE}' `],
  [/ A,B /, " API_KEY,PATH "],
  [/"a && b"/, '"true && printenv API_KEY"'],
  // It needs a person at a terminal, and login.slow.test.ts has one. Without a login the status is 1.
  [/^sophia-run login$/, "! sophia-run login --status"],
  // The cache that it uses.
  [/^sophia-run --offline -- COMMAND$/, "sophia-run --cache -- true && sophia-run --offline -- COMMAND"],
];

async function createProjectWithTools() {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  for (const name of ["acme/app/base", "acme/app/dev", "acme/app/prod"]) {
    server.environment(name, { values: { API_KEY: secret(VALUE) } });
  }
  const cwd = folder({
    "sophia.contract.json": JSON.stringify({ variables: { API_KEY: { required: true } }, profiles: { prod: {} } }),
    "other.env": "OTHER=1\n",
    ".env": "",
    ".env.local": "",
    ".env.schema": "# @required\nAPI_KEY=\n",
    "app.js": "console.log(process.env.API_KEY);",
    "secrets/unread": "",
  });
  execFileSync("git", ["init", "--quiet"], { cwd });
  const run = (script: string, commands: Readonly<Record<string, string>> = {}) => {
    const quoted = sophiaRun.map((word) => `'${word}'`).join(" ");
    const all = { ...commands, "sophia-run": `#!/bin/sh\nexec ${quoted} "$@"\n` };
    const bin = folder(all);
    for (const name of Object.keys(all)) chmodSync(join(bin, name), 0o755);
    return startProcess(["bash", "-c", script], {
      cwd,
      env: {
        PATH: [bin, cleanPath].join(delimiter),
        HOME: cwd,
        ESC_ENV: "acme/app/dev",
        ESC_TOKEN: server.token,
        ESC_ADMIN_TOKEN: server.token,
        PULUMI_BACKEND_URL: server.url,
      },
    }).finished;
  };
  return { server, cwd, run };
}

test("the page about other tools has commands", () => expect(COMMANDS.length).toBeGreaterThan(25));

test.each(COMMANDS)("the command of the page works: %s", async (command) => {
  const { run } = await createProjectWithTools();
  const adapted = IN_A_TEST.reduce((text, [pattern, other]) => text.replace(pattern, other), command);
  const script = adapted.replaceAll(/\b(?:COMMAND|DIR|FILE|NAME)\b/g, (word) => WORDS[word] ?? word);
  const result = await run(script);
  expect(result, result.stderr).toMatchObject({ status: 0 });
  if (/ -- (?:COMMAND|node|sh -c)/.test(command)) {
    expect(result.stdout.trimEnd()).toBe(command.includes("--redact=always") ? "***" : VALUE);
  }
});

describe("the page's blocks", () => {
  const blocks = fencedBlocksOf(document).filter(({ language }) => language === "bash");

  /** What the tools print, in the form that each of them documents. */
  const PRINTS: Readonly<Record<string, string>> = {
    doppler: 'NEW_KEY="say \\"hi\\""\n',
    infisical: "NEW_KEY='say \"hi\"'\n",
    chamber: 'NEW_KEY="say \\"hi\\""\n',
    op: "NEW_KEY='say \"hi\"'\n",
    npx: "NEW_KEY='say \"hi\"'\n",
  };
  const tools = Object.fromEntries(
    Object.entries(PRINTS).map(([name, text]) => [name, `#!/bin/sh\ncat <<'end'\n${text}end\n`]),
  );

  test.each((blocks[0]?.text ?? "").split("\n").filter(Boolean))("write the value: %s", async (line) => {
    const { run } = await createProjectWithTools();
    expect(await run(`${line} --yes`, tools)).toMatchObject({ status: 0, stderr: "" });
    const { stdout } = await run("sophia-run -- printenv NEW_KEY");
    expect(stdout).toBe('say "hi"\n');
  });

  test.each(blocks.slice(1).map(({ text }) => text.trim()))("start the program with the value: %s", async (line) => {
    const { run } = await createProjectWithTools();
    // Both put what they resolve into the environment, and start the words behind `--`.
    const runner = `#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done; shift\nAPI_KEY=resolved exec "$@"\n`;
    await run("printf 'API_KEY=op://vault/item/field\\n' > .env");
    const result = await run(line.replace("COMMAND", "printenv API_KEY"), { op: runner, dotenvx: runner });
    expect(result).toMatchObject({ status: 0, stdout: "resolved\n" });
    expect(result.stderr).not.toContain("reference");
  });
});
