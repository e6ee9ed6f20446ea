// Prints Mozilla's certificates as they were published: each is a line with the base64 of its DER.
import { join } from "node:path";
import { readMozillaRoots } from "../../build/parts/roots.mjs";

for (const certificate of readMozillaRoots(join(import.meta.dirname, "../../.."))) {
  process.stdout.write(`${certificate.toString("base64")}\n`);
}
