import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { parseInstructions } from "../helpers/container.ts";
import { type Image, readImage, stepsWithSecrets } from "../helpers/image.ts";
import { writeVolume, readDeployment } from "../helpers/kubernetes.ts";
import { fencedBlocksOf } from "../helpers/markdown.ts";
import { installPackage, npmEnvironment, packPackage } from "../helpers/pack.ts";
import {
  type ContainerOptions,
  debianBase,
  distrolessBase,
  type Mount,
  noContainers,
  type Pod,
  startPod,
} from "../helpers/pod.ts";
import { notLinux, notPackage, skipBecause } from "../helpers/skip.ts";
import { addon, folder, isStandalone, sophiaRun } from "../helpers/sophia.ts";
import { executable, noExecutable } from "../helpers/executables.ts";
import { startProcess } from "../helpers/start-process.ts";

// Each file's command is read out of it, and run as PID 1 of a container that is made without an engine.

const root = join(import.meta.dirname, "../..");
const examples = join(root, "examples");
const ID_TOKEN = "id-token-of-the-service-account";
/** That of the official images; `/nodejs/bin` stands for the folder of their Node.js. */
const BASE_PATH = "/nodejs/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const USERS: Readonly<Record<string, number>> = { node: 1000 };
const alpine = join(root, `.cache/alpine-${process.arch === "arm64" ? "aarch64" : "x86_64"}/root`);

const dockerfile = (name: string): string => readFileSync(join(examples, "docker", name), "utf8");

let home: string;
let app: string;
/** Stands for /usr/local/bin of an image. */
let commands: string;
let pod: Pod;
/** An environment without files: sophia-run becomes the program. */
let environment: string;

beforeAll(async () => {
  if (notLinux !== undefined || noContainers !== undefined) return;
  home = mkdtempSync(join(tmpdir(), "sophia-run-test-"));
  pod = await startPod(ID_TOKEN);
  environment = `${pod.environment}@stable`;
  app = join(home, "app");
  cpSync(join(examples, "docker"), app, { recursive: true });
  // As npm installs it.
  const installed = join(app, "node_modules/sophia-run");
  for (const name of ["package.json", "bin/sophia-run.cjs", "dist"]) {
    cpSync(join(root, name), join(installed, name), { recursive: true });
  }
  mkdirSync(join(app, "node_modules/.bin"));
  // With the package its file for Node.js stands for the executable, too, so that each form is PID 1 in some run.
  commands = join(home, "commands");
  mkdirSync(commands);
  for (const place of [join(app, "node_modules/.bin"), commands]) {
    const command = join(place, "sophia-run");
    if (isStandalone) cpSync(sophiaRun[0], command);
    else symlinkSync("/app/node_modules/sophia-run/bin/sophia-run.cjs", command);
  }
  chmodSync(home, 0o755);
});

afterAll(async () => {
  if (notLinux !== undefined || noContainers !== undefined) return;
  const violations = await pod.close();
  rmSync(home, { recursive: true, force: true });
  if (violations !== "") throw new Error(`against the rules of the API: ${violations}`);
});

skipBecause(notLinux);
skipBecause(noContainers);

/** A file that is writeVolume, as its owner and the mode say. */
function secretFile(target: string, content: string, mode: number, group = 0): Mount {
  const source = join(folder({ file: content }), "file");
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) chownSync(source, 0, group);
  // Of one's own file that others may read there is a warning.
  chmodSync(source, isRoot ? mode : 0o400);
  return { source, target };
}

/** The settings with which a container is started. */
function optionsOf(image: Image, more: Partial<ContainerOptions> = {}): ContainerOptions {
  const base = baseOf(image);
  const env = Object.entries(image.env).map(([name, value]) => [name, value.replace("$PATH", BASE_PATH)]);
  return {
    base: [...base, { source: commands, target: "/usr/local/bin" }, { source: app, target: "/app" }],
    command: [...image.entrypoint, ...image.cmd],
    user: image.base.endsWith(":nonroot") ? 65532 : (USERS[image.user ?? ""] ?? 0),
    workdir: image.workdir,
    mounts: [secretFile("/run/secrets/esc_token", `${pod.token}\n`, 0o444)],
    ...more,
    env: {
      PATH: BASE_PATH,
      HOME: "/home/node",
      ...Object.fromEntries(env),
      ESC_ENV: environment,
      PULUMI_BACKEND_URL: pod.url,
      ...more.env,
    },
  };
}

