/** Docker and Podman, where they differ: PLACES_ENGINE names the one that the cases use. */

interface Engine {
  readonly name: "docker" | "podman";
  /** The host's network for containers and builds, in which the cases listen on loopback, and one container uses a port at a time. */
  readonly isOnHost: boolean;
  /** Options of each build. */
  readonly build: readonly string[];
  /** Options of `build` and `run`. */
  readonly network: readonly string[];
  /** Options of `container rm`, by which a container ends at once. */
  readonly removal: readonly string[];
  /** The state of a container has that memory was its end, which conmon does not see everywhere. */
  readonly tellsOutOfMemory: boolean;
  /** The process of `--init`. */
  readonly init: string;
  /** The beginning of names of images that were built here. */
  readonly local: string;
  /** BuildKit, Compose, the devcontainer CLI, and with them all documents. */
  readonly isDocker: boolean;
}

const ENGINES: Readonly<Record<string, Engine>> = {
  docker: {
    name: "docker",
    isOnHost: false,
    build: ["--progress=plain"],
    network: [],
    removal: [],
    tellsOutOfMemory: true,
    init: "docker-init",
    local: "",
    isDocker: true,
  },
  podman: {
    name: "podman",
    isOnHost: true,
    // OCI's own format has no health check.
    build: ["--format=docker"],
    network: ["--network=host"],
    removal: ["--time=0"],
    tellsOutOfMemory: false,
    init: "podman-init",
    local: "localhost/",
    isDocker: false,
  },
};

function named(name: string): Engine {
  const found = ENGINES[name];
  if (found === undefined) throw new Error(`no engine is called ${name}`);
  return found;
}

export const ENGINE: Engine = named(process.env["PLACES_ENGINE"] ?? "docker");
