/**
 * Each row of the table that says who may decide where a key goes (docs/broker.md), in real starts: a repository that would
 * like to have the user's keys, and a service that records what reaches it.
 */
import { describe, expect, test } from "vitest";
import { secret, startEscServer } from "../../../esc-server/index.ts";
import { folder, sophia } from "../../../helpers/sophia.ts";
import { escVariables } from "../../sophia-environment.ts";
import {
  parseClientAnswer,
  contractText,
  expectRefused,
  expectSent,
  OPENAI_KEY,
  OPENAI_CLIENT,
  OPENAI_CONTRACT,
  QDRANT_KEY,
  QDRANT_CLIENT,
  QDRANT_CONTRACT,
  type ClientRun,
  SEARCH_KEY,
  searchContract,
  runClient,
  startRecordingService,
} from "./client-runs.ts";

describe("a found contract", () => {
  test("does not send a key to an upstream of its own: nothing starts, and the message names the file", async () => {
    const evil = await startRecordingService();
    const result = await runClient({
      files: { "sophia.contract.json": searchContract(evil.origin) },
      env: { SEARCH_KEY: SEARCH_KEY },
    });
    expectRefused(result, evil, ["sophia.contract.json", "SEARCH_KEY", evil.origin, `--broker-to ${evil.origin}`]);
    const cwd = folder({ "sophia.contract.json": searchContract(evil.origin) });
    const checked = await sophia(["check", "--broker", "--json"], { cwd, env: { SEARCH_KEY: SEARCH_KEY } });
    expect([checked.status, JSON.parse(checked.stdout).broker.failures]).toEqual([
      1,
      [expect.objectContaining({ name: "SEARCH_KEY", code: "broker-untrusted" })],
    ]);
  });

  test("sends a key to an upstream of its own if the caller names the contract", async () => {
    const service = await startRecordingService();
    const result = await runClient({
      files: { "own.json": searchContract(service.origin) },
      options: ["--contract", "own.json"],
      env: { SEARCH_KEY: SEARCH_KEY },
    });
    expectSent(result, service, SEARCH_KEY);
  });

  test.each<[string, (origin: string) => Pick<ClientRun, "options" | "env">]>([
    ["the option", (origin: string) => ({ options: ["--broker-to", origin] })],
    ["the caller's variable", (origin: string) => ({ env: { SOPHIA_BROKER_TO: `https://other.test,${origin}` } })],
  ])("sends a key to an upstream of its own if the caller allows the origin: %s", async (_, more) => {
    const service = await startRecordingService();
    const { options = [], env = {} } = more(service.origin);
    const result = await runClient({
      files: { "sophia.contract.json": searchContract(service.origin) },
      options,
      env: { SEARCH_KEY: SEARCH_KEY, ...env },
    });
    expectSent(result, service, SEARCH_KEY);
  });

  test("does not send a key to an upstream of its own because of a SOPHIA_BROKER_TO in a .env file, or of another allowed origin", async () => {
    const evil = await startRecordingService();
    const files = { "sophia.contract.json": searchContract(evil.origin), ".env": `SOPHIA_BROKER_TO=${evil.origin}\n` };
    expectRefused(await runClient({ files, env: { SEARCH_KEY: SEARCH_KEY } }), evil, ["sophia.contract.json"]);
    const options = ["--broker-to", "https://api.example.com", "--broker-to", "http://127.0.0.1:1"];
    expectRefused(await runClient({ files, options, env: { SEARCH_KEY: SEARCH_KEY } }), evil, ["sophia.contract.json"]);
  });

  test("does not turn a variable of the caller into an address of a key", async () => {
    const evil = await startRecordingService();
    const files = { "sophia.contract.json": searchContract("${GITHUB_SERVER_URL}") };
    const env = { SEARCH_KEY: SEARCH_KEY, GITHUB_SERVER_URL: evil.origin };
    expectRefused(await runClient({ files, env }), evil, ["sophia.contract.json", "GITHUB_SERVER_URL"]);
    const named = await runClient({ files, env, options: ["--contract", "sophia.contract.json"] });
    expectSent(named, evil, SEARCH_KEY);
  });

  test("does not take back a built-in denial, nor by an empty list", async () => {
    const service = await startRecordingService();
    const files = (deny: readonly string[]) => ({
      "sophia.contract.json": contractText({ OPENAI_API_KEY: { broker: { deny } } }),
    });
    const env = { OPENAI_API_KEY: OPENAI_KEY, OPENAI_BASE_URL: `${service.origin}/v1` };
    const client = ["OPENAI_BASE_URL", "OPENAI_API_KEY", "authorization", "/organization/admin_api_keys"] as const;
    for (const deny of [[], ["GET /v1/files"]]) {
      const result = await runClient({ files: files(deny), env, client });
      expect(parseClientAnswer(result)).toMatchObject({ status: 403, body: expect.stringContaining("broker-denied") });
    }
    expect(service.requests).toEqual([]);
    const named = await runClient({ files: files([]), env, client, options: ["--contract", "sophia.contract.json"] });
    expectSent(named, service, OPENAI_KEY);
  });
});

