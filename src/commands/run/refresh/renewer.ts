/**
 * Keeps the cloud credentials and the private files that a program got from Pulumi ESC up to date while the program runs
 * (`--refresh`). refresh.ts creates one renewer for each run of sophia-run:
 *
 *     const renewer = new Renewer(plan, start, dependencies);   // begins to wait for the first renewal
 *     renewer.started(write, mask, replaceFile);                // each time a program has been started
 *     renewer.currentCredentials("aws");                        // for each request of an SDK
 *     renewer.adopt(nextPlan, nextStart);                       // when --watch restarts the program
 *     renewer.end();                                            // when the last program has ended
 *
 * The credentials of all clouds and the files share one schedule, because one opening of ESC returns them all. renewal.ts computes
 * when each of them is due. When the first is due, the renewer opens ESC again, and uses everything new that ESC returns.
 *
 * The renewer is in one of four states:
 *
 *     idle      `#states` is empty: there is nothing to renew, and no timer
 *     waiting   `#timer` is set for the next try
 *     renewing  `#isRenewing`: ESC is being opened, and there is no timer
 *     ended     `#hasEnded`: there is no timer
 *
 * `adopt` begins `waiting`, or `idle` if the new plan has nothing to renew. If ESC is being opened, that comes after the answer of
 * ESC. The timer, or the request of an SDK shortly before the end of its credentials, begins `renewing`. A renewal, whether it
 * succeeds or fails, leads back to `waiting` or `idle`. `end` leads from any state to `ended`, and nothing leads out of that.
 *
 * The result of an opening is ignored if `adopt` or `end` was called in the meantime. Otherwise the order is fixed: record, mask,
 * write the files, and only then use the new credentials (`#deliver`).
 */
import type { Context } from "../../../core/context.ts";
import { SophiaError } from "../../../core/error.ts";
import type { Failure } from "../../../core/model.ts";
import { createFormatCheck } from "../../../contract/format.ts";
import type { Secret } from "../../../masking/masking-model.ts";
import { createMaskCommands } from "../../../output/workflow-commands.ts";
import { readEscAgain } from "../../../resolve/read-again.ts";
import { collectSecrets } from "../../../resolve/secret-values.ts";
import type { Start } from "../../../resolve/start.ts";
import { loader } from "../../../system/addon/addon.ts";
import { createCompanions } from "../../parts/command-start.ts";
import { AWS_EXPIRATION } from "./aws-variables.ts";
import {
  areSameCredentials,
  type Cloud,
  CLOUD_FACTS,
  type Credentials,
  type EscSession,
  type RenewedKind,
  listSecrets,
} from "./cloud-credentials.ts";
import { GOOGLE_EXPIRY } from "./google-variables.ts";
import { planRefresh, type RefreshPlan } from "./refresh-plan.ts";
import { RenewalReporter, type RenewedItem } from "./renewal-reports.ts";
import { isDue, type Lifetime, mayTryNow, computeNextTry, type RenewalState } from "./renewal.ts";
import { type FileChanges, compareFiles } from "./renewed-files.ts";
import type { SteadyClock } from "./steady-clock.ts";

/** The credentials and files of one renewal, as the audit log records them. */
export interface Renewals {
  readonly start: Pick<Start, "store">;
  readonly credentials: readonly Credentials[];
  /** The names of the variables that hold the paths of the files. */
  readonly files: readonly string[];
}

/** The clock and the functions of the caller that the renewer uses. */
export interface RenewerDependencies {
  readonly context: Context;
  readonly clock: SteadyClock;
  /** Writes the credentials that SDKs read from a file. @throws SophiaError (secret-files) */
  readonly storeCredentials: (credentials: Credentials) => void;
  /** Records renewals before they are used. @throws SophiaError (audit) if that fails, and then they are not used */
  readonly record: (renewals: Renewals) => void;
  /** Masks new secrets in the audit log. The renewer calls it before the program gets them. */
  readonly maskInAuditLog: (secrets: readonly Secret[]) => void;
}

type TextSecret = Secret & { readonly value: string };
/** Masks further secrets in the output of one program. */
type Mask = (secrets: readonly Secret[]) => void;
/** Replaces a private file of the running program, which is named by its variable. @throws SophiaError (secret-files) */
type ReplaceFile = (name: string, content: string) => void;

