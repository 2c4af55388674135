// count-tests.mjs <report> <exit code of the tests>: a table on stderr, and "<passed> <failed>" over all packages on stdout.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { workspacePackages } from '../.github/checks/workspace.mjs'

const [report = '', exitCode = '1'] = process.argv.slice(2)

const rows = workspacePackages()
  .filter(({ manifest }) => manifest.scripts?.test !== undefined)
  .map(({ folder, path }) => ({ folder, ...count(join(path, report)) }))
for (const { folder, passed, failed, skipped, remark } of rows) {
  console.error(
    `${folder.padEnd(28)} ${String(passed).padStart(5)} passed ${String(failed).padStart(4)} failed ${String(skipped).padStart(4)} skipped  ${remark}`,
  )
}
const passed = sum('passed')
const failed = sum('failed')
const unexplained = exitCode !== '0' && failed === 0 ? 1 : 0
if (unexplained > 0) console.error(`the test command exited with ${exitCode} though no test failed: that counts as one failure`)
console.log(`${passed} ${failed + unexplained}`)

/** What has failed besides tests: a package without a report or a test, a file that broke before its first test, a test that its worker's end cut off. */
function count(path) {
  if (!existsSync(path)) return { passed: 0, failed: 1, skipped: 0, remark: 'left no report: its tests did not run' }
  const result = JSON.parse(readFileSync(path, 'utf8'))
  const broken = result.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'),
  )
  const counted = result.numPassedTests + result.numFailedTests + result.numPendingTests + result.numTodoTests
  const unfinished = result.numTotalTests - counted
  const none = result.numTotalTests === 0 && broken.length === 0
  const remarks = broken.map((file) => `broken: ${file.name.replace(/^.*\/(packages|examples)\//, '')}`)
  if (none) remarks.push('ran no test')
  if (unfinished > 0) remarks.push(`${unfinished} never finished`)
  return {
    passed: result.numPassedTests,
    failed: result.numFailedTests + broken.length + unfinished + (none ? 1 : 0),
    skipped: result.numPendingTests + result.numTodoTests,
    remark: remarks.join(', '),
  }
}

function sum(field) {
  return rows.reduce((total, row) => total + row[field], 0)
}
