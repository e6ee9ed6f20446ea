/** Reads Deployments, and writes volumes as the kubelet does. */
import { chmodSync, chownSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseAllDocuments } from "yaml";
import { memberAt } from "./json-members.ts";
import type { Mount } from "./pod.ts";
import { folder } from "./sophia.ts";

/** The parts of the pod of a Deployment that tests need. */
export interface PodSpec {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly user: number;
  readonly readOnly: boolean;
  readonly port: number;
  /** The volumes that contain a file. */
  readonly files: readonly VolumeFiles[];
  /** The audience of the ID token, if one is mounted. */
  readonly audience: string | undefined;
}

interface VolumeFiles {
  readonly mountPath: string;
  readonly name: string;
  readonly mode: number;
  readonly group: number;
}

/** Reads the only Deployment in a file. */
export function readDeployment(path: string): PodSpec {
  const documents = parseAllDocuments(readFileSync(path, "utf8")).map((document): unknown => document.toJS());
  const pod = memberAt(
    documents.find((one) => memberAt(one, "kind") === "Deployment"),
    "spec",
    "template",
    "spec",
  );
  const container = memberAt(pod, "containers", 0);
  const group = Number(memberAt(pod, "securityContext", "fsGroup"));
  const mounts = new Map(
    listOf(memberAt(container, "volumeMounts")).map((one) => [
      memberAt(one, "name"),
      String(memberAt(one, "mountPath")),
    ]),
  );
  const files = listOf(memberAt(pod, "volumes")).flatMap((volume): readonly VolumeFiles[] => {
    const mountPath = mounts.get(memberAt(volume, "name")) ?? "";
    const item =
      memberAt(volume, "secret", "items", 0) ?? memberAt(volume, "projected", "sources", 0, "serviceAccountToken");
    // The token of a service account has the mode 0600, or 0640 if the pod has an fsGroup.
    const mode = Number(memberAt(volume, "secret", "defaultMode") ?? 0o640);
    return item === undefined ? [] : [{ mountPath, name: String(memberAt(item, "path")), mode, group }];
  });
  const audience = listOf(memberAt(pod, "volumes"))
    .map((volume) => memberAt(volume, "projected", "sources", 0, "serviceAccountToken", "audience"))
    .find((one) => one !== undefined);
  return {
    command: [...listOf(memberAt(container, "command")), ...listOf(memberAt(container, "args"))].map(String),
    env: Object.fromEntries(
      listOf(memberAt(container, "env")).map((one) => [String(memberAt(one, "name")), String(memberAt(one, "value"))]),
    ),
    user: Number(memberAt(pod, "securityContext", "runAsUser")),
    readOnly: memberAt(container, "securityContext", "readOnlyRootFilesystem") === true,
    port: Number(memberAt(container, "ports", 0, "containerPort")),
    files,
    audience: typeof audience === "string" ? audience : undefined,
  };
}

/**
 * Writes a volume as the kubelet does: the file is a link into the folder `..data`, which is itself a link, so that the kubelet can
 * replace all files at once. @returns the mount of the volume
 */
export function writeVolume({ mountPath, name, mode, group }: VolumeFiles, content: string): Mount {
  const source = folder();
  const data = "..2026_11_25_00_00_00";
  mkdirSync(join(source, data, dirname(name)), { recursive: true });
  const file = join(source, data, name);
  writeFileSync(file, content);
  symlinkSync(data, join(source, "..data"));
  symlinkSync(join("..data", name), join(source, name));
  chmodSync(source, 0o755);
  if (process.geteuid?.() === 0) chownSync(file, 0, group);
  chmodSync(file, mode);
  return { source, target: mountPath };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
