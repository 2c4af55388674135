// The package checks: one shape for all packages, core stays tiny, and the tarballs that users get are what is tested.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createConsumer } from './consumer.mjs'
import { coreSize } from './core-size.mjs'
import { publicProblems, workspaceProblems } from './manifest.mjs'
import { createReport } from './report.mjs'
import { buildProblems, contentProblems, pack, publintProblems, typeResolutionProblems } from './tarball.mjs'
import { topLevelProblems } from './top-level.mjs'
import { workspacePackages } from './workspace.mjs'

const report = createReport()
const packages = workspacePackages()
const publicPackages = packages.filter(({ manifest }) => manifest.private !== true)

report.check('the top level shows only what the design names', topLevelProblems())
for (const each of packages) {
  const problems = [...workspaceProblems(each), ...(publicPackages.includes(each) ? publicProblems(each) : [])]
  report.check(`${each.folder}: package.json and its neighbours have the one shape`, problems)
}
await checkCoreSize()
const folder = await mkdtemp(join(tmpdir(), 'mcp-session-packages-'))
try {
  await checkTarballs()
} finally {
  await rm(folder, { recursive: true, force: true })
}
process.exitCode = report.finish() ? 0 : 1

async function checkCoreSize() {
  try {
    const { problems, note } = await coreSize()
    report.check('packages/core: the entry "." is tiny', problems, note)
  } catch (error) {
    report.check('packages/core: the entry "." is tiny', [String(error)])
  }
}

async function checkTarballs() {
  const packed = []
  for (const each of publicPackages) {
    const tarball = await checkTarball(each)
    if (tarball !== undefined) packed.push({ ...each, tarball })
  }
  const unpacked = publicPackages
    .filter(({ name }) => !packed.some((each) => each.name === name))
    .map(({ folder }) => `not tried: ${folder} did not pack`)
  if (unpacked.length > 0) return report.check('an empty project installs and uses the tarballs', unpacked)
  const consumer = await createConsumer(join(folder, 'consumer'), packed)
  const install = await consumer.installProblems()
  report.check('an empty project: npm installs the tarballs', install)
  if (install.length > 0) return
  report.check('an empty project: import works, a session round-trips', await consumer.importProblems())
  report.check('an empty project: require() works, a session round-trips', await consumer.requireProblems())
  report.check('an empty project: the conformance kit passes the memory backend', await consumer.conformanceProblems())
  report.check('an empty project: the declarations compile', await consumer.typeProblems())
}

async function checkTarball(each) {
  const build = await buildProblems(each)
  report.check(`${each.folder}: builds`, build)
  if (build.length > 0) return
  const { tarball, problems } = await pack(each, folder)
  report.check(`${each.folder}: packs`, problems)
  if (tarball === undefined) return
  report.check(`${each.folder}: the tarball holds dist, README, LICENSE and nothing else`, await contentProblems(each, tarball))
  report.check(`${each.folder}: publint --strict accepts the tarball`, await publintProblems(tarball))
  report.check(`${each.folder}: types resolve from the tarball`, await typeResolutionProblems(tarball))
  return tarball
}