function baseOf({ base }: Image): readonly Mount[] {
  if (base.includes("distroless")) return distrolessBase();
  if (!base.endsWith("-alpine")) return debianBase();
  return [
    ...["/bin", "/lib", "/usr"].map((path) => ({ source: join(alpine, path), target: path })),
    // /usr/local/bin is that of the image's commands.
    { source: join(alpine, "usr/local/bin"), target: "/nodejs/bin" },
  ];
}

const TOKEN_FILE = { ESC_TOKEN_FILE: "/run/secrets/esc_token" } as const;

describe("examples/docker", () => {
  test("each Dockerfile installs by the lock file without devDependencies, and takes the executable from the package", async ({
    skip,
  }) => {
    skip(notPackage !== undefined, notPackage);
    skip(noExecutable !== undefined, noExecutable);
    const names = readdirSync(join(examples, "docker")).filter((name) => /(?:^|\.)Dockerfile$/.test(name));
    expect(names.length).toBeGreaterThan(3);
    const place = folder();
    cpSync(join(examples, "docker"), place, { recursive: true });
    const tarball = await packPackage(place);
    await installPackage(`./${basename(tarball)}`, place, home);
    rmSync(join(place, "node_modules"), { recursive: true });
    const run = (script: string) =>
      startProcess(["sh", "-ec", script], { cwd: place, env: npmEnvironment(home) }).finished;
    expect(await run("npm ci --omit=dev")).toMatchObject({ status: 0 });
    for (const name of names) {
      const lines = parseInstructions(dockerfile(name));
      expect(lines.filter((line) => line.startsWith("RUN npm"))).toContain("RUN npm ci --omit=dev");
      const copy = lines.find((line) => line.startsWith("RUN cp ")) ?? expect.unreachable(name);
      const script = copy.replace("RUN ", "").replaceAll("/usr/local/bin/sophia-run", "./taken");
      rmSync(join(place, "taken"), { force: true });
      expect(await run(script)).toMatchObject({ status: 0, stdout: "", stderr: "" });
      expect(readFileSync(join(place, "taken")).equals(readFileSync(executable))).toBe(true);
    }
  });

  test.each(["Dockerfile", "alpine.Dockerfile", "distroless.Dockerfile", "build-secret.Dockerfile"])(
    "%s starts Node.js as PID 1 if the package was packed without an executable, and prints one line about it",
    async (name) => {
      const copy =
        parseInstructions(dockerfile(name)).find((line) => line.startsWith("RUN cp ")) ?? expect.unreachable();
      const [place, taken] = [folder(), folder()];
      // As npm installs it.
      const installed = join(place, "node_modules/sophia-run");
      for (const each of ["package.json", "bin/sophia-run.cjs", "dist"]) {
        cpSync(join(root, each), join(installed, each), {
          recursive: true,
          filter: (from) => !/\/sophia-run-linux-\w+$/.test(from),
        });
      }
      // The base image of each has Node.js in another place.
      const node = name === "distroless.Dockerfile" ? "/nodejs/bin/node" : "/usr/local/bin/node";
      const script = copy.replace("RUN ", "").replaceAll("/usr/local/bin/sophia-run", `${taken}/sophia-run`);
      const done = await startProcess(["sh", "-ec", script], { cwd: place, env: npmEnvironment(folder()) }).finished;
      expect(done).toMatchObject({
        status: 0,
        stdout: "",
        stderr: expect.stringMatching(/^cp: .*sophia-run-linux-.*\n$/),
      });
      const file = join(taken, "sophia-run");
      expect(readFileSync(file, "utf8")).toMatch(new RegExp(`^#!${node} --\n`));
      cpSync(process.execPath, join(taken, "node"));
      for (const each of [place, taken]) chmodSync(each, 0o755);
      const server = pod.container({
        ...optionsOf(readImage(dockerfile("Dockerfile"))),
        base: [
          ...debianBase(),
          { source: taken, target: dirname(node) },
          ...(dirname(node) === "/usr/local/bin" ? [] : [{ source: taken, target: "/usr/local/bin" }]),
          { source: place, target: "/app" },
        ],
        command: ["/usr/local/bin/sophia-run", "--no-contract", "--", "/bin/sh", "-c", "echo started by $PPID; exit 7"],
        env: { PATH: "/usr/bin:/bin", SOPHIA_MODE: "spawn" },
      });
      expect(await server.finished).toMatchObject({ status: 7, stdout: "started by 1\n" });
    },
  );

  test.each(["Dockerfile", "alpine.Dockerfile", "distroless.Dockerfile", "build-secret.Dockerfile"])(
    "%s contains no secret",
    (name) => {
      const lines = parseInstructions(dockerfile(name)).filter((line) => /^(?:ARG|ENV)\b/.test(line));
      const allowed = /^(?:ENV PATH=\/app\/node_modules\/\.bin:\$PATH|ENV SOPHIA_MODE=spawn|ARG ESC_ENV)$/;
      expect(lines.filter((line) => !allowed.test(line))).toEqual([]);
    },
  );

  test.each(["Dockerfile", "alpine.Dockerfile", "distroless.Dockerfile", "build-secret.Dockerfile"])(
    "%s puts the contract into the image, without which the Sophia platform's contract applies",
    (name) => {
      const lines = parseInstructions(dockerfile(name));
      const stage = lines.slice(lines.findLastIndex((line) => line.startsWith("FROM ")));
      expect(stage.join("\n")).toMatch(/^COPY (?:\. \.|--from=build (?:\/app \/app|.*sophia\.contract\.json.*))$/m);
    },
  );

  test(".dockerignore keeps each file with a secret from the builder", () => {
    const ignored = readFileSync(join(examples, "docker/.dockerignore"), "utf8").split("\n");
    expect(ignored.filter((line) => line !== "" && !line.startsWith("#"))).toEqual([
      "**/.env*",
      ".git",
      "**/node_modules",
    ]);
  });

  describe.each([
    { name: "Dockerfile", first: "sophia-run" },
    { name: "alpine.Dockerfile", first: "sophia-run" },
    { name: "distroless.Dockerfile", first: "the program" },
    { name: "build-secret.Dockerfile", first: "sophia-run" },
  ])("$name", ({ name, first }) => {
    skipBecause(reasonAgainst(name));

    test(`${first} is PID 1, without rights, on a read-only root; healthy; ends at SIGTERM with its own status`, async () => {
      const image = readImage(dockerfile(name));
      const server = pod.container(optionsOf(image, { env: TOKEN_FILE }));
      const [, pid] = await server.waitForStdout(/listening on port 3000 \(process (\d+)\)/);
      expect(pid === "1").toBe(first === "the program");
      const init = server.init();
      const status = readFileSync(`/proc/${init}/status`, "utf8");
      expect(status).toMatch(/^CapEff:\t0+$/m);
      const uid = /^Uid:\t(\d+)/m.exec(status)?.[1];
      // Beside the program, sophia-run keeps its environment from all but root.
      if (process.geteuid?.() === 0) {
        expect(uid).toBe(image.user === "node" ? "1000" : "65532");
        expect(readFileSync(`/proc/${init}/environ`, "utf8")).not.toContain(pod.token);
      }

      expect(server.exec(image.healthcheck)).toMatchObject({ status: 0, stdout: "", stderr: "" });
      const other = image.healthcheck.map((word) => word.replace(":3000/", ":3001/"));
      expect(server.exec(other, { PORT: "3001" })).toMatchObject({ status: 1 });

      const [node = ""] = /(?:\/nodejs\/bin\/)?node$/.exec(image.cmd[0] ?? "") ?? [];
      const writes = `for (const path of ["/app/x", "/x", "/tmp/x"])
        try { fs.writeFileSync(path, ""); console.log("written"); } catch ({ code }) { console.log(code); }`;
      expect(server.exec([node, "-e", writes])).toMatchObject({ stdout: "EROFS\nEROFS\nwritten\n" });

      process.kill(init, "SIGTERM");
      const end = await server.finished;
      expect(end).toMatchObject({ status: 0, stderr: "" });
      expect(end.stdout).toMatch(/\nstopped by SIGTERM\n$/);
    });
  });

  test("files from ESC are in the tmpfs of a read-only root while the program runs", async () => {
    const image = readImage(dockerfile("Dockerfile"));
    const env = { ...TOKEN_FILE, ESC_ENV: pod.environment };
    const server = pod.container(optionsOf(image, { env }));
    await server.waitForStdout(/listening on port 3000 \(process (\d+)\)/);
    const files = server.exec(["find", "/tmp", "-type", "f", "-printf", "%m\\n"]).stdout;
    expect(files).toMatch(/^(?:600\n)+$/);
    process.kill(server.init(), "SIGTERM");
    expect(await server.finished).toMatchObject({ status: 0, stderr: "" });
  });

  test("another command gets the same configuration, and its status is the container's status", async () => {
    const image = readImage(dockerfile("Dockerfile"));
    const command = ["sh", "-c", 'echo "$QDRANT_URL"; env | grep -c ^ESC_; exit 7'];
    const container = pod.container(optionsOf(image, { command: [...image.entrypoint, ...command], env: TOKEN_FILE }));
    const expected = { status: 7, stdout: "https://qdrant.example.test:6333\n0\n", stderr: "" };
    expect(await container.finished).toMatchObject(expected);
    const missing = [...image.entrypoint, "no-such-program"];
    expect(await pod.container(optionsOf(image, { command: missing, env: TOKEN_FILE })).finished).toMatchObject({
      status: 127,
    });
  });

  test("the container starts no program if the contract is not met", async () => {
    const end = await pod.container(optionsOf(readImage(dockerfile("Dockerfile")))).finished;
    expect(end).toMatchObject({ status: 78, stdout: "" });
    expect(end.stderr).toContain("QDRANT_API_KEY");
  });

  test.each([
    { mode: "exec", does: "does nothing to", expected: { status: 5, stdout: "ready\ncaught\n" } },
    { mode: undefined, does: "ends", expected: { status: 128 + 15, stdout: "ready\n" } },
  ])("SIGTERM $does a program that has no handler for it; SOPHIA_MODE: $mode", async ({ mode, expected }) => {
    const image = readImage(dockerfile("Dockerfile"));
    const script = "trap 'echo caught; exit 5' USR1; echo ready; while :; do sleep 0.1; done";
    // The mode is that of the image if none is given.
    const env = { ...TOKEN_FILE, ...(mode === undefined ? {} : { SOPHIA_MODE: mode }) };
    const program = pod.container(optionsOf(image, { command: [...image.entrypoint, "sh", "-c", script], env }));
    await program.waitForStdout(/ready/);
    const init = program.init();
    process.kill(init, "SIGTERM");
    // The program handles signals in the order in which they were sent: this one finds it alive.
    if (mode === "exec") process.kill(init, "SIGUSR1");
    expect(await program.finished).toMatchObject(expected);
  });

  test("sophia-run as PID 1 reaps orphans", async ({ skip }) => {
    skip(!isStandalone && !existsSync(addon), "needs the addon");
    const image = readImage(dockerfile("Dockerfile"));
    // The orphan is PID 1's child when its parent has ended; the program looks until it is gone.
    const script = `orphan=$(sleep 0.1 >/dev/null & echo $!); exec node -e '
      setInterval(() => { if (!fs.existsSync("/proc/" + process.argv[1])) { console.log("reaped"); process.exit(0); } }, 5)
    ' "$orphan"`;
    const command = [...image.entrypoint, "sh", "-c", script];
    const container = pod.container(optionsOf(image, { command, env: TOKEN_FILE }));
    expect(await container.finished).toMatchObject({ status: 0, stdout: "reaped\n" });
  });

  test("build-secret.Dockerfile gives the configuration to the step and leaves no secret in the image", async () => {
    const [step, ...others] = stepsWithSecrets(dockerfile("build-secret.Dockerfile"));
    expect(others).toEqual([]);
    expect(step?.id).toBe("esc_token");
    const built = join(folder(), "app");
    cpSync(app, built, { recursive: true, verbatimSymlinks: true });
    // BuildKit mounts the file for root alone, and starts the step as root by the shell.
    const image = readImage(dockerfile("Dockerfile"));
    const end = await pod.container({
      ...optionsOf(image),
      base: [
        ...debianBase(),
        { source: commands, target: "/usr/local/bin" },
        { source: built, target: "/app", access: "rw" },
      ],
      command: ["/bin/sh", "-c", step?.command ?? "false"],
      user: 0,
      mounts: [secretFile("/run/secrets/esc_token", `${pod.token}\n`, 0o400)],
    }).finished;
    expect(end).toMatchObject({ status: 0, stdout: "", stderr: "" });
    const written = readFileSync(join(built, "dist/collections.json"), "utf8");
    expect(JSON.parse(written)).toEqual({ from: "qdrant.example.test:6333", authenticated: true });
    const found = spawnSync("grep", ["-rlF", "-e", pod.token, "-e", "fake-qdrant-api-key", built], {
      encoding: "utf8",
    });
    expect(found.stdout).toBe("");
  });

  test("the step of docs/containers.md leaves compiled code in the image, for its user", async () => {
    const step = fencedBlocksOf(readFileSync(join(root, "docs/containers.md"), "utf8")).find(({ text }) =>
      text.startsWith("RUN mkdir -p ~/.cache"),
    );
    const place = folder();
    if (process.geteuid?.() === 0) chownSync(place, 1000, 1000);
    const image = readImage(dockerfile("Dockerfile"));
    const command = ["/bin/sh", "-c", step?.text.replace("RUN ", "").trim() ?? "false"];
    const mounts: readonly Mount[] = [{ source: place, target: "/home/node", access: "rw" }];
    expect(await pod.container(optionsOf(image, { command, mounts, env: { ESC_ENV: "" } })).finished).toMatchObject({
      status: 0,
      stderr: "",
    });
    expect(existsSync(join(place, ".cache/sophia-run"))).toBe(!isStandalone && existsSync(addon));
  });

  test("compose.yaml starts the program with a secret as a file, an init, no rights, and a read-only root", () => {
    const compose: unknown = parse(readFileSync(join(examples, "docker/compose.yaml"), "utf8"));
    expect(compose).toMatchObject({
      services: {
        app: {
          init: true,
          environment: TOKEN_FILE,
          secrets: ["esc_token"],
          read_only: true,
          tmpfs: ["/tmp"],
          cap_drop: ["ALL"],
          security_opt: ["no-new-privileges:true"],
        },
      },
      // Compose refuses `environment:` here: it would have to write into the read-only root (docker/compose#12531).
      secrets: { esc_token: { file: "${ESC_TOKEN_FILE:?name a file that holds the token}" } },
    });
  });
});

