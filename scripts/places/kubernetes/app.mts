/** The example app in the cluster: its manifests as a user deploys them, and what the cluster says of it. */
import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { type Finished, run, succeed } from "../processes.ts";
import { until } from "../report.ts";
import { kubectl } from "./cluster.mts";

const EXAMPLES = "examples/kubernetes";
const CONTAINER = "/spec/template/spec/containers/0";
export const DEPLOYMENT = "deployment/sophia-app";
/** Seconds in which a deployment must progress, and all that is waited for here. */
const DEADLINE = 20;

/** An operation of a JSON patch (RFC 6902). */
export type Operation = Readonly<{ op: "add" | "remove" | "replace"; path: string; value?: unknown }>;

export function variable(name: string, value: string): Operation {
  return { op: "add", path: `${CONTAINER}/env/-`, value: { name, value } };
}

/** The first variable of deployment.yaml is ESC_ENV. */
export function withoutEsc(): Operation {
  return { op: "remove", path: `${CONTAINER}/env/0` };
}

export function command(...words: readonly string[]): Operation {
  return { op: "replace", path: `${CONTAINER}/command`, value: words };
}

export function args(...words: readonly string[]): readonly Operation[] {
  return [{ op: "replace", path: `${CONTAINER}/args`, value: words }];
}

export const WITHOUT_PROBES: readonly Operation[] = ["startupProbe", "readinessProbe"].map((name) => ({
  op: "remove",
  path: `${CONTAINER}/${name}`,
}));

export function volume(name: string, source: object, mountPath: string): readonly Operation[] {
  return [
    { op: "add", path: "/spec/template/spec/volumes/-", value: { name, ...source } },
    { op: "add", path: `${CONTAINER}/volumeMounts/-`, value: { name, mountPath, readOnly: true } },
  ];
}

/**
 * Applies a manifest of the examples as it is, with a user's own settings as patches of a kustomization.
 *
 * @returns what kubectl warned of
 */
export async function apply(manifest: string, operations: readonly Operation[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "kustomization-"));
  copyFileSync(join(EXAMPLES, manifest), join(folder, manifest));
  const patch: readonly Operation[] = [
    { op: "add", path: "/spec/progressDeadlineSeconds", value: DEADLINE },
    ...operations,
  ];
  const kustomization = {
    resources: [manifest],
    patches: [{ target: { kind: "Deployment" }, patch: JSON.stringify(patch) }],
  };
  writeFileSync(join(folder, "kustomization.yaml"), JSON.stringify(kustomization));
  return shell('kubectl apply --kustomize "$0" 2>&1 >/dev/null', folder);
}

function shell(script: string, ...words: readonly string[]): Promise<string> {
  return succeed(["sh", "-euc", script, ...words]);
}

/** Makes an empty namespace that enforces the standard `restricted`, and makes it the current one. */
export async function enterNamespace(name: string): Promise<void> {
  await kubectl("create", "namespace", name);
  await kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted");
  await kubectl("config", "set-context", "--current", `--namespace=${name}`);
}

/** The commands of deployment.yaml that make its Secret, and replace it. */
const [MAKE_SECRET = "", REPLACE_SECRET = ""] = Array.from(
  readFileSync(join(EXAMPLES, "deployment.yaml"), "utf8").matchAll(/^# +(kubectl create secret .*)$/gm),
  ([, documented = ""]) => documented,
);

export async function makeSecret(token: string): Promise<void> {
  await shell(MAKE_SECRET.replace("PATH_OF_THE_TOKEN", fileWith(token)));
}

export async function replaceSecret(token: string): Promise<void> {
  await shell(REPLACE_SECRET.replace("PATH_OF_THE_TOKEN", fileWith(token)));
}

/** Makes a Secret, or gives one other contents. */
export async function applySecret(name: string, contents: Readonly<Record<string, string>>): Promise<void> {
  const files = Object.entries(contents).map(([key, value]) => `--from-file=${key}=${fileWith(value)}`);
  const create = ["kubectl create secret generic", name, ...files, "--dry-run=client -o yaml"].join(" ");
  await shell(`${create} | kubectl apply -f -`);
}

export function fileWith(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "places-")), "text");
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

/** Waits for the end of a rollout, as a user does. */
export function rollout(): Promise<Finished> {
  return run(["kubectl", "rollout", "status", DEPLOYMENT]);
}

/** The names of pods that are not about to end, the newest last. */
export async function pods(): Promise<readonly string[]> {
  const template = '{{range .items}}{{if not .metadata.deletionTimestamp}}{{.metadata.name}}{{"\\n"}}{{end}}{{end}}';
  const names = await kubectl(
    "get",
    "pods",
    "--sort-by=.metadata.creationTimestamp",
    `--output=go-template=${template}`,
  );
  return names.split("\n").filter((name) => name !== "");
}

/** The newest pod. */
export async function pod(): Promise<string> {
  const name = (await pods()).at(-1);
  assert(name !== undefined, "there is no pod");
  return name;
}

export function field(name: string, path: string): Promise<string> {
  return kubectl("get", "pod", name, `--output=jsonpath={${path}}`);
}

export function exec(name: string, ...words: readonly string[]): Promise<string> {
  return kubectl("exec", name, "--", ...words);
}

/** The answer of the app; undefined without one. */
export async function answer(address: string): Promise<unknown> {
  const response = await fetch(`http://${address}/`, { headers: { connection: "close" } }).catch(() => undefined);
  return response?.json();
}

export async function answerOf(name: string): Promise<unknown> {
  return answer(`${await field(name, ".status.podIP")}:3000`);
}

interface Follower {
  readonly output: () => string;
  readonly close: () => void;
}

function follow(...words: readonly string[]): Follower {
  const child: ChildProcessByStdio<null, Readable, null> = spawn("kubectl", words, {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  return { output: () => text, close: () => void child.kill() };
}

export interface End {
  /** The exit status of the container. */
  readonly status: string;
  readonly milliseconds: number;
  readonly log: string;
}

/** Deletes a pod as a user does, and returns how its program ended. */
export async function deletePod(name: string): Promise<End> {
  const path = ".status.containerStatuses[0].state.terminated.exitCode";
  const statuses = follow("get", "pod", name, "--watch", `--output=jsonpath={${path}}{"\\n"}`);
  const log = follow("logs", name, "--follow");
  const start = Date.now();
  await kubectl("delete", "pod", name);
  const milliseconds = Date.now() - start;
  const status = await until(
    "the status of the container",
    () => statuses.output().trim().split("\n").at(-1) ?? "",
    (found) => found !== "",
  );
  statuses.close();
  log.close();
  return { status, milliseconds, log: log.output() };
}
