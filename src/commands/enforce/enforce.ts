/** `sophia-run enforce`: writes the contract into an ESC environment as a schema, by which ESC checks its values. */
import { resolveSettings } from "../../command-line/settings.ts";
import { loadContract } from "../../contract/find-contract.ts";
import type { Contract } from "../../contract/contract-model.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import type { Line } from "../../core/lines.ts";
import { enumerateFew } from "../../core/lines.ts";
import { changeEnvironment, type EnvironmentState, formatRevision, readOrEvaluate } from "../../esc/api/change.ts";
import { entryOf, printOfLines, removeEntry, setEntry, type ValuesEntry } from "../../esc/definition/edit-entry.ts";
import { formatName } from "../../esc/settings/environment-names.ts";
import { printReport } from "../../output/colour.ts";
import { namedContract, reportViolations } from "../../output/violations.ts";
import { setOffer } from "../../output/unmet.ts";
import { isOwnVariable } from "../../resolve/reserved-names.ts";
import { matcher } from "../../resolve/name-globs.ts";
import type { Values } from "../../command-line/options.ts";
import type { Command } from "../command.ts";
import { confirm } from "../parts/confirm.ts";
import { conflict, usageError } from "../parts/mistakes.ts";
import { askOne, requireOne, targetFor, writeAccess, writeQuestion } from "../parts/writing/write-access.ts";
import { effectiveChange, revisionsText } from "../parts/writing/write-change.ts";
import { blockDiff } from "./block-diff.ts";
import { type ContractSchema, contractSchema, DESCRIPTION } from "./contract-schema.ts";
import { validationLines } from "./schema-text.ts";
import { presentViolations } from "./present-violations.ts";

export const enforce: Command = async ({ options }, context) => {
  const settings = resolveSettings(options, context.environment);
  const request = requestOf(options);
  const contract = await loadContract(settings, context);
  const isDry = options["dry-run"] === true || request.purpose === "check";
  const isConfirmed = options["yes"] === true;
  const access = await writeAccess(options["in"], settings, context, { isDry, isConfirmed });
  const current = await askOne(requireOne(access), readOrEvaluate);
  const plan = planFor(request, contract, current);
  const name = formatName(current.name);

  if (request.purpose === "check") {
    printReport(context, checkText(plan, current));
    return plan.edited === undefined ? ExitStatus.ok : ExitStatus.unmet;
  }
  if (plan.edited === undefined) {
    const unchanged =
      request.purpose === "remove" ? "has no schema of a contract" : "is checked by this contract already";
    printReport(context, [`✅ ${name} ${unchanged}.`, ...gapLines(plan)]);
    return ExitStatus.ok;
  }
  if (request.purpose === "write") {
    const { violations, selected } = presentViolations(contract, plan.isEnforced, current);
    if (violations.length > 0) {
      const { lines } = reportViolations(
        violations,
        contract,
        selected,
        name,
        setOffer(context),
        namedContract(settings),
      );
      printReport(context, [
        `Nothing was written: values of ${formatRevision(current)} violate the contract.`,
        ...lines,
      ]);
      return ExitStatus.config;
    }
  }
  printReport(context, [...diffLines(plan, current), ...gapLines(plan)]);
  if (isDry) {
    printReport(context, "Nothing was written: --dry-run.\n");
    return ExitStatus.ok;
  }
  const change = request.purpose === "remove" ? `Remove the schema from ${name}` : `Write the schema to ${name}`;
  if (!(await confirm(writeQuestion(change, access), isConfirmed, context))) {
    printReport(context, "Nothing was written.\n");
    return ExitStatus.unmet;
  }
  const edit = (now: EnvironmentState): string | undefined => planFor(request, contract, now).edited;
  const changed = await askOne(targetFor(current.name, access), (full, connection) =>
    changeEnvironment(full, connection, edit, [], readOrEvaluate),
  );
  const done = effectiveChange(changed, context);
  if (typeof done === "number") return done;
  const result = request.purpose === "remove" ? "The schema is removed." : `ESC checks ${name} by the contract now.`;
  printReport(context, `✅ ${result} ${revisionsText(done)}\n`);
  return ExitStatus.ok;
};

interface Request {
  readonly purpose: "write" | "check" | "remove";
  /** The entry of `values` that has the schema. */
  readonly key: string;
  readonly only: readonly string[];
  readonly except: readonly string[];
}

