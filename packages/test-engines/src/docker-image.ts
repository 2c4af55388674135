import { outputOf } from './program-output.ts'
import { programs } from './programs.ts'
import type { Attempt } from './search.ts'

const answersWithinMs = 5_000

/**
 * Programs that run in containers of that image, where a Docker engine of this machine answers. Only on Linux: elsewhere the
 * containers live in a virtual machine, whose processes nobody here can pause.
 */
export function dockerImage(image: string): Attempt {
  return async ({ env, say }) => {
    const elsewhere = /^(tcp|ssh):/.test(env['DOCKER_HOST'] ?? '')
    if (process.platform !== 'linux' || elsewhere || !(await answers())) return undefined
    if (!(await isPulled(image))) {
      say(`pulling ${image} with docker …`)
      await outputOf('docker', ['pull', '--quiet', image])
    }
    return programs({ source: 'a Docker image', version: image, image })
  }
}

function answers(): Promise<boolean> {
  return succeeds(['info'])
}

function isPulled(image: string): Promise<boolean> {
  return succeeds(['image', 'inspect', image])
}

function succeeds(args: readonly string[]): Promise<boolean> {
  return outputOf('docker', args, { timeoutMs: answersWithinMs }).then(
    () => true,
    () => false,
  )
}
