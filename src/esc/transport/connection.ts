import type { Diagnostic } from "../../core/model.ts";
import { printable } from "../../core/text.ts";
import { NetworkError } from "../../network/network-fault.ts";
import { type HttpAnswer, HttpClient, type HttpRequest } from "../../network/http.ts";
import { authority, type NetworkSettings } from "../../network/network-settings.ts";
import { EscFault, mayHaveEffect } from "../faults/esc-fault.ts";
import type { Secret } from "../settings/secret.ts";
import { Cleaner, type Fields, parseDiagnostics, requireObject } from "./answer.ts";
import { type Clock, Deadline } from "./deadline.ts";
import { decide, readBudget, reasonOf, troubleOf } from "./retry.ts";

declare const SOPHIA_RUN_VERSION: string | undefined;

/** Reports waits and retries. No string contains a secret. */
export interface Progress {
  waiting(what: string): void;
  /** `reason`: one line, such as `HTTP 503`. `attempt`: the number of the next one, from 2. */
  retrying(retry: {
    readonly what: string;
    readonly reason: string;
    readonly attempt: number;
    readonly delayMs: number;
  }): void;
}

export const SILENT: Progress = { waiting: () => {}, retrying: () => {} };

/** An HTTP client for ESC, with as much of axios's interface as the ESC SDK uses. */
class EscClient extends HttpClient {
  readonly defaults: { readonly baseURL?: string } = {};

  /** @throws EscFault if there is no complete answer of any status */
  override request(config: HttpRequest): Promise<HttpAnswer> {
    return super.request(config).catch((error: unknown) => {
      throw error instanceof NetworkError ? new EscFault(error.fault) : error;
    });
  }
}

/** A connection to the service with one token and one deadline; connecting begins at once. */
export class Connection {
  readonly host: string;
  readonly cleaner = new Cleaner();
  readonly deadline: Deadline;
  /** Warnings, such as of a certificate file that cannot be used; each one line. */
  readonly remarks: string[] = [];
  /** The URL of the service, without a trailing slash. */
  readonly backend: string;
  readonly http: EscClient;
  readonly #network: NetworkSettings;
  readonly #progress: Progress;
  readonly #clock: Clock;
  readonly #clients: EscClient[] = [];
  token: Secret | undefined;

  constructor(
    settings: { readonly backend: string; readonly network: NetworkSettings; readonly timeoutMs: number },
    progress: Progress,
    clock: Clock,
  ) {
    const url = new URL(settings.backend);
    this.backend = settings.backend;
    this.host = authority(url);
    this.deadline = new Deadline(settings.timeoutMs, clock);
    this.#network = settings.network;
    this.#progress = progress;
    this.#clock = clock;
    this.http = this.connectTo(url);
  }

  /** A client for another origin; closed together with this one. */
  connectTo(origin: URL): EscClient {
    const remark = (text: string): void => void this.remarks.push(printable(text));
    const client = new EscClient(origin, this.#network, this.deadline, remark);
    this.#clients.push(client);
    return client;
  }

  authorize(token: Secret): void {
    this.cleaner.hide(token);
    this.token = token;
  }

  headers(): { readonly "User-Agent": string; readonly [name: string]: string } {
    // The bundler defines it; tests run the sources.
    const version = typeof SOPHIA_RUN_VERSION === "undefined" ? "0" : SOPHIA_RUN_VERSION;
    return {
      Accept: "application/vnd.pulumi+8",
      "Content-Type": "application/json",
      "User-Agent": `sophia-run/${version} (node ${process.versions.node}; ${process.platform})`,
      ...(this.token === undefined ? {} : { Authorization: `token ${this.token.reveal()}` }),
    };
  }

  /** Sends a request. @returns the answer of any status @throws EscFault if there is no complete answer */
  ask(request: {
    readonly method: "GET" | "HEAD" | "POST" | "PATCH" | "DELETE";
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  }): Promise<HttpAnswer> {
    const { method, path, headers, body } = request;
    return this.http.request({
      url: this.backend + path,
      method,
      headers: { ...this.headers(), ...headers },
      data: body,
    });
  }

  /** Returns the JSON object that an answer of status 200 holds. @throws EscFault for every other answer */
  objectIn(answer: HttpAnswer): Fields {
    return requireObject(answer, this.host, this.cleaner);
  }

  /** Reads the object at a path. @returns undefined for the statuses `absent` @throws EscFault */
  read(what: string, path: string, ...absent: readonly number[]): Promise<Fields | undefined> {
    return this.repeat(what, async () => {
      const answer = await this.ask({ method: "GET", path });
      return absent.includes(answer.status) ? undefined : this.objectIn(answer);
    });
  }

  /**
   * Returns the diagnostics and the other fields of an answer.
   * @param isTolerated returns true for an error with which the answer is of use
   * @throws EscFault if a diagnostic is another error
   */
  diagnosticsIn(
    answer: HttpAnswer,
    isTolerated: (diagnostic: Diagnostic) => boolean = () => false,
  ): { readonly diagnostics: readonly Diagnostic[]; readonly fields: Fields } {
    const { diagnostics: list, ...fields } = this.objectIn(answer);
    const diagnostics = parseDiagnostics(list, this.cleaner);
    if (diagnostics.some((one) => one.severity === "error" && !isTolerated(one))) {
      throw new EscFault({ kind: "status", host: this.host, status: answer.status, diagnostics });
    }
    return { diagnostics, fields };
  }

  /** Asks until there is an answer, or no retry is left. @throws EscFault the last one, with the number of attempts */
  async repeat<T>(what: string, ask: () => Promise<T>, retries = readBudget()): Promise<T> {
    const { deadline } = this;
    let isUncertain = false;
    for (let attempts = 1; ; attempts += 1) {
      // Another environment has failed.
      if (deadline.signal.aborted) throw deadline.fault(what);
      this.#progress.waiting(what);
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof EscFault)) throw error;
        const { fault } = error;
        const remainingMs = deadline.remainingMs();
        const decision = decide(troubleOf(fault), { ...retries, remainingMs }, this.#clock.random());
        const context = { attempts, step: what, isUncertain };
        if (decision === "pause-too-long" && fault.kind === "status" && fault.retryAfterMs !== undefined) {
          const { host, status, retryAfterMs } = fault;
          throw new EscFault({ kind: decision, host, status, retryAfterMs, leftMs: remainingMs }, context);
        }
        if (typeof decision === "string") throw new EscFault(fault, context);
        isUncertain ||= mayHaveEffect(fault);
        retries.retries += 1;
        const reason = reasonOf(fault);
        this.#progress.retrying({ what, reason, attempt: attempts + 1, delayMs: decision });
        await deadline.sleep(decision, `waiting to retry after ${reason}`);
      }
    }
  }

  close(): void {
    for (const client of this.#clients) client.close();
    this.deadline.abandon();
  }
}
