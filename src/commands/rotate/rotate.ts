import { resolveSettings } from "../../command-line/settings.ts";
import { declarationOf } from "../../contract/check-contract.ts";
import { loadContract } from "../../contract/find-contract.ts";
import { credentialOf } from "../../contract/looks-secret.ts";
import { ExitStatus } from "../../core/error.ts";
import type { Line } from "../../core/lines.ts";
import { shellWord } from "../../core/shell.ts";
import { didYouMean } from "../../core/suggest.ts";
import { printable } from "../../core/text.ts";
import {
  type ChangeResult,
  changeEnvironment,
  type EnvironmentState,
  formatRevision,
  readCurrent,
  readDespiteSchema,
} from "../../esc/api/change.ts";
import { rotateByEsc } from "../../esc/api/definition-requests.ts";
import type { VariableChange } from "../../esc/definition/definition-variables.ts";
import { findRotation } from "../../esc/definition/follow-references.ts";
import { parseDefinition } from "../../esc/definition/nodes.ts";
import { setVariables } from "../../esc/definition/edit.ts";
import { variableNames, findVariable } from "../../esc/definition/definition-variables.ts";
import { statusOf } from "../../esc/faults/esc-fault.ts";
import { formatName } from "../../esc/settings/environment-names.ts";
import { printReport } from "../../output/colour.ts";
import type { Command } from "../command.ts";
import { confirm } from "../parts/confirm.ts";
import { conflict, usageError } from "../parts/mistakes.ts";
import {
  askEachEnvironment,
  askOnlyEnvironment,
  type EscTarget,
  requireOnlyEnvironment,
  restrictTarget,
} from "../parts/writing/esc-target.ts";
import { writeAccess, writeQuestion } from "../parts/writing/write-access.ts";
import { changedMeanwhile, type EffectiveChange, effectiveChange, valueIn } from "../parts/writing/write-change.ts";
import { newValue } from "./new-value.ts";
import { findSource, isAbsent, placeError, refuseComputed, type ValueSource } from "./value-source.ts";

interface Replacement {
  readonly change: VariableChange;
  readonly value: string;
  readonly words: string;
}

export const rotate: Command = async ({ options, positionals: [name = ""] }, context) => {
  const settings = resolveSettings(options, context.environment);
  const { to } = options;
  const inEnvironment = typeof options["in"] === "string" ? options["in"] : undefined;
  const [generated, isDry] = [options["generate"] === true, options["dry-run"] === true];
  if (generated && to !== undefined) throw conflict("--generate", "--to");
  const contract = await loadContract(settings, context);
  const declaration = declarationOf(contract, name);
  const isYes = options["yes"] === true;
  const writing = { isDry, isConfirmed: isYes, alwaysByAdmin: true };
  const access = await writeAccess(inEnvironment, settings, context, writing);
  if (inEnvironment !== undefined) requireOnlyEnvironment(access);

  const all = await askEachEnvironment(access, readDespiteSchema);
  // With several environments it is unknown to which one the revision belongs.
  const [only, ...others] = all;
  const isRemoved = typeof to === "string" && others.length === 0 && isAbsent(name, all);
  const source = isRemoved ? undefined : findSource(name, all);
  const current = source?.current ?? only;
  if (current === undefined) throw new TypeError("no environment was asked");
  const target = restrictTarget(current.name, requestedOf(current, access));
  const where = `${printable(name)} in ${printable(formatRevision(current))}`;
  const showChange = (words: string): void => printReport(context, `${where}:\n  ${isRemoved ? "+" : "~"} ${words}\n`);
  const question =
    access.chosenBy === undefined ? "Change it?" : writeQuestion(`Change it in ${formatName(current.name)}`, access);
  const isConfirmed = async (): Promise<boolean> => {
    if (isDry) printReport(context, "Nothing was written: --dry-run.\n");
    else if (await confirm(question, isYes, context)) return true;
    else printReport(context, "Nothing was written.\n");
    return false;
  };
  const unwritten = isDry ? ExitStatus.ok : ExitStatus.unmet;
  const finish = (changed: ChangeResult, canRestore: boolean): number => {
    const done = effectiveChange(changed, access);
    if (typeof done === "number") return done;
    printReport(context, doneLines(name, done, inEnvironment, canRestore));
    return ExitStatus.ok;
  };

  const rotation = source === undefined ? undefined : rotationOf(source);
  if (source !== undefined && rotation !== undefined) {
    if (to !== undefined || generated) {
      throw placeError(`ESC rotates ${printable(name)} itself (fn::rotate)`, "leave out --generate and --to");
    }
    const isOwn = source.defined.kind === "rotated";
    showChange(
      isOwn ? "ESC rotates it (fn::rotate)" : `refers to a value that ESC rotates: ${printable(rotation)} (fn::rotate)`,
    );
    if (!(await isConfirmed())) return unwritten;
    return finish(await rotateInEsc(source, rotation, target), false);
  }
  if (source !== undefined) refuseComputed(name, source);
  let replacement: Replacement;
  if (typeof to === "string" || source === undefined) {
    replacement = await fromRevision(name, String(to), target);
  } else {
    const value = await newValue(name, declaration, generated, source.variable.value, context);
    const secret =
      (declaration?.secret ?? true) ||
      source.defined.kind === "secret" ||
      credentialOf(contract, name, value) !== undefined;
    const words = `a ${generated ? "generated" : "new"} value, ${secret ? "secret" : "plain text"}`;
    replacement = { change: { kind: "value", name, value, secret }, value, words };
  }
  if (replacement.value === source?.variable.value) {
    printReport(context, `✅ ${where} already has this value.\n`);
    return ExitStatus.ok;
  }
  showChange(replacement.words);
  if (!(await isConfirmed())) return unwritten;
  const edit = (now: EnvironmentState): string | undefined => {
    const value = valueIn(now, name);
    if (value === replacement.value) return undefined;
    if (value !== source?.variable.value) throw changedMeanwhile(name, now);
    if (typeof to !== "string" || !isAbsent(name, [now])) refuseComputed(name, findSource(name, [now]));
    return setVariables(now.definition.yaml, [replacement.change]);
  };
  const changed = await askOnlyEnvironment(target, (full, connection) =>
    changeEnvironment(full, connection, edit, [replacement.value], readDespiteSchema),
  );
  return finish(changed, !isRemoved);
};

