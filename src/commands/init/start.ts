/** A contract for a folder that has none. */
import { enumerateFew } from "../../core/lines.ts";
import { existsSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import type { Settings } from "../../command-line/settings.ts";
import { CONTRACT_FILE_NAME } from "../../contract/file-name.ts";
import { findContract } from "../../contract/find.ts";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { count, enumerate, printable } from "../../core/text.ts";
import { isOurs, sourceOfDocument } from "../docs/mark.ts";
import { canAsk } from "../confirm.ts";
import { readIfThere, writeText, type TargetFile } from "../files.ts";
import { projectRoot } from "../project-root.ts";
import { askRequired } from "./ask.ts";
import { scanCode } from "./code.ts";
import { contractText } from "./contract.ts";
import { type EscFound, fromEsc } from "./esc.ts";
import { fromExample } from "./example.ts";
import { join as joinFound, type Found, type FoundGroup } from "./found.ts";
import { fromGenerated } from "./generated.ts";

const EXAMPLES = [".env.example", ".env.sample", ".env.template", "example.env"];

/** Where a contract can be started from; without a choice the first of `SEARCHED` that has any variable. */
export const ORIGINS = ["builtin", "example", "esc", "code"] as const;
type OriginName = (typeof ORIGINS)[number];
const SEARCHED: readonly OriginName[] = ["example", "esc", "code"];

interface Answer {
  readonly found: readonly Found[];
  readonly groups?: readonly FoundGroup[];
  /** The contract to extend: `builtin` or a path. */
  readonly base?: string;
  /** Where they were found, in words. */
  readonly where: string;
  /** What the user should know of it. */
  readonly remarks?: readonly string[];
  /** It was asked and has none: the contract is one without variables. */
  readonly isEmpty?: boolean;
}

/**
 * Writes `sophia.contract.json` unless it exists, and says what was done.
 *
 * @param asked the origins that were named; none: the first that has anything
 * @throws SophiaError (125) where there is nothing to start with
 */
export async function startContract(asked: readonly OriginName[], settings: Settings, context: Context): Promise<void> {
  if (existsSync(join(context.cwd, CONTRACT_FILE_NAME))) {
    context.out(`${CONTRACT_FILE_NAME} exists and stays as it is\n`);
    return;
  }
  const above = findContract(context.cwd);
  const applies =
    above === undefined || dirname(above) === context.cwd
      ? undefined
      : printable(relative(context.cwd, above).replaceAll(sep, "/"));
  if (applies !== undefined && asked.length === 0) {
    context.out(`${applies} applies here; --from starts another in this folder, which may extend it\n`);
    return;
  }
  const answers: Answer[] = [];
  for (const name of asked.length > 0 ? asked : SEARCHED) {
    const answer = await look(name, settings, context);
    if (answer === undefined && asked.length > 0) throw nothingThere(name);
    const isEmpty = asked.length > 0 && answer?.isEmpty === true;
    if (answer !== undefined && (answer.found.length > 0 || answer.base !== undefined || isEmpty)) answers.push(answer);
    if (asked.length === 0 && answers.length > 0) break;
  }
  if (answers.length === 0) {
    throw new SophiaError({
      code: "init-nothing",
      message: "no variable was found to start a contract with",
      hint: "add a .env.example, set ESC_ENV and ESC_TOKEN, start where the code is, or take the built-in contract: --from builtin",
    });
  }
  const base = answers.find((answer) => answer.base !== undefined)?.base;
  // By import(): the bundler then gives the module a file that a start can read without another.
  const builtIn =
    base === "builtin" ? (await import("../../contract/generated/built-in.ts")).BUILT_IN.variables : undefined;
  const found = joinFound(answers.map((answer) => answer.found)).filter(({ name }) => builtIn?.has(name) !== true);
  const groups = base === undefined ? answers.flatMap((answer) => answer.groups ?? []) : [];
  const isInstalled = existsSync(join(context.cwd, "package.json"));
  const file: TargetFile = {
    path: join(context.cwd, CONTRACT_FILE_NAME),
    name: CONTRACT_FILE_NAME,
    root: projectRoot(context.cwd),
  };
  writeText(file, contractText({ ...(base === undefined ? {} : { base }), found, groups }, isInstalled), "wx");
  const variables = count(found.length + (builtIn?.size ?? 0), "variable");
  context.out(`created ${CONTRACT_FILE_NAME}: ${variables} from ${enumerate(answers.map(({ where }) => where))}\n`);
  if (applies !== undefined) {
    context.out(`  ${applies} does not apply here any more; "extends": "${applies}" would keep what it declares\n`);
  }
  for (const { remarks = [] } of answers) for (const remark of remarks) context.out(`  ${remark}\n`);
}

/** `undefined` if there is nothing to read. */
async function look(name: OriginName, settings: Settings, context: Context): Promise<Answer | undefined> {
  switch (name) {
    case "builtin":
      return { found: [], base: "builtin", where: "the built-in contract" };
    case "example":
      return lookAtExample(context);
    case "esc": {
      const answer = await fromEsc(settings, context);
      return answer === undefined ? undefined : startFromEsc(answer, context);
    }
    case "code": {
      const { found, files, cut } = scanCode(context.cwd);
      return { found, where: `the code (${count(files, "file")}${cut ? ", and there are more" : ""})` };
    }
  }
}

async function startFromEsc({ found, empty, placeholders }: EscFound, context: Context): Promise<Answer> {
  const asks = found.length > 0 && canAsk(context);
  const variables = [...(asks ? await askRequired(found, context) : found), ...empty];
  const remarks = [
    ...(asks || found.length === 0
      ? []
      : [`ESC does not tell which are required, so none is: set "required": true where a program needs it`]),
    ...(empty.length === 0
      ? []
      : [`without a value in ESC, and so optional: ${listed(empty.map(({ name }) => name))}`]),
    ...(placeholders.length === 0 ? [] : [`still a placeholder in ESC, and so left out: ${listed(placeholders)}`]),
  ];
  return { found: variables, where: "ESC", remarks, isEmpty: variables.length === 0 };
}

function listed(names: readonly string[]): string {
  return enumerateFew(names.map(printable));
}

/** What `docs` wrote says from which contract: that one is written again, or extended, with what was added by hand. */
async function lookAtExample({ cwd }: Context): Promise<Answer | undefined> {
  const name = [...EXAMPLES, "SECRETS.md"].find((one) => existsSync(join(cwd, one)));
  const text = name === undefined ? undefined : await readIfThere({ path: join(cwd, name), name });
  if (name === undefined || text === undefined) return undefined;
  const source = sourceOfDocument(text);
  if (source?.kind === "built-in") {
    // What was added to it by hand stays.
    return { ...fromGenerated(text), base: "builtin", where: `the built-in contract, as ${name} says` };
  }
  if (source !== undefined && source.path !== CONTRACT_FILE_NAME && existsSync(join(cwd, source.path))) {
    return { found: [], base: source.path, where: `${printable(source.path)}, which ${name} was written from` };
  }
  if (name === "SECRETS.md") return undefined;
  return { ...(isOurs(text) ? fromGenerated(text) : { found: fromExample(text) }), where: name };
}

function nothingThere(name: OriginName): SophiaError {
  return new SophiaError({
    code: "init-source",
    message:
      name === "esc"
        ? "--from esc: ESC_ENV and ESC_TOKEN are not both set"
        : `--from ${name}: there is no .env.example`,
    hint: name === "esc" ? "set both, or start --from example or --from code" : "start --from esc or --from code",
  });
}