describe("the image of examples/python", () => {
  test.each(["the executable", "Node.js"])(
    "starts %s of the package, depending on what its tarball has",
    async (program) => {
      const text = readFileSync(join(examples, "python/Dockerfile"), "utf8");
      const steps = parseInstructions(text).filter((line) => line.startsWith("RUN mkdir -p /copied/"));
      const place = folder();
      const tarball = await packPackage(place);
      if (program === "Node.js") {
        const strip = 'tar -xzf "$1" && rm package/dist/sophia-run-linux-* && tar -czf "$1" package && rm -r package';
        execFileSync("sh", ["-euc", strip, "sh", basename(tarball)], { cwd: place });
      } else if (noExecutable !== undefined) {
        throw new Error(noExecutable);
      }
      const script = steps
        .map((line) => line.replace("RUN ", "").replaceAll("/copied", `${place}/copied`))
        .join("\n")
        .replace("/usr/local/bin/node", process.execPath);
      const built = await startProcess(["sh", "-ec", script], { cwd: place, env: npmEnvironment(home) }).finished;
      expect(built).toMatchObject({ status: 0, stdout: "" });
      expect(built.stderr).toMatch(program === "Node.js" ? /^cp: .*sophia-run-linux-.*\n$/ : /^$/);
      chmodSync(place, 0o755);
      const server = pod.container({
        ...optionsOf(readImage(dockerfile("Dockerfile"))),
        base: [...debianBase(), { source: join(place, "copied"), target: "/usr/local" }],
        workdir: "/",
        command: ["/usr/local/bin/sophia-run", "--no-contract", "--", "/bin/sh", "-c", "echo started by $PPID; exit 7"],
        env: { PATH: "/usr/local/bin:/usr/bin:/bin", SOPHIA_MODE: "spawn" },
      });
      expect(await server.finished).toMatchObject({ status: 7, stdout: "started by 1\n", stderr: "" });
    },
  );
});

