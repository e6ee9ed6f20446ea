/**
 * A node of Kubernetes, all of whose processes are children of this one. Without certificates of its own but for the API
 * server's; without a name server. Pods reach the node by the address of their bridge.
 */
import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SignedCertificate } from "../../../test/esc-server/tls.ts";
import { run, succeed } from "../processes.ts";
import { until } from "../report.ts";

/** The node's address, which pods reach. */
export const NODE_ADDRESS = "10.90.0.1";
export const PAUSE_IMAGE = "docker.io/library/pause:places";
const PODS = "10.90.0.0/16";
const SERVICES = "10.96.0.0/16";
export const ISSUER = "https://kubernetes.default.svc.cluster.local";
const RUN = "/run/kubernetes";
const KUBECONFIG = join(RUN, "kubeconfig");
const TOKEN = "places-admin";
const API = "https://127.0.0.1:6443";
const CONTAINERD = "/run/containerd/containerd.sock";

/** Starts the node, and waits until pods can be started. */
export async function startNode(certificates: SignedCertificate): Promise<void> {
  process.env["PATH"] = `${process.env["KUBERNETES"]}:${process.env["PATH"]}`;
  process.env["KUBECONFIG"] = KUBECONFIG;
  joinGroups();
  writeSettings(certificates);
  daemon("etcd", ["--data-dir", join(RUN, "etcd"), "--unsafe-no-fsync", "--logger", "zap", "--log-level", "warn"]);
  daemon("containerd", ["--config", join(RUN, "containerd.toml")]);
  daemon("kube-apiserver", [
    "--etcd-servers=http://127.0.0.1:2379",
    `--advertise-address=${NODE_ADDRESS}`,
    `--tls-cert-file=${join(RUN, "server.pem")}`,
    `--tls-private-key-file=${join(RUN, "server.key")}`,
    `--token-auth-file=${join(RUN, "tokens.csv")}`,
    "--authorization-mode=RBAC",
    `--service-account-issuer=${ISSUER}`,
    `--service-account-key-file=${join(RUN, "accounts.pub")}`,
    `--service-account-signing-key-file=${join(RUN, "accounts.key")}`,
    `--service-cluster-ip-range=${SERVICES}`,
    "--kubelet-preferred-address-types=InternalIP",
  ]);
  await until(
    "the API server",
    () => run(["kubectl", "get", "--raw", "/readyz"]),
    ({ stdout }) => stdout === "ok",
  );
  daemon("kube-controller-manager", [
    "--leader-elect=false",
    "--secure-port=0",
    `--kubeconfig=${KUBECONFIG}`,
    `--service-account-private-key-file=${join(RUN, "accounts.key")}`,
    `--root-ca-file=${join(RUN, "ca.pem")}`,
  ]);
  daemon("kube-scheduler", ["--leader-elect=false", "--secure-port=0", `--kubeconfig=${KUBECONFIG}`]);
  daemon("kubelet", [
    `--config=${join(RUN, "kubelet.yaml")}`,
    `--kubeconfig=${KUBECONFIG}`,
    `--node-ip=${NODE_ADDRESS}`,
    "--hostname-override=node",
  ]);
  daemon("kube-proxy", [`--config=${join(RUN, "proxy.yaml")}`, "--hostname-override=node"]);
  await until(
    "the node",
    () => kubectl("get", "nodes", "--output=jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}"),
    (status) => status === "True",
  );
  await until(
    "the service account",
    () => kubectl("get", "serviceaccounts", "--output=jsonpath={.items[*].metadata.name}"),
    (names) => names === "default",
  );
}

/** Loads images from an archive, for all pods. */
export async function load(archive: string): Promise<void> {
  await ctr("images", "import", archive);
}

/** Kills all processes of a container, which the cluster calls `containerd://ID`. */
export async function killTask(container: string): Promise<void> {
  await ctr("tasks", "kill", "--all", "--signal=SIGKILL", container.replace("containerd://", ""));
}

function ctr(...args: readonly string[]): Promise<string> {
  return succeed(["ctr", "--address", CONTAINERD, "--namespace=k8s.io", ...args]);
}

