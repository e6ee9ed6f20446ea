import { afterEach, beforeEach, expect, test } from "vitest";
import { fileOpenRequests, findPendingRequests, submitOpenRequest } from "../../../src/esc/api/approvals.ts";
import { askEsc } from "../../../src/esc/api/ask.ts";
import { statusOf } from "../../../src/esc/faults/esc-fault.ts";
import { SILENT } from "../../../src/esc/transport/connection.ts";
import { type EscServer, type Fault, startEscServer } from "../../esc-server/index.ts";
import { closeStrictly, resolveSettingsFrom } from "../read-esc.ts";
import { VirtualClock } from "../virtual-clock.ts";

let server: EscServer;
beforeEach(async () => {
  server = await startEscServer();
});
afterEach(() => closeStrictly(server));

/** Files a request, and submits it while the server answers with these faults. @returns "submitted", or the status of the refusal */
async function submitWithFaults(...faults: readonly Fault[]) {
  const environment = server.environment("acme/app/dev", { values: {}, deny: "approval" });
  const access = { ESC_ENV: "acme/app/dev", ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url };
  const asked = await askEsc(
    await resolveSettingsFrom(access),
    SILENT,
    async (name, connection) => {
      const [request] = await fileOpenRequests(name, connection);
      if (request === undefined) throw new Error("no approval is needed");
      for (const fault of faults) server.failNext("submitChangeRequest", fault, 1);
      return submitOpenRequest(request, "deploy", connection).then(
        () => "submitted",
        (error: unknown) => statusOf(error),
      );
    },
    new VirtualClock(),
  );
  if (asked.kind !== "read") throw new Error(asked.failure.message);
  return {
    result: asked.results[0],
    status: environment.openRequests[0]?.status,
    sent: server.count("submitChangeRequest"),
  };
}

const status = (code: number): Fault => ({ kind: "status", status: code });

test("request submits a new request once", async () => {
  expect(await submitWithFaults()).toEqual({ result: "submitted", status: "pending", sent: 1 });
});

test("request takes a conflict after a lost answer as a sign that the first attempt submitted the request", async () => {
  // The server handles the request before it cuts the connection.
  expect(await submitWithFaults({ kind: "disconnect", at: "headers" })).toEqual({
    result: "submitted",
    status: "pending",
    sent: 2,
  });
});

test("request reports a conflict at the first attempt as a refusal", async () => {
  expect(await submitWithFaults(status(409))).toEqual({ result: 409, status: "draft", sent: 1 });
});

test("request reports any refusal but a conflict, also after a failed attempt", async () => {
  expect(await submitWithFaults(status(503), status(403))).toEqual({ result: 403, status: "draft", sent: 2 });
});

/** Files a request, submits it if asked to, and looks for pending requests. @returns their number */
async function countPending({ isSubmitted }: { readonly isSubmitted: boolean }): Promise<number | undefined> {
  server.environment("acme/app/dev", { values: {}, deny: "approval" });
  const access = { ESC_ENV: "acme/app/dev", ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url };
  const asked = await askEsc(
    await resolveSettingsFrom(access),
    SILENT,
    async (name, connection) => {
      const [request] = await fileOpenRequests(name, connection);
      if (request === undefined) throw new Error("no approval is needed");
      if (isSubmitted) await submitOpenRequest(request, "deploy", connection);
      return (await findPendingRequests(name, connection)).length;
    },
    new VirtualClock(),
  );
  if (asked.kind !== "read") throw new Error(asked.failure.message);
  return asked.results[0];
}

test("request finds a submitted request as pending", async () => {
  expect(await countPending({ isSubmitted: true })).toBe(1);
});

test("request does not take a request that was created and not submitted as pending", async () => {
  expect(await countPending({ isSubmitted: false })).toBe(0);
});
