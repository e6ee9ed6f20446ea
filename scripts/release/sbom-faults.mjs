/** Validates the bill of materials of a release, for scripts/release.mjs. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Ajv } from "ajv";

const require = createRequire(import.meta.url);
const folder = join(dirname(require.resolve("@cyclonedx/cyclonedx-library/package.json")), "res/schema");

/**
 * Validates by the JSON schema of CycloneDX 1.6, with the licences of SPDX. The library's own validator would need two more
 * packages, for formats that the document does not use.
 *
 * @param document the object of `sbom`
 * @returns the errors, a line each
 */
export function sbomFaults(document) {
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  const read = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
  for (const name of ["spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json"])
    ajv.addSchema(read(name), `http://cyclonedx.org/schema/${name}`);
  const validate = ajv.compile(read("bom-1.6.SNAPSHOT.schema.json"));
  if (validate(document)) return [];
  return validate.errors.map((each) => `the SBOM: ${ajv.errorsText([each], { dataVar: "" })}`);
}
