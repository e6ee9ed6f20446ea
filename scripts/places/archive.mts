/**
 * Writes a root as an image that `docker load`, `podman load` and `ctr image import` read: archive.mts ROOT NAME CONFIG FILE.
 * CONFIG is JSON: Env, User, WorkingDir, Entrypoint, Cmd. The image has one layer.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [root, name, config, file] = process.argv.slice(2);
if (root === undefined || name === undefined || config === undefined || file === undefined) {
  throw new Error("usage: archive.mts ROOT NAME CONFIG FILE");
}

const folder = `${file}.parts`;
mkdirSync(folder);
const layer = join(folder, "layer.tar");
execFileSync("tar", ["--numeric-owner", "--sort=name", "-C", root, "-cf", layer, "."]);
const hash = createHash("sha256");
for await (const chunk of createReadStream(layer)) hash.update(chunk);
const image = {
  architecture: process.arch === "arm64" ? "arm64" : "amd64",
  os: "linux",
  config: JSON.parse(config),
  // Podman wants an entry for each layer.
  history: [{ created_by: "scripts/places/image.sh" }],
  rootfs: { type: "layers", diff_ids: [`sha256:${hash.digest("hex")}`] },
};
writeFileSync(join(folder, "config.json"), JSON.stringify(image));
const manifest = [{ Config: "config.json", RepoTags: [name], Layers: ["layer.tar"] }];
writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest));
execFileSync("tar", ["-C", folder, "-cf", file, "manifest.json", "config.json", "layer.tar"]);
rmSync(folder, { recursive: true });