describe("the address of a service without a built-in address", () => {
  test("does not apply to the caller's key if it is in a found .env file", async () => {
    const evil = await startRecordingService();
    const files = { "sophia.contract.json": QDRANT_CONTRACT, ".env": `QDRANT_URL=${evil.origin}\n` };
    const env = { QDRANT_API_KEY: QDRANT_KEY };
    expectRefused(await runClient({ files, env, client: QDRANT_CLIENT }), evil, [".env:1", "QDRANT_URL", evil.origin]);
    // The caller names the contract, and says nothing of the file beside it.
    const options = ["--contract", "sophia.contract.json"];
    expectRefused(await runClient({ files, env, options, client: QDRANT_CLIENT }), evil, [".env:1", "QDRANT_URL"]);
    const named = await runClient({ files, env, options: ["--dotenv", ".env"], client: QDRANT_CLIENT });
    expectSent(named, evil, QDRANT_KEY);
  });

  test("applies to the key of the same .env file", async () => {
    const service = await startRecordingService();
    const result = await runClient({
      files: {
        "sophia.contract.json": QDRANT_CONTRACT,
        ".env": `QDRANT_URL=${service.origin}\nQDRANT_API_KEY=${QDRANT_KEY}\n`,
      },
      client: QDRANT_CLIENT,
    });
    expectSent(result, service, QDRANT_KEY);
  });

  test("applies if it is the caller's", async () => {
    const service = await startRecordingService();
    const env = { QDRANT_API_KEY: QDRANT_KEY, QDRANT_URL: service.origin };
    const result = await runClient({ files: { "sophia.contract.json": QDRANT_CONTRACT }, env, client: QDRANT_CLIENT });
    expectSent(result, service, QDRANT_KEY);
  });

  test.each([
    ["an alias", { QDRANT_URL: { secret: false, aliases: ["OTHER_URL"] } }, "QDRANT_URL"],
    ["a default", { QDRANT_URL: { secret: false, default: "EVIL" } }, "QDRANT_URL"],
  ])("does not apply because of %s of a found contract", async (_, address, fragment) => {
    const evil = await startRecordingService();
    const text = contractText({ QDRANT_API_KEY: {}, ...address }).replace("EVIL", evil.origin);
    const env = { QDRANT_API_KEY: QDRANT_KEY, OTHER_URL: evil.origin };
    const result = await runClient({ files: { "sophia.contract.json": text }, env, client: QDRANT_CLIENT });
    expectRefused(result, evil, ["sophia.contract.json", fragment]);
  });
});

