/**
 * Renews what a program has from ESC, until its end:
 *
 *     const renewer = new Renewer(plan, start, parts);   // begins to wait for the first renewal
 *     renewer.currentCredentials("aws");                 // for each request of an SDK
 *     renewer.adopt(nextPlan, nextStart);                // when the program is restarted
 *     renewer.end();
 *
 * There is one schedule for the credentials of all clouds and for files. When the first of them is due, ESC is opened again, and all
 * that it gives is used. renewal.ts decides when that is.
 */
import type { Context } from "../../../core/context.ts";
import { SophiaError } from "../../../core/error.ts";
import type { Failure } from "../../../core/model.ts";
import { formatCheck } from "../../../contract/format.ts";
import type { Secret } from "../../../masking/masking-model.ts";
import { maskCommands } from "../../../output/workflow-commands.ts";
import { readAgain } from "../../../resolve/read-again.ts";
import { secretsOf } from "../../../resolve/secret-values.ts";
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
  secretsOfCredentials,
} from "./cloud-credentials.ts";
import { GOOGLE_EXPIRY } from "./google-variables.ts";
import { planRefresh, type RefreshPlan } from "./refresh-plan.ts";
import { RenewalReporter, type RenewedItem } from "./renewal-reports.ts";
import { isDue, type Lifetime, mayTryNow, nextTry, type RenewalState } from "./renewal.ts";
import { type FileChanges, fileChanges } from "./renewed-files.ts";
import type { SteadyClock } from "./steady-clock.ts";

/** The credentials and files that are renewed, for the audit log. */
export interface Renewals {
  readonly start: Pick<Start, "store">;
  readonly credentials: readonly Credentials[];
  /** The variables of the files. */
  readonly files: readonly string[];
}

export interface RenewerParts {
  readonly context: Context;
  readonly clock: SteadyClock;
  /** Writes the credentials that SDKs read from a file. @throws SophiaError (secret-files) */
  readonly storeCredentials: (credentials: Credentials) => void;
  /** Records renewals before they are used. @throws SophiaError (audit) if that fails, and then they are not used */
  readonly record: (renewals: Renewals) => void;
  /** Called with new secrets before the program gets them. */
  readonly mask: (secrets: readonly Secret[]) => void;
}

/** The kind of an item that is renewed: the credentials of a cloud, or all files. */
type RenewedKind = Cloud | "files";
type TextSecret = Secret & { readonly value: string };
type Mask = (secrets: readonly Secret[]) => void;
type ReplaceFile = (name: string, content: string) => void;

/** The limit of a timer. A timer stops while the machine sleeps, but credentials expire, so the clock is read often. */
const MAX_WAIT_MS = 60_000;
/** The limit of former secrets that are still masked. */
const MAX_FORMER_SECRETS = 150;

const EXPIRED: Readonly<Record<Cloud, Failure>> = {
  aws: expiredFailure(`check the clock of this machine, and ${AWS_EXPIRATION} in the ESC environment`),
  google: expiredFailure(`check the clock of this machine, and ${GOOGLE_EXPIRY} in the ESC environment`),
  azure: expiredFailure("check the clock of this machine"),
};

function expiredFailure(hint: string): Failure {
  return { code: "refresh", message: "the credentials of ESC have already expired", hint };
}

const SAME: Failure = {
  code: "refresh",
  message: "ESC gives the same credentials again",
  hint: "have a provider of the ESC environment make them, such as fn::open::gcp-login",
};

/** The result of opening ESC again. */
interface Opening {
  readonly start: Start;
  readonly plan: RefreshPlan;
}

export class Renewer {
  readonly #parts: RenewerParts;
  readonly #reporter: RenewalReporter;
  /** The start of the present program. */
  #start: Start;
  #plan: RefreshPlan;
  #credentials: ReadonlyMap<Cloud, Credentials> = new Map();
  /** The contents of the files of ESC that are renewed, by variable. */
  #files: ReadonlyMap<string, string> = new Map();
  /** True if files were renewed before the program has run, so that it has older contents. */
  #hasNewerFiles = false;
  #states: ReadonlyMap<RenewedKind, RenewalState> = new Map();
  #formerSecrets: readonly TextSecret[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isTrying = false;
  #hasEnded = false;
  /** The masking of the present program's output and, while it is being restarted, of the former one's. */
  #masks: readonly Mask[] = [];
  /** Undefined until the first program runs. */
  #replaceFile: ReplaceFile | undefined;

