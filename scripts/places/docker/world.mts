/** The surroundings of images and containers: ESC with an environment, and base images that trust it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import { type EnvironmentHandle, type EscServer, secret } from "../../../test/esc-server/index.ts";
import type { SignedCertificate } from "../../../test/esc-server/tls.ts";
import { shared } from "../report.ts";
import { startStandIn } from "../stand-in.ts";
import { ENGINE } from "./differences.mts";
import { build, engine } from "./engine.mts";

export const ENVIRONMENT = "acme/sophia/prod";
export const AUTHORITIES = "/usr/local/share/places/authorities.pem";

/** The folders that projects.mts has made. */
export const PROJECTS = join(shared, "projects");

/** No log, history or property of a container may have these. */
export const KEY = "qdrant-sentinel-8d1f0c5e7b";
export const VALUES = { QDRANT_URL: "https://qdrant.example:6333", QDRANT_API_KEY: secret(KEY) };

/** The names of base images in the examples, and what ends the name of the one that is used in its place. */
const BASES = {
  "node:24-bookworm-slim": "node",
  "node:24-alpine": "alpine",
  "python:3.13-slim-bookworm": "python",
  "gcr.io/distroless/nodejs24-debian12:nonroot": "distroless",
} as const;

function bases(): readonly (readonly [name: string, ending: string])[] {
  return Object.entries(BASES).filter(([name]) => ENGINE.isDocker || !name.startsWith("python"));
}

/** The variables that say where npm and pip get packages. A machine that has others than the public ones sets them. */
const REGISTRIES = ["npm_config_registry", "PIP_INDEX_URL"] as const;

export interface World {
  readonly esc: EscServer;
  readonly environment: EnvironmentHandle;
  /** The address of the machine that containers reach: its side of Docker's network. */
  readonly gateway: string;
  readonly certificates: SignedCertificate;
  /** The file of the authorities, for images in which none of the bases is. */
  readonly authorities: string;
  /** The options of a build that give it the bases. */
  readonly buildOptions: readonly string[];
  readonly close: () => Promise<void>;
}

export async function startWorld(): Promise<World> {
  const gateway = ENGINE.isOnHost
    ? "127.0.0.1"
    : await engine(["network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"]);
  const { esc, certificates, authorities } = await startStandIn(gateway, [], { user: { login: "places" } });
  const environment = esc.environment(ENVIRONMENT, { values: VALUES });

  const folder = join(shared, "base");
  mkdirSync(folder);
  writeFileSync(join(folder, "authorities.pem"), authorities, { mode: 0o644 });
  const settings = [
    `NODE_EXTRA_CA_CERTS=${AUTHORITIES}`,
    `PIP_CERT=${AUTHORITIES}`,
    `PULUMI_BACKEND_URL=${esc.url}`,
    ...REGISTRIES.flatMap((name) => (process.env[name] === undefined ? [] : [`${name}=${process.env[name]}`])),
  ];
  const replaced = await Promise.all(
    bases().map(async ([name, ending]) => {
      const file = `${ending}.Dockerfile`;
      const lines = [`FROM ${name}`, `COPY authorities.pem ${AUTHORITIES}`, `ENV ${settings.join(" ")}`];
      writeFileSync(join(folder, file), `${lines.join("\n")}\n`);
      const tag = `sophia-places/base-${ending}`;
      await build({ tag, folder, file });
      return `--build-context=${name}=docker-image://${ENGINE.local}${tag}`;
    }),
  );
  return {
    esc,
    environment,
    gateway,
    certificates,
    authorities: join(folder, "authorities.pem"),
    buildOptions: replaced,
    async close() {
      await esc.close();
      await certificates.remove();
    },
  };
}

/** A provider of an API. */
export interface Service {
  readonly origin: string;
  /** Path and authorization of each request. */
  readonly seen: readonly string[];
  readonly close: () => void;
}

export async function startService({ gateway, certificates }: World): Promise<Service> {
  const seen: string[] = [];
  const server = createServer({ ...certificates.valid }, ({ url, headers }, response) => {
    seen.push(`${url} ${headers.authorization}`);
    response.end("served");
  });
  server.listen(0, gateway);
  await once(server, "listening");
  const address = server.address();
  assert(typeof address === "object" && address !== null);
  return { origin: `https://${gateway}:${address.port}`, seen, close: () => void server.close() };
}
