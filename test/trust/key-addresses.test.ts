import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isSentKey, keysSentTo } from "../../src/trust/key-addresses.ts";
import { KEY_ADDRESSES } from "./addresses.ts";

test.each([
  ["OPENAI_BASE_URL", ["OPENAI_API_KEY", "OPENAI_ADMIN_KEY"]],
  ["OPENAI_API_BASE_URL", ["OPENAI_API_KEY", "OPENAI_ADMIN_KEY"]],
  [
    "GOOGLE_GEMINI_BASE_URL",
    ["GOOGLE_GEMINI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY"],
  ],
  ["HF_INFERENCE_ENDPOINT", ["HF_API_KEY", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACEHUB_API_TOKEN"]],
  ["PULUMI_API", ["PULUMI_ACCESS_TOKEN"]],
  ["QDRANT_URL", []],
  ["AZURE_OPENAI_ENDPOINT", []],
  [
    "AWS_ENDPOINT_URL_S3",
    ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_BEARER_TOKEN_BEDROCK"],
  ],
  ["OPENAI_BASE_URL_2", []],
  ["MY_OPENAI_BASE_URL", []],
  ["openai_base_url", []],
  ["_BASE_URL", []],
  ["constructor", []],
])("keysSentTo returns for the address in %s the keys that programs send there: %j", (name, keys) => {
  expect(keysSentTo(name)).toEqual(keys);
  expect(keys.filter((key) => !isSentKey(key))).toEqual([]);
});

test("docs/threat-model.md lists all services and all endings of their addresses", () => {
  const text = readFileSync(join(import.meta.dirname, "../../docs/threat-model.md"), "utf8");
  const section = text.slice(text.indexOf("### Addresses of keys"));
  const names = (line: string): readonly string[] =>
    Array.from(line.matchAll(/`(?:…)?([^`]+)`/g), ([, name = ""]) => name);
  const namesInItem = (title: string) =>
    names(new RegExp(`^- \\*\\*${title}\\*\\*[^]*?\n(?! )`, "m").exec(section)?.[0] ?? "");
  const [services, endings] = [namesInItem("Services"), namesInItem("Addresses")];
  expect(services.map((service) => `${service}_BASE_URL`)).toEqual(
    KEY_ADDRESSES.filter((address) => address.endsWith("_BASE_URL")),
  );
  expect(endings).toHaveLength(10);
  for (const service of services) {
    for (const ending of endings) expect(keysSentTo(service + ending)[0]).toBe(`${service}_API_KEY`);
  }
  const others = section.split("\n").filter((line) => line.startsWith("| `"));
  const table = others.map(names);
  const ofForm = ["ANTHROPIC_BEDROCK_BASE_URL"];
  const withoutKey = ["CONTAINER_HOST", "DOCKER_HOST"];
  const listed = [...ofForm, ...KEY_ADDRESSES.filter((address) => !address.endsWith("_BASE_URL"))];
  expect(new Set([...table.map(([address]) => address), ...withoutKey])).toEqual(new Set(listed));
  for (const [address = "", key] of table) expect(keysSentTo(address)).toContain(key);
});
