import { spawnSync } from 'node:child_process';

/** A tool that the machine lacks; its message is one line that says what to install. */
export class MissingTool extends Error {}

/** Throws `MissingTool` unless `command` can be run. */
export function requireTool(command: string, debianPackage: string): void {
  const { error } = spawnSync(command, ['--version'], { stdio: 'ignore' });
  if (error === undefined) return;
  throw new MissingTool(`${command} not found: install the Debian package ${debianPackage}`);
}
