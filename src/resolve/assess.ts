import { applyContract } from "../contract/apply.ts";
import { checkContract, isDeclared, isSet } from "../contract/check.ts";
import { findContract } from "../contract/find.ts";
import { loadContract } from "../contract/load.ts";
import type { Contract } from "../contract/model.ts";
import type { EscAccess } from "../esc/settings/access.ts";
import { isEscMentioned } from "../esc/settings/own-variables.ts";
import type { Assessment, ReadingProgress } from "./assessment.ts";
import { reached } from "../core/phases.ts";
import type { Environment, Layer, Notice, Resolution } from "../core/model.ts";
import { inPrecedence, overriddenEsc, resolve } from "./precedence.ts";
import type { FromEsc } from "./from-esc.ts";
import { findRisks, markFromFiles } from "./trust.ts";
import { withheldNotices } from "./withheld-notices.ts";
import { matcher, select, withholding, type Selection } from "./select.ts";
import type { Settings } from "../command-line/settings.ts";
import { readEnvFiles } from "./env-files.ts";
import type { DotenvReading } from "../sources/dotenv/index.ts";
import { environmentLayer } from "../sources/environment.ts";

export interface Request {
  readonly settings: Settings;
  readonly environment: Environment;
  readonly cwd: string;
  /** Called only if there is something to show. */
  readonly progress: () => Promise<ReadingProgress>;
}

/** @throws SophiaError for malformed settings, files and contracts, and for an ESC that is required and cannot be read */
export async function assess(request: Request): Promise<Assessment> {
  const { settings, environment, cwd } = request;
  const found = settings.contractFile === undefined ? { path: findContract(cwd) } : undefined;
  const dotenv = await readEnvFiles(settings, cwd, environment, found);
  const { access, notices: accessNotices } = await accessToEsc(request, dotenv.layers);
  if (settings.requireEsc) (await import("./from-esc.ts")).requireAccess(access, accessNotices);

  // Meanwhile the contract is read; until then a failure of ESC must not be an unhandled rejection.
  const reading = readFromEsc(access, request, dotenv.files);
  reading.catch(() => {});
  const written = await loadContract({ ...settings, cwd, found });
  const folded = environment.foldsCase === true ? await import("./folded.ts") : undefined;
  const contract = folded?.foldedContract(written) ?? written;
  reached("files read");
  const known = { dotenv, access, accessNotices, contract, folded };
  const assessment = await conclude(request, known, await reading);
  const { esc, violations } = assessment;
  if (violations.length === 0 || esc.kind !== "read" || esc.kept?.why !== "fresh") return assessment;
  // Each start would contact ESC.
  if (!settings.enforceContract) return assessment;
  // ESC may have a value that the cache lacks.
  const uncached = { ...request, settings: { ...settings, cache: true, cacheFreshMs: undefined } };
  return conclude(uncached, known, await readFromEsc(access, uncached, dotenv.files));
}

interface AssessmentInputs {
  readonly dotenv: Awaited<ReturnType<typeof readEnvFiles>>;
  readonly access: EscAccess | { readonly kind: "fake" };
  readonly accessNotices: readonly Notice[];
  readonly contract: Contract;
  readonly folded: typeof import("./folded.ts") | undefined;
}

