/**
 * Collects the notices of a start, which are warnings and remarks for the user, in the order in which they are printed.
 * reach-verdict.ts calls `collectNotices` when all else about the start is known.
 */
import { isDeclared } from "../contract/check-contract.ts";
import type { Notice } from "../core/model.ts";
import { overrideNotices } from "./override.ts";
import { findOverriddenNames } from "./precedence.ts";
import { usedReferenceNotices } from "./reference-notices.ts";
import { isOwnVariable } from "./reserved-names.ts";
import { createWithholdingRule } from "./select.ts";
import type { Start } from "./start.ts";
import { createWithheldNotices } from "./withheld-notices.ts";

/** Returns the notices of all stages. A plain start, whose variables are all the caller's, has few and returns early. */
export async function collectNotices(start: Omit<Start, "verdict">): Promise<readonly Notice[]> {
  const { environment, settings, places, store, values } = start;
  const { contract, all: files } = start.files;
  // World-readable files and globs without a match are rare. Their code is loaded only if needed, because it has large tables.
  const isExposed = files.files.some(({ exposed }) => exposed === true);
  const exposed = isExposed
    ? (await import("./exposed-files.ts")).exposedNotices(files, contract, environment, places.cwd)
    : [];
  const unmatched = settings.include.length > 0 ? (await import("./unmatched.ts")).unmatchedNotices(start) : [];
  if (values.isFromCallerAlone) return [...files.notices, ...values.notices, ...unmatched];
  const { layers, selection, resolution, selected } = values;
  const isDeclaredName = (name: string): boolean => isDeclared(contract, name);
  const hasReferences = files.files.some(({ references }) => references === true);
  const hasOverride = layers.some(({ source }) => source === "override");
  return [
    ...files.notices,
    ...(hasReferences
      ? usedReferenceNotices(resolution, selected, (name) => settings.enforceContract && isDeclaredName(name))
      : []),
    ...exposed,
    ...store.accessNotices,
    ...(values.isEverythingPassed
      ? []
      : createWithheldNotices(
          layers,
          { selected, risks: selection.risks, reasonFor: createWithholdingRule(selection, isDeclaredName) },
          { keepEsc: settings.keepEsc, esc: store.access.kind },
        )),
    ...store.notices,
    ...(store.esc.kind === "unavailable" ? store.esc.settings.ignoredNetwork : []),
    ...values.notices,
    ...unmatched,
    ...(hasOverride ? overrideNotices(selected) : []),
    ...(store.layers.length === 0 ? [] : await shadowedNotices(start)),
  ];
}

/** Returns a notice for values of ESC that the environment overrides. The dummies of an outer sophia-run are not reported. */
async function shadowedNotices({ environment, files, values }: Omit<Start, "verdict">): Promise<readonly Notice[]> {
  const overridden = findOverriddenNames(
    values.resolution,
    (name) => isDeclared(files.contract, name) && !isOwnVariable(name),
  );
  if (overridden.length === 0) return [];
  const replaced = environment.has("SOPHIA_BROKERED")
    ? (await import("./outer-broker.ts")).findReplacedVariables(environment, files.contract)
    : new Set<string>();
  const names = overridden.filter((name) => !replaced.has(name));
  return names.length === 0 ? [] : [{ kind: "shadowed", names }];
}
