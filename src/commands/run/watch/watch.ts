/** `--watch` restarts the program, or swaps the broker's keys, when values in ESC change. Loaded only for it. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Run } from "../../../command-line/command-line.ts";
import type { Settings } from "../../../command-line/settings.ts";
import type { Context } from "../../../core/context.ts";
import { SophiaError } from "../../../core/error.ts";
import type { Failure } from "../../../core/model.ts";
import { enumerateFew } from "../../../core/lines.ts";
import { printable } from "../../../core/text.ts";
import { detectChanges, settingsByFullNames } from "../../../esc/api/detect-changes.ts";
import type { EscSettings } from "../../../esc/settings/access-settings.ts";
import { parseFullName } from "../../../esc/settings/environment-names.ts";
import { SILENT } from "../../../esc/transport/connection.ts";
import { systemClock } from "../../../esc/transport/deadline.ts";
import type { OutputMasking, Renewal, Watch } from "../../../launch/index.ts";
import { maskingOf, addFormerSecrets } from "../../../masking/masking.ts";
import type { Secret } from "../../../masking/masking-model.ts";
import { failureOf, further, printLines } from "../../../output/stderr.ts";
import { setOffer, wordUnmet } from "../../../output/unmet.ts";
import { type Start, followsEsc } from "../../../resolve/start.ts";
import { notAllowed, unallowed } from "../../../access/consent-words.ts";
import { attempt } from "../../../system/errors.ts";
import { startWith } from "../../parts/command-start.ts";
import type { AuditRecorder } from "../../parts/audit-log/audit-record.ts";
import type { BrokeredDelivery, RunBroker } from "../broker/run-broker.ts";
import { delivery } from "../delivery.ts";
import { refusePipedToken } from "../piped-token.ts";
import { type Clock, follow, lookSeldom } from "./follow-esc.ts";
import type { Lines, Message, Resolved } from "./rounds.ts";
import { makeDigest } from "./digests.ts";
import { SESSION_MS } from "../../../esc/settings/access-settings.ts";

const EVERY_MS = 30_000;
const GRACE_MS = 10_000;

export interface FirstStart {
  readonly invocation: Pick<Run, "command" | "flags">;
  readonly start: Start;
  readonly outputMasking: OutputMasking | undefined;
  readonly maskOutput: (
    settings: Settings,
    start: Start,
    context: Context,
    dummies: readonly Secret[] | undefined,
  ) => Promise<OutputMasking | undefined>;
  readonly record: AuditRecorder | undefined;
  readonly broker: RunBroker | undefined;
}

/** The values after a change, for a restart, or for a swap of keys alone. */
interface Change extends Renewal, Partial<Pick<BrokeredDelivery, "brokered" | "apply">> {
  readonly start: Start;
}

/**
 * Returns undefined if ESC is not read; warns for the option, not the inherited variable.
 *
 * @throws SophiaError (settings, 125) for a value from a pipe, which a restart cannot read again
 */
export function watchOf(first: FirstStart, context: Context): Watch | undefined {
  const { start, invocation } = first;
  const { settings } = start;
  const everyMs = settings.watchEveryMs ?? EVERY_MS;
  if (!followsEsc(start)) {
    if (invocation.flags["watch"] === true) {
      printLines(context, ["warning: --watch has no effect: ESC is not read"]);
    }
    return undefined;
  }
  refusePipes(start, context.cwd);
  refusePipedToken("--watch", start, context);
  return {
    signal: settings.watchSignal,
    graceMs: settings.watchGraceMs ?? GRACE_MS,
    follow: (restart, write, mask) => {
      const end = new AbortController();
      const between = { ...context, err: write, isTerminal: () => false };
      void following(first, everyMs, between, { restart, mask }, end.signal);
      return () => end.abort();
    },
  };
}

