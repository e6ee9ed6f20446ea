/**
 * Renews what a program has from ESC, until its end: one schedule for the credentials of all clouds and for files. ESC is opened
 * again for the first that is due, and what it gives replaces everything. Credentials that could not be renewed are given until
 * they expire.
 */
import type { Context } from "../../../core/context.ts";
import { SophiaError } from "../../../core/error.ts";
import type { Failure } from "../../../core/model.ts";
import { enumerateFew } from "../../../core/lines.ts";
import { enumerate, printable } from "../../../core/text.ts";
import { formatCheck } from "../../../contract/format.ts";
import type { Secret } from "../../../masking/masking-model.ts";
import { printLines } from "../../../output/stderr.ts";
import { maskCommands } from "../../../output/workflow-commands.ts";
import { readAgain } from "../../../resolve/read-again.ts";
import { secretsOf } from "../../../resolve/secret-values.ts";
import type { Start } from "../../../resolve/start.ts";
import { loader } from "../../../system/addon/addon.ts";
import { createCompanions } from "../../parts/command-start.ts";
import { AWS_EXPIRATION } from "./aws-variables.ts";
import { areSame, type Cloud, CLOUD_FACTS, type Credentials, secretsOfCredentials } from "./cloud-credentials.ts";
import { GOOGLE_EXPIRY } from "./google-variables.ts";
import { failureReport, type Renewed } from "./renewal-reports.ts";
import { type FileChanges, fileChanges } from "./renewed-files.ts";
import { planRefresh, type RefreshPlan } from "./refresh-plan.ts";
import { type Generation, isDue, leadOf, mayTryNow, nextTry, type RenewalState } from "./renewal.ts";
import type { SteadyClock } from "./steady-clock.ts";

/** The credentials and files that are renewed, for the audit log. */
export interface Renewals {
  readonly start: Pick<Start, "store">;
  readonly credentials: readonly Credentials[];
  readonly files: readonly string[];
}

export interface RenewerParts {
  readonly context: Context;
  readonly clock: SteadyClock;
  /** Writes the private files of credentials. @throws SophiaError (secret-files) */
  readonly store: (credentials: Credentials) => void;
  /** Records what is about to be used. @throws SophiaError (audit) if it cannot be recorded: then it is not used */
  readonly record: (renewals: Renewals) => void;
  /** Called before new secrets are given to the program. */
  readonly mask: (secrets: readonly Secret[]) => void;
}

type Key = Cloud | "files";
type Text = Secret & { readonly value: string };
type Mask = (secrets: readonly Secret[]) => void;
type ReplaceFile = (name: string, content: string) => void;

/** A timer is set again at least so often: it stops while the machine sleeps, credentials do not. */
const LONGEST_WAIT_MS = 60_000;
/** Former secrets that stay masked. */
const MOST_FORMER = 150;

const EXPIRED: Readonly<Record<Cloud, Failure>> = {
  aws: expired(`check the clock of this machine, and ${AWS_EXPIRATION} in the ESC environment`),
  google: expired(`check the clock of this machine, and ${GOOGLE_EXPIRY} in the ESC environment`),
  azure: expired("check the clock of this machine"),
};

function expired(hint: string): Failure {
  return { code: "refresh", message: "the credentials of ESC have already expired", hint };
}

const SAME: Failure = {
  code: "refresh",
  message: "ESC gives the same credentials again",
  hint: "have a provider of the ESC environment make them, such as fn::open::gcp-login",
};

export class Renewer {
  readonly #parts: RenewerParts;
  #start: Start;
  #plan: RefreshPlan;
  #credentials: ReadonlyMap<Cloud, Credentials> = new Map();
  /** The contents of the files of ESC that are renewed, by variable. */
  #files: ReadonlyMap<string, string> = new Map();
  /** Files have other contents than those with which the next program is started. */
  #hasNewerFiles = false;
  #states: ReadonlyMap<Key, RenewalState> = new Map();
  #former: readonly Text[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isTrying = false;
  #isOver = false;
  /** The failure of each that was reported. */
  readonly #reported = new Map<Key, string>();
  /** Problems of files that were reported. */
  #fileProblems: readonly string[] = [];
  #write: (text: string) => void;
  #masks: readonly Mask[] = [];
  #replaceFile: ReplaceFile | undefined;

