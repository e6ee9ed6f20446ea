/** A service repeats what it was sent in the head of its answer. No form of a key in that head reaches the program. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { startWaitingProgram } from "./broker-process.ts";

const TOKEN = "github_pat_real0a1b2c3d4e5f6a7b8c9d";
/**
 * This key has characters that addresses escape, and characters that the two alphabets of base64 encode differently.
 */
const ODD_KEY = "real/search+6a7b%8c~~~???=x";

const base64 = (text: string): string => Buffer.from(text, "latin1").toString("base64");
const urlBase64 = (text: string): string => Buffer.from(text, "latin1").toString("base64url");
const lowerEscapes = (text: string): string =>
  encodeURIComponent(text).replaceAll(/%../g, (escape) => escape.toLowerCase());
const allEscapes = (text: string): string => text.replaceAll(/./gs, (one) => `%${one.charCodeAt(0).toString(16)}`);

/** These heads change a key that has characters other than letters and digits. */
const HEADS_FOR_TOKENS = /padding|alphabet|name of a header/;

/** The lines of an answer's head, made from the value of the header in which the key came. */
const HEAD_LINES: Readonly<Record<string, (sent: string) => readonly string[]>> = {
  "a header as it came": (sent) => ["HTTP/1.1 200 OK", `X-Echo: ${sent}`],
  "the reason": (sent) => [`HTTP/1.1 401 ${sent}`],
  "the credentials alone": (sent) => ["HTTP/1.1 200 OK", `X-Echo: ${credentialsIn(sent)}`],
  "the credentials without padding": (sent) => ["HTTP/1.1 200 OK", `X-Echo: ${credentialsIn(sent).replace(/=+$/, "")}`],
  "the credentials in the alphabet of URLs": (sent) => [
    "HTTP/1.1 200 OK",
    `Set-Cookie: session=${credentialsIn(sent).replaceAll("+", "-").replaceAll("/", "_")}; Path=/`,
  ],
  "the name of a header": (sent) => ["HTTP/1.1 200 OK", `X-${credentialsIn(sent).replaceAll(/[^\w-]/g, "")}: 1`],
  "the address of a redirect": (sent) => [
    "HTTP/1.1 302 Found",
    `Location: /login?auth=${encodeURIComponent(sent)}&next=%2F`,
  ],
  "the address, with small escapes": (sent) => ["HTTP/1.1 302 Found", `Location: /login?auth=${lowerEscapes(sent)}`],
  "the address, with all characters escaped": (sent) => [
    "HTTP/1.1 302 Found",
    `Location: /login?auth=${allEscapes(sent)}`,
  ],
  "an address in an address": (sent) => [
    "HTTP/1.1 302 Found",
    `Location: /login?next=${encodeURIComponent(`/x?auth=${encodeURIComponent(sent)}`)}`,
  ],
  "another host's address": (sent) => [
    "HTTP/1.1 302 Found",
    `Location: https://other.test/?auth=${encodeURIComponent(sent).replaceAll("%20", "+")}`,
  ],
  "a challenge": (sent) => ["HTTP/1.1 401 No", `WWW-Authenticate: Basic realm="${sent}"`],
  "the key alone": (sent) => ["HTTP/1.1 200 OK", `X-Echo: ${keyIn(sent)}`],
  "base64 of the key alone": (sent) => ["HTTP/1.1 200 OK", `X-Echo: ${base64(keyIn(sent))}`],
  "base64 of all, decoded": (sent) => ["HTTP/1.1 200 OK", `X-Echo: ${base64(`authorization: ${keyIn(sent)}\n`)}`],
  "base64 for URLs, behind other text": (sent) => [
    "HTTP/1.1 200 OK",
    `X-Echo: v1-${urlBase64(`{"key":"${keyIn(sent)}"}`)}`,
  ],
  "twice in a line": (sent) => ["HTTP/1.1 200 OK", `X-Echo: ${sent}, ${base64(`u:${keyIn(sent)}`)}`],
  "the name of the request": (sent) => ["HTTP/1.1 200 OK", `X-Request-Id: ${credentialsIn(sent)}`],
};

function credentialsIn(sent: string): string {
  return sent.replace(/^\w+ (?=.)/, "");
}

function keyIn(sent: string): string {
  const text = credentialsIn(sent);
  return sent.startsWith("Basic ")
    ? Buffer.from(text, "base64")
        .toString("latin1")
        .replace(/^[^:]*:/, "")
    : text;
}

/** Removes escapes and padding, in which an answer may differ from what the service has sent. */
function withoutEscapes(text: string): string {
  return unescape(unescape(text)).replaceAll("=", "");
}

