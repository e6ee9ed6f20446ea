/** The notices of an assessment, in the order of the messages. Loaded only if there may be something. */
import { isDeclared } from "../contract/check.ts";
import type { Notice } from "../core/model.ts";
import { exposedNotices } from "./exposed.ts";
import type { Preceded } from "./precede.ts";
import { withholding } from "./select.ts";
import { withheldNotices } from "./withheld-notices.ts";

export async function noticesOf(preceded: Preceded): Promise<readonly Notice[]> {
  const { sources, layers, selection, resolution, selected } = preceded;
  const { request, dotenv, access, contract, esc } = sources;
  const { settings, environment, cwd } = request;
  const declared = (name: string): boolean => isDeclared(contract, name);
  return [
    ...dotenv.notices,
    ...(dotenv.files.some(({ references }) => references === true)
      ? (await import("./references.ts")).usedReferences(
          resolution,
          selected,
          (name) => settings.enforceContract && declared(name),
        )
      : []),
    ...exposedNotices(dotenv, contract, environment, cwd),
    ...sources.accessNotices,
    ...withheldNotices(layers, selected, selection, withholding(selection, declared), {
      ...settings,
      esc: access.kind,
    }),
    ...sources.notices,
    ...(esc.kind === "unavailable" ? esc.settings.ignoredNetwork : []),
    ...preceded.notices,
    ...(await unmatched(preceded)),
    ...(layers.some(({ source }) => source === "override")
      ? (await import("./override.ts")).overrideNotices(selected)
      : []),
    ...(await shadowed(preceded)),
  ];
}

/** Reports globs of `--include`; an ESC that was not read may have the variable. */
async function unmatched({ sources, selection, resolution }: Preceded): Promise<readonly Notice[]> {
  const { contract, esc } = sources;
  if (selection.include.length === 0 || esc.kind === "unavailable" || esc.kind === "refused") return [];
  const names = [...resolution.keys(), ...contract.variables.keys()];
  return (await import("./unmatched.ts")).unmatchedNotices(selection, names);
}

/** Reports values of ESC that the environment overrides; the dummies of an outer sophia-run stand for them. */
async function shadowed({ sources, overridden }: Preceded): Promise<readonly Notice[]> {
  const { request, contract } = sources;
  if (overridden.length === 0) return [];
  const replaced = request.environment.has("SOPHIA_BROKERED")
    ? (await import("./brokered.ts")).replacedVariables(request.environment, contract)
    : new Set<string>();
  const names = overridden.filter((name) => !replaced.has(name));
  return names.length === 0 ? [] : [{ kind: "shadowed", names }];
}
