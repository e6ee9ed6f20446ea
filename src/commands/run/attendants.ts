/** The parts that options add to a start. A plain start evaluates the conditions, and loads none of the parts. */
import type { Run } from "../../command-line/command-line.ts";
import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import type { OutputMasking, Watch } from "../../launch/index.ts";
import type { Secret } from "../../masking/masking-model.ts";
import type { Start } from "../../resolve/start.ts";
import type { AuditRecorder } from "../parts/audit-log/audit-record.ts";
import { outputReader } from "./agents.ts";
import type { RunBroker } from "./broker/run-broker.ts";

/** A run whose options are known. */
export interface RequestedRun extends Pick<Run, "command" | "flags"> {
  readonly settings: Settings;
  readonly context: Context;
}

/** Results of attendants, for the launch and for those that follow in the table. */
export interface Additions {
  readonly record?: AuditRecorder | undefined;
  readonly broker?: RunBroker | undefined;
  readonly outputMasking?: OutputMasking | undefined;
  readonly watch?: Watch | undefined;
}

/** A run whose contract is checked, before the launch. */
interface CheckedRun extends RequestedRun, Additions {
  readonly start: Start;
  /** The contract is not met: nothing may be started. */
  readonly isRefused: boolean;
}

interface Attendant {
  readonly isAsked: (run: RequestedRun & Partial<CheckedRun>) => boolean;
  /** Called before sources are read, to refuse what does not fit. */
  readonly prepare?: (run: RequestedRun) => Promise<Additions | undefined>;
  /** Called once the contract is checked. */
  readonly attend: (run: CheckedRun) => Promise<Additions | undefined>;
}

const brokerModule = () => import("./broker/run-broker.ts");

const ATTENDANTS: readonly Attendant[] = [
  // --broker, --refresh and --aws-refresh, one server. Before the record of the start, which names the brokered keys.
  {
    isAsked: ({ settings, flags, start }) =>
      settings.broker ||
      (settings.refresh ?? start?.files.contract.refresh) === true ||
      (settings.awsRefresh ?? start?.files.contract.awsRefresh) === true ||
      Object.keys(flags).some((name) => name.startsWith("broker-")),
    prepare: async (run) => (await brokerModule()).refuseBrokerStart(run),
    attend: async (run) => (run.isRefused ? undefined : { broker: await (await brokerModule()).openRunBroker(run) }),
  },
  // --audit-log, of a refusal.
  {
    isAsked: ({ settings }) => (settings.auditLog ?? settings.reason) !== undefined,
    prepare: async ({ settings, flags, context }) => {
      return {
        record: (await import("../parts/audit-log/audit-record.ts")).createAuditRecorder(settings, flags, context),
      };
    },
    attend: async (run) => (run.isRefused ? recordStart(run) : undefined),
  },
  // The refusal, unless --no-contract.
  {
    isAsked: ({ isRefused }) => isRefused === true,
    attend: async ({ start, command, settings, context }) => {
      throw await (await import("../parts/contract-unmet.ts")).startRefusedError(start, command[0], settings, context);
    },
  },
  // --redact. Before notices: with `github` it prints commands that mask all later output.
  {
    isAsked: isMasked,
    attend: async ({ settings, start, broker, context }) => {
      return { outputMasking: await outputMaskingFor(settings, start, context, broker?.dummies()) };
    },
  },
  // Notices
  {
    isAsked: ({ start }) =>
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
  // --watch, and then --audit-log, of a start: what an option refuses is none.
  {
    isAsked: ({ settings, record }) => settings.watch || record !== undefined,
    attend: async (run) => {
      const additions = run.settings.watch ? { watch: await watchFor(run) } : undefined;
      await recordStart(run);
      return additions;
    },
  },
];

/** @throws SophiaError (settings, 125) for what a restart could not read again */
async function watchFor({ command, flags, start, outputMasking, record, broker, context }: CheckedRun) {
  const { watchOf } = await import("./watch/watch.ts");
  const first = { invocation: { command, flags }, start, outputMasking, record, broker };
  return watchOf({ ...first, maskOutput: outputMaskingFor }, context);
}

/** @throws SophiaError (audit, 125) if the line cannot be written */
async function recordStart({ record, command, broker, isRefused, start }: CheckedRun): Promise<undefined> {
  record?.({ event: "start", command: command[0], broker }, isRefused, start);
  return undefined;
}

/** Has those that are asked refuse what does not fit. @throws SophiaError (125) */
export async function prepareAttendants(run: RequestedRun): Promise<Additions> {
  let additions: Additions = {};
  for (const { isAsked, prepare } of ATTENDANTS) {
    if (prepare !== undefined && isAsked(run)) additions = { ...additions, ...(await prepare(run)) };
  }
  return additions;
}

/** Has those that are asked do their part. @throws SophiaError (contract-unmet, 78; 125) if nothing may be started */
export async function attend(run: RequestedRun, prepared: Additions, start: Start): Promise<Additions> {
  const isRefused = run.settings.enforceContract && start.verdict.violations.length > 0;
  let checked: CheckedRun = { ...run, ...prepared, start, isRefused };
  for (const attendant of ATTENDANTS) {
    if (attendant.isAsked(checked)) checked = { ...checked, ...(await attendant.attend(checked)) };
  }
  return checked;
}

function isMasked({ settings: { redact }, context }: Pick<RequestedRun, "settings" | "context">): boolean {
  return (redact !== "auto" && redact !== "never") || outputReader(context.environment) !== undefined;
}

/** Returns the masking of the program's output; undefined for none. */
async function outputMaskingFor(
  settings: Settings,
  start: Start,
  context: Context,
  dummies: readonly Secret[] = [],
): Promise<OutputMasking | undefined> {
  if (!isMasked({ settings, context })) return undefined;
  const { outputMaskingOf } = await import("./output-masking.ts");
  return outputMaskingOf(settings, { ...start, dummies }, outputReader(context.environment), context);
}
