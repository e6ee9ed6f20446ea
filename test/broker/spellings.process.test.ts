/** Denied paths in the spellings that some servers read as the same path, and allowed paths that look like them. */
import { once } from "node:events";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { startWaitingProgram } from "./broker-process.ts";
import { startUpstream } from "./upstream.ts";

const TOKEN = "github_pat_real0a1b2c3d4e5f6a7b8c9d";
const KEY = "sk-real-0123456789abcdefghij";

const escaped = (text: string): string =>
  text.replaceAll(/./gs, (one) => `%${one.charCodeAt(0).toString(16).padStart(2, "0")}`);
const utf8 = (text: string): string => encodeURIComponent(text);
const fullwidth = (text: string): string =>
  utf8(text.replaceAll(/[!-~]/g, (one) => String.fromCharCode(one.charCodeAt(0) + 0xfe_e0)));
/** Returns overlong UTF-8: two and three bytes in place of one. */
const overlong = (text: string): readonly string[] => {
  const code = text.charCodeAt(0);
  const bytes = [
    [0xc0 | (code >> 6), 0x80 | (code & 0x3f)],
    [0xe0, 0x80 | (code >> 6), 0x80 | (code & 0x3f)],
  ];
  return bytes.map((all) => all.map((byte) => `%${byte.toString(16)}`).join(""));
};

const splitWords = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Texts that a server may drop or cut off at the end of a name. */
const BEHIND = splitWords(String.raw`
  .json . .. .xml .JSON .json. + %20 %20%20 %09 %0a %0d%0a %00 %7f %c2%a0
  %3f %3fx=1 %3Fx/y %23 %23/x %253f %2523 ; ;x ;x=1 %3b %3bx %253bx , ,x
  %2e %2ejson %252e %252ejson %ef%bc%8e %ef%bc%8ejson %ef%bc%9f %ef%bc%9bx = &x ()
  %e2%80%8b %ef%bb%bf %c2%ad %cc%81 %c2%85 %e2%80%a8 ! ' " * $ ^ | % %zz
  \ %5c %255c %5c.. // / /. /./ /.. /../x /%2e /; /;x /%20 /x/.. %2f
  %2F1 %252f %25252f %c0%af %ef%bc%8f %e2%88%95 %u002f %0 %ff %ed%a0%80 %80
`);
/** Texts that may stand before a name, within a name, and in place of a slash. */
const IN_FRONT = splitWords("%20 %09 %00 .%2f ..%2f ./ / %2f ;x/ %e2%80%8b %ef%bb%bf");
const WITHIN = splitWords("%09 %00 %e2%80%8b %c2%ad");
const BETWEEN = splitWords(String.raw`
  // /./ /x/../ \ /\ %2f %2F %252f %5c ;x/ %20/ /%20/ /;/ /..;/ /%2e/
  %c0%af %e0%80%af %ef%bc%8f %e2%81%84 %e2%88%95 %ef%bc%bc %u2215 %09/ /%09
`);

