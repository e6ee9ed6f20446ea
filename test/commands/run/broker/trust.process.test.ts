/**
 * Each row of the table that says who may decide where a key goes (docs/broker.md), in real starts: a repository that would
 * like to have the user's keys, and a service that records what reaches it.
 */
import { describe, expect, test } from "vitest";
import { secret, startEscServer } from "../../../esc-server/index.ts";
import { folder, sophia } from "../../../helpers/sophia.ts";
import { escVariables } from "../../world.ts";
import {
  answerIn,
  contract,
  expectRefused,
  expectSent,
  OPENAI,
  OPENAI_CLIENT,
  OPENAI_CONTRACT,
  QDRANT,
  QDRANT_CLIENT,
  QDRANT_CONTRACT,
  type Scene,
  SEARCH,
  searchBy,
  start,
  upstream,
} from "./scenes.ts";

describe("a found contract", () => {
  test("does not send a key to an upstream of its own: nothing starts, and the message names the file", async () => {
    const evil = await upstream();
    const result = await start({
      files: { "sophia.contract.json": searchBy(evil.origin) },
      env: { SEARCH_KEY: SEARCH },
    });
    expectRefused(result, evil, ["sophia.contract.json", "SEARCH_KEY", evil.origin, `--broker-to ${evil.origin}`]);
    const cwd = folder({ "sophia.contract.json": searchBy(evil.origin) });
    const checked = await sophia(["check", "--broker", "--json"], { cwd, env: { SEARCH_KEY: SEARCH } });
    expect([checked.status, JSON.parse(checked.stdout).broker.failures]).toEqual([
      1,
      [expect.objectContaining({ name: "SEARCH_KEY", code: "broker-untrusted" })],
    ]);
  });

  test("sends a key to an upstream of its own if the caller names the contract", async () => {
    const service = await upstream();
    const result = await start({
      files: { "own.json": searchBy(service.origin) },
      options: ["--contract", "own.json"],
      env: { SEARCH_KEY: SEARCH },
    });
    expectSent(result, service, SEARCH);
  });

  test.each<[string, (origin: string) => Pick<Scene, "options" | "env">]>([
    ["the option", (origin: string) => ({ options: ["--broker-to", origin] })],
    ["the caller's variable", (origin: string) => ({ env: { SOPHIA_BROKER_TO: `https://other.test,${origin}` } })],
  ])("sends a key to an upstream of its own if the caller allows the origin: %s", async (_, more) => {
    const service = await upstream();
    const { options = [], env = {} } = more(service.origin);
    const result = await start({
      files: { "sophia.contract.json": searchBy(service.origin) },
      options,
      env: { SEARCH_KEY: SEARCH, ...env },
    });
    expectSent(result, service, SEARCH);
  });

  test("does not send a key to an upstream of its own because of a SOPHIA_BROKER_TO in a .env file, or of another allowed origin", async () => {
    const evil = await upstream();
    const files = { "sophia.contract.json": searchBy(evil.origin), ".env": `SOPHIA_BROKER_TO=${evil.origin}\n` };
    expectRefused(await start({ files, env: { SEARCH_KEY: SEARCH } }), evil, ["sophia.contract.json"]);
    const options = ["--broker-to", "https://api.example.com", "--broker-to", "http://127.0.0.1:1"];
    expectRefused(await start({ files, options, env: { SEARCH_KEY: SEARCH } }), evil, ["sophia.contract.json"]);
  });

  test("does not turn a variable of the caller into an address of a key", async () => {
    const evil = await upstream();
    const files = { "sophia.contract.json": searchBy("${GITHUB_SERVER_URL}") };
    const env = { SEARCH_KEY: SEARCH, GITHUB_SERVER_URL: evil.origin };
    expectRefused(await start({ files, env }), evil, ["sophia.contract.json", "GITHUB_SERVER_URL"]);
    const named = await start({ files, env, options: ["--contract", "sophia.contract.json"] });
    expectSent(named, evil, SEARCH);
  });

  test("does not take back a built-in denial, nor by an empty list", async () => {
    const service = await upstream();
    const files = (deny: readonly string[]) => ({
      "sophia.contract.json": contract({ OPENAI_API_KEY: { broker: { deny } } }),
    });
    const env = { OPENAI_API_KEY: OPENAI, OPENAI_BASE_URL: `${service.origin}/v1` };
    const client = ["OPENAI_BASE_URL", "OPENAI_API_KEY", "authorization", "/organization/admin_api_keys"] as const;
    for (const deny of [[], ["GET /v1/files"]]) {
      const result = await start({ files: files(deny), env, client });
      expect(answerIn(result)).toMatchObject({ status: 403, body: expect.stringContaining("broker-denied") });
    }
    expect(service.requests).toEqual([]);
    const named = await start({ files: files([]), env, client, options: ["--contract", "sophia.contract.json"] });
    expectSent(named, service, OPENAI);
  });
});

