/**
 * The attendants of a start: the steps that options such as `--broker` and `--watch` add between the check of the contract and the
 * launch of the program. run.ts calls them at two times:
 *
 *     const prepared = await prepareAttendants(run);                    // before any source is read
 *     const { broker, watch } = await attend(run, prepared, start);     // when the contract has been checked
 *
 * The table below has the attendants in the order in which they act. A plain start only evaluates their conditions: the code of an
 * attendant is loaded only if its condition is true.
 */
import type { Run } from "../../command-line/command-line.ts";
import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import type { OutputMasking, Watch } from "../../launch/index.ts";
import type { Secret } from "../../masking/masking-model.ts";
import type { Start } from "../../resolve/start.ts";
import type { AuditRecorder } from "../parts/audit-log/audit-record.ts";
import { findOutputReader } from "./agents.ts";
import type { RunBroker } from "./broker/run-broker.ts";

/** A run whose options are known, before any source is read. */
export interface RequestedRun extends Pick<Run, "command" | "flags"> {
  readonly settings: Settings;
  readonly context: Context;
}

/** The results of attendants, for the launch and for the attendants that follow in the table. */
export interface Additions {
  /** Writes to the audit log (`--audit-log`). */
  readonly record?: AuditRecorder | undefined;
  /** The open broker of `--broker` or `--refresh`. */
  readonly broker?: RunBroker | undefined;
  readonly outputMasking?: OutputMasking | undefined;
  readonly watch?: Watch | undefined;
}

/** A run whose contract has been checked, with the results of the attendants that have acted so far. */
interface CheckedRun extends RequestedRun, Additions {
  readonly start: Start;
  /** True if the contract is not met and must be, so that nothing may be started. It is false with `--no-contract`. */
  readonly isRefused: boolean;
}

interface Attendant {
  /** Returns true if the attendant is needed. `start`, and what depends on it, is absent before sources are read. */
  readonly isNeeded: (run: RequestedRun & Partial<CheckedRun>) => boolean;
  /** Called before sources are read. It throws a SophiaError if options conflict. */
  readonly prepare?: (run: RequestedRun) => Promise<Additions | undefined>;
  /** Called when the contract has been checked. It throws a SophiaError if nothing may be started. */
  readonly attend: (run: CheckedRun) => Promise<Additions | undefined>;
}

const loadBroker = () => import("./broker/run-broker.ts");

const ATTENDANTS: readonly Attendant[] = [
  // --broker, --refresh and --aws-refresh, which share a server. The record of the start, below, names the brokered keys.
  {
    isNeeded: ({ settings, flags, start }) =>
      settings.broker ||
      (settings.refresh ?? start?.files.contract.refresh) === true ||
      (settings.awsRefresh ?? start?.files.contract.awsRefresh) === true ||
      Object.keys(flags).some((name) => name.startsWith("broker-")),
    prepare: async (run) => (await loadBroker()).refuseBrokerStart(run),
    attend: async (run) => (run.isRefused ? undefined : { broker: await (await loadBroker()).openRunBroker(run) }),
  },
  // --audit-log: creates the recorder, and records a start that is refused. The last attendant records other starts.
  {
    isNeeded: ({ settings }) => (settings.auditLog ?? settings.reason) !== undefined,
    prepare: async ({ settings, flags, context }) => {
      const { createAuditRecorder } = await import("../parts/audit-log/audit-record.ts");
      return { record: createAuditRecorder(settings, flags, context) };
    },
    attend: async (run) => (run.isRefused ? recordStart(run) : undefined),
  },
  // Ends the start if the contract is not met. The attendants below need not test it again.
  {
    isNeeded: ({ isRefused }) => isRefused === true,
    attend: async ({ start, command, settings, context }) => {
      const { createStartRefusedError } = await import("../parts/contract-unmet.ts");
      throw await createStartRefusedError(start, command[0], settings, context);
    },
  },
  // --redact. This comes before the notices, because --redact=github prints commands that mask all later output.
  {
    isNeeded: needsMasking,
    attend: async ({ settings, start, broker, context }) => {
      return { outputMasking: await createOutputMaskingFor(settings, start, context, broker?.dummies()) };
    },
  },
  // The notices of the sources, and a warning if ESC could not be read.
  {
    isNeeded: ({ start }) =>
      start !== undefined &&
      (start.verdict.notices.length > 0 ||
        start.store.esc.kind === "unavailable" ||
        start.store.esc.kind === "refused"),
    attend: async ({ start, settings, context }) => {
      const { printNotices, warnUnavailable } = await import("../../output/print-notices.ts");
      warnUnavailable(context, start.store.esc);
      printNotices(context, settings, start.verdict.notices);
      return undefined;
    },
  },
  // --watch, and then the record of the start (--audit-log): if --watch refuses the start, the program is not started.
  {
    isNeeded: ({ settings, record }) => settings.watch || record !== undefined,
    attend: async (run) => {
      const additions = run.settings.watch ? { watch: await createWatchFor(run) } : undefined;
      await recordStart(run);
      return additions;
    },
  },
];

/** @throws SophiaError (settings, 125) if a source could not be read again for a restart */
async function createWatchFor({ command, flags, start, outputMasking, record, broker, context }: CheckedRun) {
  const { createWatch } = await import("./watch/watch.ts");
  const watched = { invocation: { command, flags }, start, outputMasking, record, broker };
  return createWatch({ ...watched, createOutputMasking: createOutputMaskingFor }, context);
}

/** @throws SophiaError (audit, 125) if the line cannot be written */
async function recordStart({ record, command, broker, isRefused, start }: CheckedRun): Promise<undefined> {
  record?.({ event: "start", command: command[0], broker }, isRefused, start);
  return undefined;
}

/** Prepares the attendants that are needed. @throws SophiaError (125) if options conflict */
export async function prepareAttendants(run: RequestedRun): Promise<Additions> {
  let additions: Additions = {};
  for (const { isNeeded, prepare } of ATTENDANTS) {
    if (prepare !== undefined && isNeeded(run)) additions = { ...additions, ...(await prepare(run)) };
  }
  return additions;
}

/** Calls the attendants that are needed. @throws SophiaError (contract-unmet, 78; 125) if nothing may be started */
export async function attend(run: RequestedRun, prepared: Additions, start: Start): Promise<Additions> {
  const isRefused = run.settings.enforceContract && start.verdict.violations.length > 0;
  let checked: CheckedRun = { ...run, ...prepared, start, isRefused };
  for (const attendant of ATTENDANTS) {
    if (attendant.isNeeded(checked)) checked = { ...checked, ...(await attendant.attend(checked)) };
  }
  return checked;
}

/** Returns true if the output is masked, or if the user must be warned that `--redact=never` shows secrets to a coding agent. */
function needsMasking({ settings: { redact }, context }: Pick<RequestedRun, "settings" | "context">): boolean {
  return (redact !== "auto" && redact !== "never") || findOutputReader(context.environment) !== undefined;
}

/** Returns the masking of the program's output; undefined for none. @param dummies further secrets to mask, which the broker made */
async function createOutputMaskingFor(
  settings: Settings,
  start: Start,
  context: Context,
  dummies: readonly Secret[] = [],
): Promise<OutputMasking | undefined> {
  if (!needsMasking({ settings, context })) return undefined;
  const { createOutputMasking } = await import("./output-masking.ts");
  return createOutputMasking(settings, { ...start, dummies }, findOutputReader(context.environment), context);
}