  constructor(plan: RefreshPlan, start: Start, parts: RenewerParts) {
    this.#parts = parts;
    this.#reporter = new RenewalReporter(parts.context, start.settings.quiet);
    this.#start = start;
    this.#plan = plan;
    this.adopt(plan, start);
  }

  /** Renews from now on what this plan has, from sources that were just read. @throws as `storeCredentials` */
  adopt(plan: RefreshPlan, start: Start): void {
    const { settings } = start;
    // ESC is asked although the cache may be fresh. The cache stays on, so that it gets the new values.
    const cache = settings.cache || settings.cacheFreshMs !== undefined;
    this.#start = { ...start, settings: { ...settings, cache, cacheFreshMs: undefined } };
    this.#remember(this.secrets());
    this.#plan = plan;
    this.#credentials = new Map(plan.credentials.map((credentials) => [credentials.cloud, credentials]));
    this.#files = new Map(plan.files.map(({ name, value }) => [name, value]));
    this.#hasNewerFiles = false;
    this.#states = this.#createStates(plan);
    for (const credentials of plan.credentials) this.#parts.storeCredentials(credentials);
    this.#schedule();
  }

  /** Returns the present credentials; undefined if they have expired. Near their end this may begin to renew them. */
  currentCredentials<Name extends Cloud>(cloud: Name): Extract<Credentials, { readonly cloud: Name }> | undefined {
    const state = this.#states.get(cloud);
    const credentials = this.#credentials.get(cloud);
    if (state === undefined || !isOfCloud(credentials, cloud)) return undefined;
    const now = this.#parts.clock.now();
    if (mayTryNow(state, now)) void this.#renew();
    return now < state.lifetime.expiresAt ? credentials : undefined;
  }