describe("the CMD in docs/containers.md", () => {
  skipBecause(existsSync("/bin/sh") && readlinkSync("/bin/sh").endsWith("dash") ? undefined : "needs dash as /bin/sh");
  const [lost = "", passed = ""] = fencedBlocksOf(readFileSync(join(root, "docs/containers.md"), "utf8"))
    .filter(({ language, text }) => language === "dockerfile" && text.startsWith("CMD "))
    .map(({ text }) => text);
  const started = async (cmd: string) => {
    const image = readImage(dockerfile("Dockerfile"));
    const shell = readImage(`FROM ${image.base}\n${cmd}`);
    const env = { ...TOKEN_FILE, SOPHIA_MODE: "auto" };
    const server = pod.container(optionsOf(image, { command: shell.cmd, env }));
    const [, pid = ""] = await server.waitForStdout(/listening on port 3000 \(process (\d+)\)/);
    process.kill(server.init(), "SIGTERM");
    return { ...server, pid, healthcheck: image.healthcheck };
  };

  test("in the shell form makes dash PID 1, which loses SIGTERM", async () => {
    const server = await started(lost);
    expect(server.pid).not.toBe("1");
    // The kernel drops a signal that PID 1 does not catch when it is sent: it has been lost already.
    expect(server.exec(server.healthcheck)).toMatchObject({ status: 0 });
    process.kill(server.init(), "SIGKILL");
    expect((await server.finished).stdout).not.toContain("stopped by");
  });

  test("with exec makes the program PID 1, which ends by SIGTERM", async () => {
    const server = await started(passed);
    expect(server.pid).toBe("1");
    expect(await server.finished).toMatchObject({ status: 0, stderr: "" });
  });
});

