/** A contract for a folder that has none. */
import { existsSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import type { Settings } from "../../command-line/settings.ts";
import { CONTRACT_FILE_NAME } from "../../contract/file-name.ts";
import { findContract } from "../../contract/find.ts";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { enumerateFew } from "../../core/lines.ts";
import { count, enumerate, printable } from "../../core/text.ts";
import { tell } from "../../output/colour.ts";
import { readEnvFiles } from "../../resolve/env-files.ts";
import { canAsk } from "../confirm.ts";
import { EXAMPLE_FILES } from "../docs/env-example.ts";
import { isOurs, sourceOfDocument } from "../docs/mark.ts";
import { readIn, writeText, type TargetFile } from "../files.ts";
import { projectRoot } from "../project-root.ts";
import { askRequired } from "./ask.ts";
import { scanCode } from "./code.ts";
import { contractText } from "./contract.ts";
import { fromEsc } from "./esc.ts";
import { fromExample } from "./example.ts";
import { isCandidate, join as joinFound, type Found, type FoundGroup } from "./found.ts";
import { fromGenerated } from "./generated.ts";

/** The sources of a contract; without a choice the first of `SEARCHED` that has any variable. */
export const ORIGINS = ["builtin", "example", "esc", "code", "dotenv"] as const;
export type OriginName = (typeof ORIGINS)[number];
const SEARCHED: readonly OriginName[] = ["example", "esc", "code", "dotenv"];

interface Answer {
  readonly found: readonly Found[];
  readonly groups?: readonly FoundGroup[];
  /** The contract to extend: `builtin` or a path. */
  readonly base?: string;
  readonly where: string;
  readonly remarks?: readonly string[];
}

export function contractFile({ cwd }: Context): TargetFile {
  return { path: join(cwd, CONTRACT_FILE_NAME), name: CONTRACT_FILE_NAME, root: projectRoot(cwd) };
}

/**
 * Writes `sophia.contract.json` unless it exists, and prints what was done. If nothing is found it has no variables.
 *
 * @param asked the origins that the user named; none: the first that has anything
 * @throws SophiaError (125) if an origin that was named cannot be read
 */
export async function startContract(asked: readonly OriginName[], settings: Settings, context: Context): Promise<void> {
  if (existsSync(join(context.cwd, CONTRACT_FILE_NAME))) {
    tell(context, [`${CONTRACT_FILE_NAME} exists and stays as it is`]);
    return;
  }
  const above = findContract(context.cwd);
  const applies =
    above === undefined || dirname(above) === context.cwd
      ? undefined
      : printable(relative(context.cwd, above).replaceAll(sep, "/"));
  if (applies !== undefined && asked.length === 0) {
    tell(context, [`${applies} applies here; --from starts another in this folder, which may extend it`]);
    return;
  }
  const { answers, remarks } =
    asked.length > 0 ? await readAll(asked, settings, context) : await search(settings, context);
  const base = answers.find((answer) => answer.base !== undefined)?.base;
  // By import(): the bundler then gives the module a file that a start can read without another.
  const builtIn =
    base === "builtin" ? (await import("../../contract/generated/built-in.ts")).BUILT_IN.variables : undefined;
  const found = joinFound(answers.map((answer) => answer.found)).filter(({ name }) => builtIn?.has(name) !== true);
  const groups = base === undefined ? answers.flatMap((answer) => answer.groups ?? []) : [];
  const isInstalled = existsSync(join(context.cwd, "package.json"));
  writeText(contractFile(context), contractText({ base, found, groups }, isInstalled), "wx");
  const total = found.length + (builtIn?.size ?? 0);
  const from = `: ${count(total, "variable")} from ${enumerate(answers.map(({ where }) => where))}`;
  const told = [
    ...(applies === undefined
      ? []
      : [`${applies} does not apply here any more; "extends": "${applies}" would keep what it declares`]),
    ...remarks,
    ...answers.flatMap((answer) => answer.remarks ?? []),
    ...(total === 0 && base === undefined
      ? ['add one under "variables", such as "API_KEY": { "required": true }']
      : []),
  ];
  tell(context, [
    { text: `created ${CONTRACT_FILE_NAME}${answers.length === 0 ? ", in which no variable is yet" : from}`, hang: 2 },
    ...told.map((remark) => `  ${remark}`),
  ]);
}

/** The sources that were read, and remarks on those that were not. */
interface Answers {
  readonly answers: readonly Answer[];
  readonly remarks: readonly string[];
}

async function readAll(asked: readonly OriginName[], settings: Settings, context: Context): Promise<Answers> {
  const answers: Answer[] = [];
  for (const name of asked) {
    const answer = await look(name, settings, context);
    if (answer === undefined) {
      const [missing, hint] = ABSENCES[name] ?? ["nothing is there", "leave --from out"];
      throw new SophiaError({ code: "init-source", message: `--from ${name}: ${missing}`, hint });
    }
    answers.push(answer);
  }
  return { answers, remarks: [] };
}

const ABSENCES: Partial<Readonly<Record<OriginName, readonly [missing: string, hint: string]>>> = {
  example: ["there is no .env.example", "start --from esc or --from code"],
  esc: ["ESC_ENV and ESC_TOKEN are not both set", "set both, or start --from example or --from code"],
  dotenv: ["no .env file sets a variable", "start --from example or --from code"],
};

/** Reads the first origin that has a variable. One that cannot be read does not prevent a contract. */
async function search(settings: Settings, context: Context): Promise<Answers> {
  const remarks = new Set<string>();
  for (const name of SEARCHED) {
    try {
      const answer = await look(name, settings, context);
      if (answer !== undefined && (answer.found.length > 0 || answer.base !== undefined))
        return { answers: [answer], remarks: [...remarks] };
      for (const remark of answer?.remarks ?? []) remarks.add(remark);
    } catch (error) {
      if (!(error instanceof SophiaError)) throw error;
      // Two origins read the same .env file.
      remarks.add(`not read: ${error.message}`);
    }
  }
  return { answers: [], remarks: [...remarks] };
}

/** Returns undefined if there is nothing to read. */
async function look(name: OriginName, settings: Settings, context: Context): Promise<Answer | undefined> {
  switch (name) {
    case "builtin":
      return { found: [], base: "builtin", where: "the built-in contract" };
    case "example":
      return fromDocuments(context);
    case "esc":
      return startFromEsc(settings, context);
    case "code": {
      const { found, files, cut } = await scanCode(context.cwd);
      return { found, where: `the code (${count(files, "file")}${cut ? ", and there are more" : ""})` };
    }
    case "dotenv":
      return startFromDotenv(settings, context);
  }
}

/** Reads the files that a start would read. Their values are secrets as a rule: none gets into the contract. */
async function startFromDotenv(settings: Settings, context: Context): Promise<Answer | undefined> {
  const { layers } = await readEnvFiles(settings, context.cwd, context.environment);
  const names = new Set(layers.flatMap(({ variables }) => variables.map(({ name }) => name)));
  const found = [...names].filter(isCandidate).map((name): Found => ({ name, required: false, isGiven: true }));
  if (found.length === 0) return undefined;
  const asks = canAsk(context);
  return {
    found: asks ? await askRequired(found, ".env", context) : found,
    where: ".env (names only)",
    remarks: asks ? [] : [`which are required .env does not tell, so none is: set "required": true`],
  };
}

async function startFromEsc(settings: Settings, context: Context): Promise<Answer | undefined> {
  const answer = await fromEsc(settings, context);
  if (answer === undefined) return undefined;
  const { found, empty, placeholders } = answer;
  const asks = found.length > 0 && canAsk(context);
  const variables = [...(asks ? await askRequired(found, "ESC", context) : found), ...empty];
  const listed = (names: readonly string[]): string => enumerateFew(names.map(printable));
  const remarks = [
    ...(asks || found.length === 0
      ? []
      : [`ESC does not tell which are required, so none is: set "required": true where a program needs it`]),
    ...(empty.length === 0
      ? []
      : [`without a value in ESC, and so optional: ${listed(empty.map(({ name }) => name))}`]),
    ...(placeholders.length === 0 ? [] : [`still a placeholder in ESC, and so left out: ${listed(placeholders)}`]),
  ];
  return { found: variables, where: "ESC", remarks };
}

/** Reads what `docs` wrote: its contract is written again, or extended, with what the user added by hand. */
async function fromDocuments({ cwd }: Context): Promise<Answer | undefined> {
  const name = [...EXAMPLE_FILES, "SECRETS.md"].find((one) => existsSync(join(cwd, one)));
  const text = name === undefined ? undefined : await readIn(cwd, name);
  if (name === undefined || text === undefined) return undefined;
  const source = sourceOfDocument(text);
  if (source?.kind === "built-in") {
    return { ...fromGenerated(text), base: "builtin", where: `the built-in contract, as ${name} says` };
  }
  if (source !== undefined && source.path !== CONTRACT_FILE_NAME && existsSync(join(cwd, source.path))) {
    return { found: [], base: source.path, where: `${printable(source.path)}, which ${name} was written from` };
  }
  if (name === "SECRETS.md") return undefined;
  return { ...(isOurs(text) ? fromGenerated(text) : { found: fromExample(text) }), where: name };
}
