/**
 * Stage 5 of a start: decides which variables the program gets, and from which source each has its value. `stages.ts` calls
 * `resolveValues` after the sources have been read and before the values are checked.
 */
import { isDeclared, isSet } from "../contract/check-contract.ts";
import type { Contract } from "../contract/contract-model.ts";
import type { Layer, Resolution } from "../core/model.ts";
import { FROM_FILES } from "../esc/settings/from-files.ts";
import { environmentLayer } from "../sources/environment-layer.ts";
import { sortByPrecedence, resolveLayers } from "./precedence.ts";
import { createMatcher } from "./name-globs.ts";
import { passesWholeEnvironment, selectVariables, type Selection } from "./select.ts";
import { isOwnVariable } from "./reserved-names.ts";
import type { Start, Values } from "./start.ts";
import { findRisks, addMarkOfFiles, NO_RISKS } from "./marks-of-files.ts";
import type * as WindowsNamesModule from "./case-insensitive.ts";
import type { TrustContext } from "./risks-of-files.ts";

/** A start after stage 4. */
type StartWithSources = Pick<Start, "environment" | "settings" | "files" | "store">;

/** The rules for names on Windows, which are loaded only there. */
type WindowsNames = typeof WindowsNamesModule;

/**
 * Decides what the program gets, in these steps:
 *
 * 1. The layers of all sources are completed by the contract (aliases, defaults) and sorted by precedence. A layer has the
 *    variables of one source.
 * 2. The variables that the program does not get are removed from each layer (`select.ts`).
 * 3. With `--fake`, a layer of dummies is added above or below the others.
 * 4. Each variable gets the value of the highest layer that still has it (`precedence.ts`).
 *
 * @throws SophiaError (fake-value, 125) if `--fake` cannot make a value of a declared format
 */
export async function resolveValues(start: StartWithSources): Promise<Values> {
  const { environment, settings } = start;
  const { contract } = start.files;
  const windowsNames = environment.foldsCase === true ? await import("./case-insensitive.ts") : undefined;
  const isDeclaredName = (name: string): boolean => isDeclared(contract, name);

  const { layers, isFromCallerAlone, notices } = await completeLayers(start, windowsNames);

  const allow = windowsNames === undefined ? settings.allow : settings.allow.map(windowsNames.spellByRules);
  const risks = isFromCallerAlone ? NO_RISKS : await findRisks(layers, trustContextOf(start, allow));
  const selection = createSelection(start, { allow, risks: risks.byName, windowsNames });
  const passesAll = isFromCallerAlone && passesWholeEnvironment(selection, environment);
  const passedLayers = passesAll ? layers : selectVariables(layers, selection, isDeclaredName);
  const checkedContract =
    settings.include.length === 0
      ? contract
      : await restrictToIncluded(contract, selection, resolveLayers(passedLayers, isDeclaredName));

  const dummies =
    settings.fake === undefined
      ? NO_DUMMIES
      : await makeDummies(settings.fake, checkedContract, passedLayers, selection.folding);

  const resolveWithDummies = (realLayers: readonly Layer[]): Resolution =>
    resolveLayers([...dummies.above, ...realLayers, ...dummies.below], isDeclaredName);
  const foldNames = (names: Resolution): Resolution => windowsNames?.foldResolution(names) ?? names;
  const resolution = resolveWithDummies(layers);
  // Most programs get everything. Resolving thousands of variables a second time would take milliseconds.
  const isEverythingPassed = passedLayers.every((layer, index) => layer === layers[index]);
  const unmarked = foldNames(isEverythingPassed ? resolution : resolveWithDummies(passedLayers));
  const selected = isFromCallerAlone ? unmarked : addMarkOfFiles(unmarked, risks.marked, isDeclaredName);
  return {
    isFromCallerAlone,
    isEverythingPassed,
    layers,
    selection,
    checkedContract,
    resolution: foldNames(resolution),
    // The mark of files may have made a new map, which does not find names in any case.
    selected: foldNames(selected),
    notices: [...notices, ...dummies.notices],
  };
}

