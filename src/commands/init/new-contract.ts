import { existsSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import type { Settings } from "../../command-line/settings.ts";
import { CONTRACT_FILE_NAME } from "../../contract/file-name.ts";
import { findContract } from "../../contract/find.ts";
import { formatFault, noWork } from "../../contract/format.ts";
import { builtInText } from "../../contract/generated/built-in-text.ts";
import { looksSecret } from "../../contract/looks-secret.ts";
import type { ValueFormat } from "../../contract/model.ts";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { count, enumerate, printable } from "../../core/text.ts";
import { printReport } from "../../output/colour.ts";
import { readEnvFiles } from "../../resolve/env-files.ts";
import { EXAMPLE_FILES } from "../docs/env-example.ts";
import { isOurs, sourceOfDocument } from "../docs/mark.ts";
import { readIn, writeText } from "../files.ts";
import { askRequired } from "./ask.ts";
import {
  isCandidateName,
  mergeCandidates,
  type Candidate,
  type CandidateGroup,
  type SourceResult,
} from "./candidates.ts";
import { fromCode } from "./code.ts";
import { fromEsc } from "./esc.ts";
import { fromExample, fromGenerated } from "./example.ts";
import { targetFile } from "./setup-step.ts";

interface Source {
  /** Returns undefined if the source does not exist. */
  readonly read: (settings: Settings, context: Context) => Promise<SourceResult | undefined>;
  /** The failure if the user named the source and it does not exist. */
  readonly missing?: string;
}

const BUILT_IN: SourceResult = { candidates: [], base: "builtin", source: "the built-in contract" };

/** The sources of a new contract, by the values of `--from`, in the order in which they are searched. */
const SOURCES: Readonly<Record<string, Source>> = {
  builtin: { read: async () => BUILT_IN },
  example: { read: (_, context) => fromDocuments(context), missing: "there is no .env.example" },
  esc: { read: fromEsc, missing: "ESC_ENV and ESC_TOKEN are not both set" },
  code: { read: (_, { cwd }) => fromCode(cwd) },
  dotenv: { read: fromDotenv, missing: "no .env file sets a variable" },
};

/**
 * Writes `sophia.contract.json` unless it exists, from the sources in `from`, else from the first one with a variable.
 *
 * @param root the folder with the lock file, in which a workspace has its packages
 * @throws SophiaError (125) if a source that was named cannot be read
 */
export async function createContract(
  from: readonly string[],
  settings: Settings,
  root: string,
  context: Context,
): Promise<void> {
  if (existsSync(join(context.cwd, CONTRACT_FILE_NAME))) {
    printReport(context, [`${CONTRACT_FILE_NAME} exists and is not changed`]);
    return;
  }
  const applied = findContract(context.cwd);
  const outer =
    applied === undefined || dirname(applied) === context.cwd
      ? undefined
      : printable(relative(context.cwd, applied).replaceAll(sep, "/"));
  if (outer !== undefined && from.length === 0) {
    printReport(context, [`${outer} applies to this folder; --from creates a contract here, which may extend it`]);
    return;
  }
  const { results, remarks } = await readSources(from, settings, context);
  const base = results.find((result) => result.base !== undefined)?.base;
  // By import(), so that the bundler gives the module a file of its own, which a start loads alone.
  const builtIn =
    base === "builtin" ? (await import("../../contract/generated/built-in.ts")).BUILT_IN.variables : undefined;
  const candidates = mergeCandidates(results.flatMap((result) => result.candidates)).filter(
    ({ name }) => builtIn?.has(name) !== true,
  );
  const groups = base === undefined ? results.flatMap((result) => result.groups ?? []) : [];
  const $schema = schemaFor(context.cwd, root);
  writeText(targetFile(CONTRACT_FILE_NAME, context), contractText({ base, candidates, groups }, $schema), "wx");
  const total = candidates.length + (builtIn?.size ?? 0);
  const sources = enumerate(results.map(({ source }) => source));
  printReport(context, [
    {
      text: `created ${CONTRACT_FILE_NAME}: ${results.length === 0 ? "no variables yet" : `${count(total, "variable")} from ${sources}`}`,
      hang: 2,
    },
    ...(outer === undefined
      ? []
      : [`  ${outer} no longer applies to this folder; to keep its rules: "extends": "${outer}"`]),
    ...[...remarks, ...results.flatMap((result) => result.remarks ?? [])].map((remark) => `  ${remark}`),
    ...(total > 0 || base !== undefined
      ? []
      : [
          ...(from.length > 0 ? [] : ["  searched: .env.example, ESC, process.env and os.environ in code, .env"]),
          '  add one under "variables", such as "API_KEY": { "required": true }',
        ]),
  ]);
}

/** Reads the sources that the user named, else the first with a variable; remarks name the others that cannot be read. */
async function readSources(
  from: readonly string[],
  settings: Settings,
  context: Context,
): Promise<{ readonly results: readonly SourceResult[]; readonly remarks: readonly string[] }> {
  const isNamed = from.length > 0;
  const results: SourceResult[] = [];
  // A set, since two sources read the same .env file.
  const remarks = new Set<string>();
  for (const [name, { read, missing = "" }] of Object.entries(SOURCES)) {
    if (isNamed ? !from.includes(name) : name === "builtin" || results.length > 0) continue;
    try {
      const result = await read(settings, context);
      if (isNamed && result === undefined) {
        const hint = "name another source, or leave --from out to use the first that has a variable";
        throw new SophiaError({ code: "init-source", message: `--from ${name}: ${missing}`, hint });
      }
      if (result === undefined) continue;
      if (isNamed || result.candidates.length > 0 || result.base !== undefined) results.push(result);
      else for (const remark of result.remarks ?? []) remarks.add(remark);
    } catch (error) {
      if (isNamed || !(error instanceof SophiaError)) throw error;
      remarks.add(`not read: ${error.message}`);
    }
  }
  return { results, remarks: [...remarks] };
}

/** Reads the files that a start would read. Their values are usually secrets, so none gets into the contract. */
async function fromDotenv(settings: Settings, context: Context): Promise<SourceResult | undefined> {
  const { layers } = await readEnvFiles(settings, context.cwd, context.environment);
  const names = new Set(layers.flatMap(({ variables }) => variables.map(({ name }) => name)).filter(isCandidateName));
  if (names.size === 0) return undefined;
  const all = Array.from(names, (name) => ({ name, required: false, isGiven: true }));
  return { ...(await askRequired(all, ".env", context)), source: ".env (only names)" };
}

/** Reads a file that `docs` wrote: its contract is restored or extended, with variables that the user added to the file. */
async function fromDocuments({ cwd }: Context): Promise<SourceResult | undefined> {
  const name = [...EXAMPLE_FILES, "SECRETS.md"].find((one) => existsSync(join(cwd, one)));
  const text = name === undefined ? undefined : await readIn(cwd, name);
  if (name === undefined || text === undefined) return undefined;
  const source = sourceOfDocument(text);
  if (source?.kind === "built-in") {
    return { ...BUILT_IN, ...fromGenerated(text), source: `the built-in contract, which ${name} names` };
  }
  if (source !== undefined && source.path !== CONTRACT_FILE_NAME && existsSync(join(cwd, source.path))) {
    return { candidates: [], base: source.path, source: `${printable(source.path)}, which ${name} names` };
  }
  if (name === "SECRETS.md") return undefined;
  return { ...(isOurs(text) ? fromGenerated(text) : { candidates: fromExample(text) }), source: name };
}

const INSTALLED_SCHEMA = "node_modules/sophia-run/schema/sophia.contract.schema.json";
const SCHEMA = /"\$schema": "([^"]*)"/.exec(builtInText)?.[1] ?? "";

