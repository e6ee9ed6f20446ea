import { Models, Serialize, SPDX, Spec } from "@cyclonedx/cyclonedx-library";
import { bundledPackages } from "../build/packages.mjs";
import { CRATE } from "../build/quickjs.mjs";
import { BUN_VERSION } from "../build/targets.mjs";

/**
 * Returns the bill of materials of a release as CycloneDX 1.6: the packages in the bundle, which `npm sbom` does not list
 * because they are not dependencies; and Bun and QuickJS, which are in the executables and wheels.
 *
 * @param manifest the package.json
 * @param timestamp the time of the commit, so that the document is reproducible
 * @returns the document as text
 */
export async function sbom(manifest, timestamp) {
  const parts = [
    ...(await bundledPackages()).map(({ manifest: { name, license }, locked }) => {
      const content = Buffer.from(locked.integrity.replace("sha512-", ""), "base64").toString("hex");
      return component("library", { name, license, version: locked.version }, { hash: ["SHA-512", content] });
    }),
    component(
      "platform",
      { name: "bun", version: BUN_VERSION, license: "MIT" },
      { description: "The runtime of the stand-alone executables and the wheels; the npm package does not hold it." },
    ),
    component(
      "library",
      { ...CRATE, license: "MIT" },
      {
        registry: "cargo",
        description:
          "QuickJS, in which the stand-alone executables for Linux make most starts; of the crate only its sources.",
        hash: ["SHA-256", CRATE.checksum],
      },
    ),
  ];
  const bom = new Models.Bom();
  const product = component("application", manifest);
  bom.metadata.component = product;
  bom.metadata.timestamp = new Date(timestamp);
  // One version may be in the bundle twice.
  for (const part of new Map(parts.map((each) => [each.purl, each])).values()) {
    bom.components.add(part);
    product.dependencies.add(part.bomRef);
  }
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
}

function component(type, { name, version, license }, { registry = "npm", description, hash } = {}) {
  const purl = `pkg:${registry}/${name.replace("@", "%40")}@${version}`;
  const licence = SPDX.isSupportedSpdxId(license)
    ? new Models.SpdxLicense(license)
    : new Models.LicenseExpression(license);
  return new Models.Component(type, name, {
    bomRef: purl,
    version,
    description,
    purl,
    licenses: new Models.LicenseRepository([licence]),
    hashes: new Models.HashDictionary(hash === undefined ? [] : [hash]),
  });
}
