/**
 * Performs the actions of `--watch` while the program runs: looks for changes in Pulumi ESC, reads all sources again, restarts the
 * program, and swaps the keys that the broker adds to the program's requests (`--broker`). watch.ts calls `followProgram` once the
 * program runs. rounds.ts decides which action comes next, and follow-esc.ts has the loop that calls `WatchedRun`.
 */
import { setTimeout as wait } from "node:timers/promises";
import type { Run } from "../../../command-line/command-line.ts";
import type { Settings } from "../../../command-line/settings.ts";
import { notAllowedError, collectConsentFacts } from "../../../access/consent-words.ts";
import type { Context } from "../../../core/context.ts";
import { SophiaError } from "../../../core/error.ts";
import { enumerateFew } from "../../../core/lines.ts";
import type { Failure } from "../../../core/model.ts";
import { printable } from "../../../core/text.ts";
import {
  type ChangeReport,
  detectChanges,
  type KnownEnvironments,
  settingsByFullNames,
} from "../../../esc/api/detect-changes.ts";
import { type EscSettings, SESSION_MS } from "../../../esc/settings/access-settings.ts";
import { parseFullName } from "../../../esc/settings/environment-names.ts";
import { SILENT } from "../../../esc/transport/connection.ts";
import { systemClock } from "../../../esc/transport/deadline.ts";
import type { OutputMasking, Renewal } from "../../../launch/index.ts";
import type { Secret } from "../../../masking/masking-model.ts";
import { createMasking, addFormerSecrets } from "../../../masking/masking.ts";
import { completeFailure, listDetailsAndHint, printLines } from "../../../output/stderr.ts";
import { chooseSetCommandInput, describeUnmet } from "../../../output/unmet.ts";
import type { EscStatus, Start } from "../../../resolve/start.ts";
import type { AuditRecorder } from "../../parts/audit-log/audit-record.ts";
import { resolveCommandStart } from "../../parts/command-start.ts";
import type { BrokeredDelivery, RunBroker } from "../broker/run-broker.ts";
import { createDelivery } from "../delivery.ts";
import { createDigest } from "./digests.ts";
import { type Clock, followEsc, limitLooks } from "./follow-esc.ts";
import type { Lines, NewValues, RoundMessage } from "./rounds.ts";

/** The start of the first program, with what its options have added (`Additions`). */
export interface WatchedStart {
  readonly invocation: Pick<Run, "command" | "flags">;
  readonly start: Start;
  /** The masking of the first program's output; undefined if it is not masked. */
  readonly outputMasking: OutputMasking | undefined;
  /** Returns the masking of the output for the values after a change; undefined if the output is not masked. */
  readonly createOutputMasking: (
    settings: Settings,
    start: Start,
    context: Context,
    dummies: readonly Secret[] | undefined,
  ) => Promise<OutputMasking | undefined>;
  /** Writes to the audit log; undefined without `--audit-log`. */
  readonly record: AuditRecorder | undefined;
  readonly broker: RunBroker | undefined;
}

/** The functions that act on the running program. `Watch.follow` in launch/types.ts explains them. */
interface ProgramControl {
  readonly restart: (renewal: Renewal) => Promise<void>;
  readonly mask: (outputMasking: OutputMasking) => void;
}

/** Follows ESC until the signal is aborted. Rejects only because of a bug. */
export async function followProgram(
  watched: WatchedStart,
  program: ProgramControl,
  {
    pollingIntervalMs,
    context,
    signal,
  }: { readonly pollingIntervalMs: number; readonly context: Context; readonly signal: AbortSignal },
): Promise<void> {
  const { start, broker } = watched;
  const run = new WatchedRun(watched, program, context);
  const follower = followEsc<Change>(
    {
      digests: run.digest(broker?.firstDelivery ?? createDelivery(start)),
      pollingIntervalMs,
      sessionMs: start.settings.sessionMs ?? SESSION_MS,
      look: (before) => run.look(before),
      reopen: () => run.reopen(),
      restart: (change, names) => run.restart(change, names),
      swap: (change, names) => run.swap(change, names),
      report: (...message) => run.report(...message),
      clock: CLOCK,
    },
    signal,
  );
  // If a service refuses a key (HTTP 401), the key may have changed in ESC.
  broker?.onUnauthorized(limitLooks(follower.lookNow, CLOCK.now));
  await follower.stopped;
}

/** The values after a change, for a restart or for a swap of keys. `brokered` and `apply` are absent without `--broker`. */
interface Change extends Renewal, Partial<Pick<BrokeredDelivery, "brokered" | "apply">> {
  readonly start: Start;
}