function refusePipes({ values: { resolution } }: Pick<Start, "values">, cwd: string): void {
  for (const { name, origin, shadowed = [] } of resolution.values()) {
    for (const one of [origin, ...shadowed.map((hidden) => hidden.origin)]) {
      const file =
        one.source === "environment" ? one.read?.file : "line" in one && "file" in one ? one.file : undefined;
      if (file === undefined || attempt(() => statSync(resolve(cwd, file)).isFIFO()) !== true) continue;
      const by = one.source === "environment" ? one.read?.by : undefined;
      throw new SophiaError({
        code: "settings",
        message: `--watch cannot read ${printable(name)} again for a restart: ${by === undefined ? printable(file) : `the file in ${by}`} is a pipe`,
        hint: "put the value into a file, or leave --watch (SOPHIA_WATCH) out",
      });
    }
  }
}

async function following(
  { invocation, start, outputMasking, maskOutput, record, broker }: FirstStart,
  everyMs: number,
  context: Context,
  program: {
    readonly restart: (renewal: Renewal) => Promise<void>;
    readonly mask: (outputMasking: OutputMasking) => void;
  },
  signal: AbortSignal,
): Promise<void> {
  const digest = makeDigest();
  const { command } = invocation;
  const { settings } = start;
  const report = (...[level, lines]: Message): void => {
    if (level === "detail") {
      if (settings.verbose) printLines(context, [printable(lines[0])]);
    } else if (level === "warning" || !settings.quiet) printLines(context, lines);
  };
  // ESC is always asked: values of the cache are never taken as fresh, and those for an unavailable ESC are not used.
  const asking = { ...settings, cache: settings.cache || settings.cacheFreshMs !== undefined, cacheFreshMs: undefined };
  let followed = followable(start);
  /** The settings for the next look. They keep the token that was obtained, until a look fails for any reason. */
  let used = followed;
  let masked = outputMasking;
  /** The state of ESC that the program's values, or the broker's, are from. */
  let { esc } = start.store;
  const resolveAgain = async (): Promise<Resolved<Change>> => {
    const now = await startWith(asking, context);
    const {
      store: { esc: read },
      verdict: { violations },
    } = now;
    // The cache is not newer than the values of the program.
    if (read.kind === "read" && read.kept?.why === "unavailable")
      return { kind: "trouble", lines: continues(read.kept.failure) };
    // Values that a schema refuses are worded by the contract, below.
    const isJudged = settings.enforceContract && now.verdict.judged !== undefined;
    if ((read.kind === "unavailable" && !isJudged) || read.kind === "refused")
      return { kind: "trouble", lines: continues(read.failure) };
    if (read.kind === "unconsented")
      return { kind: "trouble", lines: continues(notAllowed(unallowed(read, now.files.contract))) };
    if (settings.enforceContract && violations.length > 0) {
      const unmet = wordUnmet(now, {
        consequence: "the program keeps its current values",
        wayOut: "until it is met, the program is not restarted",
        quiet: settings.quiet,
        offer: setOffer(context),
        isRunning: true,
      });
      return { kind: "unmet", lines: [`warning: ESC has changed, and ${unmet.message}`, ...further(unmet)] };
    }
    followed = followable(now);
    used = followed;
    const delivered = broker?.deliver(now) ?? delivery(now);
    return {
      kind: "ready",
      digests: digest(delivered),
      renewal: { ...delivered, start: now, outputMasking: await outputMaskingOf(now) },
    };
  };
  // The first start has printed the warning of --redact=never.
  const outputMaskingOf = async (now: Start): Promise<OutputMasking | undefined> =>
    settings.redact === "never" ? undefined : maskOutput(settings, now, context, broker?.dummies());
  /** Returns the masking of a change, which has the former secrets as well. The first program's has printed its notices. */
  const maskingFor = (change: Change): { readonly renewed: OutputMasking | undefined; readonly dropped: number } => {
    if (masked === undefined) return { renewed: change.outputMasking, dropped: 0 };
    const { secrets, dropped } = addFormerSecrets(change.outputMasking?.secrets ?? [], masked.secrets);
    return { renewed: { ...masked, secrets, masking: maskingOf(secrets) }, dropped };
  };
  const reportDropped = (dropped: number): void => {
    if (dropped === 0) return;
    report("warning", [
      `warning: too many secrets to mask: the oldest former values (${dropped}) are no longer masked`,
    ]);
  };
  const follower = follow<Change>(
    {
      digests: digest(broker?.first ?? delivery(start)),
      everyMs,
      sessionMs: settings.sessionMs ?? SESSION_MS,
      look: async (before) => {
        const looked = await detectChanges(used, before, SILENT);
        used = looked.kind === "seen" ? looked.settings : followed;
        return looked;
      },
      resolve: () =>
        resolveAgain().catch(async (error: unknown) => ({ kind: "trouble", lines: await refusalOfStages(error) })),
      restart: async (change, names) => {
        const { start: now, environment, files, brokered, apply } = change;
        let dropped: number;
        try {
          const masking = maskingFor(change);
          const { run } = broker ?? {};
          const kept = run === undefined ? undefined : { run, names: () => [...(brokered?.keys() ?? [])] };
          record?.({ event: "start", command: command[0], broker: kept }, false, now);
          await program.restart({ environment, files, outputMasking: masking.renewed });
          masked = masking.renewed;
          ({ dropped } = masking);
          // The next program is not started yet.
          apply?.();
          ({ esc } = now.store);
        } catch (error) {
          return refusal(error);
        }
        report("notice", [`${namesIn(names)} changed in ESC: the program is restarted`]);
        reportDropped(dropped);
        return undefined;
      },
      swap: (change, names) => {
        if (broker === undefined || change.apply === undefined) throw new TypeError("no broker has keys");
        let dropped: number;
        try {
          const masking = maskingFor(change);
          record?.({ event: "swap", run: broker.run, names, former: esc }, false, change.start);
          // Before the key is used: an answer may repeat it.
          if (masking.renewed !== undefined) program.mask(masking.renewed);
          masked = masking.renewed;
          ({ dropped } = masking);
          change.apply();
          ({ esc } = change.start.store);
        } catch (error) {
          return refusal(error, `the broker keeps the former value of ${namesIn(names)}`);
        }
        const values = names.length === 1 ? "the new value" : "the new values";
        report("notice", [`${namesIn(names)} changed in ESC: the broker uses ${values}, the program runs on`]);
        reportDropped(dropped);
        return undefined;
      },
      report,
      clock: CLOCK,
    },
    signal,
  );
  broker?.onUnauthorized(lookSeldom(follower.lookNow, CLOCK.now));
  await follower.ended;
}

function namesIn(names: readonly string[]): string {
  return enumerateFew(names.map(printable), 10);
}

function refusal(error: unknown, consequence?: string): Lines {
  if (error instanceof SophiaError) return continues(error, consequence);
  throw error;
}

/** As {@link refusal}, with words for a contract file that cannot be used. */
async function refusalOfStages(error: unknown): Promise<Lines> {
  return error instanceof SophiaError ? continues(await failureOf(error)) : refusal(error);
}

const CLOCK: Clock = {
  now: () => systemClock.now(),
  random: () => systemClock.random(),
  wait: async (ms, signal) => wait(ms, undefined, { signal }).catch(() => {}),
};

function continues(failure: Failure, consequence = "the program continues with its current values"): Lines {
  return [`warning: ${failure.message}; ${consequence}`, ...further(failure)];
}

function followable({ store: { esc } }: Start): EscSettings {
  if (!("settings" in esc)) throw new TypeError("nothing to follow");
  if (esc.kind !== "read") return esc.settings;
  const opened = esc.environments.map(({ name, version }) => parseFullName(name, version));
  return settingsByFullNames(esc.settings, opened);
}
