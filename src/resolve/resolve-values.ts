/** Stage 5 of a start: decides which variables the program gets, and from which source each has its value. */
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

/** A start after stage 4. */
type StartWithSources = Pick<Start, "environment" | "settings" | "files" | "store">;

/**
 * Decides what the program gets, in these steps:
 *
 * 1. The layers of all sources are completed by the contract (aliases, defaults) and sorted by precedence.
 * 2. The variables that the program does not get are removed from each layer (`select.ts`).
 * 3. With `--fake`, a layer of dummies is added above or below the others.
 * 4. Each variable gets the value of the highest layer that still has it (`precedence.ts`).
 *
 * @throws SophiaError (fake-value, 125) if `--fake` cannot make a value of a declared format
 */
export async function resolveValues(start: StartWithSources): Promise<Values> {
  const { environment, settings, store } = start;
  const { contract, all: files } = start.files;
  const windowsNames = environment.foldsCase === true ? await import("./case-insensitive.ts") : undefined;
  const declared = (name: string): boolean => isDeclared(contract, name);

  const sourceLayers = [environmentLayer(environment), ...store.layers, ...files.layers];
  const spelled = windowsNames?.unifySpellings(sourceLayers, contract);
  const spelledLayers = spelled?.layers ?? sourceLayers;
  // The built-in contract has neither aliases nor defaults.
  const completed =
    contract.source.kind === "built-in"
      ? { layers: spelledLayers, notices: [] }
      : (await import("../contract/apply.ts")).applyContract(contract, spelledLayers);
  // If the caller has set each variable, nothing needs to be sorted, withheld or marked.
  const isEnvironmentAlone = completed.layers === sourceLayers && sourceLayers.length === 1;
  const isFromCallerAlone = isEnvironmentAlone && store.access.kind === "off" && !environment.has(FROM_FILES);
  const layers = isFromCallerAlone ? sourceLayers : inPrecedence(completed.layers, settings.prefer);

  const allow = windowsNames === undefined ? settings.allow : settings.allow.map(windowsNames.spellByRules);
  const risks = isFromCallerAlone
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
    ...(windowsNames && { folding: windowsNames.WINDOWS_NAME_RULES }),
  };
  const passesAll = isFromCallerAlone && passesWholeEnvironment(selection, environment);
  const passedLayers = passesAll ? layers : selectVariables(layers, selection, declared);
  const checkedContract =
    settings.include.length === 0
      ? contract
      : await restrictToIncluded(contract, selection, resolveLayers(passedLayers, declared));

  const dummies =
    settings.fake === undefined
      ? NO_DUMMIES
      : await makeDummies(settings.fake, checkedContract, passedLayers, selection.folding);
  const { above, below } = dummies;
  const resolution = resolveLayers([...above, ...layers, ...below], declared);
  // Most programs get everything. Resolving thousands of variables a second time would take milliseconds.
  const isEverythingPassed = passedLayers.every((layer, index) => layer === layers[index]);
  const passedResolution = isEverythingPassed
    ? resolution
    : resolveLayers([...above, ...passedLayers, ...below], declared);
  const unmarked = windowsNames?.foldResolution(passedResolution) ?? passedResolution;
  const selected = isFromCallerAlone ? unmarked : addMarkOfFiles(unmarked, risks.marked, declared);
  return {
    isFromCallerAlone,
    isEverythingPassed,
    layers,
    selection,
    checkedContract,
    resolution: windowsNames?.foldResolution(resolution) ?? resolution,
    selected: windowsNames?.foldResolution(selected) ?? selected,
    notices: [...completed.notices, ...(spelled?.notices ?? []), ...dummies.notices],
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
  const declared = (name: string): boolean => isDeclared(contract, name);
  let above: readonly Layer[] = [];
  let notices: Values["notices"] = [];
  if (mode !== "missing") {
    const { replacedSecrets } = await import("./replaced-secrets.ts");
    const replacement = replacedSecrets(contract, resolveLayers(passedLayers, declared), folding);
    above = [replacement.layer];
    ({ notices } = replacement);
  }
  const { fakeLayer } = await import("../contract/fake.ts");
  const setVariables = resolveLayers([...above, ...passedLayers], declared);
  return { above, below: [fakeLayer(contract, setVariables, isOwnVariable)], notices };
}

const NO_DUMMIES: Dummies = { above: [], below: [], notices: [] };

/** Restricts the contract to the variables that `--include` selects and to those that the program gets anyway. */
async function restrictToIncluded(
  contract: Contract,
  { include, folding }: Selection,
  passed: Resolution,
): Promise<Contract> {
  const isIncluded = createMatcher(include, folding);
  const { restrict } = await import("../contract/scope.ts");
  return restrict(contract, (name) => isIncluded(name) || isSet(passed, name));
}
