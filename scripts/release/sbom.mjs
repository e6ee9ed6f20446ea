/** Writes the bill of materials of a release, for scripts/release.mjs. */
import { Models, Serialize, SPDX, Spec } from "@cyclonedx/cyclonedx-library";
import { bundledPackages } from "../build/packages.mjs";
import { listLinuxLibraries } from "../../runtime/build/parts/versions.mjs";

/**
 * Returns the bill of materials of a release as CycloneDX 1.6: the packages in the bundles, which `npm sbom` does not list
 * because they are not dependencies; and the libraries in the executables and wheels.
 *
 * @param manifest the package.json
 * @param timestamp the time of the commit, so that the document is reproducible
 * @returns the document as text
 */
export async function sbom(manifest, timestamp) {
  const parts = [
    ...(await bundledPackages()).map(({ manifest: { name, license }, locked, isInPackage, isInExecutables }) => {
      const inOne = isInPackage
        ? "Is not in the stand-alone executables."
        : "Is in the stand-alone executables for Linux.";
      const description = isInPackage && isInExecutables ? undefined : inOne;
      const hash = sha512(locked.integrity);
      return component("library", { name, license, version: locked.version }, { description, hash });
    }),
    ...listLinuxLibraries().map(({ sourcePackage, library }) =>
      component("library", library, {
        purl: purl(sourcePackage, library.folder),
        description: `Is in the stand-alone executables for Linux. Its source is in ${sourcePackage.name} ${sourcePackage.version}.`,
        hash: ["SHA-256", sourcePackage.checksum],
      }),
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

/** Returns a package URL, with the library's folder inside of the package. */
function purl({ registry, name, version }, folder = "") {
  return `pkg:${registry}/${name.replace("@", "%40")}@${version}${folder === "" ? "" : `#${folder}`}`;
}

/** Returns the hash of npm's `integrity`. */
function sha512(integrity) {
  return ["SHA-512", Buffer.from(integrity.replace("sha512-", ""), "base64").toString("hex")];
}

function component(type, part, { purl: at = purl({ registry: "npm", ...part }), description, hash } = {}) {
  const { name, version, license } = part;
  const licence = SPDX.isSupportedSpdxId(license)
    ? new Models.SpdxLicense(license)
    : new Models.LicenseExpression(license);
  return new Models.Component(type, name, {
    bomRef: at,
    version,
    description,
    purl: at,
    licenses: new Models.LicenseRepository([licence]),
    hashes: new Models.HashDictionary(hash === undefined ? [] : [hash]),
  });
}
