import type { EscSettings } from "../esc/settings/access.ts";
import { Cleaner } from "../esc/api/clean.ts";
import { type Clock, Deadline, systemClock } from "../esc/transport/deadline.ts";
import { EscFault } from "../esc/faults/fault.ts";
import { HttpClient } from "../esc/transport/http.ts";
import { candidates, type EnvironmentName, formatName, type FullName } from "../esc/settings/names.ts";
import { authority } from "../esc/settings/network.ts";
import { findDefaultOrganization } from "../esc/api/organization.ts";
import { type Progress, repeat, type RetryBudget } from "../esc/transport/repeat.ts";
import { MAX_OPEN_RETRIES, MAX_READ_RETRIES } from "../esc/transport/retry.ts";
import { openFirst } from "../esc/api/session.ts";
import type { Secret } from "../esc/auth/secret.ts";
import type { Failure, Layer, Notice } from "../core/model.ts";
import { printable } from "../core/text.ts";

export type { Progress } from "../esc/transport/repeat.ts";

declare const SOPHIA_RUN_VERSION: string | undefined;

export type EscReading =
  | {
      readonly kind: "read";
      /** The highest precedence first: later environments of `ESC_ENV` win. */
      readonly layers: readonly Layer[];
      /** In the order of `ESC_ENV`, by their full names. */
      readonly environments: readonly { readonly name: string; readonly version?: string }[];
      readonly notices: readonly Notice[];
    }
  /** Emergency access: the environment and the files have to serve. */
  | { readonly kind: "unavailable"; readonly failure: Failure };

/**
 * Opens and reads the environments, side by side, under one deadline. After an abort of the signal it ends at once, as
 * unavailable with the code `esc-interrupted`.
 *
 * @throws SophiaError (esc-value, 125) for a name or value that no environment variable can have
 */
