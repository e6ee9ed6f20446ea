/** The cases of examples/kubernetes on a node of its own, with the package and with the executable. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { type EnvironmentHandle, type EscServer, secret } from "../../../test/esc-server/index.ts";
import { parseObject } from "../../../test/esc-server/json.ts";
import type { OidcSpec } from "../../../test/esc-server/world.ts";
import { loadBaseImages, podman } from "./podman.mts";
import { run } from "../processes.ts";
import { type Case, runCases, selected, shared, until } from "../report.ts";
import { startStandIn } from "../stand-in.ts";
import {
  answer,
  answerOf,
  apply,
  applySecret,
  args,
  command,
  deletePod,
  DEPLOYMENT,
  enterNamespace,
  exec,
  field,
  fileWith,
  makeSecret,
  type Operation,
  pod,
  pods,
  replaceSecret,
  rollout,
  variable,
  volume,
  withoutEsc,
  WITHOUT_PROBES,
} from "./app.mts";
import {
  ISSUER,
  killTask,
  kubectl,
  load,
  makeBridge,
  NODE_ADDRESS,
  nodeLogs,
  PAUSE_IMAGE,
  startNode,
} from "./cluster.mts";

const LOGIN = "places";
const ORGANIZATION = "acme";
const KEY = "key-that-no-report-may-show";
const VALUES = { QDRANT_URL: "https://qdrant.example:6333", QDRANT_API_KEY: secret(KEY) };
const ANSWER = { qdrant: "qdrant.example:6333", authenticated: true };
const IMAGE = "docker.io/library/sophia-app:1.0.0";
const AUTHORITY = "/etc/places/ca.pem";
/** Milliseconds within which a program that was told to ends. After the grace period of 30 seconds it would be killed. */
const IN_TIME = 15_000;

interface Form {
  readonly name: string;
  /** The changes with which a pod has this form. */
  readonly operations: readonly Operation[];
}

/** In the image of examples/docker/Dockerfile the name `sophia-run` starts the package. */
const PACKAGE: Form = { name: "package", operations: [] };
const EXECUTABLE: Form = { name: "executable", operations: [command("/usr/local/bin/sophia-run", "--")] };

/** Builds the image of examples/docker, as its README says but with Podman, and that of a pod's pause, for the node. */
async function buildImages(): Promise<void> {
  await loadBaseImages();
  await podman("build", "--format=docker", "--network=host", `--tag=${IMAGE}`, join(shared, "projects/docker"));
  const pause = fileWith('FROM scratch\nCOPY catatonit /pause\nENTRYPOINT ["/pause", "-P"]\n');
  await podman("build", "--format=docker", `--tag=${PAUSE_IMAGE}`, `--file=${pause}`, "/usr/bin");
  const archive = "/run/images.tar";
  await podman("save", "--multi-image-archive", `--output=${archive}`, IMAGE, PAUSE_IMAGE);
  await load(archive);
}

/** The additions of a user of this ESC to the manifests: its URL, and its authority. */
function settings(esc: EscServer): readonly Operation[] {
  return [
    variable("PULUMI_BACKEND_URL", esc.url),
    variable("NODE_EXTRA_CA_CERTS", AUTHORITY),
    ...volume("authority", { configMap: { name: "authority" } }, dirname(AUTHORITY)),
  ];
}

/** All that the cluster shows and keeps of the app, but for the Secret itself. */
async function seen(): Promise<string> {
  const kinds = "pods,deployments,replicasets,configmaps,serviceaccounts,events";
  return [
    await kubectl("get", kinds, "--output=yaml"),
    await kubectl("describe", "pods"),
    await kubectl("logs", DEPLOYMENT),
    nodeLogs(),
  ].join("\n");
}

async function rolledOut(): Promise<void> {
  const { status, stderr } = await rollout();
  if (status === 0) return;
  assert.fail(`${stderr}\n${await kubectl("describe", "pods")}\n${await kubectl("logs", DEPLOYMENT)}`);
}

/** The one pod that is left after a rollout. */
async function settled(): Promise<string> {
  const [name = ""] = await until("one pod", pods, (names) => names.length === 1);
  return name;
}

function restarts(name: string): Promise<string> {
  return field(name, ".status.containerStatuses[0].restartCount");
}

function lastStatus(name: string): Promise<string> {
  return field(name, ".status.containerStatuses[0].lastState.terminated.exitCode");
}