/** Runs kubectl, and returns its output. Throws what it reports. */
export function kubectl(...args: readonly string[]): Promise<string> {
  return succeed(["kubectl", ...args]);
}

/** All that the processes of the node have logged. */
export function nodeLogs(): string {
  const logs = readdirSync(RUN).filter((name) => name.endsWith(".log"));
  return logs.map((name) => readFileSync(join(RUN, name), "utf8")).join("\n");
}

/** Starts a process of the node. If it ends, so does the place. */
function daemon(program: string, args: readonly string[]): void {
  const log = join(RUN, `${program}.log`);
  const descriptor = openSync(log, "a");
  const child = spawn(program, args, { stdio: ["ignore", descriptor, descriptor] });
  child.once("exit", (status, signal) => {
    console.error(`${program} has ended: ${signal ?? status}\n${readFileSync(log, "utf8").slice(-4000)}`);
    process.exit(1);
  });
}

/** Takes this process, and so those of the node, into the space's control groups, a folder for each hierarchy (kubernetes.sh). */
function joinGroups(): void {
  const groups = "/sys/fs/cgroup";
  for (const name of readdirSync(groups)) writeFileSync(join(groups, name, "cgroup.procs"), String(process.pid));
}

/** Makes the bridge of the pods, and with it the node's address. */
export async function makeBridge(): Promise<void> {
  await succeed(["ip", "link", "add", "places0", "type", "bridge"]);
  await succeed(["ip", "address", "add", `${NODE_ADDRESS}/16`, "dev", "places0"]);
  await succeed(["ip", "link", "set", "places0", "up"]);
  // A node has a default route. Without a route the kernel refuses an address before kube-proxy's rules replace it.
  await succeed(["ip", "route", "add", SERVICES, "dev", "places0"]);
}

function writeSettings({ ca, valid }: SignedCertificate): void {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const files: Readonly<Record<string, string | Buffer>> = {
    "ca.pem": ca,
    "server.pem": valid.cert,
    "server.key": valid.key,
    "accounts.key": privateKey.export({ type: "pkcs1", format: "pem" }),
    "accounts.pub": publicKey.export({ type: "spki", format: "pem" }),
    "tokens.csv": `${TOKEN},admin,admin,system:masters\n`,
    kubeconfig: JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "places", cluster: { server: API, "certificate-authority": join(RUN, "ca.pem") } }],
      users: [{ name: "admin", user: { token: TOKEN } }],
      contexts: [{ name: "places", context: { cluster: "places", user: "admin" } }],
      "current-context": "places",
    }),
    "kubelet.yaml": JSON.stringify({
      apiVersion: "kubelet.config.k8s.io/v1beta1",
      kind: "KubeletConfiguration",
      containerRuntimeEndpoint: `unix://${CONTAINERD}`,
      authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
      authorization: { mode: "AlwaysAllow" },
      cgroupDriver: "cgroupfs",
      failCgroupV1: false,
      failSwapOn: false,
      resolvConf: "",
      // How often it looks for a change of a Secret: a minute by default.
      syncFrequency: "2s",
      // The machine's memory and disk are not the cluster's.
      evictionHard: Object.fromEntries(
        ["memory.available", "nodefs.available", "nodefs.inodesFree", "imagefs.available"].map((each) => [each, "0%"]),
      ),
    }),
    "proxy.yaml": JSON.stringify({
      apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
      kind: "KubeProxyConfiguration",
      clientConnection: { kubeconfig: KUBECONFIG },
      mode: "iptables",
      clusterCIDR: PODS,
      // The kernel's settings are not the cluster's.
      conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
    }),
    "containerd.toml": `version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${RUN}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
`,
    "cni/places.conflist": JSON.stringify({
      cniVersion: "0.4.0",
      name: "places",
      plugins: [
        {
          type: "bridge",
          bridge: "places0",
          isGateway: true,
          ipam: { type: "host-local", subnet: PODS, gateway: NODE_ADDRESS, routes: [{ dst: "0.0.0.0/0" }] },
        },
        { type: "portmap", capabilities: { portMappings: true } },
      ],
    }),
  };
  mkdirSync(join(RUN, "cni"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(RUN, name), text);
}
