/**
 * Measures time and memory to prepare masking, in a process of its own: `masking-ready.ts KIND COUNT`. Prints milliseconds
 * and MB, as JSON.
 */
import { createHash } from "node:crypto";
import { createMasking } from "../src/masking/masking.ts";

const [kind = "", count = "0"] = process.argv.slice(2);
let turn = 0;
/** Returns random-looking characters of base64, the same in each run. */
const random = (length: number): string => {
  let text = "";
  while (text.length < length) text += createHash("sha512").update(String(turn++)).digest("base64").slice(0, 84);
  return text.slice(0, length);
};
const pem = (): string => {
  const lines = Array.from({ length: 26 }, () => random(64));
  return ["-----BEGIN PRIVATE KEY-----", ...lines, "-----END PRIVATE KEY-----", ""].join("\n");
};
const account = (): string =>
  JSON.stringify(
    { type: "service_account", project_id: random(20), private_key: pem(), client_id: random(21) },
    undefined,
    2,
  );
const kubeconfig = (): string =>
  `apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n    certificate-authority-data: ${random(900)}\nusers:\n- user:\n    client-key-data: ${random(900)}\n`;
const KINDS: Readonly<Record<string, readonly (() => string)[]>> = {
  keys: [pem, account, kubeconfig],
  tokens: [() => random(40)],
};

const makers = KINDS[kind] ?? [];
const secrets = Array.from({ length: Number(count) }, (_, index) => ({
  name: `SECRET_${index}`,
  value: makers[index % makers.length]?.() ?? "",
}));
const before = process.memoryUsage().rss;
const begin = performance.now();
createMasking(secrets).prepare();
const ms = performance.now() - begin;
process.stdout.write(JSON.stringify({ ms, megabytes: (process.memoryUsage().rss - before) / 1e6 }));