export async function readEsc(
  settings: EscSettings,
  progress: Progress,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<EscReading> {
  const asked = await askEsc(settings, progress, signal, clock, async (connection) => {
    const { createRequests } = await import("../esc/api/sdk.ts");
    const { backend, token, http, headers } = connection;
    const context = { ...connection, requests: createRequests(backend, token, http, headers) };
    return (names) => openFirst(names, context);
  });
  if (asked.kind === "unavailable") return asked;
  const { results: opened, remarks } = asked;
  return {
    kind: "read",
    layers: opened.toReversed().map(({ variables }) => ({ source: "esc", variables })),
    environments: opened.map(({ name }) => ({
      name: formatName(name),
      ...(name.version === undefined ? {} : { version: name.version }),
    })),
    notices: [...remarks, ...opened.flatMap(({ notices }) => notices)],
  };
}

/** A way to the service, with a token. */
export interface Connection {
  readonly backend: string;
  readonly http: HttpClient;
  readonly token: Secret;
  readonly headers: Readonly<Record<string, string>>;
  readonly cleaner: Cleaner;
  readonly repeat: <T>(what: string, retries: RetryBudget, ask: () => Promise<T>) => Promise<T>;
}

/** Makes ready what asks for one environment by its candidates, of which there is at least one; it throws EscFault. */
export type Preparation<T> = (connection: Connection) => Promise<(names: readonly FullName[]) => Promise<T>>;

export type EscAnswers<T> =
  | {
      readonly kind: "read";
      /** In the order of the settings' environments. */
      readonly results: readonly T[];
      readonly remarks: readonly Notice[];
    }
  | { readonly kind: "unavailable"; readonly failure: Failure };

/**
 * Asks the same of each environment, side by side, under one deadline: connects, obtains the token and finds the
 * organization of names without one. The first that fails ends it all and is named.
 */
export async function askEsc<T>(
  settings: EscSettings,
  progress: Progress,
  signal: AbortSignal,
  clock: Clock,
  prepare: Preparation<T>,
): Promise<EscAnswers<T>> {
  const deadline = new Deadline(settings.timeoutMs, signal, clock);
  const reader = new Reader(settings, progress, deadline, clock);
  try {
    return await reader.read(prepare);
  } catch (error) {
    if (error instanceof EscFault) return { kind: "unavailable", failure: await reader.word(error) };
    throw error;
  } finally {
    deadline.dispose();
    reader.close();
  }
}

/** One run of {@link askEsc}. */
class Reader {
  readonly #settings: EscSettings;
  readonly #progress: Progress;
  readonly #deadline: Deadline;
  readonly #clock: Clock;
  readonly #cleaner = new Cleaner();
  readonly #remarks: string[] = [];
  readonly #http: HttpClient;
  readonly #clients: HttpClient[] = [];
  /** What a fault hits when it strikes now. */
  #subject: { readonly environments: readonly string[]; readonly step?: string };

  constructor(settings: EscSettings, progress: Progress, deadline: Deadline, clock: Clock) {
    this.#settings = settings;
    this.#progress = progress;
    this.#deadline = deadline;
    this.#clock = clock;
    this.#subject = { environments: settings.environments.map(({ text }) => text) };
    this.#http = this.#connectTo(new URL(settings.backend));
  }

  async read<T>(prepare: Preparation<T>): Promise<EscAnswers<T>> {
    const { environments, backend } = this.#settings;
    // Before anything is loaded: the connection is made meanwhile.
    this.#http.start();
    const headers = {
      Accept: "application/vnd.pulumi+8",
      "Content-Type": "application/json",
      "User-Agent": userAgent(),
    };
    const http = this.#http;
    const cleaner = this.#cleaner;
    const token = await this.#token(headers);
    const ask = await prepare({
      backend,
      http,
      token,
      headers,
      cleaner,
      repeat: (what, retries, request) => this.#repeat(what, retries, request, false),
    });
    const organization = environments.every((name) => name.organization !== undefined)
      ? undefined
      : (this.#settings.organization ??
        (await findDefaultOrganization({
          backend,
          http,
          token,
          headers,
          cleaner,
          repeat: (what, request) => this.#repeat(what, budget(MAX_READ_RETRIES), request, true),
        })));
    this.#subject = { environments: environments.map(({ text }) => text) };
    const results = await this.#together(environments, async (name) => {
      const names = candidates(name, organization);
      if (names.length === 0) throw new EscFault({ kind: "no-organization", host: authority(new URL(backend)) });
      return ask(names);
    });
    return { kind: "read", results, remarks: this.#remarks.map((text) => ({ kind: "remark", text })) };
  }

  async #token(headers: Readonly<Record<string, string>>): Promise<Secret> {
    const { credential, backend } = this.#settings;
    if (credential.kind === "token") {
      this.#cleaner.hide(credential.token);
      return credential.token;
    }
    const { obtainToken } = await import("../esc/auth/token.ts");
    return obtainToken(credential, {
      backend,
      http: this.#http,
      headers,
      cleaner: this.#cleaner,
      deadline: this.#deadline,
      connectTo: (origin) => this.#connectTo(origin),
      repeat: (what, mints, ask) => this.#repeat(what, budget(mints ? MAX_OPEN_RETRIES : MAX_READ_RETRIES), ask, true),
    });
  }

  /** Does the same with each environment at once. The first that fails ends it all and is the one to be named. */
  async #together<T>(
    environments: readonly EnvironmentName[],
    ask: (name: EnvironmentName) => Promise<T>,
  ): Promise<readonly T[]> {
    let failure: { readonly error: unknown } | undefined;
    const answers = await Promise.all(
      environments.map(async (name) => {
        try {
          return [await ask(name)];
        } catch (error) {
          if (failure === undefined) {
            failure = { error };
            this.#subject = { environments: [name.text] };
            this.#deadline.abandon();
          }
          return [];
        }
      }),
    );
    if (failure !== undefined) throw failure.error;
    return answers.flat(1);
  }

  #repeat<T>(what: string, retries: RetryBudget, ask: () => Promise<T>, isStep: boolean): Promise<T> {
    if (isStep) this.#subject = { ...this.#subject, step: what };
    return repeat(ask, {
      what,
      budget: retries,
      deadline: this.#deadline,
      clock: this.#clock,
      progress: this.#progress,
    });
  }

  /** A fault in words for the user. */
  async word(fault: EscFault): Promise<Failure> {
    const { wordFault } = await import("../esc/faults/wording.ts");
    const failure = wordFault(fault, {
      ...this.#subject,
      credential: this.#settings.credential,
      setting: this.#settings.namedBy ?? "ESC_ENV",
    });
    return this.#remarks.length === 0
      ? failure
      : { ...failure, details: [...(failure.details ?? []), ...this.#remarks] };
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  #connectTo(origin: URL): HttpClient {
    const { network } = this.#settings;
    const client = new HttpClient(origin, network, this.#deadline, (text) => this.#remarks.push(printable(text)));
    this.#clients.push(client);
    return client;
  }
}

function budget(maxRetries: number): RetryBudget {
  return { retries: 0, maxRetries };
}

function userAgent(): string {
  // Put in by the bundler; the sources themselves run in tests.
  const version = typeof SOPHIA_RUN_VERSION === "undefined" ? "0" : SOPHIA_RUN_VERSION;
  return `sophia-run/${version} (node ${process.versions.node}; ${process.platform})`;
}
