/** `sophia-run enforce`: writes the contract into an ESC environment as a schema, by which ESC checks its values. */
import { resolveSettings } from "../../command-line/settings.ts";
import { loadContract } from "../../contract/find-contract.ts";
import type { Contract } from "../../contract/contract-model.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import type { Line } from "../../core/lines.ts";
import { enumerateFew } from "../../core/lines.ts";
import { enumerate } from "../../core/text.ts";
import { changeEnvironment, type EnvironmentState, formatRevision, readOrEvaluate } from "../../esc/api/change.ts";
import { entryOf, removeEntry, setEntry, type ValuesEntry } from "../../esc/definition/edit-entry.ts";
import { listReferrers } from "../../esc/api/referrers.ts";
import { formatName } from "../../esc/settings/environment-names.ts";
import { printReport } from "../../output/colour.ts";
import { makeProgress } from "../../output/progress.ts";
import { namedContract, reportViolations } from "../../output/violations.ts";
import { setOffer } from "../../output/unmet.ts";
import type { Values } from "../../command-line/options.ts";
import type { Command } from "../command.ts";
import { askApart } from "../parts/ask-esc.ts";
import { canAsk, confirm } from "../parts/confirm.ts";
import { schemaState, type SchemaRequest, type SchemaState } from "../parts/enforcement/schema-entry.ts";
import { conflict, usageError } from "../parts/mistakes.ts";
import {
  askOnlyEnvironment,
  type EscTarget,
  requireOnlyEnvironment,
  restrictTarget,
} from "../parts/writing/esc-target.ts";
import { writeAccess, writeQuestion } from "../parts/writing/write-access.ts";
import { effectiveChange, revisionsText } from "../parts/writing/write-change.ts";
import { blockDiff } from "./block-diff.ts";
import { presentViolations } from "./present-violations.ts";

export const enforce: Command = async ({ options }, context) => {
  const settings = resolveSettings(options, context.environment);
  const request = requestOf(options);
  const contract = await loadContract(settings, context);
  const isDry = options["dry-run"] === true || request.purpose === "check";
  const isConfirmed = options["yes"] === true;
  const access = await writeAccess(options["in"], settings, context, { isDry, isConfirmed });
  const current = await askOnlyEnvironment(requireOnlyEnvironment(access), readOrEvaluate);
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
        true,
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
  const writing = async (): Promise<string> =>
    `Write the schema to ${name}${isConfirmed ? "" : await usedBy(restrictTarget(current.name, access))}`;
  const change = request.purpose === "remove" ? `Remove the schema from ${name}` : await writing();
  if (!(await confirm(writeQuestion(change, access), isConfirmed, context))) {
    printReport(context, "Nothing was written.\n");
    return ExitStatus.unmet;
  }
  const edit = (now: EnvironmentState): string | undefined => planFor(request, contract, now).edited;
  const changed = await askOnlyEnvironment(restrictTarget(current.name, access), (full, connection) =>
    changeEnvironment(full, connection, edit, [], readOrEvaluate),
  );
  const done = effectiveChange(changed, access);
  if (typeof done === "number") return done;
  const result = request.purpose === "remove" ? "The schema is removed." : `ESC checks ${name} by the contract now.`;
  printReport(context, `✅ ${result} ${revisionsText(done)}\n`);
  return ExitStatus.ok;
};

const MOST_REFERRERS = 5;

/** Names what else a schema affects, for a question; empty if there is nothing, or if the service does not name it. */
async function usedBy({ esc, settings, context }: EscTarget): Promise<string> {
  if (!canAsk(context)) return "";
  const progress = await makeProgress(context, settings);
  const [referrers] = await askApart(esc, progress, listReferrers).finally(progress.done);
  const { names = [], hasMore = false } = referrers ?? {};
  if (names.length === 0) return "";
  const shown = names.slice(0, MOST_REFERRERS);
  const left = names.length - shown.length;
  const rest = hasMore ? ["others"] : left > 0 ? [`${left} more`] : [];
  return `, which ${enumerate([...shown, ...rest])} ${names.length === 1 && !hasMore ? "uses" : "use"}`;
}

interface Request extends SchemaRequest {
  readonly purpose: "write" | "check" | "remove";
}

/** @throws SophiaError (usage, 125) for options that exclude each other, or a name that cannot be a key */
function requestOf(options: Values): Request {
  const isCheck = options["check"] === true;
  const isRemove = options["remove"] === true;
  if (isCheck && isRemove) throw conflict("--check", "--remove");
  const key = typeof options["key"] === "string" ? options["key"] : undefined;
  if (key !== undefined && !/^[A-Za-z_][\w-]*$/.test(key)) {
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
  const purpose = isCheck ? "check" : isRemove ? "remove" : "write";
  const selection = { only: list("only"), except: list("except") };
  // Without these options a check is about what the schema was written for.
  const isOpen = purpose === "check" && selection.only.length + selection.except.length === 0;
  return { purpose, key, selection: isOpen ? undefined : selection };
}

interface Plan extends SchemaState {
  /** The definition with the change; undefined if nothing changes. */
  readonly edited: string | undefined;
}

/** Plans the change of one revision. @throws SophiaError (esc-edit, 125) if it cannot be made safely */
function planFor(
  request: Request,
  contract: Contract,
  { definition, opened, hidden = new Map() }: EnvironmentState,
): Plan {
  const { yaml } = definition;
  const variables = [...opened.variables, ...hidden.values()];
  const files = new Set(variables.flatMap(({ name, delivery }) => (delivery === "file" ? [name] : [])));
  const schema = schemaState(contract, yaml, files, request);
  const { key, entry, lines, state } = schema;
  if (request.purpose === "remove") {
    return { ...schema, edited: entry === undefined ? undefined : removeEntry(yaml, key) };
  }
  if (entryOf(yaml, "environmentVariables") === undefined) {
    throw new SophiaError({
      code: "esc-edit",
      message: "the definition has no environmentVariables to check",
      hint: "name the environment that has them: --in organization/project/environment",
    });
  }
  return { ...schema, edited: state === "current" ? undefined : setEntry(yaml, key, lines) };
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
