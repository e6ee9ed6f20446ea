/** The SDKs of AWS, at pinned versions. */
import { execFileSync, type StdioOptions } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fillFolderOnce } from "../../../helpers/fill-folder-once.ts";
import { fetchNpmPackages } from "../../../helpers/npm-packages.ts";
import { fetchPythonPackages } from "../../../helpers/python-packages.ts";

const JAVASCRIPT = { "@aws-sdk/client-s3": "3.1175.0", "@aws-sdk/client-sts": "3.1177.0" } as const;
const PYTHON = ["boto3==1.44.8", "awscli==1.46.3"] as const;
const GO = { config: "v1.33.18", "service/s3": "v1.114.10", "service/sts": "v1.52.0" } as const;
const JAVA = ["s3", "sts", "url-connection-client"] as const;
const JAVA_VERSION = "2.40.3";

const cache = join(import.meta.dirname, "../../../../.cache/aws-clients");
const clients = join(import.meta.dirname, "clients");
/** No output, but the reason of a failure. */
const stdio: StdioOptions = ["ignore", "ignore", "pipe"];

function execute(command: string, args: readonly string[], cwd: string): void {
  execFileSync(command, args, { cwd, timeout: 300_000, stdio });
}

/** Each returns the command of a program that calls STS and S3 for LASTS ms. */
export const CLIENTS = {
  JavaScript: () => {
    const folder = fetchNpmPackages(join(cache, `javascript-${JAVASCRIPT["@aws-sdk/client-s3"]}`), JAVASCRIPT);
    copyFileSync(join(clients, "javascript.mjs"), join(folder, "javascript.mjs"));
    return [process.execPath, join(folder, "javascript.mjs")];
  },
  Python: () => ["env", `PYTHONPATH=${preparePythonClient()}`, "python3", join(clients, "python.py")],
  "the AWS CLI": () => ["env", `PYTHONPATH=${preparePythonClient()}`, "sh", join(clients, "cli.sh")],
  Go: () => {
    const folder = fillFolderOnce(join(cache, `go-${Object.values(GO).join("-")}`), (unfinished) => {
      copyFileSync(join(clients, "clients.go"), join(unfinished, "clients.go"));
      execute("go", ["mod", "init", "clients"], unfinished);
      const modules = Object.entries(GO).map(([name, version]) => `github.com/aws/aws-sdk-go-v2/${name}@${version}`);
      execute("go", ["get", ...modules], unfinished);
      execute("go", ["build", "-o", "clients", "."], unfinished);
    });
    return [join(folder, "clients")];
  },
  Java: () => {
    const folder = fillFolderOnce(join(cache, `java-${JAVA_VERSION}`), (unfinished) => {
      const dependencies = JAVA.map((name) => {
        return `<dependency><groupId>software.amazon.awssdk</groupId><artifactId>${name}</artifactId><version>${JAVA_VERSION}</version></dependency>`;
      });
      const projectCoordinates =
        "<modelVersion>4.0.0</modelVersion><groupId>clients</groupId><artifactId>clients</artifactId>";
      const project = `<project>${projectCoordinates}<version>1</version><dependencies>${dependencies.join("")}</dependencies></project>`;
      writeFileSync(join(unfinished, "pom.xml"), project);
      const copy = ["dependency:copy-dependencies", "-DoutputDirectory=jars"];
      execute("mvn", ["--quiet", "--batch-mode", ...copy], unfinished);
    });
    return ["java", "-cp", join(folder, "jars", "*"), join(clients, "Clients.java")];
  },
} satisfies Readonly<Record<string, () => readonly string[]>>;

function preparePythonClient(): string {
  return fetchPythonPackages(join(cache, `python-${PYTHON.join("-").replaceAll("==", "-")}`), PYTHON);
}
