/**
 * Sends the requests to Pulumi ESC. A `Connection` belongs to one service, and has one token and one deadline for all requests. It repeats
 * requests that failed, masks the token in texts of the service, and reports to the user what it waits for.
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
  /** @param what the step that begins, such as `opening acme/sophia/dev` */
  waiting(what: string): void;
  /** `reason` is one line, such as `HTTP 503`. `attempt` is the number of the next attempt, from 2. */
  retrying(retry: {
    readonly what: string;
    readonly reason: string;
    readonly attempt: number;
    readonly delayMs: number;
  }): void;
}

/** Ignores all reports. */
export const SILENT: Progress = { waiting: () => {}, retrying: () => {} };

/** An HTTP client for ESC. It has as much of axios's interface as the ESC SDK uses. */
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
  /** Masks the token, and all further secrets that are given to it, in texts of the service. */
  readonly cleaner = new Cleaner();
  readonly deadline: Deadline;
  /** Warnings of one line each, such as of a certificate file that cannot be used. */
  readonly remarks: string[] = [];
  /** The URL of the service, without a trailing slash. */
  readonly backend: string;
  /** The HTTP client for the service. The ESC SDK uses it, too. */
  readonly http: EscClient;
  readonly #network: NetworkSettings;
  readonly #progress: Progress;
  readonly #clock: Clock;
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

  /** Returns a client for another origin. `close` also closes that client. */
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

  /** Sends a request once. @returns the answer of any status @throws EscFault if there is no complete answer */
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

  /** Returns the members of the JSON object in an answer of status 200. @throws EscFault for every other answer */
  objectIn(answer: HttpAnswer): Fields {
    return requireObject(answer, this.host, this.cleaner);
  }

  /** Reads the object at a path, with retries. @returns undefined for the statuses `absent` @throws EscFault */
  read(what: string, path: string, ...absent: readonly number[]): Promise<Fields | undefined> {
    return this.repeat(what, async () => {
      const answer = await this.ask({ method: "GET", path });
      return absent.includes(answer.status) ? undefined : this.objectIn(answer);
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

  /** Calls `ask` until it succeeds, or no retry is left. @throws EscFault of the last attempt, with the number of attempts */
  async repeat<T>(what: string, ask: () => Promise<T>, budget = createReadBudget()): Promise<T> {
    const { deadline } = this;
    /** True if an earlier attempt may have had an effect, although it failed. */
    let isUncertain = false;
    for (let attempts = 1; ; attempts += 1) {
      // The deadline is also abandoned if the request for another environment has failed.
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
        // The other decisions, which are texts, mean that there is no further attempt.
        if (typeof decision === "string") throw new EscFault(fault, context);
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