  /** Returns the milliseconds until the credentials of a cloud expire. */
  remainingMs(cloud: Cloud): number {
    const expiresAt = this.#states.get(cloud)?.lifetime.expiresAt ?? 0;
    return Math.max(0, expiresAt - this.#parts.clock.now());
  }

  /** Returns all secrets that a program of this run may have: the present ones, and former ones. */
  secrets(): readonly TextSecret[] {
    return [...Array.from(this.#credentials.values()).flatMap(secretsOfCredentials), ...this.#formerSecrets];
  }

  /** Called once a program runs, see `LaunchBroker`. */
  started(write: ((text: string) => void) | undefined, mask: Mask | undefined, replace: ReplaceFile | undefined): void {
    this.#reporter.writeReportsWith(write);
    this.#replaceFile = replace;
    if (mask !== undefined) {
      this.#masks = [...this.#masks.slice(-1), mask];
      // Credentials may have been renewed since the masking of this program was made.
      mask(this.secrets());
    }
    if (!this.#hasNewerFiles) return;
    this.#hasNewerFiles = false;
    try {
      for (const [name, content] of this.#files) replace?.(name, content);
    } catch (error) {
      this.#fail(["files"], asFailure(error));
    }
  }

  end(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
  }

  /** Waits for the next try. */
  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#hasEnded || this.#isTrying || this.#states.size === 0) return;
    const random = Math.random();
    const nextTryAt = Math.min(...Array.from(this.#states.values(), (state) => nextTry(state, random)));
    const wait = (): void => {
      const remainingMs = nextTryAt - this.#parts.clock.now();
      if (remainingMs <= 0) void this.#renew();
      else this.#timer = setTimeout(wait, Math.min(remainingMs, MAX_WAIT_MS));
    };
    wait();
  }

  async #renew(): Promise<void> {
    if (this.#isTrying || this.#hasEnded) return;
    this.#isTrying = true;
    clearTimeout(this.#timer);
    const now = this.#parts.clock.now();
    const due = Array.from(this.#states).flatMap(([kind, state]) => (isDue(state, now) ? [kind] : []));
    const planBefore = this.#plan;
    const opening = await this.#open();
    this.#isTrying = false;
    if (this.#hasEnded) return;
    // If the program was restarted in the meantime, it has newer values.
    if (planBefore === this.#plan) {
      if ("message" in opening) this.#fail(due, opening);
      else this.#useOpening(opening, due);
    }
    this.#schedule();
  }

  /** Opens ESC again. */
  async #open(): Promise<Opening | Failure> {
    const readAt = Date.now();
    try {
      const sources = await readAgain(this.#start, createCompanions(this.#start.settings, this.#reporter.context()));
      const { esc } = sources.store;
      if (esc.kind === "unavailable" || esc.kind === "refused") return esc.failure;
      const isFromCache = esc.kind === "read" && esc.kept?.why === "unavailable";
      if (isFromCache) return esc.kept.failure;
      const start = { ...this.#start, ...sources };
      return { start, plan: planRefresh(this.#plan.scope, start, readAt) };
    } catch (error) {
      return asFailure(error);
    } finally {
      // `createCompanions` has limited the time of JavaScript. The masking of the program's output may need any time.
      loader?.limitTurns?.(0);
    }
  }

  /** Uses the credentials and files that ESC gave. Reports failures of those that were due. */
  #useOpening({ start, plan }: Opening, due: readonly RenewedKind[]): void {
    const openedCredentials = new Map(plan.credentials.map((credentials) => [credentials.cloud, credentials]));
    const renewed: Credentials[] = [];
    const failures = new Map<Failure, RenewedKind[]>();
    for (const [cloud, present] of this.#credentials) {
      const result = this.#checkRenewed(cloud, present, openedCredentials.get(cloud), plan);
      if ("cloud" in result) renewed.push(result);
      // Credentials that were not due may be new the next time.
      else if (due.includes(cloud)) failures.set(result, [...(failures.get(result) ?? []), cloud]);
    }
    try {
      const files = fileChanges(this.#files, plan.files, start.files.contract, formatCheck());
      this.#use(renewed, files, { start, plan });
    } catch (error) {
      this.#fail(due, asFailure(error));
      return;
    }
    for (const [failure, clouds] of failures) this.#fail(clouds, failure);
  }

  /** Returns the new credentials of a cloud; otherwise the reason why they cannot replace the present ones. */
  #checkRenewed(
    cloud: Cloud,
    present: Credentials,
    opened: Credentials | undefined,
    { reasons }: RefreshPlan,
  ): Credentials | Failure {
    if (opened === undefined) return { code: "refresh", message: reasons.get(cloud) ?? "ESC gives none" };
    if (areSameCredentials(opened, present)) return SAME;
    const hasExpired = this.#parts.clock.remainingMs(opened.expiresAt) <= 0;
    return hasExpired ? EXPIRED[cloud] : opened;
  }

  /**
   * Records, masks, and then gives the program what is renewed, in this order: each step may fail, and the program must get no secret
   * that is not masked.
   *
   * @throws SophiaError (audit, secret-files, redact-size)
   */
  #use(renewed: readonly Credentials[], files: FileChanges, { start, plan }: Opening): void {
    const { record, storeCredentials } = this.#parts;
    const fileNames = [...files.contents.keys()];
    if (renewed.length + fileNames.length > 0) record({ start, credentials: renewed, files: fileNames });
    const secrets = [
      ...renewed.flatMap(secretsOfCredentials),
      ...secretsOf(start).filter(({ name }) => files.contents.has(name)),
    ];
    if (secrets.length > 0) this.#mask(secrets, start);
    this.#remember([...secrets, ...this.secrets()]);

    for (const credentials of renewed) storeCredentials(credentials);
    for (const [name, content] of files.contents) this.#replaceFile?.(name, content);
    this.#hasNewerFiles ||= files.contents.size > 0 && this.#replaceFile === undefined;
    this.#credentials = new Map([...this.#credentials, ...renewed.map((each) => [each.cloud, each] as const)]);
    this.#files = new Map([...this.#files, ...files.contents]);

    const newStates = Array.from(this.#createStates({ ...plan, credentials: renewed }));
    // Files are renewed only if the program got some at its start.
    const knownStates = newStates.filter(([kind]) => this.#states.has(kind));
    this.#states = new Map([...this.#states, ...knownStates]);
    this.#reporter.reportRenewed(knownStates.map(([kind]) => nounOf(kind)));
    this.#reporter.reportFiles(files);
  }

  #mask(secrets: readonly TextSecret[], { settings }: Start): void {
    const { context, mask } = this.#parts;
    if (settings.redact === "github") context.raw(2, maskCommands(secrets));
    for (const maskOutput of this.#masks) maskOutput(secrets);
    mask(secrets);
  }

  /** Keeps these secrets for the masking of later output; the first ones if there are too many. */
  #remember(secrets: readonly TextSecret[]): void {
    const byValue = new Map<string, TextSecret>();
    for (const secret of secrets) if (!byValue.has(secret.value)) byValue.set(secret.value, secret);
    this.#formerSecrets = [...byValue.values()].slice(0, MAX_FORMER_SECRETS);
  }

  /** Returns the states of what a plan has, which was just read. */
  #createStates({ credentials, files, session }: RefreshPlan): ReadonlyMap<RenewedKind, RenewalState> {
    const lifetimes: (readonly [RenewedKind, Lifetime])[] = credentials.map((each) => {
      const { leadMs } = CLOUD_FACTS[each.cloud];
      return [each.cloud, { ...this.#lifetimeOf(each), leadMs }];
    });
    if (files.length > 0) lifetimes.push(["files", this.#lifetimeOf(session)]);
    const triedAt = this.#parts.clock.now();
    return new Map(lifetimes.map(([kind, lifetime]) => [kind, { lifetime, failures: 0, triedAt }]));
  }

  /** Converts a lifetime to the time of the steady clock. */
  #lifetimeOf({ openedAt, expiresAt }: EscSession): Lifetime {
    const { clock } = this.#parts;
    const now = clock.now();
    return {
      openedAt: now - Math.max(0, Date.now() - openedAt),
      expiresAt: now + clock.remainingMs(expiresAt),
    };
  }

  /** Counts and reports a failure of these credentials or files. */
  #fail(kinds: readonly RenewedKind[], failure: Failure): void {
    const now = this.#parts.clock.now();
    const isSame = failure === SAME;
    this.#states = new Map(
      Array.from(this.#states, ([kind, state]) => {
        const failedState = { ...state, failures: state.failures + 1, triedAt: now, isSame };
        return [kind, kinds.includes(kind) ? failedState : state];
      }),
    );
    const items = kinds.map((kind) => this.#itemOf(kind, now));
    this.#reporter.reportFailure(items, failure);
  }

  #itemOf(kind: RenewedKind, now: number): RenewedItem {
    const steadyEnd = this.#states.get(kind)?.lifetime.expiresAt ?? 0;
    // The time of the provider is shown as it is, since the clock of this machine may be wrong.
    const statedEnd = kind === "files" ? undefined : this.#credentials.get(kind)?.expiresAt;
    return {
      noun: nounOf(kind),
      expiresAt: statedEnd ?? Date.now() + steadyEnd - now,
      hasExpired: now >= steadyEnd,
      isServed: kind !== "files" && CLOUD_FACTS[kind].isServed,
    };
  }
}

function nounOf(kind: RenewedKind): string {
  return kind === "files" ? "files of ESC" : CLOUD_FACTS[kind].noun;
}

function isOfCloud<Name extends Cloud>(
  credentials: Credentials | undefined,
  cloud: Name,
): credentials is Extract<Credentials, { readonly cloud: Name }> {
  return credentials?.cloud === cloud;
}

/** @throws the error if it is a bug */
function asFailure(error: unknown): Failure {
  if (error instanceof SophiaError) return error;
  throw error;
}
