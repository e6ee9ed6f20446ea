// Prints a line for each of Mozilla's certificates, and for the one in its argument: as it is, and as it is in the executable. All are
// in DER, in base64.
import { join } from "node:path";
import { rootsOf, withoutSignature } from "../../build/parts/roots.mjs";

const [, , added = ""] = process.argv;
for (const whole of [...rootsOf(join(import.meta.dirname, "../../..")), Buffer.from(added, "base64")]) {
  process.stdout.write(`${whole.toString("base64")} ${withoutSignature(whole).toString("base64")}\n`);
}
