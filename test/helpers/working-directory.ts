/**
 * Restores the working directory after each test file, because the next file runs in the same process. Help, which some tests print in
 * their process, changes it to `/`. vitest.config.mts loads this file before each test file.
 */
import { afterAll } from "vitest";

const workingDirectory = process.cwd();
afterAll(() => process.chdir(workingDirectory));