/** Decodes the escapes of a text byte by byte. */
function unescape(text: string): string {
  return text.replaceAll(/%([\da-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** Returns everything that can be decoded from a text. It decodes in another way than the broker does. */
function decodingsOf(text: string): readonly string[] {
  const texts = [text];
  for (let level = 0; level < 4; level += 1) texts.push(unescape(texts.at(-1) ?? ""));
  const runs = texts.flatMap((one) => one.match(/[\w+/-]{8,}/g) ?? []);
  const decoded = runs.flatMap((run) =>
    [0, 1, 2, 3].map((from) => Buffer.from(run.slice(from), "base64").toString("latin1")),
  );
  return [...texts, ...decoded];
}

/**
 * Starts a service that answers each request with the head that its path names. It accepts an upgrade if the client
 * asks for one.
 */
async function startEcho(): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (chunk) => {
      const text = chunk.toString("latin1");
      const name = decodeURIComponent(/^GET \S*?\/echo\/(\S*)/.exec(text)?.[1] ?? "");
      const sent = /^(?:authorization|api-key): (.*)\r$/im.exec(text)?.[1] ?? "";
      const [line = "", ...headers] = HEAD_LINES[name]?.(sent) ?? [`HTTP/1.1 404 ${name}`];
      const more = /^upgrade:/im.test(text) ? ["Connection: Upgrade", "Upgrade: websocket"] : ["Content-Length: 0"];
      const first = /^upgrade:/im.test(text) && line.includes(" 200 ") ? line.replace("200", "101") : line;
      socket.end([first, ...headers, ...more, "", ""].join("\r\n"), "latin1");
    });
  });
  onTestFinished(() => void server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
}

async function sendRequest(origin: string, target: string, headers: readonly string[]): Promise<string> {
  const { host, port } = new URL(origin);
  const socket = connect(Number(port), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.write([`GET ${target} HTTP/1.1`, `Host: ${host}`, ...headers, "", ""].join("\r\n"), "latin1");
  let read = "";
  for await (const chunk of socket.setEncoding("latin1")) read += String(chunk);
  return read;
}

async function startProgramWithEcho() {
  const origin = await startEcho();
  const variables = {
    GITHUB_PAT: { example: "ghp_<token>", broker: true },
    SEARCH_KEY: { broker: { upstream: origin, headers: ["api-key"], base: { SEARCH_URL: "" } } },
  };
  const env = { GITHUB_PAT: TOKEN, GITHUB_API_URL: `${origin}/api/v3`, SEARCH_KEY: ODD_KEY };
  const { environment, log } = await startWaitingProgram(variables, env);
  const { GITHUB_PAT = "", GITHUB_API_URL = "", SEARCH_KEY = "", SEARCH_URL = "" } = environment;
  return {
    log,
    github: { dummy: GITHUB_PAT, url: new URL(GITHUB_API_URL) },
    search: { dummy: SEARCH_KEY, url: new URL(SEARCH_URL) },
  };
}

describe("the head of an answer", () => {
  test("contains no form of the key if the service repeats the key in it", { timeout: 120_000 }, async () => {
    const { log, github, search } = await startProgramWithEcho();
    const users = ["x-access-token", "u", "us", "", "user name"];
    const sent = [
      ...users.map((user) => ({ ...github, header: `Authorization: Basic ${base64(`${user}:${github.dummy}`)}` })),
      { ...github, header: `Authorization: token ${github.dummy}` },
      { ...github, header: `Authorization: Bearer ${github.dummy}` },
      { ...search, header: `api-key: ${search.dummy}` },
    ];
    const websocket = ["Connection: Upgrade", "Upgrade: websocket"];
    let count = 0;
    for (const { dummy, url, header } of sent) {
      for (const [name, head] of Object.entries(HEAD_LINES)) {
        if (url === search.url && HEADS_FOR_TOKENS.test(name)) continue;
        for (const more of [["Connection: close"], websocket]) {
          const target = `${url.pathname.replace(/\/$/, "")}/echo/${encodeURIComponent(name)}`;
          const answer = await sendRequest(url.origin, target, [header, ...more]);
          const texts = decodingsOf(answer);
          const what = `${name}: ${header}`;
          expect(
            texts.filter((text) => text.includes(TOKEN) || text.includes(ODD_KEY)),
            what,
          ).toEqual([]);
          expect(
            texts.some((text) => text.includes(dummy)),
            what,
          ).toBe(true);
          // The client gets back the dummy that it has sent.
          const [line = "", ...headers] = head(header.replace(/^\S+ /, ""));
          const status = more === websocket && line.includes(" 200 ") ? line.replace("200", "101") : line;
          for (const each of [status, ...headers])
            expect(withoutEscapes(answer), what).toContain(withoutEscapes(`${each}\r\n`));
          count += 1;
        }
      }
    }
    expect(count).toBe((sent.length * Object.keys(HEAD_LINES).length - 3) * 2);
    const records = decodingsOf(readFileSync(log, "utf8"));
    expect(records.filter((text) => text.includes(TOKEN) || text.includes(ODD_KEY))).toEqual([]);
    expect(records[0]).toContain('"requestId"');
  });
});
