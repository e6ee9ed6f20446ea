import { bundledPackages } from "../build/packages.mjs";
import { CRATE } from "../build/quickjs.mjs";
import { BUN_VERSION } from "../build/targets.mjs";

/**
 * What a release is made of, as CycloneDX 1.6: the packages in the bundle, which `npm sbom` would not list, since they are
 * none that are installed with it; and Bun, of which the executables and wheels are made.
 *
 * @param manifest the package.json
 * @param timestamp when the sources were committed, so that the document is the same for the same sources
 */
export async function sbom({ name, version, license }, timestamp) {
  const packages = new Map(
    (await bundledPackages()).map((each) => [purl(each.manifest.name, each.locked.version), each]),
  );
  const libraries = Array.from(packages, ([ref, { manifest, locked }]) => ({
    type: "library",
    "bom-ref": ref,
    name: manifest.name,
    version: locked.version,
    licenses: licences(manifest.license),
    purl: ref,
    hashes: [
      { alg: "SHA-512", content: Buffer.from(locked.integrity.replace("sha512-", ""), "base64").toString("hex") },
    ],
  })).toSorted((a, b) => (a.purl < b.purl ? -1 : 1));
  const bun = {
    type: "platform",
    "bom-ref": purl("bun", BUN_VERSION),
    name: "bun",
    version: BUN_VERSION,
    description: "The runtime of the stand-alone executables and the wheels; the npm package does not hold it.",
    licenses: licences("MIT"),
    purl: purl("bun", BUN_VERSION),
  };
  const crate = `pkg:cargo/${CRATE.name}@${CRATE.version}`;
  const quickjs = {
    type: "library",
    "bom-ref": crate,
    name: CRATE.name,
    version: CRATE.version,
    description:
      "QuickJS, in which the stand-alone executables for Linux make most starts; of the crate only its sources.",
    licenses: licences("MIT"),
    purl: crate,
    hashes: [{ alg: "SHA-256", content: CRATE.checksum }],
  };
  const components = [...libraries, bun, quickjs];
  const ref = purl(name, version);
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      timestamp,
      component: { type: "application", "bom-ref": ref, name, version, licenses: licences(license), purl: ref },
    },
    components,
    dependencies: [
      { ref, dependsOn: components.map((each) => each["bom-ref"]) },
      ...components.map((each) => ({ ref: each["bom-ref"] })),
    ],
  };
}

function purl(name, version) {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}

function licences(expression) {
  return /[ (]/.test(expression) ? [{ expression }] : [{ license: { id: expression } }];
}