function requestedOf(current: EnvironmentState, target: EscTarget): EscTarget {
  const requested = target.esc.environments.filter(({ name, project }) => {
    const { name: own, project: ownProject, organization } = current.name;
    return name === own && (project === undefined || project === ownProject || project === organization);
  });
  return requireOnlyEnvironment({ ...target, esc: { ...target.esc, environments: requested.slice(-1) } });
}

async function fromRevision(name: string, version: string, target: EscTarget): Promise<Replacement> {
  if (!/^[\w.-]{1,100}$/.test(version) || /^\.+$/.test(version)) {
    throw usageError("--to needs a revision number or a tag", "pulumi env version history lists them");
  }
  const then = await askOnlyEnvironment(target, async (full, connection) => {
    try {
      return await readCurrent({ ...full, version }, connection);
    } catch (error) {
      // The environment exists: it has just been read.
      if (statusOf(error) !== 404) throw error;
      const own = printable(formatName(full));
      throw placeError(
        `${own} has no revision or tag ${printable(version)}`,
        `pulumi env version history ${own} lists the revisions`,
      );
    }
  });
  const old = valueIn(then, name);
  const defined = findVariable(then.definition, name);
  const isStored = defined?.kind === "secret" || defined?.kind === "value";
  if (defined === undefined || old === undefined || !isStored) {
    const guess = defined === undefined ? didYouMean(name, [...variableNames(then.definition)]) : "";
    throw placeError(
      `revision ${version} has no stored value of ${printable(name)}${guess}`,
      `pulumi env version history ${target.esc.environments[0]?.text ?? ""} lists the revisions`,
    );
  }
  const change = { kind: "node", name, text: defined.text } as const;
  return { change, value: old, words: `its value of revision ${version}; nothing else changes` };
}

/** Returns the property that ESC rotates itself, if the variable is one or refers to one. */
function rotationOf({ defined, variable, current }: ValueSource): string | undefined {
  if (defined.kind === "secret" || defined.kind === "value") return undefined;
  return findRotation(parseDefinition(current.definition.yaml), ["environmentVariables", variable.name]);
}

function rotateInEsc({ variable }: ValueSource, property: string, target: EscTarget): Promise<ChangeResult> {
  return askOnlyEnvironment(target, async (full, connection): Promise<ChangeResult> => {
    const before = await readCurrent(full, connection);
    await rotateByEsc(full, [property], connection);
    const after = await readCurrent(full, connection);
    const isNew = valueIn(after, variable.name) !== variable.value;
    return isNew ? { kind: "done", wrote: true, before, after } : { kind: "without-effect", before, after };
  });
}

function doneLines(
  name: string,
  { before, after }: EffectiveChange,
  inEnvironment: string | undefined,
  canRestore: boolean,
): readonly Line[] {
  const [was, is] = [before.definition.revision, after.definition.revision];
  const shown = printable(name);
  const where = inEnvironment === undefined ? "" : ` --in ${shellWord(inEnvironment)}`;
  const isKnown = was !== undefined && is !== undefined;
  return [
    `✅ ${shown} has a new value in ${printable(formatName(after.name))}.${isKnown ? ` Revision ${was} is now ${is}.` : ""}`,
    ...(isKnown && canRestore
      ? [`   To restore the old value: sophia-run rotate ${shellWord(shown)} --to ${was}${where}`]
      : []),
    "",
    "Running programs still have the old value. sophia-run --watch restarts its program by itself; restart the " +
      "others by their names:",
    { text: "  docker compose up --detach --force-recreate", whole: true },
    { text: "  kubectl rollout restart deployment/NAME", whole: true },
    { text: "  sudo systemctl restart NAME", whole: true },
    "Then run sophia-run check, and revoke the old value where it was issued.",
  ];
}
