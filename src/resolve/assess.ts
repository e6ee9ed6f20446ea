import { applyContract } from "../contract/apply.ts";
import { checkContract, isDeclared } from "../contract/check.ts";
import { loadContract } from "../contract/load.ts";
import type { Contract } from "../contract/model.ts";
import { escAccess, type EscAccess, type EscSettings } from "../esc/settings/access.ts";
import type { Assessment, EscStatus, ReadingProgress } from "./assessment.ts";
import { SophiaError } from "../core/error.ts";
import type { Environment, Layer, Notice, Resolution } from "../core/model.ts";
import { inPrecedence, overriddenEsc, resolve } from "./precedence.ts";
import { select } from "./select.ts";
import type { Settings } from "../command-line/settings.ts";
import { readDotenv } from "../sources/dotenv/index.ts";
import { environmentLayer } from "../sources/environment.ts";
import type { EscReading } from "../sources/esc.ts";

export interface Request {
  readonly settings: Settings;
  readonly environment: Environment;
  readonly cwd: string;
  readonly progress: ReadingProgress;
}

/**
 * Reads all sources, settles the precedence and checks the contract.
 *
 * @throws SophiaError for malformed settings, files and contracts, and for an ESC that is required but unavailable
 */
export async function assess(request: Request): Promise<Assessment> {
  const { settings, environment, cwd } = request;
  const dotenv = await readDotenv(settings.envFiles, cwd);
  const { access, notices: accessNotices } = settings.fake
    ? { access: { kind: "fake" } as const, notices: [] }
    : escAccess(environment, dotenv.layers, settings);
  requireAccess(settings, access);

  // The contract is read while ESC is waited for.
  const reading = access.kind === "on" ? startReading(access.settings, request.progress) : undefined;
  const contract = await loadContract({ cwd, file: settings.contractFile, profile: settings.profile });
  const declared = (name: string): boolean => isDeclared(contract, name);
  const { esc, layers: escLayers, notices: escNotices } = await statusOf(access, reading, settings);

  if (settings.verbose) {
    const { readingLines } = await import("./verbose.ts");
    for (const line of readingLines({ contract, esc, escLayers, files: dotenv.files })) request.progress.tell(line);
  }

  const applied = applyContract(contract, [environmentLayer(environment), ...escLayers, ...dotenv.layers]);
  const layers = inPrecedence(applied.layers, settings.prefer);
  const passed = select(layers, settings, declared);
  const dummies = settings.fake ? [await dummyLayer(contract, resolve(passed, declared))] : [];
  const resolution = resolve([...layers, ...dummies], declared);
  const selected = resolve([...passed, ...dummies], declared);
  const overridden = overriddenEsc(resolution, declared);
  return {
    contract,
    esc,
    resolution,
    selected,
    violations: checkContract(contract, selected),
    notices: [
      ...dotenv.notices,
      ...accessNotices,
      ...escNotices,
      ...applied.notices,
      ...(overridden.length === 0 ? [] : [{ kind: "shadowed" as const, names: overridden }]),
    ],
  };
}

/** Dummies fill only what the program would lack. */
async function dummyLayer(contract: Contract, selected: Resolution): Promise<Layer> {
  const { fakeLayer } = await import("../contract/fake.ts");
  return fakeLayer(contract, selected);
}

/** Reading ESC begins now and is awaited later: until then a failure of it must not count as unhandled. */
function startReading(escSettings: EscSettings, progress: ReadingProgress): Promise<EscReading> {
  const reading = import("../sources/esc.ts")
    .then(({ readEsc }) => readEsc(escSettings, progress))
    .finally(progress.done);
  reading.catch(() => {});
  return reading;
}

async function statusOf(
  access: EscAccess | { readonly kind: "fake" },
  reading: Promise<EscReading> | undefined,
  { requireEsc }: Settings,
): Promise<{ esc: EscStatus; layers: readonly Layer[]; notices: readonly Notice[] }> {
  if (access.kind === "incomplete")
    return { esc: access, layers: [], notices: [{ ...access, kind: "esc-incomplete" }] };
  if (access.kind !== "on" || reading === undefined) {
    return { esc: access.kind === "fake" ? { kind: "fake" } : { kind: "off" }, layers: [], notices: [] };
  }
  const result = await reading;
  if (result.kind === "read") {
    const { environments, layers, notices } = result;
    return { esc: { kind: "read", settings: access.settings, environments }, layers, notices };
  }
  const { failure } = result;
  if (requireEsc) throw new SophiaError({ ...failure, message: `${failure.message} (and ESC is required)` });
  return {
    esc: { kind: "unavailable", settings: access.settings, failure },
    layers: [],
    notices: [],
  };
}

function requireAccess({ requireEsc }: Settings, access: EscAccess | { readonly kind: "fake" }): void {
  if (!requireEsc || access.kind === "on" || access.kind === "fake") return;
  throw new SophiaError({
    code: "esc-required",
    message:
      access.kind === "incomplete"
        ? `ESC is required, yet only ${access.present} is set and not ${access.missing}`
        : "ESC is required, yet neither ESC_ENV nor ESC_TOKEN is set",
    hint: "set ESC_ENV to the environment (such as sophia/dev) and ESC_TOKEN to an access token",
  });
}
