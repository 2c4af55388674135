import { spawn } from 'node:child_process'
import { rootManifest } from './workspace.mjs'

/** Runs a command and gives its exit code and everything it printed; never throws. */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, env: { ...process.env, ...options.env }, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const collect = (chunk) => {
      output += chunk
    }
    child.stdout.setEncoding('utf8').on('data', collect)
    child.stderr.setEncoding('utf8').on('data', collect)
    child.on('error', (error) => resolve({ code: 1, output: String(error) }))
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

/** Runs Node itself: a script of a dependency, or one of a check. */
export function runNode(args, options) {
  return run(process.execPath, args, options)
}

/** Runs the pnpm that runs this script; without one, the pnpm that package.json names, through npx. */
export function runPnpm(args, options) {
  const running = process.env.npm_execpath ?? ''
  if (!/pnpm[^/\\]*$/.test(running)) return run('npx', ['-y', rootManifest.packageManager, ...args], options)
  return /\.[cm]?js$/.test(running) ? runNode([running, ...args], options) : run(running, args, options)
}

/** What a failed command has to say: its last lines. */
export function complaints({ code, output }) {
  return code === 0 ? [] : [`exit code ${code}`, output.trim().split('\n').slice(-25).join('\n')]
}
