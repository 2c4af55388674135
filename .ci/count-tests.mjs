// count-tests.mjs <report> <exit code> <output of the tests>: a table on stderr, and "<passed> <failed>" over all packages on stdout.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { workspacePackages } from '../.github/checks/workspace.mjs'

const [report = '', exitCode = '1', output = ''] = process.argv.slice(2)
const printed = existsSync(output) ? stripVTControlCharacters(readFileSync(output, 'utf8')).split('\n') : []

const rows = workspacePackages()
  .filter(({ manifest }) => manifest.scripts?.test !== undefined)
  .map(({ folder, path, manifest }) => ({ folder, task: `${manifest.name}:test:`, ...count(join(path, report)) }))
const unexplained = exitCode === '0' ? [] : rows.filter((row) => row.failed === 0 && endedInFailure(row.task))
for (const row of unexplained) {
  row.failed = 1
  row.remark = 'failed though none of its tests did: what it printed is below'
}
for (const { folder, passed, failed, skipped, remark } of rows) {
  console.error(
    `${folder.padEnd(28)} ${String(passed).padStart(5)} passed ${String(failed).padStart(4)} failed ${String(skipped).padStart(4)} skipped  ${remark}`,
  )
}
for (const { folder, task } of unexplained) console.error(`\n${folder}\n${explanation(task).join('\n')}`)

const failed = sum('failed')
const nameless = exitCode !== '0' && failed === 0
if (nameless) console.error(`the test command exited with ${exitCode} though no package failed: that counts as one failure`)
console.log(`${sum('passed')} ${failed + (nameless ? 1 : 0)}`)

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

/** An error that no test caught fails a run without failing a test; the package manager then says so at the end. */
function endedInFailure(task) {
  return printed.some((line) => line.startsWith(task) && line.includes('ELIFECYCLE'))
}

/** The beginning of what no test caught: the whole of it is further up in the output. */
function explanation(task) {
  const lines = printed.filter((line) => line.startsWith(task)).map((line) => line.slice(task.length))
  const start = lines.findIndex((line) => /⎯ Unhandled (Rejection|Error) ⎯/.test(line))
  return (start === -1 ? lines.slice(-20) : lines.slice(start, start + 40)).filter((line) => line.trim() !== '').slice(0, 16)
}

function sum(field) {
  return rows.reduce((total, row) => total + row[field], 0)
}