/** Ends the container of a pod, which the kubelet starts again, and waits until its program answers. */
async function restarted(name: string, end: () => Promise<unknown>): Promise<void> {
  const before = Number(await restarts(name));
  await end();
  await until(
    "the restart",
    () => restarts(name),
    (count) => Number(count) === before + 1,
  );
  await until(
    "the answer",
    () => answerOf(name),
    (found) => found !== undefined,
  );
}

function restartProgram(name: string): Promise<void> {
  return restarted(name, () => exec(name, "sh", "-c", "kill -TERM 1"));
}

/** As the kernel does for want of memory. */
function killContainer(name: string): Promise<void> {
  return restarted(name, async () => killTask(await field(name, ".status.containerStatuses[0].containerID")));
}

/** Asks a service ten times a second. */
function ask(address: string): { readonly stop: () => Promise<readonly unknown[]> } {
  const stopped = new AbortController();
  const answers: unknown[] = [];
  async function loop(): Promise<readonly unknown[]> {
    while (!stopped.signal.aborted) {
      answers.push(await answer(address));
      await setTimeout(100);
    }
    return answers;
  }
  const ended = loop();
  return {
    stop() {
      stopped.abort();
      return ended;
    },
  };
}

/** The registrations of the organization: the cluster's issuer, and a policy that allows the service account of a namespace. */
async function trust(namespace: string): Promise<OidcSpec> {
  const { keys } = parseObject(await kubectl("get", "--raw", "/openid/v1/jwks")) ?? {};
  assert(Array.isArray(keys));
  const subject = `system:serviceaccount:${namespace}:sophia-app`;
  return { organization: ORGANIZATION, issuers: [{ url: ISSUER, keys, subject }] };
}