  constructor(plan: RefreshPlan, start: Start, parts: RenewerParts) {
    this.#parts = parts;
    this.#write = parts.context.err;
    this.#start = start;
    this.#plan = plan;
    this.adopt(plan, start);
  }

  /** Renews from now on what this plan has, which a start has just read. */
  adopt(plan: RefreshPlan, start: Start): void {
    const { settings } = start;
    // ESC is always asked: values of the cache are never new.
    const cache = settings.cache || settings.cacheFreshMs !== undefined;
    this.#start = { ...start, settings: { ...settings, cache, cacheFreshMs: undefined } };
    this.#remember(this.secrets());
    this.#plan = plan;
    this.#credentials = new Map(plan.credentials.map((credentials) => [credentials.cloud, credentials]));
    this.#files = new Map(plan.files.map(({ name, value }) => [name, value]));
    this.#hasNewerFiles = false;
    this.#states = new Map(this.#generations(plan).map(([key, generation]) => [key, this.#fresh(generation)]));
    for (const credentials of plan.credentials) this.#parts.store(credentials);
    this.schedule();
  }

  /** Returns the credentials of now, and may begin to renew them; undefined if they have expired. */
  asked<Name extends Cloud>(cloud: Name): Extract<Credentials, { readonly cloud: Name }> | undefined {
    const state = this.#states.get(cloud);
    const credentials = this.#credentials.get(cloud);
    if (state === undefined || !isOf(credentials, cloud)) return undefined;
    const now = this.#parts.clock.now();
    if (mayTryNow(state, now)) void this.#renew();
    return now < state.generation.expiresAt ? credentials : undefined;
  }