/** Completes the layers of all sources by the contract, and sorts them by precedence. */
async function completeLayers(
  { environment, settings, files: { contract, all: files }, store }: StartWithSources,
  windowsNames: WindowsNames | undefined,
): Promise<Pick<Values, "layers" | "isFromCallerAlone" | "notices">> {
  const sourceLayers = [environmentLayer(environment), ...store.layers, ...files.layers];
  const unified = windowsNames?.unifySpellings(sourceLayers, contract);
  const unifiedLayers = unified?.layers ?? sourceLayers;
  // The built-in contract has neither aliases nor defaults.
  const completed =
    contract.source.kind === "built-in"
      ? { layers: unifiedLayers, notices: [] }
      : (await import("../contract/apply.ts")).applyContract(contract, unifiedLayers);
  // If the caller has set each variable, nothing needs to be sorted, withheld or marked.
  const isEnvironmentAlone = completed.layers === sourceLayers && sourceLayers.length === 1;
  const isFromCallerAlone = isEnvironmentAlone && store.access.kind === "off" && !environment.has(FROM_FILES);
  return {
    layers: isFromCallerAlone ? sourceLayers : sortByPrecedence(completed.layers, settings.prefer),
    isFromCallerAlone,
    notices: [...completed.notices, ...(unified?.notices ?? [])],
  };
}

/** Returns the facts that decide how far a file is trusted. @param allow the names of `--allow` */
function trustContextOf(
  { settings, files: { contract, all: files } }: StartWithSources,
  allow: readonly string[],
): TrustContext {
  return {
    isFound: (path) => files.files.some((file) => file.path === path && file.found),
    isContractNamed: settings.contractFile !== undefined,
    contract,
    isAllowed: (name) => allow.includes(name),
    isDeclared: (name) => isDeclared(contract, name),
    keepEsc: settings.keepEsc,
  };
}

/** Joins the user's options and the facts of this start that decide which variables are withheld. */
function createSelection(
  { environment, settings, files: { contract, all: files }, store }: StartWithSources,
  {
    allow,
    risks,
    windowsNames,
  }: Pick<Selection, "allow" | "risks"> & { readonly windowsNames: WindowsNames | undefined },
): Selection {
  return {
    ...settings,
    usesFiles: store.esc.kind !== "refused",
    // Only a start with files of `NAME_FILE` has pointers.
    pointers: files.pointers ?? [],
    usesIdToken: store.access.kind === "on" && store.access.settings.credential.kind === "github-actions",
    allow,
    risks,
    outOfScope: contract.scope?.outside,
    ...(settings.prefer === "esc" && { overridable: environment }),
    ...(windowsNames && { folding: windowsNames.WINDOWS_NAME_RULES }),
  };
}

/** The layers that `--fake` adds. */
interface Dummies extends Pick<Values, "notices"> {
  /** The layer of dummies in place of secrets, above all others. */
  readonly above: readonly Layer[];
  /** The layer of dummies for required variables that no source sets, below all others. */
  readonly below: readonly Layer[];
}

/** Makes the dummy values of `--fake`. @throws SophiaError (fake-value, 125) */
async function makeDummies(
  mode: NonNullable<Start["settings"]["fake"]>,
  contract: Contract,
  passedLayers: readonly Layer[],
  folding: Selection["folding"],
): Promise<Dummies> {
  const isDeclaredName = (name: string): boolean => isDeclared(contract, name);
  let above: readonly Layer[] = [];
  let notices: Values["notices"] = [];
  // With `missing`, the program keeps its real secrets, and only variables without a value get dummies.
  if (mode !== "missing") {
    const { makeDummiesForSecrets } = await import("./replaced-secrets.ts");
    const replacement = makeDummiesForSecrets(contract, resolveLayers(passedLayers, isDeclaredName), folding);
    above = [replacement.layer];
    ({ notices } = replacement);
  }
  const { createDummyLayer } = await import("../contract/fake.ts");
  const setVariables = resolveLayers([...above, ...passedLayers], isDeclaredName);
  return { above, below: [createDummyLayer(contract, setVariables, isOwnVariable)], notices };
}

const NO_DUMMIES: Dummies = { above: [], below: [], notices: [] };

/** Restricts the contract to the variables that `--include` selects and to those that the program gets anyway. */
async function restrictToIncluded(
  contract: Contract,
  { include, folding }: Selection,
  passed: Resolution,
): Promise<Contract> {
  const isIncluded = createMatcher(include, folding);
  const { restrictContract } = await import("../contract/scope.ts");
  return restrictContract(contract, (name) => isIncluded(name) || isSet(passed, name));
}
