/** Runs `sophia-run init` in the process of the tests. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Values } from "../../../src/command-line/options.ts";
import { init } from "../../../src/commands/init/init.ts";
import type { Context } from "../../../src/core/context.ts";
import { silentContext } from "../../helpers/silent-context.ts";
import { folder } from "../../helpers/sophia.ts";

export interface InitOptions {
  readonly options?: Values;
  readonly environment?: Readonly<Record<string, string>>;
  /** The lines that the user types at a terminal. Without them there is no terminal. `undefined` ends the input. */
  readonly answers?: readonly (string | undefined)[];
  /** Is called while each question is open. */
  readonly whileOpen?: () => void;
}

/** Runs init in a folder. @returns what it printed, and its questions; each answer must have been asked for */
export async function runInit(
  cwd: string,
  { options = {}, environment = {}, answers, whileOpen }: InitOptions = {},
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const output = { stdout: "", stderr: "" };
  const leftAnswers = [...(answers ?? [])];
  const context: Context = {
    ...silentContext(cwd, { HOME: cwd, ...environment }),
    out: (text) => void (output.stdout += text),
    err: (text) => void (output.stderr += text),
    readLine: (question) => {
      output.stderr += question;
      if (leftAnswers.length === 0) expect.unreachable(`an unexpected question: ${question}`);
      const answer = leftAnswers.shift();
      whileOpen?.();
      if (answer !== undefined) output.stderr += `${answer}\n`;
      return Promise.resolve(answer);
    },
    isTerminal: () => answers !== undefined,
  };
  expect(await init({ options, positionals: [] }, context)).toBe(0);
  expect(leftAnswers).toEqual([]);
  return output;
}

/** Creates the repository `shop` with these files, in a folder of the test's own. @returns its path */
export function repository(files: Readonly<Record<string, string>>): string {
  const named = Object.entries(files).map(([name, text]) => [`shop/${name}`, text] as const);
  const cwd = join(folder(Object.fromEntries(named)), "shop");
  mkdirSync(join(cwd, ".git"), { recursive: true });
  return cwd;
}

/** Returns the texts of the files that init has created or changed, except for the schema for editors. */
export function changedFiles(cwd: string, before: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const names = readdirSync(cwd, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(cwd.length + 1));
  const texts = names.toSorted().map((name) => [name, readFileSync(join(cwd, name), "utf8")] as const);
  return Object.fromEntries(
    texts.filter(([name, text]) => name !== "sophia.contract.schema.json" && before[name] !== text),
  );
}

/** Returns the text of a file in a folder; undefined if it does not exist. */
export function textOf(cwd: string, name: string): string | undefined {
  return existsSync(join(cwd, name)) ? readFileSync(join(cwd, name), "utf8") : undefined;
}
