/**
 * Sends the requests to Pulumi ESC. A `Connection` belongs to one service, and has one token and one deadline for all requests. It
 * repeats requests that failed, masks the token in texts of the service, and reports to the user what it waits for.
 */
import type { Diagnostic } from "../../core/model.ts";
import { printable } from "../../core/text.ts";
import { NetworkError } from "../../network/network-fault.ts";
import { type HttpAnswer, HttpClient, type HttpRequest } from "../../network/http.ts";
import { hostAndPortOf, type NetworkSettings } from "../../network/network-settings.ts";
import { EscFault, mayHaveEffect } from "../faults/esc-fault.ts";
import type { Secret } from "../settings/secret.ts";
import { Cleaner, type Fields, parseDiagnostics, requireObject } from "./answer.ts";
import { type Clock, Deadline } from "./deadline.ts";
import { classifyFault, createReadBudget, decideRetry, describeRetryReason } from "./retry.ts";

/** Defined by the bundler; undefined if tests run the sources. */
declare const SOPHIA_RUN_VERSION: string | undefined;

/** Receives reports of waits and retries, for the user. No string in them contains a secret. */
export interface Progress {
  /** Reports that a step begins. @param what the step, such as `opening acme/sophia/dev` */
  waiting(what: string): void;
  /** Reports a pause before another attempt. `reason` is one line, such as `HTTP 503`. `attempt` is its number, from 2. */
  retrying(retry: {
    readonly what: string;
    readonly reason: string;
    readonly attempt: number;
    readonly delayMs: number;
  }): void;
}

/** Ignores all reports. */
export const SILENT: Progress = { waiting: () => {}, retrying: () => {} };

/** An HTTP client for ESC. It has as much of axios's interface as the ESC SDK uses, which `defaults` is part of. */
class EscClient extends HttpClient {
  readonly defaults: { readonly baseURL?: string } = {};

  /** Sends a request. @throws EscFault if there is no complete answer of any status */
  override request(config: HttpRequest): Promise<HttpAnswer> {
    return super.request(config).catch((error: unknown) => {
      throw error instanceof NetworkError ? new EscFault(error.fault) : error;
    });
  }
}

/**
 * A connection to the service with one token and one deadline. The constructor begins to connect, and the caller must call
 * `close`. Before requests that need a token, the caller calls `authorize`.
 *
 *     const connection = new Connection(settings, progress, systemClock);
 *     connection.authorize(await obtainToken(settings.credential, connection));
 *     const user = await connection.read("identifying the user", "/api/user");
 *     connection.close();
 */
export class Connection {
  /** The host and port of the service, for messages. */
  readonly host: string;
  /** Masks the token in texts of the service, and the other secrets that were passed to its `hide`. */
  readonly cleaner = new Cleaner();
  /** The time limit of all requests of this connection together. */
  readonly deadline: Deadline;
  /** Warnings for the user, of one line each, such as that a certificate file cannot be used. The HTTP clients add them. */
  readonly remarks: string[] = [];
  /** The URL of the service, without a trailing slash. */
  readonly backend: string;
  /** The HTTP client for the service. The ESC SDK uses it, too. */
  readonly http: EscClient;
  readonly #network: NetworkSettings;
  readonly #progress: Progress;
  readonly #clock: Clock;
  /** All clients of this connection, which `close` closes: `http`, and those of `connectTo`. */
  readonly #clients: EscClient[] = [];
  /** The token of all requests; undefined until `authorize` is called. */
  token: Secret | undefined;

  constructor(
    settings: { readonly backend: string; readonly network: NetworkSettings; readonly timeoutMs: number },
    progress: Progress,
    clock: Clock,
  ) {
    const url = new URL(settings.backend);
    this.backend = settings.backend;
    this.host = hostAndPortOf(url);
    this.deadline = new Deadline(settings.timeoutMs, clock);
    this.#network = settings.network;
    this.#progress = progress;
    this.#clock = clock;
    this.http = this.connectTo(url);
  }

