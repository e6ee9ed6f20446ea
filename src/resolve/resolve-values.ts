/** Stage 5 of a start: which source's value of each variable the program gets. */
import { isDeclared, isSet } from "../contract/check-contract.ts";
import type { Contract } from "../contract/contract-model.ts";
import type { Layer, Resolution } from "../core/model.ts";
import { FROM_FILES } from "../esc/settings/from-files.ts";
import { environmentLayer } from "../sources/environment-layer.ts";
import { inPrecedence, resolveLayers } from "./precedence.ts";
import { createMatcher } from "./name-globs.ts";
import { passesWholeEnvironment, selectVariables, type Selection } from "./select.ts";
import { isOwnVariable } from "./reserved-names.ts";
import type { Start, Values } from "./start.ts";
import { findRisks, addMarkOfFiles, NO_RISKS } from "./marks-of-files.ts";

type Sources = Pick<Start, "environment" | "settings" | "files" | "store">;

/** Selects the variables of each source, then gives each the value of the source with the highest precedence. */
export async function resolveValues(start: Sources): Promise<Values> {
  const { environment, settings, store } = start;
  const { contract, all: files } = start.files;
  const folded = environment.foldsCase === true ? await import("./case-insensitive.ts") : undefined;
  const declared = (name: string): boolean => isDeclared(contract, name);

  const read = [environmentLayer(environment), ...store.layers, ...files.layers];
  const spelled = folded?.unifySpellings(read, contract);
  const named = spelled?.layers ?? read;
  // The built-in contract has neither aliases nor defaults.
  const completed =
    contract.source.kind === "built-in"
      ? { layers: named, notices: [] }
      : (await import("../contract/apply.ts")).applyContract(contract, named);
  const isCallers =
    completed.layers === read && read.length === 1 && store.access.kind === "off" && !environment.has(FROM_FILES);
  const layers = isCallers ? read : inPrecedence(completed.layers, settings.prefer);

  const allow = folded === undefined ? settings.allow : settings.allow.map(folded.spellByRules);
  const risks = isCallers
    ? NO_RISKS
    : await findRisks(layers, {
        isFound: (path) => files.files.some((file) => file.path === path && file.found),
        isContractNamed: settings.contractFile !== undefined,
        contract,
        isAllowed: (name) => allow.includes(name),
        isDeclared: declared,
        keepEsc: settings.keepEsc,
      });
  const selection: Selection = {
    ...settings,
    usesFiles: store.esc.kind !== "refused",
    pointers: files.pointers ?? [],
    usesIdToken: store.access.kind === "on" && store.access.settings.credential.kind === "github-actions",
    allow,
    risks: risks.byName,
    outOfScope: contract.scope?.outside,
    ...(settings.prefer === "esc" && { overridable: environment }),
    ...(folded && { folding: folded.WINDOWS_NAME_RULES }),
  };
  const passed =
    isCallers && passesWholeEnvironment(selection, environment) ? layers : selectVariables(layers, selection, declared);
  const required =
    settings.include.length === 0 ? contract : await included(contract, selection, resolveLayers(passed, declared));

  const { fake } = settings;
  const dummies = fake === undefined ? NO_DUMMIES : await dummiesFor(fake, required, passed, selection.folding);
  const { above, below } = dummies;
  const resolution = resolveLayers([...above, ...layers, ...below], declared);
  // Most programs get everything; resolving thousands of variables a second time takes milliseconds.
  const isWhole = passed.every((layer, index) => layer === layers[index]);
  const passedOn = isWhole ? resolution : resolveLayers([...above, ...passed, ...below], declared);
  const unmarked = folded?.foldResolution(passedOn) ?? passedOn;
  const selected = isCallers ? unmarked : addMarkOfFiles(unmarked, risks.marked, declared);
  return {
    isCallers,
    isWhole,
    layers,
    selection,
    required,
    resolution: folded?.foldResolution(resolution) ?? resolution,
    selected: folded?.foldResolution(selected) ?? selected,
    notices: [...completed.notices, ...(spelled?.notices ?? []), ...dummies.notices],
  };
}

interface Dummies extends Pick<Values, "notices"> {
  /** The dummies in place of secrets. */
  readonly above: readonly Layer[];
  /** The dummies of required variables that no source sets. */
  readonly below: readonly Layer[];
}

/** Makes the dummy values of `--fake`. @throws SophiaError (fake-value, 125) */
async function dummiesFor(
  mode: NonNullable<Start["settings"]["fake"]>,
  contract: Contract,
  passed: readonly Layer[],
  folding: Selection["folding"],
): Promise<Dummies> {
  const declared = (name: string): boolean => isDeclared(contract, name);
  const { layer, notices } =
    mode === "missing"
      ? { layer: undefined, notices: [] }
      : (await import("./replaced-secrets.ts")).replacedSecrets(contract, resolveLayers(passed, declared), folding);
  const above = layer === undefined ? [] : [layer];
  const given = resolveLayers([...above, ...passed], declared);
  return { above, below: [(await import("../contract/fake.ts")).fakeLayer(contract, given, isOwnVariable)], notices };
}

const NO_DUMMIES: Dummies = { above: [], below: [], notices: [] };

/** Restricts the contract to the variables of `--include` and those that are set. */
async function included(contract: Contract, { include, folding }: Selection, given: Resolution): Promise<Contract> {
  const isIncluded = createMatcher(include, folding);
  const { restrict } = await import("../contract/scope.ts");
  return restrict(contract, (name) => isIncluded(name) || isSet(given, name));
}
