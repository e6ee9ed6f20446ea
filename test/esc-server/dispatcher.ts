/**
 * The path of a request through the ESC server: it is checked, logged, perhaps met by a planned fault, and answered by
 * its operation.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Answer, failure } from "./answer.ts";
import type { CallLog, MutableCall, TokenVerdict } from "./calls.ts";
import type { Connections } from "./connections.ts";
import type { FaultPlan, PlannedFault } from "./fault-plan.ts";
import { alterAnswer, replacement, strikesFirst } from "./faults.ts";
import { HANDLERS } from "./operations/index.ts";
import { authorizationToken, inspectRequest, type Inspection, type RawRequest } from "./strict.ts";
import type { Token } from "./tokens.ts";
import { transmitAnswer } from "./transmit.ts";
import type { World } from "./world.ts";

export interface DispatcherParts {
  readonly world: World;
  readonly plan: FaultPlan;
  readonly calls: CallLog;
  readonly violations: string[];
  readonly connections: Connections;
  readonly basePath: string;
  readonly gzip: boolean;
  readonly closing: AbortSignal;
}

/** Takes each request through the checks, the planned faults and the operation to its answer. */
export class Dispatcher {
  readonly #parts: DispatcherParts;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
  }

  receive(incoming: IncomingMessage, response: ServerResponse): void {
    const { socket } = incoming;
    const connection = this.#parts.connections.of(socket);
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    // A client that goes away, by its deadline or a signal, is not an error of the server.
    incoming.on("error", () => undefined);
    response.on("error", () => undefined);
    incoming.on("end", () => {
      const request = rawRequest(incoming, Buffer.concat(chunks).toString());
      const id = connection?.id ?? 0;
      this.#answer(request, id, (answer, planned) =>
        transmitAnswer(incoming.method === "HEAD" ? { ...answer, body: "" } : answer, planned?.fault, {
          response,
          socket: connection?.socket ?? socket,
          gzip: this.#parts.gzip && /\bgzip\b/.test(request.headers["accept-encoding"] ?? ""),
          closing: this.#parts.closing,
        }),
      ).catch((error: unknown) => {
        // A bug of the server: a test must see it, and the client must not hang.
        this.#parts.violations.push(`the server failed: ${String(error)}`);
        socket.destroy();
      });
    });
  }

  async #answer(
    request: RawRequest,
    connection: number,
    send: (answer: Answer, planned: PlannedFault | undefined) => Promise<void>,
  ): Promise<void> {
    const { plan, world } = this.#parts;
    const inspection = inspectRequest(request, this.#parts.basePath);
    const { operation, breaches } = inspection;
    const value = authorizationToken(request.headers);
    const token = value === undefined ? undefined : world.tokens.accept(value);
    const call = this.#record(request, connection, inspection, judgeToken(request, value, token));
    const breach = breaches[0];
    if (breach !== undefined || operation === undefined) {
      for (const { message } of breaches) this.#parts.violations.push(message);
      const refusal = failure(breach?.status ?? 404, `Protocol violation: ${breach?.message ?? "unknown path"}`);
      call.status = refusal.status;
      return send(refusal, undefined);
    }
    const planned = plan.take(operation);
    if (planned?.fault.kind === "hold") await planned.fault.released;
    const first = planned !== undefined && (planned.refusal !== undefined || strikesFirst(planned.fault));
    const answer = first
      ? (planned.refusal ?? replacement(planned.fault) ?? { status: 200, headers: {}, body: "" })
      : alterAnswer(this.#operate(request, inspection, token), planned?.fault);
    call.status = isAnswered(planned) ? answer.status : undefined;
    return send(answer, planned);
  }

  #operate(request: RawRequest, { operation, parameters, query }: Inspection, token: Token | undefined): Answer {
    if (operation === undefined) return failure(404, "Not Found");
    if (operation !== "exchangeToken" && token === undefined) {
      return failure(401, "Unauthorized: No credentials provided or are invalid.");
    }
    return HANDLERS[operation](this.#parts.world, {
      operation,
      parameters,
      query,
      headers: request.headers,
      body: request.body,
      token,
      violate: (message) => this.#parts.violations.push(message),
    });
  }

  #record(request: RawRequest, connection: number, inspection: Inspection, token: TokenVerdict): MutableCall {
    const headers = Object.entries(request.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, name === "authorization" ? `<${token}>` : value]],
    );
    const call: MutableCall = {
      operation: inspection.operation ?? "unknown",
      method: request.method,
      path: request.target.split("?", 1)[0] ?? "",
      query: Object.fromEntries(inspection.query),
      headers: Object.fromEntries(headers),
      token,
      at: this.#parts.world.now(),
      connection,
      status: undefined,
    };
    this.#parts.calls.add(call);
    return call;
  }
}

function rawRequest(incoming: IncomingMessage, body: string): RawRequest {
  const headers = Object.entries(incoming.headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(", ") : value,
  ]);
  return {
    method: incoming.method ?? "",
    target: incoming.url ?? "",
    headers: Object.fromEntries(headers),
    body,
  };
}

function judgeToken(request: RawRequest, value: string | undefined, token: Token | undefined): TokenVerdict {
  if (request.headers["authorization"] === undefined) return "missing";
  if (value === undefined) return "malformed";
  return token === undefined ? "invalid" : "valid";
}

/** Returns true if the client gets a status line. */
function isAnswered(planned: PlannedFault | undefined): boolean {
  const fault = planned?.fault;
  if (fault?.kind === "reset" || fault?.kind === "disconnect" || fault?.kind === "hang") return fault.at === "body";
  return true;
}