  /** Returns the milliseconds until the credentials of a cloud expire. */
  remainingMs(cloud: Cloud): number {
    const end = this.#states.get(cloud)?.generation.expiresAt ?? 0;
    return Math.max(0, end - this.#parts.clock.now());
  }

  /** Returns all secrets that the program may have, former ones as well. */
  secrets(): readonly Text[] {
    return [...Array.from(this.#credentials.values()).flatMap(secretsOfCredentials), ...this.#former];
  }

  started(write: ((text: string) => void) | undefined, mask: Mask | undefined, replace: ReplaceFile | undefined): void {
    this.#write = write ?? this.#parts.context.err;
    this.#replaceFile = replace;
    if (mask !== undefined) {
      this.#masks = [...this.#masks.slice(-1), mask];
      // A restart may have begun with the masking of before.
      mask(this.secrets());
    }
    if (!this.#hasNewerFiles) return;
    this.#hasNewerFiles = false;
    try {
      for (const [name, content] of this.#files) replace?.(name, content);
    } catch (error) {
      this.#fail(["files"], failureIn(error));
    }
  }

  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  /** Waits for the next try. */
  schedule(): void {
    clearTimeout(this.#timer);
    if (this.#isOver || this.#isTrying || this.#states.size === 0) return;
    const random = Math.random();
    const at = Math.min(...Array.from(this.#states.values(), (state) => nextTry(state, random)));
    const wait = (): void => {
      const left = at - this.#parts.clock.now();
      if (left <= 0) void this.#renew();
      else this.#timer = setTimeout(wait, Math.min(left, LONGEST_WAIT_MS));
    };
    wait();
  }

  async #renew(): Promise<void> {
    if (this.#isTrying || this.#isOver) return;
    this.#isTrying = true;
    clearTimeout(this.#timer);
    const now = this.#parts.clock.now();
    const due = Array.from(this.#states).flatMap(([key, state]) => (isDue(state, now) ? [key] : []));
    const planned = this.#plan;
    const outcome = await this.#open();
    this.#isTrying = false;
    if (this.#isOver) return;
    // A restart has brought newer values meanwhile.
    if (planned === this.#plan) {
      if ("message" in outcome) this.#fail(due, outcome);
      else this.#take(outcome, due);
    }
    this.schedule();
  }

  async #open(): Promise<Opening | Failure> {
    const { context } = this.#parts;
    const readAt = Date.now();
    const between = { ...context, err: this.#write, isTerminal: () => false };
    try {
      const read = await readAgain(this.#start, createCompanions(this.#start.settings, between));
      const { esc } = read.store;
      if (esc.kind === "unavailable" || esc.kind === "refused") return esc.failure;
      if (esc.kind === "read" && esc.kept?.why === "unavailable") return esc.kept.failure;
      const start = { ...this.#start, ...read };
      return { start, plan: planRefresh(this.#plan.scope, start, readAt) };
    } catch (error) {
      return failureIn(error);
    } finally {
      // Masking in this process lasts as long as the program's output is long.
      loader?.limitTurns?.(0);
    }
  }

  /** Uses what an opening gave, and reports what it did not. */
  #take({ start, plan }: Opening, due: readonly Key[]): void {
    const given = new Map(plan.credentials.map((credentials) => [credentials.cloud, credentials]));
    const used: Credentials[] = [];
    const failures = new Map<Failure, Key[]>();
    const fail = (key: Key, failure: Failure): void => {
      // A cloud whose credentials are not due may give new ones the next time.
      if (due.includes(key)) failures.set(failure, [...(failures.get(failure) ?? []), key]);
    };
    for (const [cloud, present] of this.#credentials) {
      const next = given.get(cloud);
      if (next === undefined) fail(cloud, { code: "refresh", message: plan.reasons.get(cloud) ?? "ESC gives none" });
      else if (areSame(next, present)) fail(cloud, SAME);
      else if (this.#parts.clock.remainingMs(next.expiresAt) <= 0) fail(cloud, EXPIRED[cloud]);
      else used.push(next);
    }
    try {
      const changes = fileChanges(this.#files, plan.files, start.files.contract, formatCheck());
      this.#use(used, changes, { start, plan });
    } catch (error) {
      this.#fail(due, failureIn(error));
      return;
    }
    for (const [failure, keys] of failures) this.#fail(keys, failure);
  }

  /** @throws SophiaError (audit, secret-files, redact-size) if that fails, before the credentials are given */
  #use(used: readonly Credentials[], changes: FileChanges, { start, plan }: Opening): void {
    const { context, record, store, mask } = this.#parts;
    const fileNames = [...changes.contents.keys()];
    if (used.length + fileNames.length > 0) record({ start, credentials: used, files: fileNames });
    const secrets = [
      ...used.flatMap(secretsOfCredentials),
      ...secretsOf(start).filter(({ name }) => changes.contents.has(name)),
    ];
    if (secrets.length > 0) {
      // Before they are given: the program may print them.
      if (start.settings.redact === "github") context.raw(2, maskCommands(secrets));
      for (const each of this.#masks) each(secrets);
      mask(secrets);
    }
    this.#remember([...secrets, ...this.secrets()]);
    for (const credentials of used) store(credentials);
    for (const [name, content] of changes.contents) this.#replaceFile?.(name, content);
    this.#hasNewerFiles ||= changes.contents.size > 0 && this.#replaceFile === undefined;
    this.#credentials = new Map([...this.#credentials, ...used.map((each) => [each.cloud, each] as const)]);
    this.#files = new Map([...this.#files, ...changes.contents]);
    const renewed = this.#generations({ ...plan, credentials: used }).filter(([key]) => this.#states.has(key));
    this.#states = new Map([
      ...this.#states,
      ...renewed.map(([key, generation]) => [key, this.#fresh(generation)] as const),
    ]);
    this.#reportRenewed(renewed.map(([key]) => key));
    this.#reportFiles(changes);
  }

  #remember(secrets: readonly Text[]): void {
    const known = new Set<string>();
    this.#former = secrets.filter(({ value }) => !known.has(value) && known.add(value)).slice(0, MOST_FORMER);
  }

  #fresh(generation: Generation): RenewalState {
    return { generation, failures: 0, triedAt: this.#parts.clock.now() };
  }

  /** Returns the lives of what a plan has, by this process's clock. */
  #generations({ credentials, files, session }: RefreshPlan): readonly (readonly [Key, Generation])[] {
    const { clock } = this.#parts;
    const now = clock.now();
    const lifeOf = ({ openedAt, expiresAt }: Generation): Generation => ({
      openedAt: now - Math.max(0, Date.now() - openedAt),
      expiresAt: now + clock.remainingMs(expiresAt),
    });
    return [
      ...credentials.map((each) => {
        return [each.cloud, { ...lifeOf(each), leadMs: leadOf(each.cloud) }] as const;
      }),
      ...(files.length === 0 ? [] : [["files", lifeOf(session)] as const]),
    ];
  }

  #fail(keys: readonly Key[], failure: Failure): void {
    const now = this.#parts.clock.now();
    const isSame = failure === SAME;
    this.#states = new Map(
      Array.from(this.#states, ([key, state]) => {
        const failed = { ...state, failures: state.failures + 1, triedAt: now, isSame };
        return [key, keys.includes(key) ? failed : state];
      }),
    );
    const renewed = keys.map((key) => this.#renewed(key, now));
    const [first, ...rest] = failureReport(renewed, failure);
    // Once, until they are renewed or have expired.
    if (keys.every((key) => this.#reported.get(key) === first)) return;
    for (const key of keys) this.#reported.set(key, first);
    this.#print([first, ...rest]);
  }

  #renewed(key: Key, now: number): Renewed {
    const end = this.#states.get(key)?.generation.expiresAt ?? 0;
    const noun = key === "files" ? "files of ESC" : CLOUD_FACTS[key].noun;
    const expiresAt = Date.now() + end - now;
    const stated = key === "files" ? undefined : this.#credentials.get(key)?.expiresAt;
    return {
      noun,
      expiresAt: stated ?? expiresAt,
      hasExpired: now >= end,
      isServed: key === "aws" || key === "google",
    };
  }

  #reportRenewed(keys: readonly Key[]): void {
    const again = keys.filter((key) => this.#reported.delete(key));
    if (again.length === 0 || this.#start.settings.quiet) return;
    const nouns = again.map((key) => this.#renewed(key, 0).noun);
    this.#print([`${enumerate(nouns)} are renewed again`]);
  }

  #reportFiles({ missing, refused }: FileChanges): void {
    const lines = [
      ...(missing.length === 0
        ? []
        : [
            `warning: ESC no longer gives ${enumerateFew(missing.map(printable), 5)}: the program keeps the former ${missing.length === 1 ? "file" : "files"}`,
          ]),
      ...Array.from(refused, ([name, rule]) => {
        return `error: ESC has a new content for the file of ${printable(name)} that ${rule}: it is not written`;
      }),
    ];
    for (const line of lines) if (!this.#fileProblems.includes(line)) this.#print([line]);
    this.#fileProblems = lines;
  }

  #print(lines: readonly [string, ...string[]]): void {
    printLines({ ...this.#parts.context, err: this.#write }, lines);
  }
}

/** ESC as it is now. */
interface Opening {
  readonly start: Start;
  readonly plan: RefreshPlan;
}

function isOf<Name extends Cloud>(
  credentials: Credentials | undefined,
  cloud: Name,
): credentials is Extract<Credentials, { readonly cloud: Name }> {
  return credentials?.cloud === cloud;
}

/** @throws anything but a SophiaError */
function failureIn(error: unknown): Failure {
  if (error instanceof SophiaError) return error;
  throw error;
}
