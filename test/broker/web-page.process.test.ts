/** Requests that a web page in the user's browser makes. They have more than a page can know: the dummy. */
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { PAGE_REQUESTS, pageRequest } from "../helpers/web-page.ts";
import { startWaitingProgram } from "./broker-process.ts";
import { startUpstream } from "./upstream.ts";

async function sendText(origin: string, text: string): Promise<string> {
  const socket = connect(Number(new URL(origin).port), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.write(text, "latin1");
  let read = "";
  for await (const chunk of socket.setEncoding("latin1")) read += String(chunk);
  return read;
}

test("no request of a web page reaches a service, and the page can read no answer", async () => {
  const upstream = await startUpstream((_, response) => void response.end("{}"));
  upstream.server.on("upgrade", (_, socket) => void socket.end("HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\n"));
  const variables = { OPENAI_API_KEY: {}, GITHUB_PAT: { example: "ghp_<token>" } };
  const { environment } = await startWaitingProgram(variables, {
    OPENAI_API_KEY: "sk-real-0123456789abcdefghij",
    OPENAI_BASE_URL: `${upstream.origin}/v1`,
    GITHUB_PAT: "github_pat_real0a1b2c3d4e5f6a7b8c9d",
    GITHUB_API_URL: `${upstream.origin}/api/v3`,
  });
  const { OPENAI_API_KEY = "", OPENAI_HOST: origin = "", GITHUB_PAT = "", GITHUB_API_URL = "" } = environment;
  const basic = Buffer.from(`x-access-token:${GITHUB_PAT}`).toString("base64");
  const keys = [
    { path: "/v1/models", authorization: `Bearer ${OPENAI_API_KEY}` },
    { path: `${new URL(GITHUB_API_URL).pathname}/user`, authorization: `Basic ${basic}` },
  ];
  for (const key of keys) {
    for (const request of PAGE_REQUESTS) {
      const answer = await sendText(origin, pageRequest(request, { origin, ...key }));
      expect(answer, request.name).toMatch(/^HTTP\/1\.1 403 [^]*"code":"broker-denied"/);
      expect(answer, request.name).not.toMatch(/^access-control-|set-cookie/im);
    }
    // The same request without the headers of a web page is admitted.
    const plain = { method: "GET", host: "HOST", headers: ["Connection: close"], body: "" };
    expect(await sendText(origin, pageRequest(plain, { origin, ...key }))).toMatch(/^HTTP\/1\.1 200 /);
  }
  expect(upstream.requests).toHaveLength(keys.length);
});
