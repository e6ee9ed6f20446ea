/** When a start reads ESC: if a setting or the contract asks for it. */
import { expect, test } from "vitest";
import { folder } from "../helpers/sophia.ts";
import { runStages } from "../helpers/start-stages.ts";

const contractWith = (members: object): string => JSON.stringify({ variables: {}, ...members });

test("ESC is off if neither a setting nor the contract mentions it", async () => {
  const { store } = await runStages(folder({ "sophia.contract.json": contractWith({}) }), new Map());
  expect(store.access).toStrictEqual({ kind: "off" });
});

test("ESC is not off if only the contract names an environment: the credential is missing", async () => {
  const cwd = folder({ "sophia.contract.json": contractWith({ environment: "acme/app/dev" }) });
  const { store } = await runStages(cwd, new Map());
  expect(store.access).toMatchObject({ kind: "incomplete", missing: "ESC_TOKEN", names: "acme/app/dev" });
});