/** A run whose program has the values of ESC at one time, until the program is restarted or its keys are swapped. */
class WatchedRun {
  readonly digest = createDigest();
  readonly #watched: WatchedStart;
  readonly #program: ProgramControl;
  readonly #context: Context;
  /** The settings that name the environments as they were last opened. */
  #openedSettings: EscSettings;
  /**
   * `#openedSettings` with the token of the last look, so that the next look need not obtain one. A failed look drops the token.
   */
  #lookSettings: EscSettings;
  /** The masking of the program's output. It masks the secrets of all programs of this run. */
  #outputMasking: OutputMasking | undefined;
  /** The state of ESC from which the program, or the broker, has its values. */
  #esc: EscStatus;

  constructor(watched: WatchedStart, program: ProgramControl, context: Context) {
    this.#watched = watched;
    this.#program = program;
    this.#context = context;
    this.#openedSettings = createOpenedSettings(watched.start);
    this.#lookSettings = this.#openedSettings;
    this.#outputMasking = watched.outputMasking;
    this.#esc = watched.start.store.esc;
  }

  /** Prints a message of the rounds, according to `--quiet` and `--verbose`. */
  report(...[level, lines]: RoundMessage): void {
    const { quiet, verbose } = this.#watched.start.settings;
    if (level === "detail") {
      if (verbose) printLines(this.#context, [printable(lines[0])]);
    } else if (level === "warning" || !quiet) printLines(this.#context, lines);
  }

  /** Compares the revisions of the environments with those `before`. */
  async look(before: KnownEnvironments | undefined): Promise<ChangeReport> {
    const report = await detectChanges(this.#lookSettings, before, SILENT);
    this.#lookSettings = report.kind === "seen" ? report.settings : this.#openedSettings;
    return report;
  }

  /** Reads all sources again. @returns the values, or a warning that says why they cannot replace those of the program */
  async reopen(): Promise<NewValues<Change>> {
    try {
      return await this.#readAgain();
    } catch (error) {
      if (!(error instanceof SophiaError)) throw error;
      return createUnreadable(await completeFailure(error));
    }
  }

  /**
   * Restarts the program with the new values.
   *
   * @param names the variables that have changed, for the notice
   * @returns a warning if the program cannot be restarted; then it continues
   */
  async restart(change: Change, names: readonly string[]): Promise<Lines | undefined> {
    const { invocation, record, broker } = this.#watched;
    const { start, environment, files, brokered, apply } = change;
    try {
      // The masking and the audit log come first. If either fails, the program continues as it was.
      const { outputMasking, droppedCount } = this.#withFormerSecrets(change);
      const recordedBroker = broker && { run: broker.run, names: () => [...(brokered?.keys() ?? [])] };
      record?.({ event: "start", command: invocation.command[0], broker: recordedBroker }, false, start);
      await this.#program.restart({ environment, files, outputMasking });
      this.#outputMasking = outputMasking;
      // At this time the former program has ended, and the next one has not been started, so neither uses the wrong keys.
      apply?.();
      this.#esc = start.store.esc;
      this.report("notice", [`${enumerateNames(names)} changed in ESC: the program is restarted`]);
      this.#reportDropped(droppedCount);
      return undefined;
    } catch (error) {
      return describeRefusal(error);
    }
  }

  /**
   * Makes the broker use the new keys.
   *
   * @param names the keys that have changed, for the notice
   * @returns a warning if the broker cannot use them; then it keeps the former keys
   */
  swap(change: Change, names: readonly string[]): Lines | undefined {
    const { record, broker } = this.#watched;
    const { start, apply } = change;
    if (broker === undefined || apply === undefined) throw new TypeError("no broker has keys");
    try {
      const { outputMasking, droppedCount } = this.#withFormerSecrets(change);
      record?.({ event: "swap", run: broker.run, names, former: this.#esc }, false, start);
      // The new key is masked before the broker uses it, because the answer of a service may repeat the key.
      if (outputMasking !== undefined) this.#program.mask(outputMasking);
      this.#outputMasking = outputMasking;
      apply();
      this.#esc = start.store.esc;
      const values = names.length === 1 ? "the new value" : "the new values";
      const consequence = `the broker uses ${values}, the program runs on`;
      this.report("notice", [`${enumerateNames(names)} changed in ESC: ${consequence}`]);
      this.#reportDropped(droppedCount);
      return undefined;
    } catch (error) {
      return describeRefusal(error, `the broker keeps the former value of ${enumerateNames(names)}`);
    }
  }

  /** Reads all sources, and checks the contract. @throws SophiaError (125) */
  async #readAgain(): Promise<NewValues<Change>> {
    const { broker } = this.#watched;
    const { settings } = this.#watched.start;
    // This must ask ESC even if the cache is fresh. The cache stays on, so that it stores the new values.
    const cache = settings.cache || settings.cacheFreshMs !== undefined;
    const start = await resolveCommandStart({ ...settings, cache, cacheFreshMs: undefined }, this.#context);
    const unusable = findUnreadableSource(start) ?? this.#findUnmetContract(start);
    if (unusable !== undefined) return unusable;
    this.#openedSettings = createOpenedSettings(start);
    this.#lookSettings = this.#openedSettings;
    const delivered = broker?.deliver(start) ?? createDelivery(start);
    const outputMasking = await this.#createOutputMasking(start);
    return { kind: "ready", digests: this.digest(delivered), renewal: { ...delivered, start, outputMasking } };
  }

  /** Returns a warning if the new values do not meet the contract. */
  #findUnmetContract(start: Start): NewValues<never> | undefined {
    const { enforceContract, quiet } = this.#watched.start.settings;
    if (!enforceContract || start.verdict.violations.length === 0) return undefined;
    const unmet = describeUnmet(start, {
      consequence: "the program keeps its current values",
      wayOut: "until it is met, the program is not restarted",
      quiet,
      offer: chooseSetCommandInput(this.#context),
      isRunning: true,
    });
    return { kind: "unmet", lines: [`warning: ESC has changed, and ${unmet.message}`, ...listDetailsAndHint(unmet)] };
  }

  async #createOutputMasking(start: Start): Promise<OutputMasking | undefined> {
    const { broker, createOutputMasking } = this.#watched;
    const { settings } = this.#watched.start;
    // The first start has printed the warning of --redact=never.
    if (settings.redact === "never") return undefined;
    return createOutputMasking(settings, start, this.#context, broker?.dummies());
  }

  /**
   * Returns the masking after a change, which masks the former secrets as well.
   *
   * @throws SophiaError (redact-size) as `createMasking`
   */
  #withFormerSecrets({ outputMasking: nextMasking }: Change): {
    readonly outputMasking: OutputMasking | undefined;
    /** The number of the oldest secrets that are no longer masked, because a masking has a limited size. */
    readonly droppedCount: number;
  } {
    const formerMasking = this.#outputMasking;
    if (formerMasking === undefined) return { outputMasking: nextMasking, droppedCount: 0 };
    const { secrets, dropped } = addFormerSecrets(nextMasking?.secrets ?? [], formerMasking.secrets);
    // The notice that secrets are masked stays that of the first program, because it is printed only once.
    return { outputMasking: { ...formerMasking, secrets, masking: createMasking(secrets) }, droppedCount: dropped };
  }

  #reportDropped(count: number): void {
    if (count === 0) return;
    this.report("warning", [
      `warning: too many secrets to mask: the oldest former values (${count}) are no longer masked`,
    ]);
  }
}

const CLOCK: Clock = {
  now: () => systemClock.now(),
  random: () => systemClock.random(),
  // The timer rejects if the signal is aborted, but a wait that was cut short has simply ended.
  wait: async (ms, signal) => wait(ms, undefined, { signal }).catch(() => {}),
};

/** Returns the reason why the sources of a start cannot replace the program's values; undefined if they can. */
function findUnreadableSource({ settings, files, store: { esc }, verdict }: Start): NewValues<never> | undefined {
  // Values from the cache are not newer than those of the program.
  if (esc.kind === "read" && esc.cacheUse?.why === "unavailable") return createUnreadable(esc.cacheUse.failure);
  if (esc.kind === "refused") return createUnreadable(esc.failure);
  // If a schema of ESC refuses values, the message of the unmet contract names them.
  const isExplainedByContract = settings.enforceContract && verdict.judged !== undefined;
  if (esc.kind === "unavailable" && !isExplainedByContract) return createUnreadable(esc.failure);
  if (esc.kind === "unconsented") return createUnreadable(notAllowedError(collectConsentFacts(esc, files.contract)));
  return undefined;
}

function createUnreadable(failure: Failure): NewValues<never> {
  return { kind: "unreadable", lines: describeFailure(failure) };
}

/** Returns a warning for an error that the user can do something about. @throws any other error, which is a bug */
function describeRefusal(error: unknown, consequence?: string): Lines {
  if (error instanceof SophiaError) return describeFailure(error, consequence);
  throw error;
}

function describeFailure(failure: Failure, consequence = "the program continues with its current values"): Lines {
  return [`warning: ${failure.message}; ${consequence}`, ...listDetailsAndHint(failure)];
}

function enumerateNames(names: readonly string[]): string {
  return enumerateFew(names.map(printable), 10);
}

/**
 * Returns the settings of a start with the full names of the environments that ESC has opened, so that no name has two meanings.
 */
function createOpenedSettings({ store: { esc } }: Start): EscSettings {
  if (!("settings" in esc)) throw new TypeError("no ESC environment to follow");
  if (esc.kind !== "read") return esc.settings;
  const opened = esc.environments.map(({ name, version }) => parseFullName(name, version));
  return settingsByFullNames(esc.settings, opened);
}
