/** The notices of a start, in the order of the messages. */
import { isDeclared } from "../contract/check-contract.ts";
import type { Notice } from "../core/model.ts";
import { overrideNotices } from "./override.ts";
import { overriddenEsc } from "./precedence.ts";
import { usedReferenceNotices } from "./reference-notices.ts";
import { isOwnVariable } from "./reserved-names.ts";
import { createWithholdingRule } from "./select.ts";
import type { Start } from "./start.ts";
import { withheldNotices } from "./withheld-notices.ts";

export async function noticesOf(start: Omit<Start, "verdict">): Promise<readonly Notice[]> {
  const { environment, settings, places, store, values } = start;
  const { contract, all: files } = start.files;
  // Rare, and with the tables that find credentials, or similar names.
  const isExposed = files.files.some(({ exposed }) => exposed === true);
  const exposed = isExposed
    ? (await import("./exposed-files.ts")).exposedNotices(files, contract, environment, places.cwd)
    : [];
  const unmatched = settings.include.length > 0 ? (await import("./unmatched.ts")).unmatchedNotices(start) : [];
  if (values.isCallers) return [...files.notices, ...values.notices, ...unmatched];
  const { layers, selection, resolution, selected } = values;
  const declared = (name: string): boolean => isDeclared(contract, name);
  const haveReferences = files.files.some(({ references }) => references === true);
  const haveOverride = layers.some(({ source }) => source === "override");
  return [
    ...files.notices,
    ...(haveReferences
      ? usedReferenceNotices(resolution, selected, (name) => settings.enforceContract && declared(name))
      : []),
    ...exposed,
    ...store.accessNotices,
    ...(values.isWhole
      ? []
      : withheldNotices(layers, selected, selection, createWithholdingRule(selection, declared), {
          ...settings,
          esc: store.access.kind,
        })),
    ...store.notices,
    ...(store.esc.kind === "unavailable" ? store.esc.settings.ignoredNetwork : []),
    ...values.notices,
    ...unmatched,
    ...(haveOverride ? overrideNotices(selected) : []),
    ...(store.layers.length === 0 ? [] : await shadowed(start)),
  ];
}

/** Reports values of ESC that the environment overrides; the dummies of an outer sophia-run stand for them. */
async function shadowed({ environment, files, values }: Omit<Start, "verdict">): Promise<readonly Notice[]> {
  const overridden = overriddenEsc(
    values.resolution,
    (name) => isDeclared(files.contract, name) && !isOwnVariable(name),
  );
  if (overridden.length === 0) return [];
  const replaced = environment.has("SOPHIA_BROKERED")
    ? (await import("./outer-broker.ts")).replacedVariables(environment, files.contract)
    : new Set<string>();
  const names = overridden.filter((name) => !replaced.has(name));
  return names.length === 0 ? [] : [{ kind: "shadowed", names }];
}
