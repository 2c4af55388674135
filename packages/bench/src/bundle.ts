import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'

/** A script as one would deploy it; disposing of it removes the files. */
export interface Bundle extends AsyncDisposable {
  readonly path: string
}

/** Marks a question of the plugin's own. */
const resolving = {}

/** By its file, since pnpm shows a package only to those that depend on it. */
const npmStaysOutside: Plugin = {
  name: 'npm stays outside',
  setup(setup) {
    setup.onResolve({ filter: /^[^./]/ }, async ({ path, importer, namespace, resolveDir, kind, pluginData, with: attributes }) => {
      if (pluginData === resolving || path.startsWith('@mcp-session/')) return undefined
      if (path.startsWith('node:')) return { path, external: true }
      const place = { importer, namespace, resolveDir, kind, with: attributes }
      return { ...(await setup.resolve(path, { ...place, pluginData: resolving })), external: true }
    })
  },
}

/**
 * Builds the script of a process that is to be measured, as what users run is built: the loader that runs TypeScript in the
 * workspace names every function anew whenever it is made, which would be measured as well.
 */
export async function bundle(script: URL): Promise<Bundle> {
  // In here, so that the bundle still finds what it imports by name at run time.
  const folder = await mkdtemp(fileURLToPath(new URL('../node_modules/bundle-', import.meta.url)))
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    await build({
      entryPoints: { main: fileURLToPath(script) },
      outdir: folder,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      splitting: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      logLevel: 'error',
      plugins: [npmStaysOutside],
    })
  } catch (error) {
    await remove()
    throw error
  }
  return { path: join(folder, 'main.mjs'), [Symbol.asyncDispose]: remove }
}
