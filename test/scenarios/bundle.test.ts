import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isStandalone } from "../helpers/sophia.ts";
import { sophiaRun } from "../esc/command.ts";

const DIST = join(import.meta.dirname, "../../dist");
const chunks = readdirSync(DIST)
  .filter((name) => name.endsWith(".js"))
  .map((name) => ({ name, text: readFileSync(join(DIST, name), "utf8") }));

test.each([
  ["the SDK's client, in a chunk of its own", "/environments/{orgName}/{projectName}/{envName}/open", 1],
  ["no axios", "AxiosError", 0],
  ["no proxy-from-env", "NO_PROXY is not supported", 0],
  ["none of follow-redirects", "maxRedirects", 0],
  ["no form-data", "form-data", 0],
  ["no js-yaml", "YAMLException", 0],
  ["no reading of other tools' credentials", ".esc/credentials", 0],
  ["no reading of other tools' credentials", "credentials.json", 0],
])("the bundle holds %s (%s)", (_, text, expected) => {
  expect(chunks.filter((chunk) => chunk.text.includes(text)).map(({ name }) => name)).toHaveLength(expected);
});

test.skipIf(isStandalone)("a start without ESC loads nothing of the network", async () => {
  const folder = await mkdtemp(join(tmpdir(), "esc-bundle-"));
  const preload = join(folder, "preload.cjs");
  const list = join(folder, "list.json");
  await writeFile(
    preload,
    `process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(list)}, JSON.stringify(process.moduleLoadList)));`,
  );
  const options = ["--no-contract", "--mode", "spawn"];
  const finished = await sophiaRun([...options, "--", "true"], { NODE_OPTIONS: `--require ${preload}` }, folder);
  expect(finished.status).toBe(0);
  const loaded: unknown = JSON.parse(await readFile(list, "utf8"));
  expect(loaded).toContain("NativeModule fs");
  for (const name of ["http", "https", "tls", "crypto", "internal/fs/promises"]) {
    expect(loaded).not.toContain(`NativeModule ${name}`);
  }
  await rm(folder, { recursive: true });
});
