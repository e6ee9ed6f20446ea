/** Decides which source's value of each variable the program gets. */
import type { CompletedLayers } from "../contract/apply.ts";
import { isDeclared, isSet } from "../contract/check.ts";
import type { Contract } from "../contract/model.ts";
import type { Layer, Notice, Resolution } from "../core/model.ts";
import { FROM_FILES } from "../esc/settings/from-files.ts";
import { environmentLayer } from "../sources/environment.ts";
import { inPrecedence, overriddenEsc, resolve } from "./precedence.ts";
import type { Sources } from "./read-sources.ts";
import type { Risks } from "./risks.ts";
import { matcher, passesCallers, select, type Selection } from "./select.ts";
import { findRisks, markFromFiles, NO_RISKS } from "./trust.ts";

export interface Preceded {
  readonly sources: Sources;
  /** Highest precedence first, with the contract's own names and defaults. */
  readonly layers: readonly Layer[];
  /** The same layers without the variables that the program does not get. */
  readonly passed: readonly Layer[];
  readonly selection: Selection;
  /** The contract; with `--include` only its rules for the variables that are passed on. */
  readonly required: Contract;
  readonly resolution: Resolution;
  /** Variables that the program gets. */
  readonly selected: Resolution;
  /** The same with the mark of those that a file has set. */
  readonly marked: Resolution;
  /** Declared variables for which the environment hides another value of ESC. */
  readonly overridden: readonly string[];
  /** Notices of names: deprecated ones, and spellings. */
  readonly notices: readonly Notice[];
}

/** Selects the variables of each source, then gives each the value of the source with the highest precedence. */
export async function precede(sources: Sources): Promise<Preceded> {
  const { request, dotenv, access, contract, folded } = sources;
  const { settings, environment } = request;
  const declared = (name: string): boolean => isDeclared(contract, name);
  const findable = (resolution: Resolution): Resolution => folded?.byAnySpelling(resolution) ?? resolution;

  const given = [environmentLayer(environment), ...sources.layers, ...dotenv.layers];
  const spelled = folded?.inOneSpelling(given, contract);
  const completed = await complete(contract, spelled?.layers ?? given);
  // Without ESC and files the caller has set each variable, and decides where secrets go.
  const isCallers =
    completed.layers === given && given.length === 1 && access.kind === "off" && !environment.has(FROM_FILES);
  const layers = isCallers ? given : inPrecedence(completed.layers, settings.prefer);

  const allow = folded === undefined ? settings.allow : settings.allow.map(folded.spelledByRules);
  const risks = isCallers
    ? NO_RISKS
    : await findRisks(layers, {
        isFound: (path) => dotenv.files.some((file) => file.path === path && file.found),
        isContractNamed: settings.contractFile !== undefined,
        contract,
        isAllowed: (name) => allow.includes(name),
        isDeclared: declared,
        keepEsc: settings.keepEsc,
      });
  const selection = selectionOf(sources, allow, risks);
  const passed = isCallers && passesCallers(selection, environment) ? layers : select(layers, selection, declared);
  const required =
    settings.include.length === 0 ? contract : await included(contract, selection, resolve(passed, declared));

  const dummies = settings.fake
    ? [(await import("../contract/fake.ts")).fakeLayer(required, resolve(passed, declared))]
    : [];
  const resolution = findable(resolve([...layers, ...dummies], declared));
  // Most programs get everything; resolving thousands of variables a second time takes milliseconds.
  const isWhole = passed.every((layer, index) => layer === layers[index]);
  const selected = isWhole ? resolution : findable(resolve([...passed, ...dummies], declared));
  return {
    sources,
    layers,
    passed,
    selection,
    required,
    resolution,
    selected,
    marked: isCallers ? selected : findable(markFromFiles(selected, risks.marked, declared)),
    overridden: sources.layers.length === 0 ? [] : overriddenEsc(resolution, declared),
    notices: [...completed.notices, ...(spelled?.notices ?? [])],
  };
}

/** Adds what a contract may have besides names: values by aliases, and defaults. The built-in one has neither. */
async function complete(contract: Contract, layers: readonly Layer[]): Promise<CompletedLayers> {
  if (contract.source.kind === "built-in") return { layers, notices: [] };
  return (await import("../contract/apply.ts")).applyContract(contract, layers);
}

function selectionOf(
  { request: { settings, environment }, dotenv, access, contract, esc, folded }: Sources,
  allow: readonly string[],
  risks: Risks,
): Selection {
  return {
    ...settings,
    usesFiles: esc.kind !== "refused",
    pointers: dotenv.pointers ?? [],
    usesIdToken: access.kind === "on" && access.settings.credential.kind === "github-actions",
    allow,
    risks: risks.byName,
    outOfScope: contract.scope?.outside,
    ...(settings.prefer === "esc" && { overridable: environment }),
    ...(folded && { folding: folded.FOLDING }),
  };
}

/** Restricts the contract to the variables of `--include` and those that are set. */
async function included(contract: Contract, { include, folding }: Selection, given: Resolution): Promise<Contract> {
  const isIncluded = matcher(include, folding);
  const { restrict } = await import("../contract/scope.ts");
  return restrict(contract, (name) => isIncluded(name) || isSet(given, name));
}