describe("the address of a service without a built-in address", () => {
  test("does not apply to the caller's key if it is in a found .env file", async () => {
    const evil = await upstream();
    const files = { "sophia.contract.json": QDRANT_CONTRACT, ".env": `QDRANT_URL=${evil.origin}\n` };
    const env = { QDRANT_API_KEY: QDRANT };
    expectRefused(await start({ files, env, client: QDRANT_CLIENT }), evil, [".env:1", "QDRANT_URL", evil.origin]);
    // The caller names the contract, and says nothing of the file beside it.
    const options = ["--contract", "sophia.contract.json"];
    expectRefused(await start({ files, env, options, client: QDRANT_CLIENT }), evil, [".env:1", "QDRANT_URL"]);
    const named = await start({ files, env, options: ["--dotenv", ".env"], client: QDRANT_CLIENT });
    expectSent(named, evil, QDRANT);
  });

  test("applies to the key of the same .env file", async () => {
    const service = await upstream();
    const result = await start({
      files: {
        "sophia.contract.json": QDRANT_CONTRACT,
        ".env": `QDRANT_URL=${service.origin}\nQDRANT_API_KEY=${QDRANT}\n`,
      },
      client: QDRANT_CLIENT,
    });
    expectSent(result, service, QDRANT);
  });

  test("applies if it is the caller's", async () => {
    const service = await upstream();
    const env = { QDRANT_API_KEY: QDRANT, QDRANT_URL: service.origin };
    const result = await start({ files: { "sophia.contract.json": QDRANT_CONTRACT }, env, client: QDRANT_CLIENT });
    expectSent(result, service, QDRANT);
  });

  test.each([
    ["an alias", { QDRANT_URL: { secret: false, aliases: ["OTHER_URL"] } }, "QDRANT_URL"],
    ["a default", { QDRANT_URL: { secret: false, default: "EVIL" } }, "QDRANT_URL"],
  ])("does not apply because of %s of a found contract", async (_, address, fragment) => {
    const evil = await upstream();
    const text = contract({ QDRANT_API_KEY: {}, ...address }).replace("EVIL", evil.origin);
    const env = { QDRANT_API_KEY: QDRANT, OTHER_URL: evil.origin };
    const result = await start({ files: { "sophia.contract.json": text }, env, client: QDRANT_CLIENT });
    expectRefused(result, evil, ["sophia.contract.json", fragment]);
  });
});