describe("examples/kubernetes", () => {
  test.each([
    { name: "deployment.yaml", content: () => pod.token },
    { name: "oidc.yaml", content: () => ID_TOKEN },
  ])("$name opens ESC by the mounted file, answers probes, and ends by SIGTERM", async ({ name, content }) => {
    const spec = readDeployment(join(examples, "kubernetes", name));
    expect(spec).toMatchObject({ readOnly: true, user: 1000, files: [{ mountPath: "/var/run/esc" }] });
    const organization = pod.environment.split("/")[0] ?? "";
    if (spec.audience !== undefined) {
      expect(spec.audience).toBe(`urn:pulumi:org:${spec.env["ESC_OIDC_ORG"]}`);
      expect(spec.env["ESC_ENV"]).toMatch(new RegExp(`^${spec.env["ESC_OIDC_ORG"]}/`));
    }
    const image = readImage(dockerfile("Dockerfile"));
    const mounts = spec.files.map((one) => writeVolume(one, content()));
    const named = { ...spec.env, ESC_ENV: environment };
    const env = spec.audience === undefined ? named : { ...named, ESC_OIDC_ORG: organization };
    const server = pod.container(optionsOf(image, { command: spec.command, user: spec.user, mounts, env }));
    await server.waitForStdout(/listening on port 3000 /);
    const probe = `fetch("http://127.0.0.1:${spec.port}/").then((answer) => answer.text()).then(console.log)`;
    expect(JSON.parse(server.exec(["node", "-e", probe]).stdout)).toEqual({
      qdrant: "qdrant.example.test:6333",
      authenticated: true,
    });
    process.kill(server.init(), "SIGTERM");
    expect(await server.finished).toMatchObject({ status: 0, stderr: "" });
  });
});

/** Why an image cannot be made here. */
function reasonAgainst(name: string): string | undefined {
  if (name === "alpine.Dockerfile" && !existsSync(alpine))
    return "needs an Alpine-like root: scripts/platforms/alpine-root.sh makes one";
  return name === "distroless.Dockerfile" && !isStandalone
    ? "its image has no env(1), which the package needs"
    : undefined;
}