/** Returns spellings of a path whose last name is denied. */
function spellingsOf(path: string): readonly string[] {
  const at = path.lastIndexOf("/") + 1;
  const [front, name] = [path.slice(0, at), path.slice(at)];
  const letters = Array.from(name, (_, index) => index);
  const inPlace = (index: number, text: string): string => front + name.slice(0, index) + text + name.slice(index + 1);
  const slashes = Array.from(path.matchAll(/\//g), ({ index }) => index);
  const between = (text: string): readonly string[] =>
    slashes.map((index) => path.slice(0, index) + text + path.slice(index + 1));
  const inLetters = letters.flatMap((index) => {
    const letter = name.charAt(index);
    const other = [escaped(letter), `%25${escaped(letter).slice(1)}`, letter.toUpperCase(), fullwidth(letter)];
    const further = [...overlong(letter), ...WITHIN.map((text) => letter + text)];
    return [...other, ...further].map((text) => inPlace(index, text));
  });
  return [
    ...BEHIND.map((end) => path + end),
    ...IN_FRONT.map((text) => front + text + name),
    ...inLetters,
    ...BETWEEN.flatMap(between),
    front + fullwidth(name),
    front + escaped(name),
    front + escaped(escaped(name)),
    path.toUpperCase(),
    `${front}x%2f..%2f${name}`,
    `${front}x/%2e%2e/${name}`,
    `${front}x/%ef%bc%8e%ef%bc%8e/${name}`,
    `${front}x/.%09./${name}`,
    `${front}x/.%e2%80%8b./${name}`,
  ];
}

/** The rule denies the path itself, and not what is below it. */
const BELOW = "/v1/realtime/sessions%2F1";

const DENIED = ["/user/keys", "/repos/acme/app/keys", "/repos/acme/app/environments/a/secrets", "/admin"] as const;

const ALLOWED = [
  "/user",
  "/user/repos?page=2&q=%2Fuser%2Fkeys",
  "/user/keysets",
  "/users/acme/keys",
  "/repos/acme/app/contents/keys.json",
  "/repos/acme/app/contents/docs/keys",
  "/repos/acme/app/contents/docs%2Fkeys",
  "/repos/acme/app/contents/a%20b%2Fc%23.md",
  "/repos/acme/app/contents/what%3F.md",
  "/repos/acme/app/contents/100%25.txt",
  "/repos/acme/app/contents/%E8%B3%87%E6%96%99%EF%BC%91%EF%BC%8E%EF%BC%90.txt",
  "/repos/acme/app/contents/.github/workflows/a.yml",
  "/repos/acme/keys.json/contents/a",
  "/repos/acme/app/git/ref/heads%2Fkeys",
  "/repos/acme/app/git/ref/heads/feature%2Fa%2Fb%2Fc%2Fd%2Fe%2Ff%2Fg",
  "/repos/acme/app/compare/main...feature%2Fx",
  "/repos/acme/app/labels/good%20first%20issue",
  "/repos/acme/app/labels/c%2B%2B",
  "/repos/acme/app/labels/type%3A%20bug",
  "/repos/acme/app/labels/%F0%9F%90%9B%20bug",
  "/search/issues?q=is:open+label:%22a%22",
];

async function sendRequests(origin: string, targets: readonly string[], key: string): Promise<readonly string[]> {
  const { host, port } = new URL(origin);
  return Promise.all(
    targets.map(async (target) => {
      const socket = connect(Number(port), "127.0.0.1");
      onTestFinished(() => void socket.destroy());
      const head = [`POST ${target} HTTP/1.1`, `Host: ${host}`, `Authorization: Bearer ${key}`, "Connection: close"];
      socket.write([...head, "", ""].join("\r\n"), "latin1");
      let read = "";
      socket.setEncoding("latin1").on("data", (text: string) => {
        read += text;
      });
      await once(socket, "close");
      return /^HTTP\/1\.1 (\d+)/.exec(read)?.[1] ?? "none";
    }),
  );
}

const chunksOf = (texts: readonly string[]): readonly (readonly string[])[] =>
  Array.from({ length: Math.ceil(texts.length / 50) }, (_, index) => texts.slice(index * 50, index * 50 + 50));

test(
  "no spelling of a denied path reaches the service, and paths that only look like a denied one do",
  { timeout: 120_000 },
  async () => {
    const upstream = await startUpstream((_, response) => void response.end("{}"));
    const variables = {
      GITHUB_PAT: { example: "ghp_<token>", broker: true },
      OPENAI_API_KEY: { broker: { deny: ["* /v1/organization/**", "POST /v1/realtime/sessions"] } },
    };
    const env = {
      GITHUB_PAT: TOKEN,
      GITHUB_API_URL: `${upstream.origin}/api/v3`,
      OPENAI_API_KEY: KEY,
      OPENAI_BASE_URL: `${upstream.origin}/v1`,
    };
    const { environment } = await startWaitingProgram(variables, env);
    const { GITHUB_PAT = "", GITHUB_API_URL = "", OPENAI_API_KEY = "", OPENAI_BASE_URL = "" } = environment;
    const { origin, pathname } = new URL(GITHUB_API_URL);

    const github = DENIED.flatMap(spellingsOf).map((path) => pathname + path);
    const openai = ["/v1/organization", "/v1/realtime/sessions"].flatMap(spellingsOf).filter((path) => path !== BELOW);
    const asked = [
      { targets: github, key: GITHUB_PAT },
      { targets: openai, key: OPENAI_API_KEY },
    ];
    const admitted: string[] = [];
    for (const { targets, key } of asked) {
      expect(targets.length).toBeGreaterThan(300);
      for (const some of chunksOf([...new Set(targets)])) {
        const statuses = await sendRequests(origin, some, key);
        admitted.push(...some.filter((_, index) => statuses[index] !== "403" && statuses[index] !== "400"));
      }
    }
    expect(admitted).toEqual([]);
    expect(upstream.requests.map(({ target }) => target)).toEqual([]);

    const allowed = ALLOWED.map((path) => pathname + path);
    expect(await sendRequests(origin, allowed, GITHUB_PAT)).toEqual(allowed.map(() => "200"));
    const sent = [
      "/v1/organizations",
      "/v1/models/a%2Fb",
      "/v1/models/a:run",
      "/v1/realtime/sessions/x",
      "/v1/models/o.1",
    ];
    expect(new URL(OPENAI_BASE_URL).origin).toBe(origin);
    expect(await sendRequests(origin, sent, OPENAI_API_KEY)).toEqual(sent.map(() => "200"));
    // The service gets the allowed paths as the client sent them.
    const expected = [...ALLOWED.map((path) => `/api/v3${path}`), ...sent];
    expect(upstream.requests.map(({ target }) => target).toSorted()).toEqual(expected.toSorted());
  },
);
