/** A project whose contract belongs to an environment of ESC, for the tests of the commands that write into that environment. */
import { expect, onTestFinished } from "vitest";
import { type EnvironmentHandle, type EscServer, startEscServer } from "../../../esc-server/index.ts";
import { runCommand } from "../../../helpers/command-in-process.ts";
import { folder } from "../../../helpers/sophia.ts";
import { SENTINEL, expectNoValue } from "../../sophia-environment.ts";

/** The environment into which the commands write. */
export const ENV = "acme/app/dev";

export interface EscProject {
  readonly server: EscServer;
  /** The environment {@link ENV} on the server. */
  readonly handle: EnvironmentHandle;
  readonly cwd: string;
  /** The variables by which a command finds the environment, and may write into it. */
  readonly env: Readonly<Record<"PULUMI_BACKEND_URL" | "ESC_ENV" | "ESC_ADMIN_TOKEN", string>>;
}

type CommandOptions = NonNullable<Parameters<typeof runCommand>[1]>;
type RunCommand = (args?: readonly string[], options?: CommandOptions) => ReturnType<typeof runCommand>;

/** Starts a server with the environment, and creates the files of the project. The server ends with the test. */
export async function startEscProject(
  spec: Parameters<EscServer["environment"]>[1],
  files: Readonly<Record<string, string>>,
): Promise<EscProject> {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  const handle = server.environment(ENV, spec);
  const env = { PULUMI_BACKEND_URL: server.url, ESC_ENV: ENV, ESC_ADMIN_TOKEN: server.token };
  return { server, handle, cwd: folder(files), env };
}

/** Returns a function that runs a command in the project, in this process, and checks that nothing of what it shows is a secret. */
export function commandRunner(command: readonly string[], { cwd, env }: EscProject): RunCommand {
  return async (args = [], { env: more, ...options } = {}) => {
    const result = await runCommand([...command, ...args], { cwd, env: { ...env, ...more }, ...options });
    expectNoValue(result);
    expect(result.questions.join("\n")).not.toContain(SENTINEL);
    return result;
  };
}