/** Returns the schema for editors: the file of the package, or the identifier if no folder has that file. */
function schemaFor(cwd: string, root: string): string {
  // Yarn's Plug'n'Play leaves packages in their archives.
  if (!existsSync(join(cwd, "package.json")) || existsSync(join(root, ".pnp.cjs"))) return SCHEMA;
  const folder = [cwd, root].find((one) => existsSync(join(one, INSTALLED_SCHEMA))) ?? root;
  return `${relative(cwd, folder).replaceAll(sep, "/") || "."}/${INSTALLED_SCHEMA}`;
}

interface Draft {
  readonly base?: string | undefined;
  readonly candidates: readonly Candidate[];
  readonly groups: readonly CandidateGroup[];
}

/** Returns a contract that declares the candidates, or the whole built-in contract if it adds nothing to that. */
export function contractText({ base, candidates, groups }: Draft, $schema: string): string {
  const isEmpty = base !== undefined && candidates.length === 0;
  if (base === "builtin" && isEmpty) return builtInText.replace(SCHEMA, $schema);
  // JSON.stringify leaves out what is undefined, here and in the entries.
  const document = {
    $schema,
    extends: base,
    variables: isEmpty ? undefined : Object.fromEntries(candidates.map((one) => [one.name, entryOf(one)])),
    groups: groups.length === 0 ? undefined : Object.fromEntries(byIdentifier(groups)),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function byIdentifier(groups: readonly CandidateGroup[]): ReadonlyMap<string, CandidateGroup> {
  const named = new Map<string, CandidateGroup>();
  for (const group of groups) {
    const words = (group.label.toLowerCase().match(/[a-z0-9]+/g) ?? []).join("-");
    const stem = (/^[a-z]/.test(words) ? words : `group-${words}`).slice(0, 56).replace(/-$/, "");
    let id = stem;
    for (let suffix = 2; named.has(id); suffix++) id = `${stem}-${suffix}`;
    named.set(id, group);
  }
  return named;
}

function entryOf({ name, required, label, description, example, secret, docs, isGiven, default: fallback }: Candidate) {
  const format = fallback === undefined ? formatOf(name, example, isGiven === true) : undefined;
  const isPublic = secret === undefined ? example !== undefined && !looksSecret(name, example) : !secret;
  // Ports, booleans and variables with a default are public by definition.
  const isImplied = format === "port" || format === "boolean" || fallback !== undefined;
  return {
    label,
    description,
    required: required || undefined,
    secret: isPublic && !isImplied ? false : undefined,
    example,
    docs,
    default: fallback,
    format,
  };
}

/** Returns the format that fits name and example; without an example that of the name, unless a value exists elsewhere. */
function formatOf(name: string, example: string | undefined, isGiven: boolean): "port" | "boolean" | "url" | undefined {
  const has = (format: ValueFormat): boolean =>
    example !== undefined && formatFault(format, example, name, noWork()) === undefined;
  if (/(?:^|_)PORT$/i.test(name) && (example === undefined ? !isGiven : has({ kind: "port" }))) return "port";
  if (/^(?:true|false)$/i.test(example ?? "")) return "boolean";
  return has({ kind: "url", schemes: [] }) && /(?:^|_)(?:URL|URI|ENDPOINT|ORIGIN)$/i.test(name) ? "url" : undefined;
}