describe("the gateway for a key", () => {
  const files = { "sophia.contract.json": OPENAI_CONTRACT };

  test("comes from the caller, with its path", async () => {
    const service = await upstream();
    const env = { OPENAI_API_KEY: OPENAI, OPENAI_BASE_URL: `${service.origin}/team/v1` };
    expectSent(await start({ files, env, client: OPENAI_CLIENT }), service, OPENAI);
    expect(service.requests.map(({ target }) => target)).toEqual(["/team/v1/chat/completions"]);
  });

  test("comes from ESC if ESC has the key as well", async () => {
    const service = await upstream();
    await using server = await startEscServer();
    server.environment("acme/app/dev", {
      values: { OPENAI_API_KEY: secret(OPENAI), OPENAI_BASE_URL: `${service.origin}/v1` },
    });
    const env = escVariables(server, "acme/app/dev");
    expectSent(await start({ files, env, client: OPENAI_CLIENT }), service, OPENAI);
  });

  test("comes from a file that the caller names", async () => {
    const service = await upstream();
    const named = { ...files, "own.env": `OPENAI_BASE_URL=${service.origin}/v1\n` };
    const scene = { files: named, env: { OPENAI_API_KEY: OPENAI }, options: ["--dotenv", "own.env"] };
    expectSent(await start({ ...scene, client: OPENAI_CLIENT }), service, OPENAI);
  });

  test("does not come from a found .env file, with which the built-in origin stays", async () => {
    const evil = await upstream();
    const projectFiles = { ...files, ".env": `OPENAI_BASE_URL=${evil.origin}/v1\n` };
    const cwd = folder(projectFiles);
    const { status, stdout } = await sophia(["check", "--broker", "--json"], { cwd, env: { OPENAI_API_KEY: OPENAI } });
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
    const evil = await upstream();
    await using server = await startEscServer();
    server.environment("evil/app/dev", { values: { QDRANT_URL: evil.origin, OPENAI_BASE_URL: `${evil.origin}/v1` } });
    const dotenv = Object.entries(escVariables(server, "evil/app/dev")).map(([name, value]) => `${name}=${value}\n`);
    const files = { ".env": dotenv.join(""), "sophia.contract.json": QDRANT_CONTRACT };
    const env = { QDRANT_API_KEY: QDRANT };
    expectRefused(await start({ files, env, client: QDRANT_CLIENT }), evil, ["ESC evil/app/dev", "QDRANT_URL"]);
    const named = { files, env, options: ["--contract", "sophia.contract.json"], client: QDRANT_CLIENT };
    expectRefused(await start(named), evil, ["ESC evil/app/dev", "QDRANT_URL"]);
  });

  test("opens an environment whose address applies to the key of the same environment, and to no other key", async () => {
    const service = await upstream();
    await using server = await startEscServer();
    server.environment("acme/app/dev", {
      values: { QDRANT_URL: service.origin, QDRANT_API_KEY: secret(QDRANT) },
    });
    const files = (name: string) => ({
      "sophia.contract.json": QDRANT_CONTRACT,
      ".env": Object.entries(escVariables(server, name))
        .map((entry) => `${entry.join("=")}\n`)
        .join(""),
    });
    expectSent(await start({ files: files("acme/app/dev"), client: QDRANT_CLIENT }), service, QDRANT);
    const evil = await upstream();
    server.environment("acme/app/url", { values: { QDRANT_URL: evil.origin } });
    const other = { files: files("acme/app/url"), env: { QDRANT_API_KEY: QDRANT }, client: QDRANT_CLIENT };
    expectRefused(await start({ ...other, options: ["--dotenv", ".env"] }), evil, ["ESC acme/app/url"]);
  });
});

test("goose's variable leads to the same gateway, whose paths goose uses whole", async () => {
  const gateway = await upstream();
  const result = await start({
    files: { "sophia.contract.json": OPENAI_CONTRACT },
    env: { OPENAI_API_KEY: OPENAI, OPENAI_BASE_URL: `${gateway.origin}/team/v1` },
    client: ["OPENAI_HOST", "OPENAI_API_KEY", "authorization", "/v1/chat/completions"],
  });
  expectSent(result, gateway, OPENAI);
  expect(gateway.requests.map(({ target }) => target)).toEqual(["/team/v1/chat/completions"]);
});
