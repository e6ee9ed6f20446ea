import type { EscSettings } from "../esc/access.ts";
import { Cleaner } from "../esc/clean.ts";
import { type Clock, Deadline, systemClock } from "../esc/deadline.ts";
import { EscFault } from "../esc/fault.ts";
import { HttpClient } from "../esc/http.ts";
import { candidates, type EnvironmentName, formatName } from "../esc/names.ts";
import { authority } from "../esc/network.ts";
import { findDefaultOrganization } from "../esc/organization.ts";
import { type Progress, repeat, type RetryBudget } from "../esc/repeat.ts";
import { MAX_OPEN_RETRIES, MAX_READ_RETRIES } from "../esc/retry.ts";
import { type OpenedEnvironment, openFirst } from "../esc/session.ts";
import type { Secret } from "../esc/secret.ts";
import type { Failure, Layer, Notice } from "../model.ts";
import { printable } from "../text.ts";

export type { Progress } from "../esc/repeat.ts";

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
  const deadline = new Deadline(settings.timeoutMs, signal, clock);
  const reader = new Reader(settings, progress, deadline, clock);
  try {
    return await reader.read();
  } catch (error) {
    if (error instanceof EscFault) return { kind: "unavailable", failure: await reader.word(error) };
    throw error;
  } finally {
    deadline.dispose();
    reader.close();
  }
}

/** One run of {@link readEsc}. */
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

  async read(): Promise<EscReading> {
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
    const { createRequests } = await import("../esc/sdk.ts");
    const requests = createRequests(backend, token, http, headers);
    const organization = environments.every((name) => name.organization !== undefined)
      ? undefined
      : (this.#settings.organization ??
        (await findDefaultOrganization({
          backend,
          http,
          token,
          headers,
          cleaner,
          repeat: (what, ask) => this.#repeat(what, budget(MAX_READ_RETRIES), ask, true),
        })));
    this.#subject = { environments: environments.map(({ text }) => text) };
    const context = {
      backend,
      requests,
      cleaner,
      repeat: <T>(what: string, retries: RetryBudget, ask: () => Promise<T>) => this.#repeat(what, retries, ask, false),
    };
    const opened = await this.#together(environments, async (name) => {
      const names = candidates(name, organization);
      if (names.length === 0) throw new EscFault({ kind: "no-organization", host: authority(new URL(backend)) });
      return openFirst(names, context);
    });
    return this.#result(opened);
  }

  async #token(headers: Readonly<Record<string, string>>): Promise<Secret> {
    const { credential, backend } = this.#settings;
    if (credential.kind === "token") {
      this.#cleaner.hide(credential.token);
      return credential.token;
    }
    const { obtainToken } = await import("../esc/token.ts");
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
  async #together(
    environments: readonly EnvironmentName[],
    open: (name: EnvironmentName) => Promise<OpenedEnvironment>,
  ): Promise<readonly OpenedEnvironment[]> {
    let failure: { readonly error: unknown } | undefined;
    const opened = await Promise.all(
      environments.map(async (name) => {
        try {
          return await open(name);
        } catch (error) {
          if (failure === undefined) {
            failure = { error };
            this.#subject = { environments: [name.text] };
            this.#deadline.abandon();
          }
          return undefined;
        }
      }),
    );
    if (failure !== undefined) throw failure.error;
    return opened.filter((one) => one !== undefined);
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

  #result(opened: readonly OpenedEnvironment[]): EscReading {
    const remarks: readonly Notice[] = this.#remarks.map((text) => ({ kind: "remark", text }));
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

  /** A fault in words for the user. */
  async word(fault: EscFault): Promise<Failure> {
    const { wordFault } = await import("../esc/wording.ts");
    const failure = wordFault(fault, { ...this.#subject, credential: this.#settings.credential });
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