function casesOf(form: Form, esc: EscServer, environment: EnvironmentHandle): readonly Case[] {
  function deploy(manifest: string, ...operations: readonly Operation[]): Promise<string> {
    return apply(manifest, [...settings(esc), ...form.operations, ...operations]);
  }

  async function deployed(manifest: string, ...operations: readonly Operation[]): Promise<string> {
    assert.equal(await deploy(manifest, ...operations), "");
    await rolledOut();
    return settled();
  }

  const cases: readonly Case[] = [
    [
      "deployment.yaml is rolled out in a restricted namespace: the probes succeed, and the program has its values",
      async () => {
        const container = { name: "other", image: IMAGE };
        const other = { apiVersion: "v1", kind: "Pod", metadata: { name: "other" }, spec: { containers: [container] } };
        const file = fileWith(JSON.stringify(other));
        await assert.rejects(kubectl("apply", `--filename=${file}`), /violates PodSecurity "restricted/);
        const name = await deployed("deployment.yaml");
        assert.deepEqual(await answerOf(name), ANSWER);
        assert.equal(await field(name, ".status.conditions[?(@.type=='Ready')].status"), "True");
        assert.equal(await restarts(name), "0");
        assert.equal(await exec(name, "cat", "/proc/1/comm"), "sophia-run");
        assert.equal(await exec(name, "id", "-u"), "1000");
        await assert.rejects(exec(name, "touch", "/app/file"), /Read-only file system/);
      },
    ],
    [
      "the token is in a file of mode 0440 of the group, and neither objects nor logs nor events have a secret",
      async () => {
        const name = await deployed("deployment.yaml");
        assert.deepEqual(await answerOf(name), ANSWER);
        assert.equal(await exec(name, "stat", "-L", "-c", "%a %u %g", "/var/run/esc/token"), "440 0 1000");
        assert.equal(await exec(name, "cat", "/var/run/esc/token"), esc.token);
        const all = await seen();
        for (const value of [esc.token, KEY]) {
          for (const text of [value, Buffer.from(value).toString("base64")]) assert(!all.includes(text));
        }
        assert(all.includes("listening on port 3000"));
      },
    ],
    [
      "while the contract is not met (78) a rolling update fails, its log names the variable, and the old pod serves on",
      async () => {
        const old = await deployed("deployment.yaml");
        await kubectl("expose", DEPLOYMENT, "--port=80", "--target-port=http");
        const service = await kubectl("get", "service", "sophia-app", "--output=jsonpath={.spec.clusterIP}");
        await until(
          "the service",
          () => answer(service),
          (found) => found !== undefined,
        );
        const clients = ask(service);
        environment.revise({ values: { QDRANT_API_KEY: secret(KEY) } });
        await kubectl("rollout", "restart", DEPLOYMENT);
        const { status, stderr } = await rollout();
        assert.equal(status, 1);
        assert.match(stderr, /exceeded its progress deadline/);
        const failing = await pod();
        assert.notEqual(failing, old);
        await until(
          "CrashLoopBackOff",
          () => field(failing, ".status.containerStatuses[0].state.waiting.reason"),
          (reason) => reason === "CrashLoopBackOff",
        );
        assert.equal(await lastStatus(failing), "78");
        const log = await kubectl("logs", failing);
        assert.match(log, /✗ QDRANT_URL/);
        assert(!log.includes(KEY));
        assert((await pods()).includes(old));
        const answers = await clients.stop();
        assert(answers.length > 50);
        assert.deepEqual(
          answers.filter((each) => !isDeepStrictEqual(each, ANSWER)),
          [],
        );
        // The pod tries again by itself.
        environment.revise({ values: VALUES });
        await until("the end of the old pod", pods, (names) => !names.includes(old));
        assert.equal(await settled(), failing);
        assert.deepEqual(await answerOf(failing), ANSWER);
      },
    ],
    [
      "a new token reaches the file of the running pod, and the next start of its program reads it",
      async () => {
        const name = await deployed("deployment.yaml");
        const next = esc.addToken({ owner: { kind: "personal", login: LOGIN } });
        await replaceSecret(next.value);
        await until(
          "the volume",
          () => exec(name, "cat", "/var/run/esc/token"),
          (token) => token === next.value,
        );
        assert.equal(await restarts(name), "0");
        assert.equal(next.lastUsed, 0);
        await restartProgram(name);
        assert.notEqual(next.lastUsed, 0);
        assert.deepEqual(await answerOf(name), ANSWER);
        assert.equal(await lastStatus(name), "0");
      },
    ],
    ...(["spawn", "exec"] as const).map((mode): Case => [
      `kubectl delete pod in ${mode} mode: SIGTERM reaches the program, and its status is the container's`,
      async () => {
        const name = await deployed("deployment.yaml", variable("SOPHIA_MODE", mode));
        const first = await exec(name, "sh", "-c", "tr '\\0' ' ' </proc/1/cmdline");
        assert.equal(/^node server\.js *$/.test(first), mode === "exec", first);
        const { status, milliseconds, log } = await deletePod(name);
        assert.equal(status, "0");
        assert.match(log, /stopped by SIGTERM/);
        assert(milliseconds < IN_TIME, `${milliseconds} ms`);
      },
    ]),
    [
      "kubectl delete pod of a program without a handler for SIGTERM: sophia-run as PID 1 ends it, 143",
      async () => {
        const name = await deployed("deployment.yaml", ...WITHOUT_PROBES, ...args("sleep", "infinity"));
        await until(
          "the start of the program",
          () => exec(name, "sh", "-c", "cat /proc/[0-9]*/comm"),
          (names) => names.split("\n").includes("sleep"),
        );
        const { status, milliseconds } = await deletePod(name);
        assert.equal(status, "143");
        assert(milliseconds < IN_TIME, `${milliseconds} ms`);
      },
    ],
    [
      "kubectl delete pod while ESC hangs ends the start, 143",
      async () => {
        esc.failAlways("open", "hang");
        const opened = esc.count("open");
        assert.equal(await deploy("deployment.yaml"), "");
        await esc.waitFor("open", opened + 1);
        const name = await pod();
        await until(
          "the start of the container",
          () => field(name, ".status.containerStatuses[0].state.running.startedAt"),
          (found) => found !== "",
        );
        const { status, milliseconds } = await deletePod(name);
        assert.equal(status, "143");
        assert(milliseconds < IN_TIME, `${milliseconds} ms`);
      },
    ],
    ...(["spawn", "auto"] as const).map((mode): Case => [
      `files of ESC in ${mode} mode are in memory, the user's alone, and removed when the program ends, or after SIGKILL by the next`,
      async () => {
        environment.revise({ values: VALUES, files: { CERTIFICATE: "text of the file" } });
        const report = "stat -c '%a %u' $CERTIFICATE; df --output=fstype,target $CERTIFICATE | tail -n 1";
        const script = `cat $CERTIFICATE; echo; ${report}; ls /dev/shm | wc -l; exec node server.js`;
        const program = args("sh", "-c", script);
        const name = await deployed("deployment.yaml", variable("SOPHIA_MODE", mode), ...program);
        const expected = /^text of the file\n600 1000\ntmpfs +\/dev\/shm\n1\nlistening/;
        assert.match(await kubectl("logs", name), expected);
        // A container that is started again has the pod's /dev/shm, with what the one before has left there.
        await restartProgram(name);
        assert.match(await kubectl("logs", name), expected);
        // SIGKILL lets no process remove anything: the next container does, whose own file is the only one again.
        await killContainer(name);
        assert.match(await kubectl("logs", name), expected);
      },
    ]),
    [
      "without ESC: a Secret with the names of the variables, as a volume, which the next start reads again",
      async () => {
        const contents = (host: string) => ({ "qdrant-url": `https://${host}`, "qdrant-api-key": KEY });
        await applySecret("app-secrets", contents("first.example"));
        const opened = esc.count("open");
        const name = await deployed(
          "deployment.yaml",
          withoutEsc(),
          variable("SOPHIA_SECRETS_DIR", "/etc/app-secrets"),
          ...volume("app-secrets", { secret: { secretName: "app-secrets" } }, "/etc/app-secrets"),
        );
        assert.deepEqual(await answerOf(name), { qdrant: "first.example", authenticated: true });
        await applySecret("app-secrets", contents("second.example"));
        await until(
          "the volume",
          () => exec(name, "cat", "/etc/app-secrets/qdrant-url"),
          (url) => url === "https://second.example",
        );
        assert.deepEqual(await answerOf(name), { qdrant: "first.example", authenticated: true });
        await restartProgram(name);
        assert.deepEqual(await answerOf(name), { qdrant: "second.example", authenticated: true });
        assert.equal(esc.count("open"), opened);
      },
    ],
    [
      "oidc.yaml: the projected token of the service account, which the cluster's issuer has signed, is exchanged",
      async () => {
        const exchanged = esc.count("exchangeToken");
        const name = await deployed("oidc.yaml");
        assert.deepEqual(await answerOf(name), ANSWER);
        assert.equal(esc.count("exchangeToken"), exchanged + 1);
        const token = await exec(name, "cat", "/var/run/esc/id-token");
        const { aud, iss, exp, iat } =
          parseObject(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) ?? {};
        assert.deepEqual([aud, iss, Number(exp) - Number(iat)], [[`urn:pulumi:org:${ORGANIZATION}`], ISSUER, 3600]);
        assert.equal(await exec(name, "stat", "-L", "-c", "%a %u %g", "/var/run/esc/id-token"), "640 1000 1000");
        const all = await seen();
        for (const value of [token, KEY]) assert(!all.includes(value));
      },
    ],
    [
      "oidc.yaml: a service account that the organization does not trust is refused, and the log says so",
      async () => {
        esc.oidc = { organization: ORGANIZATION };
        assert.equal(await deploy("oidc.yaml"), "");
        const name = await until("a pod", pods, (names) => names.length === 1).then(([first = ""]) => first);
        const { stdout } = await until(
          "the log",
          () => run(["kubectl", "logs", name]),
          (found) => found.stdout.includes("QDRANT_URL"),
        );
        assert.match(stdout, /ESC environment acme\/sophia\/prod was refused: [^]*invalid_grant\n +check ESC_OIDC_ORG/);
        await until(
          "the end",
          () => lastStatus(name),
          (status) => status === "78",
        );
      },
    ],
  ];
  return cases.map(([name, test]): Case => [
    `${form.name}: ${name}`,
    async () => {
      counter += 1;
      const namespace = `places-${counter}`;
      await enterNamespace(namespace);
      await kubectl("create", "configmap", "authority", `--from-file=ca.pem=${certificates.caFile}`);
      await makeSecret(esc.token);
      environment.revise({ values: VALUES });
      esc.oidc = await trust(namespace);
      try {
        await test();
      } finally {
        esc.heal();
        await kubectl("delete", "namespace", namespace, "--wait=false");
      }
      assert.deepEqual(esc.violations, []);
    },
  ]);
}

let counter = 0;
await makeBridge();
const account = { user: { login: LOGIN, defaultOrg: ORGANIZATION } };
const { esc, certificates } = await startStandIn(NODE_ADDRESS, [], account);
const environment = esc.environment(`${ORGANIZATION}/sophia/prod`, { values: VALUES });
await startNode(certificates);
await buildImages();
const cases = [PACKAGE, EXECUTABLE].flatMap((form) => casesOf(form, esc, environment));
await runCases("kubernetes", selected(cases));
// The node's processes end with the space.
process.exit();
