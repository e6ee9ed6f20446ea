/** Runs a registry of npm packages on loopback, for package managers that install from one. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename } from "node:path";

/** A registry. It has as much of the API as an installation needs. */
export interface Registry {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** The date of all versions. Some package managers refuse a version that is less than a day old. */
const PUBLISHED = "2020-01-01T00:00:00.000Z";

/** Starts a registry with the packages of these tarballs. */
export async function startRegistry(tarballs: readonly string[]): Promise<Registry> {
  const files = new Map(tarballs.map((path) => [basename(path), readFileSync(path)]));
  const server = createServer(({ url = "" }, response) => {
    const name = url.slice(1);
    const file = files.get(basename(url));
    const document = file ?? documents.get(name);
    if (document === undefined) response.statusCode = 404;
    response.setHeader("content-type", file === undefined ? "application/json" : "application/octet-stream");
    response.end(document ?? '{"error":"not found"}');
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  // Sound: it listens on a port.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const documents = documentsOf(tarballs, files, url);
  return {
    url,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
}

/** Returns the document of each package by its name: its versions, each with the address and checksum of its tarball. */
function documentsOf(
  tarballs: readonly string[],
  files: ReadonlyMap<string, Buffer>,
  url: string,
): ReadonlyMap<string, string> {
  const packages = new Map<string, Record<string, object>>();
  for (const path of tarballs) {
    const file = basename(path);
    const bytes = files.get(file) ?? Buffer.alloc(0);
    const manifest: unknown = JSON.parse(
      execFileSync("tar", ["-xzOf", path, "package/package.json"], { encoding: "utf8" }),
    );
    const { name, version }: Readonly<Record<string, unknown>> = Object(manifest);
    const versions = packages.get(String(name)) ?? {};
    const digest = (algorithm: string, encoding: "hex" | "base64") =>
      createHash(algorithm).update(bytes).digest(encoding);
    const dist = {
      tarball: `${url}${String(name)}/-/${file}`,
      integrity: `sha512-${digest("sha512", "base64")}`,
      shasum: digest("sha1", "hex"),
    };
    packages.set(String(name), { ...versions, [String(version)]: { ...Object(manifest), dist } });
  }
  return new Map(
    Array.from(packages, ([name, versions]) => {
      const names = Object.keys(versions);
      const time = Object.fromEntries(["created", "modified", ...names].map((key) => [key, PUBLISHED]));
      return [name, JSON.stringify({ name, "dist-tags": { latest: names.at(-1) }, versions, time })];
    }),
  );
}