describe("the gateway for a key", () => {
  const files = { "sophia.contract.json": OPENAI_CONTRACT };

  test("comes from the caller, with its path", async () => {
    const service = await startRecordingService();
    const env = { OPENAI_API_KEY: OPENAI_KEY, OPENAI_BASE_URL: `${service.origin}/team/v1` };
    expectSent(await runClient({ files, env, client: OPENAI_CLIENT }), service, OPENAI_KEY);
    expect(service.requests.map(({ target }) => target)).toEqual(["/team/v1/chat/completions"]);
  });

  test("comes from ESC if ESC has the key as well", async () => {
    const service = await startRecordingService();
    await using server = await startEscServer();
    server.environment("acme/app/dev", {
      values: { OPENAI_API_KEY: secret(OPENAI_KEY), OPENAI_BASE_URL: `${service.origin}/v1` },
    });
    const env = escVariables(server, "acme/app/dev");
    expectSent(await runClient({ files, env, client: OPENAI_CLIENT }), service, OPENAI_KEY);
  });

  test("comes from a file that the caller names", async () => {
    const service = await startRecordingService();
    const named = { ...files, "own.env": `OPENAI_BASE_URL=${service.origin}/v1\n` };
    const scene = { files: named, env: { OPENAI_API_KEY: OPENAI_KEY }, options: ["--dotenv", "own.env"] };
    expectSent(await runClient({ ...scene, client: OPENAI_CLIENT }), service, OPENAI_KEY);
  });

  test("does not come from a found .env file, with which the built-in origin stays", async () => {
    const evil = await startRecordingService();
    const projectFiles = { ...files, ".env": `OPENAI_BASE_URL=${evil.origin}/v1\n` };
    const cwd = folder(projectFiles);
    const { status, stdout } = await sophia(["check", "--broker", "--json"], {
      cwd,
      env: { OPENAI_API_KEY: OPENAI_KEY },
    });
    expect(status).toBe(0);
    expect(JSON.parse(stdout).broker.keys[0]).toMatchObject({
      name: "OPENAI_API_KEY",
      origin: "https://api.openai.com",
      by: "built-in",
    });
  });
});

describe("an ESC token in a found .env file", () => {
  test("opens an environment of the repository's choice: its address does not get the caller's key", async () => {
    const evil = await startRecordingService();
    await using server = await startEscServer();
    server.environment("evil/app/dev", { values: { QDRANT_URL: evil.origin, OPENAI_BASE_URL: `${evil.origin}/v1` } });
    const dotenv = Object.entries(escVariables(server, "evil/app/dev")).map(([name, value]) => `${name}=${value}\n`);
    const files = { ".env": dotenv.join(""), "sophia.contract.json": QDRANT_CONTRACT };
    const env = { QDRANT_API_KEY: QDRANT_KEY };
    expectRefused(await runClient({ files, env, client: QDRANT_CLIENT }), evil, ["ESC evil/app/dev", "QDRANT_URL"]);
    const named = { files, env, options: ["--contract", "sophia.contract.json"], client: QDRANT_CLIENT };
    expectRefused(await runClient(named), evil, ["ESC evil/app/dev", "QDRANT_URL"]);
  });

  test("opens an environment whose address applies to the key of the same environment, and to no other key", async () => {
    const service = await startRecordingService();
    await using server = await startEscServer();
    server.environment("acme/app/dev", {
      values: { QDRANT_URL: service.origin, QDRANT_API_KEY: secret(QDRANT_KEY) },
    });
    const files = (name: string) => ({
      "sophia.contract.json": QDRANT_CONTRACT,
      ".env": Object.entries(escVariables(server, name))
        .map((entry) => `${entry.join("=")}\n`)
        .join(""),
    });
    expectSent(await runClient({ files: files("acme/app/dev"), client: QDRANT_CLIENT }), service, QDRANT_KEY);
    const evil = await startRecordingService();
    server.environment("acme/app/url", { values: { QDRANT_URL: evil.origin } });
    const other = { files: files("acme/app/url"), env: { QDRANT_API_KEY: QDRANT_KEY }, client: QDRANT_CLIENT };
    expectRefused(await runClient({ ...other, options: ["--dotenv", ".env"] }), evil, ["ESC acme/app/url"]);
  });
});

test("goose's variable leads to the same gateway, whose paths goose uses whole", async () => {
  const gateway = await startRecordingService();
  const result = await runClient({
    files: { "sophia.contract.json": OPENAI_CONTRACT },
    env: { OPENAI_API_KEY: OPENAI_KEY, OPENAI_BASE_URL: `${gateway.origin}/team/v1` },
    client: ["OPENAI_HOST", "OPENAI_API_KEY", "authorization", "/v1/chat/completions"],
  });
  expectSent(result, gateway, OPENAI_KEY);
  expect(gateway.requests.map(({ target }) => target)).toEqual(["/team/v1/chat/completions"]);
});