  /** Begins to connect to an origin, and returns its client. `close` also closes that client. */
  connectTo(origin: URL): EscClient {
    const remark = (text: string): void => void this.remarks.push(printable(text));
    const client = new EscClient(origin, this.#network, this.deadline, remark);
    this.#clients.push(client);
    return client;
  }

  /** Uses a token for all further requests, and masks it in messages. */
  authorize(token: Secret): void {
    this.cleaner.hide(token);
    this.token = token;
  }

  /** Returns the headers of a request, with the token if there is one. */
  headers(): { readonly "User-Agent": string; readonly [name: string]: string } {
    const version = typeof SOPHIA_RUN_VERSION === "undefined" ? "0" : SOPHIA_RUN_VERSION;
    return {
      Accept: "application/vnd.pulumi+8",
      "Content-Type": "application/json",
      "User-Agent": `sophia-run/${version} (node ${process.versions.node}; ${process.platform})`,
      ...(this.token === undefined ? {} : { Authorization: `token ${this.token.reveal()}` }),
    };
  }

  /** Sends a request once, without retries. @returns the answer of any status @throws EscFault if there is no complete answer */
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

  /** Returns the members of the JSON object in an answer of status 200. @throws EscFault for any other answer */
  objectIn(answer: HttpAnswer): Fields {
    return requireObject(answer, this.host, this.cleaner);
  }

  /**
   * Reads the object at a path, with retries.
   * @param what the step, such as `identifying the user`
   * @param absentStatuses the statuses that mean that the service has no such object, for which the result is undefined
   * @throws EscFault for any other failure
   */
  read(what: string, path: string, ...absentStatuses: readonly number[]): Promise<Fields | undefined> {
    return this.repeat(what, async () => {
      const answer = await this.ask({ method: "GET", path });
      return absentStatuses.includes(answer.status) ? undefined : this.objectIn(answer);
    });
  }

  /**
   * Returns the diagnostics and the other members of an answer.
   * @param isTolerated returns true for an error in spite of which the answer is useful
   * @throws EscFault if there is an error that is not tolerated
   */
  diagnosticsIn(
    answer: HttpAnswer,
    isTolerated: (diagnostic: Diagnostic) => boolean = () => false,
  ): { readonly diagnostics: readonly Diagnostic[]; readonly fields: Fields } {
    const { diagnostics: list, ...fields } = this.objectIn(answer);
    const diagnostics = parseDiagnostics(list, this.cleaner);
    if (diagnostics.some((diagnostic) => diagnostic.severity === "error" && !isTolerated(diagnostic))) {
      throw new EscFault({ kind: "status", host: this.host, status: answer.status, diagnostics });
    }
    return { diagnostics, fields };
  }

  /**
   * Calls `ask` until it succeeds, or no retry is left.
   * @param budget the retries that are allowed. This function counts its retries in it; further calls with the same budget get the
   *   rest
   * @throws EscFault of the last attempt, with the number of attempts. Any other error ends the attempts at once
   */
  async repeat<T>(what: string, ask: () => Promise<T>, budget = createReadBudget()): Promise<T> {
    const { deadline } = this;
    /** True if an earlier attempt may have had an effect, although it failed. */
    let isUncertain = false;
    for (let attempts = 1; ; attempts += 1) {
      // `close` also aborts the signal, for example if the request for another environment has failed.
      if (deadline.signal.aborted) throw deadline.fault(what);
      this.#progress.waiting(what);
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof EscFault)) throw error;
        const { fault } = error;
        const remainingMs = deadline.remainingMs();
        const decision = decideRetry(classifyFault(fault), { ...budget, remainingMs }, this.#clock.random());
        const context = { attempts, step: what, isUncertain };
        if (decision === "pause-too-long" && fault.kind === "status" && fault.retryAfterMs !== undefined) {
          const { host, status, retryAfterMs } = fault;
          throw new EscFault({ kind: decision, host, status, retryAfterMs, leftMs: remainingMs }, context);
        }
        // A decision that is a number is a pause. The others mean that there is no further attempt.
        if (typeof decision === "string") throw new EscFault(fault, context);
        // An uncertain attempt counts only from the next attempt on: `describeFault` judges the last fault itself.
        isUncertain ||= mayHaveEffect(fault);
        budget.retries += 1;
        const reason = describeRetryReason(fault);
        this.#progress.retrying({ what, reason, attempt: attempts + 1, delayMs: decision });
        await deadline.sleep(decision, `waiting to retry after ${reason}`);
      }
    }
  }

  /** Closes all connections, and ends the requests that are still running. */
  close(): void {
    for (const client of this.#clients) client.close();
    this.deadline.abandon();
  }
}