/** The longest timer. A timer stops while the machine sleeps, but credentials expire, so the renewer reads its clock often. */
const MAX_TIMER_MS = 60_000;
/** The limit of the memory and time that masking takes in a run of weeks. The oldest secrets, long expired, are dropped first. */
const MAX_FORMER_SECRETS = 150;

/** The failure if ESC returns credentials that have already expired. */
const ALREADY_EXPIRED_FAILURES: Readonly<Record<Cloud, Failure>> = {
  aws: createExpiredFailure(`check the clock of this machine, and ${AWS_EXPIRATION} in the ESC environment`),
  google: createExpiredFailure(`check the clock of this machine, and ${GOOGLE_EXPIRY} in the ESC environment`),
  azure: createExpiredFailure("check the clock of this machine"),
};

function createExpiredFailure(hint: string): Failure {
  return { code: "refresh", message: "the credentials of ESC have already expired", hint };
}

/** The failure if ESC returns the credentials that the program already has. */
const SAME_CREDENTIALS_FAILURE: Failure = {
  code: "refresh",
  message: "ESC gives the same credentials again",
  hint: "have a provider of the ESC environment make them, such as fn::open::gcp-login",
};

/** The sources as they were read again, and the plan for what ESC returned. */
interface Opening {
  readonly start: Start;
  readonly plan: RefreshPlan;
}

export class Renewer {
  readonly #dependencies: RenewerDependencies;
  readonly #reporter: RenewalReporter;
  /** The start of the present program, with settings that make a renewal ask ESC. */
  #start: Start;
  /** The plan of the present program. Only `adopt` sets it, so another plan after an opening shows that `adopt` was called. */
  #plan: RefreshPlan;
  #credentials: ReadonlyMap<Cloud, Credentials> = new Map();
  /** The newest contents of the private files, by variable. */
  #files: ReadonlyMap<string, string> = new Map();
  /** True if ESC returned new contents before a program could get them, so that the files on disk do not have them yet. */
  #hasUnwrittenFiles = false;
  /** The times at which each item was opened, expires, and was last tried. Only these items are renewed. */
  #states: ReadonlyMap<RenewedKind, RenewalState> = new Map();
  /** The secrets of this run so far, newest first. A program may print one that was replaced long ago, so all stay masked. */
  #formerSecrets: readonly TextSecret[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isRenewing = false;
  #hasEnded = false;
  /** The masking of the present program's output and, while it is being restarted, of the former one's. */
  #masks: readonly Mask[] = [];
  /** Replaces the private files of the present program; undefined until the first program runs. */
  #replaceFile: ReplaceFile | undefined;

  constructor(plan: RefreshPlan, start: Start, dependencies: RenewerDependencies) {
    this.#dependencies = dependencies;
    this.#reporter = new RenewalReporter(dependencies.context, start.settings.quiet);
    // `adopt` sets both, but TypeScript does not look for assignments in methods.
    this.#start = start;
    this.#plan = plan;
    this.adopt(plan, start);
  }

  /**
   * Renews the items of this plan from now on, in place of those of the former plan. The sources were just read.
   *
   * @throws SophiaError (secret-files) as `storeCredentials`
   */
  adopt(plan: RefreshPlan, start: Start): void {
    const { settings } = start;
    // A renewal must ask ESC even if the cache is fresh. The cache stays on, so that it stores the new values.
    const cache = settings.cache || settings.cacheFreshMs !== undefined;
    this.#start = { ...start, settings: { ...settings, cache, cacheFreshMs: undefined } };
    // Before the credentials are replaced, they become former secrets, which stay masked.
    this.#setFormerSecrets(this.secrets());
    this.#plan = plan;
    this.#credentials = new Map(plan.credentials.map((credentials) => [credentials.cloud, credentials]));
    this.#files = new Map(plan.files.map(({ name, value }) => [name, value]));
    this.#hasUnwrittenFiles = false;
    this.#states = this.#createStates(plan);
    for (const credentials of plan.credentials) this.#dependencies.storeCredentials(credentials);
    this.#schedule();
  }

  /**
   * Returns the present credentials of a cloud; undefined if they have expired, or if there are none. Shortly before they expire,
   * this also begins a renewal, for whose end it does not wait.
   */
  currentCredentials<Name extends Cloud>(cloud: Name): Extract<Credentials, { readonly cloud: Name }> | undefined {
    const state = this.#states.get(cloud);
    const credentials = this.#credentials.get(cloud);
    if (state === undefined || !isOfCloud(credentials, cloud)) return undefined;
    const now = this.#dependencies.clock.now();
    if (mayTryNow(state, now)) void this.#renew();
    return now < state.lifetime.expiresAt ? credentials : undefined;
  }

