import { afterEach, beforeEach, expect, test } from "vitest";
import { askEsc } from "../../../src/esc/api/ask.ts";
import { changeEnvironment, readOrEvaluate } from "../../../src/esc/api/change.ts";
import { SILENT } from "../../../src/esc/transport/connection.ts";
import { type EscServer, secret, startEscServer } from "../../esc-server/index.ts";
import { closeStrictly, resolveSettingsFrom } from "../read-esc.ts";

const NAME = "acme/app/dev";

let server: EscServer;
beforeEach(async () => {
  server = await startEscServer();
  // The value is hidden: opening needs an approval.
  server.environment(NAME, { values: { KEY: secret("former-value") }, deny: "approval" });
});
afterEach(() => closeStrictly(server));

/** Adds a comment to the definition. @param beforeUpdate called before the request that stores the definition */
async function changeAfter(beforeUpdate: () => void) {
  const access = { ESC_ENV: NAME, ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url };
  const asked = await askEsc(await resolveSettingsFrom(access), SILENT, (name, connection) =>
    changeEnvironment(
      name,
      connection,
      ({ definition }) => {
        beforeUpdate();
        return `${definition.yaml}# comment\n`;
      },
      [],
      readOrEvaluate,
    ),
  );
  if (asked.kind !== "read") throw new Error(asked.failure.message);
  return asked.results[0];
}

test("a change of hidden values counts as stored if its revision is stored", async () => {
  expect(await changeAfter(() => {})).toMatchObject({ kind: "done", wrote: true, after: { hiddenBy: "approval" } });
});

test("a change of hidden values counts as not stored if the definition is unchanged, whatever the answer was", async () => {
  const headers = { "pulumi-esc-revision": "1" };
  const answer = { kind: "status", status: 200, body: {}, headers } as const;
  expect(await changeAfter(() => server.failNext("update", answer, 1))).toMatchObject({ kind: "without-effect" });
});

test("a change of hidden values counts as not stored if another user has stored a revision after it", async () => {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const changed = changeAfter(() => server.failNext("definition", { kind: "hold", released }, 1));
  await server.waitFor("definition", 2);
  server.environment(NAME, { values: { KEY: secret("another-value") }, deny: "approval" });
  release();
  expect(await changed).toMatchObject({ kind: "without-effect" });
});