async function conclude(
  { settings, environment, cwd, progress }: Request,
  { dotenv, access, accessNotices, contract, folded }: AssessmentInputs,
  { esc, layers: escLayers, notices: escNotices }: FromEsc,
): Promise<Assessment> {
  const declared = (name: string): boolean => isDeclared(contract, name);
  const findable = (resolution: Resolution): Resolution => folded?.byAnySpelling(resolution) ?? resolution;
  if (settings.verbose) {
    const { readingLines } = await import("./verbose.ts");
    const { printLine } = await progress();
    for (const line of readingLines(contract, esc, escLayers, dotenv.files)) printLine(line);
  }

  const sources = [environmentLayer(environment), ...escLayers, ...dotenv.layers];
  const spelled = folded?.inOneSpelling(sources, contract);
  const applied = applyContract(contract, spelled?.layers ?? sources);
  const layers = inPrecedence(applied.layers, settings.prefer);
  const isFound = (path: string): boolean => dotenv.files.some((file) => file.path === path && file.found);
  const allow = folded === undefined ? settings.allow : settings.allow.map(folded.spelledByRules);
  const risks = await findRisks(layers, {
    isFound,
    isContractNamed: settings.contractFile !== undefined,
    contract,
    isAllowed: (name) => allow.includes(name),
    isDeclared: declared,
    keepEsc: settings.keepEsc,
  });
  const selection: Selection = {
    ...settings,
    usesDotenv: esc.kind !== "refused",
    usesIdToken: access.kind === "on" && access.settings.credential.kind === "github-actions",
    allow,
    risks: risks.byName,
    outOfScope: contract.scope?.outside,
    ...(settings.prefer === "esc" && { overridable: environment }),
    ...(folded && { folding: folded.FOLDING }),
  };
  const passed = select(layers, selection, declared);
  const required = await contractFor(contract, selection, () => resolve(passed, declared));
  const dummies = settings.fake
    ? [(await import("../contract/fake.ts")).fakeLayer(required, resolve(passed, declared))]
    : [];
  const resolution = findable(resolve([...layers, ...dummies], declared));
  // Most programs get everything; resolving thousands of variables a second time takes milliseconds.
  const isWhole = passed.every((layer, index) => layer === layers[index]);
  const selected = isWhole ? resolution : findable(resolve([...passed, ...dummies], declared));
  const overridden = escLayers.length === 0 ? [] : overriddenEsc(resolution, declared);
  return {
    contract,
    esc,
    resolution,
    selected: findable(markFromFiles(selected, risks.marked)),
    selection,
    violations: checkContract(required, selected),
    notices: [
      ...dotenv.notices,
      ...(dotenv.files.some(({ references }) => references === true)
        ? (await import("./references.ts")).usedReferences(
            resolution,
            selected,
            (name) => settings.enforceContract && declared(name),
          )
        : []),
      ...(dotenv.files.some(({ exposed }) => exposed === true)
        ? (await import("./exposed.ts")).exposedNotices(dotenv, contract, environment, cwd)
        : []),
      ...accessNotices,
      ...withheldNotices(layers, selected, selection, withholding(selection, declared), {
        ...settings,
        esc: access.kind,
      }),
      ...escNotices,
      ...(esc.kind === "unavailable" ? esc.settings.ignoredNetwork : []),
      ...applied.notices,
      ...(spelled?.notices ?? []),
      // An ESC that was not read may have the variable.
      ...(settings.include.length === 0 || esc.kind === "unavailable" || esc.kind === "refused"
        ? []
        : (await import("./unmatched.ts")).unmatchedNotices(selection, [
            ...resolution.keys(),
            ...contract.variables.keys(),
          ])),
      ...(overridden.length === 0 ? [] : [{ kind: "shadowed" as const, names: overridden }]),
    ],
  };
}

/** Restricts the contract to the variables of `--include` and those that are set. */
async function contractFor(
  contract: Contract,
  { include, folding }: Selection,
  given: () => Resolution,
): Promise<Contract> {
  if (include.length === 0) return contract;
  const { restrict } = await import("../contract/scope.ts");
  const isIncluded = matcher(include, folding);
  const resolution = given();
  return restrict(contract, (name) => isIncluded(name) || isSet(resolution, name));
}

async function accessToEsc({ settings, environment }: Request, files: readonly Layer[]) {
  if (settings.fake) return { access: { kind: "fake" } as const, notices: [] };
  if (!isEscMentioned(environment, files)) return { access: { kind: "off" } as const, notices: [] };
  return (await import("../esc/settings/access.ts")).escAccess(environment, files, settings);
}

async function readFromEsc(
  access: EscAccess | { readonly kind: "fake" },
  request: Request,
  files: DotenvReading["files"],
): Promise<FromEsc> {
  if (access.kind === "off" || access.kind === "fake") return { esc: access, layers: [], notices: [] };
  return (await import("./from-esc.ts")).readFromEsc(access, request, files);
}
