/**
 * Implements `sophia-run rotate NAME --to REVISION`, which restores the value that the variable had in an earlier revision of the
 * environment's definition.
 */
import { didYouMean } from "../../core/suggest.ts";
import { printable } from "../../core/text.ts";
import { type EnvironmentState, readCurrent } from "../../esc/api/change.ts";
import { findVariable, variableNames } from "../../esc/definition/definition-variables.ts";
import { statusOf } from "../../esc/faults/esc-fault.ts";
import { formatName } from "../../esc/settings/environment-names.ts";
import { usageError } from "../parts/usage-errors.ts";
import { askOnlyEnvironment, type EscTarget } from "../parts/writing/esc-target.ts";
import { findValue } from "../parts/writing/write-change.ts";
import type { Replacement } from "./replacement.ts";
import { createPlaceError } from "./value-source.ts";

/**
 * Returns the change that restores the text of a variable as it was in a revision, or in a revision with a tag.
 *
 * @throws SophiaError (usage, 125) for a malformed version, (rotate-place, 125) if there is no such revision, or no value in it
 */
export async function restoreFromRevision(name: string, version: string, target: EscTarget): Promise<Replacement> {
  if (!/^[\w.-]{1,100}$/.test(version) || /^\.+$/.test(version)) {
    throw usageError("--to needs a revision number or a tag", "pulumi env version history lists them");
  }
  const revision = await readRevision(version, target);
  const value = findValue(revision, name);
  const defined = findVariable(revision.definition, name);
  const isStored = defined?.kind === "secret" || defined?.kind === "value";
  if (defined === undefined || value === undefined || !isStored) {
    const suggestion = defined === undefined ? didYouMean(name, [...variableNames(revision.definition)]) : "";
    throw createPlaceError(
      `revision ${version} has no stored value of ${printable(name)}${suggestion}`,
      `pulumi env version history ${target.esc.environments[0]?.text ?? ""} lists the revisions`,
    );
  }
  // The node of the definition is copied, so that a secret stays encrypted.
  const change = { kind: "node", name, text: defined.text } as const;
  return { change, value, description: `its value of revision ${version}; nothing else changes` };
}

async function readRevision(version: string, target: EscTarget): Promise<EnvironmentState> {
  return askOnlyEnvironment(target, async (fullName, connection) => {
    try {
      return await readCurrent({ ...fullName, version }, connection);
    } catch (error) {
      // The environment has just been read, so that only the revision can be missing.
      if (statusOf(error) !== 404) throw error;
      const environment = printable(formatName(fullName));
      throw createPlaceError(
        `${environment} has no revision or tag ${printable(version)}`,
        `pulumi env version history ${environment} lists the revisions`,
      );
    }
  });
}
