/** @returns the path of the executable, or of the shell for tests */
export function buildRuntime(processor: string, isShell: boolean): Promise<string>;
