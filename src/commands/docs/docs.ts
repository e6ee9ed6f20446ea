import { existsSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import type { Context } from "../../core/context.ts";
import { envExample } from "./env-example.ts";
import { envTypes } from "./env-types.ts";
import { isOurs, markOf } from "./mark.ts";
import { partOf, withPart } from "./markers.ts";
import { secretsDocument } from "./secrets-document.ts";
import { contractBlocks } from "./secrets-section.ts";
import { loadContract } from "../../contract/load.ts";
import type { Contract } from "../../contract/model.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { sayLines } from "../../output/stderr.ts";
import { settle } from "../../command-line/settings.ts";
import { enumerate, printable } from "../../core/text.ts";
import type { Command } from "../command.ts";
import { readIfThere, refuseLinks, writeText, type NamedFile } from "../files.ts";

/** Without package.json there is no TypeScript to read types. */
function defaultFiles(folder: string): readonly string[] {
  const hasTypes = ["package.json", "tsconfig.json", "env.d.ts"].some((name) => existsSync(join(folder, name)));
  return ["SECRETS.md", ".env.example", ...(hasTypes ? ["env.d.ts"] : [])];
}

interface Document extends NamedFile {
  /** What it holds; absent where it does not exist. */
  readonly current?: string;
  readonly wanted: string;
}

/** `sophia-run docs`: 0, or with `--check` 1 where a file is out of date. Nothing is written unless all can be. */
export const docs: Command = async ({ options, positionals }, context) => {
  const settings = settle(options, context.environment);
  const contract = await loadContract({
    cwd: context.cwd,
    file: settings.contractFile,
    profile: settings.profile,
    scope: settings.scope,
  });
  const folder = contract.source.kind === "file" ? dirname(contract.source.path) : context.cwd;
  const paths =
    positionals.length > 0
      ? positionals.map((name) => resolve(context.cwd, name))
      : defaultFiles(folder).map((name) => join(folder, name));
  const documents = await Promise.all([...new Set(paths)].map((path) => draw(path, contract, context)));
  const stale = documents.filter(({ current, wanted }) => current !== wanted);
  if (options["check"] === true) return report(stale, documents, context);
  refuseLinks(stale);
  if (options["force"] !== true) refuseForeign(stale);
  for (const { path, name, wanted } of stale) {
    writeText({ path, name }, wanted);
    context.out(`wrote ${name}\n`);
  }
  if (stale.length === 0) context.out(`${enumerate(documents.map(({ name }) => name))}: up to date\n`);
  return ExitStatus.ok;
};

async function draw(path: string, contract: Contract, { cwd }: Context): Promise<Document> {
  const inside = relative(cwd, path);
  const name = printable(inside.startsWith("..") ? path : inside);
  const current = await readIfThere({ path, name });
  return { path, name, ...(current === undefined ? {} : { current }), wanted: textFor(path, contract, current ?? "") };
}

function textFor(path: string, contract: Contract, current: string): string {
  const name = basename(path);
  const { source } = contract;
  const mark = markOf(
    source.kind === "file" ? { kind: "file", path: relative(dirname(path), source.path) } : { kind: "built-in" },
  );
  if (name.endsWith(".md")) {
    const part = partOf(current);
    return withPart(current, part, mark, part === "document" ? secretsDocument(contract) : contractBlocks(contract));
  }
  return name.endsWith(".d.ts") ? envTypes(contract, mark) : envExample(contract, mark);
}

function report(stale: readonly Document[], documents: readonly Document[], context: Context): number {
  if (stale.length === 0) {
    context.out(`${enumerate(documents.map(({ name }) => name))}: up to date\n`);
    return ExitStatus.ok;
  }
  sayLines(context, [
    `out of date: ${enumerate(stale.map(({ name, current }) => (current === undefined ? `${name} (missing)` : name)))}`,
    "sophia-run docs writes them anew from the contract",
  ]);
  return ExitStatus.unmet;
}

/** @throws SophiaError (foreign-file, 125) */
function refuseForeign(stale: readonly Document[]): void {
  const foreign = stale.filter(
    ({ path, current = "" }) => !path.endsWith(".md") && current.trim() !== "" && !isOurs(current),
  );
  if (foreign.length === 0) return;
  throw new SophiaError({
    code: "foreign-file",
    message: `${enumerate(foreign.map(({ name }) => name))} ${foreign.length === 1 ? "was" : "were"} not written by sophia-run docs; nothing was changed`,
    hint: "replace with --force, or name the files to write: sophia-run docs SECRETS.md",
  });
}