/** @throws SophiaError (usage, 125) for options that exclude each other, or a name that cannot be a key */
function requestOf(options: Values): Request {
  const isCheck = options["check"] === true;
  const isRemove = options["remove"] === true;
  if (isCheck && isRemove) throw conflict("--check", "--remove");
  const key = typeof options["key"] === "string" ? options["key"] : "contract";
  if (!/^[A-Za-z_][\w-]*$/.test(key)) {
    throw usageError("--key takes a name of letters, digits, _ and -", "leave it out for the key contract");
  }
  if (key === "environmentVariables" || key === "files" || key === "pulumiConfig") {
    throw usageError(
      `--key: ESC itself gives ${key} a meaning`,
      "choose another name, or leave it out for the key contract",
    );
  }
  const list = (name: string): readonly string[] => {
    const given = options[name];
    return Array.isArray(given) ? given : [];
  };
  return {
    purpose: isCheck ? "check" : isRemove ? "remove" : "write",
    key,
    only: list("only"),
    except: list("except"),
  };
}

interface Plan {
  readonly key: string;
  readonly translated: ContractSchema;
  readonly isEnforced: (name: string) => boolean;
  /** The entry that the environment has now. */
  readonly entry: ValuesEntry | undefined;
  /** The definition with the change; undefined if nothing changes. */
  readonly edited: string | undefined;
}

/** Plans the change of one revision. @throws SophiaError (esc-edit, 125) if it cannot be made safely */
function planFor(request: Request, contract: Contract, { definition, opened }: EnvironmentState): Plan {
  const { key, purpose } = request;
  const isIncluded = request.only.length === 0 ? (): boolean => true : matcher(request.only);
  const isExcluded = matcher(request.except);
  const isEnforced = (name: string): boolean => isIncluded(name) && !isExcluded(name) && !isOwnVariable(name);
  const files = new Set(opened.variables.flatMap(({ name, delivery }) => (delivery === "file" ? [name] : [])));
  const translated = contractSchema(contract, { isEnforced, files, title: titleOf(contract) });
  const lines = validationLines(translated.schema, 0);
  const entry = entryOf(definition.yaml, key);
  const plan = { key, translated, isEnforced, entry };
  if (entry !== undefined && !JSON.stringify(entry.print).includes(JSON.stringify(`s ${DESCRIPTION}`))) {
    throw new SophiaError({
      code: "esc-edit",
      message: `values.${key} of the definition is not a schema of sophia-run`,
      hint: "choose another name for the schema: --key NAME",
    });
  }
  if (purpose === "remove") {
    return { ...plan, edited: entry === undefined ? undefined : removeEntry(definition.yaml, key) };
  }
  if (entryOf(definition.yaml, "environmentVariables") === undefined) {
    throw new SophiaError({
      code: "esc-edit",
      message: "the definition has no environmentVariables to check",
      hint: "name the environment that has them: --in organization/project/environment",
    });
  }
  const isSame = entry !== undefined && JSON.stringify(entry.print) === JSON.stringify(printOfLines(lines));
  return { ...plan, edited: isSame ? undefined : setEntry(definition.yaml, key, lines) };
}

/** Returns what readers of the definition know the contract by. */
function titleOf({ source, name }: Contract): string {
  if (name !== undefined) return name;
  return source.kind === "file" ? "sophia.contract.json" : "the built-in contract of sophia-run";
}

function checkText({ edited, entry, key }: Plan, current: EnvironmentState): readonly Line[] {
  const environment = formatRevision(current);
  if (edited === undefined) return [`✅ ${environment} is checked by this contract.`];
  const why = entry === undefined ? "is missing" : "is not what the contract gives";
  return [
    `❌ ${environment}: the schema values.${key} ${why}. To write it:`,
    { text: `   sophia-run enforce --in ${formatName(current.name)}`, whole: true },
  ];
}

function diffLines({ entry, edited, key }: Plan, current: EnvironmentState): readonly Line[] {
  const after = edited === undefined ? undefined : entryOf(edited, key);
  const blockOf = (one: ValuesEntry | undefined, other: ValuesEntry | undefined) => ({
    lines: one === undefined ? [] : one.text.split(/\r?\n/),
    line: one?.line ?? other?.line ?? 1,
  });
  const name = formatName(current.name);
  return [
    `--- ${formatRevision(current)}`,
    `+++ ${name}`,
    ...blockDiff(blockOf(entry, after), blockOf(after, entry)),
  ].map((text) => ({ text, whole: true }));
}

const MOST_NAMES = 12;

/** Returns a line for each thing that only a start checks. */
function gapLines({ translated: { gaps } }: Plan): readonly Line[] {
  return Array.from(gaps, ([what, names]) => ({
    text: `➖ checked at a start only: ${what} (${enumerateFew(names, MOST_NAMES)})`,
    hang: 3,
  }));
}