  /** Returns the milliseconds until the credentials of a cloud expire; 0 if they have expired, or if there are none. */
  remainingMs(cloud: Cloud): number {
    const expiresAt = this.#states.get(cloud)?.lifetime.expiresAt ?? 0;
    return Math.max(0, expiresAt - this.#dependencies.clock.now());
  }

  /** Returns the secrets that any program of this run may have: the present credentials, and former secrets. */
  secrets(): readonly TextSecret[] {
    return [...Array.from(this.#credentials.values()).flatMap(listSecrets), ...this.#formerSecrets];
  }

  /** The caller calls this when a program has been started; `LaunchBroker.started` explains the arguments. */
  started(
    write: ((text: string) => void) | undefined,
    mask: Mask | undefined,
    replaceFile: ReplaceFile | undefined,
  ): void {
    this.#reporter.writeReportsWith(write);
    this.#replaceFile = replaceFile;
    if (mask !== undefined) {
      // The masking of the former program stays, since the rest of its output may still be on the way.
      this.#masks = [...this.#masks.slice(-1), mask];
      // Credentials may have been renewed since the caller created the masking of this program.
      mask(this.secrets());
    }
    if (!this.#hasUnwrittenFiles) return;
    this.#hasUnwrittenFiles = false;
    try {
      for (const [name, content] of this.#files) replaceFile?.(name, content);
    } catch (error) {
      this.#recordFailure(["files"], asFailure(error));
    }
  }

  /** Renews nothing from now on. The result of an opening that is under way is ignored. */
  end(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
  }

  /**
   * Sets the timer for the next try, in place of any earlier timer. During a renewal it sets none: `#renew` calls it at the end.
   */
  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#hasEnded || this.#isRenewing || this.#states.size === 0) return;
    const random = Math.random();
    const nextTryAt = Math.min(...Array.from(this.#states.values(), (state) => computeNextTry(state, random)));
    const wait = (): void => {
      const remainingMs = nextTryAt - this.#dependencies.clock.now();
      if (remainingMs <= 0) void this.#renew();
      else this.#timer = setTimeout(wait, Math.min(remainingMs, MAX_TIMER_MS));
    };
    wait();
  }

  /** Opens ESC again, uses the result, and schedules the next renewal. Does nothing while another renewal is under way. */
  async #renew(): Promise<void> {
    if (this.#isRenewing || this.#hasEnded) return;
    this.#isRenewing = true;
    clearTimeout(this.#timer);
    const now = this.#dependencies.clock.now();
    const dueKinds = Array.from(this.#states).flatMap(([kind, state]) => (isDue(state, now) ? [kind] : []));
    const planBefore = this.#plan;
    const opening = await this.#openEsc();
    this.#isRenewing = false;
    if (this.#hasEnded) return;
    // If `adopt` was called in the meantime, the restarted program has newer values than this opening.
    if (planBefore === this.#plan) {
      if ("message" in opening) this.#recordFailure(dueKinds, opening);
      else this.#useOpening(opening, dueKinds);
    }
    this.#schedule();
  }

  /** Opens ESC again. @returns the failure if ESC cannot be opened now */
  async #openEsc(): Promise<Opening | Failure> {
    const readAt = Date.now();
    try {
      const sources = await readEscAgain(this.#start, createCompanions(this.#start.settings, this.#reporter.context()));
      const { esc } = sources.store;
      if (esc.kind === "unavailable" || esc.kind === "refused") return esc.failure;
      // The cached values are those that the program has.
      const isFromCache = esc.kind === "read" && esc.cacheUse?.why === "unavailable";
      if (isFromCache) return esc.cacheUse.failure;
      const start = { ...this.#start, ...sources };
      return { start, plan: planRefresh(this.#plan.scope, start, readAt) };
    } catch (error) {
      return asFailure(error);
    } finally {
      // `createCompanions` makes the executable limit how long JavaScript may compute in one turn of the event loop. 0 lifts that
      // limit, since masking a long output of the program may take longer.
      loader?.limitTurns?.(0);
    }
  }

  /** Gives the program the credentials and files that are new. Reports a failure for those that were due but are not new. */
  #useOpening({ start, plan }: Opening, dueKinds: readonly RenewedKind[]): void {
    const { renewed, failures } = this.#findRenewed(plan, dueKinds);
    try {
      const changes = compareFiles(this.#files, plan.files, start.files.contract, createFormatCheck());
      this.#deliver(renewed, changes, { start, plan });
    } catch (error) {
      // The state is unchanged, so the failure concerns everything that was due.
      this.#recordFailure(dueKinds, asFailure(error));
      return;
    }
    for (const [failure, clouds] of failures) this.#recordFailure(clouds, failure);
  }

  /**
   * Finds the new credentials in a plan, and the failures of clouds that were due but have none. One failure may concern several.
   */
  #findRenewed(
    plan: RefreshPlan,
    dueKinds: readonly RenewedKind[],
  ): { readonly renewed: readonly Credentials[]; readonly failures: ReadonlyMap<Failure, readonly Cloud[]> } {
    const openedCredentials = new Map(plan.credentials.map((credentials) => [credentials.cloud, credentials]));
    const renewed: Credentials[] = [];
    const failures = new Map<Failure, Cloud[]>();
    for (const [cloud, present] of this.#credentials) {
      const result = this.#checkRenewed(cloud, present, openedCredentials.get(cloud), plan);
      if ("cloud" in result) renewed.push(result);
      // Credentials that are not due yet still work, and ESC may return new ones the next time.
      else if (dueKinds.includes(cloud)) failures.set(result, [...(failures.get(result) ?? []), cloud]);
    }
    return { renewed, failures };
  }

  /** Returns the new credentials of a cloud; otherwise the reason why they cannot replace the present ones. */
  #checkRenewed(
    cloud: Cloud,
    present: Credentials,
    opened: Credentials | undefined,
    { reasons }: RefreshPlan,
  ): Credentials | Failure {
    if (opened === undefined) return { code: "refresh", message: reasons.get(cloud) ?? "ESC gives none" };
    if (areSameCredentials(opened, present)) return SAME_CREDENTIALS_FAILURE;
    const hasExpired = this.#dependencies.clock.remainingMs(opened.expiresAt) <= 0;
    return hasExpired ? ALREADY_EXPIRED_FAILURES[cloud] : opened;
  }

  /**
   * Records, masks, and then gives the program what is new, in this order: each step may fail, and the program must not get a
   * secret that is neither recorded nor masked.
   *
   * @throws SophiaError (audit, secret-files, redact-size)
   */
  #deliver(renewed: readonly Credentials[], changes: FileChanges, { start, plan }: Opening): void {
    const fileNames = [...changes.contents.keys()];
    if (renewed.length + fileNames.length > 0) {
      this.#dependencies.record({ start, credentials: renewed, files: fileNames });
    }
    const newSecrets = [
      ...renewed.flatMap(listSecrets),
      ...collectSecrets(start).filter(({ name }) => changes.contents.has(name)),
    ];
    if (newSecrets.length > 0) this.#maskEverywhere(newSecrets, start);
    this.#setFormerSecrets([...newSecrets, ...this.secrets()]);

    // Both writes may throw. The renewer changes its state only after them, so after a failure it tries to write again.
    for (const credentials of renewed) this.#dependencies.storeCredentials(credentials);
    for (const [name, content] of changes.contents) this.#replaceFile?.(name, content);
    this.#adoptValues(renewed, changes.contents);
    const renewedKinds = this.#restartLifetimes({ ...plan, credentials: renewed });
    this.#reporter.reportRenewed(renewedKinds.map(nounOf));
    this.#reporter.reportFiles(changes);
  }

  /** Replaces the present credentials and contents by the new ones. Those without a new one stay. */
  #adoptValues(renewed: readonly Credentials[], contents: ReadonlyMap<string, string>): void {
    const newEntries = renewed.map((credentials) => [credentials.cloud, credentials] as const);
    this.#credentials = new Map([...this.#credentials, ...newEntries]);
    this.#files = new Map([...this.#files, ...contents]);
    this.#hasUnwrittenFiles ||= contents.size > 0 && this.#replaceFile === undefined;
  }

  /** Begins a new lifetime for what a plan has. @returns what was renewed by it */
  #restartLifetimes(plan: RefreshPlan): readonly RenewedKind[] {
    // A program that got no files at its start gets none later, so a lifetime of files begins only if there was one before.
    const restarted = Array.from(this.#createStates(plan)).filter(([kind]) => this.#states.has(kind));
    this.#states = new Map([...this.#states, ...restarted]);
    return restarted.map(([kind]) => kind);
  }

  /** Masks new secrets in all outputs: in the log of GitHub Actions, in the programs' output and in the audit log. */
  #maskEverywhere(secrets: readonly TextSecret[], { settings }: Start): void {
    const { context, maskInAuditLog } = this.#dependencies;
    // GitHub Actions masks a value in its log after this process has printed a command for it to standard error (2).
    if (settings.redact === "github") context.raw(2, createMaskCommands(secrets));
    for (const maskOutput of this.#masks) maskOutput(secrets);
    maskInAuditLog(secrets);
  }

  /** Sets the former secrets, which stay masked. Of equal values it keeps the first and, if there are too many, the first ones. */
  #setFormerSecrets(secrets: readonly TextSecret[]): void {
    const byValue = new Map<string, TextSecret>();
    for (const secret of secrets) if (!byValue.has(secret.value)) byValue.set(secret.value, secret);
    this.#formerSecrets = [...byValue.values()].slice(0, MAX_FORMER_SECRETS);
  }

  /** Returns the states at the beginning of the lifetimes of what a plan has. Its sources were just read. */
  #createStates({ credentials, files, session }: RefreshPlan): ReadonlyMap<RenewedKind, RenewalState> {
    const lifetimes: (readonly [RenewedKind, Lifetime])[] = credentials.map((cloudCredentials) => {
      const { cloud } = cloudCredentials;
      return [cloud, { ...this.#lifetimeOf(cloudCredentials), leadMs: CLOUD_FACTS[cloud].leadMs }];
    });
    // The content of a file may come from a provider, whose values expire with the session in which ESC made them.
    if (files.length > 0) lifetimes.push(["files", this.#lifetimeOf(session)]);
    const triedAt = this.#dependencies.clock.now();
    return new Map(lifetimes.map(([kind, lifetime]) => [kind, { lifetime, failures: 0, triedAt }]));
  }

  /** Converts a lifetime from the system's clock to the renewer's clock, which setting the system's clock back does not affect. */
  #lifetimeOf({ openedAt, expiresAt }: EscSession): Lifetime {
    const { clock } = this.#dependencies;
    const now = clock.now();
    return {
      openedAt: now - Math.max(0, Date.now() - openedAt),
      expiresAt: now + clock.remainingMs(expiresAt),
    };
  }

  /** Counts and reports a failure of these credentials or files. */
  #recordFailure(kinds: readonly RenewedKind[], failure: Failure): void {
    const now = this.#dependencies.clock.now();
    const hasSameCredentials = failure === SAME_CREDENTIALS_FAILURE;
    this.#states = new Map(
      Array.from(this.#states, ([kind, state]) => {
        const failedState = { ...state, failures: state.failures + 1, triedAt: now, hasSameCredentials };
        return [kind, kinds.includes(kind) ? failedState : state];
      }),
    );
    const items = kinds.map((kind) => this.#itemOf(kind, now));
    this.#reporter.reportFailure(items, failure);
  }

  /** Describes an item for the report of a failure. @param now the present time of the renewer's clock */
  #itemOf(kind: RenewedKind, now: number): RenewedItem {
    const clockExpiresAt = this.#states.get(kind)?.lifetime.expiresAt ?? 0;
    // The report shows the time that the provider stated, without conversion, since the clock of this machine may be wrong.
    const statedExpiresAt = kind === "files" ? undefined : this.#credentials.get(kind)?.expiresAt;
    return {
      noun: nounOf(kind),
      expiresAt: statedExpiresAt ?? Date.now() + clockExpiresAt - now,
      hasExpired: now >= clockExpiresAt,
      isServed: kind !== "files" && CLOUD_FACTS[kind].isServed,
    };
  }
}

function nounOf(kind: RenewedKind): string {
  return kind === "files" ? "files of ESC" : CLOUD_FACTS[kind].noun;
}

/** Tells the compiler that the map has the credentials of a cloud under the cloud's name. */
function isOfCloud<Name extends Cloud>(
  credentials: Credentials | undefined,
  cloud: Name,
): credentials is Extract<Credentials, { readonly cloud: Name }> {
  return credentials?.cloud === cloud;
}

/** Returns the failure that the user can do something about. @throws any other error, which is a bug */
function asFailure(error: unknown): Failure {
  if (error instanceof SophiaError) return error;
  throw error;
}
